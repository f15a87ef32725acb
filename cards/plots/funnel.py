"""The picture of a release: the sentence pairs of each language that were kept and rejected."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards.escaping import label
from cards.manifest_types import Manifest
from cards.plots.style import AMBER, BLUE, GREY, PURPLE, RED, STYLE, TEAL, TITLE, WIDTH, save
from cards.summary import count_pairs, count_rejections
from corpora.catalog import language

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KEPT, OTHER = "kept", "other filters"
GROUPS: dict[str, tuple[str, ...]] = {  # the filters of each group of reasons
    "low margin": ("low_margin",),
    "wrong language or script": ("wrong_language_*", "wrong_script"),
    "duplicates": ("duplicate_*", "near_duplicate"),
    OTHER: (),  # what no other group claims: length, encoding, markup, copy, numbers, and filters yet to come
    "unreadable or empty": (
        *("invalid_utf8", "nul_byte", "missing_column", "invalid_xml", "invalid_margin", "oversized_line", "empty"),
    ),
    "in a benchmark": ("contaminated",),
}
COLOURS = dict(zip((KEPT, *GROUPS), (BLUE, AMBER, RED, TEAL, GREY, "#A8A8A8", PURPLE), strict=True))
HATCHES = {OTHER: "////"}  # grey and teal look alike to some
HEAD, BAR, THIN_BAR = 1.5, 0.32, 0.25  # inches for title, legend and axis, and for each language
MAX_BARS, NUM_LARGEST = 20, 10  # of more languages than the first, the second number have a bar each, the others one
LEAST_LABEL = 0.04  # the least share that has its number in its segment


def draw_funnel(manifest: Manifest, *paths: Path) -> None:
    """Write PNGs or SVGs with a bar for each language: the shares of pairs kept and rejected, and why.

    Without sentence pairs in the manifest no file is written.
    """
    if not (lines := _count_lines(manifest)):
        return
    import matplotlib.style
    from matplotlib.figure import Figure

    # Without pyplot and the reader's own settings, and without matplotlib's version in the file.
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(
            figsize=(WIDTH, HEAD + (BAR if len(lines) <= NUM_LARGEST + 1 else THIN_BAR) * len(lines)),
            layout="constrained",
        )
        axes = figure.add_subplot()
        _draw_bars(axes, _segments(manifest))
        _draw_frame(axes, [f"{_bar_name(name)}  {num:,}" for name, num in lines.items()])
        _draw_legend(figure, f"{manifest['name']} {manifest['version']}: sentence pairs kept, and removed by filters")
        save(figure, *paths)


def _count_lines(manifest: Manifest) -> dict[str, int]:
    """Return the upstream lines of each bar: a language that has any, or all the smaller languages together."""
    names = _bar_names(manifest)
    lines = dict.fromkeys(names.values(), 0)
    for row in _pairs(manifest):
        lines[names[row["lang"]]] += row["num_in"]
    return lines


def _pairs(manifest: Manifest) -> list[dict[str, Any]]:
    return [row for row in count_pairs(manifest) if row["lang"] in manifest["langs"]]


def _bar_names(manifest: Manifest) -> dict[str, str]:
    """Return by language its code or, of many languages, `N other languages` for the smaller ones, which come last."""
    lines = dict.fromkeys(manifest["langs"], 0)
    for row in _pairs(manifest):
        lines[row["lang"]] += row["num_in"]
    langs = [lang for lang, num in lines.items() if num]
    if len(langs) <= MAX_BARS:
        return {lang: lang for lang in langs}
    largest = sorted(langs, key=lambda lang: -lines[lang])
    others = f"{len(langs) - NUM_LARGEST} other languages"
    return {lang: lang if n < NUM_LARGEST else others for n, lang in enumerate(largest)}


def _bar_name(name: str) -> str:
    return name if " " in name else label(f"{language(name).name} ({name})")


def _segments(manifest: Manifest) -> dict[str, dict[str, float]]:
    """Return the share of each bar's lines by group of reasons; groups without any are left out."""
    lines, names = _count_lines(manifest), _bar_names(manifest)
    rows = {group: dict.fromkeys(lines, 0) for group in COLOURS}
    for row in _pairs(manifest):
        rows[KEPT][names[row["lang"]]] += row["num_kept"]
    for rule in count_rejections(manifest):
        for lang, name in names.items():
            rows[_group(rule["name"])][name] += rule["num_rows"][lang]
    shares = {group: {lang: by_lang[lang] / lines[lang] for lang in lines} for group, by_lang in rows.items()}
    return {group: by_lang for group, by_lang in shares.items() if group == KEPT or any(by_lang.values())}


def _group(name: str) -> str:
    """Return the group of reasons that a filter belongs to."""
    return next((group for group, names in GROUPS.items() if any(fnmatchcase(name, x) for x in names)), OTHER)


def _draw_bars(axes: "Axes", segments: Mapping[str, Mapping[str, float]]) -> None:
    """Draw a bar for each language, its segments end to end, with the shares written into them."""
    left = dict.fromkeys(segments[KEPT], 0.0)
    for group, shares in segments.items():
        bars = axes.barh(
            range(len(shares)), list(shares.values()), 0.72, list(left.values()), color=COLOURS[group], label=group,
            edgecolor="white", linewidth=0.8, hatch=HATCHES.get(group),
        )  # fmt: skip
        axes.bar_label(bars, _labels(shares.values()), label_type="center", color="white", weight="bold", size=8.5)
        left = {lang: start + shares[lang] for lang, start in left.items()}


def _labels(shares: Iterable[float]) -> list[str]:
    return [f"{share:.1%}" if share >= LEAST_LABEL else "" for share in shares]


def _draw_frame(axes: "Axes", labels: list[str]) -> None:
    """Draw the languages beside their bars and the percentages below, without a box and ticks."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)  # the first language on top
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_xlabel("share of the lines read; their number is beside the language", size=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_legend(figure: "Figure", title: str) -> None:
    """Draw the colours in one line under the title, of which they are a part, so that neither covers the other."""
    narrow = {"alignment": "left", "handlelength": 1.2, "columnspacing": 1.4}
    figure.legend(loc="outside upper left", ncols=len(COLOURS), title=title, title_fontproperties=TITLE, **narrow)
