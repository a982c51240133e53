"""Aggregates follow the sensor's rule, from all rows, in the request's zone;
zoomed out no extreme of them is lost.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.tile_site import TileSite
from data.catalogue import Sensor
from data.request import HistoryRequest, parse_time
from data.time.months import months_between
from data.view.records import SeriesView
from data.view.rollup import RollupGeneration, rollups_missing, write_rollups
from data.view.view_request import view_request
from tests.tiled import DAY, HOUR, KEY, MARCH_2019, MINUTE, sensor_named, site_with, store_rows

BERLIN = "Europe/Berlin"


def series_seen(
    site: TileSite,
    sensor: Sensor,
    resolution: str,
    rows: tuple[int, int],
    *,
    window: tuple[int, int] | None = None,
    width: int = 1200,
    zone: str = BERLIN,
    include_flagged: bool = False,
    loaded: bool = True,
) -> SeriesView:
    request = HistoryRequest(("aws-1",), (sensor.name,), *rows, resolution, zone)  # type: ignore[arg-type]
    if loaded:
        write_rollups(site, request)
    return view_request(site, request, *(window or rows), width, include_flagged=include_flagged).series[0]


def noise(n: int, step_ms: int, start: int = MARCH_2019) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(n)
    return start + np.arange(n, dtype=np.int64) * step_ms, 20 + np.cumsum(random.normal(0, 0.02, n))


def by_pandas(times: np.ndarray, values: np.ndarray, rule: str, zone: str) -> pd.DataFrame:
    index = pd.to_datetime(times, unit="ms", utc=True).tz_convert(zone)
    return pd.Series(values, index=index).resample(rule).agg(["mean", "min", "max", "count"]).query("count > 0")


def starts_ms(frame: pd.DataFrame) -> list[int]:
    index = pd.DatetimeIndex(frame.index)
    return ((index.tz_convert("UTC") - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(milliseconds=1)).tolist()


@pytest.mark.parametrize(
    ("resolution", "rule"), [("1min", "1min"), ("10min", "10min"), ("1h", "1h"), ("1d", "1D"), ("1mo", "1MS"), ("1y", "1YS")]
)
def test_means_with_their_band_equal_pandas_over_a_change_of_the_clock(tmp_path: Path, resolution: str, rule: str) -> None:
    sensor, site = sensor_named("temperature"), site_with(tmp_path)
    start = parse_time("2019-03-20", BERLIN, field="start")
    times, values = noise(50_000, 25_000, start)
    store_rows(site.tiles, sensor, times, values)

    view = series_seen(site, sensor, resolution, (start, int(times[-1]) + 1), width=8000 if resolution != "1min" else 8192 * 4)

    expected = by_pandas(times, values, rule, BERLIN)
    if resolution == "1min":  # more buckets than the widest view: its extremes are there
        assert (view.y.min(), view.y.max()) == (pytest.approx(expected["mean"].min()), pytest.approx(expected["mean"].max()))
        return
    assert view.lower is not None
    assert view.upper is not None
    assert view.x.tolist() == starts_ms(expected)
    np.testing.assert_allclose(view.y, expected["mean"], rtol=1e-12)
    np.testing.assert_array_equal(view.lower, expected["min"])
    np.testing.assert_array_equal(view.upper, expected["max"])
    np.testing.assert_array_equal(view.rows, expected["count"])
    assert view.bucket == resolution


@pytest.mark.parametrize("include_flagged", [False, True])
@pytest.mark.parametrize("cut", [0, 7 * MINUTE + 123])
def test_zoomed_out_the_line_keeps_every_extreme_of_the_buckets_and_the_band_that_of_the_rows(
    tmp_path: Path, cut: int, include_flagged: bool
) -> None:
    sensor, site = sensor_named("temperature"), site_with(tmp_path)
    times, values = noise(120_000, 30_000, MARCH_2019 - 10 * DAY)
    values[5000] = 500.0
    store_rows(site.tiles, sensor, times, values)
    rows = int(times[0]) + cut, int(times[-1]) + 1 - cut
    inside = (times >= rows[0]) & (times < rows[1]) & ((values < 60) | include_flagged)
    expected = by_pandas(times[inside], values[inside], "10min", "Asia/Kathmandu")

    view = series_seen(site, sensor, "10min", rows, width=300, zone="Asia/Kathmandu", include_flagged=include_flagged)

    assert view.lower is not None
    assert view.upper is not None
    means = dict(zip(starts_ms(expected), expected["mean"], strict=True))
    np.testing.assert_allclose(view.y, [means[int(x)] for x in view.x], rtol=1e-12)
    assert len(view.x) <= 4 * 150 + 2
    starts = np.array(starts_ms(expected))
    edges = rows[0] + (rows[1] - rows[0]) * np.arange(151) / 150
    for low, high in pairwise(edges):
        column, drawn = (starts >= low) & (starts < high), (view.x >= low) & (view.x < high)
        assert view.y[drawn].min() == pytest.approx(expected["mean"][column].min(), rel=1e-12)
        assert view.y[drawn].max() == pytest.approx(expected["mean"][column].max(), rel=1e-12)
        if low > rows[0]:  # the first column also begins with the request's cut bucket
            assert set(view.lower[drawn]) <= {expected["min"][column].min(), *expected["min"][column].iloc[[0, -1]]}
            assert set(view.upper[drawn]) <= {expected["max"][column].max(), *expected["max"][column].iloc[[0, -1]]}


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "America/New_York"])
def test_the_first_and_last_local_day_are_there_when_zoomed_out_though_they_lie_in_two_utc_months(
    tmp_path: Path, zone: str
) -> None:
    sensor, site = sensor_named("temperature"), site_with(tmp_path)
    # from a local midnight to a local midnight; in Jakarta the first is on the
    # last UTC day of the month before
    start, end = (parse_time(day, zone, field="start") for day in ("2019-03-01", "2019-08-01"))
    times, values = noise((end - start) // HOUR, HOUR, start + 20 * MINUTE)
    store_rows(site.tiles, sensor, times[10:], values[10:])
    expected = by_pandas(times[10:], values[10:], "1D", zone)

    view = series_seen(site, sensor, "1d", (start, end), width=80, zone=zone)

    assert view.bucket == "1d"
    assert len(view.x) < len(expected)
    for at in (0, -1):
        assert view.x[at] == starts_ms(expected)[at]
        assert view.y[at] == pytest.approx(expected["mean"].iloc[at], rel=1e-12)


def test_rollups_are_made_once_and_again_when_their_tiles_change(tmp_path: Path) -> None:
    sensor, site = sensor_named("temperature"), site_with(tmp_path)
    times, values = noise(100_000, MINUTE, MARCH_2019)
    store_rows(site.tiles, sensor, times, values)
    rows = int(times[0]), int(times[-1]) + 1
    request = HistoryRequest(("aws-1",), ("temperature", "rainfall"), *rows, "10min", BERLIN)

    used = write_rollups(site, request)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tile")}
    series_seen(site, sensor, "10min", rows, width=200)
    write_rollups(site, request)

    assert len(used) == 4  # March to May, and February, of which a local day may end in March
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tile")} == written
    store_rows(site.tiles, sensor, times, values + 1, generation=2)
    again = series_seen(site, sensor, "10min", rows, width=200)
    assert again.y.max() == pytest.approx(by_pandas(times, values + 1, "10min", BERLIN)["mean"].max())


def month_of(time_ms: int) -> int:
    return months_between(time_ms, time_ms + 1)[0]


def never(*_: object) -> None:
    raise AssertionError("a view made a rollup")


@pytest.mark.parametrize("include_flagged", [False, True])
def test_a_view_makes_no_rollup_and_draws_only_months_that_have_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, include_flagged: bool
) -> None:
    sensor, site = sensor_named("temperature"), site_with(tmp_path)
    times, values = noise(100_000, MINUTE, MARCH_2019)
    values[70_000] = 500.0  # in April
    store_rows(site.tiles, sensor, times, values)
    rows = int(times[0]), int(times[-1]) + 1
    request = HistoryRequest(("aws-1",), ("temperature",), *rows, "10min", "UTC")
    april, may = MARCH_2019 + 31 * DAY, MARCH_2019 + 61 * DAY
    seen = {"width": 200, "zone": "UTC", "include_flagged": include_flagged, "loaded": False}

    with monkeypatch.context() as patched:
        patched.setattr("data.view.rollup._Rollup._make", never)
        nothing = series_seen(site, sensor, "10min", rows, **seen)  # type: ignore[arg-type]
    missing = rollups_missing(site, request)
    write_rollups(site, request, {KEY: {month_of(MARCH_2019)}})
    monkeypatch.setattr("data.view.rollup._Rollup._make", never)
    march = series_seen(site, sensor, "10min", rows, **seen)  # type: ignore[arg-type]

    ends = {int(times[0]), int(times[-1]) // (10 * MINUTE) * 10 * MINUTE}
    assert {int(x) for x in nothing.x[~np.isnan(nothing.y)]} <= ends
    assert nothing.total_rows == len(times)
    assert missing == {month_of(MARCH_2019) + n for n in range(3)}
    assert rollups_missing(site, request) == {month_of(april), month_of(may)}
    drawn = march.x[~np.isnan(march.y)]
    assert len(drawn) > 100
    assert {int(x) for x in drawn[drawn >= april]} <= ends
    assert np.isnan(march.y).sum() == 1  # nothing joins March to the end


@pytest.mark.parametrize("zone", ["UTC", "Asia/Jakarta"])
def test_months_that_are_loaded_around_a_request_take_nothing_from_it(tmp_path: Path, zone: str) -> None:
    sensor, site = sensor_named("temperature"), site_with(tmp_path)
    rows = (MARCH_2019, MARCH_2019 + 61 * DAY)
    times, values = noise(120_000, MINUTE, MARCH_2019 - 10 * DAY)
    own = (times >= rows[0]) & (times < rows[1])
    store_rows(site.tiles, sensor, times[own], values[own])
    before = series_seen(site, sensor, "1d", rows, width=30, zone=zone, include_flagged=True)
    values[[0, -1]] = 500.0  # in months around
    request = HistoryRequest(("aws-1",), ("temperature",), *rows, "1d", zone)

    # February to May; March and April stay as they are
    store_rows(site.tiles, sensor, times, values)
    after = series_seen(site, sensor, "1d", rows, width=30, zone=zone, include_flagged=True, loaded=False)

    assert not rollups_missing(site, request)
    np.testing.assert_array_equal(after.x, before.x)
    np.testing.assert_allclose(after.y, before.y, rtol=1e-12)


def test_one_file_serves_both_kinds_of_rows_where_none_is_flagged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sensor, site = sensor_named("temperature"), site_with(tmp_path)
    times, values = noise(200_000, MINUTE, MARCH_2019)
    values[100_000] = 500.0  # in May: April's last bucket may have it too
    store_rows(site.tiles, sensor, times, values)
    rows = int(times[0]), int(times[-1]) + 1
    request = HistoryRequest(("aws-1",), ("temperature",), *rows, "10min", "UTC")

    used = write_rollups(site, request)
    monkeypatch.setattr("data.view.rollup._Rollup._make", never)
    good = series_seen(site, sensor, "10min", rows, width=200, zone="UTC")
    every = series_seen(site, sensor, "10min", rows, width=200, zone="UTC", include_flagged=True)

    march = month_of(MARCH_2019)
    assert [month - march for key, month in used if key.sensor.endswith("@all")] == [1, 2]
    expected = by_pandas(times, values, "10min", "UTC")["mean"]
    assert every.y.max() == pytest.approx(expected.max(), rel=1e-12)
    assert good.y.max() < every.y.max()
    means = dict(zip(starts_ms(expected.to_frame()), expected, strict=True))
    np.testing.assert_allclose(every.y, [means[int(x)] for x in every.x], rtol=1e-12)


def test_a_bucket_without_rows_breaks_the_line_and_sparse_rows_do_not(tmp_path: Path) -> None:
    sensor, site = sensor_named("temperature"), site_with(tmp_path)
    times, values = noise(4000, MINUTE)
    keep = (times < MARCH_2019 + 10 * HOUR) | (times >= MARCH_2019 + 15 * HOUR)
    store_rows(site.tiles, sensor, times[keep], values[keep])
    hourly = sensor_named("pressure")
    store_rows(site.tiles, hourly, MARCH_2019 + np.arange(60) * HOUR, np.full(60, 1000.0))
    rows = (MARCH_2019, MARCH_2019 + 60 * HOUR)

    assert int(np.isnan(series_seen(site, sensor, "1h", rows).y).sum()) == 1
    assert int(np.isnan(series_seen(site, hourly, "10min", rows).y).sum()) == 0


@pytest.mark.parametrize(("stamp", "sums"), [("end", [6.0, 6.0]), ("start", [3.0, 6.0, 3.0])])
def test_rain_stamped_at_the_end_of_its_hour_belongs_to_that_hour(tmp_path: Path, stamp: str, sums: list[float]) -> None:
    rain = sensor_named("rainfall", stamp=stamp)
    site = site_with(tmp_path, rain)
    # every ten minutes: 00:10 ... 02:00
    times = MARCH_2019 + np.arange(1, 13) * 10 * MINUTE
    store_rows(site.tiles, rain, times, np.r_[0.5, 0.5, 0.5, 0.5, 1.0, 3.0, 0, 0, 0, 0, 3.0, 3.0])

    view = series_seen(site, rain, "1h", (MARCH_2019, MARCH_2019 + 3 * HOUR), zone="UTC")

    assert view.kind == "bars"
    assert view.width is not None
    assert ((view.x - MARCH_2019) / HOUR).tolist() == list(range(len(sums)))
    assert view.y.tolist() == sums
    assert set(view.width) == {float(HOUR)}


def test_bars_zoomed_out_are_sums_over_days_of_the_zone_and_nothing_is_lost(tmp_path: Path) -> None:
    rain, site = sensor_named("rainfall"), site_with(tmp_path)
    random = np.random.default_rng(4)
    times = MARCH_2019 + np.arange(1, 60_000) * 10 * MINUTE
    values = np.where(random.random(len(times)) < 0.05, random.exponential(2, len(times)), 0.0)
    store_rows(site.tiles, rain, times, values)
    rows = int(times[0]) - 1, int(times[-1])

    view = series_seen(site, rain, "raw", rows, zone="Asia/Jakarta")

    assert view.bucket == "1d"
    assert len(view.x) <= 600  # 2 pixels each at least
    assert view.y.sum() == pytest.approx(values.sum(), rel=1e-12)
    assert ((view.x + 7 * HOUR) % DAY == 0).all()
    part = series_seen(site, rain, "raw", rows, window=(rows[0] + 100 * DAY + 7, rows[0] + 101 * DAY), zone="Asia/Jakarta")
    assert (part.bucket, part.exact, part.total_rows) == ("raw", True, 143)
    assert set(part.width if part.width is not None else ()) == {600_000.0}


def test_a_direction_is_averaged_as_vectors_and_has_none_when_they_cancel(tmp_path: Path) -> None:
    wind, site = sensor_named("wind_direction"), site_with(tmp_path)
    hours = [[350.0, 10.0], [90.0, 270.0], [0.0, 90.0], [180.0, 180.0]]
    times = MARCH_2019 + np.arange(8) * 30 * MINUTE
    store_rows(site.tiles, wind, times, np.concatenate(hours))

    view = series_seen(site, wind, "1h", (MARCH_2019, MARCH_2019 + 4 * HOUR), zone="UTC")

    assert view.kind == "dots"
    assert ((view.x - MARCH_2019) / HOUR).tolist() == [0, 2, 3]
    np.testing.assert_allclose(np.cos(np.deg2rad(view.y - [0, 45, 180])), 1, atol=1e-12)


def test_no_direction_that_occurred_is_missing_when_zoomed_out(tmp_path: Path) -> None:
    wind, site = sensor_named("wind_direction"), site_with(tmp_path)
    random = np.random.default_rng(2)
    times = MARCH_2019 + np.arange(100_000) * MINUTE
    values = np.where(
        random.random(len(times)) < 0.001, random.uniform(0, 360, len(times)), 225 + random.normal(0, 4, len(times))
    )
    store_rows(site.tiles, wind, times, values)
    rows = int(times[0]), int(times[-1]) + 1

    view = series_seen(site, wind, "raw", rows)

    assert len(view.x) <= 4 * 1200
    assert set((view.y // 5.625).astype(int)) == set((values // 5.625).astype(int))
    nearest = np.abs(view.x[None, :] - times[values < 180][:, None])
    same = (view.y[None, :] // 5.625) == (values[values < 180][:, None] // 5.625)
    column = (rows[1] - rows[0]) / 1200 * 16
    assert (np.where(same, nearest, np.inf).min(axis=1) <= column / 2 + 1).all()


def test_the_key_of_a_rollup_tells_all_that_it_depends_on() -> None:
    from data.time.buckets import BY_NAME
    from data.view.rollup import rollup_key

    base = sensor_named("temperature")
    keys = {
        rollup_key(KEY, sensor, BY_NAME[bucket], zone, rows)
        for sensor in (base, sensor_named("temperature", day_start_min=60), sensor_named("temperature", stamp="end"))
        for bucket in ("10min", "1d")
        for zone in ("UTC", BERLIN)
        for rows in ("good", "all")
    }

    assert len(keys) == 24


def test_the_generation_of_a_rollup_tells_both_months_that_it_was_made_of() -> None:
    for this_month, next_month in ((0, 0), (2**32 - 1, 0), (0, 2**24 - 1), (2**32 - 1, 2**24 - 1), (5, 7)):
        packed = RollupGeneration(this_month, next_month).pack()
        assert 0 <= packed < 2**63
        assert RollupGeneration.unpack(packed) == RollupGeneration(this_month, next_month)
