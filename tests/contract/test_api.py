"""The API of jobs over a real site: start, list, look, cancel, retry, take; refusals of one shape;
nobody else's jobs.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event
from werkzeug.test import TestResponse

from api.operations import BODY_BYTES
from api.outputs import Error, JobAnswer, JobList, JobReceipt, Stats
from app import create_app
from config import Settings
from data.request import request_of
from data.site import Site, open_site
from data.tiles.format import HEADER_BYTES, TIME_BYTES
from data.tiles.series import SeriesKey
from data.time.buckets import BY_NAME
from data.time.months import month_start_ms, parse_month
from data.view.rollup import rollup_key
from figures import job_window
from jobs.job import JobError, Status
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, open_ledger
from tests.people import grant_everyone

BODY: dict[str, Any] = {"stations": ["JFK"], "sensors": ["temperature"], "start": "2013-03-01", "end": "2013-06-01"}
LOADED: dict[str, Any] = {"stations": ["EWR"], "sensors": ["temperature", "rainfall"], "start": "2013-01-01", "end": "2014-01-01"}


@dataclass(frozen=True)
class World:
    """A site and its clients, by user."""

    settings: Settings
    site: Site
    ledger: Ledger
    user: Callable[[str], FlaskClient]

    def started(self, user: str = "sari", **fields: Any) -> str:
        """Id of a job that a user started."""
        return str(ok(self.user(user).post("/api/jobs", json=BODY | fields), 202)["id"])


@pytest.fixture(scope="module")
def folder(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of which LOADED is loaded."""
    made = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("api") / "var"))
    site = open_site(Settings(data_dir=made, _env_file=None))
    request = request_of(LOADED["stations"], LOADED["sensors"], LOADED["start"], LOADED["end"], "raw", "Asia/Jakarta")
    load_history(site, request, lambda progress: None)
    site.engine.dispose()
    grant_everyone(site.settings)
    return made


@contextmanager
def opened(folder: Path, **more: Any) -> Iterator[World]:
    free = {"rate_page": 0, "rate_submit": 0, "rate_api": 0}  # none of these tests is about them
    settings = Settings(data_dir=folder, auth="proxy", admins="root", event_listeners=2, _env_file=None, **(free | more))
    server = create_app(settings).server

    def user(name: str) -> FlaskClient:
        client = server.test_client()
        client.environ_base["HTTP_X_FORWARDED_USER"] = name
        return client

    site, ledger = open_site(settings), open_ledger(settings)
    yield World(settings, site, ledger, user)
    site.engine.dispose()
    ledger.engine.dispose()


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[World]:
    with opened(folder) as world:
        yield world


@pytest.fixture
def world(shared: World) -> World:
    """A site without any job; its tiles are everybody's."""
    shared.ledger.prune(older_than_s=-3600)
    for job in shared.ledger.jobs(limit=1000):
        shared.ledger.cancel(job.id)
    shared.ledger.prune(older_than_s=-3600)
    return shared


@pytest.fixture
def own_world(folder: Path, tmp_path: Path) -> Iterator[World]:
    """A site that the test may break."""
    with opened(Path(shutil.copytree(folder, tmp_path / "var"))) as world:
        yield world


@pytest.fixture
def full_world(folder: Path, tmp_path: Path) -> Iterator[World]:
    """A site where a user may have two jobs that wait or run, and three may wait in all."""
    with opened(Path(shutil.copytree(folder, tmp_path / "var")), user_jobs=2, queued_jobs=3) as world:
        yield world


@pytest.fixture
def sari(world: World) -> FlaskClient:
    return world.user("sari")


@pytest.fixture
def done(world: World) -> str:
    """Id of sari's completed job."""
    return world.started(**LOADED)


def ok(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    """The JSON of an answer that must have this status."""
    assert (answer.status_code, answer.mimetype) == (status, "application/json"), answer.text
    assert answer.json is not None
    return dict(answer.json)


def refused(answer: TestResponse, status: int, code: str, field: str | None = None) -> str:
    """The sentence of a refusal that must be of the one shape."""
    error = Error.model_validate(ok(answer, status)).error
    assert (error.code, error.field) == (code, field), error
    assert error.message
    return error.message


# -- start -----------------------------------------------------------------------------------------


def test_a_job_is_accepted_and_says_where_to_look(world, sari):
    answer = sari.post("/api/jobs", json=BODY)
    receipt = JobReceipt.model_validate(ok(answer, 202))
    assert (receipt.status, receipt.queue, receipt.position) == (Status.QUEUED, "history", 1)
    assert answer.headers["Location"] == receipt.links.self == f"/api/jobs/{receipt.id}"
    job = JobAnswer.model_validate(ok(sari.get(answer.headers["Location"])))
    assert (job.owner, job.status, job.links) == ("sari", Status.QUEUED, receipt.links)
    # days of the station's own clock
    assert (job.request.start, job.request.end) == ("2013-03-01T05:00:00Z", "2013-06-01T04:00:00Z")


def test_an_equal_request_of_the_same_user_is_the_same_job(world):
    assert world.started() == world.started()
    assert world.started("budi") != world.started()


def test_a_job_of_which_all_is_there_is_completed_at_once(world, sari):
    receipt = ok(sari.post("/api/jobs", json=LOADED), 202)
    assert (receipt["status"], receipt["position"]) == ("completed", None)


def test_the_zone_of_a_request_may_be_given(sari):
    made = ok(sari.post("/api/jobs", json=BODY | {"timezone": "America/New_York"}), 202)
    assert ok(sari.get(made["links"]["self"]))["request"]["start"] == "2013-03-01T05:00:00Z"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"stations": []}, "invalid_request", "stations"),
        ({"stations": "JFK"}, "invalid_request", "stations"),
        ({"stations": ["x" * 300]}, "invalid_request", "stations"),
        ({"stations": ["a\0b"]}, "invalid_request", "stations"),
        ({"stations": ["\ud800"]}, "invalid_request", "stations"),
        ({"stations": ["nowhere"]}, "unknown_station", "stations"),
        ({"sensors": None}, "invalid_request", "sensors"),
        ({"sensors": ["mood"]}, "unknown_sensor", "sensors"),
        ({"start": "yesterday"}, "invalid_request", "start"),
        ({"start": 5}, "invalid_request", "start"),
        ({"end": "2012-01-01"}, "invalid_request", "end"),
        ({"start": "2020-01-01", "end": "2020-02-01"}, "no_data", "start"),
        ({"resolution": "2h"}, "invalid_request", "resolution"),
        ({"timezone": "Mars/Olympus"}, "invalid_request", "timezone"),
        ({"sensor": ["temperature"]}, "invalid_request", "sensor"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(world, sari, change, code, field):
    refused(sari.post("/api/jobs", json=BODY | change), 400, code, field)
    assert world.ledger.jobs() == []


@pytest.mark.parametrize("missing", ["stations", "sensors", "start", "end"])
def test_a_missing_field_is_named(sari, missing):
    body = {name: value for name, value in BODY.items() if name != missing}
    assert missing in refused(sari.post("/api/jobs", json=body), 400, "invalid_request", missing)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"x"', "\xff", "NaN", "[" * 100_000])
def test_what_is_no_json_object_is_refused(sari, text):
    refused(sari.post("/api/jobs", data=text.encode("latin-1"), content_type="application/json"), 400, "invalid_request")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml"])
@pytest.mark.parametrize("path", ["", "/{job}/cancel", "/{job}/retry"])
def test_what_a_form_of_another_site_could_send_is_refused(world, sari, path, kind):
    job = world.started()
    answer = sari.post(f"/api/jobs{path.format(job=job)}", data=b"", content_type=kind)
    refused(answer, 415, "unsupported_media_type")
    assert world.ledger.get(job).status is Status.QUEUED


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 202),
        ({"Sec-Fetch-Site": "none"}, 202),
        ({"Origin": "http://localhost"}, 202),
        ({}, 202),
    ],
)
def test_a_page_of_another_site_can_change_nothing(world, sari, headers, status):
    job = world.started()
    answer = sari.post(f"/api/jobs/{job}/cancel", headers=headers)
    if status == 403:
        refused(answer, 403, "cross_site")
    assert world.ledger.get(job).status is (Status.QUEUED if status == 403 else Status.CANCELLED)


def test_a_body_that_is_too_long_is_refused_before_it_is_read(sari):
    body = b'{"stations": ["' + b"x" * BODY_BYTES + b'"]}'
    refused(sari.post("/api/jobs", data=body, content_type="application/json"), 413, "request_entity_too_large")


# -- whose job -------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["", "/events", "/figure", "/stats", "/data", "/cancel", "/retry"])
def test_another_owners_job_is_not_there_and_an_administrator_sees_it(world, what):
    job = world.started("budi", **LOADED)
    for asked in (job, "xnothing0", "x", "a%00b", "%ED%A0%80"):
        path = f"/api/jobs/{asked}{what}"
        sari = world.user("sari")
        refused(sari.post(path) if what in ("/cancel", "/retry") else sari.get(path), 404, "job_not_found")
    root = world.user("root")
    answer = root.post(f"/api/jobs/{job}{what}") if what in ("/cancel", "/retry") else root.get(f"/api/jobs/{job}{what}")
    assert answer.status_code == (409 if what in ("/cancel", "/retry") else 200)


def test_nobody_gets_anything_without_sign_in(world):
    nobody = world.user("")
    for answer in (nobody.get("/api/jobs"), nobody.post("/api/jobs", json=BODY), nobody.get("/api/nothing")):
        refused(answer, 401, "not_authenticated")


# -- list ------------------------------------------------------------------------------------------


def test_the_list_is_ones_own_newest_first_page_by_page(world, sari):
    ids = [world.started(start=f"2013-0{month}-01", end="2013-09-01") for month in range(1, 6)]
    world.started("budi")
    path, seen = "/api/jobs?limit=2", []
    while path:
        page = JobList.model_validate(ok(sari.get(path)))
        seen.append([job.id for job in page.jobs])
        path = page.next
    assert seen == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]


def test_the_places_of_all_jobs_of_a_page_are_one_question(world, sari):
    jobs = [world.started(sensors=[sensor]) for sensor in ("temperature", "rainfall", "wind_speed")]
    asked: list[str] = []

    def ask(*call: Any) -> None:
        asked.append(str(call[2]))

    event.listen(Engine, "before_cursor_execute", ask)
    try:
        found = JobList.model_validate(ok(sari.get("/api/jobs"))).jobs
    finally:
        event.remove(Engine, "before_cursor_execute", ask)
    assert [(job.id, job.position) for job in found] == [(jobs[2], 3), (jobs[1], 2), (jobs[0], 1)]
    assert len([statement for statement in asked if "row_number" in statement]) == 1


def test_the_list_may_be_of_one_status_and_empty_values_are_absent_ones(world, sari, done):
    waiting = world.started()
    assert [job["id"] for job in ok(sari.get("/api/jobs?status=queued&limit=&before="))["jobs"]] == [waiting]
    assert [job["id"] for job in ok(sari.get("/api/jobs?status=completed"))["jobs"]] == [done]
    assert ok(sari.get("/api/jobs?status=failed")) == {"jobs": [], "next": None}


def test_only_an_administrator_may_ask_for_all(world, sari):
    ids = {world.started("sari"), world.started("budi")}
    refused(sari.get("/api/jobs?all=true"), 403, "not_permitted")
    root = world.user("root")
    assert {job["id"] for job in ok(root.get("/api/jobs?all=TRUE&limit=1"))["jobs"]} < ids
    assert {job["id"] for job in ok(root.get("/api/jobs?all=1"))["jobs"]} == ids
    assert ok(root.get("/api/jobs"))["jobs"] == []
    page = ok(root.get("/api/jobs?all=1&limit=1"))
    assert len(ok(root.get(page["next"]))["jobs"]) == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [("status=done", "status"), ("limit=0", "limit"), ("limit=201", "limit"), ("before=x", "before"), ("all=x", "all")],
)
def test_a_wrong_query_of_the_list_is_refused_by_its_field(sari, query, field):
    refused(sari.get(f"/api/jobs?{query}"), 400, "invalid_request", field)


# -- change ----------------------------------------------------------------------------------------


def test_a_job_is_cancelled_and_retried_and_a_state_that_forbids_it_is_a_conflict(world, sari):
    job = world.started()
    refused(sari.post(f"/api/jobs/{job}/retry"), 409, "conflict")
    cancelled = JobReceipt.model_validate(ok(sari.post(f"/api/jobs/{job}/cancel", json={}), 202))
    assert (cancelled.id, cancelled.status, cancelled.position) == (job, Status.CANCELLED, None)
    refused(sari.post(f"/api/jobs/{job}/cancel"), 409, "conflict")
    again = JobReceipt.model_validate(ok(sari.post(f"/api/jobs/{job}/retry"), 202))
    assert (again.id, again.status, again.position) == (job, Status.QUEUED, 1)


def test_a_failed_job_says_why_and_how_far_it_came(world, sari):
    job = world.started()
    attempt = world.ledger.claim("w", ["history"])
    world.ledger.fail(job, attempt.attempt, JobError("x", "No {what}.", {"what": "luck"}), jitter=0.0)
    answer = JobAnswer.model_validate(ok(sari.get(f"/api/jobs/{job}")))
    assert (answer.status, answer.attempts, answer.failures) == (Status.FAILED, 1, 1)
    assert answer.error.message == "No luck."


# -- what a job gives ------------------------------------------------------------------------------


def test_rows_are_asked_for_again_only_when_they_have_changed(world, sari, done):
    for kind in ("csv", "parquet", "arrow"):
        path = f"/api/jobs/{done}/data?format={kind}&from=2013-03-01&to=2013-03-02"
        first = sari.get(path)
        assert first.status_code == 200
        again = sari.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        assert sari.get(path).data == first.data, kind
        other = sari.get(f"/api/jobs/{done}/data?format={kind}&from=2013-03-01&to=2013-03-03", headers={"If-None-Match": "x"})
        assert (other.status_code, other.headers["ETag"] != first.headers["ETag"]) == (200, True)


def test_rows_of_which_a_part_has_left_the_disk_are_refused_rather_than_cut(own_world):
    done, sari = own_world.started(**LOADED), own_world.user("sari")
    own_world.site.tiles.clear()
    assert "Load it again" in refused(sari.get(f"/api/jobs/{done}/data"), 409, "conflict")
    assert ok(sari.get(f"/api/jobs/{done}/stats"))["complete"] is False


LOST = "no longer cached; load again"


def tints(figure: dict[str, Any]) -> list[tuple[float, float, str]]:
    """Start, end and words of the tinted spans of a figure, wall-clock ms of its axis."""
    return [
        (shape["x0"], shape["x1"], shape.get("label", {}).get("text", ""))
        for shape in figure["layout"]["shapes"]
        if shape["yref"] == "paper"
    ]


def test_a_figure_says_which_part_has_left_the_disk_as_the_statistics_do(own_world):
    done, sari = own_world.started(**LOADED), own_world.user("sari")
    whole = ok(sari.get(f"/api/jobs/{done}/figure"))
    assert (whole["layout"]["meta"]["complete"], tints(whole)) == (True, [])

    rain = SeriesKey(own_world.site.source_id, "EWR", "rainfall")
    own_world.site.tiles.drop(rain, [own_world.site.tiles.entries(rain)[parse_month("2013-07")]])
    figure = ok(sari.get(f"/api/jobs/{done}/figure"))
    offset = figure["layout"]["meta"]["offset"]
    july = [month_start_ms(parse_month(name)) + offset for name in ("2013-07", "2013-08")]
    assert (figure["layout"]["meta"]["complete"], tints(figure)) == (False, [(*july, LOST)])
    assert ok(sari.get(f"/api/jobs/{done}/stats"))["complete"] is False
    elsewhere = ok(sari.get(f"/api/jobs/{done}/figure?from=2013-01-01&to=2013-02-01"))
    assert (elsewhere["layout"]["meta"]["complete"], tints(elsewhere)) == (False, [])
    theirs = ok(sari.get(f"/api/jobs/{done}/figure", headers={"Accept-Language": "id"}))
    assert [words for *_, words in tints(theirs)] == ["tidak ada lagi di cache; muat lagi"]


@pytest.mark.parametrize("which", ["first value", "a summary"])
def test_a_damaged_month_is_neither_drawn_nor_called_complete(own_world, which):
    done, sari = own_world.started(**LOADED), own_world.user("sari")
    tiles, rain = own_world.site.tiles, SeriesKey(own_world.site.source_id, "EWR", "rainfall")
    entry = tiles.entries(rain)[parse_month("2013-07")]
    path = tiles.folder(rain) / entry.file_name
    data = bytearray(path.read_bytes())
    data[{"first value": HEADER_BYTES + TIME_BYTES * entry.blocks + 6, "a summary": len(data) - 60}[which]] ^= 1
    path.write_bytes(data)

    answer = ok(sari.get(f"/api/jobs/{done}/stats"))
    rows = next(one["rows"] for one in answer["series"] if one["sensor"] == "rainfall")
    assert (answer["complete"], rows) == (False, sum(each.rows for each in tiles.entries(rain).values()))
    assert parse_month("2013-07") not in tiles.entries(rain)
    assert ok(sari.get(f"/api/jobs/{done}/figure"))["layout"]["meta"]["complete"] is False


def test_what_came_back_while_a_figure_was_drawn_without_it_does_not_make_it_complete(own_world, monkeypatch):
    done, sari = own_world.started(**LOADED), own_world.user("sari")
    rain = SeriesKey(own_world.site.source_id, "EWR", "rainfall")
    entry = own_world.site.tiles.entries(rain)[parse_month("2013-07")]
    path = own_world.site.tiles.folder(rain) / entry.file_name
    kept, index = path.read_bytes(), path.with_name("index").read_bytes()
    real = job_window.view_request

    def view_then_comes_back(*asked: Any, **how: Any) -> Any:
        view = real(*asked, **how)
        path.write_bytes(kept)
        path.with_name("index").write_bytes(index)
        return view

    monkeypatch.setattr(job_window, "view_request", view_then_comes_back)
    for route in ("stats", "figure"):
        own_world.site.tiles.drop(rain, [entry])
        answer = ok(sari.get(f"/api/jobs/{done}/{route}"))
        assert (answer if route == "stats" else answer["layout"]["meta"])["complete"] is False


def test_a_figure_of_a_job_that_loads_is_not_complete(world, sari):
    figure = ok(sari.get(f"/api/jobs/{world.started()}/figure"))
    assert figure["layout"]["meta"]["complete"] is False
    assert [words for *_, words in tints(figure)] == ["not loaded yet"]


def test_an_hourly_job_that_lost_its_rollups_alone_says_so_where_it_is_drawn_from_them_and_gives_all_else(own_world):
    site, sari = own_world.site, own_world.user("sari")
    asked = LOADED | {"sensors": ["temperature"], "resolution": "1h", "timezone": "Asia/Jakarta"}
    request = request_of(asked["stations"], asked["sensors"], asked["start"], asked["end"], "1h", "Asia/Jakarta")
    load_history(site, request, lambda progress: None)
    done = own_world.started(**asked)

    def given() -> tuple[Any, ...]:
        data = sari.get(f"/api/jobs/{done}/data").data
        month = ok(sari.get(f"/api/jobs/{done}/figure?from=2013-07-01&to=2013-07-08"))
        return data, ok(sari.get(f"/api/jobs/{done}/stats")), month

    before, figure = given(), ok(sari.get(f"/api/jobs/{done}/figure"))
    assert (figure["layout"]["meta"]["complete"], tints(figure)) == (True, [])
    key = rollup_key(
        SeriesKey(site.source_id, "EWR", "temperature"), site.catalogue["temperature"], BY_NAME["1h"], "Asia/Jakarta"
    )
    assert site.tiles.entries(key)
    site.tiles.drop(key, site.tiles.entries(key).values())

    assert given() == before
    assert before[1]["complete"]
    assert before[2]["layout"]["meta"]["complete"]
    lost = ok(sari.get(f"/api/jobs/{done}/figure"))
    assert lost["layout"]["meta"]["complete"] is False
    assert [words for *_, words in tints(lost)] == [LOST]
    again = ok(sari.post("/api/jobs", json=asked), 202)
    assert again["status"] == "queued"
    load_history(site, request, lambda progress: None)
    assert ok(sari.get(f"/api/jobs/{done}/figure")) == figure


def test_a_figure_is_drawn_though_the_inventory_does_not_answer_and_is_not_called_complete(own_world):
    done = own_world.started(**LOADED)
    (own_world.settings.data_dir / "observations.sqlite").unlink()
    (own_world.settings.data_dir / "observations.sqlite").mkdir()
    sari = create_app(own_world.settings).server.test_client()  # no connection is open yet
    sari.environ_base["HTTP_X_FORWARDED_USER"] = "sari"
    refused(sari.get(f"/api/jobs/{done}/stats"), 503, "source_unavailable")
    figure = ok(sari.get(f"/api/jobs/{done}/figure"))
    assert figure["data"]
    assert (figure["layout"]["meta"]["complete"], tints(figure)) == (False, [])


def test_the_part_that_a_cancelled_job_has_read_can_be_taken_under_a_name_that_says_so(world, sari):
    job = world.started()
    sari.post(f"/api/jobs/{job}/cancel")
    assert "_partial.csv" in sari.get(f"/api/jobs/{job}/data").headers["Content-Disposition"]


def test_statistics_are_of_the_shape_that_the_document_promises(sari, done):
    stats = Stats.model_validate(ok(sari.get(f"/api/jobs/{done}/stats?from=2013-07-01&to=2013-08-01")))
    assert stats.complete
    assert {series.sensor for series in stats.series} == {"temperature", "rainfall"}


@pytest.mark.parametrize("width", ["-5", "0", "1", "49", "99999999"])
def test_a_width_is_kept_within_what_can_be_drawn(sari, done, width):
    assert ok(sari.get(f"/api/jobs/{done}/figure?width={width}"))["data"]


@pytest.mark.parametrize("what", ["figure", "stats", "data"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=now", "from"),
        ("to=2013-13-01", "to"),
        ("from=2013-07-02&to=2013-07-01", "to"),
        ("from=2019-01-01&to=2019-02-01", "from"),
        ("from=2009-01-01&to=2009-02-01", "to"),
        ("from=" + "9" * 5000, "from"),
        ("from=--1356998400000", "from"),
        ("to=" + "9" * 14, "to"),
    ],
)
def test_a_window_that_is_none_is_refused_by_its_field(sari, done, what, query, field):
    answer = sari.get(f"/api/jobs/{done}/{what}?{query}")
    if query == "to=" + "9" * 14:  # a time of the year 5138 is one
        assert answer.status_code == 200
    else:
        refused(answer, 400, "invalid_request", field)


@pytest.mark.parametrize("query", ["flagged=maybe", "theme=pink", "width=wide"])
def test_a_wrong_choice_of_the_figure_is_refused(sari, done, query):
    refused(sari.get(f"/api/jobs/{done}/figure?{query}"), 400, "invalid_request", query.partition("=")[0])


# -- everything else below /api --------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/jobs/", "/api/jobs/x/nothing", "/api/openapi"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_a_route_that_is_not_there_is_404_of_the_same_shape(sari, path, method, accept):
    refused(sari.open(path, method=method, headers={"Accept": accept}), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/jobs", {"GET", "POST"}),
        ("PUT", "/api/jobs/abcdefghij", {"GET"}),
        ("GET", "/api/jobs/abcdefghij/cancel", {"POST"}),
        ("POST", "/api/jobs/abcdefghij/data", {"GET"}),
        ("TRACE", "/api/openapi.json", {"GET"}),
    ],
)
def test_a_method_that_a_route_has_not_is_405_and_says_which_it_has(sari, method, path, allowed):
    answer = sari.open(path, method=method, headers={"Accept": "text/html"})
    refused(answer, 405, "method_not_allowed")
    assert allowed <= set(answer.headers["Allow"].split(", ")) <= allowed | {"HEAD", "OPTIONS"}


MONTHS = [{"start": f"2013-{number:02}-01", "end": f"2013-{number + 1:02}-01"} for number in range(5, 9)]


def full(answer: TestResponse) -> str:
    """The sentence of a refusal for want of room."""
    assert int(answer.headers["Retry-After"]) > 0
    return refused(answer, 429, "queue_full")


def test_a_users_own_limit_is_429_with_when_to_come_again_and_holds_for_a_retry_too(full_world):
    sari = full_world.user("sari")
    first, second = (full_world.started(**month) for month in MONTHS[:2])
    assert "Your limit of active loads is reached (2 of" in full(sari.post("/api/jobs", json=BODY | MONTHS[2]))
    assert full_world.started(**MONTHS[0]) == first  # it is there already, and is no further load
    assert full_world.started("budi", **MONTHS[2])
    ok(sari.post(f"/api/jobs/{second}/cancel"), 202)
    third = full_world.started(**MONTHS[3])
    full(sari.post(f"/api/jobs/{second}/retry"))
    assert {job.id for job in full_world.ledger.jobs("sari", Status.QUEUED)} == {first, third}


def test_the_whole_queues_limit_is_429_with_when_to_come_again_until_one_has_gone(full_world):
    mine = full_world.started(**MONTHS[0])
    for month in MONTHS[:2]:
        full_world.started("budi", **month)
    wati = full_world.user("wati")
    assert "The queue is full (3 of" in full(wati.post("/api/jobs", json=BODY))
    assert "muatan" in full(wati.post("/api/jobs", json=BODY, headers={"Accept-Language": "id"})).lower()
    assert full_world.ledger.jobs("wati") == []
    # what is there takes no place
    assert ok(wati.post("/api/jobs", json=LOADED), 202)["status"] == "completed"
    ok(full_world.user("sari").post(f"/api/jobs/{mine}/cancel"), 202)
    assert full_world.started("wati")


def test_what_nobody_expected_is_500_of_the_same_shape_and_tells_no_secrets(world, monkeypatch):
    client = world.user("sari")
    monkeypatch.setitem(client.application.config, "PROPAGATE_EXCEPTIONS", False)

    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("jobs.services.authorized_job", broken)
    assert "secret" not in refused(client.get("/api/jobs/abcdefghij"), 500, "internal_server_error")


def test_a_database_that_does_not_answer_is_503_with_when_to_come_again(own_world):
    (own_world.settings.data_dir / "riwayat.sqlite").unlink()
    (own_world.settings.data_dir / "riwayat.sqlite").mkdir()
    answer = own_world.user("sari").get("/api/jobs")
    refused(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_refusal_is_in_the_language_of_who_asks(sari):
    answer = sari.post("/api/jobs", json={}, headers={"Accept-Language": "id"})
    assert "tidak ada" in refused(answer, 400, "invalid_request", "stations").lower()


def test_below_a_prefix_every_path_of_an_answer_is_below_it(world):
    client = create_app(world.settings.model_copy(update={"url_prefix": "/weather/"})).server.test_client()
    client.environ_base["HTTP_X_FORWARDED_USER"] = "sari"
    answer = client.post("/weather/api/jobs", json=LOADED)
    assert answer.headers["Location"].startswith("/weather/api/jobs/")
    assert all(link.startswith("/weather/") for link in ok(answer, 202)["links"].values())
    assert ok(client.get("/weather/api/openapi.json"))["servers"] == [{"url": "/weather"}]
    refused(client.get("/weather/api/nothing", headers={"Accept": "text/html"}), 404, "not_found")
