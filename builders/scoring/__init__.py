"""Score sentence pairs by a model: how likely a translation model finds each side, or how alike an encoder finds them.

scorer = open_scorer("nllb", options)     # a row of scorers.toml, a folder or ORG/NAME
scorer.score(en, xx, "el")                # a number for each pair, higher is better; None for one that is too long
score_pairs(en, xx, "el", scorer, store)  # the same, in batches that a killed run need not score again
"""

from typing import TYPE_CHECKING, Any

from corpora.lazy_names import load_name

if TYPE_CHECKING:
    from builders.scoring.opening import open_scorer
    from builders.scoring.score_store import ScoreStore, score_pairs
    from builders.scoring.scorer import Scorer
    from builders.scoring.scorer_table import ScorerRow, check_scorer, scorer_rows

__all__ = ["ScoreStore", "Scorer", "ScorerRow", "check_scorer", "open_scorer", "score_pairs", "scorer_rows"]
_MODULES = {
    "builders.scoring.opening": ("open_scorer",),
    "builders.scoring.score_store": ("ScoreStore", "score_pairs"),
    "builders.scoring.scorer": ("Scorer",),
    "builders.scoring.scorer_table": ("ScorerRow", "check_scorer", "scorer_rows"),
}


if not TYPE_CHECKING:  # so that a type checker knows a wrong name

    def __getattr__(name: str) -> Any:
        return load_name(__name__, _MODULES, name)
