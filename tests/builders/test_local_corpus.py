"""A corpus on this machine needs no network; missing benchmarks are named at once, with the option that skips them."""

from dataclasses import replace

import pytest

from builders.run import run_build
from corpora.errors import InputError

LINES = {"mine": {"el": [(1.2, "The theatre was opened again.", "Το θέατρο άνοιξε ξανά.")]}}
MORE = 'decontaminate_against = ["flores101", "xquad", "mlqa"]\n'


@pytest.mark.parametrize("skipped", [(), ("xquad",)])
def test_missing_benchmarks_are_named_together_with_the_option_that_goes_without_them(request_for, tmp_path, skipped):
    options = replace(request_for(LINES, MORE, tmp_path), skip_decontamination=skipped)
    names = ",".join(name for name in ("flores101", "mlqa", "xquad") if name not in skipped)
    with pytest.raises(InputError, match=rf"--skip-decontamination {names} \(or all\)"):
        run_build(options)


@pytest.mark.slow
@pytest.mark.parametrize("skipped", [("all",), ("flores101", "xquad", "mlqa")])
def test_build_without_them_needs_no_network(request_for, tmp_path, skipped):
    options = replace(request_for(LINES, MORE, tmp_path), skip_decontamination=skipped)
    assert run_build(options)[0].recipe.not_decontaminated == ("flores101", "xquad", "mlqa")
