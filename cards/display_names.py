"""Names as the field writes them, of metrics and mixtures that options write in lower case."""

METRICS = {
    **{
        "chrf++": "chrF++",
        "chrf": "chrF",
        "bleu": "BLEU",
        "spbleu": "spBLEU",
        "comet": "COMET",
        "em": "EM",
        "f1": "F1",
    },
    **{"accuracy": "accuracy", "token_accuracy": "token accuracy", "language_accuracy": "language accuracy"},
}
MIXTURES = {"unimax": "UniMax"}


def metric_name(metric: str) -> str:
    """Return a metric as papers write it, such as chrF++ for `chrf++`."""
    return METRICS.get(metric, metric)


def mixture_name(mixture: str) -> str:
    """Return a mixture as papers write it, such as UniMax for `unimax`; others unchanged but for their colon."""
    name, _, value = mixture.partition(":")
    return " ".join(filter(None, (MIXTURES.get(name, name), value)))
