"""How long it takes to see that nothing changed, once the rows are known: `unchanged.py [ROWS]`.

Publishes a release of synthetic rows over the tests' small Hub and into a folder, and then the same again; the second
time is printed. The issue asks for two seconds.
"""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "hub")]

import conftest  # noqa: E402  # the Hub's address, before its clients are imported
import duckdb  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from builders.publishing.data_files import SCHEMAS, write_split  # noqa: E402
from builders.publishing.hub_registry import open_hub_registry  # noqa: E402
from builders.publishing.local_registry import LocalRegistry  # noqa: E402
from builders.publishing.publish import Draft, publish_draft  # noqa: E402
from builders.publishing.row_digests import SPLITS, digest_split  # noqa: E402
from builders.workspace import Workspace  # noqa: E402
from tests.builders.conftest import described  # noqa: E402

EXAMPLES = """
copy (
    with rows as (
        select md5(i::varchar) as id, 'el' as lang, 'translation' as task, 'en-xx' as direction,
            'Translate the following sentences from English to Greek.' as instruction,
            concat('The sentence of number ', i, ' says what ', md5((i * 7)::varchar), ' says.') as input,
            concat('Η πρόταση ', i, ' λέει ό,τι λέει ', md5((i * 11)::varchar)) as output,
            'small' as corpus, 'train' as split
        from range($rows) as numbers(i)
    )
    select *, sha256(to_json(rows)) as row_sha256 from rows order by id
) to $path (format parquet, compression zstd)
"""


def main() -> None:
    """Measure both registries."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    conftest.HUB.start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        examples = folder / "examples.parquet"
        duckdb.connect().execute(EXAMPLES, {"rows": rows, "path": str(examples)})
        for registry in (LocalRegistry(folder / "registry", "tiny"), open_hub_registry("hf://org/tiny", "tiny")):
            work = Workspace(folder / "work")
            draft = Draft(described(), lambda place: write(examples, place), None)
            before = time.perf_counter()
            publish_draft(registry, draft, work)
            first = time.perf_counter() - before
            before = time.perf_counter()
            digests = {split: digest_split([examples], split) for split in SPLITS}
            rows_of = {split: entry for split, entry in digests.items() if entry["num_rows"]}
            known = replace(draft, row_digests={"el": rows_of})
            digested = time.perf_counter() - before
            again = publish_draft(registry, known, work)
            took = time.perf_counter() - before
            assert not again.is_new
            print(
                f"{registry.uri}: {rows:,} rows, first {first:.1f} s, unchanged {took:.2f} s ({digested:.2f} s digests)"
            )


def write(examples: Path, place: Path) -> dict[str, object]:
    """The only config of the release, written as a build's is."""
    split = write_split([examples], "train", SCHEMAS["instructions"], place, place / "data" / "el")
    pq.write_table(pq.read_table(examples, columns=["split"])[:0], place / "ledger.parquet")
    return {"el": {"langs": ["el"], "splits": {"train": split}}}


if __name__ == "__main__":
    main()
