"""croissant.json: valid by mlcroissant itself, whatever the manifest says, and the records that it describes."""

import json
import logging

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cards.croissant import croissant
from corpora.files import sha256_of
from tests.cards.test_dataset_card import HOSTILE, manifest, source

PARENT = {"version": "v1.1.0", "manifest_sha256": "3" * 64}
MESSAGES = [{"name": "messages", "list": [{"name": name} for name in ("role", "content")]}]
KEY = [{"name": name, "dtype": "string"} for name in ("id", "lang", "task", "direction")]


def validated(told, folder, caplog):
    """The data set as mlcroissant reads it; its warnings."""
    import mlcroissant

    path = folder / "croissant.json"
    path.write_text(json.dumps(told))
    with caplog.at_level(logging.WARNING):
        read = mlcroissant.Dataset(jsonld=path)
    return read, [line for record in caplog.records for line in record.getMessage().splitlines() if "  - " in line]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"parent": PARENT},
        {"output_format": "messages", "features": [*KEY, *MESSAGES]},
        {"title": HOSTILE, "summary": HOSTILE, "sources": [source(title=HOSTILE, licence=HOSTILE)]},
        {"sources": [source(), source("two", licence="other")]},
    ],
    ids=["plain", "with a parent", "messages", "hostile", "two licences"],
)
def test_mlcroissant_validates_all_but_the_missing_date(tmp_path, caplog, changes):
    told = croissant(manifest(features=KEY) | changes)
    read, warnings = validated(told, tmp_path, caplog)
    assert not read.metadata.ctx.issues.errors
    assert all("datePublished" in line for line in warnings)
    assert read.metadata.version == "1.2.0"


def test_provenance_has_sources_parent_and_activity():
    told = croissant(manifest(features=KEY, parent=PARENT))
    first, parent = told["prov:wasDerivedFrom"]
    assert (first["sha256"], first["prov:atLocation"]) == ("0" * 64, "x.zip")
    assert (parent["@id"], parent["sha256"]) == ("tiny@v1.1.0", "3" * 64)
    assert "filters: empty" in told["prov:wasGeneratedBy"]["prov:label"]
    assert told["license"] == ["https://spdx.org/licenses/CC-BY-4.0.html"]


def written(folder, num_files: int):
    """A manifest of real files with two rows each."""
    files = []
    for number in range(num_files):
        path = folder / "data" / "el" / f"train-{number:05}-of-{num_files:05}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [{name["name"]: f"{name['name']}{number}{row}" for name in KEY} for row in range(2)]
        pq.write_table(pa.Table.from_pylist(rows), path)
        entry = {"path": path.relative_to(folder).as_posix(), "size": path.stat().st_size, "sha256": sha256_of(path)}
        files.append(entry)
    split = {"num_rows": 2 * num_files, "num_bytes": 1, "content_sha256": "0" * 64, "files": files}
    return manifest(features=KEY, configs={"el": {"langs": ["el"], "splits": {"train": split}}})


@pytest.mark.parametrize("num_files", [1, 3])
def test_mlcroissant_reads_the_rows(tmp_path, caplog, num_files):
    read, _ = validated(croissant(written(tmp_path, num_files)), tmp_path, caplog)
    found = sorted(record["el/train/id"].decode() for record in read.records("el/train"))
    assert found == sorted(f"id{number}{row}" for number in range(num_files) for row in range(2))
