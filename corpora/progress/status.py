"""How far a stage is: amount, rate and remaining time, in words."""

from dataclasses import dataclass

MIN_SECONDS = 0.05  # a shorter stage has no rate worth telling: its files were there


@dataclass(frozen=True)
class Status:
    """How far a stage is; as a string, one line with all of it."""

    stage: str
    index: int
    count: int
    done: int = 0
    total: int | None = None
    unit: str = "rows"
    seconds: float = 0.0
    is_finished: bool = False
    note: str = ""

    @property
    def rate(self) -> float | None:
        """Units a second since the stage began; None until there are any, and where nothing was left to be done."""
        return self.done / self.seconds if self.done and self.seconds > MIN_SECONDS else None

    @property
    def remaining_s(self) -> float | None:
        """Seconds until the stage ends at this rate, None where the total or the rate is not known."""
        return max(0, self.total - self.done) / self.rate if self.total and self.rate else None

    def position(self) -> str:
        """Return which stage of the run it is; a run begins with stage 0 while the number of stages is not known."""
        return f"stage {self.index} of {self.count}" if self.count else "start"

    def amount(self) -> str:
        """Return the units done, with the total if it is known: `1,200 of 30,000 pairs`."""
        if self.unit == "bytes":
            return f"{format_bytes(self.done)} of {format_bytes(self.total)}" if self.total else format_bytes(self.done)
        return f"{self.done:,} of {self.total:,} {self.unit}" if self.total else f"{self.done:,} {self.unit}"

    def speed(self) -> str:
        """Return the rate with its unit, nothing where it is not known."""
        if self.rate is None:
            return ""
        rate = f"{self.rate:,.0f}" if self.rate >= 10 else f"{self.rate:.1f}"
        return f"{format_bytes(int(self.rate))}/s" if self.unit == "bytes" else f"{rate} {self.unit}/s"

    def __str__(self) -> str:
        share = f" ({min(1.0, self.done / self.total):.0%})" if self.total else ""
        parts = [f"{self.amount()}{share}"] if self.done or self.total else []
        parts += [self.speed()] if self.rate else []
        if self.is_finished:
            parts.append(f"took {duration(self.seconds)}")
        elif self.remaining_s is not None:
            parts.append(f"{duration(self.remaining_s)} left")
        parts += [self.note] if self.note else []
        return f"{self.position()}, {self.stage}: {', '.join(parts) or 'started'}"


def duration(seconds: float) -> str:
    """Return seconds in a form for people: `0.4 s`, `42 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def format_bytes(num: int) -> str:
    """Return a number of bytes in a form for people: `512 B`, `1.5 MB`, `2.5 GB`."""
    size = float(num)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
