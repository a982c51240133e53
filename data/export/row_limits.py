"""How many rows a file would have, and whether a worksheet holds them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from data.export.rows import Piece, joined
from data.export.xlsx import SHEET_ROWS, XLSX
from data.range_rows import open_observations
from data.request import HistoryRequest
from data.site import Site
from data.time.buckets import BY_NAME
from data.time.epoch import DAY_MS
from errors import TooLarge

_SHORTEST_MONTH_MS: Final = 28 * DAY_MS - 7_200_000
_CLOCK_CHANGES_MS: Final = 30 * DAY_MS  # no zone changes its clocks more often


def check_rows(site: Site, request: HistoryRequest, start_ms: int, end_ms: int, kind: str) -> int:
    """Return about how many rows a workbook or a NetCDF file would have; told from the tiles'
    indices unless it may be too many.

    Raises:
        TooLarge: they are more than a worksheet holds.
    """
    raw = request.resolution == "raw"
    counts = [
        [open_observations(site, request, station, name, (start_ms, end_ms)).rows for name in request.sensors]
        for station in request.stations
    ]
    least, most = sum(map(max, counts)), sum(map(sum, counts))
    if raw and least >= SHEET_ROWS and kind == XLSX:
        raise _too_many(least)
    buckets = most if raw else _most_buckets(site, request, start_ms, end_ms)
    if kind != XLSX or min(most, buckets) < SHEET_ROWS:
        return least if raw else min(most, buckets)
    return sum(len(piece.times) for piece in on_one_sheet(joined(site, request, start_ms, end_ms)))


def _most_buckets(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> int:
    """Return how many buckets there can be, split hours and days of several beginnings included."""
    bucket = BY_NAME[request.resolution]
    shortest_ms = bucket.usual_ms if bucket.unit == "ms" else _SHORTEST_MONTH_MS
    beginnings = len({site.catalogue[name].day_start_min for name in request.sensors}) if shortest_ms >= DAY_MS else 1
    span_ms = end_ms - start_ms
    return len(request.stations) * beginnings * (span_ms // shortest_ms + span_ms // _CLOCK_CHANGES_MS + 4)


def on_one_sheet(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Yield the pieces, as long as a worksheet holds them.

    Raises:
        TooLarge: it does not.
    """
    rows = 0
    for piece in pieces:
        rows += len(piece.times)
        if rows >= SHEET_ROWS:
            raise _too_many(rows)
        yield piece


def _too_many(rows: int) -> TooLarge:
    return TooLarge(
        "A worksheet holds at most {most} rows, but this export has at least {rows}. Choose CSV, Parquet "
        "or NetCDF, a shorter range or a coarser resolution.",
        field="format",
        most=f"{SHEET_ROWS - 1:,}",
        rows=f"{rows:,}",
    )
