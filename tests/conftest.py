"""One small Hub on 127.0.0.1 for the whole session, and properties that may take their time.

The clients read the address of the Hub when they are imported.
"""

import atexit
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples on every machine; `--hypothesis-profile new` looks for others.
settings.register_profile("new", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("new"), derandomize=True)
settings.load_profile("same")
signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests in the background has Ctrl-C ignored

GIVEN = dict(os.environ)  # what the user has set: for the one test that asks the real Hub, if it may
HERE = Path(tempfile.mkdtemp(prefix="hub-"))
atexit.register(shutil.rmtree, HERE, ignore_errors=True)
sys.path.insert(0, str(Path(__file__).parent / "hub"))

from server import Hub  # noqa: E402

HUB = Hub(HERE / "hub")
OWN = {"HF_ENDPOINT": HUB.url, "HF_HOME": str(HERE / "home"), "HF_TOKEN": "hf_alice", "NO_PROXY": "127.0.0.1"}
OWN |= dict.fromkeys(("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_UPDATE_CHECK"), "1")
os.environ.update(OWN | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"})
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # children with a limit on the size of files would truncate bytecode


def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores: many tests wait for servers, leases and other processes."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave campaigns out; begin with the files that have the most slow tests, so that no core ends with a long one."""
    if "campaign" not in config.option.markexpr:
        items[:] = [item for item in items if not item.get_closest_marker("campaign")]
    num_slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -num_slow[item.path])


@pytest.fixture(scope="session")
def _hub():
    HUB.start()
    yield HUB
    HUB.stop()


@pytest.fixture
def hub(_hub: Hub) -> Hub:
    """The Hub, without faults and with an empty list of requests."""
    _hub.faults.clear()
    _hub.seen.clear()
    yield _hub
    _hub.faults.clear()


@pytest.fixture
def given() -> dict[str, str]:
    """The environment as the user has it."""
    return GIVEN
