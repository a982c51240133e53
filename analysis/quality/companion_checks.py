"""The rules that compare a series with others, by hourly means over at most a year at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from analysis.days import between
from analysis.quality.companions import LEAST_NEIGHBOURS, departed, departures, ratio_beyond, weighted_median, weights
from analysis.quality.spans import Spans, concatenated, joined
from analysis.quality.station_checks import Found
from analysis.question import Observed, Question
from data.arrays import Floats, Integers
from data.quality_limits import QualityLimits, Quantity
from data.time.epoch import DAY_MS, HOUR_MS

_PART_MS: Final = 360 * DAY_MS
_PAR_A_WATT: Final = (1.0, 3.5)  # umol/J; 1.7 to 2.4 in daylight, with room for two instruments
_LIT: Final = 100.0  # W/m2, above which their ratio means something
_TWIN_HOURS: Final = 6
_PAIRS: Final[Mapping[str, tuple[Quantity, Quantity]]] = {
    "dew_point": ("dew_point", "air_temperature"),
    "gust": ("wind_speed", "wind_gust"),
    "no_speed": ("wind_direction", "wind_speed"),
    "dry_rain": ("rain", "humidity"),
    "par_ratio": ("par", "solar_radiation"),
}


def parts(question: Question) -> Iterator[Integers]:
    """Return the edges of whole hours of UTC of the window, a year of them at a time."""
    start, end = question.start_ms // HOUR_MS, -(-question.end_ms // HOUR_MS)
    for first in range(start, end, _PART_MS // HOUR_MS):
        yield np.arange(first, min(first + _PART_MS // HOUR_MS, end) + 1) * HOUR_MS


def hourly(question: Question, observed: Observed, edges: Integers) -> Floats:
    """Return hourly means between some edges, NaN where there is no reading."""
    key = ("hourly", observed.station, observed.sensor.name, str(edges[0]))
    if key not in question.worked_out:
        question.worked_out[key] = between(observed, edges, (int(edges[0]), int(edges[-1]))).mean
    found: Floats = question.worked_out[key]
    return found


def neighbour_spans(
    question: Question,
    own: Observed,
    others: Sequence[Observed],
    limits: QualityLimits,
    positions: Sequence[tuple[float, float] | None],
) -> Spans:
    """Return where a series departs from the weighted median of its neighbours; ``positions`` are
    its own and theirs. Fewer than three neighbours tell nothing.
    """
    if limits.neighbour is None or len(others) < LEAST_NEIGHBOURS:
        return concatenated([])
    weight = weights(list(positions))[0]
    found = []
    for edges in parts(question):
        held = np.stack([hourly(question, each, edges) for each in (own, *others)])
        departure, limit = departures(held[0], weighted_median(held, weight), limits.neighbour)
        found.append(departed(edges[:-1], departure, limit, limits.neighbour_hours))
    return joined(concatenated(found), DAY_MS)


def compared(observed: Sequence[Observed], limits: Sequence[QualityLimits]) -> dict[tuple[str, str], str]:
    """Return by sensor and rule the other sensor of the station that the rule holds it against."""
    named = {limit.quantity: each.sensor.name for each, limit in reversed(list(zip(observed, limits, strict=True)))}
    pairs = {(named.get(one), rule): named.get(other) for rule, (one, other) in _PAIRS.items()}
    twins = {(each.sensor.name, "twin"): named[limit.quantity] for each, limit in zip(observed, limits, strict=True)}
    return {(one, rule): other for (one, rule), other in (pairs | twins).items() if one and other and one != other}


def station_companions(question: Question, observed: Sequence[Observed], limits: Sequence[QualityLimits]) -> Found:
    """Return where a station's sensors of one quantity differ, and PAR and radiation disagree."""
    found: Found = {}
    first: dict[str | None, int] = {}
    for place, limit in enumerate(limits):
        if limit.quantity == "other":
            continue
        twin = first.setdefault(limit.quantity, place)
        if twin != place and limit.twin is not None:
            found[observed[place].sensor.name, "twin"] = _twin(question, observed[place], observed[twin], limit.twin)
    par, radiation = first.get("par"), first.get("solar_radiation")
    if par is not None and radiation is not None:
        found[observed[par].sensor.name, "par_ratio"] = _par(question, observed[par], observed[radiation])
    return {key: spans for key, spans in found.items() if len(spans)}


def _twin(question: Question, one: Observed, other: Observed, limit: float) -> Spans:
    found = []
    for edges in parts(question):
        apart = hourly(question, one, edges) - hourly(question, other, edges)
        found.append(departed(edges[:-1], apart, limit, _TWIN_HOURS))
    return joined(concatenated(found), DAY_MS)


def _par(question: Question, par: Observed, radiation: Observed) -> Spans:
    found = [
        ratio_beyond(edges[:-1], hourly(question, par, edges), hourly(question, radiation, edges), _PAR_A_WATT, _LIT)
        for edges in parts(question)
    ]
    return joined(concatenated(found), DAY_MS)
