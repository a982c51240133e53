"""Spans: stretches of readings that a rule found, many at once; and how neighbours become one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from data.arrays import Bools, Floats, Integers
from data.time.epoch import MINUTE_MS

HARD: Final = 2.0  # so many times its limit cannot be weather


@dataclass(frozen=True)
class Spans:
    """Stretches by time: ``start``/``end`` i8[n] ms UTC, the stamps of their first and last
    reading; ``rows`` i8[n] that the rule found; ``value`` f8[n] of the worst of them, its
    ``limit`` f8[n], and ``excess`` f8[n] how many times the limit that is.
    """

    start: Integers
    end: Integers
    rows: Integers
    value: Floats
    limit: Floats
    excess: Floats

    def __len__(self) -> int:
        return len(self.start)

    def chosen(self, which: Bools | Integers) -> Spans:
        """Return some of them."""
        return Spans(*(getattr(self, name)[which] for name in _FIELDS))


_FIELDS: Final = ("start", "end", "rows", "value", "limit", "excess")
_TYPES: Final = (np.int64, np.int64, np.int64, np.float64, np.float64, np.float64)
NONE: Final = Spans(*(np.empty(0, kind) for kind in _TYPES))  # type: ignore[arg-type]


def concatenated(parts: Iterable[Spans]) -> Spans:
    """Return several as one, in their order."""
    some = [part for part in parts if len(part)]
    return Spans(*(np.concatenate([getattr(part, name) for part in some]) for name in _FIELDS)) if some else NONE


def spans_of(
    times: Integers, values: Floats, at: Integers, limit: Floats | float, excess: Floats | float = 1.0, join_ms: int = 0
) -> Spans:
    """Return some rows as spans; those not more than ``join_ms`` apart are one.

    ``times`` i8[n] increasing, ``values`` f8[n], ``at`` i8[k] the rows; ``limit`` and ``excess``
    f8[k] or one for all.
    """
    if not len(at):
        return NONE
    limits, excesses = (np.broadcast_to(np.asarray(each, np.float64), len(at)) for each in (limit, excess))
    return joined(Spans(times[at], times[at], np.ones(len(at), np.int64), values[at], limits, excesses), join_ms)


def joined(spans: Spans, join_ms: int, *, same: bool = False) -> Spans:
    """Return spans (by their start) with those not more than ``join_ms`` apart as one, which has
    the value of the worst; ``same``: only where both have the same value.
    """
    if len(spans) <= 1:
        return spans
    apart = spans.start[1:] - np.maximum.accumulate(spans.end)[:-1] > join_ms
    if same:
        apart |= spans.value[1:] != spans.value[:-1]
    if apart.all():
        return spans
    first = np.concatenate([[0], np.flatnonzero(apart) + 1])
    group = np.cumsum(np.concatenate([[False], apart]))
    worst = np.lexsort((-spans.excess, group))[first]
    return Spans(
        spans.start[first],
        np.maximum.reduceat(spans.end, first),
        np.add.reduceat(spans.rows, first),
        spans.value[worst],
        spans.limit[worst],
        spans.excess[worst],
    )


def without_inside(spans: Spans, others: Spans, room_ms: int) -> Spans:
    """Return the spans that lie in none of some others, with so much room around each of these."""
    if not len(others) or not len(spans):
        return spans
    wide = joined(
        replace(others, start=others.start - room_ms, end=others.end + room_ms).chosen(np.argsort(others.start, kind="stable")), 0
    )
    at = np.maximum(np.searchsorted(wide.start, spans.start, "right") - 1, 0)
    return spans.chosen((spans.start < wide.start[at]) | (spans.end > wide.end[at]))


def runs_of(mask: Bools) -> tuple[Integers, Integers]:
    """Return the first and the last row, i8[n] each, of each run of true ones."""
    edges = np.diff(np.concatenate([[0], mask.view(np.int8), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1


def tolerance(table: Sequence[tuple[float, float]], elapsed_ms: Integers) -> Floats:
    """Return the limit of each elapsed time by a table of (minutes, limit): straight between its
    entries, that of the first before them, and none (infinity) after the last.
    """
    minutes, limits = np.array(table, np.float64).T
    elapsed = elapsed_ms / MINUTE_MS
    found: Floats = np.interp(elapsed, minutes, limits, right=np.inf)
    return found
