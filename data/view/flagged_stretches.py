"""Stretches of flagged readings of a window, each with its reason; what an analyst asks where a
picture shows a hollow marker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from data.arrays import Bools, Floats, Integers
from data.overlay import flag_layer
from data.range_rows import open_observations
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.view.flag_reasons import FlagReason, found_flags


@dataclass(frozen=True)
class FlaggedStretch:
    """Readings one after the other among the flagged ones that are so for the same ``reason``:
    stamps of the first and the last, int ms UTC, how many, the least and the greatest value; and
    whether they are ``left_out`` by the choice of flags.
    """

    reason: FlagReason
    left_out: bool
    start_ms: int
    end_ms: int
    rows: int
    least: float
    greatest: float


def flagged_stretches(
    site: SiteLike, request: HistoryRequest, station: str, name: str, span: tuple[int, int]
) -> list[FlaggedStretch]:
    """Return why readings of a series in a span [start, end) are flagged, by time: those that the
    site's choice of flags leaves out, and suspect ones that it does not.

    Reads all readings of the span.

    Raises:
        TileDamaged: a tile is damaged, or was removed meanwhile.
    """
    found: list[FlaggedStretch] = []
    for times, values, left_out in _flagged(site, request, station, name, span):
        flags = found_flags(site, station, site.catalogue[name], times, values)
        begin = np.concatenate([[0], np.flatnonzero(flags.is_other() | (left_out[1:] != left_out[:-1])) + 1])
        stop = np.append(begin[1:], len(times))
        least, greatest = np.minimum.reduceat(values, begin), np.maximum.reduceat(values, begin)
        columns = (times[begin], times[stop - 1], stop - begin, least, greatest)
        for at, numbers in zip(begin.tolist(), zip(*(column.tolist() for column in columns), strict=True), strict=True):
            found.append(FlaggedStretch(flags.reason(at), bool(left_out[at]), *numbers))
    return found


def _flagged(
    site: SiteLike, request: HistoryRequest, station: str, name: str, span: tuple[int, int]
) -> Iterator[tuple[Integers, Floats, Bools]]:
    """Yield stamps and values of flagged readings of each month, and which are left out."""
    layer = None if site.flags == "none" else flag_layer(site, station, name)
    for times, values, flags in open_observations(site, request, station, name, span).chunks():
        at = flags != 0
        if layer is not None:
            at |= np.isin(times, layer.open(int(times[0]), int(times[-1]) + 1).read()[0], assume_unique=True)
        if at.any():
            yield times[at], values[at], flags[at] != 0
