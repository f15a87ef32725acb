"""Tiny models of random weights of each family of translators, saved as their authors publish them."""

import json
from pathlib import Path
from typing import Any

SENTENCES = ["Name a red fruit.", "It is an apple.", "Two words here, and more.", "A"]
SIZES = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2}
SIZES |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "max_position_embeddings": 64}


def train_pieces(path: Path, symbols: list[str], **options: Any) -> Path:
    """Write a SentencePiece model of a few sentences."""
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*SENTENCES, "Ονόμασε ένα κόκκινο φρούτο. Ένα μήλο."] * 20),
        model_prefix=str(path.with_suffix("")),
        vocab_size=70 + len(symbols),
        model_type="unigram",
        hard_vocab_limit=False,
        user_defined_symbols=symbols,
        minloglevel=2,
        **options,
    )
    path.with_suffix(".model").rename(path)
    path.with_suffix(".vocab").unlink()
    return path


def pieces_of(path: Path) -> list[str]:
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [processor.id_to_piece(number) for number in range(processor.get_piece_size())]


def save_m2m100(folder: Path, tokenizer_class: str = "") -> Path:
    """Write an M2M100; with another class of its tokenizer, SMaLL-100 as its repository has it."""
    from transformers import M2M100Config, M2M100ForConditionalGeneration, M2M100Tokenizer

    folder.mkdir(parents=True)
    pieces = train_pieces(folder / "sentencepiece.bpe.model", [])
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *(p for p in pieces_of(pieces) if p not in ("<unk>", "<s>", "</s>"))]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    tokenizer = M2M100Tokenizer(str(folder / "vocab.json"), str(pieces))
    tokenizer.save_pretrained(folder)
    size = len(tokens) + len(tokenizer.lang_token_to_id) + tokenizer.num_madeup_words
    config = M2M100Config(vocab_size=size, decoder_start_token_id=2, max_length=30, **SIZES)
    _save(M2M100ForConditionalGeneration(config), folder)
    if tokenizer_class:
        path = folder / "tokenizer_config.json"
        own = json.loads(path.read_text()) | {"tokenizer_class": tokenizer_class}
        path.write_text(json.dumps(own | {"auto_map": {"AutoTokenizer": ["tokenization_small100.X", None]}}))
    return folder


def save_t5(folder: Path) -> Path:
    """Write a T5 with MADLAD-400's tokens of languages."""
    from transformers import T5Config, T5ForConditionalGeneration, T5Tokenizer

    folder.mkdir(parents=True)
    pieces = train_pieces(folder / "spiece.model", ["<2el>", "<2de>"], pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    tokenizer = T5Tokenizer.from_pretrained(folder, extra_ids=0)
    tokenizer.save_pretrained(folder)
    size = len(pieces_of(pieces))
    config = T5Config(
        vocab_size=size,
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
        eos_token_id=1,
    )
    _save(T5ForConditionalGeneration(config), folder)
    return folder


def save_marian(folder: Path, source: str = "en", target: str = "el", multilingual: bool = False) -> Path:
    """Write an OPUS-MT model of one pair of languages, or into several languages with a token each."""
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    folder.mkdir(parents=True)
    tokens = ["</s>", "<unk>", *([">>ell<<", ">>deu<<"] if multilingual else [])]
    for name in ("source.spm", "target.spm"):
        own = pieces_of(train_pieces(folder / name, []))
        tokens += [piece for piece in own if piece not in (*tokens, "<s>")]
    tokens.append("<pad>")
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    files = (str(folder / name) for name in ("source.spm", "target.spm", "vocab.json"))
    MarianTokenizer(*files, source_lang=source, target_lang=target).save_pretrained(folder)
    pad = len(tokens) - 1
    ids = {"pad_token_id": pad, "eos_token_id": 0, "decoder_start_token_id": pad, "forced_eos_token_id": 0}
    model = MarianMTModel(MarianConfig(vocab_size=len(tokens), scale_embedding=True, **ids, **SIZES))
    _save(model, folder, pad)
    return folder


def _save(model: Any, folder: Path, zero_token: int | None = None) -> None:
    """Write a model with random weights; Marian's decoder begins with a token whose embedding is zero."""
    import torch

    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5)
        if zero_token is not None:
            model.get_input_embeddings().weight[zero_token] = 0
    model.save_pretrained(folder)
