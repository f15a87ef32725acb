"""push(): a finished run becomes a model on the Hub: one commit with weights, tokenizer, card and record, and a tag."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cards.model_results import shared_card
from corpora.arguments import checked
from corpora.errors import InputError
from corpora.files import sha256_of
from corpora.hub import HubRepository, commit_files, create_repository, tag_commit
from recipes.results import read_results
from trainer.recipe import digest
from trainer.run import FILE, RunMetadata
from trainer.run_list import show_run

ADDRESS = re.compile(r"hf://([\w.-]+/[\w.-]+)", re.ASCII)
PRIVATE_KEYS = ("host", "command")  # of a session: names and paths of the machine that trained
OWN_FILES = {".gitattributes", "README.md"}  # what a new repository may hold


@dataclass(frozen=True)
class PushedModel:
    """Where a model was pushed to."""

    name: str
    """The repository, as ORG/NAME."""
    tag: str
    """The tag of its commit."""
    commit: str
    """The commit."""
    num_results: int
    """The results in its card."""

    def __repr__(self) -> str:
        return (
            f"Pushed hf://{self.name}, tag {self.tag} ({self.commit[:12]}); {self.num_results} results in its card"
            f'\n  load  transformers.AutoModelForCausalLM.from_pretrained("{self.name}", revision="{self.tag}")'
        )


@checked
def push(
    run: str | Path,
    *,
    to: str,
    tag: str | None = None,
    private: bool = False,
    results: str | Path = "results.jsonl",
) -> PushedModel:
    """Push the model of a finished run to the Hub. Nothing is visible before all of it is there.

    Args:
        run: The folder of a run.
        to: The repository, as hf://ORG/NAME; it is made if it does not exist.
        tag: The tag of the commit; by default v1, v2 and so on.
        private: Make a private repository.
        results: The file of results; those of the run's name are in the card.

    Returns:
        The repository, tag and commit. A model that is there already is not pushed again.

    Raises:
        InputError: The run is not finished, its weights are not those that it saved, or the Hub refuses.
    """
    summary = show_run(run)
    model, metadata = summary.folder / "model", summary.metadata
    name = _repository_name(to)
    _check_finished(model, metadata)
    rows = _results_of(summary.folder.resolve().name, Path(results))
    repository = HubRepository(name, "model")
    head = create_repository(repository, private)
    files = _files(model, metadata, name, rows)
    listed = repository.list_files(head)
    if FILE not in listed and (foreign := sorted(set(listed) - OWN_FILES)):
        raise InputError(
            f"hf://{name} holds files that this command did not push, such as {foreign[0][:80]!r}. "
            "Name another repository."
        )
    tags = repository.get_refs().tags
    if all(repository.read_file(path, head) == files[path] for path in (FILE, "README.md")):
        commit = head  # all of it is there; a push that was killed may have left it without a tag
        chosen = tag or next((own for own, target in sorted(tags.items()) if target == head), _next_tag(tags))
    else:
        chosen = tag or _next_tag(tags)
        if chosen in tags:
            raise InputError(f"hf://{name} has the tag {chosen} already. Name another with --tag.")
        commit = commit_files(repository, files, f"{summary.row['recipe']} on {summary.row['release']}", head)
    tag_commit(repository, chosen, commit)
    _check_pushed(repository, files, commit)
    return PushedModel(name, chosen, commit, len(rows))


def _repository_name(to: str) -> str:
    if not (match := ADDRESS.fullmatch(to)):
        raise InputError(f"--to takes hf://ORG/NAME, not '{to}'.")
    return match[1]


def _check_finished(model: Path, metadata: RunMetadata) -> None:
    """Raise InputError unless a run is done and its weights are those that it saved."""
    if metadata["status"] != "done":
        raise InputError(f"The run {model.parent} is not done ({metadata['status']}), so it has no model to push.")
    weights = digest({path.name: sha256_of(path) for path in sorted(model.glob("*.safetensors"))})
    if weights != metadata.get("weights_sha256"):
        raise InputError(
            f"The weights in {model} are not those that the run saved (weights_sha256 in {FILE}). "
            "Train it again, or push what changed them by the Hub's own tools."
        )


def _results_of(run_name: str, path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [asdict(row) for row in read_results(path) if row.model == run_name]


def _files(model: Path, metadata: RunMetadata, name: str, results: list[dict[str, Any]]) -> dict[str, Path | bytes]:
    """Return the files of the repository: those of the model, with the shared card and record."""
    files: dict[str, Path | bytes] = {
        path.name: path for path in sorted(model.iterdir()) if path.is_file() and not path.name.startswith(".")
    }
    origin = str(metadata["release"].get("origin", ""))
    dataset = origin.removeprefix("hf://").partition("@")[0] if origin.startswith("hf://") else None
    base = metadata["model"]["name"] if "commit" in metadata["model"] else None
    card = (model / "README.md").read_text(encoding="utf-8")
    files["README.md"] = shared_card(card, name, results, base, dataset).encode()
    files[FILE] = (json.dumps(_shared_record(metadata), indent=2, ensure_ascii=False) + "\n").encode()
    return files


def _shared_record(metadata: RunMetadata) -> Mapping[str, Any]:
    """Return the record of a run without what names the machine that trained."""
    sessions = [{k: v for k, v in session.items() if k not in PRIVATE_KEYS} for session in metadata["sessions"]]
    return {**metadata, "sessions": sessions}


def _next_tag(tags: Mapping[str, str]) -> str:
    numbers = [int(tag[1:]) for tag in tags if re.fullmatch(r"v\d+", tag)]
    return f"v{max(numbers, default=0) + 1}"


def _check_pushed(repository: HubRepository, files: Mapping[str, Path | bytes], commit: str) -> None:
    """Raise InputError unless the Hub lists every file with the bytes that were sent."""
    listed = repository.list_files(commit)
    for path, content in files.items():
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        file = listed.get(path)
        same = file is not None and file.size == size
        if same and isinstance(content, Path) and file is not None and file.sha256:
            same = file.sha256 == sha256_of(content)
        if not same:
            raise InputError(f"hf://{repository.name} has another {path} than was pushed. Run the command again.")
