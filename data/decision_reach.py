"""Which decisions bear on a month of a series, and which readings these need: told from the
decisions alone (docs/decisions/0041).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from data.decision import CORRECTIONS, Decision
from data.time.months import month_bounds_ms, months_between

Interval = tuple[int, int]  # [start, stop) of stamps, int ms UTC

_CHANGE_FLAGS_OF_TILES: Final = (None, "range", "source")  # rules of which the tile itself has the flags


@dataclass(frozen=True)
class Fill:
    """A decision that fills a month, and the UTC months of the other series that this needs."""

    decision: Decision
    months: tuple[int, ...]


@dataclass(frozen=True)
class Reach:
    """The decisions that bear on a month, by number; ``months``: others of the same series whose
    readings may come into it; ``fills``: what fills it.
    """

    decisions: tuple[Decision, ...] = ()
    months: tuple[int, ...] = ()
    fills: tuple[Fill, ...] = ()

    @cached_property
    def digest(self) -> int:
        """A number that differs whenever the decisions do."""
        return zlib.crc32(repr(self.decisions).encode())

    @cached_property
    def corrects(self) -> bool:
        """Return whether readings may differ from those that were measured."""
        return any(one.kind in CORRECTIONS for one in self.decisions)

    @cached_property
    def changes_tile(self) -> bool:
        """Return whether the month may differ in more than flags of rules that are added."""
        return self.corrects or any(one.kind != "wrong" and one.rule in _CHANGE_FLAGS_OF_TILES for one in self.decisions)


NOTHING: Final = Reach()


class DecisionReach:
    """What the decisions of a series bear on, month by month."""

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self.decisions = tuple(sorted(decisions, key=lambda one: one.number))
        self._shifts = [(span_of(one), shift_ms(one)) for one in self.decisions if one.kind == "shift"]
        self._known: dict[int, Reach] = {}
        self._shifted: dict[int, tuple[int, ...]] = {}

    def of(self, month: int) -> Reach:
        """Return what bears on a UTC month."""
        found = self._known.get(month)
        if found is None:
            found = self._known[month] = _reach(self.decisions, month)
        return found

    def months_shifted_to(self, months: Iterable[int]) -> Iterator[int]:
        """Yield the months into which readings of some months may be shifted, by one decision."""
        if not self._shifts:
            return
        for month in months:
            found = self._shifted.get(month)
            if found is None:
                found = self._shifted[month] = self._shifted_to(month)
            yield from found

    def _shifted_to(self, month: int) -> tuple[int, ...]:
        bounds, found = month_bounds_ms(month), set[int]()
        for span, by_ms in self._shifts:
            part = _meet(bounds, span)
            if part is not None:
                found.update(months_between(part[0] + by_ms, part[1] + by_ms))
        return tuple(found)


@lru_cache(maxsize=2048)
def reach_of(decisions: tuple[Decision, ...]) -> DecisionReach:
    """Return the reach of some decisions, found out once."""
    return DecisionReach(decisions)


def span_of(one: Decision) -> Interval:
    """Return the stamps that a decision is about, [start, stop), int ms UTC."""
    return one.start_ms, one.end_ms + 1


def shift_ms(one: Decision) -> int:
    """Return by how much a decision moves stamps."""
    return round(one.amount or 0)


def _reach(decisions: Sequence[Decision], month: int) -> Reach:
    """Go back through the decisions: what must be known of the stamps of a month before each."""
    bounds = month_bounds_ms(month)
    needed, bearing, fills = [bounds], [], list[Fill]()
    for one in reversed(decisions):
        if one.kind not in CORRECTIONS:
            if _meet(bounds, span_of(one)) is not None:
                bearing.append(one)
            continue
        here = [part for each in needed if (part := _meet(each, span_of(one))) is not None]
        by_ms = shift_ms(one) if one.kind == "shift" else 0
        moved = [(start - by_ms, stop - by_ms) for start, stop in needed] if by_ms else []
        moved = [part for each in moved if (part := _meet(each, span_of(one))) is not None]
        if here or moved:
            bearing.append(one)
            needed = _merged([*needed, *moved])
        if here and one.kind == "fill":
            fills.append(Fill(one, _months_of(here)))
    bearing.sort(key=lambda one: one.number)
    others = tuple(each for each in _months_of(needed) if each != month)
    return Reach(tuple(bearing), others, tuple(reversed(fills))) if bearing else NOTHING


def _meet(one: Interval, other: Interval) -> Interval | None:
    start, stop = max(one[0], other[0]), min(one[1], other[1])
    return (start, stop) if start < stop else None


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    found: list[Interval] = []
    for start, stop in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found


def _months_of(intervals: Iterable[Interval]) -> tuple[int, ...]:
    return tuple(sorted({month for start, stop in intervals for month in months_between(start, stop)}))
