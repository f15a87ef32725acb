"""The command `builders` as a whole."""

import pytest

from builders.cli.main import RESUME, cli, main


@pytest.mark.parametrize("message", ["Query interrupted", "reading the schema of pairs failed: KeyboardInterrupt: "])
def test_ctrl_c_during_a_query_is_a_sentence(
    message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*args: object, **settings: object) -> None:
        raise RuntimeError(message)  # as DuckDB does

    monkeypatch.setattr(cli, "main", interrupt)
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 130
    assert capsys.readouterr().err.strip() == f"Interrupted. {RESUME}"
