"""Reducing equals brute force over all rows, for any edges, flags and tiles."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.arrays import Integers
from data.readings import Observations
from data.tiles.series import Rows, Series
from data.tiles.tile_store import TileStore
from data.view.column_reducers import LIMITS
from data.view.reduce import Columns, cut
from tests.tiled import DAY, MARCH_2019, open_all, sensor_named, store_rows


def reduce(series: Series, edges: Integers, *, include_flagged: bool = False) -> Columns:
    return cut(series, edges).columns("all" if include_flagged else "good")


def brute_force(cleaned: Observations, edges: np.ndarray, rows: Rows) -> dict[str, list[float]]:
    """Every field of every column, one column at a time."""
    found: dict[str, list[float]] = {
        name: [] for name in ("count", "flagged", "total", "sum", "min", "min_time", "max", "max_time")
    }
    found |= {name: [] for name in ("first", "first_time", "last", "last_time", "sectors")}
    keep = {"good": cleaned.flags == 0, "flagged": cleaned.flags != 0, "all": np.ones(len(cleaned.flags), bool)}[rows]
    for low, high in pairwise(edges):
        inside = (cleaned.times >= low) & (cleaned.times < high)
        times, values = cleaned.times[inside & keep], cleaned.values[inside & keep]
        found["count"].append(len(times))
        found["total"].append(int(inside.sum()))
        found["flagged"].append(int((cleaned.flags[inside] != 0).sum()))
        found["sum"].append(values.sum())
        sectors = {int(value % 360 // 5.625) for value in values}
        found["sectors"].append(sum(1 << sector for sector in sectors))
        places = (("min", np.argmin), ("max", np.argmax), ("first", lambda _: 0), ("last", lambda _: -1))
        for name, place in places:
            at = place(values) if len(values) else None
            found[name].append(np.nan if at is None else values[at])
            found[f"{name}_time"].append(0 if at is None else times[at])
    return found


def same(columns: Columns, expected: dict[str, list[float]], *, direction: bool) -> None:
    for name, wanted in expected.items():
        if name == "sectors" and (not direction or columns.sectors is None):
            continue
        exact = name != "sum"
        np.testing.assert_allclose(
            getattr(columns, name), np.array(wanted), rtol=0 if exact else 1e-12, atol=0 if exact else 1e-7
        )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.sampled_from([0, 1, 2, 255, 256, 257, 512, 3000, 9000]),
    columns=st.integers(1, 400),
    flagged=st.sampled_from([0.0, 0.001, 0.3, 1.0]),
    rows=st.sampled_from(["good", "flagged", "all"]),
    name=st.sampled_from(["temperature", "wind_direction"]),
)
def test_reducing_equals_brute_force(seed: int, n: int, columns: int, flagged: float, rows: Rows, name: str) -> None:
    random = np.random.default_rng(seed)
    sensor = sensor_named(name)
    # Around the turn of a month, unevenly sampled, with many equal values.
    times = MARCH_2019 - 2 * DAY + np.unique(random.integers(0, 5 * DAY, n))
    values = np.round(random.uniform(0, 50, len(times)), random.integers(0, 3))
    bad = times[random.random(len(times)) < flagged]
    with TemporaryDirectory() as folder:
        store = TileStore(Path(folder))
        cleaned = store_rows(store, sensor, times, values, bad_times=bad)
        series = open_all(store, cleaned, sensor)
        ends = np.sort(random.integers(MARCH_2019 - 3 * DAY, MARCH_2019 + 4 * DAY, columns + 1))
        on_rows = random.random(len(ends)) < 0.3 if len(times) else np.zeros(len(ends), bool)
        ends[on_rows] = random.choice(times, on_rows.sum()) if len(times) else 0
        edges = np.sort(ends)

        pieces = cut(series, edges)
        found, limits = pieces.columns(rows), pieces.columns(rows, want=LIMITS)

        same(found, brute_force(cleaned, edges, rows), direction=name == "wind_direction")
        np.testing.assert_array_equal((limits.min, limits.max), (found.min, found.max))


def test_a_cut_reduced_for_flagged_rows_is_still_right_for_the_others(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    store, sensor = TileStore(tmp_path), sensor_named("temperature")
    times = MARCH_2019 + np.arange(5000) * 60_000
    cleaned = store_rows(store, sensor, times, np.where(random.random(5000) < 0.05, 999.0, random.normal(20, 5, 5000)))
    series = open_all(store, cleaned, sensor)
    edges = np.linspace(times[0], times[-1], 78).astype(np.int64)

    once = cut(series, edges)
    for rows in ("good", "flagged", "all", "good"):
        same(once.columns(rows), brute_force(cleaned, edges, rows), direction=False)


@pytest.mark.parametrize("value", [1e300, -1e300])
def test_a_huge_flagged_value_hides_nothing(tmp_path: Path, value: float) -> None:
    store, sensor = TileStore(tmp_path), sensor_named("wind_direction")
    cleaned = store_rows(store, sensor, MARCH_2019 + np.arange(3) * 1000, [10.0, value, 20.0])
    series = open_all(store, cleaned, sensor)

    found = reduce(series, np.array([MARCH_2019, MARCH_2019 + 3000]))

    assert (found.min[0], found.max[0], found.sum[0], found.flagged[0]) == (10.0, 20.0, 30.0, 1)
