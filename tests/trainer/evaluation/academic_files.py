"""Small academic benchmarks in upstream's formats: MMLU, BBH and C-Eval, a few questions of two subjects each."""

import json
from pathlib import Path

CANARY = "BIG-bench canary GUID 00000000-0000-0000-0000-000000000000\n-----\n"
WORKED = (
    "Evaluate the result of a random Boolean expression.\n\nQ: not True is\nA: Let's think step by step.\n"
    "We see that not True = False. So the answer is False.\n"
)


def make_academic_files(folder: Path) -> Path:
    """A folder for --data, with MMLU in English and Hindi, BBH in English and (without examples) Chinese, C-Eval."""
    for lang, ask in (("en", "How much is {} plus {}?"), ("hi", "{} और {} का योग कितना है?")):
        for subject in ("elementary_mathematics", "abstract_algebra"):
            _mmlu(folder / f"mmlu.{lang}" / "data", subject, ask)
    page = [{"input": text, "target": answer} for text, answer in (("True and False is", "False"), ("True is", "True"))]
    for subject in ("boolean_expressions", "web_of_lies"):
        _write(folder / "bbh.en" / "bbh" / f"{subject}.json", json.dumps({"canary": "x", "examples": page}))
        _write(folder / "bbh.en" / "cot-prompts" / f"{subject}.txt", CANARY + WORKED)
    _write(folder / "bbh.zh" / "boolean_expressions.csv", "input,target\n真且假是,假\n真是,真\n")
    for subject in ("law", "logic"):
        rows = [f'{n},"{n} 加 {n}, 是多少?",{n},{2 * n},{3 * n},{4 * n},B' for n in range(1, 8)]
        _write(folder / "ceval.zh" / "val" / f"{subject}_val.csv", "\n".join(["id,question,A,B,C,D,answer", *rows[:3]]))
        explained = [f"{row},因为 {row[0]} 加倍" for row in rows]
        dev = "\n".join(["id,question,A,B,C,D,answer,explanation", *explained[:5]])
        _write(folder / "ceval.zh" / "dev" / f"{subject}_dev.csv", dev + "\n")
    return folder


def _mmlu(folder: Path, subject: str, ask: str) -> None:
    def rows(numbers: range) -> str:
        return "".join(f'"{ask.format(n, n)}",{n},{n + 1},"{2 * n}, or so",{5 * n},C\n' for n in numbers)

    _write(folder / "test" / f"{subject}_test.csv", rows(range(1, 5)))
    _write(folder / "dev" / f"{subject}_dev.csv", rows(range(11, 16)))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
