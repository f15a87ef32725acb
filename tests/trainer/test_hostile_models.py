"""Models, tokenizers, checkpoints and templates from outside: none runs code, and none makes more work than it has."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import InputError
from corpora.model_files import check_checkpoint_file, check_model_files, check_sharded_metadata

RUN = b"cposix\nsystem\n(S'touch %s'\ntR."  # a pickle that runs a command when it is read


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.trainer.models import make_model

    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def copy(model: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(model, tmp_path / "copy"))


def change(path: Path, **keys: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def load(folder: Path) -> Any:
    from trainer.model_loading import load_weights

    return load_weights(folder, "NAME", "sdpa")


@pytest.mark.slow
def test_model_as_it_was_saved_is_loaded(model: Path) -> None:
    assert load(model).num_parameters() == check_model_files(model).num_weights


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"_attn_implementation": "evil/kernel"}, "run no code from outside"),
        ({"attn_implementation": "evil/kernel@main:f"}, "run no code from outside"),
        ({"_attn_implementation_internal": "paged|evil/kernel"}, "run no code from outside"),
        ({"attn_implementation": {"text_config": "evil/kernel"}}, "run no code from outside"),
        ({"attn_implementation": "flash_attention_3"}, "is not installed"),
        ({"text_config": {"attn_implementation": "evil/kernel"}}, "run no code from outside"),
        ({"experts_implementation": "sonic-moe"}, "need no kernel from outside"),
        ({"kernel_config": {"RMSNorm": "evil/kernel:RMSNorm"}}, "kernels from outside"),
        ({"use_kernels": True}, "kernels from outside"),
        ({"quantization_config": {"quant_method": "mxfp4"}}, "quantized weights"),
        ({"num_hidden_layers": 10_000_000}, "COIT_LIMITS=model_parts=NUMBER"),
        ({"num_labels": 10**9}, "COIT_LIMITS=model_parts=NUMBER"),
        ({"hidden_size": 10**6, "num_attention_heads": 10}, "weights, and the safetensors hold"),
        ({"num_hidden_layers": 40}, "weights, and the safetensors hold"),
        ({"vocab_size": 10**9}, "weights, and the safetensors hold"),
        ({"num_attention_heads": 0}, "integer modulo by zero"),
        ({"hidden_act": "exec"}, "could not be loaded"),
        ({"model_type": "\x1b]0;x\x07"}, "No model could be loaded"),
        ({"auto_map": {"AutoConfig": "code.Config"}, "model_type": "mine"}, "No model could be loaded"),
    ],
)
def test_configuration_that_asks_for_code_or_too_much_is_refused(
    keys: dict[str, object], sentence: str, copy: Path
) -> None:
    (copy / "code.py").write_text("raise SystemExit('run')")
    change(copy / "config.json", **keys)
    with pytest.raises(InputError) as error:
        load(copy)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"n": ' + b"1" * 5000 + b"}", "not JSON that can be read"),
        (b'"' + b" " * (17 << 20) + b'"', "COIT_LIMITS=model_json_bytes=NUMBER"),
        (b"<html>", "is an HTML page"),
        (b"\xff\xfe", "not valid UTF-8"),
    ],
)
def test_damaged_configuration_is_a_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        check_model_files(tmp_path)


def tensors(header: object) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1234",
        (2**63).to_bytes(8, "little") + b"{}",
        (99_999_999).to_bytes(8, "little") + b"{}",
        tensors(b"{" * 200_000),
        tensors([1]),
        tensors({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}),
        tensors({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 0]}}),
        tensors({"a": {"dtype": "F32", "shape": "x", "data_offsets": [0, 0]}}),
        tensors({"a": 1}),
    ],
)
def test_oversized_or_damaged_header_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors"):
        check_model_files(tmp_path)


@pytest.mark.parametrize(
    "name", ["../secret.safetensors", "/etc/x.safetensors", "pytorch_model.bin", "none.safetensors"]
)
def test_index_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(InputError, match="the name of a safetensors file beside it was expected"):
        check_model_files(tmp_path)


def test_adapter_does_not_bring_another_base_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "evil/model"}')
    with pytest.raises(InputError, match="is an adapter of another model"):
        check_model_files(tmp_path)


def archive(path: Path, pickled: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in {"data.pkl": pickled, "version": b"3\n", "byteorder": b"little"}.items():
            file.writestr(f"archive/{name}", data)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth", "rng_state_0.pth", "scaler.pt"])
def test_state_that_would_run_code_is_a_sentence(name: str, tmp_path: Path) -> None:
    from trainer.model_loading import check_run_checkpoint

    checkpoint = tmp_path / "checkpoint-1"
    checkpoint.mkdir()
    archive(checkpoint / name, RUN % bytes(tmp_path / "run"))
    with pytest.raises(InputError, match="cannot be read as numbers only"):
        check_run_checkpoint(checkpoint)
    (checkpoint / name).write_bytes(RUN % bytes(tmp_path / "run"))
    with pytest.raises(InputError, match="read as weights only"):
        check_run_checkpoint(checkpoint)
    assert not (tmp_path / "run").exists()


def test_compressed_checkpoint_is_refused(tmp_path: Path) -> None:
    archive(tmp_path / "model.ckpt", b"\0" * 10_000_000, zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="compressed or overlapping parts"):
        check_checkpoint_file(tmp_path / "model.ckpt")


@pytest.mark.slow
def test_sharded_checkpoint_is_read_without_running_its_pickle(tmp_path: Path) -> None:
    import torch
    import torch.distributed.checkpoint as dcp

    state = {"model": {"a": torch.ones(3, 4), "b": torch.ones(2, dtype=torch.bfloat16)}, "step": 3, "lr": [0.1]}
    dcp.save(state, checkpoint_id=tmp_path / "own", no_dist=True)
    check_sharded_metadata(tmp_path / "own")


@pytest.mark.parametrize(
    "pickled",
    [
        RUN,
        b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x8c\x07touch %s\x85R.",
        # a name that is pushed, allowed names on top of it that are removed again, and the call of what is below
        b"\x80\x04\x8c\x05posix\x8c\x06system\x8c\x05torch\x8c\x04Size00\x93\x8c\x07touch %s\x85R.",
        b"\x80\x04\x8c\x05torch\x94\x8c\x05posixq\x00\x8c\x06system\x94h\x00h\x01\x93.",
        b"\x80\x02\x82\x01.",
        b"Pos.system\n.",
        b"",
        b"\x80\x04K\x01",
    ],
)
def test_sharded_metadata_that_names_anything_else_is_refused(pickled: bytes, tmp_path: Path) -> None:
    (tmp_path / ".metadata").write_bytes(pickled.replace(b"%s", bytes(tmp_path / "run")))
    with pytest.raises(InputError, match="metadata"):
        check_sharded_metadata(tmp_path)
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def chat(model: Path) -> Callable[[str], str]:
    def render(template: str) -> str:
        from trainer.model_loading import load_tokenizer_files, open_chat_template

        messages = [{"role": "user", "content": "A question"}]
        return open_chat_template(load_tokenizer_files(model, "NAME"), template)(messages, True)

    return render


LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        (LOOP + "{% endfor %}" * 3, "takes more time, memory or text"),
        ("{{ 'a' * 10**11 }}", "MemoryError"),
        ("{{ 'a'|center(10**10) }}", "MemoryError"),
        ("{{ '%9999999999d' % 1 }}", "cannot be used"),
        ("{{ 'a' * 100000000 }}", "takes more time, memory or text"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "recursion"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
        ("{{ lipsum.__globals__['os'].system('touch run') }}", "unsafe"),
        ("{{ raise_exception('\x1b]0;x\x07') }}", "cannot be used"),
        ("{% for", "cannot be used"),
        ("{{ messages.append(1) }}", "unsafe"),
    ],
)
def test_chat_template_without_end_or_bounds_is_refused(
    template: str, sentence: str, chat: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COIT_LIMITS", "template_s=3")
    with pytest.raises(InputError, match=sentence):
        chat(template)
    assert chat("{{ messages[0].content }}") == "A question"  # the program renders on, or another one does


@pytest.mark.slow
def test_chat_template_writes_what_transformers_writes(model: Path, chat: Callable[[str], str]) -> None:
    from trainer.model_loading import load_tokenizer_files, open_chat_template

    text = (
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<a>{% endif %}"
    )
    tokenizer = load_tokenizer_files(model, "NAME")
    write = open_chat_template(tokenizer, text)
    for content in ("Hello", "é\n{{ 7 * 7 }}\u2028", "x" * 300_000):
        messages = [{"role": "user", "content": content}]
        expected = tokenizer.apply_chat_template(
            messages, chat_template=text, tokenize=False, add_generation_prompt=True
        )
        assert write(messages, True) == expected


@pytest.mark.slow
def test_pattern_of_a_tokenizer_that_backtracks_is_a_sentence(copy: Path) -> None:
    from trainer.model_loading import load_tokenizer_files, tokenize

    split = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
    change(copy / "tokenizer.json", pre_tokenizer=split, normalizer=None)
    with pytest.raises(InputError, match="The tokenizer cannot split a text"):
        tokenize(load_tokenizer_files(copy, "NAME"), ["a" * 60 + "!"])


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"[" * 100_000, b"{}", b'{"model": {"type": "BPE"}}', b"\xff", b"<html>"])
def test_damaged_tokenizer_is_a_sentence(content: bytes, copy: Path) -> None:
    from trainer.model_loading import load_fast_tokenizer, load_tokenizer_files

    (copy / "tokenizer.json").write_bytes(content)
    for call in (lambda: load_tokenizer_files(copy, "NAME"), lambda: load_fast_tokenizer(copy / "tokenizer.json")):
        with pytest.raises(InputError):
            call()
