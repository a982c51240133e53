"""Who gets through which route: every rule of the server, by every method,
asked by everybody there is.

``ROUTES`` says of each what it needs; what it must answer follows from that and from what somebody
is. A route that is not in the table fails :func:`test_every_route_has_a_rule`, so that nobody adds
one without saying who may use it.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from access.embeds.embed_table import find_embed
from access.embeds.embed_token import embed_token
from access.grants import Grant
from access.keys import new_key, revoke_key
from access.passwords import hash_password
from access.scopes import SCOPES
from access.store import AccessStore, open_access
from app import create_app
from config import Settings
from data.request import HistoryRequest, request_of
from data.site import open_site
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, open_ledger

YEAR: Final[dict[str, Any]] = {
    "stations": ["EWR"],
    "sensors": ["temperature"],
    "start": "2013-01-01T00:00:00Z",
    "end": "2014-01-01T00:00:00Z",
}
REPORT: Final[dict[str, Any]] = {"stations": ["EWR"], "sensors": ["temperature"], "period": "2013-05", "format": "html"}
EMBED: Final[dict[str, Any]] = {
    "stations": ["EWR"],
    "sensors": ["temperature"],
    "range": {"from": YEAR["start"], "to": YEAR["end"]},
    "origin": "https://portal.example",
}
JUNE_MS: Final = 1_370_044_800_000  # 2013-06-01
PASSWORD, PROXY_SECRET = "curah hujan 1950", "between proxy and site"
UNCOUNTED: Final[dict[str, Any]] = {f"rate_{whose}": 0 for whose in ("page", "api", "submit", "embed", "login", "address")}


@dataclass(frozen=True)
class Rule:
    """What a route needs of whoever asks; ``ok`` is the answer to somebody who has all of it.

    ``door``: *open* (nobody need be known), *page* (people look at it), *own* (a form of our own
    pages), *dash* and *api*. ``scope`` is a key's; ``needs`` what must be granted or be one's own.
    ``tokens``: open to an embedded chart's token. ``path``: the rule with its parts filled in, of
    which ``JOB`` and ``EMBED`` are what is asked about.
    """

    door: str
    ok: int = 200
    scope: str = ""
    needs: str = ""
    tokens: bool = False
    path: str = ""
    body: Mapping[str, Any] | None = None


JOB_READ: Final[dict[str, Any]] = {"scope": "read", "needs": "view"}
ANY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")
CARRYING = ("POST", "PATCH")  # a body
SCRIPT = "_dash-component-suites/dash/dcc/async-graph.js"
CALLBACK: Final[dict[str, Any]] = {
    "output": "..sensor.options...zone.options..",
    "outputs": [{"id": "sensor", "property": "options"}, {"id": "zone", "property": "options"}],
    "inputs": [{"id": "station", "property": "value", "value": None}],
    "state": [{"id": "sensor", "property": "value", "value": None}],
    "changedPropIds": [],
}
OF_JOBS: Final[dict[str, Any]] = {
    "output": "..jobs-done.data...jobs-alert.children..",
    "outputs": [{"id": "jobs-done", "property": "data"}, {"id": "jobs-alert", "property": "children"}],
    "inputs": [{"id": "jobs-press", "property": "data", "value": None}, []],
    "state": [{"id": "jobs-grid", "property": "selectedRows", "value": None}],
    "changedPropIds": [],
}
# of whose shape it says 400
OF_ADMIN: Final[dict[str, Any]] = {"output": "nowhere.children", "inputs": []}
DASH: Final[dict[str, Mapping[str, Rule]]] = {
    "_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": {"GET": Rule("dash", path=SCRIPT)},
    "_dash-dependencies": {"GET": Rule("dash")},
    "_dash-layout": {"GET": Rule("dash")},
    # what each gives: test_callbacks_of_strangers.py
    "_dash-update-component": {"POST": Rule("dash", body=CALLBACK)},
    "_favicon.ico": {"GET": Rule("dash")},
    "_reload-hash": {"GET": Rule("dash")},
    "<path:path>": {"GET": Rule("dash", ok=404, path="nowhere")},
    "assets/<path:filename>": {"GET": Rule("dash", path="assets/page.js")},
}

ROUTES: Final[dict[str, Mapping[str, Rule]]] = {
    **{f"/{rule}": methods for rule, methods in DASH.items()},
    **{
        f"/jobs/{rule}": {m: replace(r, path=r.path and f"jobs/{r.path}", body=r.body and OF_JOBS) for m, r in methods.items()}
        for rule, methods in DASH.items()
    },
    **{
        f"/admin/{rule}": {
            m: replace(r, path=r.path and f"admin/{r.path}", body=r.body and OF_ADMIN, needs="admin", ok=400 if r.body else r.ok)
            for m, r in methods.items()
        }
        for rule, methods in DASH.items()
    },
    "/": {"GET": Rule("page")},
    "/admin": {"GET": Rule("page", needs="admin")},
    "/admin/": {"GET": Rule("page", needs="admin")},
    "/jobs": {"GET": Rule("page")},
    "/jobs/": {"GET": Rule("page")},
    "/account": {"GET": Rule("page", needs="people")},
    # Without the token of a form of one's own nobody is believed; with it:
    # test_keys.py and test_login.py.
    "/account/keys": {"POST": Rule("own", ok=403, needs="people")},
    "/account/keys/<key_id>/revoke": {"POST": Rule("own", ok=403, needs="people", path="account/keys/x/revoke")},
    "/account/password": {"POST": Rule("own", ok=403, needs="people")},
    "/account/sessions": {"POST": Rule("own", ok=403, needs="people")},
    "/account/sessions/<shown_id>/end": {"POST": Rule("own", ok=403, needs="people", path="account/sessions/x/end")},
    "/account/confirm": {"POST": Rule("own", ok=403, needs="people")},
    "/login": {"GET": Rule("open", needs="no session"), "POST": Rule("open", ok=400)},
    "/logout": {"POST": Rule("own", ok=303)},
    "/bootstrap.css": {"GET": Rule("style")},
    "/healthz": {"GET": Rule("open")},
    "/readyz": {"GET": Rule("open", ok=503)},  # no worker runs
    "/metrics": {"GET": Rule("open", needs="here")},
    "/embed/trend": {"GET": Rule("open", path="embed/trend?id=EMBED")},
    "/embed/preview": {
        "GET": Rule("dash", needs="preview", path="embed/preview?job=JOB&range=rolling&last=7d&theme=light&language=en")
    },
    "/embed/<name>": {"GET": Rule("open", path="embed/embed.js")},
    **{
        rule: {method: Rule("api", ok=404, path="api/nowhere") for method in ANY_METHOD}
        for rule in ("/api", "/api/", "/api/<path:rest>")
    },
    "/api/openapi.json": {"GET": Rule("api")},
    "/api/stations": {"GET": Rule("api", scope="read")},
    "/api/stations/status": {"GET": Rule("api", scope="read")},
    "/api/series": {
        "GET": Rule(
            "api",
            scope="export",
            needs="may export",
            path=f"api/series?station=EWR&sensor=temperature&from={YEAR['start']}&to={YEAR['end']}&timezone=UTC",
        )
    },
    "/api/audit": {"GET": Rule("api", scope="admin", needs="admin")},
    "/api/embed": {"GET": Rule("api", scope="read", needs="token", tokens=True)},
    "/api/embeds": {
        "GET": Rule("api", scope="embed"),
        "POST": Rule("api", ok=201, scope="embed", needs="may embed", body=EMBED),
    },
    "/api/embeds/<embed_id>/revoke": {
        "POST": Rule("api", scope="embed", needs="own embed", path="api/embeds/GONE/revoke"),
    },
    "/api/embeds/<embed_id>/token": {
        "POST": Rule("api", ok=201, scope="embed", needs="own embed", path="api/embeds/EMBED/token", body={}),
    },
    # Whose they are, and who sees them: test_saved_views.py.
    "/api/views": {
        "GET": Rule("api", scope="read"),
        "POST": Rule("api", ok=400, scope="load", body={"name": "of nothing"}),
    },
    "/api/views/<view_id>": {
        "POST": Rule("api", ok=404, scope="load", path="api/views/0123456789abcdef", body={"shared": True}),
        "DELETE": Rule("api", ok=404, scope="load", path="api/views/0123456789abcdef"),
    },
    # Whose they are: test_user_formulas.py.
    "/api/formulas": {
        "GET": Rule("api", scope="read"),
        "POST": Rule("api", ok=400, scope="load", body={"name": "of nothing"}),
    },
    "/api/formulas/<sensor>": {
        "POST": Rule("api", ok=400, scope="load", path="api/formulas/formula_0", body={"name": "of nothing"}),
        "DELETE": Rule("api", ok=404, scope="load", path="api/formulas/formula_0"),
    },
    # Who may review what: test_decisions_api.py.
    "/api/decisions": {
        "GET": Rule("api", scope="read"),
        "POST": Rule("api", ok=400, scope="review", body={"kind": "of nothing"}),
    },
    "/api/decisions/<number>/undo": {
        "POST": Rule("api", ok=404, scope="review", path="api/decisions/0/undo", body={}),
    },
    # Who may set what: test_limits.py.
    "/api/limits": {
        "GET": Rule("api", ok=400, scope="read"),
        "PATCH": Rule("api", ok=400, scope="review", body={"station": "of nothing"}),
    },
    # Whose they are, and who sees them: test_notes.py.
    "/api/notes": {
        "GET": Rule("api", scope="read"),
        "POST": Rule("api", ok=400, scope="load", body={"text": "on nothing"}),
    },
    "/api/notes/<note_id>": {
        "PATCH": Rule("api", ok=404, scope="load", path=f"api/notes/{'0' * 32}", body={"shared": True}),
        "DELETE": Rule("api", ok=404, scope="load", path=f"api/notes/{'0' * 32}"),
    },
    # Whose keys are for which stations: test_inbox.py.
    "/api/observations": {"POST": Rule("api", ok=400, scope="ingest", body={})},
    "/api/aws/receiver": {"POST": Rule("api", ok=422, scope="ingest", body={})},
    "/api/rejected": {"GET": Rule("api", scope="admin", needs="admin")},
    "/api/rejected/<item_id>": {
        "DELETE": Rule("api", ok=404, scope="admin", needs="admin", path="api/rejected/0123456789abcdef")
    },
    "/api/rejected/<item_id>/replay": {
        "POST": Rule("api", ok=404, scope="admin", needs="admin", path="api/rejected/0123456789abcdef/replay", body={}),
    },
    "/api/version": {"GET": Rule("api", scope="read", path="api/version?station=JFK")},
    "/api/jobs": {
        "GET": Rule("api", scope="read"),
        "POST": Rule("api", ok=202, scope="load", needs="may load", tokens=True, body=YEAR),
    },
    "/api/jobs/<job_id>": {"GET": Rule("api", **JOB_READ, tokens=True, path="api/jobs/JOB")},
    "/api/jobs/<job_id>/events": {"GET": Rule("api", **JOB_READ, path="api/jobs/JOB/events")},
    "/api/jobs/<job_id>/figure": {"GET": Rule("api", **JOB_READ, tokens=True, path="api/jobs/JOB/figure?width=200")},
    "/api/jobs/<job_id>/report": {
        "GET": Rule("api", 202, scope="export", needs="export", path="api/jobs/JOB/report?format=html")
    },
    "/api/reports": {"POST": Rule("api", 202, scope="export", needs="may export", body=REPORT)},
    # Whose they are: test_schedules_api.py.
    "/api/schedules": {
        "GET": Rule("api", scope="read"),
        "POST": Rule("api", ok=400, scope="export", body={"to": ["of nothing"]}),
    },
    "/api/schedules/<schedule_id>": {
        "DELETE": Rule("api", ok=404, scope="export", path="api/schedules/0123456789abcdef"),
    },
    # Whose they are: test_alarms_api.py.
    "/api/alarms": {
        "GET": Rule("api", scope="read"),
        "POST": Rule("api", ok=400, scope="export", body={"to": ["of nothing"]}),
    },
    "/api/alarms/<alarm_id>": {
        "POST": Rule("api", ok=400, scope="export", path="api/alarms/0123456789abcdef", body={"to": ["of nothing"]}),
        "DELETE": Rule("api", ok=404, scope="export", path="api/alarms/0123456789abcdef"),
    },
    "/api/alarms/<alarm_id>/events": {"GET": Rule("api", ok=404, scope="read", path="api/alarms/0123456789abcdef/events")},
    "/api/alarms/<alarm_id>/test": {
        "POST": Rule("api", ok=404, scope="export", path="api/alarms/0123456789abcdef/test", body={}),
    },
    "/api/alarms/<alarm_id>/acknowledge": {
        "POST": Rule("api", ok=404, scope="load", path="api/alarms/0123456789abcdef/acknowledge", body={"station": "JFK"}),
    },
    "/api/jobs/<job_id>/picture": {"GET": Rule("api", **JOB_READ, path="api/jobs/JOB/picture?format=html")},
    "/api/jobs/<job_id>/analysis/<name>": {"GET": Rule("api", **JOB_READ, path="api/jobs/JOB/analysis/summary")},
    "/api/jobs/<job_id>/stats": {"GET": Rule("api", **JOB_READ, tokens=True, path="api/jobs/JOB/stats")},
    "/api/jobs/<job_id>/flags": {"GET": Rule("api", **JOB_READ, path="api/jobs/JOB/flags")},
    "/api/jobs/<job_id>/data": {
        "GET": Rule("api", scope="export", needs="export", tokens=True, path="api/jobs/JOB/data?format=parquet")
    },
    "/api/jobs/<job_id>/manifest": {
        "GET": Rule("api", scope="export", needs="export", path="api/jobs/JOB/manifest?format=parquet")
    },
    "/api/jobs/<job_id>/rows": {"GET": Rule("api", scope="export", needs="export", path="api/jobs/JOB/rows")},
    # The job has completed, so that whoever may do this is told that there is nothing to do.
    "/api/jobs/<job_id>/cancel": {"POST": Rule("api", ok=409, scope="load", needs="view", path="api/jobs/JOB/cancel")},
    "/api/jobs/<job_id>/retry": {"POST": Rule("api", ok=409, scope="load", needs="view", path="api/jobs/JOB/retry")},
}
OF_SESSIONS: Final = frozenset({"/account/sessions", "/account/sessions/<shown_id>/end", "/account/confirm"})
WITHOUT: Final = {  # routes that a way to sign in does not have
    "login": frozenset[str](),
    "proxy": frozenset({"/login", "/logout", "/account/password", *OF_SESSIONS}),
    "none": frozenset({"/login", "/logout", "/account/password", *OF_SESSIONS}),
}


@dataclass(frozen=True)
class Who:
    """Somebody who asks. ``user`` empty: nobody is known;
    ``refusal`` is then what they are told where it matters.

    ``stranger`` with grants, but none of the jobs; ``view``: what the API says to who asks for the
    whole year (200, 403 or 404), ``exports`` and ``embeds`` what is granted besides. ``bearer``: a
    key or a token speaks, which counts for the API only.
    """

    name: str
    user: str = ""
    refusal: int = 401
    admin: bool = False
    view: int = 200
    exports: bool = True
    embeds: bool = True
    bearer: str = ""
    scopes: frozenset[str] = frozenset(SCOPES)
    token: bool = False
    address: str = "127.0.0.1"
    headers: Mapping[str, str] = field(default_factory=dict)


PEOPLE: Final = (
    Who("sari, who may do everything but run the site", "sari"),
    Who("budi, another with the same grants", "budi"),
    Who("tia, to whom it is granted until June", "tia", view=403),
    Who("wati, who may look only", "wati", exports=False, embeds=False),
    Who("nana, to whom nothing is granted", "nana", view=404),
    Who("kepala, the administrator", "kepala", admin=True),
)


@dataclass
class World:
    """A site with people, jobs, keys and embedded charts; ``jobs`` by owner."""

    auth: str
    server: Flask
    access: AccessStore
    jobs: dict[str, str]
    embed: str
    gone: str
    everybody: tuple[Who, ...]
    clients: dict[str, FlaskClient]

    def ask(self, who: Who, method: str, path: str, body: Mapping[str, Any] | None = None) -> TestResponse:
        client = self.clients[who.name]
        headers = dict(who.headers) | ({"Authorization": f"Bearer {who.bearer}"} if who.bearer else {})
        answer = client.open(
            f"/{path}", method=method, json=body, headers=headers, environ_base={"REMOTE_ADDR": who.address}, buffered=True
        )
        answer.close()
        return answer


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def year() -> HistoryRequest:
    return request_of(YEAR["stations"], YEAR["sensors"], YEAR["start"], YEAR["end"], "raw", "UTC")


@pytest.fixture(scope="module")
def loaded(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site on which the year of EWR is loaded, with people and what is granted to them."""
    folder = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("matrix") / "var"))
    settings = Settings(data_dir=folder, auth="login", timezone="UTC", _env_file=None)
    site, access = open_site(settings), open_access(settings)
    load_history(site, year(), lambda progress: None)
    known = hash_password(PASSWORD)
    for who in PEOPLE:
        access.add_account(who.user, password_hash=known, admin=who.admin)
    for name in ("sari", "budi"):
        access.add_grant("user", name, Grant(may_embed=True), by="test")
    access.add_grant("user", "tia", Grant(("EWR",), to_ms=JUNE_MS, may_embed=True), by="test")
    access.add_grant("user", "wati", Grant(may_export=False), by="test")
    for engine in (site.engine, access.engine):
        engine.dispose()
    return folder


@pytest.fixture(scope="module", params=["login", "proxy", "none"])
def world(request: pytest.FixtureRequest, loaded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = Path(shutil.copytree(loaded, tmp_path_factory.mktemp(request.param) / "var"))
    secret = PROXY_SECRET if request.param == "proxy" else ""
    settings = Settings(data_dir=folder, auth=request.param, timezone="UTC", proxy_secret=secret, **UNCOUNTED, _env_file=None)
    server = create_app(settings).server
    ledger, access = open_ledger(settings), open_access(settings)
    jobs = {who.user: ledger.record_completed(who.user, year(), {}).id for who in PEOPLE}
    jobs["local"] = ledger.record_completed("local", year(), {}).id
    made = World(request.param, server, access, jobs, "", "", (), {})
    _populate(made, settings, ledger)
    yield made
    for engine in (ledger.engine, access.engine):
        engine.dispose()


def _populate(made: World, settings: Settings, ledger: Ledger) -> None:
    """Everybody who can come to this site, each with a browser of their own;
    the two charts of sari.
    """
    people = _people(made)
    owner = people["sari, who may do everything but run the site" if made.auth != "none" else "local"]
    tokens = {}
    for name in ("shown", "another", "gone"):
        answer = made.ask(owner, "POST", "api/embeds", EMBED)
        assert answer.status_code == 201, answer.text
        tokens[name] = dict(answer.json or {})
    made.embed, made.gone = tokens["shown"]["id"], tokens["gone"]["id"]
    found = find_embed(made.access, made.embed)
    assert found is not None
    past = now_ms() - 60_000
    expired = embed_token(settings.signing_secret(), found, past, past + 1)
    made.ask(owner, "POST", f"api/embeds/{made.gone}/revoke")
    bearers = [
        *_keys(made, settings, owner.user),
        _viewer("a token", made.embed, tokens["shown"]["token"]),
        _viewer("the token of another chart", tokens["another"]["id"], tokens["another"]["token"]),
        Who("an expired token", bearer=expired),
        Who("the token of a revoked chart", bearer=tokens["gone"]["token"]),
        Who("an edited token", bearer=f"A{tokens['shown']['token']}"),
        Who("garbage", bearer="x" * 200),
        Who("a made-up key", bearer=f"rwk_{'0' * 16}_{'A' * 43}"),
    ]
    for who in bearers:
        made.clients[who.name] = made.server.test_client()
    for who in (one for one in bearers if one.token):
        made.jobs[who.user] = ledger.record_completed(who.user, year(), {}).id
    made.everybody = (*people.values(), *bearers)


def _viewer(name: str, embed_id: str, token: str) -> Who:
    return Who(name, f"embed:{embed_id}", bearer=token, scopes=frozenset({"load", "read", "export"}), token=True)


def _keys(made: World, settings: Settings, owner: str) -> Iterator[Who]:
    def key(user: str, *scopes: str, ended: bool = False) -> str:
        end_ms = now_ms() - 1000 if ended else None
        at_ms = now_ms() - (60_000 if ended else 0)
        return new_key(made.access, user, label="of a test", scopes=scopes, expires_ms=end_ms, now_ms=at_ms)[0]

    for scope in SCOPES:
        yield Who(f"a key for {scope}", owner, bearer=key(owner, scope), scopes=frozenset({scope}))
    yield Who("an expired key", bearer=key(owner, *SCOPES, ended=True))
    text, gone = new_key(made.access, owner, label="gone", scopes=SCOPES, expires_ms=None, now_ms=now_ms())
    revoke_key(made.access, gone.id, now_ms())
    yield Who("a revoked key", bearer=text)
    # of which nobody is an administrator: the one user may everything,
    # but has no audit log over HTTP
    if made.auth != "none":
        yield Who("an administrator's key for all", "kepala", admin=True, bearer=key("kepala", *SCOPES))
        yield Who(
            "an administrator's key without admin",
            "kepala",
            bearer=key("kepala", "read", "load"),
            scopes=frozenset({"read", "load"}),
        )


def _people(made: World) -> dict[str, Who]:
    ways: Mapping[str, Callable[[World], list[Who]]] = {"login": _signed_in, "proxy": _proxied, "none": _here}
    return {who.name: who for who in ways[made.auth](made)}


def _signed_in(made: World) -> list[Who]:
    for who in PEOPLE:
        client = made.clients[who.name] = made.server.test_client()
        token = re.search(r'name="csrf" value="([^"]+)"', client.get("/login").text)
        assert token
        client.post("/login", data={"csrf": token[1], "name": who.user, "password": PASSWORD})
        assert client.get("/api/openapi.json").status_code == 200, who.name
    nobody = Who("nobody")
    spoofer = Who("nobody, who says by a proxy's header to be sari", headers={"X-Forwarded-User": "sari"})
    for who in (nobody, spoofer):
        made.clients[who.name] = made.server.test_client()
    return [nobody, spoofer, *PEOPLE]


def _proxied(made: World) -> list[Who]:
    sent = {"X-Riwayat-Proxy-Secret": PROXY_SECRET}
    found = [replace(who, headers=sent | {"X-Forwarded-User": who.user}) for who in PEOPLE]
    found += [
        Who("nobody", headers=sent),
        Who("a name of the site's own", headers=sent | {"X-Forwarded-User": "embed:0123456789abcdef"}),
        Who("who comes without the secret", refusal=403, headers={"X-Forwarded-User": "sari"}),
        Who("who guesses the secret", refusal=403, headers={"X-Riwayat-Proxy-Secret": "x", "X-Forwarded-User": "sari"}),
    ]
    for who in found:
        made.clients[who.name] = made.server.test_client()
    return found


def _here(made: World) -> list[Who]:
    found = [
        Who("local", "local"),
        Who("another machine", refusal=403, address="192.0.2.7"),
        Who("whoever comes through a proxy", refusal=403, headers={"X-Forwarded-For": "192.0.2.7"}),
        Who("a page that had its name pointed here", refusal=403, headers={"Host": "evil.example"}),
    ]
    for who in found:
        made.clients[who.name] = made.server.test_client()
    return found


# -- what each answer must be ----------------------------------------------------------------------


def expected(world: World, who: Who, rule: Rule, method: str, owner: str) -> int:
    """The status of the answer to somebody who asks about what is ``owner``'s."""
    if rule.door == "open" or (rule.door == "style" and world.auth == "login"):
        return _open(world, who, rule)
    # a key or a token is nobody on a page, to Dash and to forms
    if who.bearer and rule.door != "api":
        who = BEARER_ON_PAGES[world.auth]
    if not who.user:
        return _refused(world, who, rule, method)
    if who.token and not rule.tokens:
        return 403
    if rule.needs == "admin" and not who.admin:
        return 404
    if rule.scope and rule.scope not in who.scopes:
        return 403
    return NEEDS[rule.needs](world, who, owner) or rule.ok


BEARER_ON_PAGES: Final = {"login": Who("nobody"), "proxy": Who("nobody", refusal=403), "none": Who("local", "local")}


def _open(world: World, who: Who, rule: Rule) -> int:
    if rule.needs == "here":
        through = who.address != "127.0.0.1" or any(name.startswith("X-Forwarded-") for name in who.headers)
        return 403 if through else 200
    return 303 if rule.needs == "no session" and who.user and not who.bearer else rule.ok


def _refused(world: World, who: Who, rule: Rule, method: str) -> int:
    if world.auth == "login":
        if rule.door == "page" and method in ("GET", "HEAD"):
            return 302
        if rule.door == "own" and method == "POST":
            return 303
    return who.refusal


def _view(world: World, who: Who, owner: str) -> int:
    """0: it may be seen."""
    if not who.admin and who.user != owner:
        return 404
    return 0 if who.view == 200 else who.view


def _export(world: World, who: Who, owner: str) -> int:
    return _view(world, who, owner) or (0 if who.exports else 403)


def _load(world: World, who: Who, owner: str) -> int:
    return {200: 0, 403: 403, 404: 400}[who.view]  # what is not granted is an unknown station


def _load_and_export(world: World, who: Who, owner: str) -> int:
    return _load(world, who, owner) or (0 if who.exports else 403)


def _embed(world: World, who: Who, owner: str) -> int:
    return _load(world, who, owner) or (0 if who.embeds else 403)


def _preview(world: World, who: Who, owner: str) -> int:
    """Of a job that may be seen, and embedding must be granted."""
    return _view(world, who, owner) or (0 if who.embeds else 403)


NEEDS: Final[dict[str, Callable[[World, Who, str], int]]] = {
    "": lambda world, who, owner: 0,
    "admin": lambda world, who, owner: 0,
    "people": lambda world, who, owner: 404 if world.auth == "none" else 0,
    "token": lambda world, who, owner: 0 if who.token else 404,
    "view": _view,
    "export": _export,
    "may load": _load,
    "may export": _load_and_export,
    "may embed": _embed,
    "preview": _preview,
    "own embed": lambda world, who, owner: 0 if who.admin or who.user in ("sari", "local") else 404,
}


def test_every_route_has_a_rule(world):
    found = {
        (rule.rule, method)
        for rule in world.server.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    known = {(path, method) for path, rules in ROUTES.items() if path not in WITHOUT[world.auth] for method in rules}
    new, gone = sorted(found - known), sorted(known - found)
    assert not new, (
        f"Nobody has said who may use {new}. Add each to ROUTES: the door (open, page, own, dash, api), the scope of a key, "
        "what must be granted, and whether an embedded chart's token opens it."
    )
    assert not gone, f"These routes are no longer there; take them out of ROUTES: {gone}"


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, rules in ROUTES.items() for method in rules])
def test_a_route_answers_each_as_its_rule_says(world, path, method):
    if path in WITHOUT[world.auth]:
        pytest.skip("not a route of this way to sign in")
    rule = ROUTES[path][method]
    wrong = []
    for place, (owner, job) in enumerate(_asked_about(world, rule)):
        address = (rule.path or path.lstrip("/")).replace("JOB", job).replace("EMBED", world.embed).replace("GONE", world.gone)
        for who in world.everybody:
            if place and _is_refused_whatever_is_asked_about(rule, who):
                continue
            for verb in (method, "HEAD") if method == "GET" and not place else (method,):
                answer = world.ask(who, verb, address, rule.body if verb in CARRYING else None)
                said = f"{who.name}: {verb} /{address} of {owner or 'their own'} gave"
                if answer.status_code != (due := expected(world, who, rule, verb, owner or who.user)):
                    wrong.append(f"{said} {answer.status_code}, not {due}")
                if not who.user and verb != "HEAD":
                    wrong += [f"{said} {fault}" for fault in _told_to_nobody(world, who, rule, answer, job)]
    assert not wrong, "\n".join(wrong)


def _is_refused_whatever_is_asked_about(rule: Rule, who: Who) -> bool:
    """Return whether somebody is refused before anybody's job is looked for."""
    if not who.user:
        return True
    return rule.door == "api" and ((who.token and not rule.tokens) or (bool(rule.scope) and rule.scope not in who.scopes))


def _told_to_nobody(world: World, who: Who, rule: Rule, answer: TestResponse, job: str) -> Iterator[str]:
    """Stations, people and jobs that an answer tells to nobody; and whether it is a page where a
    program asks.
    """
    if who.bearer and world.auth == "none" and rule.door != "api":
        return  # of this machine, whatever it says
    known = ("EWR", "JFK", "sari", *(other for other in world.jobs.values() if other != job))
    yield from (f"the word {word}" for word in known if word in answer.text)
    if rule.door not in ("api", "dash"):
        return
    error = (answer.get_json(silent=True) or {}).get("error", ())
    if answer.content_type != "application/json" or set(error) != {"code", "message", "field"}:
        yield f"{answer.content_type}: {answer.text[:80]}"
    if "Location" in answer.headers:
        yield f"another address: {answer.headers['Location']}"


def _asked_about(world: World, rule: Rule) -> list[tuple[str, str]]:
    """Owner and id of each job that the route is asked about."""
    if "JOB" not in rule.path:
        return [("", "")]
    first = "local" if world.auth == "none" else "sari"
    owners = [
        first,
        *(("tia", "wati", "nana") if world.auth != "none" else ()),
        *(o for o in world.jobs if o.startswith("embed:")),
    ]
    return [(owner, world.jobs[owner]) for owner in owners]


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_nobody_gets_through_by_a_method_that_a_route_has_not(world, method):
    for who in (one for one in world.everybody if not one.user and not one.bearer):
        for path, rules in ROUTES.items():
            rule = next(iter(rules.values()))
            if rule.door in ("open", "own", "style") or method in rules or path in WITHOUT[world.auth]:
                continue
            address = (rule.path or path.lstrip("/")).replace("JOB", next(iter(world.jobs.values())))
            answer = world.ask(who, method, address)
            assert answer.status_code in (401, 403), f"{who.name}: {method} /{address}"
