"""Which rows a range is made of: a gauge that stamps the end of an interval has (start, end],
wherever it is looked at.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.tile_site import TileSite
from data.export.rows import joined
from data.range_rows import stamped_months
from data.request import HistoryRequest
from data.time.months import months_of
from data.time.resolution import Resolution
from data.view.records import SeriesStatistics, SeriesView
from data.view.rollup import write_rollups
from data.view.view_request import view_request
from tests.tiled import DAY, HOUR, MARCH_2019, MINUTE, sensor_named, site_with, store_rows

GAUGES = [
    ("Asia/Jakarta", 5, 0),
    ("Asia/Jakarta", 60, 420),  # a rain day that begins at 07:00
    ("America/New_York", 60, 0),  # 10 March has 23 hours
    ("Europe/Brussels", 5, 420),  # so has 31 March
]


class Gauge:
    """A rain gauge of March 2019 and some days around it,
    and what a plain reading of its rows says of any range.
    """

    def __init__(self, root: Path, zone: str, step_min: int, day_start_min: int) -> None:
        self.zone, self.sensor = zone, sensor_named("rainfall", day_start_min=day_start_min)
        self.days = [self._at(date(2019, 3, 1) + timedelta(days=day)) for day in range(32)]
        self.times = np.arange(self.days[0] - 3 * DAY, self.days[-1] + 3 * DAY, step_min * MINUTE)
        self.values = np.random.default_rng(step_min).integers(1, 9, len(self.times)) / 4
        self.site = site_with(root, self.sensor)
        store_rows(self.site.tiles, self.sensor, self.times, self.values)

    def _at(self, day: date) -> int:
        hours, minutes = divmod(self.sensor.day_start_min, 60)
        moment = datetime(day.year, day.month, day.day, hours, minutes, tzinfo=ZoneInfo(self.zone))
        return round(moment.timestamp()) * 1000

    def inside(self, start: int, end: int) -> np.ndarray:
        return self.values[(self.times > start) & (self.times <= end)]

    def request(self, start: int, end: int, resolution: Resolution = "raw") -> HistoryRequest:
        return HistoryRequest(("aws-1",), ("rainfall",), start, end, resolution, self.zone)

    def view(self, request: HistoryRequest, width: int, *window: int) -> tuple[SeriesView, SeriesStatistics]:
        start, end = window or (request.start_ms, request.end_ms)
        found = view_request(self.site, request, start, end, width)
        return found.series[0], found.statistics[0]

    def file(self, request: HistoryRequest, *window: int) -> tuple[np.ndarray, np.ndarray]:
        pieces = list(joined(self.site, request, *(window or (request.start_ms, request.end_ms))))
        return np.concatenate([piece.times for piece in pieces]), np.concatenate([piece.values[0] for piece in pieces])


@pytest.fixture(scope="module", params=GAUGES, ids=lambda gauge: f"{gauge[0].split('/')[1]}-{gauge[1]}min-{gauge[2] // 60}h")
def gauge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Gauge:
    return Gauge(tmp_path_factory.mktemp("gauge"), *request.param)


def test_every_day_of_a_month_loaded_alone_adds_up_to_the_month_to_its_bars_and_to_its_files(gauge: Gauge) -> None:
    whole = gauge.request(gauge.days[0], gauge.days[-1], "1d")
    bars, month = gauge.view(whole, 1200)
    assert bars.bucket == "1d"
    assert bars.x.tolist() == gauge.days[:-1]
    alone: list[float] = []
    for start, end, bar in zip(gauge.days, gauge.days[1:], bars.y.tolist(), strict=False):
        raw, day = gauge.view(gauge.request(start, end), 1200)
        times, values = gauge.file(gauge.request(start, end))
        expected = gauge.inside(start, end)
        assert (day.sum, day.rows, day.completeness) == (expected.sum(), len(expected), 1.0)
        assert (raw.y.sum(), raw.total_rows, bar) == (day.sum, day.rows, day.sum)
        assert raw.width is not None
        assert start <= raw.x[0]
        assert raw.x[-1] + raw.width[-1] == end
        assert (values.sum(), times[-1]) == (day.sum, end)
        alone.append(day.sum or 0.0)
    assert sum(alone) == month.sum == bars.y.sum() == gauge.file(whole)[1].sum()
    assert month.rows == bars.total_rows == len(gauge.file(replace(whole, resolution="raw"))[0])


@pytest.mark.parametrize("resolution", ["raw", "10min", "1h", "1d", "1mo"])
@pytest.mark.parametrize("width", [37, 300, 3000])
def test_windows_of_a_loaded_month_have_the_rows_of_that_range_and_no_bar_before_it(
    gauge: Gauge, resolution: Resolution, width: int
) -> None:
    whole = gauge.request(gauge.days[0], gauge.days[-1], resolution)
    bars, month = gauge.view(whole, width)
    assert bars.y.sum() == pytest.approx(month.sum)
    assert bars.width is not None
    assert bars.x[0] + bars.width[0] > whole.start_ms
    for start, end in zip(gauge.days, gauge.days[1:], strict=False):
        seen, day = gauge.view(whole, width, start, end)
        assert (day.sum, seen.total_rows) == (gauge.inside(start, end).sum(), len(gauge.inside(start, end)))
        assert gauge.file(whole, start, end)[1].sum() == day.sum


def test_a_row_of_the_next_months_first_moment_belongs_to_this_one(tmp_path: Path) -> None:
    """In UTC a month ends with the row that is stored in the tile of the next."""
    gauge = Gauge(tmp_path, "UTC", 60, 0)
    march = gauge.request(MARCH_2019, gauge.days[-1], "1h")
    assert list(stamped_months(gauge.site.catalogue, march)) == months_of(np.array([MARCH_2019, gauge.days[-1]])).tolist()
    assert gauge.view(march, 1200)[1].rows == 31 * 24
    times, _ = gauge.file(replace(march, resolution="raw"))
    assert (times[0], times[-1]) == (MARCH_2019 + HOUR, gauge.days[-1])
    temperature = replace(march, sensors=("temperature",))
    assert len(stamped_months(gauge.site.catalogue, temperature)) == 1


def test_the_last_hour_of_a_month_of_means_is_whole_where_it_is_drawn_from_a_rollup(tmp_path: Path) -> None:
    sensor = sensor_named("temperature", stamp="end")
    site = site_with(tmp_path, sensor)
    times = np.arange(MARCH_2019 - DAY, MARCH_2019 + 33 * DAY, 10 * MINUTE)
    store_rows(site.tiles, sensor, times, np.arange(len(times)) % 60)
    request = HistoryRequest(("aws-1",), ("temperature",), MARCH_2019, MARCH_2019 + 31 * DAY, "1h", "UTC")
    write_rollups(site, request)

    few, many = (view_request(site, request, request.start_ms, request.end_ms, width) for width in (3000, 200))

    exact = dict(zip(few.series[0].x.tolist(), few.series[0].y.tolist(), strict=True))
    drawn = {x: y for x, y in zip(many.series[0].x.tolist(), many.series[0].y.tolist(), strict=True) if np.isfinite(y)}
    assert len(exact) == 31 * 24
    assert drawn == {x: exact[x] for x in drawn}
    assert max(drawn) == request.end_ms - HOUR
    assert few.series[0].rows.tolist() == [6] * len(exact)


def test_a_file_of_sensors_of_both_kinds_has_each_time_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gauge = Gauge(tmp_path, "UTC", 60, 0)
    store_rows(gauge.site.tiles, sensor_named("temperature"), gauge.times, np.ones(len(gauge.times)))
    request = replace(gauge.request(MARCH_2019 - DAY, MARCH_2019 + DAY), sensors=("rainfall", "temperature"))
    for rows in (1, 5, 1000):
        monkeypatch.setattr("data.export.rows.PIECE_ROWS", rows)
        pieces = list(joined(gauge.site, request, request.start_ms, request.end_ms))
        times, rain, temperature = (
            np.concatenate(parts) for parts in zip(*((piece.times, *piece.values) for piece in pieces), strict=True)
        )
        assert times.tolist() == list(range(request.start_ms, request.end_ms + 1, HOUR))
        assert np.isnan(rain).nonzero()[0].tolist() == [0]
        assert np.isnan(temperature).nonzero()[0].tolist() == [48]


# Buckets where there are rows


@settings(deadline=None)
@given(
    rows=st.lists(st.integers(0, 4000), min_size=1, max_size=6, unique=True),
    resolution=st.sampled_from(["1min", "10min", "1h", "1d", "1mo"]),
    stamp=st.sampled_from(["start", "end"]),
    cut=st.integers(0, 3 * DAY // MINUTE),
)
def test_a_file_of_rows_years_apart_has_every_bucket_once(
    rows: list[int], resolution: Resolution, stamp: str, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sensor = sensor_named("rainfall", stamp=stamp, day_start_min=420)
    site = site_with(tmp_path_factory.mktemp("apart"), sensor)
    times = MARCH_2019 + np.array(sorted(rows)) * 7 * DAY // 3
    store_rows(site.tiles, sensor, times, np.ones(len(times)))
    request = HistoryRequest(
        ("aws-1",), ("rainfall",), MARCH_2019 - 400 * DAY + cut * MINUTE, MARCH_2019 + 10_000 * DAY, resolution, "Asia/Jakarta"
    )
    starts = np.concatenate([piece.times for piece in joined(site, request, request.start_ms, request.end_ms)])
    values = np.concatenate([piece.values[0] for piece in joined(site, request, request.start_ms, request.end_ms)])
    assert starts.tolist() == sorted(set(starts.tolist()))
    assert values.sum() == len(rows)


def test_thirty_years_of_minutes_cost_what_the_two_days_cost_of_which_there_are_rows(tmp_path: Path) -> None:
    site, rain = site_with(tmp_path), sensor_named("rainfall")
    times = MARCH_2019 + np.arange(1, 2 * 24 * 60 + 1) * MINUTE
    store_rows(site.tiles, rain, times, np.ones(len(times)))
    request = HistoryRequest(
        ("aws-1",), ("rainfall",), MARCH_2019 - 9_000 * DAY, MARCH_2019 + 2_000 * DAY, "1min", "Asia/Jakarta"
    )
    tracemalloc.start()
    try:
        rows = sum(len(piece.times) for piece in joined(site, request, request.start_ms, request.end_ms))
        view_request(site, request, request.start_ms, request.end_ms, 900)
        assert rows == len(times)
        # one array of all minutes would be 127 MB
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


# Floors


def _steps(gauge: Gauge, start: int, end: int) -> list[tuple[int, int]]:
    """The days of a gauge that lie wholly in a range."""
    return [(low, high) for low, high in zip(gauge.days, gauge.days[1:], strict=False) if start <= low and high <= end]


@settings(deadline=None, max_examples=60)
@given(
    first=st.integers(0, 29),
    length=st.integers(1, 30),
    window=st.tuples(st.integers(0, 31), st.integers(1, 31)),
    width=st.sampled_from([40, 200, 1200]),
    resolution=st.sampled_from(["1d", "1mo"]),
)
def test_under_a_floor_of_days_nothing_but_whole_days_of_the_sensor_is_in_bars_statistics_and_files(
    gauge: Gauge, first: int, length: int, window: tuple[int, int], width: int, resolution: Resolution
) -> None:
    # of zones whose clocks change at night, about
    midnights = [day - gauge.sensor.day_start_min * MINUTE for day in gauge.days]
    request = gauge.request(midnights[first], midnights[min(31, first + length)], resolution)
    span = max(request.start_ms, midnights[window[0]]), min(request.end_ms, midnights[min(31, sum(window))])
    if span[0] >= span[1]:
        return
    site = TileSite(gauge.site.tiles, gauge.site.catalogue, floor="1d")
    view = view_request(site, request, *span, width)
    days = _steps(gauge, *span)
    expected = [gauge.inside(*day).sum() for day in days]
    assert (view.statistics[0].sum or 0) == sum(expected)
    assert view.total_rows == view.statistics[0].rows == sum(len(gauge.inside(*day)) for day in days)
    values = [value for piece in joined(site, request, *span) for value in piece.values[0].tolist()]
    assert sum(values) == sum(expected)
    if resolution == "1d":
        assert values == expected
    whole = {day[0]: gauge.inside(*day).sum() for day in _steps(gauge, request.start_ms, request.end_ms)}
    bars = view.series[0]
    if bars.bucket == "1d":
        assert dict(zip(bars.x.tolist(), bars.y.tolist(), strict=True)).items() <= whole.items()
        assert {day[0] for day in days} <= set(bars.x.tolist())
    else:
        assert bars.y.sum() <= sum(whole.values())
