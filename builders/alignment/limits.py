"""Numbers that say how a corpus is judged, and the versions of what judges it."""

TOKENIZER_VERSION = 2  # of what texts become; increase it whenever that changes
MODEL_VERSION = 5  # of the alignments of the same tokens; increase it whenever they change
SAMPLE_PAIRS = 100_000  # of a half, about, that teach
MIN_HALF_PAIRS = 1_000  # fewer teach too little
