"""The benchmark of a billion rows makes what it says, at any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks import billion
from benchmarks.view import STATION
from data.tiles.tile_store import SeriesKey
from data.time.epoch import DAY_MS, HOUR_MS


def test_each_step_of_the_years_has_a_row_and_months_are_alike(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(billion, "YEARS", 1)
    site, request = billion.make_seconds(tmp_path, 6 * HOUR_MS)

    times, values, flags = site.tiles.open_series(
        SeriesKey("own", STATION, billion.SENSOR), request.start_ms, request.end_ms
    ).read()

    assert np.array_equal(times, np.arange(request.start_ms, request.end_ms, 6 * HOUR_MS))
    assert np.array_equal(values[: 31 * 4], values[(31 + 29) * 4 :][: 31 * 4])  # January and March of a leap year
    assert not flags.any()


def test_linked_stations_have_the_rows_of_the_first_without_their_bytes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(billion, "SERIES", 3)
    site, request = billion.make_linked(tmp_path, 366 * 3, DAY_MS / 3)

    assert len(request.stations) == 3
    assert {(one.tiles, one.rows) for one in site.tiles.status()} == {(12, 366 * 3)}
    assert {tile.stat().st_nlink for tile in tmp_path.rglob("*.tile")} == {3}
    assert billion._draw(site, request)
