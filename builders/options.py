"""BuildOptions: what a user asks of a build, in the words of the command line and of the Python API."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, get_type_hints

from corpora.arguments import checked, split_names
from corpora.errors import InputError, unknown
from corpora.licences import Use
from corpora.stores import cache_folder, store_uri
from recipes.recipe import DEFAULT_NAMES, Recipe

F = TypeVar("F", bound=Callable[..., Any])
Thresholds = Mapping[str, Mapping[str, float | Mapping[str, float]]]  # filter -> key -> value or {lang: value}
ComputeType = Literal["int8", "float32", "float16", "bfloat16", "int8_float16"]
FORM = "FILTER.KEY[.LANG]=NUMBER, such as low_margin.min=1.06"
MIN_MEMORY_BYTES = 800 * 10**6


class RunOptions(TypedDict, total=False):
    """The options of every function and verb that builds recipes; each is a field of `BuildOptions`."""

    langs: Sequence[str]
    sample: bool
    max_instructions: int | None
    set: Mapping[str, float | str]
    enable_filters: Sequence[str]
    disable_filters: Sequence[str]
    quality_scores: str | Path | None
    score_with: str | Path | None
    skip_decontamination: Sequence[str]
    corpora: Mapping[str, Any]
    with_: Sequence[str | Path]
    mirror: str | Path | None
    offline: bool
    corpora_lock: str | Path
    language_model: str | Path | None
    translator: str | Path | None
    licence: Literal["any", "commercial"] | None
    beam: int
    compute_type: ComputeType | None
    work: str | Path
    threads: int | None
    max_memory: str | int | None
    cluster: str | None
    explain: bool
    verify: bool


@dataclass(frozen=True)
class BuildOptions:
    """The options of a build. The defaults are those of the command line."""

    recipes: tuple[str | Path | Mapping[str, Any] | Recipe, ...] = DEFAULT_NAMES
    """Recipes by name, by path, or as mappings of the keys of a recipe's file and `name`."""
    langs: tuple[str, ...] = ()
    """Languages beside English; none means those of each recipe."""
    sample: bool = False
    """Build from the bundled sample."""
    max_instructions: int | None = None
    """The first instructions of each corpus; None takes all."""
    set: Mapping[str, float] = field(default_factory=dict)
    """Thresholds of filters by `FILTER.KEY`, or by `FILTER.KEY.LANG` for one language."""
    enable_filters: tuple[str, ...] = ()
    """Filters that are off by default and are applied."""
    disable_filters: tuple[str, ...] = ()
    """Filters that are not applied."""
    quality_scores: Path | None = None
    """A table of the user's own scores by corpus, lang and line number; each column becomes a filter."""
    score_with: str | None = None
    """A model that scores sentence pairs: a row of scorers.toml, a folder, or ORG/NAME; its chance is a filter."""
    skip_decontamination: tuple[str, ...] = ()
    """Benchmarks whose texts may stay in the translation data; `all` for each of them."""
    corpora: Mapping[str, Any] = field(default_factory=dict)
    """Corpora in memory by id: Polars or Arrow tables or datasets, or mappings of them by language."""
    with_: tuple[Path, ...] = ()
    """Folders with the user's own tables and Python functions."""
    mirror: str | None = None
    """A URL or folder used instead of the public servers."""
    offline: bool = False
    """Use what is downloaded already."""
    corpora_lock: Path = Path("corpora.lock")
    """The lock file with the digests of downloads."""
    language_model: str | None = None
    """A fastText model that identifies the languages that lid.176 does not know: a path, or ORG/NAME on the Hub."""
    translator: str | None = None
    """A model, a translation memory in Parquet, or `none`; None means that of each recipe, or NLLB."""
    licence: Use | None = None
    """What the licences of all sources and translators must be known to allow; None means what each recipe demands."""
    beam: int = 4
    """The beam size of the translator."""
    compute_type: str | None = None
    """The number type of the translator; None means int8 on CPUs and float16 on GPUs."""
    work: Path = Path("work")
    """The work folder; with a store, the folder of this machine in which its files are staged."""
    store: str | None = None
    """The address of the store that has the finished tasks, such as s3://BUCKET/work; `work` may name it."""
    threads: int | None = None
    """The cores to use; None means all."""
    max_memory: int | None = None
    """The most memory of the run in bytes."""
    cluster: str | None = None
    """The Ray cluster that does the tasks, `auto` or its address; None means this machine."""
    explain: bool = False
    """Log why each task is made or reused."""
    verify: bool = False
    """Read finished files to compare them with their SHA-256, instead of their size and time alone."""


def read_options(recipes: Any, options: Mapping[str, Any]) -> BuildOptions:
    """Return options as a caller or the command line gives them, with lists as tuples and names of files as paths.

    Args:
        recipes: One recipe, a list of them, or None for `coit` and `muit`.
        options: Values by the names of `RunOptions`.

    Raises:
        InputError: An option is unknown, or the size of the memory is not one.
    """
    known = {f.name for f in fields(BuildOptions)} - {"recipes", "store"}
    for name in options:
        if name not in known:
            raise unknown("option", name, known)
    values = dict(options)
    for name in ("langs", "enable_filters", "disable_filters", "skip_decontamination"):
        values[name] = split_names(values.get(name, ()) or (), f"--{name.replace('_', '-')}")
    for name in ("quality_scores", "corpora_lock", "work"):
        if values.get(name) is not None:
            values[name] = Path(values[name])
    values["with_"] = tuple(Path(folder) for folder in listed(values.get("with_") or ()))
    for name in ("mirror", "language_model", "score_with", "translator"):
        values[name] = str(values[name]) if values.get(name) else None
    if values.get("work") and (uri := store_uri(values["work"])):
        if values.get("cluster"):
            raise InputError(f"--work {uri} is a store. With --cluster, name a folder that all nodes share.")
        values["store"], values["work"] = uri, cache_folder(uri)
    if values.get("cluster"):
        values["work"] = Path(values.get("work", "work")).resolve()  # nodes have other current folders
    values["max_memory"] = parse_memory(values.get("max_memory"))
    return BuildOptions(_recipes(recipes), **values)


def _recipes(recipes: Any) -> tuple[Any, ...]:
    if recipes is None:
        return DEFAULT_NAMES
    if not (several := tuple(listed(recipes))):
        raise InputError("The list of recipes is empty. Name a recipe, or leave the list out for coit and muit.")
    for recipe in several:
        if not isinstance(recipe, str | Path | Mapping | Recipe):
            raise InputError(f"A recipe is a name, a path or a mapping of its keys, not a {type(recipe).__name__}.")
    return several


def listed(value: Any) -> Sequence[Any]:
    """Return a list of one, or the list itself."""
    return value if isinstance(value, list | tuple) else [value]


def parse_memory(size: str | int | None) -> int | None:
    """Return bytes from a number of them, or from a text such as 1.5GB.

    Raises:
        InputError: It is neither, or less than 800 MB.
    """
    if size is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(MB|GB)?", str(size).strip(), re.IGNORECASE)
    num = int(float(match[1]) * {"MB": 10**6, "GB": 10**9, "": 1}[(match[2] or "").upper()]) if match else 0
    if num < MIN_MEMORY_BYTES:
        raise InputError(f"--max-memory takes a size of at least 800MB, such as 1GB or 1.5GB, not '{size}'.")
    return num


def parse_thresholds(values: Mapping[str, Any]) -> dict[str, dict[str, float | dict[str, float]]]:
    """Return thresholds by filter and key, from `FILTER.KEY` and `FILTER.KEY.LANG` with their values.

    Raises:
        InputError: A name has another form, a value is no number, or a key has values for all languages and for one.
    """
    thresholds: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        rule, key, lang = _parts(name)
        keys, number = thresholds.setdefault(rule, {}), _number(name, value)
        if key in keys and isinstance(keys[key], dict) != bool(lang):
            raise InputError(f"--set gives {rule}.{key} for all languages and for one. Give it in one way.")
        keys[key] = {**keys.get(key, {}), lang: number} if lang else number
    return thresholds


def _parts(name: str) -> tuple[str, str, str]:
    if not (match := re.fullmatch(r"(\w+)\.(\w+)(?:\.([\w-]+))?", name)):
        raise InputError(f"--set takes {FORM}, not '{name}'.")
    return match[1], match[2], match[3] or ""


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"--set takes {FORM}, not '{name}={value}'.")
    return number


def with_run_options(function: F) -> F:
    """Show `RunOptions` in the signature of a function that takes them as `**options`, and check its arguments."""
    own, hints = signature(function), get_type_hints(RunOptions)
    shown = [
        Parameter(f.name, Parameter.KEYWORD_ONLY, default=_default(f), annotation=hints[f.name])
        for f in fields(BuildOptions)
        if f.name in hints
    ]
    parameters = [*list(own.parameters.values())[:-1], *shown]
    function.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    return checked(function)


def _default(option: Any) -> Any:
    return option.default if option.default is not MISSING else option.default_factory()
