"""Bitexts of statmt.org and the Tatoeba Challenge: two columns or two members, in the order of their codes."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from corpora.catalog import load_catalog
from corpora.errors import InputError
from corpora.reading import InputFile, read_pairs

PAIRS = [("A lamp.", "Μια λάμπα."), ("Two lamps.", "Δύο λάμπες.")]


def rows_of(path: Path, name: str, en_code: str, xx_code: str) -> list[tuple[str, str, str | None]]:
    batches = read_pairs(InputFile(path, name, "el", en_code, xx_code))
    return [(row["en"], row["xx"], row["read_error"]) for batch in batches for row in batch.to_pylist()]


def tar(path: Path, members: dict[str, str]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, text in members.items():
            data = gzip.compress(text.encode())
            info = tarfile.TarInfo(f"data/release/v2023-09-26/ell-eng/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_columns_without_a_head_are_in_the_order_of_the_codes(tmp_path: Path) -> None:
    path = tmp_path / "news.tsv.gz"
    path.write_bytes(gzip.compress("".join(f"{xx}\t{en}\n" for en, xx in PAIRS).encode() + "χωρίς\n".encode()))
    rows = [*((en, xx, None) for en, xx in PAIRS)]
    assert rows_of(path, "pair-tsv", "en", "el")[:2] == rows
    assert rows_of(path, "pair-tsv", "en", "el")[2][2] == "missing_column"
    assert rows_of(path, "pair-tsv", "en", "fr")[:2] == [(xx, en, None) for en, xx, _ in rows]


def test_two_members_of_a_tar_are_read_side_by_side(tmp_path: Path) -> None:
    sides = {side: "".join(f"{pair[at]}\n" for pair in PAIRS) for side, at in (("src", 1), ("trg", 0))}
    names = {f"train.{side}.gz": text for side, text in sides.items()} | {"train.id.gz": "a\n", "test.src": ""}
    path = tar(tmp_path / "ell-eng.tar", names)
    assert rows_of(path, "pair-tar", "eng", "ell") == [(en, xx, None) for en, xx in PAIRS]
    longer = names | {"train.src.gz": sides["src"] + "ένα\n"}
    with pytest.raises(InputError, match=r"train.src.gz has 3 lines and .*train.trg.gz has 2 lines"):
        rows_of(tar(tmp_path / "longer.tar", longer), "pair-tar", "eng", "ell")
    with pytest.raises(InputError, match=r"holds no train.src.gz and train.trg.gz, .* but test.src, train.id.gz"):
        rows_of(tar(tmp_path / "none.tar", {"train.id.gz": "", "test.src": ""}), "pair-tar", "eng", "ell")
    whole = path.read_bytes()
    for damaged in (whole[:700], whole.replace(b"\x1f\x8b\x08", b"\x1f\x8b\x09", 1), b"<html>"):
        (tmp_path / "damaged.tar").write_bytes(damaged)
        with pytest.raises(InputError, match="damaged"):
            rows_of(tmp_path / "damaged.tar", "pair-tar", "eng", "ell")


def test_addresses_have_the_codes_in_their_order() -> None:
    catalog = load_catalog()
    assert catalog["statmt-news-commentary"].location("de").endswith("/news-commentary-v18.de-en.tsv.gz")
    assert catalog["statmt-news-commentary"].location("fr").endswith("/news-commentary-v18.en-fr.tsv.gz")
    assert catalog["tatoeba-challenge"].location("ar").endswith("/ara-eng.tar")
    assert catalog["tatoeba-challenge"].input_file(Path("x"), "zh").en_code == "eng"
