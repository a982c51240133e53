"""A request's window as it is drawn: the one view path (docs/view.md says
what is drawn and why it is true).

First drawing, drawing while a job runs, zoom, theme, reload and the API all come here,
on the tiles that exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np

from data.overlay import overlaid_series
from data.range_rows import open_observations, whole_steps
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.tiles.series import Series
from data.tiles.tile_store import TileStore
from data.view.bars import bars
from data.view.column_reducers import EXTREMES
from data.view.directions import raw_dots
from data.view.flag_marks import flag_marks
from data.view.lines import raw_line
from data.view.records import HistoryView, Points, SeriesStatistics, SeriesView, Smoothing, Spread
from data.view.reduce import Cut, cut
from data.view.resampled import buckets_drawn
from data.view.smoothing import smooth_line
from data.view.spread import drawn_buckets, read_buckets, shared_width, spread, spread_sensors
from data.view.statistics import statistics
from data.view.window import SeriesContext, Window, column_points
from errors import InvalidRequest, TileDamaged

__all__ = ["HistoryView", "SeriesStatistics", "SeriesView", "view_request"]

WIDEST_PX = 8192
Read = TypeVar("Read")
_MOST_DAMAGED = 50  # tiles of one series that one view finds damaged and leaves out


def view_request(
    site: SiteLike,
    request: HistoryRequest,
    start_ms: int,
    end_ms: int,
    width_px: int,
    *,
    include_flagged: bool = False,
    with_statistics: bool = True,
    smoothing: Smoothing | None = None,
) -> HistoryView:
    """Return all series of a request in [start_ms, end_ms), int ms UTC,
    reduced to ``width_px`` pixel columns.

    Data is taken from within the request's range only. No database is asked;
    months without a tile are just not there.

    Raises:
        InvalidRequest: the window is empty or has no width.
        UnknownSensor: the request names a sensor that the catalogue lacks.
    """
    if start_ms >= end_ms:
        raise InvalidRequest("The start must be before the end.", field="start")
    if width_px < 1:
        raise InvalidRequest("The width must be at least one pixel.", field="width")
    window = Window(start_ms, end_ms, min(width_px, WIDEST_PX), request.timezone, include_flagged)
    drawn, exact = [], []
    site.tiles.look(site.source_id, request.stations)
    for station, name in request.series:
        of_one = partial(_of_series, site, request, station, name, window, with_statistics, smoothing)
        one, numbers = _undamaged(of_one)
        drawn.append(one)
        exact += numbers
    many = spread_sensors(request, site.catalogue)
    spreads = [_undamaged(partial(_spread, site, request, name, window, drawn)) for name in many]
    marks = [_undamaged(partial(flag_marks, site, request, station, name, window)) for station, name in request.series]
    return HistoryView(
        start_ms=start_ms,
        end_ms=end_ms,
        timezone=request.timezone,
        resolution=request.resolution,
        series=tuple(drawn),
        statistics=tuple(exact),
        total_rows=sum(view.total_rows for view in drawn),
        total_flagged=sum(view.total_flagged for view in drawn),
        spreads=tuple(spreads),
        marks=tuple(each for each in marks if each is not None),
    )


def _undamaged(read: Callable[[], Read]) -> Read:
    """Return what is read without the tiles that are found damaged, or were removed meanwhile: each
    is logged and out of the index now, and the next load reads it again.
    """
    for _ in range(_MOST_DAMAGED):
        try:
            return read()
        except TileDamaged as exc:
            damage = exc
    raise damage


def _of_series(
    site: SiteLike,
    request: HistoryRequest,
    station: str,
    name: str,
    window: Window,
    with_statistics: bool,
    smoothing: Smoothing | None,
) -> tuple[SeriesView, list[SeriesStatistics]]:
    """A series as it is drawn, and its statistics if they are wanted."""
    subject = _open(site, request, station, name)
    seen = shared_width(window, len(request.stations))
    drawn = _view(site.tiles, subject, window, seen, request.resolution)
    if smoothing is not None:
        drawn = replace(drawn, smooth=smooth_line(subject, seen, smoothing, len(request.series)))
    if not with_statistics:
        return drawn, []
    span = (window.start_ms, window.end_ms)
    flagged, step_ms = window.include_flagged, subject.step_ms
    exact = statistics(_permitted_part(subject, window), subject.sensor, *span, step_ms=step_ms, include_flagged=flagged)
    return drawn, [exact]


def _spread(site: SiteLike, request: HistoryRequest, name: str, window: Window, drawn: Sequence[SeriesView]) -> Spread:
    """How the stations of a sensor lie, of what is drawn of each where that is buckets."""
    of_sensor = [one for one in drawn if one.sensor == name]
    if parts := drawn_buckets(of_sensor):
        return spread(site.catalogue[name], parts, of_sensor[0].bucket)
    subjects = [_open(site, request, station, name) for station in request.stations]
    return spread(site.catalogue[name], *read_buckets(subjects, window, request.resolution))


def _open(site: SiteLike, request: HistoryRequest, station: str, name: str) -> SeriesContext:
    series = open_observations(site, request, station, name)
    site.tiles.touch((series.key, entry.month) for entry in series.entries)
    steps = [entry.step_ms for entry in series.entries if entry.step_ms]
    overlaid, step_ms = overlaid_series(site, station, name), int(np.median(steps)) if steps else None
    return SeriesContext(series, site.catalogue[name], step_ms, site.floor, overlaid)


def _permitted_part(subject: SeriesContext, window: Window) -> Series:
    """Return the window's part of a series for statistics, without a cut step of a floor."""
    start, end = whole_steps(subject.floor, subject.sensor, window.timezone, (window.start_ms, window.end_ms))
    series = subject.series
    return replace(series, start_ms=max(start, series.start_ms), end_ms=max(start, series.start_ms, min(end, series.end_ms)))


def _view(tiles: TileStore, subject: SeriesContext, window: Window, seen: Window, resolution: str) -> SeriesView:
    """A series in the columns of ``seen``; bars, which are few, in those of the window."""
    columns = cut(_permitted_part(subject, seen), seen.edges())
    flagged_x = flagged_y = np.empty(0)
    if subject.floor == "raw" and columns.flagged.any():  # what is flagged is marked one by one
        flagged_x, flagged_y, _ = column_points(columns.columns("flagged", want=EXTREMES), "min", "max")
    return SeriesView(
        **vars(_points(tiles, subject, window if subject.sensor.drawing == "bars" else seen, resolution, columns)),
        station=subject.series.key.station,
        sensor=subject.sensor.name,
        kind=subject.sensor.drawing,
        flagged_x=flagged_x,
        flagged_y=flagged_y,
        total_rows=int(columns.total.sum()),
        total_flagged=int(columns.flagged.sum()),
    )


def _points(tiles: TileStore, subject: SeriesContext, window: Window, resolution: str, columns: Cut) -> Points:
    drawing = subject.sensor.drawing
    if drawing == "bars":
        return bars(subject, window, int(columns.total.sum()), resolution)
    if resolution == "raw":
        return raw_line(subject, window, columns) if drawing == "line" else raw_dots(subject, window, columns)
    return buckets_drawn(tiles, subject, window, resolution)
