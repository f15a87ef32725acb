"""Files of the Hub that need a token, such as those of FLORES+: downloaded with it, a sentence without it."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import builders
from corpora.catalog import load_catalog
from corpora.errors import InputError
from corpora.hub import hub_authorization

PAIRS = [
    ("The baker opens his shop at five in the morning.", "Ο φούρναρης ανοίγει το μαγαζί του στις πέντε το πρωί."),
    ("The teacher reads a story to the children.", "Η δασκάλα διαβάζει μια ιστορία στα παιδιά."),
]
ROWS = """
[gated]
title = "Gated"
kind = "benchmark"
version = "main"
format = "parquet"
url = "{hub}/datasets/alice/gated/resolve/main/devtest/{{code}}.parquet"
langs = "any"
code = "flores"
licence = "cc-by-sa-4.0"

[mine]
title = "Mine"
kind = "bitext"
version = "1"
format = "jsonl"
url = "pairs.jsonl"
langs = ["el"]
licence = "cc0-1.0"
"""
RECIPE = {
    "name": "gated",
    "langs": ["el"],
    "bitext": ["mine"],
    "directions": ["en-xx"],
    "decontaminate_against": ["gated"],
    "configs": "language",
}


@pytest.mark.slow
def test_benchmark_behind_a_token_is_searched_for_and_refused_by_a_sentence_without_it(hub, tmp_path, monkeypatch):
    from huggingface_hub import HfApi

    monkeypatch.chdir(tmp_path)
    for code, text in (("eng_Latn", "Another sentence of nobody."), ("ell_Grek", PAIRS[1][1])):
        path = tmp_path / "gated" / "devtest" / f"{code}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"text": [text], "domain": ["news"]}), path)
    HfApi().create_repo("alice/gated", repo_type="dataset", private=True)
    HfApi().upload_folder(repo_id="alice/gated", repo_type="dataset", folder_path=tmp_path / "gated")
    Path("my").mkdir()
    Path("my/corpora.toml").write_text(ROWS.format(hub=hub.url))
    Path("my/pairs.jsonl").write_text("".join(f"{json.dumps({'en': en, 'xx': xx})}\n" for en, xx in PAIRS))
    monkeypatch.setenv("HF_TOKEN", "")
    with pytest.raises(InputError, match=r"status 401\. If it is gated, accept its terms .* Log in with `hf auth"):
        builders.build(RECIPE, with_=["my"], translator="none")
    monkeypatch.setenv("HF_TOKEN", "hf_alice")
    ledger = builders.build(RECIPE, with_=["my"], translator="none").ledger
    assert ledger.filter(ledger["reason"] == "contaminated")["num_rows"].to_list() == [1]
    assert "hf_alice" not in Path("corpora.lock").read_text()


def test_token_goes_to_the_address_of_the_hub_alone(hub):
    assert hub_authorization(f"{hub.url}/datasets/x/y/resolve/main/z") == {"Authorization": "Bearer hf_alice"}
    for elsewhere in ("http://127.0.0.1:1/datasets/x", hub.url.replace("http:", "https:"), "https://huggingface.co.x/"):
        assert hub_authorization(elsewhere) == {}


def test_flores_plus_has_its_own_codes():
    corpus = load_catalog()["flores-plus"]
    assert [corpus.upstream_code(lang) for lang in ("el", "zh", "zh-Hant", "et")] == [
        "ell_Grek",
        "cmn_Hans",
        "cmn_Hant",
        "ekk_Latn",
    ]
