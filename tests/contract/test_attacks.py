"""What somebody tries who means harm: another user, the page of another site, a made-up header,
a body of nonsense.

Tokens: test_embeds.py. Passwords and sessions: test_login.py. Who gets through which route:
test_matrix.py. Callbacks on what is another's: test_strangers.py. Grants that end:
test_rights_api.py. Headers on a real server: e2e/test_spoofed.py.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from access.grants import Grant
from access.keys import find_key, keys_of, new_key
from access.passwords import hash_password
from access.store import AccessStore, open_access
from api.sign_in.session_cookie import COOKIE
from app import create_app
from config import Settings
from data.request import HistoryRequest, request_of
from data.site import Site, open_site
from jobs.job import Job, Status
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, open_ledger
from jobs.worker.child import make_run_job
from tests.people import forget_all

PASSWORD: Final = "curah hujan 1950"
JAN, FEB, MAY, JUNE = ("2013-01-01T00:00:00Z", "2013-02-01T00:00:00Z", "2013-05-01T00:00:00Z", "2013-06-01T00:00:00Z")
MAY_MS, JUNE_MS = 1_367_366_400_000, 1_370_044_800_000
NOW_MS: Final = 1_800_000_000_000
PORTAL: Final = {"origin": "https://portal.example"}
KEY_SCOPES = ("read", "load", "export", "embed", "admin")
CALLBACK: Final[dict[str, Any]] = {
    "output": "..sensor.options...zone.options..",
    "outputs": [{"id": "sensor", "property": "options"}, {"id": "zone", "property": "options"}],
    "inputs": [{"id": "station", "property": "value", "value": None}],
    "state": [{"id": "sensor", "property": "value", "value": None}],
    "changedPropIds": [],
}


@dataclass(frozen=True)
class World:
    """A site behind a proxy with a loaded year of EWR;
    sari and budi may see and export it, root runs the site.
    """

    settings: Settings
    server: Flask
    site: Site
    ledger: Ledger
    access: AccessStore

    def user(self, name: str) -> FlaskClient:
        client = self.server.test_client()
        client.environ_base["HTTP_X_FORWARDED_USER"] = name
        return client

    def bearer(self, token: str) -> FlaskClient:
        client = self.server.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    def key(self, owner: str, *scopes: str) -> FlaskClient:
        now_ms = time.time_ns() // 1_000_000
        return self.bearer(new_key(self.access, owner, label="t", scopes=scopes, expires_ms=None, now_ms=now_ms)[0])

    def job_of(self, owner: str, start: str = JAN, end: str = JUNE) -> str:
        """Id of a completed job."""
        return self.ledger.record_completed(owner, year(start, end), {}).id

    def run(self) -> Job:
        """Do what a worker does with the next job."""
        job = self.ledger.claim("w", ["history", "history-large"])
        assert job is not None
        make_run_job(self.settings)(job.id, job.attempt)
        return self.ledger.get(job.id)


def year(start: str = JAN, end: str = "2014-01-01T00:00:00Z") -> HistoryRequest:
    return request_of(["EWR"], ["temperature"], start, end, "raw", "UTC")


@pytest.fixture(scope="module")
def opened(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("attacks") / "var"))
    settings = Settings(
        data_dir=folder, auth="proxy", admins="root", timezone="UTC", rate_page=0, rate_submit=0, rate_api=0, _env_file=None
    )
    world = World(settings, create_app(settings).server, open_site(settings), open_ledger(settings), open_access(settings))
    load_history(world.site, year(), lambda progress: None)
    yield world
    for engine in (world.site.engine, world.ledger.engine, world.access.engine):
        engine.dispose()


@pytest.fixture
def world(opened: World) -> World:
    forget_all(opened.access, opened.ledger)
    for name in ("sari", "budi"):
        opened.access.add_grant("user", name, Grant(("EWR",), may_embed=True), by="test")
    return opened


def get(client: FlaskClient, path: str, **how: Any) -> TestResponse:
    answer = client.get(path, buffered=True, **how)
    answer.close()
    return answer


def numbers(values: Any) -> Any:
    """Times of a line, as Plotly sends arrays."""
    return np.frombuffer(b64decode(values["bdata"]), values["dtype"]) if isinstance(values, dict) else np.array(values, float)


# -- windows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["sari", "root"])
@pytest.mark.parametrize("window", [(JAN, JUNE), ("1900-01-01", "2100-01-01"), ("2013-04-30T12:00:00Z", "2013-07-01")])
def test_a_window_that_is_wider_than_its_job_gives_no_row_of_beyond(world, user, window):
    job = world.job_of(user, MAY, JUNE)
    query = f"from={window[0]}&to={window[1]}"
    rows = get(world.user(user), f"/api/jobs/{job}/data?format=csv&{query}").text.splitlines()[1:]
    assert {row.split(",")[0][:7] for row in rows} == {"2013-05"}
    stats = get(world.user(user), f"/api/jobs/{job}/stats?{query}")
    assert stats.json["series"][0]["rows"] == len(rows) == 744
    figure = get(world.user(user), f"/api/jobs/{job}/figure?width=300&{query}").json
    times = np.concatenate([numbers(line["x"]) for line in figure["data"]])
    assert len(times) > 100
    assert np.nanmin(times) >= MAY_MS
    assert np.nanmax(times) < JUNE_MS


def test_a_window_inside_of_what_is_still_granted_does_not_open_a_job_that_is_not(world):
    """Else one would read an old result month by month, by grants that each cover one."""
    world.access.add_grant("user", "tia", Grant(("EWR",), from_ms=MAY_MS, to_ms=JUNE_MS), by="test")
    job = world.job_of("tia")
    for what in ("figure", "stats", "data"):
        assert get(world.user("tia"), f"/api/jobs/{job}/{what}?from={MAY}&to={JUNE}").status_code == 403
    assert get(world.user("tia"), f"/api/jobs/{world.job_of('tia', MAY, JUNE)}/stats").status_code == 200


# -- workbooks -------------------------------------------------------------------------------------


def test_anothers_workbook_is_not_there_by_any_route_and_its_file_is_for_who_may_export_the_same_rows(world):
    started = get(world.user("sari"), f"/api/jobs/{world.job_of('sari')}/data?format=xlsx")
    assert started.status_code == 202
    book = started.json["id"]
    assert world.run().status is Status.COMPLETED
    assert get(world.user("sari"), f"/api/jobs/{book}/data").data[:2] == b"PK"
    world.access.add_grant("user", "wati", Grant(("EWR",), may_export=False), by="test")
    for user in ("budi", "wati"):
        for path in ("", "/data", "/data?format=xlsx", "/data?format=csv", "/events", "/figure", "/stats"):
            assert get(world.user(user), f"/api/jobs/{book}{path}").status_code == 404, path
        for action in ("cancel", "retry"):
            assert world.user(user).post(f"/api/jobs/{book}/{action}").status_code == 404
    of_wati = world.job_of("wati")
    # though the file lies there
    assert get(world.user("wati"), f"/api/jobs/{of_wati}/data?format=xlsx").status_code == 403
    assert get(world.user("budi"), f"/api/jobs/{world.job_of('budi')}/data?format=xlsx").data[:2] == b"PK"


PATHS = [
    "../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/secret",
    "....//....//etc/passwd",
    "..%5c..%5cwindows%5cwin.ini",
    "%00",
    "/etc/passwd",
    "%252e%252e%252fsecret",
    "~root",
    "jobs.sqlite",
    "../secret",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_to_a_file_of_the_machine(world, path):
    secret = world.settings.signing_secret()
    for base in ("", "api/jobs/", "assets/", "jobs/assets/", "embed/", "_dash-component-suites/dash/", "account/keys/", "admin/"):
        answer = get(world.user("root"), f"/{base}{path}")
        assert answer.status_code in (301, 308, 400, 403, 404, 405), f"{base}{path}"
        assert not [word for word in ("root:", secret, "SQLite") if word in answer.text]
        assert "//" not in answer.headers.get("Location", "").removeprefix("http://localhost/")


@pytest.mark.parametrize(
    "zone", ["../../../../etc/passwd", "/etc/passwd", "../localtime", "..", ".", "UTC\0", "Europe/../../passwd"]
)
def test_a_time_zone_is_no_path(world, zone):
    body = {"stations": ["EWR"], "sensors": ["temperature"], "start": JAN, "end": FEB, "timezone": zone}
    answer = world.user("sari").post("/api/jobs", json=body)
    assert (answer.status_code, answer.json["error"]["field"]) == (400, "timezone")


# -- event streams that are open -------------------------------------------------------------------


def _sari_is_disabled(world: World) -> None:
    world.access.add_account("sari", password_hash=None)
    world.access.change_account("sari", disabled=True)


def _grants_are_gone(world: World) -> None:
    for row in world.access.grants():
        world.access.remove_grant(row.id)


@pytest.mark.parametrize("happens", [_sari_is_disabled, _grants_are_gone])
def test_a_stream_that_is_open_ends_with_the_next_event_when_it_may_not_be_seen_any_more(world, happens):
    job = world.ledger.submit("sari", year())
    try:
        with world.user("sari").get(f"/api/jobs/{job.id}/events") as answer:
            pieces = iter(answer.response)
            assert "queued" in "".join(str(next(pieces)) for _ in range(2))
            happens(world)
            world.ledger.cancel(job.id)
            assert "cancelled" not in "".join(map(str, pieces))
    finally:
        if world.access.account("sari"):
            world.access.remove_account("sari")


def test_a_stream_of_anothers_job_ends_when_an_administrator_is_none_any_more(world):
    world.access.add_account("kepala", password_hash=None, admin=True)
    world.access.add_grant("user", "kepala", Grant(), by="test")  # the station itself stays granted
    job = world.ledger.submit("sari", year())
    try:
        with world.user("kepala").get(f"/api/jobs/{job.id}/events") as answer:
            pieces = iter(answer.response)
            assert "queued" in "".join(str(next(pieces)) for _ in range(2))
            world.access.change_account("kepala", admin=False)
            world.ledger.cancel(job.id)
            assert "cancelled" not in "".join(map(str, pieces))
    finally:
        world.access.remove_account("kepala")


# -- keys ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", KEY_SCOPES)
def test_a_key_makes_no_key_and_gets_no_scope_that_it_has_not(world, scope):
    client = world.key("sari", scope)
    for path in ("/account/keys", "/account/sessions", "/account/password"):
        for how in ({"data": {"label": "x", "scope": ["admin"], "days": "30"}}, {"json": {"scopes": ["admin"]}}):
            assert client.post(path, **how).status_code in (401, 403, 404)
    assert get(client, "/api/jobs?all=true").status_code == 403
    assert get(client, "/api/audit").status_code == 404


def test_a_key_of_the_time_before_sign_in_opens_nothing_after_it(world):
    """The one user of a site without sign-in may everything."""
    assert world.key("local", *KEY_SCOPES).get("/api/jobs").status_code == 401
    alone = Settings(data_dir=world.settings.data_dir, auth="none", _env_file=None)
    now_ms = time.time_ns() // 1_000_000
    text, _key = new_key(world.access, "local", label="t", scopes=["read"], expires_ms=None, now_ms=now_ms)
    assert find_key(alone, world.access, text, now_ms).user == "local"


def test_everybodys_jobs_are_listed_for_an_administrator_who_asks_for_them_only(world):
    for owner in ("sari", "budi", "root"):
        world.job_of(owner)

    def owners(client: FlaskClient, query: str = "") -> set[str]:
        return {job["owner"] for job in (get(client, f"/api/jobs{query}").json or {})["jobs"]}

    assert owners(world.user("root")) == {"root"}
    assert owners(world.user("root"), "?all=true") == {"sari", "budi", "root"}
    assert owners(world.key("root", "read", "admin"), "?all=true") == {"sari", "budi", "root"}
    for client in (world.user("sari"), world.key("root", "read"), world.key("sari", "read", "admin")):
        for query in ("?all=true", "?all=1", "?all=True&all=false"):
            assert get(client, f"/api/jobs{query}").status_code == 403
    assert owners(world.user("sari"), "?all=false&all=true") == {"sari"}
    assert owners(world.user("sari"), "?owner=budi&user=budi") == {"sari"}


# -- other sites' pages, other methods -------------------------------------------------------------

ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://localhost.evil.example"},
    {"Origin": "https://localhost:1"},
    {"Origin": "http://user@evil.example#@localhost"},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
@pytest.mark.parametrize(
    "how",
    [{"json": {}}, {"data": {"a": "b"}}, {"data": "{}", "content_type": "text/plain"}, {}],
    ids=["json", "form", "text", "none"],
)
def test_no_route_that_changes_something_takes_it_from_another_sites_page(world, headers, how):
    paths = [rule.rule for rule in world.server.url_map.iter_rules() if "POST" in (rule.methods or ())]
    assert len(paths) > 10
    for path in paths:
        answer = world.user("sari").post(re.sub("<[^>]*>", "x", path), headers=headers, **how)
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "cross_site"), path


def test_no_workbook_is_begun_by_a_link_on_another_sites_page(world):
    path = f"/api/jobs/{world.job_of('sari')}/data?format=xlsx&from={JAN}&to={FEB}"
    for headers in ELSEWHERE:
        assert get(world.user("sari"), path, headers=headers).status_code == 403
    assert [job.kind for job in world.ledger.jobs()] == ["history"]


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_method_is_what_it_is(world, method, header):
    job = world.ledger.submit("sari", year())
    path = f"/api/jobs/{job.id}/cancel"
    answer = world.user("sari").open(f"{path}?_method=POST&method=POST", method=method, headers={header: "POST"})
    assert answer.status_code == (200 if method == "OPTIONS" else 405)
    assert world.ledger.get(job.id).status is Status.QUEUED


HIDDEN = ("/api/audit", "/api/audit?format=csv", "/admin", "/admin/", "/admin/_dash-layout", "/admin/_dash-update-component")


@pytest.mark.parametrize("method", ["OPTIONS", "DELETE", "PUT", "PATCH", "POST", "TRACE", "PROPFIND"])
def test_what_is_for_administrators_only_is_not_there_by_any_method(world, method):
    for path in HIDDEN:
        for nowhere, asked in ((f"{path.split('?')[0].rstrip('/')}zz", path), ("/nowhere", path)):
            missing, hidden = (world.user("sari").open(each, method=method) for each in (nowhere, asked))
            if method == "PROPFIND" and path.startswith("/api"):
                assert hidden.status_code == world.user("sari").open("/api/nowhere", method=method).status_code
                continue
            assert (hidden.status_code, hidden.headers.get("Allow")) == (404, None), asked
            assert (missing.status_code, missing.headers.get("Allow")) == (404, None), nowhere
    assert world.user("root").options("/api/audit").status_code == 200
    assert world.user("root").delete("/api/audit").status_code == 405


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost@evil.example", "evil.example:80", "localhost\t.evil.example", "[::1].evil"]
)
def test_a_made_up_host_is_in_no_address_that_others_are_led_to(world, host):
    client = world.user("sari")
    for path in ("/", "/jobs", "/account", "/api/jobs", "/jobs/nowhere", "/nowhere", "/embed/trend?id=x"):
        answer = get(client, path, headers={"Host": host})
        assert "evil" not in answer.headers.get("Location", "")
        assert "evil" not in answer.text, path
    assert "evil" not in json.dumps(get(client, "/api/jobs", headers={"X-Forwarded-Host": "evil.example"}).json)


# -- a name that another user had ------------------------------------------------------------------


def test_the_next_user_of_a_name_gets_nothing_of_the_one_before(world):
    world.access.add_grant("user", "tono", Grant(("EWR",), may_embed=True), by="test")
    world.access.add_account("tono")
    ended, waits = world.job_of("tono"), world.ledger.submit("tono", year())
    client = world.user("tono")
    made = client.post("/api/embeds", json={"stations": ["EWR"], "sensors": ["temperature"], "range": {"last": "7d"}} | PORTAL)
    key = new_key(world.access, "tono", label="the first one's", scopes=["read"], expires_ms=None, now_ms=NOW_MS)[1]
    world.access.remove_account("tono")
    world.access.add_account("tono")
    world.access.add_grant("user", "tono", Grant(("EWR",), may_embed=True), by="test")
    try:
        assert client.get("/api/jobs").json["jobs"] == []
        assert {client.get(f"/api/jobs/{job}").status_code for job in (ended, waits.id)} == {404}
        assert client.get("/api/embeds").json["embeds"] == []
        assert client.post(f"/api/embeds/{made.json['id']}/revoke").status_code == 404
        assert "the first one's" not in client.get("/account").text
        assert world.ledger.get(waits.id).status is Status.CANCELLED
        again = world.ledger.submit("tono", year())
        assert again.id != waits.id  # no joining of what another has begun
        of_root = {job["id"]: job["owner"] for job in get(world.user("root"), "/api/jobs?all=true").json["jobs"]}
        assert of_root[ended].startswith("removed:")
        assert get(world.user(of_root[ended]), "/api/jobs").status_code == 401  # nobody signs in so
        assert [one.revoked_ms is not None for one in keys_of(world.access, of_root[ended])] == [True]
        assert keys_of(world.access, of_root[ended])[0].id == key.id
    finally:
        world.access.remove_account("tono")


# -- names of users --------------------------------------------------------------------------------

NO_NAMES = ["local", "embed:0123456789abcdef", "embed:", "", " ", "root\x7f", "a" * 256, "root\xa0"]


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_the_site_keeps_for_itself_or_that_only_looks_like_another_is_nobody(world, name):
    assert get(world.user(name), "/api/jobs").status_code == 401


@pytest.mark.parametrize("name", ["Root", "ROOT", "root,sari", "sari,root", "r\xf6ot", "root;", "root'--", "root%00", "root "])
def test_a_name_that_is_only_like_an_administrators_is_none(world, name):
    answer = get(world.user(name), "/api/jobs?all=true")
    # space around it is no part of a name
    assert answer.status_code in ((200,) if name.strip() == "root" else (401, 403))


# -- bodies ----------------------------------------------------------------------------------------

NONSENSE: list[object] = [
    {},
    [],
    None,
    7,
    "x",
    {"output": "nowhere.x"},
    {"output": ["a"]},
    {"output": None},
    CALLBACK | {"inputs": None},
    CALLBACK | {"inputs": [1]},
    CALLBACK | {"inputs": []},
    CALLBACK | {"inputs": CALLBACK["inputs"] * 2},
    CALLBACK | {"inputs": [{"id": "station"}]},
    CALLBACK | {"changedPropIds": 5},
    CALLBACK | {"changedPropIds": [{}]},
    CALLBACK | {"outputs": None},
    CALLBACK | {"outputs": 3},
    CALLBACK | {"outputs": {"id": {"type": "x"}, "property": "hidden"}},
    CALLBACK | {"outputs": {"id": "another", "property": "hidden"}},
    CALLBACK | {"state": 4},
    CALLBACK | {"state": [{"id": "job-id", "property": "data", "value": 1}]},
]


@pytest.mark.parametrize("body", NONSENSE)
@pytest.mark.parametrize("page", ["", "jobs/"])
def test_a_body_that_is_no_callback_is_refused_before_dash_makes_an_error_of_it(world, page, body):
    answer = world.user("sari").post(f"/{page}_dash-update-component", data=json.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "invalid_request")


def test_what_is_a_callback_goes_through(world):
    assert world.user("sari").post("/_dash-update-component", json=CALLBACK).json["response"]["sensor"]["options"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 100_000,
        '{"stations":' + "[" * 100_000 + "]" * 100_000 + "}",
        *('{"stations":' + "[" * depth + "]" * depth + "}" for depth in (60, 500, 900, 960, 990)),
        json.dumps(CALLBACK).replace('"sensor", "property"', '{"a":' * 900 + "1" + "}" * 900 + ', "property"'),
    ],
    ids=["list", "object", "closed", "60", "500", "900", "960", "990", "outputs"],
)
def test_a_body_that_is_nested_without_end_is_refused_by_every_route(world, text):
    paths = [rule.rule for rule in world.server.url_map.iter_rules() if "POST" in (rule.methods or ())]
    assert len(paths) > 10
    for path in paths:
        answer = world.user("root").post(re.sub("<[^>]*>", "x", path), data=text, content_type="application/json")
        assert answer.status_code in (400, 403, 404), path  # forms of our pages take no JSON
        if "/account" not in path:
            assert set(answer.json["error"]) == {"code", "message", "field"}


# -- sessions of AUTH=login ------------------------------------------------------------------------


def test_the_session_of_a_site_with_passwords_is_nobody_where_a_proxy_signs_in(world, tmp_path):
    """The same secret, folder and database: a site that was changed from one to the other."""
    folder = Path(shutil.copytree(world.settings.data_dir, tmp_path / "var"))
    with_passwords = Settings(data_dir=folder, auth="login", timezone="UTC", _env_file=None)
    access = open_access(with_passwords)
    access.add_account("kepala", password_hash=hash_password(PASSWORD), admin=True)
    browser = create_app(with_passwords).server.test_client()
    token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/login").text)
    assert token
    browser.post("/login", data={"csrf": token[1], "name": "kepala", "password": PASSWORD})
    assert browser.get("/api/jobs").status_code == 200
    cookie = browser.get_cookie(COOKIE)
    assert cookie
    proxied = create_app(Settings(data_dir=folder, auth="proxy", timezone="UTC", _env_file=None)).server.test_client()
    proxied.set_cookie(COOKIE, cookie.value)
    assert proxied.get("/api/jobs").status_code == 401
    assert proxied.get("/_dash-layout").status_code == 401
    assert browser.get("/api/jobs").status_code == 200
    access.engine.dispose()


# -- the log ---------------------------------------------------------------------------------------


def test_what_somebody_sends_makes_no_line_of_its_own_in_the_log(world, capsys: pytest.CaptureFixture[str]):
    get(world.user("sari"), "/api/jobs/x%0a2026-01-01 00:00:00 [error] forged line%0d%0a")
    world.user("sari").post("/api/jobs", json={"stations": ["a\nforged line"], "sensors": ["b"], "start": JAN, "end": FEB})
    get(world.bearer("x\u2028forged line"), "/api/jobs")
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.lstrip().startswith(("forged", "2026-01-01 00:00:00 [error]"))]
