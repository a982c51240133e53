"""``python -m benchmarks --guard``: ratios of ours to a yardstick of the same run, against those of
docs/performance.md. It fails where one is a fifth worse.

Both sides are measured in turns, by processor time, and the least of each counts; what is too slow
is measured once more before it is believed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from benchmarks.processor_time import in_turns

WORSE: Final = 1.2  # times what is committed
ROUNDS: Final = 7
HEADINGS: Final = ("what", "committed", "measured", "of it", "verdict", "note")
_ROW: Final = re.compile(r"^\| (?P<what>.+?) \| (?P<ratio>[\d.]+) × \|", re.MULTILINE)


@dataclass(frozen=True)
class Pair:
    """Ours and its yardstick, each of which returns how many ms of processor time it took."""

    what: str
    ours: Callable[[], float]
    yardstick: Callable[[], float]
    rounds: int = ROUNDS


@dataclass(frozen=True)
class Ratio:
    """A pair as it was measured, ms."""

    what: str
    ours_ms: float
    yardstick_ms: float

    @property
    def ratio(self) -> float:
        """Return how many times the yardstick it takes."""
        return self.ours_ms / self.yardstick_ms

    @property
    def note(self) -> str:
        """The two times in words."""
        return " against ".join(f"{ms:.1f}" if ms < 100 else f"{ms:,.0f}" for ms in (self.ours_ms, self.yardstick_ms)) + " ms"


@dataclass(frozen=True)
class Verdict:
    """What is committed and what was measured; None where there is none."""

    what: str
    committed: float | None
    measured: Ratio | None

    @property
    def change(self) -> float | None:
        """Return measured divided by committed."""
        return self.measured.ratio / self.committed if self.measured and self.committed else None

    @property
    def holds(self) -> bool:
        """Whether it is in the table, was measured, and is not a fifth worse."""
        return self.change is not None and self.change <= WORSE

    @property
    def word(self) -> str:
        """What to do about it."""
        if self.committed is None:
            return "NOT COMMITTED: renew the table"
        if self.measured is None:
            return "NOT MEASURED: renew the table"
        if not self.holds:
            return "WORSE"
        return "better: renew the table" if self.change is not None and self.change * WORSE < 1 else "holds"


def measured(pairs: Iterable[Pair], committed: Mapping[str, float]) -> Iterator[Ratio]:
    """Measure pairs; what is a fifth worse than committed once more, with twice the rounds."""
    for pair in pairs:
        found = _measure(pair, pair.rounds)
        if found.ratio > WORSE * committed.get(pair.what, found.ratio):
            found = min(found, _measure(pair, 2 * pair.rounds), key=lambda each: each.ratio)
        yield found


def _measure(pair: Pair, rounds: int) -> Ratio:
    ours, yardstick = in_turns([pair.ours, pair.yardstick], rounds)
    return Ratio(pair.what, min(ours), min(yardstick))


def judge(found: Sequence[Ratio], committed: Mapping[str, float]) -> list[Verdict]:
    """Return a verdict of each ratio that was measured or is committed."""
    by_name = {one.what: one for one in found}
    return [Verdict(what, committed.get(what), by_name.get(what)) for what in {**by_name, **committed}]


def committed_in(part: str) -> dict[str, float]:
    """Return the ratios of a table that :func:`written` made."""
    return {row["what"]: float(row["ratio"]) for row in _ROW.finditer(part)}


def written(found: Sequence[Ratio], measured_on: str) -> str:
    """Return ratios as the table of the page, below a sentence that says when and where."""
    lines = [measured_on, "", "| what | ratio | processor time |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {one.what} | {one.ratio:.3g} × | {one.note} |" for one in found)])


def shown(verdicts: Sequence[Verdict]) -> Table:
    """Return verdicts as a table of the terminal."""
    table = Table(*HEADINGS, title=f"Fails where one is more than {WORSE:g} × what is committed")
    for one in verdicts:
        now = "" if one.measured is None else f"{one.measured.ratio:.3g} ×"
        before = "" if one.committed is None else f"{one.committed:.3g} ×"
        change = "" if one.change is None else f"{one.change:.2f}"
        note = "" if one.measured is None else one.measured.note
        table.add_row(one.what, before, now, change, one.word, note, style=None if one.holds else "red")
    return table
