"""How a month is cut into queries, a wide one into reads, and which stations are read together."""

from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, strategies

from data.load_plan import Missing
from data.loading import CELLS_PER_QUERY, CELLS_PER_READ, CELLS_TOGETHER, STATIONS_TOGETHER, cells, group_pieces, reads, windows
from data.time.months import month_bounds_ms

MONTH = 2020 * 12


@given(
    rows=strategies.integers(1, 20_000_000),
    columns=strategies.integers(2, 9),
    ends=strategies.tuples(strategies.integers(0, 31 * 86_400_000 - 1), strategies.integers(0, 31 * 86_400_000 - 1)),
)
def test_windows_partition_the_whole_month(rows, columns, ends):
    begin, end = month_bounds_ms(MONTH)
    cut = windows(Missing("s", MONTH, ("x",) * (columns - 1), 1, rows, begin + min(ends), begin + max(ends)))
    assert (cut[0][0], cut[-1][1]) == (begin, end)
    assert all(left[1] == right[0] for left, right in pairwise(cut))
    assert all(start < stop for start, stop in cut)


@pytest.mark.parametrize(
    ("rows", "columns", "queries"),
    [(44_640, 9, 1), (CELLS_PER_QUERY // 2, 2, 1), (2_678_400, 2, 2), (2_678_400, 4, 3), (CELLS_PER_QUERY, 2, 2)],
)
def test_a_query_gives_about_so_many_cells_and_no_more(rows, columns, queries):
    begin, end = month_bounds_ms(MONTH)
    assert len(windows(Missing("s", MONTH, ("x",) * (columns - 1), 1, rows, begin, end - 1))) == queries


@pytest.mark.parametrize(
    ("rows", "sensors", "widths"), [(1000, 8, [8]), (2_678_400, 1, [1]), (2_678_400, 8, [3, 3, 2]), (10**9, 2, [1, 1])]
)
def test_a_wide_month_is_read_some_sensors_at_a_time(rows, sensors, widths):
    names = tuple("abcdefgh"[:sensors])
    pieces = list(reads(Missing("s", MONTH, names, 1, rows, 0, 1)))
    assert [len(piece.sensors) for piece in pieces] == widths
    assert tuple(name for piece in pieces for name in piece.sensors) == names
    assert all(cells(piece) <= CELLS_PER_READ or len(piece.sensors) == 1 for piece in pieces)


@pytest.mark.parametrize(("stations", "rows"), [(3, 40_000), (3, 2_000_000), (120, 10)])
def test_stations_are_read_together_by_month_and_sensors_and_only_so_many(stations, rows):
    names = [f"s{number}" for number in range(stations)]
    pieces = [Missing(name, MONTH + at, ("a", "b"), 1, rows, 0, 1) for name in names for at in range(2)]
    pieces.append(Missing("other", MONTH, ("a",), 1, rows, 0, 1))
    assert group_pieces(SimpleNamespace(finds_all_stations=False), pieces) == [(piece,) for piece in pieces]
    groups = group_pieces(SimpleNamespace(finds_all_stations=True), pieces)
    assert {piece for group in groups for piece in group} == set(pieces)
    assert {len({(piece.month, piece.sensors) for piece in group}) for group in groups} == {1}
    assert all(len(group) == 1 or sum(map(cells, group)) <= CELLS_TOGETHER for group in groups)
    assert max(map(len, groups)) == min(stations, STATIONS_TOGETHER, max(1, CELLS_TOGETHER // (3 * rows)))
