"""Start a server of models from an environment of its own, wait until it answers, and stop it."""

import logging
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep
from urllib.error import HTTPError
from urllib.request import urlopen

from corpora.errors import InputError, unknown
from corpora.tables import STRICT, parse_row, read_toml
from trainer.child_processes import Process, ends_within, output_of, start, stop

logger = logging.getLogger(__name__)
TABLE = Path(__file__).with_name("servers.toml")
START_S, GRACE_S, POLL_S, EXIT_S = 1800.0, 30.0, 0.5, 1.0  # a large model takes minutes to load
NUM_LINES = 3  # of a server's log that an error shows
ERROR_LINE = re.compile(r"\w(Error|Exception): ")


@dataclass(frozen=True)
class ServerRow:
    """A row of `servers.toml`, with the environment to start it from."""

    __pydantic_config__ = STRICT
    key: str
    """The name for --serve: the table's name."""
    command: tuple[str, ...]
    """The command; {python}, {model}, {name}, {port} and {gpus} are filled in."""
    name: str
    """The model's name at the server; it may hold {model}."""
    ready: str
    """The path that answers with status 200 once the server can be used."""
    package: str
    """The package that the environment must have."""
    install: str
    """The commands that make such an environment."""
    python: str = ""
    """The Python of the environment."""
    version: str = ""
    """The version of the package there."""


def find_server(key: str, environment: Path | None) -> ServerRow:
    """Return the row of a server, with the Python of the environment that holds it.

    Raises:
        InputError: There is no such row, no environment, or the package is not in it.
    """
    rows = {
        name: parse_row(table, ServerRow, f"{TABLE}, table [{name}]", key=name)
        for name, table in read_toml(TABLE).items()
    }
    if key not in rows:
        raise unknown("server", key, rows)
    row = rows[key]
    how = f"Make one with `{row.install}` and name FOLDER with --serve-env."
    if environment is None:
        raise InputError(f"--serve {key} needs an environment that has {row.package}. {how}")
    python = environment / "bin" / "python"
    if not python.exists():
        raise InputError(f"{environment} is no virtual environment: it has no bin/python. {how}")
    code = f"import importlib.metadata as metadata; print(metadata.version('{row.package}'))"
    version = output_of([str(python), "-c", code], timeout_s=120)
    if version is None:
        raise InputError(f"The environment {environment} does not have {row.package}. {how}")
    return replace(row, python=str(python), version=version)


@contextmanager
def serve_model(row: ServerRow, model: Path, log: Path) -> Iterator[tuple[str, str]]:
    """Yield the address of a server of a model, and the model's name there; the server is stopped after the block.

    Args:
        row: The server.
        model: The folder of the model.
        log: A file for what the server prints.

    Raises:
        InputError: The server ended, be it within the block, or did not answer in time; its last lines are in the
            message.
    """
    port, name = _free_port(), row.name.format(model=model.resolve())
    values = {"python": row.python, "model": str(model.resolve()), "name": name, "port": port, "gpus": _num_gpus()}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        process = start([part.format(**values) for part in row.command], file, {"PYTHONPATH": ""})
        try:
            _wait_until_ready(process, f"http://127.0.0.1:{port}{row.ready}", row, log)
            yield f"http://127.0.0.1:{port}/v1", name
        except InputError:
            if not ends_within(process, EXIT_S):
                raise
            raise _failure(f"ended with code {process.poll()}", row, log) from None
        finally:
            stop(process, GRACE_S)


def _wait_until_ready(process: Process, url: str, row: ServerRow, log: Path) -> None:
    began = monotonic()
    while not _answers(url):
        if process.poll() is not None or monotonic() - began > START_S:
            ended = f"ended with code {process.poll()}" if process.poll() is not None else "does not answer"
            raise _failure(ended, row, log)
        sleep(POLL_S)
    logger.info("The server %s answers after %.0f s.", row.key, monotonic() - began)


def _failure(happened: str, row: ServerRow, log: Path) -> InputError:
    """Return the error of a server, with the last lines of its log that name an error, or with the last ones."""
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    errors = list(dict.fromkeys(line for line in lines if ERROR_LINE.search(line)))
    shown = " | ".join((errors or lines)[-NUM_LINES:])
    return InputError(f"The server {row.key} {happened}; its messages are in {log}. The last ones: {shown}")


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except HTTPError:
        return False
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _num_gpus() -> int:
    import torch

    return max(1, int(torch.cuda.device_count()))
