"""Names of a package that are imported when they are used."""

import subprocess
import sys

import pytest

from corpora.lazy_names import load_name


def test_name_comes_from_its_module_and_stays_in_the_package() -> None:
    code = (
        "import sys, builders; before = 'cards.releases' in sys.modules; name = builders.open_release; "
        "print(before, name.__module__, 'open_release' in vars(builders))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "cards.releases.find", "True"]


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'corpora' has no attribute 'nothing'"):
        load_name("corpora", {"corpora.errors": ("InputError",)}, "nothing")
