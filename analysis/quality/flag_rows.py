"""Which readings of one month of one series the rules flag, and by which limit
(docs/decisions/0039).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.quality.review import RULES
from analysis.quality.series_checks import SeriesChecks
from analysis.quality.spans import HARD, NONE, Spans, without_inside
from analysis.quality.station_months import MonthRows
from data.arrays import Bools, Floats, Integers
from data.flag_names import FLAG_NAMES, FLAG_RULES
from data.quality_limits import QualityLimits
from data.sensor import Sensor

_TELL_NOT_WHICH: Final = ("step",)  # either of two readings may be the wrong one
_AFTER_STEPS: Final = 6  # within which readings go on after they stood still


@dataclass(frozen=True)
class Marked:
    """What a rule found among the readings of a month: ``at`` bool[n], those of them that are
    ``hard`` bool[n], the ``limit`` f8[n] (in the sensor's unit, of ``stuck`` h; NaN: none), the
    stamp ``since`` i8[n] ms UTC with which each stretch of them begins, and ``by`` i8[n], the
    number of the decision that said so, 0 where none did.
    """

    at: Bools
    hard: Bools
    limit: Floats
    since: Integers
    by: Integers

    @classmethod
    def nothing(cls, rows: int) -> Marked:
        """Return that of so many readings none was found."""
        none = np.zeros(rows, bool)
        return cls(none, none.copy(), np.full(rows, np.nan), np.zeros(rows, np.int64), np.zeros(rows, np.int64))

    def copy(self) -> Marked:
        """Return a copy in memory of its own."""
        return Marked(self.at.copy(), self.hard.copy(), self.limit.copy(), self.since.copy(), self.by.copy())


Marks = Mapping[str, Marked]
"""By rule, of rules that found any."""


@dataclass(frozen=True)
class FlagRows:
    """Flagged readings, each once: their places ``at`` i8[k] in the month, increasing, the place of
    the ``rule`` in FLAG_NAMES, i8[k], which are ``hard``, bool[k], and ``limit``, ``since`` and
    ``by`` as of :class:`Marked`.
    """

    at: Integers
    rule: Integers
    hard: Bools
    limit: Floats
    since: Integers
    by: Integers


def flag_rows(
    rows: MonthRows, sensor: Sensor, step_ms: int | None, limits: QualityLimits, position: tuple[float, float] | None
) -> FlagRows:
    """Return what the rules of one series find in a month; see :func:`rule_marks` and
    :func:`worst_marks`.
    """
    return worst_marks(rule_marks(rows, sensor, step_ms, limits, position), len(rows.times))


def rule_marks(
    rows: MonthRows, sensor: Sensor, step_ms: int | None, limits: QualityLimits, position: tuple[float, float] | None
) -> dict[str, Marked]:
    """Return what each rule of FLAG_RULES finds in a month; ``step_ms`` is its usual step.

    Readings that are out of range or bad by the source have their flag already.
    """
    checks = SeriesChecks(sensor, step_ms, limits, position, as_events=False)
    is_direction = limits.quantity == "wind_direction"  # which stands still while there is no wind
    checks.add(rows, np.zeros(len(rows.good[0]), bool) if is_direction else None)
    found = _unexplained(checks.found(), _AFTER_STEPS * (step_ms or 0))
    return {rule: _marked(rows, rule, found[rule]) for rule in FLAG_RULES if len(found.get(rule, NONE))}


def worst_marks(marks: Marks, rows: int) -> FlagRows:
    """Return each reading that is found once: by a rule by which it is hard, else by the first of
    FLAG_NAMES.
    """
    chosen, place = Marked.nothing(rows), np.full(rows, -1)
    for severe in (True, False):
        for number, marked in _in_order(marks):
            fresh = marked.at & (marked.hard == severe) & (place < 0)
            place[fresh] = number
            for name in ("hard", "limit", "since", "by"):
                getattr(chosen, name)[fresh] = getattr(marked, name)[fresh]
    at = np.flatnonzero(place >= 0)
    return FlagRows(at, place[at], chosen.hard[at], chosen.limit[at], chosen.since[at], chosen.by[at])


def _in_order(marks: Marks) -> Iterator[tuple[int, Marked]]:
    return ((number, marks[rule]) for number, rule in enumerate(FLAG_NAMES) if rule in marks)


def _marked(rows: MonthRows, rule: str, spans: Spans) -> Marked:
    found, is_hard = Marked.nothing(len(rows.times)), _hard(rule, spans)
    for severe in (False, True):  # so that the hard ones of a reading count
        own = spans.chosen(is_hard == severe)
        at = _places(rows, own)
        if not len(at):
            continue
        of = np.searchsorted(own.start, rows.times[at], "right") - 1
        found.at[at], found.hard[at] = True, severe
        found.limit[at], found.since[at] = own.limit[of], own.start[of]
    return found


def _hard(rule: str, spans: Spans) -> Bools:
    if rule in _TELL_NOT_WHICH:
        return np.zeros(len(spans), bool)
    return spans.excess >= HARD if RULES[rule] is None else np.full(len(spans), RULES[rule] == "hard")


def _unexplained(found: dict[str, Spans], after_ms: int) -> dict[str, Spans]:
    """Return what is found without the jump with which readings go on after they stood still."""
    stuck = found.get("stuck", NONE)
    return {rule: without_inside(spans, stuck, after_ms) if rule in ("step", "spike") else spans for rule, spans in found.items()}


def _places(rows: MonthRows, spans: Spans) -> Integers:
    """Return the readings within some spans, without those that have a flag already."""
    if not len(spans):
        return np.empty(0, np.int64)
    edges = np.zeros(len(rows.times) + 1, np.int64)
    np.add.at(edges, np.searchsorted(rows.times, spans.start), 1)
    np.add.at(edges, np.searchsorted(rows.times, spans.end, "right"), -1)
    found: Integers = np.flatnonzero((np.cumsum(edges[:-1]) > 0) & (rows.flags == 0))
    return found
