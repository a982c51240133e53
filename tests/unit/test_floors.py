"""Under a floor of resolution nothing is of a part of a step:
all fields of a view, all rows of a file, by a plain model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.grants import Grant, Rights, whole_buckets
from access.restricted_site import whole_window
from benchmarks.tile_site import TileSite
from data.catalogue import Sensor
from data.export.rows import joined
from data.range_rows import whole_steps
from data.request import HistoryRequest
from data.time.buckets import BY_NAME, bucket_edges
from data.time.resolution import RESOLUTIONS, Resolution
from data.view.rollup import write_rollups
from data.view.view_request import view_request
from errors import NotPermitted
from tests.tiled import DAY, HOUR, MARCH_2019, MINUTE, sensor_named, site_with, store_rows

ZONE = "Europe/Brussels"  # 31 March has 23 hours
SENSORS = (
    sensor_named("rainfall", day_start_min=420),
    sensor_named("humidity", day_start_min=420, stamp="end"),
    sensor_named("temperature"),
)


@dataclass(frozen=True)
class Kept:
    """Ten weeks of rows of five minutes, one in fifty flagged."""

    site: TileSite
    times: np.ndarray
    values: dict[str, np.ndarray]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    site = site_with(tmp_path_factory.mktemp("floors"), *SENSORS)
    times = np.arange(MARCH_2019 - 5 * DAY, MARCH_2019 + 65 * DAY, 5 * MINUTE)
    random, values = np.random.default_rng(18), {}
    for sensor in SENSORS:
        values[sensor.name] = random.integers(0, 200, len(times)) / 4
        values[sensor.name][random.random(len(times)) < 0.02] = 999.0
        store_rows(site.tiles, sensor, times, values[sensor.name])
    return Kept(site, times, values)


def steps(floor: str, sensor: Sensor, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The steps of a floor that lie wholly in a range, counted by a clock on the wall."""
    if floor in ("10min", "1h"):  # in this zone whole hours are whole hours of UTC
        length = {"10min": 10 * MINUTE, "1h": HOUR}[floor]
        yield from ((low, low + length) for low in range(-(-start // length) * length, end - length + 1, length))
        return
    wall = datetime(2019, 1, 1, tzinfo=ZoneInfo(ZONE)) + timedelta(minutes=sensor.day_start_min)
    edges = []
    while (at := round(wall.timestamp() * 1000)) <= end:
        edges += [at] if at >= start else []
        if floor == "1y":
            wall = wall.replace(year=wall.year + 1)
        else:
            wall = wall + timedelta(days=1) if floor == "1d" else (wall.replace(day=1) + timedelta(days=32)).replace(day=1)
    yield from pairwise(edges)


class Model:
    """What may be seen of one sensor in a range: the rows of whole steps, and nothing else."""

    def __init__(self, kept: Kept, sensor: Sensor, floor: str, span: tuple[int, int], *, flagged: bool) -> None:
        lag = 1 if sensor.stamp == "end" else 0
        whole = list(steps(floor, sensor, *span))
        bounds = np.array(whole).reshape(-1, 2)
        self._edges = {at for step in whole for at in step}
        self.moments, self.values = kept.times - lag, kept.values[sensor.name]
        inside = np.searchsorted(bounds[:, 0], self.moments, "right") > np.searchsorted(bounds[:, 1], self.moments, "right")
        self.total = int(inside.sum())
        chosen = inside if flagged else inside & (self.values <= sensor.valid_max)
        self.moments, self.values = self.moments[chosen], self.values[chosen]

    def of(self, start: float, end: float) -> np.ndarray:
        for at in (start, end):
            assert at in self._edges or not min(self._edges) < at < max(self._edges), "within a step"
        low, high = np.searchsorted(self.moments, [start, end])
        return self.values[low:high]


@st.composite
def asked(draw: st.DrawFn) -> dict[str, Any]:
    floor = draw(st.sampled_from(RESOLUTIONS[2:]))
    begin = draw(st.integers(-3 * 24, 50 * 24)) * HOUR
    low = draw(st.integers(0, 40 * 24)) * HOUR
    return {
        "floor": floor,
        "resolution": draw(st.sampled_from(RESOLUTIONS[RESOLUTIONS.index(floor) :])),
        "span": (MARCH_2019 + begin, MARCH_2019 + begin + draw(st.integers(1, 60 * 24)) * HOUR),
        "window": (low, low + draw(st.integers(1, 40 * 24 * 60)) * MINUTE),
        "width": draw(st.sampled_from([30, 111, 400, 2000])),
        "flagged": draw(st.booleans()),
    }


def request_and_window(case: dict[str, Any], site: TileSite) -> tuple[HistoryRequest, tuple[int, int]]:
    """As the page asks: a range that is made whole in the site's zone, and a window of it."""
    rights = Rights((Grant(finest=case["floor"]),), zone=ZONE)
    start, end = whole_buckets(case["floor"], case["span"][0], case["span"][1], ZONE)
    names = tuple(sensor.name for sensor in SENSORS)
    request = HistoryRequest(("aws-1",), names, start, end, case["resolution"], ZONE)
    low, high = (min(request.start_ms + at, request.end_ms) for at in case["window"])
    return request, whole_window(rights, request, (min(low, request.end_ms - 1), high))


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(case=asked())
def test_every_field_of_a_view_is_of_whole_steps(kept: Kept, case: dict[str, Any]) -> None:
    request, window = request_and_window(case, kept.site)
    write_rollups(kept.site, request)
    site = replace(kept.site, floor=case["floor"])
    view = view_request(site, request, *window, case["width"], include_flagged=case["flagged"])
    for drawn, exact in zip(view.series, view.statistics, strict=True):
        assert not drawn.flagged_x.size
        sensor = site.catalogue[drawn.sensor]
        model = Model(kept, sensor, case["floor"], (request.start_ms, request.end_ms), flagged=case["flagged"])
        for at, (x, y) in enumerate(zip(drawn.x.tolist(), drawn.y.tolist(), strict=True)):
            if np.isfinite(y):
                end = x + drawn.width[at] if drawn.width is not None else _end(case["resolution"], sensor, x)
                rows = model.of(x, end)
                assert y == pytest.approx(rows.sum() if sensor.aggregation == "sum" else rows.mean())
                assert drawn.rows[at] >= len(rows) > 0
                if drawn.lower is not None and drawn.upper is not None:
                    assert {drawn.lower[at], drawn.upper[at]} <= set(model.values.tolist())
        seen = Model(kept, sensor, case["floor"], window, flagged=case["flagged"])
        assert (exact.rows, drawn.total_rows) == (seen.total, seen.total)
        if len(seen.values):
            assert exact.sum == pytest.approx(seen.values.sum())
            assert (exact.min, exact.max, exact.last) == (seen.values.min(), seen.values.max(), seen.values[-1])
        else:
            assert exact.sum is exact.min is exact.last is None


def _end(resolution: Resolution, sensor: Sensor, start: float) -> int:
    edges = bucket_edges(BY_NAME[resolution], int(start), int(start) + 1, ZONE, sensor.day_start_min)
    return int(edges[-1])


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(case=asked())
def test_every_row_of_a_file_is_of_whole_steps(kept: Kept, case: dict[str, Any]) -> None:
    request, window = request_and_window(case, kept.site)
    site = replace(kept.site, floor=case["floor"])
    pieces = list(joined(site, request, *window))
    for column, name in enumerate(request.sensors):
        sensor = site.catalogue[name]
        model = Model(kept, sensor, case["floor"], window, flagged=False)
        given_rows = 0
        for piece in pieces:
            for start, value in zip(piece.times.tolist(), piece.values[column].tolist(), strict=True):
                if np.isfinite(value):
                    rows = model.of(start, _end(case["resolution"], sensor, start))
                    given_rows += len(rows)
                    assert value == pytest.approx(rows.sum() if sensor.aggregation == "sum" else rows.mean())
        assert given_rows == len(model.values)


@pytest.mark.parametrize("resolution", ["1d", "1mo"])
def test_days_that_begin_within_a_step_are_refused_and_hours_are_not(tmp_path: Path, resolution: Resolution) -> None:
    sensor = sensor_named("rainfall", day_start_min=450)
    site = replace(site_with(tmp_path, sensor), floor="1h")
    store_rows(site.tiles, sensor, np.arange(MARCH_2019, MARCH_2019 + 9 * DAY, 5 * MINUTE), np.ones(9 * 288))
    request = HistoryRequest(("aws-1",), ("rainfall",), MARCH_2019, MARCH_2019 + 9 * DAY, resolution, "UTC")
    for read in (lambda: view_request(site, request, request.start_ms, request.end_ms, 900), lambda: list(_file(site, request))):
        with pytest.raises(NotPermitted, match="begins at 07:30"):
            read()
    hours = replace(request, resolution="1h")
    assert sum(value for piece in _file(site, hours) for value in piece.values[0]) == 9 * 288 - 1
    assert view_request(site, hours, request.start_ms, request.end_ms, 900).series[0].bucket == "1h"
    # bars of six hours would begin at half past
    with pytest.raises(NotPermitted, match="shorter window"):
        view_request(site, hours, request.start_ms, request.end_ms, 90)
    assert datetime.fromtimestamp(MARCH_2019 / 1000, UTC).day == 1


def _file(site: TileSite, request: HistoryRequest) -> Iterator[Any]:
    return joined(site, request, request.start_ms, request.end_ms)


def test_the_day_of_today_is_shown_so_far_where_its_range_ends_before_it_does() -> None:
    """Rain of 07:00 to 07:00, in a range that ends at the next midnight:
    no row is cut off, for none is there yet.
    """
    rain, midnight = SENSORS[0], MARCH_2019 - HOUR  # of Brussels
    span = midnight, midnight + 3 * DAY
    seven = 7 * HOUR
    assert whole_steps("1d", rain, ZONE, span, now_ms=span[1] - 1) == (midnight + seven, span[1])
    assert whole_steps("1d", rain, ZONE, span, now_ms=span[1]) == (midnight + seven, midnight + 2 * DAY + seven)
    # the last day begins at 07:00: rows of a clock that is ahead are parts of it
    in_the_night = span[1] - DAY + HOUR
    assert whole_steps("1d", rain, ZONE, span, now_ms=in_the_night) == (midnight + seven, midnight + 2 * DAY + seven)
