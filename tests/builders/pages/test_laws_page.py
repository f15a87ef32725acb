"""The page of laws with transfer: an objective, a budget, and which mixture to take."""

import json
import re
from pathlib import Path

import pytest

from tests.recipes.transfer.runs import design_runs

pytestmark = pytest.mark.slow


def test_a_budget_is_divided_by_laws_with_transfer(serve, tmp_path: Path) -> None:
    from builders.options import BuildOptions
    from builders.pages import Project
    from builders.run import run_build
    from recipes.transfer import fit_transfer, write_transfer_laws

    paths = {"work": tmp_path / "work", "corpora_lock": tmp_path / "lock"}
    run_build(BuildOptions(("coit",), ("el", "hi", "tr"), sample=True, **paths))
    laws = fit_transfer(design_runs(), "token_accuracy", form="shared")
    write_transfer_laws(tmp_path / "laws.json", laws)
    names = {"registry": str(tmp_path / "registry"), "labels": tmp_path / "labels.csv", "annotator": "ann"}
    site = serve(Project(tmp_path / "work", laws=tmp_path / "laws.json", **names))
    status, page = site.get("laws?budget=300")
    assert status == 200
    assert page.count('class="curve"') == len(json.loads((tmp_path / "laws.json").read_text())["laws"])
    assert "Take " in page
    assert "300 pairs" in page
    worst = site.get("laws?budget=300&objective=worst", **{"hx-request": "true"})[1]
    assert "for the worst language" in worst
    assert re.search(r"Worst [^<]*</th>", worst)
    assert "Unknown objective" in site.get("laws?budget=300&objective=best")[1]
