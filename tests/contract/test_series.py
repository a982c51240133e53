"""``GET /api/series``: readings by one address, loaded first where they are not on the disk."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from flask.testing import FlaskClient

from app import create_app
from config import Settings
from data.site import open_site
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger

DAY = "station=JFK&sensor=temperature&from=2013-07-18&to=2013-07-18&timezone=America/New_York"
FIRST = {
    "timestamp_utc": "2013-07-18T04:00:00Z",
    "timestamp_local": "2013-07-18T00:00:00-04:00",
    "station": "JFK",
    "temperature": 26.7,
}


class Caller:
    """A program that asks, and the worker that loads what it asks for."""

    def __init__(self, settings: Settings, client: FlaskClient) -> None:
        self.settings, self.client = settings, client

    def ask(self, query: str) -> Any:
        return self.client.get(f"/api/series?{query}")

    def work(self) -> int:
        """Load what waits; how many loads there were."""
        site, ledger, done = open_site(self.settings), open_ledger(self.settings), 0
        while (job := ledger.claim("w", ("history", "history-large"))) is not None:
            load_history(site, job.request, lambda _: None)
            ledger.complete(job.id, job.attempt, {})
            done += 1
        return done

    def rows(self, query: str) -> Any:
        """What is answered once all is loaded."""
        if (answer := self.ask(query)).status_code == 202:
            assert answer.headers["Retry-After"] == "2"
            assert '"queued"' in self.client.get(answer.headers["Location"]).text
            assert self.work() == 1
            answer = self.ask(query)
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture(scope="module")
def caller(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Caller:
    folder = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("series") / "var"))
    settings = Settings(data_dir=folder, timezone="UTC", _env_file=None)
    return Caller(settings, create_app(settings).server.test_client())


def test_readings_come_as_json_csv_and_arrow_alike_and_a_day_alone_as_end_is_whole(caller: Caller) -> None:
    rows = caller.rows(DAY).json
    assert (len(rows), rows[0]) == (24, FIRST)
    lines = list(csv.DictReader(io.StringIO(caller.rows(f"{DAY}&format=csv").text)))
    assert [float(line["temperature"]) for line in lines] == [row["temperature"] for row in rows]
    with pa.ipc.open_stream(caller.rows(f"{DAY}&format=arrow").data) as reader:
        assert reader.read_all().column("temperature").to_pylist() == [row["temperature"] for row in rows]
    assert caller.work() == 0


def test_buckets_and_the_latest_row_are_of_the_same_range(caller: Caller) -> None:
    readings = [row["temperature"] for row in caller.rows(DAY).json]
    (day,) = caller.rows(f"{DAY}&resolution=1d").json
    assert day["temperature"] == pytest.approx(sum(readings) / 24, abs=0.01)
    assert caller.rows(f"{DAY}&latest=true").json[0] == caller.rows(DAY).json[-1]
    (hour,) = caller.rows(f"{DAY}&latest=true&resolution=1h").json
    assert hour["timestamp_local"] == "2013-07-18T23:00:00-04:00"


@pytest.mark.parametrize("end", ["2013-08-01", "2014-01-05"])  # after it there are readings, or none
def test_the_last_row_has_the_rain_of_the_interval_that_ends_there(caller: Caller, end: str) -> None:
    query = f"station=JFK&sensor=rainfall&sensor=temperature&from=2013-07-18&to={end}&timezone=America/New_York"
    whole = caller.rows(query).json
    assert caller.ask(f"{query}&latest=true").json == whole[-1:]
    assert whole[-1]["rainfall"] is not None


def test_what_reads_tables_is_refused_while_they_are_loaded_and_pandas_reads_them_then(caller: Caller) -> None:
    query = "station=EWR&sensor=temperature&from=2013-02-01&to=2013-02-02&timezone=UTC&format=csv"
    answer = caller.ask(query)
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "loading")
    assert int(answer.headers["Retry-After"]) > 0
    assert caller.work() == 1
    assert len(pd.read_csv(io.StringIO(caller.ask(query).text))) == 48


def test_a_page_of_another_site_starts_nothing(caller: Caller) -> None:
    query = "station=LGA&sensor=temperature&from=2013-01-01&to=2013-01-31&timezone=UTC"
    answer: Any = caller.client.get(f"/api/series?{query}", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "cross_site")
    assert caller.work() == 0


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("sensor=temperature", 400, "station"),
        ("station=JFK&sensor=temperature&from=gestern", 400, "from"),
        ("station=JFK&sensor=temperature&from=2013-07-02&to=2013-07-01T00:00", 400, "end"),
        ("station=JFK&sensor=temperature&resolution=2h", 400, "resolution"),
        ("station=JFK&sensor=temperature&timezone=Mars/Base", 400, "timezone"),
        ("station=XYZ&sensor=temperature&from=2013-07-01&to=2013-07-02", 400, "stations"),
        (f"{DAY}&latest=true&format=csv", 400, "format"),
    ],
)
def test_what_cannot_be_answered_says_which_field_and_starts_nothing(caller: Caller, query: str, status: int, field: str) -> None:
    answer = caller.ask(query)
    assert (answer.status_code, answer.json["error"]["field"]) == (status, field)
    assert caller.work() == 0


def test_who_asks_up_to_now_again_and_again_makes_one_job_a_minute(caller: Caller) -> None:
    query = "station=JFK&sensor=temperature&from=now-9000d&to=now"
    caller.rows(query)
    before = len(open_ledger(caller.settings).jobs(limit=1000))
    for _ in range(3):
        assert caller.ask(query).status_code == 200
    assert len(open_ledger(caller.settings).jobs(limit=1000)) <= before + 1  # a minute may have ended
