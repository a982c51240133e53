"""What is granted decides at every route of the API,
today's grants also over results that exist already.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.schema import DropTable
from werkzeug.test import TestResponse

from access.audit.entries import AuditFilter
from access.grants import Grant
from access.keys import new_key, revoke_key
from access.names import LOCAL_USER
from access.store import AccessStore, open_access
from access.tables import metadata
from api import revocable_stream
from app import create_app
from config import Settings
from data.request import request_of
from data.site import Site, open_site
from data.tiles.tile_store import SeriesKey
from jobs.foreground import begin
from jobs.job import Job, Status
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, open_ledger
from jobs.worker.child import make_run_job
from tests.people import forget_all

YEAR = ("2013-01-01T00:00:00Z", "2014-01-01T00:00:00Z")
BODY: dict[str, Any] = {"stations": ["EWR"], "sensors": ["temperature"], "start": YEAR[0], "end": YEAR[1], "timezone": "UTC"}
WINDOW = "from=2013-05-01T00:10:00Z&to=2013-05-01T00:20:00Z"
CUT = "from=2013-02-01T00:10:00Z&to=2013-11-01T00:20:00Z"
MAY_MS = 1_367_366_400_000  # 2013-05-01
HOUR_MS = 3_600_000
OF_A_JOB = ("", "/events", "/figure", "/stats", "/data", "/data?format=xlsx", "/rows")


@dataclass(frozen=True)
class World:
    """A site behind a proxy with a loaded year of two stations, on which nothing is granted."""

    settings: Settings
    site: Site
    ledger: Ledger
    access: AccessStore
    user: Callable[[str], FlaskClient]

    def grant(self, user: str = "sari", stations: str = "EWR", **what: Any) -> int:
        return self.access.add_grant("user", user, Grant((stations,), **what), by="test")

    def submit(self, user: str = "sari", **fields: Any) -> TestResponse:
        return self.user(user).post("/api/jobs", json=BODY | fields)

    def started(self, user: str = "sari", **fields: Any) -> str:
        answer = self.submit(user, **fields)
        assert answer.status_code == 202, answer.text
        return str((answer.json or {})["id"])

    def loaded(self, user: str = "sari", **fields: Any) -> str:
        """Id of a completed job."""
        job_id = self.started(user, **fields)
        if not self.ledger.get(job_id).status.is_final:
            assert self.run().status is Status.COMPLETED
        return job_id

    def get(self, path: str, user: str = "sari", **more: Any) -> TestResponse:
        answer = self.user(user).get(path, buffered=True, **more)
        answer.close()
        return answer

    def statuses(self, job_id: str, user: str = "sari") -> set[int]:
        """Of every route that shows something of a job."""
        return {self.get(f"/api/jobs/{job_id}{what}", user).status_code for what in OF_A_JOB}

    def run(self) -> Job:
        """Do what a worker does with the next job; the job as it ended."""
        job = self.ledger.claim("w", ["history", "history-large"])
        assert job is not None
        make_run_job(self.settings)(job.id, job.attempt)
        return self.ledger.get(job.id)


@pytest.fixture(scope="module")
def opened(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("rights") / "var"))
    settings = Settings(data_dir=folder, auth="proxy", admins="root", timezone="UTC", event_listeners=2, _env_file=None)
    server = create_app(settings).server

    def user(name: str) -> FlaskClient:
        client = server.test_client()
        client.environ_base["HTTP_X_FORWARDED_USER"] = name
        return client

    world = World(settings, open_site(settings), open_ledger(settings), open_access(settings), user)
    load_history(world.site, request_of(["EWR", "JFK"], ["temperature", "humidity"], *YEAR, "raw", "UTC"), lambda progress: None)
    yield world
    for engine in (world.site.engine, world.ledger.engine, world.access.engine):
        engine.dispose()


@pytest.fixture
def world(opened: World) -> World:
    """Without a job and a grant."""
    forget_all(opened.access, opened.ledger)
    return opened


def error(answer: TestResponse) -> tuple[int, str, str, str | None]:
    """Status, code, sentence and field of a refusal."""
    assert answer.json is not None, answer.text
    found = answer.json["error"]
    return answer.status_code, found["code"], found["message"], found["field"]


# -- what is not granted does not exist ------------------------------------------------------------


@pytest.mark.parametrize(
    ("granted", "secret", "nowhere"),
    [("JFK", {"stations": ["EWR"]}, {"stations": ["ZZZ"]}), ("JFK", {"stations": ["EWR", "JFK"]}, {"stations": ["JFK", "ZZZ"]})],
)
def test_a_station_that_is_not_granted_is_refused_in_the_very_words_of_one_that_is_not_there(world, granted, secret, nowhere):
    world.grant(stations=granted)
    unknown, hidden = error(world.submit(**nowhere)), error(world.submit(**secret))
    assert hidden == (*unknown[:2], unknown[2].replace("ZZZ", "EWR"), unknown[3])
    assert hidden[2] == "There is no station EWR. Known stations: JFK."


def test_a_sensor_that_is_not_granted_is_refused_in_the_very_words_of_one_that_is_not_there(world):
    world.grant(sensors=("temperature", "rain*"))
    unknown, hidden = error(world.submit(sensors=["ghosts"])), error(world.submit(sensors=["humidity"]))
    assert hidden == (*unknown[:2], unknown[2].replace("ghosts", "humidity"), unknown[3])
    assert hidden[2] == "There is no sensor humidity in the catalogue; it has temperature, rainfall."


@pytest.mark.parametrize("offset", [-11, -5, -4, 0, 7, 13])
def test_the_zone_of_a_station_that_is_not_granted_is_not_told_by_what_is_said_of_a_range(world, offset):
    world.grant("sari", "LGA")
    times = {"start": "2013-01-01T00:00", "end": f"2013-01-01T00:00{offset:+03d}:00", "timezone": None}
    secret, nowhere = (world.submit(stations=[name], **times) for name in ("JFK", "nowhere"))
    assert error(secret)[:2] == error(nowhere)[:2]


def test_to_whom_nothing_is_granted_nothing_is_known(world):
    status, code, message, _field = error(world.submit())
    assert (status, code) == (400, "unknown_sensor")
    assert "EWR" not in message
    assert "humidity" not in message
    assert world.get("/api/jobs").json == {"jobs": [], "next": None}
    assert world.ledger.jobs() == []


def test_a_station_of_a_pattern_that_is_not_there_is_not_there(world):
    world.grant(stations="E*")
    assert error(world.submit(stations=["EEE"]))[1:3] == ("unknown_station", "There is no station EEE. Known stations: EWR.")


def test_where_nothing_was_recorded_only_granted_sensors_and_times_are_told(world):
    world.grant(sensors=("temperature", "solar*"), from_ms=MAY_MS)
    world.grant(stations="JFK", sensors=("solar*",))
    message = error(world.submit(sensors=["solar_radiation"], start="2013-05-01T00:00:00Z"))[2]
    assert message == "No solar_radiation for EWR. Available: temperature."
    later = error(world.submit(start="2014-05-01T00:00:00Z", end="2014-06-01T00:00:00Z"))[2]
    assert "Data is available from 2013-05-01T00:00:00Z to" in later


# -- what is known, but not granted so -------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "sentence", "field"),
    [
        ({"from_ms": MAY_MS}, "You have access to EWR from 2013-05-01T00:00:00Z on.", "start"),
        ({"to_ms": MAY_MS}, "You have access to EWR until 2013-05-01T00:00:00Z.", "start"),
        ({"longest_ms": 48 * HOUR_MS}, "For EWR you can load at most 2 d at a time. Choose a shorter range.", "end"),
        ({"finest": "1h"}, "You have access to EWR at 1h or coarser. Choose a coarser resolution.", "resolution"),
    ],
)
def test_outside_of_what_is_granted_the_answer_says_what_is(world, what, sentence, field):
    world.grant(**what)
    assert error(world.submit()) == (403, "not_permitted", sentence, field)
    assert world.ledger.jobs() == []


def test_grants_cover_a_range_together_and_one_more_day_is_refused(world):
    world.grant(to_ms=MAY_MS, longest_ms=400 * 24 * HOUR_MS)
    second = world.grant(from_ms=MAY_MS)
    assert world.submit().status_code == 202
    world.access.remove_grant(second)
    assert world.submit(end="2013-05-01T00:00:00Z").status_code == 202
    assert world.submit(end="2013-05-02T00:00:00Z").status_code == 403


def test_what_may_only_be_looked_at_is_no_file_in_any_format(world):
    world.grant(may_export=False)
    job = world.started()
    assert world.get(f"/api/jobs/{job}/figure").status_code == 200
    assert world.get(f"/api/jobs/{job}/stats").status_code == 200
    for kind in ("csv", "parquet", "arrow", "xlsx"):
        assert error(world.get(f"/api/jobs/{job}/data?format={kind}"))[:2] == (403, "not_permitted")
    assert error(world.get(f"/api/jobs/{job}/rows"))[:2] == (403, "not_permitted")
    world.grant()
    assert world.get(f"/api/jobs/{job}/data").status_code == 200


# -- a floor of resolution -------------------------------------------------------------------------


def test_below_a_floor_no_window_cuts_a_bucket_to_single_observations(world):
    world.grant(finest="1d")
    world.grant("budi")
    day = "from=2013-05-01T00:00:00Z&to=2013-05-02T00:00:00Z"
    job = world.loaded(resolution="1d")
    stats = world.get(f"/api/jobs/{job}/stats?{WINDOW}").json
    assert (stats["from"], stats["to"], stats["series"][0]["rows"]) == ("2013-05-01T00:00:00Z", "2013-05-02T00:00:00Z", 24)
    assert stats == world.get(f"/api/jobs/{job}/stats?{day}").json
    rows = world.get(f"/api/jobs/{job}/data?{WINDOW}")
    assert rows.data == world.get(f"/api/jobs/{job}/data?{day}").data
    assert len(rows.text.splitlines()) == 2
    assert world.get(f"/api/jobs/{job}/rows?{WINDOW}").json["rows"] == world.get(f"/api/jobs/{job}/rows?{day}").json["rows"]
    assert world.get(f"/api/jobs/{job}/rows?{WINDOW}").json["total"] == 1
    assert world.get(f"/api/jobs/{world.loaded('budi', resolution='1d')}/stats?{WINDOW}", "budi").json["series"][0]["rows"] == 0


def test_below_a_floor_rain_has_no_bucket_of_the_row_that_is_stamped_where_its_range_begins(world):
    world.grant(finest="1h")
    hour = "from=2013-05-01T02:00:00Z&to=2013-05-01T03:00:00Z"
    job = world.loaded(resolution="1h", sensors=["rainfall"])
    rows = [line.split(",")[0] for line in world.get(f"/api/jobs/{job}/data?{hour}").text.splitlines()[1:]]
    assert rows == ["2013-05-01T02:00:00Z"]
    assert world.get(f"/api/jobs/{job}/stats?{hour}").json["series"][0]["last_time"] == "2013-05-01T03:00:00Z"


@pytest.mark.parametrize(
    "fields",
    [
        {"start": "2013-05-01T00:10:00Z", "end": "2013-05-01T00:20:00Z"},
        {"end": "2013-05-01T12:00:00Z"},
        {"timezone": "Asia/Jakarta"},
        {"resolution": "1h"},
        {"resolution": "raw"},
    ],
)
def test_below_a_floor_no_request_cuts_a_bucket(world, fields):
    world.grant(finest="1d")
    assert error(world.submit(**{"resolution": "1d"} | fields))[:2] == (403, "not_permitted")
    assert world.submit(resolution="1mo").status_code == 202


# -- today's grants over yesterday's results -------------------------------------------------------


def test_a_floor_on_files_alone_is_on_every_window_of_a_file(world):
    world.grant(may_export=False)
    world.grant(finest="1h")
    job_id = world.loaded(resolution="1h")
    looked_at = world.get(f"/api/jobs/{job_id}/stats?{WINDOW}").json
    assert looked_at["from"] == "2013-05-01T00:10:00Z"  # what may be looked at has no floor
    cut, whole = (world.get(f"/api/jobs/{job_id}/data?{window}") for window in (WINDOW, "from=2013-05-01&to=2013-05-01T01:00Z"))
    assert (cut.status_code, cut.data) == (200, whole.data)
    assert world.get(f"/api/jobs/{job_id}/data?format=xlsx&{WINDOW}").status_code == 202


def test_a_grant_that_is_taken_away_closes_every_route_of_a_result_that_exists(world):
    number = world.grant()
    job = world.started()
    assert world.statuses(job) <= {200, 202}
    world.access.remove_grant(number)
    assert world.statuses(job) == {404}
    never = error(world.get("/api/jobs/jAAAAAAAAAAAAAAAA"))
    assert error(world.get(f"/api/jobs/{job}")) == (*never[:2], never[2].replace("jAAAAAAAAAAAAAAAA", job), never[3])
    assert world.get("/api/jobs").json["jobs"] == []
    for what in ("cancel", "retry"):
        assert world.user("sari").post(f"/api/jobs/{job}/{what}").status_code == 404
    assert world.statuses(job, "root") <= {200, 202}  # an administrator goes on
    world.grant()
    assert world.statuses(job) <= {200, 202}


def test_a_grant_that_is_narrowed_closes_what_lies_outside_and_says_what_is_left(world):
    number = world.grant()
    job = world.started()
    world.access.remove_grant(number)
    world.grant(from_ms=MAY_MS)
    assert world.statuses(job) == {403}
    assert error(world.get(f"/api/jobs/{job}/figure"))[2] == "You have access to EWR from 2013-05-01T00:00:00Z on."
    assert world.get("/api/jobs").json["jobs"] == []


def test_an_event_stream_tells_nothing_more_once_the_grant_is_gone(world):
    number = world.grant()
    job = world.started(sensors=["wind_direction"])
    with world.user("sari").get(f"/api/jobs/{job}/events") as answer:
        pieces = iter(answer.response)
        assert "queued" in "".join(str(next(pieces)) for _ in range(2))
        world.access.remove_grant(number)
        world.ledger.cancel(job)
        assert "cancelled" not in "".join(map(str, pieces))


@pytest.fixture
def always_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights are asked before each piece of a file, however fast it goes."""
    monkeypatch.setattr(revocable_stream, "CHECK_S", 0.0)


@pytest.mark.usefixtures("always_asked")
@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow"])
def test_a_file_is_broken_off_once_the_grant_is_gone_and_the_log_tells_how_much_went_out(world, kind):
    number = world.grant()
    job = world.started()
    with world.user("sari").get(f"/api/jobs/{job}/data?format={kind}") as answer:
        pieces = iter(answer.response)
        sent = len(next(pieces))
        world.access.remove_grant(number)
        with pytest.raises(ConnectionResetError):
            next(pieces)
    told = world.access.audit.entries(AuditFilter("sari", "refused"), limit=1)[0]
    assert (told.outcome, told.subject["job"], told.subject["format"]) == ("refused", job, kind)
    assert told.subject["sent_bytes"] == sent


@pytest.mark.usefixtures("always_asked")
def test_a_file_is_broken_off_once_a_floor_is_on_it(world):
    number = world.grant()
    job = world.started(resolution="1h")
    with world.user("sari").get(f"/api/jobs/{job}/data?{CUT}") as answer:
        pieces = iter(answer.response)
        next(pieces)
        world.access.remove_grant(number)
        world.grant(finest="1h")
        with pytest.raises(ConnectionResetError):
            next(pieces)


@pytest.mark.usefixtures("always_asked")
def test_a_file_is_broken_off_once_its_reader_is_disabled(world):
    world.grant()
    job = world.started()
    world.access.add_account("sari")
    try:
        with world.user("sari").get(f"/api/jobs/{job}/data") as answer:
            pieces = iter(answer.response)
            next(pieces)
            world.access.change_account("sari", disabled=True)
            with pytest.raises(ConnectionResetError):
                next(pieces)
    finally:
        world.access.remove_account("sari")


@pytest.mark.usefixtures("always_asked")
@pytest.mark.parametrize("what", ["data", "events"])
def test_what_a_key_fetches_ends_once_the_key_is_revoked(world, what):
    world.grant()
    job = world.started(sensors=["temperature" if what == "data" else "rainfall"])
    now_ms = time.time_ns() // 1_000_000
    text, key = new_key(world.access, "sari", label="script", scopes=["read", "export"], expires_ms=None, now_ms=now_ms)
    with world.user("nobody").get(f"/api/jobs/{job}/{what}", headers={"Authorization": f"Bearer {text}"}) as answer:
        assert answer.status_code == 200
        pieces = iter(answer.response)
        next(pieces)
        revoke_key(world.access, key.id, now_ms)
        if what == "data":
            with pytest.raises(ConnectionResetError):
                next(pieces)
        else:
            assert list(pieces) == []


@pytest.mark.usefixtures("always_asked")
def test_a_file_goes_on_while_all_is_as_it_was(world):
    world.grant()
    job = world.started()
    assert len(world.get(f"/api/jobs/{job}/data").text.splitlines()) > 8000


def test_the_list_holds_what_is_granted_page_by_page_whatever_lies_between(world):
    ewr, jfk = world.grant(), world.grant(stations="JFK")
    order = ["EWR", "JFK", "JFK", "EWR", "JFK", "EWR"]
    jobs = [world.started(stations=[station], end=f"2013-0{2 + at}-01T00:00:00Z") for at, station in enumerate(order)]
    world.access.remove_grant(jfk)
    seen: list[str] = []
    path = "/api/jobs?limit=1"
    while path:
        page = world.get(path).json
        seen += [job["id"] for job in page["jobs"]]
        path = page["next"]
    assert seen == [jobs[5], jobs[3], jobs[0]]
    hidden = error(world.get(f"/api/jobs?before={jobs[1]}"))
    assert hidden[:2] == (400, "invalid_request")
    world.access.remove_grant(ewr)
    assert world.get("/api/jobs").json["jobs"] == []


def test_two_users_see_each_what_is_theirs(world):
    world.grant("sari", "EWR")
    world.grant("budi", "JFK")
    job = world.started("sari")
    assert world.statuses(job, "budi") == {404}
    assert error(world.submit("budi"))[1:3] == ("unknown_station", "There is no station EWR. Known stations: JFK.")
    assert world.submit("budi", stations=["JFK"]).status_code == 202


# -- the worker asks again -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "code", "sentence"),
    [
        ({"stations": "JFK"}, "unknown_station", "There is no station EWR. Known stations: JFK."),
        ({"from_ms": MAY_MS}, "not_permitted", "You have access to EWR from 2013-05-01T00:00:00Z on."),
    ],
)
def test_a_job_whose_grant_is_gone_when_its_turn_comes_reads_nothing(world, left, code, sentence):
    number = world.grant()
    world.started(sensors=["wind_speed"])
    world.access.remove_grant(number)
    world.grant(**left)
    done = world.run()
    assert (done.status, done.error.code, done.error.message) == (Status.FAILED, code, sentence)
    assert not world.site.tiles.entries(SeriesKey(world.site.source_id, "EWR", "wind_speed"))


def test_a_job_that_finds_nothing_tells_of_the_granted_time_only(world):
    world.grant(from_ms=MAY_MS)
    later = ("2014-05-01T00:00:00Z", "2014-06-01T00:00:00Z")
    world.ledger.submit("sari", request_of(["EWR"], ["temperature"], *later, "raw", "UTC"))
    done = world.run()
    assert done.error.code == "no_data"
    assert "Data is available from 2013-05-01T00:00:00Z to" in done.error.message


def test_a_workbook_whose_right_to_export_is_gone_when_its_turn_comes_is_not_written(world):
    number = world.grant()
    job = world.started()
    assert world.get(f"/api/jobs/{job}/data?format=xlsx&from=2013-06-01T00:00:00Z").status_code == 202
    world.access.remove_grant(number)
    world.grant(may_export=False)
    assert (world.run().error.code, list(world.site.settings.tiles_path.glob(".workbooks/*.xlsx"))) == ("not_permitted", [])


def test_a_user_who_is_disabled_is_refused_at_the_door_and_by_the_worker(world):
    world.grant()
    world.started(sensors=["wind_speed"])
    world.access.add_account("sari")
    world.access.change_account("sari", disabled=True)
    try:
        assert error(world.get("/api/jobs"))[:3] == (
            403,
            "not_permitted",
            "The account sari is disabled. Ask your administrator.",
        )
        assert world.run().status is Status.FAILED
    finally:
        world.access.change_account("sari", disabled=False)
        world.access.remove_account("sari")


def test_whoever_gives_commands_on_the_machine_may_load_everything(world):
    begin(world.site, world.ledger, LOCAL_USER, request_of(["LGA"], ["humidity"], *YEAR, "raw", "UTC"))
    assert world.run().status is Status.COMPLETED


def test_while_the_database_of_grants_does_not_answer_a_user_is_told_to_come_back(tmp_path, sample_data_dir):
    folder = Path(shutil.copytree(sample_data_dir, tmp_path / "var"))
    settings = Settings(data_dir=folder, auth="proxy", _env_file=None)
    client = create_app(settings).server.test_client()
    client.environ_base["HTTP_X_FORWARDED_USER"] = "sari"
    (folder / "riwayat.sqlite").unlink()
    (folder / "riwayat.sqlite").mkdir()
    assert error(client.get("/api/jobs"))[:2] == (503, "unavailable")
    page = client.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert "Traceback" not in page.text
    assert error(client.post("/_dash-update-component", json={}))[:2] == (503, "unavailable")


def test_a_site_that_was_not_brought_up_to_date_says_what_to_do(tmp_path, sample_data_dir):
    folder = Path(shutil.copytree(sample_data_dir, tmp_path / "var"))
    settings = Settings(data_dir=folder, auth="proxy", _env_file=None)
    access = open_access(settings)
    with access.engine.begin() as connection:
        for table in metadata.sorted_tables:  # as before there were grants
            connection.execute(DropTable(table))
    access.engine.dispose()
    client = create_app(settings).server.test_client()
    refused = error(client.get("/api/jobs", headers={"X-Forwarded-User": "sari"}))
    assert refused[:2] == (503, "unavailable")
    assert "manage.py migrate" in refused[2]
    assert "jobs" in client.get("/readyz").json["failed"]


def test_stations_are_listed_as_far_as_they_are_granted_with_where_they_stand(world):
    assert world.get("/api/stations").json == {"stations": []}
    world.grant(stations="JFK")
    (found,) = world.get("/api/stations").json["stations"]
    metadata = world.site.catalogue.stations["JFK"]
    where = (metadata.latitude, metadata.longitude, metadata.elevation, metadata.timezone)
    assert (found["station"], found["latitude"], found["longitude"], found["elevation"], found["timezone"]) == ("JFK", *where)
    assert found["first"].startswith("2013-01-01")
    assert [each["station"] for each in world.get("/api/stations", "root").json["stations"]] == ["EWR", "JFK", "LGA"]
