"""Files of a request's rows: complete, joined by time, readable again."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

import data.export.rows
from config import Settings
from data.catalogue import load_catalogue
from data.cells.units import conversion
from data.database.engine import migrate_observations
from data.database.tables import observation_table
from data.export.formats import FORMATS, NETCDF, STREAMS, export_csv, export_file
from data.ingest.file_plan import ImportOptions
from data.ingest.importing import import_files
from data.readings import clean
from data.request import HistoryRequest
from data.site import Site, open_site
from data.tiles.tile_store import SeriesKey
from data.time.months import month_start_ms, months_of, parse_month
from errors import InvalidRequest, TileDamaged
from escaping import original_text
from tests.sheets import sheet_rows

JANUARY, APRIL = (month_start_ms(parse_month(name)) for name in ("2020-01", "2020-04"))
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
REQUEST = HistoryRequest(("a",), ("rainfall", "temperature"), JANUARY, APRIL)


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    made = open_site(settings)
    yield made
    made.engine.dispose()


def keep(site: Site, sensor: str, times: Any, values: Any, station: str = "a") -> None:
    """Tiles of a series, as a job leaves them."""
    times, values = np.asarray(times, np.int64), np.asarray(values, np.float64)
    key = SeriesKey("own", station, sensor)
    for month in np.unique(months_of(times)).tolist():
        here = months_of(times) == month
        cleaned = clean(times[here], values[here], load_catalogue()[sensor])
        site.tiles.publish(key, [site.tiles.write(key, month, cleaned, generation=1, fingerprint=0)])


def whole_lines(
    site: Site, request: HistoryRequest = REQUEST, start: int = JANUARY, end: int = APRIL, units: Any = "none"
) -> list[list[str]]:
    text = b"".join(export_csv(site, request, start, end, units)).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def lines(site: Site, request: HistoryRequest = REQUEST, start: int = JANUARY, end: int = APRIL) -> list[list[str]]:
    """Without the local time."""
    return [[line[0], *line[2:]] for line in whole_lines(site, request, start, end)]


def test_sensors_of_a_station_are_joined_by_time_and_what_is_missing_is_empty(site):
    keep(site, "temperature", [JANUARY, JANUARY + HOUR], [20.5, 21.0])
    keep(site, "rainfall", [JANUARY + HOUR, JANUARY + 2 * HOUR], [0.25, 0.1])
    assert lines(site) == [
        ["timestamp_utc", "station", "rainfall", "temperature"],
        ["2020-01-01T00:00:00Z", "a", "", "20.5"],
        ["2020-01-01T01:00:00Z", "a", "0.25", "21"],
        ["2020-01-01T02:00:00Z", "a", "0.1", ""],
    ]


def test_only_rows_of_the_window_and_of_the_request_are_there_its_end_excluded(site):
    keep(site, "temperature", np.arange(JANUARY, APRIL, DAY), np.arange(91))
    rows = lines(site, REQUEST, JANUARY + 30 * DAY, JANUARY + 32 * DAY)
    assert [row[3] for row in rows[1:]] == ["30", "31"]
    narrow = replace(REQUEST, end_ms=JANUARY + DAY)
    assert [row[3] for row in lines(site, narrow, 0, 10**14)[1:]] == ["0"]


def test_flagged_values_and_every_digit_are_there(site):
    values = [999.0, 0.1 + 0.2, 1e-7, -80.0]
    keep(site, "temperature", [JANUARY + number for number in range(4)], values)
    rows = lines(site)[1:]
    assert [float(row[3]) for row in rows] == values
    assert [row[0] for row in rows][:2] == ["2020-01-01T00:00:00.000Z", "2020-01-01T00:00:00.001Z"]


@pytest.mark.parametrize("name", ["a,b", 'say "hi"', "two\nlines", "É ☂", "=1+1"])
def test_any_station_name_comes_back(site, name):
    keep(site, "temperature", [JANUARY], [1.0], name)
    request = replace(REQUEST, stations=(name,))
    assert original_text(lines(site, request)[1][1]) == name


def test_stations_follow_one_another(site):
    for station in ("b", "a"):
        keep(site, "temperature", [JANUARY, JANUARY + HOUR], [1.0, 2.0], station)
    assert [row[1] for row in lines(site, replace(REQUEST, stations=("b", "a")))[1:]] == ["a", "a", "b", "b"]


def test_a_station_whose_tiles_go_while_another_is_sent_breaks_the_stream(site):
    for station in ("a", "b"):
        keep(site, "temperature", [JANUARY, JANUARY + HOUR], [1.0, 2.0], station)
    rows = data.export.rows.joined(site, replace(REQUEST, stations=("a", "b")), JANUARY, APRIL)
    assert next(rows).station == "a"
    site.tiles.clear("b")
    with pytest.raises(TileDamaged):
        next(rows)


def test_nothing_is_a_header_alone(site):
    assert lines(site) == [["timestamp_utc", "station", "rainfall", "temperature"]]


@pytest.mark.parametrize("piece_rows", [1, 7, 1000])
def test_pieces_of_any_size_give_the_same_rows_once_and_in_order(site, monkeypatch, piece_rows):
    times = np.arange(JANUARY, APRIL, 7 * HOUR)
    keep(site, "temperature", times, np.arange(len(times)) % 40)
    keep(site, "rainfall", times[::3], np.zeros(len(times[::3])))
    whole = lines(site)
    monkeypatch.setattr(data.export.rows, "PIECE_ROWS", piece_rows)
    assert lines(site) == whole
    assert len(whole) == 1 + len(times)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != NETCDF])
def test_every_format_holds_the_same_table(site, tmp_path, kind):
    times = np.arange(JANUARY, JANUARY + 5 * HOUR, HOUR)
    keep(site, "temperature", times, [1.5, 2.5, -3.5, 4.5, 5.5])
    keep(site, "rainfall", times[:3], [9.9, 0.1, 0.2])  # the first fell before the range
    path = tmp_path / f"out.{kind}"
    export_file(site, REQUEST, path)
    table = _read(path)
    own = ["timestamp_utc", "timestamp_local", "station", "rainfall", "temperature"]
    assert table.columns.tolist() == [*own, *["flag"] * (kind == "xlsx")]
    assert (pd.to_datetime(table["timestamp_utc"], utc=True).astype("datetime64[ms, UTC]").astype("int64") == times).all()
    np.testing.assert_array_equal(table["temperature"].to_numpy(float), [1.5, 2.5, -3.5, 4.5, 5.5])
    np.testing.assert_array_equal(table["rainfall"].to_numpy(float), [np.nan, 0.1, 0.2, np.nan, np.nan])
    assert set(table["station"]) == {"a"}
    assert not list(tmp_path.glob(".*.tmp"))


def _read(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path)
    if path.suffix == ".json":
        return pd.DataFrame(json.loads(path.read_text(encoding="utf-8")))
    if path.suffix == ".parquet":
        assert pq.read_schema(path).field("temperature").metadata == {b"unit": "°C".encode()}
        return pd.read_parquet(path)
    if path.suffix == ".arrow":
        return pa.ipc.open_stream(path.read_bytes()).read_pandas()
    rows = sheet_rows(path)
    return pd.DataFrame(rows[1:], columns=[name.partition(" (")[0] for name in rows[0]])


def test_more_rows_than_a_worksheet_holds_is_an_error_that_says_what_to_do(site, tmp_path, monkeypatch):
    monkeypatch.setattr("data.export.row_limits.SHEET_ROWS", 4)
    keep(site, "temperature", [JANUARY + number for number in range(3)], [1.0, 2.0, 3.0])
    export_file(site, REQUEST, tmp_path / "fits.xlsx")
    keep(site, "rainfall", [JANUARY + 10], [1.0])  # joined there are four rows, and a header
    with pytest.raises(InvalidRequest, match="Choose CSV, Parquet or NetCDF"):
        export_file(site, REQUEST, tmp_path / "more.xlsx")
    keep(site, "temperature", [JANUARY + number for number in range(9)], np.arange(9.0))
    with pytest.raises(InvalidRequest, match="at least 9"):
        export_file(site, REQUEST, tmp_path / "many.xlsx")
    assert [path.name for path in tmp_path.glob("*.xlsx")] == ["fits.xlsx"]


def test_an_unknown_format_is_named(site, tmp_path):
    with pytest.raises(InvalidRequest, match="no format doc; use one of csv, parquet, arrow, json, xlsx"):
        export_file(site, REQUEST, tmp_path / "x.doc")


# Times, units and digits


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("Asia/Jakarta", ["2020-03-29T07:30:00+07:00", "2020-03-29T08:30:00+07:00"]),
        # clocks go forward between
        ("Europe/Berlin", ["2020-03-29T01:30:00+01:00", "2020-03-29T03:30:00+02:00"]),
        ("UTC", ["2020-03-29T00:30:00+00:00", "2020-03-29T01:30:00+00:00"]),
    ],
)
def test_the_wall_clock_with_its_offset_stands_beside_utc(site, tmp_path, zone, local):
    begin = JANUARY + 88 * DAY + 30 * MINUTE
    keep(site, "temperature", [begin, begin + HOUR], [1.0, 2.0])
    request = replace(REQUEST, timezone=zone)
    assert [line[1] for line in whole_lines(site, request)[1:]] == local
    for kind in ("parquet", "arrow"):
        export_file(site, request, tmp_path / f"out.{kind}")
        shown = _read(tmp_path / f"out.{kind}")["timestamp_local"]
        assert [moment.isoformat() for moment in shown] == local
    export_file(site, request, tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    cells = [book["Data"].cell(row, 2) for row in (2, 3)]
    assert [cell.value.isoformat() + cell.number_format.split('"')[1] for cell in cells] == local


@pytest.mark.parametrize(
    ("units", "first"),
    [
        ("none", [["timestamp_utc", "timestamp_local", "station", "rainfall", "temperature"]]),
        ("name", [["timestamp_utc", "timestamp_local", "station", "rainfall (mm)", "temperature (°C)"]]),
        (
            "row",
            [["timestamp_utc", "timestamp_local", "station", "rainfall", "temperature"], ["", "", "", "mm", "°C"]],
        ),
    ],
)
def test_units_stand_where_they_are_asked_for_and_an_import_gives_the_same_rows(site, tmp_path, units, first):
    times = JANUARY + np.arange(1, 51) * 10 * MINUTE
    values = [22.2, 0.1 + 0.2, 1e-7, -999.0, *np.linspace(-30, 50, 46)]
    keep(site, "temperature", times, values, "=a,b")
    keep(site, "rainfall", times[::2], np.arange(25) * 0.1, "=a,b")
    request = replace(REQUEST, stations=("=a,b",), timezone="Asia/Jakarta")
    assert whole_lines(site, request, units=units)[: len(first)] == first
    path = tmp_path / "again.csv"
    export_file(site, request, path, units=units)
    migrate_observations(site.engine, site.catalogue)
    (report,) = import_files(site.engine, site.catalogue, [path], ImportOptions(site_timezone="Asia/Jakarta"))
    assert (report.read, report.stored, report.rejected) == (50, 50, 0)
    columns = observation_table(site.catalogue).c
    with site.engine.connect() as connection:
        query = (
            select(columns.time, columns.temperature, columns.rainfall).where(columns.station == "=a,b").order_by(columns.time)
        )
        stored = connection.execute(query).all()
    assert [row[0] for row in stored] == times.tolist()
    assert [row[1] for row in stored] == values
    assert [row[2] for row in stored] == [None if at % 2 else (np.arange(25) * 0.1)[at // 2] for at in range(50)]


def test_aggregates_carry_no_noise_of_adding(site):
    keep(site, "rainfall", [JANUARY + number * MINUTE for number in range(1, 112)], [0.2] * 111)
    assert sum([0.2] * 111) != 22.2
    day = replace(REQUEST, sensors=("rainfall",), resolution="1d")
    assert lines(site, day)[1][2] == "22.2"


def test_a_fahrenheit_file_is_stored_without_noise():
    assert conversion("degF", "degC")(np.array([71.96, 70.5])).tolist() == [22.2, (70.5 - 32) * 5 / 9]


# Sheets of a workbook


def test_a_workbook_tells_rows_days_months_and_what_they_are(site, tmp_path):
    begin = JANUARY - 7 * HOUR  # midnight in Jakarta
    times = begin + np.arange(24 * 40) * HOUR
    keep(site, "temperature", times, np.arange(24 * 40) % 24)
    # stamped at the end: the last is at midnight
    keep(site, "rainfall", times + HOUR, np.full(24 * 40, 0.1))
    request = replace(REQUEST, start_ms=begin, end_ms=begin + 40 * DAY, timezone="Asia/Jakarta")
    export_file(site, request, tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == ["Data", "Daily", "Monthly", "Summary", "About"]
    daily = list(book["Daily"].values)
    assert daily[0] == (
        "day", "station", "rainfall sum (mm)", "rainfall rows", "temperature mean (°C)", "temperature min (°C)",
        "temperature max (°C)", "temperature rows",
    )  # fmt: skip
    assert len(daily) == 41
    assert {row[2:] for row in daily[1:]} == {(2.4, 24, 11.5, 0, 23, 24)}
    assert (daily[1][0], daily[40][0]) == (datetime(2020, 1, 1), datetime(2020, 2, 9))  # noqa: DTZ001 - a day of the calendar
    monthly = list(book["Monthly"].values)
    assert [(row[0].month, row[2], row[3]) for row in monthly[1:]] == [(1, 74.4, 744), (2, 21.6, 216)]
    summary = list(book["Summary"].values)
    assert dict(zip(summary[0], summary[1], strict=True)) | {"completeness": 1} == {
        "station": "a", "sensor": "rainfall", "unit": "mm", "rows": 960, "flagged": 0, "completeness": 1, "min": 0.1,
        "min time (UTC)": summary[1][7], "max": 0.1, "max time (UTC)": summary[1][9], "mean": 0.1, "sum": 96,
        "last": 0.1, "last time (UTC)": datetime(2020, 2, 9, 17),  # noqa: DTZ001
    }  # fmt: skip
    about = {row[0]: row[1] for row in book["About"].values if row[0]}
    assert about["rows of Data"] == len(list(book["Data"].values)) - 1 == 961
    assert (about["time zone"], about["from"], about["source"]) == (
        "Asia/Jakarta",
        "2020-01-01 00:00:00+07:00",
        "files that were imported",
    )


def test_a_workbook_by_month_has_no_days_and_says_so(site, tmp_path):
    keep(site, "temperature", [JANUARY, JANUARY + DAY], [1.0, 2.0])
    export_file(site, replace(REQUEST, resolution="1mo"), tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert len(list(book["Daily"].values)) == 1
    assert "Daily is empty: the request is by 1mo, which is coarser." in [row[1] for row in book["About"].values]


# Other resolutions


def test_aggregates_are_of_all_rows_by_the_sensors_rule_in_the_requests_zone(site):
    times = JANUARY + np.arange(0, 3 * HOUR, 10 * MINUTE)
    keep(site, "temperature", times, np.arange(18.0))
    keep(site, "rainfall", times, np.ones(18))
    rows = lines(site, replace(REQUEST, resolution="1h", timezone="Asia/Jakarta"))
    assert rows[1:] == [
        # Rain is stamped at the end of its interval: the first observation fell before the range.
        ["2020-01-01T00:00:00Z", "a", "6", "2.5"],
        ["2020-01-01T01:00:00Z", "a", "6", "8.5"],
        ["2020-01-01T02:00:00Z", "a", "5", "14.5"],
    ]


@pytest.mark.parametrize("resolution", ["1min", "10min", "1h", "1d", "1mo", "1y"])
@pytest.mark.parametrize("timezone", ["UTC", "Asia/Jakarta", "Europe/Berlin"])
def test_every_observation_is_in_exactly_one_bucket_across_months_and_pieces(site, monkeypatch, resolution, timezone):
    times = np.arange(JANUARY + 1, APRIL + 1, 53 * MINUTE)
    keep(site, "rainfall", times, np.full(len(times), 0.5))
    request = replace(REQUEST, sensors=("rainfall",), resolution=resolution, timezone=timezone)
    monkeypatch.setattr(data.export.rows, "PIECE_ROWS", 300)
    rows = lines(site, request)[1:]
    assert sum(float(row[2]) for row in rows) == pytest.approx(0.5 * len(times))
    stamps = [row[0] for row in rows]
    assert stamps == sorted(set(stamps))


def test_flagged_values_stay_out_of_aggregates(site):
    keep(site, "temperature", [JANUARY, JANUARY + 1, JANUARY + 2], [10.0, 999.0, 20.0])
    assert lines(site, replace(REQUEST, resolution="1d"))[1][3] == "15"


def test_streams_come_in_pieces_of_bounded_size(site, monkeypatch):
    monkeypatch.setattr(data.export.rows, "PIECE_ROWS", 100)
    times = np.arange(JANUARY, APRIL, HOUR)
    keep(site, "temperature", times, np.zeros(len(times)))
    for stream in STREAMS.values():
        pieces = [len(piece) for piece in stream(site, REQUEST, JANUARY, APRIL)]
        assert len(pieces) > 20
        assert max(pieces) < 20_000
