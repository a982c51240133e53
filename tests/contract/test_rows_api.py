"""Rows of a window over HTTP: those of its file, a part at a time."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from flask.testing import FlaskClient

import api.table_rows
from api.outputs import TableRows
from data.request import request_of
from jobs.kinds.history import load_history
from tests.contract.test_api import LOADED, done, folder, ok, own_world, refused, sari, shared, world  # noqa: F401 - fixtures

SPRING = "from=2013-03-09&to=2013-03-12"


def counted(client: FlaskClient, path: str) -> dict[str, Any]:
    """The answer once all is counted, however slow the machine is."""
    for _ in range(100):
        answer = ok(client.get(path))
        if answer["total"] is not None:
            break
    return answer


def parts(client: FlaskClient, job: str, query: str, limit: int = 1_000) -> list[dict[str, Any]]:
    """All rows, as the page fetches them."""
    found: list[dict[str, Any]] = []
    while True:
        answer = ok(client.get(f"/api/jobs/{job}/rows?{query}&offset={len(found)}&limit={limit}"))
        TableRows.model_validate(answer)
        found += answer["rows"]
        if answer["total"] is not None and len(found) >= answer["total"]:
            assert len(found) == answer["total"] == answer["counted"]
            return found


@pytest.mark.parametrize(("resolution", "limit"), [("raw", 7), ("1h", 1_000), ("1d", 1)])
@pytest.mark.parametrize("timezone", ["America/New_York", "Asia/Jakarta"])  # in one of them clocks go forward
def test_rows_are_those_of_the_csv_file_of_the_window(world, sari, monkeypatch, resolution, timezone, limit):  # noqa: F811
    asked = {**LOADED, "resolution": resolution, "timezone": timezone}
    load_history(world.site, request_of(**asked), lambda progress: None)
    job = world.started(**asked)
    monkeypatch.setattr(api.table_rows, "BUSY_S", 0.0)
    file = sari.get(f"/api/jobs/{job}/data?format=csv&{SPRING}").text
    expected = list(csv.reader(io.StringIO(file)))
    rows = parts(sari, job, SPRING, limit)
    assert expected[0] == ["timestamp_utc", "timestamp_local", "station", "rainfall", "temperature"]
    values = [[None if cell == "" else float(cell) for cell in line[3:]] for line in expected[1:]]
    assert [[row["time"], row["local"], *row["values"]] for row in rows] == [
        [*line[:2], *cells] for line, cells in zip(expected[1:], values, strict=True)
    ]
    assert len(rows) > 2


def test_a_part_says_its_columns_where_it_begins_and_how_many_rows_there_are(sari, done):  # noqa: F811
    answer = counted(sari, f"/api/jobs/{done}/rows?{SPRING}&at=2013-03-10&limit=2&where=temperature+%3E+-90")
    assert answer["columns"] == [
        {"station": "EWR", "sensor": "rainfall", "unit": "mm"},
        {"station": "EWR", "sensor": "temperature", "unit": "°C"},
    ]
    assert (answer["zone"], answer["resolution"], answer["offset"], answer["total"]) == ("America/New_York", "raw", 24, 71)
    assert [row["local"] for row in answer["rows"]] == ["2013-03-10T00:00:00-05:00", "2013-03-10T01:00:00-05:00"]
    assert counted(sari, f"/api/jobs/{done}/rows?{SPRING}&at=10+Mar+2013&limit=1")["offset"] == 24  # as one writes it
    warmest = counted(sari, f"/api/jobs/{done}/rows?sort=-temperature&limit=1")
    assert warmest["rows"][0]["values"][1] == ok(sari.get(f"/api/jobs/{done}/stats"))["series"][1]["max"]


@pytest.mark.parametrize(
    ("query", "status", "code", "field"),
    [
        ("where=pressure>3", 400, "invalid_request", "where"),
        ("where=warm", 400, "invalid_request", "where"),
        ("sort=pressure", 400, "invalid_request", "sort"),
        ("at=tomorrow", 400, "invalid_request", "at"),
        ("at=2013-03-10&sort=temperature", 400, "invalid_request", "at"),
        ("limit=1001", 400, "invalid_request", "limit"),
        ("offset=-1", 400, "invalid_request", "offset"),
        ("flagged=maybe", 400, "invalid_request", "flagged"),
        ("from=1999-01-01&to=1999-02-01", 400, "invalid_request", "to"),
    ],
)
def test_what_is_wrong_with_a_question_is_said(sari, done, query, status, code, field):  # noqa: F811
    refused(sari.get(f"/api/jobs/{done}/rows?{query}"), status, code, field)


def test_rows_are_refused_as_the_file_is(own_world):  # noqa: F811
    client = own_world.user("sari")
    job = own_world.started(stations=["EWR"], sensors=["temperature"], start="2013-01-01", end="2014-01-01")
    ok(client.get(f"/api/jobs/{job}/rows"))
    refused(own_world.user("budi").get(f"/api/jobs/{job}/rows"), 404, "job_not_found")
    own_world.site.tiles.clear()
    refused(client.get(f"/api/jobs/{job}/rows"), 409, "conflict")


def test_who_begins_to_read_a_table_stands_in_the_audit_log_once(world, sari, done):  # noqa: F811
    def tables() -> int:
        entries = ok(world.user("root").get("/api/audit?action=export&limit=1000"))["entries"]
        return sum(entry["subject"]["format"] == "table" for entry in entries)

    before = tables()
    parts(sari, done, SPRING, 10)
    assert tables() == before + 1
