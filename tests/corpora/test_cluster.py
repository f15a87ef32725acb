"""The start check of a cluster: nodes that do not see the folder, do not answer, or have other versions are named."""

from concurrent.futures import Future
from pathlib import Path

import pytest

from corpora.cluster import Call, NodeFacts, Resources, check_nodes, own_versions, start_check
from corpora.errors import InputError


class Nodes:
    """Nodes of this process, each with what it sees instead of the shared folder, and its versions."""

    def __init__(self, **nodes: tuple[Path | None, dict[str, str]] | Exception) -> None:
        self.own = nodes

    def nodes(self):
        return {name: name for name in self.own}

    def call(self, function, name, shared, *, resources, node):
        assert resources == Resources(cores=0)
        future: Future = Future()
        own = self.own[node]
        try:
            if isinstance(own, Exception):
                raise own
            elsewhere, versions = own
            facts = function(name, elsewhere / shared.name if elsewhere else shared)
            future.set_result(NodeFacts(facts.name, {**facts.versions, **versions}))
        except Exception as error:
            future.set_exception(error)
        return Call(None, future)


def test_nodes_that_are_alike_are_accepted(tmp_path):
    checked = check_nodes(Nodes(one=(None, {}), two=(None, {})), tmp_path)
    assert [node.name for node in checked] == ["one", "two"]
    assert {"duckdb", "pyarrow", "ctranslate2", "Python"} < set(own_versions())
    assert not list(tmp_path.iterdir())


def test_node_with_another_version_is_named(tmp_path):
    with pytest.raises(InputError, match=r"The node two has duckdb 1\.0\.0; this machine has .+ install the same"):
        check_nodes(Nodes(one=(None, {}), two=(None, {"duckdb": "1.0.0"})), tmp_path)


def test_node_that_does_not_see_the_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(start_check, "SHARED_FOLDER_S", 0.0)
    with pytest.raises(InputError, match=r"The node two does not see .+ Give --work a folder that all nodes"):
        check_nodes(Nodes(one=(None, {}), two=(tmp_path / "nowhere", {})), tmp_path)


def test_node_whose_files_are_not_seen_here_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(start_check, "SHARED_FOLDER_S", 0.0)
    monkeypatch.setattr(start_check, "appears", lambda path: path.name == "driver" or path.exists())
    elsewhere = Elsewhere(tmp_path)
    with pytest.raises(InputError, match=r"What the node two writes to .+ is not seen here"):
        check_nodes(elsewhere, tmp_path / "work")


class Elsewhere(Nodes):
    """A node that sees another folder under the same path."""

    def __init__(self, folder: Path) -> None:
        super().__init__(two=(folder / "other", {}))
        self.folder = folder

    def call(self, function, name, shared, *, resources, node):
        (self.folder / "other" / shared.name).mkdir(parents=True)
        return super().call(function, name, shared, resources=resources, node=node)


def test_node_without_the_project_is_named(tmp_path):
    with pytest.raises(InputError, match=r"The node two cannot do tasks: ModuleNotFoundError: No module named"):
        check_nodes(Nodes(one=(None, {}), two=ModuleNotFoundError("No module named 'builders'")), tmp_path)
