"""The API as servers serve it: the lines of docs/api.md, rows in constant memory,
events that do not outlive their reader.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from access.store import migrate_access, open_access
from api.revocable_stream import CHECK_S
from config import Settings
from data.database.engine import migrate_observations
from data.readings import clean
from data.request import HistoryRequest
from data.site import open_site
from data.tiles.tile_store import SeriesKey
from data.time.months import month_start_ms, months_of, parse_month
from jobs.job import Job
from jobs.kinds.write_flags import write_flags
from jobs.ledger.ledger import migrate_jobs, open_ledger
from tests.people import grant_everyone
from tests.processes import ROOT, SiteProcess, WebProcess, wait_until

pytestmark = pytest.mark.process

MB = 2**20


def test_the_lines_of_the_documentation_do_what_they_say(start_site, tmp_path):
    site = start_site()
    lines, *_ = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=tmp_path,
        env={"SITE": site.url, "PATH": "/usr/bin:/bin", "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    job, stats, jobs, refusal = (json.loads(line) for line in re.findall(r"^\{.*\}$", done.stdout, re.MULTILINE))
    assert job["status"] == jobs["jobs"][0]["status"] == "completed"
    assert stats["complete"]
    assert refusal["error"]["code"] == "conflict"
    rows = (tmp_path / "riwayat_JFK_temperature_20130301_20130601.csv").read_text().splitlines()
    assert len(rows) > 90 * 24
    assert (tmp_path / "rows.parquet").read_bytes().startswith(b"PAR1")
    assert (tmp_path / "rows.xlsx").read_bytes().startswith(b"PK\x03\x04")
    assert json.loads((tmp_path / "figure.json").read_text())["data"]


# -- rows ------------------------------------------------------------------------------------------


SENSORS = ("temperature", "humidity", "pressure", "wind_speed")
FIRST, LAST = month_start_ms(parse_month("2016-01")), month_start_ms(parse_month("2020-01"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_DIR with the tiles and the inventory of a station's four years of minutes:
    two million rows, 64 MB of numbers.
    """
    settings = Settings(data_dir=tmp_path_factory.mktemp("large") / "var", _env_file=None)
    settings.prepare()
    site, ledger = open_site(settings), open_ledger(settings)
    migrate_observations(site.engine, site.catalogue)
    migrate_jobs(ledger.engine)
    access = open_access(settings)
    migrate_access(access.engine)
    access.engine.dispose()
    times = np.arange(FIRST, LAST, 60_000)
    values = np.random.default_rng(1).normal(20, 5, len(times)).round(2)
    for name in SENSORS:
        sensor = site.catalogue[name]
        key = SeriesKey(site.source_id, "aws-1", name)
        for month in np.unique(months := months_of(times)).tolist():
            cleaned = clean(times[months == month], values[months == month], sensor)
            site.tiles.publish(key, [site.tiles.write(key, month, cleaned, generation=1, fingerprint=sensor.fingerprint)])
    with site.engine.begin() as connection:
        site.inventory.describe(
            connection, "aws-1", sensors=dict.fromkeys(SENSORS, (int(times[0]), int(times[-1]))), step_ms=60_000
        )
        for month in np.unique(months).tolist():
            here = times[months == month]
            first, last = int(here[0]), int(here[-1])
            site.inventory.record(connection, "aws-1", month=month, added=len(here), first_ms=first, last_ms=last)
    write_flags(site, HistoryRequest(("aws-1",), SENSORS, FIRST, LAST))  # as a load does
    site.engine.dispose()
    ledger.engine.dispose()
    return settings.data_dir


@pytest.fixture
def web(large: Path, tmp_path: Path) -> Iterator[WebProcess]:
    with WebProcess(cwd=tmp_path, data_dir=large, event_listeners=2, web_workers=1).start() as process:
        yield process


def test_four_years_are_sent_in_the_memory_that_three_months_need(web: WebProcess) -> None:
    body = {"stations": ["aws-1"], "sensors": SENSORS, "start": "2016-01-01", "end": "2020-01-01"}
    job = post(f"{web.url}/api/jobs", body)
    assert job["status"] == "completed"
    kinds, path = ("csv", "arrow", "parquet"), f"{web.url}{job['links']['data']}?format="
    for kind in kinds:  # what is loaded once is loaded
        take(f"{path}{kind}&to=2016-04-01")
    family = [process.pid for process in web.family()]
    before = own_memory(family)
    sizes = {kind: take(path + kind, watch=lambda: own_memory(family) - before) for kind in kinds}
    assert sizes["csv"][0] > 80 * MB
    grown = {kind: most // MB for kind, (_, most) in sizes.items()}
    # the rows of three months, and what writers keep of them
    assert max(grown.values()) < 60, grown


@pytest.mark.parametrize("kind", [SiteProcess, WebProcess])
def test_who_may_not_have_the_rows_any_more_sees_that_the_file_is_not_whole(large: Path, tmp_path: Path, kind: Any) -> None:
    settings = Settings(data_dir=large, _env_file=None)
    access = open_access(settings)
    migrate_access(access.engine)
    number = grant_everyone(settings)
    with kind(cwd=tmp_path, data_dir=large, auth="proxy").start() as process:
        connection = http.client.HTTPConnection(process.url.removeprefix("http://"), timeout=30)
        sari = {"X-Forwarded-User": "sari", "Content-Type": "application/json"}
        body = {"stations": ["aws-1"], "sensors": SENSORS, "start": "2016-01-01", "end": "2020-01-01"}
        connection.request("POST", "/api/jobs", json.dumps(body), sari)
        job = json.load(connection.getresponse())
        connection.request("GET", job["links"]["data"], headers=sari)
        answer, began_s = connection.getresponse(), time.monotonic()
        answer.read(MB)
        access.remove_grant(number)
        wait_until(lambda: time.monotonic() - began_s > CHECK_S, "rights to be asked again")
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
        connection.close()
    access.engine.dispose()


def post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    asked = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return dict(json.load(answer))


def take(url: str, watch: Callable[[], int] = lambda: 0) -> tuple[int, int]:
    """(bytes of an answer, greatest value of ``watch`` while it is read)."""
    size = greatest = 0
    with urllib.request.urlopen(url, timeout=60) as answer:
        while piece := answer.read(MB):
            size += len(piece)
            greatest = max(greatest, watch())
    return size, greatest


def own_memory(family: list[int]) -> int:
    """Bytes of the web processes' own memory;
    tiles that are mapped from the disk are not counted.
    """
    statuses = [Path(f"/proc/{pid}/status").read_text() for pid in family]
    return sum(int(kb) * 1024 for status in statuses for kb in re.findall(r"RssAnon:\s+(\d+) kB", status))


# -- events ----------------------------------------------------------------------------------------


@pytest.fixture(params=["waitress", "gunicorn"])
def served(request: pytest.FixtureRequest, data_dir: Path, tmp_path: Path) -> Iterator[str]:
    """Address of a site whose one web process keeps two streams open; no worker is needed."""
    settings = {"data_dir": data_dir, "event_listeners": 2, "web_workers": 1}
    made = (SiteProcess if request.param == "waitress" else WebProcess)(cwd=tmp_path, **settings)
    with made.start():
        yield made.url


@pytest.fixture
def waiting(data_dir: Path) -> Iterator[Job]:
    """A job that no worker takes: its queue is nobody's."""
    ledger = open_ledger(Settings(data_dir=data_dir))
    yield ledger.submit("local", HistoryRequest(("JFK",), ("temperature",), 0, 1_400_000_000_000), queue="nobody")
    ledger.engine.dispose()


def listen(site: str, job_id: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(site.removeprefix("http://"), timeout=30)
    connection.request("GET", f"/api/jobs/{job_id}/events")
    return connection, connection.getresponse()


def line_that(answer: http.client.HTTPResponse, begins: bytes) -> bytes:
    """The next line of a stream that begins so."""
    while line := answer.readline():
        if line.startswith(begins):
            return line
    raise AssertionError(f"the stream ended without {begins!r}")


def test_events_come_as_they_happen_and_end_with_the_job(served, waiting, data_dir):
    connection, answer = listen(served, waiting.id)
    assert json.loads(line_that(answer, b"data: ")[6:])["status"] == "queued"
    line_that(answer, b": ")  # a sign of life
    ledger = open_ledger(Settings(data_dir=data_dir))
    began = time.monotonic()
    ledger.cancel(waiting.id)
    ledger.engine.dispose()
    assert json.loads(line_that(answer, b"data: ")[6:])["status"] == "cancelled"
    assert time.monotonic() - began < 10
    assert line_that(answer, b"event: ") == b"event: end\n"
    answer.read()  # to its end
    connection.close()


def test_listeners_beyond_the_limit_are_told_to_poll_and_who_goes_makes_room(served, waiting):
    open_ones = [listen(served, waiting.id) for _ in range(2)]
    for _, answer in open_ones:
        line_that(answer, b"data: ")
    connection, refusal = listen(served, waiting.id)
    assert (refusal.status, json.load(refusal)["error"]["code"]) == (503, "too_many_listeners")
    assert int(refusal.headers["Retry-After"]) > 0
    connection.close()
    # other requests have threads
    with urllib.request.urlopen(f"{served}/api/jobs/{waiting.id}", timeout=10) as polled:
        assert json.load(polled)["status"] == "queued"
    for connection, answer in open_ones:
        answer.close()
        connection.close()

    def has_room() -> bool:
        connection, answer = listen(served, waiting.id)
        try:
            return answer.status == 200
        finally:
            answer.close()
            connection.close()

    # before their streams would have ended by themselves
    wait_until(has_room, "room for a listener after the others went", 14)
