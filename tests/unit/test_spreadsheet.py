"""Names in files that spreadsheets open: text stays text, numbers stay numbers,
and everything comes back.
"""

from __future__ import annotations

import csv
import io

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.catalogue import load_catalogue
from data.export.formats import STREAMS, export_csv, export_file
from data.ingest.file_plan import ImportOptions, plan_file
from data.ingest.file_rows import RowReader
from data.readings import clean
from data.request import HistoryRequest
from data.site import open_site
from data.tiles.series import SeriesKey
from data.time.months import month_start_ms, parse_month
from escaping import original_text, safe_text

JANUARY, FEBRUARY = (month_start_ms(parse_month(name)) for name in ("2020-01", "2020-02"))
BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
HOSTILE = ('=HYPERLINK("http://x","y")', "+1", "-7.5 dam", "@SUM(1)", "=cmd|' /C calc'!A0", "'=twice", "＝1")
NUMBERS = (-5.0, 3.25)


@given(st.text())
def test_every_text_comes_back(text):
    assert original_text(safe_text(text)) == text


@given(st.sampled_from(BEGINNINGS), st.text())
def test_no_text_begins_a_formula(beginning, rest):
    assert safe_text(beginning + rest) == f"'{beginning}{rest}"


@given(st.text().filter(lambda text: not text.lstrip("'").startswith(BEGINNINGS)))
def test_a_text_that_begins_no_formula_stays_as_it_is(text):
    assert safe_text(text) == text
    assert original_text(text) == text


@pytest.fixture
def site(settings):
    made = open_site(settings)
    for station in HOSTILE:
        cleaned = clean(np.array([JANUARY, JANUARY + 1000]), np.array(NUMBERS), load_catalogue()["temperature"])
        key = SeriesKey("own", station, "temperature")
        made.tiles.publish(key, [made.tiles.write(key, parse_month("2020-01"), cleaned, generation=1, fingerprint=0)])
    yield made
    made.engine.dispose()


REQUEST = HistoryRequest(tuple(sorted(HOSTILE)), ("temperature",), JANUARY, FEBRUARY)


def test_in_csv_no_station_is_a_formula_and_numbers_are_what_they_were(site):
    text = b"".join(export_csv(site, REQUEST, JANUARY, FEBRUARY)).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["station"] for row in rows} == {f"'{name}" for name in HOSTILE}
    assert [float(row["temperature"]) for row in rows] == [*NUMBERS] * len(HOSTILE)
    assert ",-5\n" in text or ",-5.0\n" in text


def test_an_import_of_our_csv_has_the_names_as_they_were(site, tmp_path):
    path = tmp_path / "export.csv"
    export_file(site, REQUEST, path)
    names = [name for rows in RowReader(plan_file(path, site.catalogue, ImportOptions())).rows() for name in rows.stations.names]
    assert set(names) == set(HOSTILE)


def test_in_workbooks_parquet_and_arrow_names_are_text_as_they_are(site, tmp_path):
    path = tmp_path / "export.xlsx"
    export_file(site, REQUEST, path)
    cells = [row[2] for row in openpyxl.load_workbook(path)["Data"].iter_rows(min_row=2)]
    assert {cell.value for cell in cells} == set(HOSTILE)
    assert {cell.data_type for cell in cells} == {"s"}  # a string, no formula
    assert all(cell.hyperlink is None for cell in cells)
    parquet = pq.read_table(io.BytesIO(b"".join(STREAMS["parquet"](site, REQUEST, JANUARY, FEBRUARY))))
    arrow = pa.ipc.open_stream(b"".join(STREAMS["arrow"](site, REQUEST, JANUARY, FEBRUARY))).read_all()
    assert set(parquet["station"].to_pylist()) == set(arrow["station"].to_pylist()) == set(HOSTILE)
