"""Rows far from the rest: of a clock that stood on 1970 or on 2099.
They are kept and shown when asked for, but set no range.

One rule for a station, told from its months, and for a site, told from its stations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from data.time.epoch import DAY_MS

# what is later than this after now is in the future: clocks of loggers run ahead, and zones differ
AHEAD_MS: Final = DAY_MS
FAR_MS: Final = 366 * DAY_MS  # a pause without a row that sets what is beyond it apart
# within so long, rows are few where the rest has so many times as many
_FEW: Final = ((2 * DAY_MS, 4), (31 * DAY_MS, 100))


class Stretch(NamedTuple):
    """``rows`` observations from ``first_ms`` to ``last_ms`` (int ms UTC)."""

    first_ms: int
    last_ms: int
    rows: int


def usual(stretches: Iterable[Stretch], now_ms: int | None = None) -> tuple[Stretch | None, int]:
    """What sets a range (None: nothing does), and how many rows do not:
    those in the future, and few ones far from the rest.

    ``now_ms``: int ms UTC; None where the future has been left out before. Of a stretch that
    reaches into the future the part up to now counts, and at least one row does not.
    """
    known = sorted(each for each in stretches if each.rows)
    limit = known[-1].last_ms if known and now_ms is None else (now_ms or 0) + AHEAD_MS
    past = [_until(each, limit, now_ms or limit) for each in known if each.first_ms <= limit]
    if not past:
        return None, sum(each.rows for each in known)
    kept = _near(_groups(past), now_ms)
    found = Stretch(min(each.first_ms for each in kept), max(each.last_ms for each in kept), sum(each.rows for each in kept))
    return found, sum(each.rows for each in known) - found.rows


@dataclass(frozen=True)
class Outlying:
    """Rows of a station that set no range: within ``spans`` [first, last],
    before and after ``usual``, the span of the others.

    ``usual`` is None where there are no others; times are int ms UTC.
    """

    rows: int
    spans: tuple[tuple[int, int], ...]
    usual: tuple[int, int] | None


def outlying(stretches: Iterable[Stretch], now_ms: int) -> Outlying | None:
    """The rows that set no range, told from stretches such as months; None when all do."""
    every = [each for each in stretches if each.rows]
    kept, rows = usual(every, now_ms)
    if kept is None:
        return Outlying(rows, (_span(every),), None) if every else None
    before = [each for each in every if each.first_ms < kept.first_ms]
    after = [each._replace(first_ms=max(each.first_ms, kept.last_ms + 1)) for each in every if each.last_ms > kept.last_ms]
    spans = tuple(_span(some) for some in (before, after) if some)
    return Outlying(rows, spans, (kept.first_ms, kept.last_ms)) if spans else None


def _span(stretches: Iterable[Stretch]) -> tuple[int, int]:
    several = list(stretches)
    return min(each.first_ms for each in several), max(each.last_ms for each in several)


def _until(stretch: Stretch, limit_ms: int, now_ms: int) -> Stretch:
    if stretch.last_ms <= limit_ms:
        return stretch
    return Stretch(stretch.first_ms, max(stretch.first_ms, now_ms), max(1, stretch.rows - 1))


def _groups(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches between which there is no long pause, as one each."""
    groups: list[Stretch] = []
    for each in stretches:
        if groups and each.first_ms - groups[-1].last_ms <= FAR_MS:
            last = groups[-1]
            groups[-1] = Stretch(last.first_ms, max(last.last_ms, each.last_ms), last.rows + each.rows)
        else:
            groups.append(each)
    return groups


def _near(groups: list[Stretch], now_ms: int | None) -> list[Stretch]:
    """Return those that are not few, or of today, from a station that has come back."""
    total, kept = sum(group.rows for group in groups), []
    for group in groups:
        of_today = now_ms is not None and group.first_ms <= now_ms <= group.last_ms + DAY_MS
        length_ms, rest = group.last_ms - group.first_ms, total - group.rows
        if of_today or not any(length_ms <= span and group.rows * times <= rest for span, times in _FEW):
            kept.append(group)
    return kept
