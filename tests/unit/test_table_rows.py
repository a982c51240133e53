"""A table of rows is what the file of rows holds, wherever it is opened, however it is counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import data.export.row_index
from benchmarks.tile_site import TileSite
from data.catalogue import load_catalogue
from data.export.row_index import RowIndex
from data.export.row_question import RowQuestion, read_question
from data.export.rows import joined
from data.export.table import RowBlock, Table, concatenated, open_table
from data.readings import clean
from data.request import HistoryRequest
from data.tiles.tile_store import SeriesKey, TileStore
from data.time.months import months_of
from errors import InvalidRequest, TooLarge

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = 1_580_515_200_000  # 2020-02-01, UTC
END = START + 60 * DAY  # clocks go forward between, in Berlin and in New York
CATALOGUE = load_catalogue()
REQUEST = HistoryRequest(("a", "b"), ("humidity", "rainfall", "temperature"), START, END)
COLUMNS = len(REQUEST.series)
WINDOW = (START + 3 * DAY + 5 * MINUTE, END - 2 * DAY - 7 * MINUTE)


def keep(site: TileSite, station: str, sensor: str, times: Any, values: Any) -> None:
    times, values = np.asarray(times, np.int64), np.asarray(values, np.float64)
    key = SeriesKey("own", station, sensor)
    for month in np.unique(months_of(times)).tolist():
        here = months_of(times) == month
        cleaned = clean(times[here], values[here], CATALOGUE[sensor])
        site.tiles.publish(key, [site.tiles.write(key, month, cleaned, generation=1, fingerprint=0)])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> TileSite:
    """Two stations: one of a logger's equal times with flags and gaps, one of others."""
    made = TileSite(TileStore(tmp_path_factory.mktemp("tiles")), CATALOGUE)
    times = np.arange(START, END, HOUR)
    number = np.arange(len(times))
    keep(made, "a", "temperature", times, np.where(number % 47 == 0, 999.0, number % 40))
    keep(made, "a", "humidity", times[number % 5 > 0], number[number % 5 > 0] % 100)
    keep(made, "a", "rainfall", times[::3], (number[::3] % 7) * 0.2)
    keep(made, "b", "temperature", np.concatenate([times[:400] + 7 * MINUTE, times[800:1300]]), np.linspace(-90, 50, 900))
    return made


def endless() -> bool:
    return False


def all_rows(table: Table, question: RowQuestion, out_of_time: Callable[[], bool] = endless, limit: int = 500) -> RowBlock:
    """Read a table from its beginning to its end, as the page does."""
    index, parts, at = RowIndex(question), [], 0
    while index.total is None or at < index.total:
        index.count(table, out_of_time)
        parts.append(index.rows(table, at, limit, out_of_time))
        at += len(parts[-1].times)
    assert at == index.total == index.counted
    return concatenated(parts, len(table.series))


def of_files(site: TileSite, request: HistoryRequest) -> dict[str, list[tuple[float, ...]]]:
    """The rows of each station as its CSV file has them: time and values."""
    found: dict[str, list[tuple[float, ...]]] = {station: [] for station in request.stations}
    for piece in joined(site, request, *WINDOW):
        found[piece.station] += zip(piece.times.tolist(), *(values.tolist() for values in piece.values), strict=True)
    return found


def of_table(rows: RowBlock, request: HistoryRequest) -> dict[str, list[tuple[float, ...]]]:
    found, width = {}, len(request.sensors)
    for number, station in enumerate(request.stations):
        own = rows.values[number * width : (number + 1) * width]
        there = ~np.isnan(own).all(axis=0)
        found[station] = list(zip(rows.times[there].tolist(), *own[:, there].tolist(), strict=True))
    return found


@pytest.mark.parametrize("resolution", ["raw", "10min", "1d", "1mo"])
@pytest.mark.parametrize("timezone", ["America/New_York", "Europe/Berlin"])
@pytest.mark.parametrize("stations", [("a",), ("a", "b")])
def test_of_each_station_a_table_has_the_rows_of_its_file_in_their_order(site, resolution, timezone, stations):
    request = replace(REQUEST, stations=stations, resolution=resolution, timezone=timezone)
    rows = all_rows(open_table(site, request, *WINDOW), RowQuestion())
    assert (np.diff(rows.times) > 0).all()
    np.testing.assert_equal(of_table(rows, request), of_files(site, request))


@pytest.mark.parametrize("resolution", ["raw", "1h"])
def test_counting_a_little_at_a_time_gives_the_same_rows(site, monkeypatch, resolution):
    monkeypatch.setattr(data.export.table, "PIECE_ROWS", 300)
    table = open_table(site, replace(REQUEST, resolution=resolution), *WINDOW)
    assert len(table.spans) > 12
    for sort in ("time", "-time"):
        question = read_question("all", "", sort, REQUEST.series, CATALOGUE.sensors)
        whole, bits = all_rows(table, question), all_rows(table, question, lambda: True, 97)
        np.testing.assert_equal(vars(bits), vars(whole))


def test_one_series_is_counted_without_its_rows(site, monkeypatch):
    request = replace(REQUEST, stations=("a",), sensors=("rainfall",))  # stamped at the end
    table = open_table(site, request, *WINDOW)
    index = RowIndex(RowQuestion())
    monkeypatch.setattr(Table, "size", None)
    index.count(table, endless)
    assert index.total == len(of_files(site, request)["a"])
    assert len(all_rows(table, RowQuestion()).times) == index.total


def test_flags_stand_beside_their_values_and_can_be_hidden_or_be_all_that_is_shown(site):
    table = open_table(site, REQUEST, *WINDOW)
    temperature = REQUEST.series.index(("a", "temperature"))
    whole = all_rows(table, RowQuestion())
    assert (whole.values[temperature][whole.flagged[temperature]] == 999).all()
    assert whole.flagged[temperature].sum() == (whole.values[temperature] == 999).sum() > 20
    only = all_rows(table, RowQuestion(flags="only"))
    np.testing.assert_array_equal(only.times, whole.times[whole.flagged.any(axis=0)])
    hidden = all_rows(table, RowQuestion(flags="hidden"))
    expected = np.where(whole.flagged, np.nan, whole.values)
    there = ~np.isnan(expected).all(axis=0)
    np.testing.assert_equal((hidden.times, hidden.values), (whole.times[there], expected[:, there]))
    assert not hidden.flagged.any()


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ("a/temperature > 30", lambda cells: cells[2] > 30),
        ("Air temperature>=38", lambda cells: (cells[2] >= 38) | (cells[5] >= 38)),
        (
            "A Temperature between 3,5 and 6 and a humidity<50",
            lambda cells: (cells[2] >= 3.5) & (cells[2] <= 6) & (cells[0] < 50),
        ),
        ("temperature = 999", lambda cells: (cells[2] == 999) | (cells[5] == 999)),
        ("b/temperature < -1e2", lambda cells: cells[5] < -100),
    ],
)
def test_rows_are_filtered_by_value_sparse_ones_and_dense_ones_alike(site, monkeypatch, where, fits):
    table = open_table(site, REQUEST, *WINDOW)
    whole = all_rows(table, RowQuestion())
    for dense in (0, 1_000):
        monkeypatch.setattr(data.export.row_index, "_DENSE", dense)
        found = all_rows(table, read_question("all", where, "time", REQUEST.series, CATALOGUE.sensors))
        np.testing.assert_equal(vars(found), vars(whole.take(fits(whole.values))))


@pytest.mark.parametrize("sort", ["a/temperature", "-a/temperature"])
def test_sorted_by_a_column_what_is_equal_is_by_time_and_what_has_no_value_is_last(site, sort):
    table = open_table(site, REQUEST, *WINDOW)
    question = read_question("all", "humidity > 10", sort, REQUEST.series, CATALOGUE.sensors)
    rows = all_rows(table, question)
    by_time = all_rows(table, replace(question, sort=None, descending=False))
    keys = by_time.values[2]
    order = sorted(
        range(len(keys)),
        key=lambda row: (np.isnan(keys[row]), 0 if np.isnan(keys[row]) else keys[row] * (1 - 2 * sort.startswith("-")), row),
    )
    np.testing.assert_equal(vars(rows), vars(by_time.take(np.array(order))))


def test_too_many_values_are_not_sorted_by_one_of_them(site, monkeypatch):
    table = open_table(site, REQUEST, *WINDOW)
    monkeypatch.setattr(data.export.row_index, "MOST_SORTED", 5_000)
    for where in ("", "humidity > -1"):
        index = RowIndex(read_question("all", where, "a/temperature", REQUEST.series, CATALOGUE.sensors))
        for _ in range(2):
            with pytest.raises(TooLarge, match="shorter window"):
                index.count(table, endless)
    few = RowIndex(read_question("all", "humidity > 97", "a/temperature", REQUEST.series, CATALOGUE.sensors))
    few.count(table, endless)
    assert few.total


@pytest.mark.parametrize("sort", ["time", "-time"])
@pytest.mark.parametrize("at", [0, START + 40 * DAY + 3 * MINUTE, START + 40 * DAY, END])
def test_a_time_leads_to_the_first_row_that_is_not_before_it(site, sort, at):
    table = open_table(site, REQUEST, *WINDOW)
    question = read_question("all", "a/humidity > 20", sort, REQUEST.series, CATALOGUE.sensors)
    index = RowIndex(question)
    assert index.number_at(table, at) is None  # not counted yet
    index.count(table, endless)
    times = all_rows(table, question).times
    there = np.flatnonzero(times >= at if sort == "time" else times <= at)
    assert index.number_at(table, at) == (there[0] if len(there) else len(times))


@pytest.mark.parametrize(
    ("where", "sort", "field", "said"),
    [
        ("temperature is high", "time", "where", "Write it like"),
        ("temperature > ", "time", "where", "Write it like"),
        ("pressure > 3", "time", "where", "There is no column pressure; there is humidity, rainfall, temperature"),
        ("", "pressure", "sort", "no column"),
        ("", "-temperature", "sort", "name one, like a/humidity"),
        ("temperature > 1 and " * 20, "time", "where", "Write it like"),
    ],
)
def test_what_cannot_be_read_is_said_with_what_can(where, sort, field, said):
    with pytest.raises(InvalidRequest, match=said) as caught:
        read_question("all", where, sort, REQUEST.series, CATALOGUE.sensors)
    assert caught.value.field == field


def test_a_table_of_very_many_columns_is_refused(site):
    with pytest.raises(TooLarge, match="at most 100 columns"):
        open_table(site, replace(REQUEST, stations=tuple(map(str, range(34)))), *WINDOW)


def test_the_middle_of_a_long_series_is_there_at_once(tmp_path):
    site, rows = TileSite(TileStore(tmp_path), CATALOGUE), 1_000_000
    times = START + np.arange(rows, dtype=np.int64) * 10_000
    values = (np.arange(rows) % 1_000) / 50
    keep(site, "a", "temperature", times, values)
    request = replace(REQUEST, stations=("a",), sensors=("temperature",), end_ms=START + rows * 10_000)
    took = []
    for _ in range(5):
        begin = time.perf_counter()
        table, index = open_table(site, request, request.start_ms, request.end_ms), RowIndex(RowQuestion())
        index.count(table, endless)
        found = index.rows(table, rows // 2, 100, endless)
        took.append(time.perf_counter() - begin)
    np.testing.assert_array_equal(found.times, times[rows // 2 :][:100])
    np.testing.assert_array_equal(found.values[0], values[rows // 2 :][:100])
    assert (index.total, min(took) < 0.2) == (rows, True), took


@pytest.mark.parametrize("where", ["temperature > 1 and<" + " " * 190 + ">x", "temperature > 1" + " " * 500, "x" * 500])
def test_a_filter_of_many_blanks_is_read_or_refused_at_once(where: str) -> None:
    began = time.process_time()
    with suppress(InvalidRequest):
        read_question("all", where, "", REQUEST.series, CATALOGUE.sensors)
    assert time.process_time() - began < 0.1
