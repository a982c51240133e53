"""Charts in other pages over HTTP: who may make one, what its token opens and what it does not,
and how it ends.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_letters, digits
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import update
from werkzeug.test import TestResponse

from access.embeds import embed_token as embeds_module
from access.embeds.embed_table import add_embed, embeds, find_embed, new_embed
from access.embeds.embed_token import embed_token, identity_of_token, make_embed
from access.embeds.spec import EmbedSpec
from access.grants import Grant, Purpose
from access.identity import owner_identity
from access.keys import new_key
from access.store import AccessStore, open_access
from access.tables import embed as embed_table
from analysis.registry import ANALYSES
from api.embed_paths import EMBED_ENDPOINTS
from app import create_app
from config import Settings
from data.request import request_of
from data.site import Site, open_site
from errors import EmbedExpired, EmbedInvalid, EmbedRevoked, SourceUnavailable
from jobs.job import JobError
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, open_ledger
from tests.people import forget_all
from tests.processes import run_manage

PORTAL = "https://portal.example"
YEAR = {"from": "2013-01-01", "to": "2014-01-01"}
NEW: dict[str, Any] = {"stations": ["EWR"], "sensors": ["temperature"], "range": YEAR, "origin": PORTAL}
DAY_MS = 86_400_000
ALL = Grant(may_embed=True)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class World:
    """A site behind a proxy, its store, and clients by user or by bearer."""

    settings: Settings
    site: Site
    ledger: Ledger
    access: AccessStore
    client: Callable[[], FlaskClient]

    def user(self, name: str) -> FlaskClient:
        client = self.client()
        client.environ_base["HTTP_X_FORWARDED_USER"] = name
        return client

    def bearer(self, token: str) -> FlaskClient:
        client = self.client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        client.environ_base["REMOTE_ADDR"] = "203.0.113.9"  # a viewer comes from anywhere
        return client

    def made(self, user: str = "sari", **fields: Any) -> dict[str, str]:
        """id, url, token and line of a new embed."""
        return dict(ok(self.user(user).post("/api/embeds", json=NEW | fields), 201))

    def grant(self, user: str, grant: Grant) -> int:
        return self.access.add_grant("user", user, grant, by="test")


@pytest.fixture(scope="module")
def folder(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of which EWR's temperature and rainfall are loaded."""
    made = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("embeds") / "var"))
    site = open_site(Settings(data_dir=made, _env_file=None))
    request = request_of(["EWR"], ["temperature", "rainfall"], "2013-01-01", "2014-01-01", "raw", "Asia/Jakarta")
    load_history(site, request, lambda progress: None)
    site.engine.dispose()
    return made


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[World]:
    settings = Settings(data_dir=folder, auth="proxy", admins="root", _env_file=None)
    server = create_app(settings).server
    site, ledger, access = open_site(settings), open_ledger(settings), open_access(settings)
    yield World(settings, site, ledger, access, server.test_client)
    for engine in (site.engine, ledger.engine, access.engine):
        engine.dispose()


@pytest.fixture
def world(shared: World) -> World:
    """Without grants, but that sari may embed everything."""
    forget_all(shared.access, shared.ledger)
    shared.grant("sari", ALL)
    return shared


def ok(answer: TestResponse, status: int = 200) -> Any:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.json


def code(answer: TestResponse, status: int) -> str:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return str(answer.json["error"]["code"])  # type: ignore[index]


def load(viewer: FlaskClient) -> TestResponse:
    """Post what GET /api/embed says, as the frame does."""
    return viewer.post("/api/jobs", json=ok(viewer.get("/api/embed"))["request"])


# -- what a token opens ----------------------------------------------------------------------------


def test_a_viewer_sees_shared_notes_where_the_maker_shows_them_and_private_ones_never(world):
    sari = world.user("sari")
    note = {"station": "EWR", "sensor": "temperature", "from": "2013-07-01T00:00:00Z"}
    ids = [
        ok(sari.post("/api/notes", json=note | {"text": text, "shared": shared}), 201)["id"]
        for text, shared in (("fog", True), ("secret", False))
    ]
    said = {}
    for notes in (True, False):
        made = world.made(notes=notes)
        viewer = world.bearer(made["token"])
        assert ok(viewer.get("/api/embed"))["notes"] is notes
        figure = viewer.get(f"/api/jobs/{ok(load(viewer), 202)['id']}/figure?width=300").text
        said[notes] = ("fog" in figure, "secret" in figure)
        assert code(viewer.get("/api/notes"), 403) == "not_permitted"
    job = loaded_by(world, "sari")
    for asked in ("all", "shared", "none"):
        figure = sari.get(f"/api/jobs/{job}/figure?width=300&notes={asked}").text
        said[asked] = ("fog" in figure, "secret" in figure)
    for note_id in ids:
        sari.delete(f"/api/notes/{note_id}")
    assert said == {
        True: (True, False),
        False: (False, False),
        "all": (True, True),
        "shared": (True, False),
        "none": (False, False),
    }


def test_a_viewer_sees_the_chart_and_nobody_is_signed_in(world):
    made = world.made(label="Newark")
    viewer = world.bearer(made["token"])
    shown = ok(viewer.get("/api/embed"))
    assert (shown["title"], shown["request"]["stations"], shown["rolling"]) == ("Newark", ["EWR"], False)
    job = ok(load(viewer), 202)
    assert job["status"] == "completed"
    figure = ok(viewer.get(f"/api/jobs/{job['id']}/figure?width=300&height=240"))
    assert len(figure["data"]) >= 1
    assert figure["layout"]["height"] == 240
    assert ok(viewer.get(f"/api/jobs/{job['id']}/stats"))["series"][0]["rows"] > 8000
    assert ok(viewer.get(f"/api/jobs/{job['id']}"))["owner"] == f"embed:{made['id']}"


def test_the_answer_sets_no_cookie_and_is_not_kept(world):
    made = world.made()
    for path in ("/api/embed", f"/embed/trend?id={made['id']}"):
        answer = world.bearer(made["token"]).get(path)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


def test_all_viewers_share_one_job_also_when_it_has_completed(world):
    token = world.made()["token"]
    ids = {ok(load(world.bearer(token)), 202)["id"] for _viewer in range(3)}
    assert len(ids) == 1
    other = world.made()["token"]
    assert ok(load(world.bearer(other)), 202)["id"] not in ids


def test_viewers_who_come_while_it_loads_share_that_job(world):
    token = world.made(stations=["LGA"])["token"]  # not loaded, and no worker runs
    jobs = [ok(load(world.bearer(token)), 202) for _viewer in range(2)]
    assert {job["status"] for job in jobs} == {"queued"}
    assert len({job["id"] for job in jobs}) == 1


CALENDAR: dict[str, Any] = {"view": "calendar", "options": {"show": "max"}}


def test_a_viewer_sees_the_picture_of_an_analysis_and_of_no_other(world):
    viewer = world.bearer(world.made(**CALENDAR)["token"])
    shown = ok(viewer.get("/api/embed"))
    assert (shown["view"], shown["options"]) == ("calendar", {"show": "max"})
    assert shown["title"] == "EWR · Air temperature · Calendar"
    path = f"/api/jobs/{ok(load(viewer), 202)['id']}/figure?width=600"
    meta = ok(viewer.get(f"{path}&view=calendar&show=max"))["layout"]["meta"]
    assert (meta["still"], meta["complete"]) == (True, True)
    for other in ("", "&view=calendar", "&view=calendar&show=mean", "&view=cycle", "&view=calendar&show=max&more=1"):
        assert code(viewer.get(path + other), 403) == "not_permitted"


def test_which_flags_count_in_a_chart_is_its_makers_choice(world):
    viewer = world.bearer(world.made(view="calendar", options={"show": "max", "flags": "all"})["token"])
    path = f"/api/jobs/{ok(load(viewer), 202)['id']}/figure?width=600&view=calendar&show=max"
    assert ok(viewer.get(f"{path}&flags=all"))["layout"]["meta"]["complete"]
    for other in ("", "&flags=none"):
        assert code(viewer.get(path + other), 403) == "not_permitted"


def test_a_chart_beside_an_earlier_window_loads_both_and_shows_the_later_one(world):
    week = {"range": {"from": "2013-07-13", "to": "2013-07-20"}, "view": "earlier", "options": {"offset": "week"}}
    viewer = world.bearer(world.made(**week)["token"])
    shown = ok(viewer.get("/api/embed"))
    assert (shown["request"]["start"], shown["request"]["end"]) == ("2013-07-06T04:00:00Z", "2013-07-20T04:00:00Z")
    span = shown["span"]
    assert span["end"] - span["start"] == 7 * DAY_MS
    query = {"width": 600, "view": "earlier", "offset": "week", "from": span["start"], "to": span["end"]}
    drawn = ok(viewer.get(f"/api/jobs/{ok(load(viewer), 202)['id']}/figure", query_string=query))
    assert (len(drawn["data"]), drawn["layout"]["meta"]["start"]) == (2, span["start"])
    assert ok(world.bearer(world.made()["token"]).get("/api/embed"))["span"] is None
    only_later = Grant(may_embed=True, from_ms=span["start"])
    world.grant("budi", only_later)
    assert code(world.user("budi").post("/api/embeds", json=NEW | week), 403) == "not_permitted"


def test_a_chart_of_trend_is_drawn_with_the_lines_and_axes_that_its_maker_saw(world):
    chosen = {"smooth": "7d", "above": "temperature:30", "y": "temperature:-20..40"}
    viewer = world.bearer(world.made(options=chosen)["token"])
    path = f"/api/jobs/{ok(load(viewer), 202)['id']}/figure"
    drawn = ok(viewer.get(path, query_string={"width": 600, **chosen}))
    assert drawn["layout"]["yaxis"]["range"] == [-20, 40]
    assert [shape for shape in drawn["layout"]["shapes"] if shape.get("y0") == shape.get("y1") == 30]
    plain = world.bearer(world.made()["token"])
    without = ok(plain.get(f"/api/jobs/{ok(load(plain), 202)['id']}/figure?width=600"))
    assert len(drawn["data"]) == len(without["data"]) + 1  # the running mean
    assert drawn["layout"]["meta"]["problems"] == []


def test_what_is_too_much_for_a_moment_is_answered_by_a_job_of_the_chart_for_its_whole_range_alone(world, monkeypatch):
    monkeypatch.setitem(ANALYSES, "calendar", replace(ANALYSES["calendar"], at_once=10))
    made = world.made(**CALENDAR)
    viewer = world.bearer(made["token"])
    path = f"/api/jobs/{ok(load(viewer), 202)['id']}/figure?width=600&view=calendar&show=max"
    answers = [ok(viewer.get(path), 202) for _look in range(2)]
    assert len({answer["id"] for answer in answers}) == 1
    job = ok(viewer.get(f"/api/jobs/{answers[0]['id']}"))
    assert (job["kind"], job["status"], job["owner"]) == ("analysis", "queued", f"embed:{made['id']}")
    assert code(viewer.get(f"{path}&from=2013-02-01&to=2013-03-01"), 413) == "too_large"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"view": "tea leaves"}, "no view tea leaves"),
        ({"view": "summary"}, "no view summary"),
        ({"view": "calendar", "options": {"show": "tea"}}, "'tea' is no choice of show"),
        ({"view": "calendar", "options": {"shows": "max"}}, "shows"),
        ({"view": "trend", "options": {"show": "max"}}, "no option show"),
        ({"view": "calendar", "resolution": "1d"}, "has no resolution"),
    ],
)
def test_a_view_or_an_option_that_there_is_not_is_refused_when_the_chart_is_made(world, fields, said):
    answer = world.user("sari").post("/api/embeds", json=NEW | fields)
    assert code(answer, 400) == "invalid_request"
    assert said in answer.json["error"]["message"]


@pytest.mark.parametrize("how", ["revoked", "grant gone"])
def test_a_viewers_download_is_broken_off_once_the_chart_ends(world, how, monkeypatch):
    monkeypatch.setattr("api.revocable_stream.CHECK_S", 0.0)
    made = world.made()
    viewer = world.bearer(made["token"])
    job = ok(load(viewer), 202)["id"]
    with viewer.get(f"/api/jobs/{job}/data") as answer:
        pieces = iter(answer.response)
        next(pieces)
        if how == "revoked":
            ok(world.user("sari").post(f"/api/embeds/{made['id']}/revoke"))
        else:
            forget_all(world.access, world.ledger)
        with pytest.raises(ConnectionResetError):
            next(pieces)


def test_a_token_opens_no_other_route_than_those_of_its_chart(world):
    """Every route of the server is asked, so that a new one is closed to
    tokens until it is opened here.
    """
    viewer = world.bearer(world.made()["token"])
    job = ok(load(viewer), 202)["id"]
    rules = [rule for rule in world.client().application.url_map.iter_rules() if rule.rule.startswith("/api")]
    asked = 0
    for rule in rules:
        for method in (rule.methods or set()) & {"GET", "POST"}:
            if rule.endpoint in EMBED_ENDPOINTS:
                continue
            path = re.sub(r"<[^>]*>", job, rule.rule)
            answer = viewer.open(path, method=method, json={} if method == "POST" else None)
            assert code(answer, 403) in ("not_permitted", "scope"), f"{method} {path}"
            asked += 1
    assert asked > 8


@pytest.mark.parametrize("path", ["/", "/jobs", "/_dash-layout", "/_dash-dependencies", "/assets/page.js"])
def test_a_token_is_nobody_on_pages_and_to_dash(world, path):
    viewer = world.bearer(world.made()["token"])
    assert viewer.get(path).status_code in (401, 403)


def test_a_token_loads_exactly_what_its_chart_shows(world):
    viewer = world.bearer(world.made(sensors=["temperature", "rainfall"])["token"])
    shown = ok(viewer.get("/api/embed"))["request"]
    others = [
        {"stations": ["JFK"]},
        {"sensors": ["temperature"]},
        {"start": "2013-02-01"},
        {"resolution": "1d"},
        {"timezone": "UTC"},
        {"end": "2015-01-01"},
    ]
    for other in others:
        assert viewer.post("/api/jobs", json=shown | other).status_code in (400, 403), other
    ok(viewer.post("/api/jobs", json=shown), 202)


def test_a_token_starts_no_workbook_but_of_what_its_chart_shows(world):
    viewer = world.bearer(world.made()["token"])
    job = ok(load(viewer), 202)["id"]
    for window in ("from=2013-02-01&to=2013-03-01", "from=2013-01-02", "to=2013-12-30"):
        assert code(viewer.get(f"/api/jobs/{job}/data?format=xlsx&{window}"), 403) == "not_permitted"
        ok(viewer.get(f"/api/jobs/{job}/data?format=csv&{window}"))
    ok(viewer.get(f"/api/jobs/{job}/data?format=xlsx"), 202)
    assert [one.kind for one in world.ledger.jobs()].count("workbook") == 1


def test_who_looks_at_a_chart_takes_the_places_of_who_made_it(world):
    """Else a user fills the line by making charts."""
    made = [world.made(sensors=["humidity"], range={"from": "2013-01-01", "to": f"2013-0{month}-01"}) for month in (2, 3, 4)]
    viewers = [world.bearer(each["token"]) for each in made]
    jobs = [ok(load(viewer), 202)["id"] for viewer in viewers]
    found = [world.ledger.get(job) for job in jobs]
    assert {one.share for one in found} == {"sari"}
    assert len({one.owner for one in found}) == 3


def test_a_token_opens_no_other_job(world):
    of_sari = ok(
        world.user("sari").post(
            "/api/jobs", json={"stations": ["EWR"], "sensors": ["temperature"], "start": "2013-01-01", "end": "2014-01-01"}
        ),
        202,
    )["id"]
    of_another = ok(load(world.bearer(world.made()["token"])), 202)["id"]
    viewer = world.bearer(world.made()["token"])
    for job in (of_sari, of_another):
        for what in ("", "/figure", "/stats", "/data"):
            assert code(viewer.get(f"/api/jobs/{job}{what}"), 404) == "job_not_found"


def test_somebody_who_is_signed_in_is_still_only_a_viewer_with_the_token(world):
    viewer = world.user("root")
    viewer.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {world.made()['token']}"
    assert code(viewer.get("/api/jobs"), 403) == "not_permitted"


def test_only_a_token_is_told_what_a_chart_shows(world):
    assert code(world.user("root").get("/api/embed"), 404) == "not_found"
    assert code(world.client().get("/api/embed"), 401) == "not_authenticated"


# -- rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("controls", "grants", "may"),
    [
        (True, (ALL,), True),
        (False, (ALL,), False),
        (True, (replace(ALL, may_export=False),), False),
        # may embed by one grant and export by the other
        (True, (replace(ALL, may_export=False), Grant()), True),
    ],
)
def test_rows_may_be_taken_where_there_are_controls_and_the_owner_may_export(world, controls, grants, may):
    for grant in grants:
        world.grant("budi", grant)
    viewer = world.bearer(world.made("budi", controls=controls)["token"])
    assert ok(viewer.get("/api/embed"))["may_export"] is may
    rows = viewer.get(f"/api/jobs/{ok(load(viewer), 202)['id']}/data?format=csv")
    assert rows.status_code == (200 if may else 403)


# -- who may make one ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grant", "fields", "status"),
    [
        (replace(ALL, may_embed=False), {}, 403),
        (replace(ALL, stations=("JFK",)), {}, 400),  # EWR does not exist for who has no grant of it
        (replace(ALL, to_ms=1_380_000_000_000), {}, 403),  # until September 2013
        (replace(ALL, longest_ms=30 * DAY_MS), {}, 403),
        (replace(ALL, longest_ms=30 * DAY_MS), {"range": {"last": "30d"}}, 201),
        (replace(ALL, longest_ms=30 * DAY_MS), {"range": {"last": "31d"}}, 403),
        # a rolling range must be covered now
        (replace(ALL, to_ms=1_380_000_000_000), {"range": {"last": "7d"}}, 403),
        (replace(ALL, finest="1h"), {}, 403),
        (replace(ALL, finest="1h"), {"resolution": "1h"}, 201),
        (replace(ALL, finest="1h"), {"resolution": "1h", "range": {"last": "7d"}}, 201),
        (ALL, {"stations": ["nowhere"]}, 400),
        (ALL, {"sensors": ["nothing"]}, 400),
        (ALL, {"origin": "http://portal.example"}, 400),
        (ALL, {"range": {}}, 400),
        (ALL, {"range": {"last": "soon"}}, 400),
        (ALL, {"range": YEAR | {"last": "7d"}}, 400),
        (ALL, {"theme": "pink"}, 400),
        (ALL, {"label": "a" * 200}, 400),
        (ALL, {"expires": "2020-01-01"}, 400),
        (ALL, {"secret": 1}, 400),
    ],
)
def test_an_embed_is_made_only_of_what_its_maker_may_embed_now(world, grant, fields, status):
    world.grant("budi", grant)
    before = len(embeds(world.access, "budi"))
    answer = world.user("budi").post("/api/embeds", json=NEW | fields)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert len(embeds(world.access, "budi")) - before == (status == 201)


def test_a_key_needs_the_scope_embed(world):
    for scopes, status in ((("read", "load", "export"), 403), (("embed",), 201)):
        key, _made = new_key(world.access, "sari", label="portal", scopes=scopes, expires_ms=None, now_ms=now_ms())
        portal = world.bearer(key)
        portal.environ_base["REMOTE_ADDR"] = "127.0.0.1"
        answer = portal.post("/api/embeds", json=NEW)
        assert answer.status_code == status, answer.get_data(as_text=True)


def test_an_embed_is_its_owners_and_an_administrators(world):
    world.grant("budi", ALL)
    mine, others = world.made("sari")["id"], world.made("budi")["id"]
    listed = {one["id"] for one in ok(world.user("sari").get("/api/embeds"))["embeds"]}
    assert mine in listed
    assert others not in listed
    assert {mine, others} <= {one["id"] for one in ok(world.user("root").get("/api/embeds"))["embeds"]}
    for what in ("revoke", "token"):
        for embed_id in (others, "0" * 16, "x", "../etc"):
            answer = world.user("sari").post(f"/api/embeds/{embed_id}/{what}", json={})
            assert answer.status_code == 404, embed_id
    ok(world.user("root").post(f"/api/embeds/{mine}/revoke"))
    assert find_embed(world.access, mine).revoked_ms


def test_the_token_and_the_line_are_told_only_when_they_are_made(world):
    made = world.made()
    listed = world.user("sari").get("/api/embeds").get_data(as_text=True)
    assert made["id"] in listed
    assert made["token"] not in listed
    assert made["url"].endswith(f"/embed/trend?id={made['id']}#token={made['token']}")
    assert f'src="{made["url"]}"' in made["iframe"]
    assert (
        'sandbox="allow-scripts allow-same-origin allow-downloads allow-popups allow-popups-to-escape-sandbox"' in made["iframe"]
    )


def test_a_title_cannot_leave_the_line(world):
    line = world.made(label='"><script>alert(1)</script>')["iframe"]
    assert "<script" not in line
    assert line.count("<") == 2


# -- how it ends -----------------------------------------------------------------------------------


def test_a_revoked_chart_is_closed_at_once_and_its_results_with_it(world):
    made = world.made()
    viewer = world.bearer(made["token"])
    job = ok(load(viewer), 202)["id"]
    ok(world.user("sari").post(f"/api/embeds/{made['id']}/revoke"))
    for path in ("/api/embed", f"/api/jobs/{job}/figure"):
        assert code(viewer.get(path), 401) == "embed_revoked"
    assert code(world.user("sari").post(f"/api/embeds/{made['id']}/token", json={}), 409) == "conflict"


def test_an_expired_chart_says_when_it_ended_in_the_viewers_language(world):
    made = world.made(expires="2033-05-01")
    token = made["token"]
    with world.access.engine.begin() as connection:
        connection.execute(update(embed_table).where(embed_table.c.id == made["id"]).values(expires_ms=1_700_000_000_000))
    answer = world.bearer(token).get("/api/embed", headers={"Accept-Language": "id"})
    assert code(answer, 401) == "embed_expired"
    assert "15 Nov 2023 05:13 WIB" in answer.json["error"]["message"]
    assert "kedaluwarsa" in answer.json["error"]["message"]


def test_a_grant_that_was_taken_away_closes_charts_and_their_results(world):
    grant = world.grant("budi", replace(ALL, stations=("EWR",)))
    viewer = world.bearer(world.made("budi")["token"])
    job = ok(load(viewer), 202)["id"]
    world.access.remove_grant(grant)
    assert code(viewer.get("/api/embed"), 403) == "embed_not_permitted"
    assert code(viewer.get(f"/api/jobs/{job}/figure"), 404) == "job_not_found"
    assert viewer.post(
        "/api/jobs",
        json={
            "stations": ["EWR"],
            "sensors": ["temperature"],
            "start": "2013-01-01T00:00+07:00",
            "end": "2014-01-01T00:00+07:00",
        },
    ).status_code in (400, 403, 404)


def test_why_a_chart_failed_names_no_host_to_those_who_look_at_it(world, monkeypatch):
    secret = SourceUnavailable("The database {url} does not answer.", url="mysql://db.internal/cuaca")
    token = world.made(stations=["JFK"])["token"]
    viewer = world.bearer(token)
    job_id = ok(load(viewer), 202)["id"]
    job = world.ledger.claim("w", ["history", "history-large"])
    assert (job.id, job.owner.partition(":")[0]) == (job_id, "embed")
    world.ledger.fail(job.id, job.attempt, replace(JobError.of(secret), retryable=False), jitter=0.5)
    told = ok(viewer.get(f"/api/jobs/{job_id}"))["error"]
    assert told == {"code": "source_unavailable", "message": "Something went wrong."}
    assert "db.internal" in ok(world.user("root").get(f"/api/jobs/{job_id}"))["error"]["message"]

    def away(*_: object) -> None:
        raise secret

    monkeypatch.setattr("api.jobs.start_job", away)
    answer = load(viewer)
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "source_unavailable")
    assert "db.internal" not in answer.text


def test_a_worker_that_comes_to_a_job_of_a_revoked_chart_reads_nothing(world):
    made = world.made(stations=["LGA"])
    shown = find_embed(world.access, made["id"]).spec.request(now_ms())
    user = f"embed:{made['id']}"
    assert owner_identity(world.settings, world.access, user).rights.allows(shown, Purpose.VIEW)
    ok(world.user("sari").post(f"/api/embeds/{made['id']}/revoke"))
    assert not owner_identity(world.settings, world.access, user).rights.allows(shown, Purpose.VIEW)


def test_an_account_that_is_disabled_shows_nothing_any_more(world):
    world.access.add_account("citra")
    world.grant("citra", ALL)
    viewer = world.bearer(world.made("citra")["token"])
    ok(viewer.get("/api/embed"))
    world.access.change_account("citra", disabled=True)
    assert code(viewer.get("/api/embed"), 403) == "embed_not_permitted"
    world.access.remove_account("citra")
    assert code(viewer.get("/api/embed"), 401) == "embed_revoked"


# -- the page of the frame -------------------------------------------------------------------------


def test_the_frame_may_be_shown_by_its_origin_and_every_other_answer_by_none(world):
    one, other = world.made(), world.made(origin="https://other.example:8443")
    for made, origin in ((one, PORTAL), (other, "https://other.example:8443")):
        policy = world.client().get(f"/embed/trend?id={made['id']}").headers["Content-Security-Policy"]
        assert policy.endswith(f"frame-ancestors {origin}")
        assert "script-src 'self';" in policy
    for path in (
        "/",
        "/jobs",
        "/api/embed",
        "/healthz",
        "/embed/trend?id=" + "0" * 16,
        "/embed/trend",
        "/embed/embed.js",
        "/nowhere",
    ):
        with world.user("root").get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy, path


def test_the_frames_page_is_static_has_no_script_inside_and_tells_no_station(world):
    made = world.made(language="id", theme="dark", transparent=True)
    answer = world.client().get(f"/embed/trend?id={made['id']}")
    html = answer.get_data(as_text=True)
    assert '<html lang="id" data-theme="dark" data-ground="transparent">' in html
    assert "Memuat grafik" in html
    assert not re.search(r"<script(?![^>]*src=)", html)
    assert not re.search(r"\son\w+=", html)
    assert "EWR" not in html
    assert "_dash" not in html


@pytest.mark.parametrize("embed_id", ["", "0" * 16, "x", "' OR 1=1 --", "\x00", "a" * 5000])
def test_an_unknown_chart_is_a_page_that_says_so(world, embed_id):
    answer = world.client().get("/embed/trend", query_string={"id": embed_id})
    assert answer.status_code == 404
    assert "There is no such chart." in answer.get_data(as_text=True)


def test_the_frames_files_need_nobody_and_are_kept_for_a_year(world):
    made = world.made()
    html = world.client().get(f"/embed/trend?id={made['id']}").get_data(as_text=True)
    paths = set(re.findall(r'(?:src|href)="(/[^"]+)"', html))
    assert len(paths) == 6
    for path in paths:
        with world.bearer("").get(path) as answer:  # from anywhere, without a token
            assert answer.status_code == 200, path
            assert answer.cache_control.max_age == 31_536_000
            assert answer.cache_control.immutable
    for path in ("/embed/chart.js", "/embed/..%2Fapp.py", "/embed/embed.js/x"):
        assert world.user("root").get(path).status_code == 404


# -- tokens ----------------------------------------------------------------------------------------


@pytest.fixture
def store(migrated_url: str, tmp_path: Path) -> Iterator[tuple[Settings, AccessStore]]:
    settings = Settings(data_dir=tmp_path / "var", database_url=migrated_url, auth="proxy", _env_file=None)
    made = open_access(settings)
    yield settings, made
    made.engine.dispose()


def test_an_embed_and_a_grant_of_very_many_stations_are_kept_on_every_database(store):
    _settings, access = store
    names = tuple(f"stasiun hujan {number:05}" for number in range(10_000))
    made = new_embed("sari", "", EmbedSpec(names, ("temperature",), last_ms=7 * DAY_MS), PORTAL, None)
    add_embed(access, made)
    assert find_embed(access, made.id) == made
    access.add_grant("user", "sari", Grant(names), by="test")
    assert access.account_rights("sari").rights.stations(names) == list(names)


def test_an_embed_is_kept_found_listed_and_ended_on_every_database(store, site):
    settings, access = store
    access.add_grant("user", "sari", ALL, by="test")
    identity = owner_identity(settings, access, "sari")
    spec = EmbedSpec(("JFK",), ("temperature",), last_ms=7 * DAY_MS, language="id")
    made = make_embed(access, site, identity, spec, PORTAL, 2_000_000_000_000, now_ms=1_700_000_000_000, label="Suhu · °C")
    assert find_embed(access, made.id) == made
    assert [one.id for one in embeds(access, "sari")] == [made.id]
    assert embeds(access, "budi") == []
    token = embed_token("secret", made, 1_700_000_000_000)
    viewer = identity_of_token(access, "secret", token, 1_700_000_000_000)
    assert (viewer.user, viewer.via, viewer.scopes) == (f"embed:{made.id}", "embed", {"load", "read", "export"})
    with pytest.raises(EmbedExpired):
        identity_of_token(access, "secret", token, 2_000_000_000_000)
    embeds_module.revoke(access, identity, made.id)
    with pytest.raises(EmbedRevoked):
        identity_of_token(access, "secret", token, 1_700_000_000_000)


def test_a_token_may_end_before_its_embed_but_never_after(world):
    made = world.made(expires="2033-05-01")
    found = find_embed(world.access, made["id"])
    early = embed_token("secret", found, now_ms(), now_ms() + 1000)
    late = embed_token("secret", found, now_ms(), found.expires_ms + DAY_MS)
    identity_of_token(world.access, "secret", early, now_ms() - 1000)
    with pytest.raises(EmbedExpired):
        identity_of_token(world.access, "secret", early, now_ms() + 5000)
    with pytest.raises(EmbedExpired):
        identity_of_token(world.access, "secret", late, found.expires_ms)


def test_a_token_of_another_secret_salt_or_algorithm_or_of_a_session_opens_nothing(world):
    made = world.made()
    secret = world.settings.signing_secret()
    payload = {"embed": made["id"], "expires": None}
    header = '{"alg":"none"}'
    forged = [
        URLSafeTimedSerializer("another secret", salt=embeds_module._SALT).dumps(payload),
        URLSafeTimedSerializer(secret, salt="cookie-session").dumps(payload),
        # the older way to make the key
        URLSafeTimedSerializer(secret, salt=embeds_module._SALT).dumps(payload),
        URLSafeTimedSerializer(secret, salt=embeds_module._SALT, signer_kwargs={"key_derivation": "hmac"}).dumps(
            payload
        ),  # SHA-1
        world.client().application.session_interface.get_signing_serializer(world.client().application).dumps(payload),
        f"{header}.{json.dumps(payload)}.",
        made["token"].rpartition(".")[0] + ".",
        made["token"].replace(".", "", 1) + ".x",
    ]
    for token in forged:
        assert code(world.bearer(token).get("/api/embed"), 401) == "embed_invalid", token
    session = world.client()
    session.set_cookie("riwayat_session", made["token"])
    assert session.get("/api/embed").status_code == 401


@pytest.mark.parametrize(
    "payload", [[], "x", 1, None, {}, {"embed": 1}, {"embed": "0" * 16, "expires": "never"}, {"embed": "0" * 16, "expires": True}]
)
def test_what_is_signed_but_no_token_opens_nothing(world, payload):
    token = embeds_module._signer(world.settings.signing_secret()).dumps(payload)
    assert code(world.bearer(token).get("/api/embed"), 401) == "embed_invalid"


def test_a_token_without_its_end_has_ended(world):
    token = embeds_module._signer(world.settings.signing_secret()).dumps({"embed": world.made()["id"]})
    assert code(world.bearer(token).get("/api/embed"), 401) == "embed_expired"


@bounded(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_edited_token_opens_nothing(world, data):
    made = find_embed(world.access, data.draw(st.just(_some_embed(world))))
    token = embed_token("secret", made, now_ms())
    place = data.draw(st.integers(0, len(token) - 1))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    edited = (
        token[:place] + data.draw(st.sampled_from([letter for letter in letters if letter != token[place]])) + token[place + 1 :]
    )
    with pytest.raises(EmbedInvalid):
        identity_of_token(world.access, "secret", edited, now_ms())


def test_the_last_letter_of_a_token_has_no_second_spelling(world):
    """Base64 has bits there that mean nothing."""
    token = embed_token("secret", find_embed(world.access, _some_embed(world)), now_ms())
    identity_of_token(world.access, "secret", token, now_ms())
    for letter in set(ascii_letters + digits + "-_=. \n") - {token[-1]}:
        for edited in (token[:-1] + letter, token + letter):
            with pytest.raises(EmbedInvalid):
                identity_of_token(world.access, "secret", edited, now_ms())


@bounded(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    late_ms=st.integers(0, 10**9),
    own_end=st.none() | st.integers(1, 10**9),
    token_end=st.none() | st.integers(1, 10**9),
    secret=st.text(min_size=1, max_size=40),
)
def test_a_token_opens_its_embed_until_the_earlier_of_the_two_ends_and_with_its_own_secret_only(
    world, late_ms, own_end, token_end, secret
):
    made_ms = 1_800_000_000_000
    found = replace(find_embed(world.access, _some_embed(world)), expires_ms=None if own_end is None else made_ms + own_end)
    token = embed_token(secret, found, made_ms, None if token_end is None else made_ms + token_end)
    named, end_ms = embeds_module._read(secret, token)
    assert (named, end_ms) == (
        found.id,
        min((made_ms + end for end in (own_end, token_end) if end is not None), default=None),
    )
    with pytest.raises(EmbedInvalid):
        embeds_module._read(secret + "x", token)
    if end_ms is not None and made_ms + late_ms >= end_ms:
        with pytest.raises(EmbedExpired):
            identity_of_token(world.access, secret, token, made_ms + late_ms)
    else:
        assert identity_of_token(world.access, secret, token, made_ms + late_ms).user == found.user


def _some_embed(world: World) -> str:
    return next((one.id for one in embeds(world.access, "sari") if one.state(now_ms()) == "live"), "") or world.made()["id"]


@bounded(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=600))
def test_whatever_is_no_token_is_refused_in_peace(world, text):
    with pytest.raises(EmbedInvalid):
        identity_of_token(world.access, "secret", text, now_ms())


def test_nobody_who_signs_in_can_have_the_name_of_an_embed(world):
    made = world.made()
    ok(load(world.bearer(made["token"])), 202)
    assert world.user(f"embed:{made['id']}").get("/api/jobs").status_code == 401


def test_a_chart_to_the_end_of_the_calendar_is_one_that_can_be_told_or_none(world):
    ever = {"from": "1900-01-01", "to": "9999-12-31T23:59:59.999Z"}
    made = world.made(range=ever)
    assert ok(world.bearer(made["token"]).get("/api/embed"))["request"]["end"] == "9999-12-31T23:59:59.999Z"
    # whole hours end in 10000
    hours = world.user("sari").post("/api/embeds", json=NEW | {"range": ever, "resolution": "1h"})
    assert (hours.status_code, hours.json["error"]["field"]) == (400, "start")
    ok(world.user("sari").get("/api/embeds"))


@pytest.mark.parametrize("spec", ["", "{", "[]", '{"stations": ["EWR"]}', '{"stations": 1, "sensors": ["x"], "last_ms": 1}'])
def test_a_row_that_cannot_be_read_hides_no_other_chart(world, spec):
    bad, good = world.made(), world.made()
    with world.access.engine.begin() as connection:
        connection.execute(update(embed_table).where(embed_table.c.id == bad["id"]).values(shows=spec))
    states = {one["id"]: one["state"] for one in ok(world.user("sari").get("/api/embeds"))["embeds"]}
    assert (states[bad["id"]], states[good["id"]]) == ("unreadable", "live")
    assert world.bearer(bad["token"]).get("/api/embed").json["error"]["code"] == "embed_invalid"
    ok(world.bearer(good["token"]).get("/api/embed"))
    assert ok(world.user("sari").post(f"/api/embeds/{bad['id']}/revoke"))["state"] == "revoked"


# -- commands --------------------------------------------------------------------------------------


def test_the_commands_make_list_and_revoke(folder, tmp_path):
    site = {"data_dir": folder, "auth": "proxy"}
    made = run_manage(
        *("embed-token", "make", "--station", "EWR", "--sensor", "temperature", "--last", "7d", "--origin", PORTAL),
        *("--url", "https://data.example/", "--label", "Newark", "--json"),
        cwd=tmp_path,
        **site,
    )
    assert made.returncode == 0, made.stderr
    link = json.loads(made.stdout)
    assert link["url"].startswith(f"https://data.example/embed/trend?id={link['id']}#token=")
    listed = json.loads(run_manage("embed-token", "list", "--json", cwd=tmp_path, **site).stdout)
    row = next(one for one in listed if one["id"] == link["id"])
    assert (row["state"], row["owner"], row["range"], row["label"]) == ("live", "local", "last 7d", "Newark")
    assert run_manage("embed-token", "revoke", link["id"], cwd=tmp_path, **site).returncode == 0
    listed = json.loads(run_manage("embed-token", "list", "--json", cwd=tmp_path, **site).stdout)
    assert next(one for one in listed if one["id"] == link["id"])["state"] == "revoked"
    unknown = run_manage("embed-token", "revoke", "0" * 16, cwd=tmp_path, **site)
    assert (unknown.returncode, "There is no embedded chart" in unknown.stderr) == (1, True)


def test_a_command_for_a_user_makes_no_more_than_the_user_may(folder, tmp_path):
    done = run_manage(
        *(
            "embed-token",
            "make",
            "--station",
            "EWR",
            "--sensor",
            "temperature",
            "--last",
            "7d",
            "--origin",
            PORTAL,
            "--as",
            "nemo",
        ),
        cwd=tmp_path,
        data_dir=folder,
        auth="proxy",
    )
    assert (done.returncode, done.stdout) == (1, "")


# -- the preview of the dialog ---------------------------------------------------------------------

FIELDS = {"range": "fixed", "start": "1356998400000", "end": "1359676800000", "theme": "dark", "language": "id", "controls": "1"}


def previewed(client: FlaskClient, job: str, headers: dict[str, str] | None = None, **fields: str) -> TestResponse:
    """The preview of a job, for whoever the client is."""
    return client.get("/embed/preview", query_string={**FIELDS, **fields, "job": job}, headers=headers)


def loaded_by(world: World, user: str) -> str:
    """A job of a user's."""
    body = {"stations": ["EWR"], "sensors": ["temperature"], "start": "2013-01-01", "end": "2014-01-01"}
    return str(ok(world.user(user).post("/api/jobs", json=body), 202)["id"])


def test_a_preview_is_framed_by_this_site_alone_and_holds_no_token(world):
    job = loaded_by(world, "sari")
    answer = previewed(world.user("sari"), job)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert 'lang="id" data-theme="dark"' in page
    assert job in page
    assert "token=" not in page


def test_a_preview_opens_nothing_that_is_not_open_already(world):
    job = loaded_by(world, "sari")
    world.grant("dewi", Grant())  # may look, but not embed
    assert previewed(world.user("dewi"), loaded_by(world, "dewi")).status_code == 403
    assert previewed(world.user("dewi"), job).status_code == 404
    assert previewed(world.client(), job).status_code == 401
    # a viewer does not come through the proxy
    assert previewed(world.bearer(world.made()["token"]), job).status_code == 403


def test_a_preview_is_for_a_frame_and_not_for_a_link(world):
    job = loaded_by(world, "sari")
    assert previewed(world.user("sari"), job, {"Sec-Fetch-Dest": "iframe"}).status_code == 200
    assert previewed(world.user("sari"), job, {"Sec-Fetch-Dest": "document"}).status_code == 404


@pytest.mark.parametrize("fields", [{"theme": "pink"}, {"range": "rolling", "last": "soon"}, {"label": "x" * 121}])
def test_a_preview_of_nonsense_says_what_is_wrong(world, fields):
    answer = previewed(world.user("sari"), loaded_by(world, "sari"), **fields)
    assert answer.status_code == 400
    assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")


@pytest.mark.parametrize("start", ["--5", "1e9", "٣", "9" * 400, ""])
def test_a_preview_whose_start_is_no_number_begins_where_its_job_does(world, start):
    job = loaded_by(world, "sari")
    answer = previewed(world.user("sari"), job, start=start)
    assert answer.status_code == 200
    assert "2013-01-01T05:00:00Z" in answer.get_data(as_text=True)


def test_a_command_for_a_user_counts_steps_of_a_floor_where_the_page_does(folder, tmp_path):
    site = {"data_dir": folder, "auth": "proxy", "timezone": "Asia/Jakarta"}
    grants = ("grants", "add", "user:dewi", "--stations", "EWR", "--finest", "1d", "--embed")
    assert run_manage(*grants, cwd=tmp_path, **site).returncode == 0
    shows = ("--station", "EWR", "--sensor", "temperature", "--from", "2013-03-01", "--to", "2013-03-08", "--resolution", "1d")
    made = run_manage("embed-token", "make", *shows, "--origin", PORTAL, "--as", "dewi", "--json", cwd=tmp_path, **site)
    assert made.returncode == 0, made.stderr
    rows = json.loads(run_manage("embed-token", "list", "--as", "dewi", "--json", cwd=tmp_path, **site).stdout)
    assert [row["range"] for row in rows] == ["2013-02-28T17:00:00Z to 2013-03-07T17:00:00Z"]
