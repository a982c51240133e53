"""Which readings of one month of one series the rules flag: each reading once, by the worst rule
(docs/decisions/0039).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.quality.review import RULES
from analysis.quality.series_checks import SeriesChecks
from analysis.quality.spans import HARD, NONE, Spans, without_inside
from analysis.quality.station_months import MonthRows
from data.arrays import Bools, Integers
from data.flag_layer import FLAG_RULES
from data.quality_limits import QualityLimits
from data.sensor import Sensor

_TELL_NOT_WHICH: Final = ("step",)  # either of two readings may be the wrong one
_AFTER_STEPS: Final = 6  # within which readings go on after they stood still


@dataclass(frozen=True)
class FlagRows:
    """Readings that a rule found: their places ``at`` i8[k] in the month, increasing, the place of
    the ``rule`` in FLAG_RULES, i8[k], and which are ``hard``, bool[k].
    """

    at: Integers
    rule: Integers
    hard: Bools


def flag_rows(
    rows: MonthRows, sensor: Sensor, step_ms: int | None, limits: QualityLimits, position: tuple[float, float] | None
) -> FlagRows:
    """Return what the rules of one series find in a month; ``step_ms`` is its usual step.

    A reading that several rules found counts with a hard one, else with the first of FLAG_RULES.
    Readings that are out of range or bad by the source have their flag already.
    """
    checks = SeriesChecks(sensor, step_ms, limits, position, as_events=False)
    is_direction = limits.quantity == "wind_direction"  # which stands still while there is no wind
    checks.add(rows, np.zeros(len(rows.good[0]), bool) if is_direction else None)
    found = _unexplained(checks.found(), _AFTER_STEPS * (step_ms or 0))
    place, hard = np.full(len(rows.times), -1), np.zeros(len(rows.times), bool)
    for number, rule in enumerate(FLAG_RULES):
        spans = found.get(rule, NONE)
        is_hard = _hard(rule, spans)
        for severe in (True, False):
            at = _places(rows, spans.chosen(is_hard == severe))
            fresh = at[(place[at] < 0) | (severe & ~hard[at])]
            place[fresh], hard[fresh] = number, severe
    at = np.flatnonzero(place >= 0)
    return FlagRows(at, place[at], hard[at])


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
