"""The command `builders` as a whole."""

import pytest

from builders.cli.main import RESUME, cli, main


def test_ctrl_c_during_a_query_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*args: object, **settings: object) -> None:
        raise RuntimeError("Query interrupted")  # as DuckDB does

    monkeypatch.setattr(cli, "main", interrupt)
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 130
    assert capsys.readouterr().err.strip() == f"Interrupted. {RESUME}"
