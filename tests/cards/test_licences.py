"""Licences: what follows for a release from its sources and the models that translated it."""

import pytest

from cards.dataset_card import metadata, render_card
from cards.licences import is_non_commercial, licence_url, model_licence, release_licence, row_licences
from corpora.catalog import load_catalog
from tests.cards.test_dataset_card import manifest, source

ALPACA = source("alpaca", "en", kind="instructions", licence="cc-by-nc-4.0")
NLLB = {"role": "translation", "name": "facebook/nllb-200-distilled-600M", "sha256": "", "licence": "cc-by-nc-4.0"}


def test_release_with_alpaca_is_non_commercial():
    assert load_catalog()["alpaca"].licence == "cc-by-nc-4.0"
    mixed = manifest(sources=[source(licence="cc-by-sa-4.0"), ALPACA])
    assert is_non_commercial(mixed)
    assert metadata(mixed)["license"] == "cc-by-nc-4.0"
    card = render_card(mixed)
    assert "for non-commercial use only, and so is this release as a whole** (alpaca)." in card
    assert "share-alike parts" in card


def test_translations_by_nllb_are_non_commercial():
    free = manifest(sources=[source(licence="cc0-1.0")])
    assert not is_non_commercial(free)
    translated = free | {"models": [*free["models"], NLLB | {"licence": model_licence(NLLB["name"])}]}
    assert metadata(translated)["license"] == "cc-by-nc-4.0"
    card = render_card(translated)
    assert "| translations by facebook/nllb-200-distilled-600M | | | also cc-by-nc-4.0" in card
    assert "as a whole** (facebook/nllb-200-distilled-600M)." in card


def test_benchmark_adds_no_licence():
    searched = manifest(sources=[source(), source("xquad", kind="benchmark", licence="cc-by-nc-sa-4.0")])
    assert row_licences(searched) == ["cc-by-4.0"]
    assert metadata(searched)["license"] == "cc-by-4.0"
    text = render_card(searched)
    assert "- xquad 1, el: [Small](<https://example.org>)" in text
    assert "| xquad | cc-by-nc-sa-4.0 |" not in text


@pytest.mark.parametrize(
    ("names", "licence"),
    [
        (["cc0-1.0"], "cc0-1.0"),
        (["cc0-1.0", "mit"], ["cc0-1.0", "mit"]),
        (["cc-by-nc-4.0", "cc-by-nc-sa-4.0", "mit"], "cc-by-nc-sa-4.0"),
        (["cc-by-nc-4.0", "other"], "cc-by-nc-4.0"),
    ],
)
def test_licence_of_a_release_follows_from_its_parts(names, licence):
    assert release_licence(manifest(sources=[source(name, licence=name) for name in names])) == licence


def test_licence_has_a_page():
    assert licence_url("cc-by-sa-4.0") == "https://spdx.org/licenses/CC-BY-SA-4.0.html"
    assert licence_url("apache-2.0") == "https://spdx.org/licenses/Apache-2.0.html"
    assert licence_url("other") == "other"


@pytest.mark.parametrize(
    ("licences", "front"),
    [
        (["cc-by-4.0"], {"license": "cc-by-4.0"}),
        (["cc-by-4.0", "mit"], {"license": ["cc-by-4.0", "mit"]}),
        (["My Own Terms 2"], {"license": "other", "license_name": "my-own-terms-2"}),
        (["mit", "x-licence"], {"license": ["mit", "other"], "license_name": "x-licence"}),
        (["a", "b"], {"license": "other", "license_name": "a-b"}),
        (["other"], {"license": "other"}),
        (["llama3.1"], {"license": "llama3.1"}),
        (["unknown"], {"license": "unknown"}),
        (["gpl-3.0"], {"license": "gpl-3.0"}),
        (["Zlib-acknowledgement"], {"license": "other", "license_name": "zlib-acknowledgement"}),
        (["mit", "Ours (2)"], {"license": ["other", "mit"], "license_name": "ours-2"}),
    ],
)
def test_licence_that_the_hub_does_not_know_is_other_with_a_name(licences, front):
    sources = [source(f"corpus{number}", licence=licence) for number, licence in enumerate(licences)]
    metadata_of_card = metadata(manifest(sources=sources))
    assert {name: value for name, value in metadata_of_card.items() if name.startswith("license")} == front
