"""The picture of a release: the sentence pairs of each language that were kept and rejected."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from cards.manifest_types import Manifest
from cards.summary import count_pairs, count_rejections
from corpora.catalog import language

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KEPT, OTHER = "kept", "other filters"
GROUPS: dict[str, tuple[str, ...]] = {  # the filters of each group of reasons, in the order in which they are applied
    "unreadable or empty": ("invalid_utf8", "nul_byte", "missing_column", "invalid_margin", "oversized_line", "empty"),
    "low margin": ("low_margin",),
    OTHER: (),  # what no other group claims: length, encoding, markup, copy, script, numbers, and filters yet to come
    "duplicates": ("duplicate_*", "near_duplicate"),
    "evaluation data": ("contaminated",),
    "wrong language": ("wrong_language_*",),
}
# Okabe and Ito's colours, which the colour-blind can tell apart, in the order of the segments.
PALETTE = ("#0072B2", "#999999", "#E69F00", "#F0E442", "#56B4E9", "#000000", "#D55E00")
LINE_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#999999",
)  # yellow is too pale for one
COLOURS = dict(zip((KEPT, *GROUPS), PALETTE, strict=True))
WIDTH, DPI = 10.0, 100  # inches, and pixels an inch
HEAD, BAR = 1.35, 0.36  # inches for title, legend and axis, and for each language
STYLE = {"font.family": "DejaVu Sans", "font.size": 10.0, "legend.fontsize": 9.5, "legend.frameon": False}


def draw_funnel(manifest: Manifest, path: Path) -> None:
    """Write a PNG, 1000 pixels wide, with a bar for each language: the shares of pairs kept and rejected, and why.

    Without sentence pairs in the manifest no file is written.
    """
    if not (lines := _count_lines(manifest)):
        return
    import matplotlib.style
    from matplotlib.figure import Figure

    # Without pyplot and the reader's own settings, and without matplotlib's version in the file.
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH, HEAD + BAR * len(lines)), layout="constrained")
        axes = figure.add_subplot()
        _draw_bars(axes, _segments(manifest))
        _draw_frame(axes, [f"{language(lang).name} ({lang})  {num:,}" for lang, num in lines.items()])
        _draw_legend(figure, f"{manifest['name']} {manifest['version']}: sentence pairs kept and rejected")
        figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})


def _count_lines(manifest: Manifest) -> dict[str, int]:
    """Return the upstream lines of each language that has any, over all corpora, in the manifest's order."""
    rows = count_pairs(manifest)
    lines = {lang: sum(row["num_in"] for row in rows if row["lang"] == lang) for lang in manifest["langs"]}
    return {lang: num for lang, num in lines.items() if num}


def _segments(manifest: Manifest) -> dict[str, dict[str, float]]:
    """Return the share of each language's lines by group of reasons; groups without any are left out."""
    lines = _count_lines(manifest)
    rows = {group: dict.fromkeys(lines, 0) for group in COLOURS}
    for row in count_pairs(manifest):
        rows[KEPT][row["lang"]] += row["num_kept"]
    for rule in count_rejections(manifest):
        for lang in lines:
            rows[_group(rule["name"])][lang] += rule["num_rows"][lang]
    shares = {group: {lang: by_lang[lang] / lines[lang] for lang in lines} for group, by_lang in rows.items()}
    return {group: by_lang for group, by_lang in shares.items() if group == KEPT or any(by_lang.values())}


def _group(name: str) -> str:
    """Return the group of reasons that a filter belongs to."""
    return next((group for group, names in GROUPS.items() if any(fnmatchcase(name, x) for x in names)), OTHER)


def _draw_bars(axes: "Axes", segments: Mapping[str, Mapping[str, float]]) -> None:
    """Draw a bar for each language, its segments end to end, with the share kept written in the first."""
    from matplotlib.patheffects import withStroke

    left = dict.fromkeys(segments[KEPT], 0.0)
    for group, shares in segments.items():
        axes.barh(
            range(len(shares)), list(shares.values()), 0.72, list(left.values()), color=COLOURS[group], label=group
        )
        left = {lang: start + shares[lang] for lang, start in left.items()}
    halo = [withStroke(linewidth=3, foreground=COLOURS[KEPT])]  # legible where the segment is narrower than its number
    for index, share in enumerate(segments[KEPT].values()):
        axes.text(0.01, index, f"{share:.1%}", color="white", weight="bold", va="center", path_effects=halo)


def _draw_frame(axes: "Axes", labels: list[str]) -> None:
    """Draw the languages beside their bars and the percentages below, without a box and ticks."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)  # the first language on top
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_xlabel("share of the upstream lines; their number is beside the language", size=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_legend(figure: "Figure", title: str) -> None:
    """Draw the colours in one line under the title, of which they are a part, so that neither covers the other."""
    bold = {"weight": "bold", "size": 13}
    narrow = {"alignment": "left", "handlelength": 1.2, "columnspacing": 1.4}
    figure.legend(loc="outside upper left", ncols=len(COLOURS), title=title, title_fontproperties=bold, **narrow)
