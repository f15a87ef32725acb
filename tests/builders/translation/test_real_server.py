"""A model that has learned a few sentences by heart, behind `transformers serve` on 127.0.0.1, as a translator."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

import builders

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("COIT_SERVE_ENV" not in os.environ, reason="COIT_SERVE_ENV names no environment with a server"),
]
GREEK = {"Name a fruit.": "Ονόμασε ένα φρούτο.", "An apple.": "Ένα μήλο.", "See [1] now.": "Δες [1] τώρα."}
CHAT = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


def train_by_heart(folder: Path, conversations: list[list[dict[str, str]]]) -> Path:
    """Return the folder of a small Llama that answers each prompt of these conversations as they do."""
    import torch
    from transformers import LlamaForCausalLM

    from tests.trainer.models import make_model
    from tests.trainer.tokenizers import metaspace

    model = LlamaForCausalLM.from_pretrained(make_model(folder, positions=2048))
    tokenizer = metaspace(folder)
    tokenizer.chat_template, tokenizer.pad_token = CHAT, "<unk>"
    tokenizer.save_pretrained(folder)
    texts = [tokenizer.apply_chat_template(turns, tokenize=False) for turns in conversations]
    batch = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)
    for _ in range(400):
        loss = model(**batch, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.generation_config.max_new_tokens = 256
    model.save_pretrained(folder)
    return folder


def test_segments_are_translated_by_a_real_server(tmp_path: Path) -> None:
    from builders.translation.server_translator import server_prompt_rows
    from trainer.evaluation.server_process import find_server, serve_model

    prompt = server_prompt_rows()["plain"]
    learned = [[*prompt.messages(en, "el"), {"role": "assistant", "content": el}] for en, el in GREEK.items()]
    model = train_by_heart(tmp_path / "model", learned)
    questions = ("Name a fruit.", "See https://example.org now.")
    records = [{"instruction": question, "output": "An apple."} for question in questions]
    (tmp_path / "mine.json").write_text(json.dumps(records))
    row = find_server("transformers", Path(os.environ["COIT_SERVE_ENV"]))
    (tmp_path / "my").mkdir()
    with serve_model(row, model, tmp_path / "server.log") as (url, name):
        own = (
            f'[served]\nkind = "openai"\nmodel = "{name}"\nurl = "{url}"\nlicence = "cc0-1.0"\ndescription = "Mine."\n'
        )
        (tmp_path / "my" / "translators.toml").write_text(own)
        paths = {"work": tmp_path / "work", "output": tmp_path / "out", "corpora_lock": tmp_path / "lock"}
        options = {"translator": "served", "with_": [tmp_path / "my"]}
        result = builders.translate(tmp_path / "mine.json", langs=["el"], **options, **paths)
    rows = pl.read_parquet(result.files["el"]).sort("instruction").to_dicts()
    assert [row["instruction"] for row in rows] == ["Δες https://example.org τώρα.", "Ονόμασε ένα φρούτο."]
