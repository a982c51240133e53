"""The workbook of a request: Data (its rows), Daily, Monthly, Summary, Notes where there are some,
and About, which says what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from data.catalogue import Sensor
from data.export.columns import header, offsets_ms
from data.export.flag_column import flag_column
from data.export.manifest_records import decision_records
from data.export.periods import period_columns, periods
from data.export.rows import Piece
from data.export.xlsx import DAY, MONTH, Book, Cell, Moment, ReportRows, new_book, with_offset
from data.flags_missing import unchecked_months
from data.range_rows import Span, open_observations
from data.request import HistoryRequest
from data.site import Site
from data.time.buckets import BY_NAME
from data.time.epoch import DAY_MS, LATEST_MS
from data.time.months import iso_utc
from data.time.zones import offset_text
from data.view.statistics import statistics
from errors import NotPermitted

_ROWS_AT_ONCE: Final = 5_000
_TIME_WIDTH, _STATION_WIDTH, _VALUE_WIDTH, _FLAG_WIDTH = 26, 16, 18, 40
_RULES: Final = {
    "mean": "mean, least and greatest",
    "sum": "sum",
    "direction": "direction of the mean of unit vectors; none where that vanishes",
}
_SUMMARY: Final = (
    "station", "sensor", "unit", "rows", "flagged", "completeness", "min", "min time (UTC)", "max", "max time (UTC)", "mean",
    "sum", "last", "last time (UTC)",
)  # fmt: skip
_NOTE: Final = ("from", "to (no longer part of it)", "station", "sensor", "kind", "text", "by")
_SENSOR: Final = (
    "sensor", "label", "unit", "Daily and Monthly", "day begins", "time stamps", "decimals", "valid from", "valid to", "formula",
)  # fmt: skip
_DECISION: Final = ("decision", "station", "sensor", "kind", "from", "to", "rule", "amount", "filled from")


def write_workbook(
    site: Site, request: HistoryRequest, span: Span, pieces: Iterable[Piece], path: Path, wrote: ReportRows
) -> int:
    """Write the sheets; returns how many rows Data has below its header.
    ``wrote`` is called every 5,000 of them.

    Raises:
        OSError: it cannot be written, such as on a full disk.
    """
    with new_book(path) as book:
        rows = _data(book, site, request, pieces, wrote)
        told = [_periods(book, site, request, span, name) for name in ("Daily", "Monthly")]
        _summary(book, site, request, span)
        _notes(book, site, request)
        _about(book, site, request, span, rows, [text for text in told if text])
    return rows


def _data(book: Book, site: Site, request: HistoryRequest, pieces: Iterable[Piece], wrote: ReportRows) -> int:
    with_flags = request.resolution == "raw"
    widths = [20, _TIME_WIDTH, _STATION_WIDTH, *[_VALUE_WIDTH] * len(request.sensors), *[_FLAG_WIDTH] * with_flags]
    sheet = book.sheet("Data", header(site.catalogue, request.sensors, "name", with_flags=with_flags), widths)
    for piece in pieces:
        offsets = offsets_ms(piece.times, request.timezone).tolist()
        flags = flag_column(site, request, piece) if with_flags else None
        forms = {offset: with_offset(offset_text(offset)) for offset in set(offsets)}
        for start in range(0, len(piece.times), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            times, columns = piece.times[some].tolist(), [column[some].tolist() for column in piece.values]
            if flags is not None:
                columns.append([text or None for text in flags[some].to_pylist()])
            for time_ms, offset, *values in zip(times, offsets[some], *columns, strict=True):
                sheet.add((Moment(time_ms), Moment(time_ms + offset, forms[offset]), piece.station, *values))
            wrote(piece.station, times[-1], sheet.rows - 1)
    return sheet.rows - 1


def _periods(book: Book, site: Site, request: HistoryRequest, span: Span, name: str) -> str:
    """Write Daily or Monthly; why it is empty, if it is."""
    bucket, form, first = {"Daily": (BY_NAME["1d"], DAY, "day"), "Monthly": (BY_NAME["1mo"], MONTH, "month")}[name]
    sensors = [site.catalogue[each] for each in request.sensors]
    columns = [column for sensor in sensors for column in period_columns(sensor)]
    sheet = book.sheet(name, [first, "station", *columns], [12, _STATION_WIDTH, *[_VALUE_WIDTH] * len(columns)])
    if request.resolution != "raw" and bucket.usual_ms < BY_NAME[request.resolution].usual_ms:
        return f"{name} is empty: the request is by {request.resolution}, which is coarser."
    try:
        for found in periods(site, request, span, bucket):
            for start, *values in zip(found.starts.tolist(), *(column.tolist() for column in found.columns), strict=True):
                sheet.add((Moment(start, form), found.station, *values))
    except NotPermitted as error:
        return f"{name} is empty: {error.message}"
    return ""


def _summary(book: Book, site: Site, request: HistoryRequest, span: Span) -> None:
    sheet = book.sheet("Summary", _SUMMARY, [_STATION_WIDTH] * len(_SUMMARY))
    for station, name in request.series:
        sensor = site.catalogue[name]
        found = statistics(open_observations(site, request, station, name, span), sensor, *span, step_ms=None)
        total = found.sum if sensor.aggregation == "sum" else None
        numbers = (_rounded(found.mean, sensor), _rounded(total, sensor))
        times = [None if time_ms is None else Moment(time_ms) for time_ms in (found.min_time, found.max_time, found.last_time)]
        sheet.add(
            (
                *(station, name, sensor.unit, found.rows, found.flagged, found.completeness),
                *(found.min, times[0], found.max, times[1], *numbers, found.last, times[2]),
            )
        )


def _rounded(value: float | None, sensor: Sensor) -> float | None:
    return None if value is None else round(value, sensor.decimals + 4)


def _notes(book: Book, site: Site, request: HistoryRequest) -> None:
    if not site.notes:
        return
    sheet = book.sheet("Notes", _NOTE, [_TIME_WIDTH, _TIME_WIDTH, _STATION_WIDTH, _VALUE_WIDTH, _VALUE_WIDTH, 80, _STATION_WIDTH])
    for one in site.notes:
        times = (None if each is None else _local(each, request.timezone) for each in (one.start_ms, one.end_ms))
        sheet.add((*times, one.station, one.sensor, one.kind, one.text, one.owner or None))


def _about(book: Book, site: Site, request: HistoryRequest, span: Span, rows: int, empty: Sequence[str]) -> None:
    sheet = book.sheet("About", (), [26, 60, *[_VALUE_WIDTH] * 8])
    for line in (*_request_lines(site, request, span, rows), *_sheet_lines(request, empty, noted=bool(site.notes)), ()):
        sheet.add(line)
    sheet.add(_SENSOR)
    for name in request.sensors:
        sheet.add(_sensor_line(site.catalogue[name]))
    decisions = decision_records(site, request, with_flags=False)
    if decisions:
        sheet.add(())
        sheet.add(_DECISION)
    for one in decisions:
        filled_from = ", ".join(one.filled_from) if one.filled_from else None
        sheet.add((one.number, one.station, one.sensor, one.kind, one.start, one.end, one.rule, one.amount, filled_from))


def _request_lines(site: Site, request: HistoryRequest, span: Span, rows: int) -> Iterator[tuple[Cell, ...]]:
    mapping = site.settings.source
    yield ("stations", ", ".join(request.stations))
    yield ("sensors", ", ".join(request.sensors))
    for what, time_ms in (("from", span[0]), ("to (no longer part of it)", span[1])):
        yield (what, _local(time_ms, request.timezone), iso_utc(time_ms))
    yield ("resolution", request.resolution)
    yield ("time zone", request.timezone)
    yield ("source", f"a database, as {Path(mapping).name} maps it" if mapping else "files that were imported")
    yield ("flags of rules that count", site.flags)
    unchecked = ", ".join(unchecked_months(site, replace(request, start_ms=span[0], end_ms=span[1])))
    if unchecked:
        yield ("not checked", f"{unchecked}: no rule has looked at all readings, or decisions do not count yet")
    yield ("made", iso_utc(int(datetime.now(UTC).timestamp()) * 1000))
    yield ("rows of Data", rows)


def _sheet_lines(request: HistoryRequest, empty: Sequence[str], *, noted: bool) -> Iterator[tuple[Cell, ...]]:
    steps = f"steps of {request.resolution}, each at its start"
    of = "every observation, flagged ones included" if request.resolution == "raw" else steps
    yield ("Data", f"{of}; timestamp_local is what clocks of the time zone show, with their offset from UTC")
    within = f"days and months of {request.timezone}, of unflagged observations between from and to alone"
    yield ("Daily, Monthly", f"{within}: the first and the last may be parts; rows says of how many observations each is made")
    yield ("Summary", "of the observations between from and to; flagged ones are counted, and left out of the other columns")
    if noted:
        yield ("Notes", "what people share on these series in this time, and the stations' history; no number depends on it")
    yield from (("", text) for text in empty)


def _sensor_line(sensor: Sensor) -> tuple[Cell, ...]:
    begins = f"{sensor.day_start_min // 60:02d}:{sensor.day_start_min % 60:02d}"
    told = (sensor.name, sensor.label("en"), sensor.unit, _RULES[sensor.aggregation], begins)
    rest = (sensor.decimals, sensor.valid_min, sensor.valid_max, sensor.formula or None)
    return (*told, f"the {sensor.stamp} of the interval", *rest)


def _local(time_ms: int, timezone: str) -> str:
    moment = datetime.fromtimestamp(time_ms // 1000, ZoneInfo(timezone)) if 0 <= time_ms < LATEST_MS - 365 * DAY_MS else None
    return moment.isoformat(sep=" ") if moment else iso_utc(time_ms)
