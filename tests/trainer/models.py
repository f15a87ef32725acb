"""Models and benchmarks for tests: random weights, a byte tokenizer, sentences written for them."""

import json
from pathlib import Path

SENTENCES = {
    "eng": ["The cat sleeps on the mat.", "Two birds sing in the old tree.", "Who ate my bread?", "It rained all day."],
    "ell": ["Η γάτα κοιμάται στο χαλί.", "Δύο πουλιά κελαηδούν.", "Ποιος έφαγε το ψωμί μου;", "Έβρεχε όλη μέρα."],
    "hin": ["बिल्ली चटाई पर सोती है।", "दो पक्षी गाते हैं।", "मेरी रोटी किसने खाई?", "सारा दिन बारिश हुई।"],
}
CONTEXT = "Η Άννα γεννήθηκε στην Πάτρα το 1990 και ζει στη Λάρισα."


def make_model(folder: Path, seed: int = 0, positions: int = 512) -> Path:
    """A random Llama of some ten thousand parameters with a tokenizer of bytes, saved as safetensors."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from tests.trainer.tokenizers import metaspace

    tokenizer = metaspace(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=positions,
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.4,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def make_data(folder: Path) -> Path:
    """A folder of benchmarks: four sentences in three languages, three questions in Greek, two instructions."""
    folder.mkdir(parents=True)
    for code, sentences in SENTENCES.items():
        (folder / f"{code}.devtest").write_text("\n".join(sentences) + "\n", encoding="utf-8")
    (folder / "xquad.el.json").write_text(json.dumps(questions()), encoding="utf-8")
    rows = [{"instruction": "Γράψε ένα ποίημα."}, {"instruction": "Διόρθωσε", "input": "το λάθως"}]
    (folder / "el.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return folder


def questions() -> dict[str, object]:
    """A file in XQuAD's form with three questions about one passage."""
    answers = {"Πού γεννήθηκε η Άννα;": "Πάτρα", "Πότε γεννήθηκε;": "1990", "Πού ζει;": "Λάρισα"}
    asked = [
        {"id": f"{n:024x}", "question": q, "answers": [{"text": a, "answer_start": CONTEXT.index(a)}]}
        for n, (q, a) in enumerate(answers.items())
    ]
    return {"version": "1.1", "data": [{"title": "Άννα", "paragraphs": [{"context": CONTEXT, "qas": asked}]}]}
