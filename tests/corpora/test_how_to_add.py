"""What corpora/README.md says about adding a corpus, a language and a format is applied to a copy and used."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpora.catalog import language, load_catalog
from corpora.extensions import Extensions, use_extensions
from corpora.reading import read_instructions, read_pairs

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "corpora" / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def block(start: str) -> str:
    """The content of the block that begins with a line."""
    (found,) = [text.removeprefix(f"{start}\n") for _, text in BLOCKS if text.startswith(f"{start}\n")]
    return found


@pytest.fixture
def my(tmp_path: Path) -> Iterator[Path]:
    """The README's folder `my`, in use, with files for its corpora."""
    for name in ("corpora.toml", "languages.csv"):
        (tmp_path / name).write_text(block(f"# my/{name}"), encoding="utf-8")
    (tmp_path / "pairs.sw.csv").write_text("source,target,score\nA cat.,Paka.,1.2\n", encoding="utf-8")
    record = {"question": "Name a cat.", "answer": "Tom."}
    (tmp_path / "instructions.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    with use_extensions(Extensions((tmp_path,))):
        yield tmp_path


def rows(read: Any, corpus_id: str, lang: str) -> list[dict[str, Any]]:
    corpus = load_catalog()[corpus_id]
    return [row for batch in read(corpus.input_file(Path(corpus.location(lang)), lang)) for row in batch.to_pylist()]


def test_corpora_of_a_folder_are_read(my: Path) -> None:
    pair = {"line_number": 1, "en": "A cat.", "xx": "Paka.", "margin": 1.2, "read_error": None}
    assert rows(read_pairs, "my-pairs", "sw") == [pair]
    (instruction,) = rows(read_instructions, "my-instructions", "en")
    assert (instruction["instruction"], instruction["output"]) == ("Name a cat.", "Tom.")
    assert load_catalog()["opus-books"].location("el").endswith("/el-en/train-00000-of-00001.parquet")
    assert load_catalog()["opus-books"].input_file(my, "el").column("xx") == "translation.el"


def test_language_of_a_folder_is_known(my: Path) -> None:
    assert (language("gv").name, language("gv").labels, language("gv").ratio) == ("Manx", ("gv",), 1.05)
    assert not load_catalog()["wikimatrix"].has("gv")


def test_table_in_memory_is_a_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = [text for _, text in BLOCKS if "corpus_from_tables(" in text and "import" in text]
    names: dict[str, Any] = {}
    exec(code, names)
    file = names["corpus"].input_file(Path(names["corpus"].location("el")), "el")
    assert [batch.to_pylist()[0]["xx"] for batch in read_pairs(file)] == ["Μια γάτα."]


@pytest.mark.slow
def test_format_is_one_function_and_one_row(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "corpora", tmp_path / "corpora", ignore=shutil.ignore_patterns("__pycache__", "sample"))
    reading = tmp_path / "corpora" / "reading"
    (reading / "anki.py").write_text(block("# corpora/reading/anki.py"), encoding="utf-8")
    readers = (reading / "readers.py").read_text(encoding="utf-8")
    first = "BITEXT_READERS: dict[str, BitextReader] = {\n"
    assert first in readers
    readers = readers.replace(first, first + block("# corpora/reading/readers.py"))
    readers = readers.replace("from corpora.reading.benchmarks", "from corpora.reading.anki import read_anki\n\\g", 1)
    (reading / "readers.py").write_text(readers.replace("\\g", "from corpora.reading.benchmarks"), encoding="utf-8")
    (tmp_path / "ell.txt").write_text("A cat.\tΜια γάτα.\tCC-BY 2.0\nalone\n", encoding="utf-8")
    code = (
        "from pathlib import Path; from corpora.reading import *\n"
        "file = InputFile(Path('ell.txt'), 'anki-tsv', 'el', xx_code='el')\n"
        "print([row['read_error'] or row['xx'] for batch in read_pairs(file) for row in batch.to_pylist()])"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.stdout.strip() == "['Μια γάτα.', 'missing_column']", done.stderr
