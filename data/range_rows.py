"""Opening the observations of a request: the one place that knows which
rows a span of time is made of.

A span [start, end) of a sensor whose times mark the *end* of an interval is the rows stamped in
(start, end]. Times are whole milliseconds, so these are the rows stamped in [start + 1, end + 1):
their lag is 1 ms (docs/decisions/0019).
"""

from __future__ import annotations

from data.catalogue import Catalogue, Sensor
from data.overlay import overlaid_series
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.tiles.series import Series, SeriesKey
from data.time.buckets import BY_NAME, Bucket, bucket_bounds
from data.time.epoch import HOUR_MS, MINUTE_MS, epoch_ms
from data.time.months import month_of, month_start_ms, months_between
from data.time.resolution import Resolution
from errors import NotPermitted

Span = tuple[int, int]


def lag_ms(sensor: Sensor) -> int:
    """Return how much later than the last moment of its span an observation may be stamped."""
    return 1 if sensor.stamp == "end" else 0


def stamped_months(catalogue: Catalogue, request: HistoryRequest) -> range:
    """UTC months in which observations of a request are stamped, of all its sensors together."""
    lags = [lag_ms(catalogue[name]) for name in request.sensors]
    return months_between(request.start_ms + min(lags), request.end_ms + max(lags))


def months_looked_at(catalogue: Catalogue, request: HistoryRequest) -> range:
    """UTC months of :func:`stamped_months`, and those before that formulas look back to."""
    months = stamped_months(catalogue, request)
    back_ms = max(catalogue[name].back_ms for name in request.sensors)
    return range(month_of(month_start_ms(months.start) - back_ms), months.stop)


def stations_looked_at(catalogue: Catalogue, request: HistoryRequest) -> tuple[str, ...]:
    """Stations of a request, and behind them the others that formulas of its sensors read."""
    others = (each for name in request.sensors for each in catalogue[name].other_stations)
    return tuple(dict.fromkeys((*request.stations, *others)))


def open_observations(site: SiteLike, request: HistoryRequest, station: str, name: str, span: Span | None = None) -> Series:
    """The published observations of a request at one sensor, or of a span of it;
    months that are missing are just not there. Readings that the site's choice of flags leaves out
    are flagged.

    Where only whole steps may be seen, the range is made smaller
    until it cuts none of the sensor's.

    Raises:
        UnknownSensor: the catalogue lacks it.
        TileDamaged: a tile is damaged; it is out of the index then,
            so the next plan reads it again.
    """
    start, end = _seen(site, request, name, span)
    overlaid, lag = overlaid_series(site, station, name), lag_ms(site.catalogue[name])
    if overlaid is not None:
        return overlaid.open(start, end, lag_ms=lag)
    return site.tiles.open_series(SeriesKey(site.source_id, station, name), start, end, lag_ms=lag)


def published_months(site: SiteLike, request: HistoryRequest, station: str, name: str, span: Span | None = None) -> set[int]:
    """UTC months of the tiles that :func:`open_observations` opens; told from the index."""
    start, end = _seen(site, request, name, span)
    lag = lag_ms(site.catalogue[name])
    months = months_between(start + lag, end + lag)
    return {month for month in site.tiles.entries(SeriesKey(site.source_id, station, name)) if month in months}


def _seen(site: SiteLike, request: HistoryRequest, name: str, span: Span | None) -> Span:
    start, end = span or (request.start_ms, request.end_ms)
    start, end = max(start, request.start_ms), min(end, request.end_ms)
    return whole_steps(site.floor, site.catalogue[name], request.timezone, (start, max(start, end)))


def whole_steps(floor: Resolution, sensor: Sensor, timezone: str, span: Span, now_ms: int | None = None) -> Span:
    """A span made smaller until it cuts no step of a floor as the sensor counts them;
    unchanged at raw.

    An end that is still to come cuts nothing off the step that has begun: what follows is not there
    yet. Steps that have not begun may have rows, too, of a clock that is ahead.
    """
    start, end = span
    if floor == "raw" or start >= end:
        return span
    bucket = BY_NAME[floor]
    first = bucket_bounds(bucket, start, start + 1, timezone, sensor.day_start_min)
    last = bucket_bounds(bucket, end - 1, end, timezone, sensor.day_start_min)
    has_begun = last[0] <= (epoch_ms() if now_ms is None else now_ms) < end
    start, end = start if first[0] == start else first[1], end if last[1] == end or has_begun else last[0]
    return start, max(start, end)


def refuse_cut_steps(floor: Resolution, sensor: Sensor, bucket: Bucket) -> None:
    """Raise NotPermitted where a bucket of a sensor would not be made of whole steps of a floor:
    its day begins within one.
    """
    step_ms = 0 if floor == "raw" else BY_NAME[floor].usual_ms
    if 0 < step_ms <= HOUR_MS < bucket.usual_ms and sensor.day_start_min * MINUTE_MS % step_ms:
        raise NotPermitted(
            "The day of {sensor} begins at {time}, within a step of {floor}, and you have access to whole steps "
            "only. Choose a resolution of an hour or finer and a shorter window.",
            field="resolution",
            sensor=sensor.name,
            time=f"{sensor.day_start_min // 60:02d}:{sensor.day_start_min % 60:02d}",
            floor=floor,
        )
