"""The benchmark of views measures what it says, at any size."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.view import TEN_YEARS_MS, first_view_ms, make_tiles, table_answers, view_json


def test_a_small_benchmark_draws_all_series_of_ten_years(tmp_path: Path) -> None:
    site, request = make_tiles(tmp_path, 20_000, TEN_YEARS_MS / 20_000)

    figure = json.loads(view_json(site, request, request.start_ms, request.end_ms))

    assert sum(one.rows for one in site.tiles.status()) == 60_000
    assert {one.tiles for one in site.tiles.status()} == {120}
    assert len([trace for trace in figure["data"] if trace.get("x")]) >= 3
    assert first_view_ms(tmp_path, request) > 0
    assert all(taken > 0 for taken in table_answers(site, request, 10_000))
