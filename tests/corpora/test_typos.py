"""A mistyped key and a wrong type of each key of corpora.toml and languages.csv, made from the row types."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from corpora.catalog import Corpus, Language, languages, read_corpora
from corpora.errors import InputError
from corpora.extensions import Extensions, use_extensions

GOOD: dict[str, Any] = {"title": "Mine", "kind": "bitext", "version": "1", "format": "csv", "url": "{code}.csv"}
GOOD |= {"langs": ["el"], "licence": "cc0-1.0"}
KEYS = [field.name for field in fields(Corpus) if field.name not in ("id", "folder")]
COLUMNS = [field.name for field in fields(Language)]


def error_of(folder: Path, corpus: dict[str, Any]) -> str:
    path = folder / "corpora.toml"
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in corpus.items())
    path.write_text(f"[mine]\n{text}", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_corpora(path)
    assert str(error.value).startswith(f"{path}, table [mine]: ")
    return str(error.value)


@pytest.mark.parametrize("key", KEYS)
def test_mistyped_key_of_a_corpus_is_an_error_with_the_right_one(tmp_path: Path, key: str) -> None:
    corpus = {name: value for name, value in GOOD.items() if name != key}
    message = error_of(tmp_path, {**corpus, f"{key}x": GOOD.get(key, "")})
    assert f"Unknown key '{key}x'. Did you mean {key}" in message


@pytest.mark.parametrize("key", KEYS)
def test_wrong_type_of_a_key_of_a_corpus_is_an_error_with_the_key(tmp_path: Path, key: str) -> None:
    message = error_of(tmp_path, {**GOOD, key: True})
    assert f"'{key}'" in message
    assert "not True" in message or "'True'" in message


@pytest.mark.parametrize("key", [key for key in KEYS if key in GOOD])
def test_missing_key_of_a_corpus_is_an_error_with_the_key(tmp_path: Path, key: str) -> None:
    corpus = {name: value for name, value in GOOD.items() if name != key}
    assert f"the key '{key}' is missing." in error_of(tmp_path, corpus)


@pytest.mark.parametrize("column", COLUMNS)
def test_mistyped_column_of_a_language_is_an_error_with_the_right_one(tmp_path: Path, column: str) -> None:
    header = [f"{name}x" if name == column else name for name in COLUMNS]
    (tmp_path / "languages.csv").write_text(f"{','.join(header)}\n{','.join(['gv'] * len(header))}\n")
    with use_extensions(Extensions((tmp_path,))), pytest.raises(InputError) as error:
        languages()
    assert f"languages.csv, line 2: Unknown key '{column}x'. Did you mean {column}" in str(error.value)
