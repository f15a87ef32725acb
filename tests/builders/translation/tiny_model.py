"""A tiny model of M2M100's architecture that knows its trade: letter by letter into Greek or Arabic letters.

Its weights are worked out rather than trained, so that building it takes a second and its answers can be checked.
The decoder's cross-attention finds the encoder's position that equals its own (sinusoids say so), copies the letter
that stands there, and its self-attention adds the script that the target language's token asks for.
"""

from pathlib import Path

import torch
from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

from tests.builders.translation.expected import LETTERS, SCRIPTS

CHARACTERS = "▁!\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~’“”é"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
WIDTH, LONGEST = 256, 1024
FREQUENCIES = 40  # of the sinusoids, the fastest ones, by which a position is found
ZERO = WIDTH // 2 - 1  # the slowest sine, always near zero: what it holds after a layer norm is the mean taken off
SCRIPT_WEIGHT = 0.6  # against the letter's: letters of the right script win over Latin, the right letter over all


def vocabulary(forgotten: str = "") -> list[str]:
    """The tokens by number; `forgotten` characters are not among them."""
    letters = [letter for script in SCRIPTS.values() for letter in script]
    known = [token for token in (*CHARACTERS, *letters) if token not in forgotten]
    return [*SPECIAL, *known, "<mask>", *SCRIPTS]


def save(folder: Path, forgotten: str = "", languages: tuple[str, ...] = tuple(SCRIPTS)) -> Path:
    """Write model and tokenizer as Transformers does; returns the folder."""
    tokens = [token for token in vocabulary(forgotten) if token not in SCRIPTS or token in languages]
    plain = {token: number for number, token in enumerate(tokens) if token not in (*SCRIPTS, "<mask>")}
    tokenizer = NllbTokenizer(vocab=plain, merges=[], extra_special_tokens=list(languages), src_lang="eng_Latn")
    assert [tokenizer.convert_ids_to_tokens(number) for number in range(len(tokens))] == tokens
    tokenizer.save_pretrained(folder)
    build(tokens).save_pretrained(folder)
    return folder


def build(tokens: list[str]) -> M2M100ForConditionalGeneration:
    """The model, its weights worked out from the tokens."""
    config = M2M100Config(
        vocab_size=len(tokens),
        d_model=WIDTH,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=1,
        decoder_attention_heads=1,
        encoder_ffn_dim=8,
        decoder_ffn_dim=8,
        max_position_embeddings=LONGEST,
        decoder_start_token_id=tokens.index("</s>"),
        scale_embedding=True,
    )
    model = M2M100ForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if "layer_norm.weight" in name else 0.0)
        _embed(model, tokens)
        _attend_to_the_language(model.model.decoder.layers[0].self_attn)
        _copy_what_stands_there(model.model.decoder.layers[0].encoder_attn)
    return model


def _dimensions() -> tuple[list[int], list[int]]:
    """The dimensions that say a position, and those that are free for letters, scripts and languages."""
    half = WIDTH // 2
    where = [*range(FREQUENCIES), *range(half, half + FREQUENCIES)]
    return where, [number for number in range(WIDTH) if number not in (*where, ZERO)]


def _free() -> tuple[list[int], list[int], list[int]]:
    """Of the free dimensions: those of scripts and of no script, of languages, of characters."""
    free, scripts = _dimensions()[1], len(SCRIPTS)
    return free[: scripts + 1], free[scripts + 1 : 2 * scripts + 1], free[2 * scripts + 1 :]


def _embed(model: M2M100ForConditionalGeneration, tokens: list[str]) -> None:
    """A letter is its place in the alphabet and its script; any other token is itself. All have the same length."""
    names = [*LETTERS, *CHARACTERS, "</s>", "<unk>"]
    scripts, languages, characters = _free()
    table = model.model.shared.weight
    for number, token in enumerate(tokens):
        of = [index for index, script in enumerate(SCRIPTS.values()) if token in list(script)]
        letter = LETTERS[list(SCRIPTS.values())[of[0]].index(token)] if of else token
        table[number, scripts[of[0] if of else -1]] = SCRIPT_WEIGHT
        if token in SCRIPTS:
            table[number, languages[list(SCRIPTS).index(token)]] = 1.0
        elif letter in names:
            table[number, characters[names.index(letter)]] = 1.0


def _attend_to_the_language(attention: torch.nn.Module) -> None:
    """Wherever the decoder is, it looks at the token of a language and adds that language's script."""
    scripts, languages, _ = _free()
    attention.q_proj.bias[0] = 100.0
    for script, language in zip(scripts, languages, strict=False):
        attention.k_proj.weight[0, language] = 10.0
        attention.v_proj.weight[script, language] = 10.0
        attention.out_proj.weight[script, script] = 1.0


def _copy_what_stands_there(attention: torch.nn.Module) -> None:
    """The decoder finds the encoder's position that equals its own and copies the character there."""
    for dimension in _dimensions()[0]:
        for projection in (attention.q_proj, attention.k_proj):
            projection.weight[dimension, dimension] = 30.0
            projection.weight[dimension, ZERO] = -30.0
    for dimension in _free()[2]:
        attention.v_proj.weight[dimension, dimension] = 20.0
        attention.out_proj.weight[dimension, dimension] = 1.0
