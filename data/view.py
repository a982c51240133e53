"""A request's window as it is drawn: the one view path (docs/view.md says what is drawn and why it is true).

First drawing, drawing while a job runs, zoom, theme, reload and the API all come here, on the tiles that exist.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from data.aggregated import buckets_drawn
from data.bars import bars
from data.catalogue import Catalogue
from data.dots import raw_dots
from data.drawn import HistoryView, SeriesStatistics, SeriesView
from data.lines import raw_line
from data.reduce import Cut, cut
from data.request import HistoryRequest
from data.series import SeriesKey
from data.statistics import statistics
from data.tiles import TileStore
from data.window import Points, Subject, Window, flagged_markers
from errors import InvalidRequest, TileDamaged

__all__ = ["HistoryView", "SeriesStatistics", "SeriesView", "view_request"]

WIDEST_PX = 8192


class HasId(Protocol):
    """A source."""

    @property
    def id(self) -> str:
        """Names the source among the tiles."""
        ...


class SiteLike(Protocol):
    """What a view needs of a site; see data/site.py."""

    @property
    def catalogue(self) -> Catalogue:
        """The sensors."""
        ...

    @property
    def tiles(self) -> TileStore:
        """The tiles."""
        ...

    @property
    def source(self) -> HasId:
        """Where the tiles' rows come from."""
        ...


def view_request(
    site: SiteLike,
    request: HistoryRequest,
    start_ms: int,
    end_ms: int,
    width_px: int,
    *,
    include_flagged: bool = False,
    with_statistics: bool = True,
) -> HistoryView:
    """All series of a request in [start_ms, end_ms), int ms UTC, reduced to ``width_px`` pixel columns.

    Data is taken from within the request's range only. No database is asked; months without a tile are just not there.

    Raises:
        InvalidRequest: the window is empty or has no width.
        UnknownSensor: the request names a sensor that the catalogue lacks.
    """
    if start_ms >= end_ms:
        raise InvalidRequest("The start must lie before the end.", field="start")
    if width_px < 1:
        raise InvalidRequest("The width must be at least one pixel.", field="width")
    window = Window(start_ms, end_ms, min(width_px, WIDEST_PX), request.timezone, include_flagged)
    drawn, exact = [], []
    for station, name in request.series:
        subject = _open(site, request, station, name)
        drawn.append(_view(site.tiles, subject, window, request.resolution))
        if with_statistics:
            exact.append(_statistics(subject, window))
    return HistoryView(
        start_ms=start_ms,
        end_ms=end_ms,
        timezone=request.timezone,
        resolution=request.resolution,
        series=tuple(drawn),
        statistics=tuple(exact),
        total_rows=sum(view.total_rows for view in drawn),
        total_flagged=sum(view.total_flagged for view in drawn),
    )


def _open(site: SiteLike, request: HistoryRequest, station: str, name: str) -> Subject:
    key = SeriesKey(site.source.id, station, name)
    try:
        series = site.tiles.open_series(key, request.start_ms, request.end_ms)
    except TileDamaged:  # logged, and out of the index now: draw the rest; the next load reads it again
        series = site.tiles.open_series(key, request.start_ms, request.end_ms)
    site.tiles.touch((key, entry.month) for entry in series.entries)
    steps = [entry.step_ms for entry in series.entries if entry.step_ms]
    return Subject(series, site.catalogue[name], int(np.median(steps)) if steps else None)


def _view(tiles: TileStore, subject: Subject, window: Window, resolution: str) -> SeriesView:
    columns = cut(subject.series, window.edges())
    points = _points(tiles, subject, window, resolution, columns)
    flagged_x, flagged_y = flagged_markers(columns)
    return SeriesView(
        station=subject.series.key.station,
        sensor=subject.sensor.name,
        kind=subject.sensor.drawing,
        x=points.x,
        y=points.y,
        rows=points.rows,
        width=points.width,
        lower=points.lower,
        upper=points.upper,
        flagged_x=flagged_x,
        flagged_y=flagged_y,
        bucket=points.bucket,
        exact=points.exact,
        total_rows=int(columns.total.sum()),
        total_flagged=int(columns.flagged.sum()),
    )


def _points(tiles: TileStore, subject: Subject, window: Window, resolution: str, columns: Cut) -> Points:
    drawing = subject.sensor.drawing
    if drawing == "bars":
        return bars(subject, window, int(columns.total.sum()), resolution)
    if resolution == "raw":
        return raw_line(subject, window, columns) if drawing == "line" else raw_dots(subject, window, columns)
    try:
        return buckets_drawn(tiles, subject, window, resolution)
    except TileDamaged:  # a rollup: out of the index now; draw the rest, the next load makes it again
        return buckets_drawn(tiles, subject, window, resolution)


def _statistics(subject: Subject, window: Window) -> SeriesStatistics:
    return statistics(
        subject.series,
        subject.sensor,
        window.start_ms,
        window.end_ms,
        step_ms=subject.step_ms,
        include_flagged=window.include_flagged,
    )
