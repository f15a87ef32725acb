"""COMET here against unbabel-comet in an environment of its own, on a random checkpoint of the same class.

    python3 -m venv comet
    comet/bin/pip install unbabel-comet==2.2.7 torch==2.13.0 'setuptools<81' sentencepiece==0.2.0
    python tests/benchmarks/comet.py comet/bin/python [FOLDER of a real checkpoint]

Prints both scores of each segment and the largest difference; exit code 1 if that is over 1e-5.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.trainer.evaluation.comets import SEGMENTS, make_comet  # noqa: E402
from trainer.evaluation.comet import load_comet  # noqa: E402

TOLERANCE = 1e-5
KINDS = {
    "sparsemax": {"layer_transformation": "sparsemax"},
    "softmax": {"layer_transformation": "softmax"},
    "sparsemax_patch": {"layer_transformation": "sparsemax_patch"},
    "sparsemax, normalised": {"layer_transformation": "sparsemax", "layer_norm": True},
}
THEIRS = """
import json, sys
from comet import load_from_checkpoint
folder, segments = sys.argv[1], json.loads(sys.argv[2])
model = load_from_checkpoint(folder + "/checkpoints/model.ckpt", local_files_only=True)
rows = [dict(zip(("src", "mt", "ref"), segment)) for segment in segments]
found = model.predict(rows, batch_size=3, gpus=0, progress_bar=False)
print("SCORES", json.dumps(found.scores))
"""


def reference(python: str, folder: Path) -> list[float]:
    """Return the scores of unbabel-comet for the segments."""
    command = [python, "-W", "ignore", "-c", THEIRS, str(folder), json.dumps(SEGMENTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    line = next((line for line in done.stdout.splitlines() if line.startswith("SCORES ")), None)
    if line is None:
        sys.exit(f"{python} gave no scores:\n{done.stderr[-2000:]}")
    return [float(score) for score in json.loads(line.removeprefix("SCORES "))]


def ours(folder: Path) -> list[float]:
    sides = zip(*SEGMENTS, strict=True)
    found = dict(pair for batch in load_comet(str(folder)).scores(*map(list, sides), batch_size=2) for pair in batch)
    return [found[index] for index in range(len(SEGMENTS))]


def compare(python: str, folder: Path, title: str) -> float:
    theirs, own = reference(python, folder), ours(folder)
    worst = max(abs(a - b) for a, b in zip(theirs, own, strict=True))
    print(f"{title}: range {max(theirs) - min(theirs):.4f}, largest difference {worst:.1e}")
    for a, b in zip(theirs, own, strict=True):
        print(f"  {a:.7f}  {b:.7f}")
    return worst


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if len(sys.argv) == 3:
        sys.exit(compare(sys.argv[1], Path(sys.argv[2]), sys.argv[2]) > TOLERANCE)
    with tempfile.TemporaryDirectory() as made:
        folders = {kind: make_comet(Path(made) / kind, **changes) for kind, changes in KINDS.items()}
        sys.exit(max(compare(sys.argv[1], folder, kind) for kind, folder in folders.items()) > TOLERANCE)
