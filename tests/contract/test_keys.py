"""Keys for programs: what they open, what they do not, when they end;
made by command and on the account's page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from typer.testing import CliRunner, Result
from werkzeug.test import TestResponse

from access.grants import Grant
from access.keys import MOST_KEYS, find_key, keys_of, new_key, revoke_key
from access.scopes import SCOPES
from access.store import AccessStore, open_access
from access.tables import api_key
from app import create_app
from commands.setup import bring_up_to_date
from config import Settings
from data.database.engine import make_engine
from errors import InvalidKey, InvalidRequest, NotFound, NotPermitted
from manage import build

NOON_MS = 1_800_000_000_000
DAY_MS = 86_400_000
NEVER = None


@dataclass(frozen=True)
class World:
    """A site behind a proxy, on which everybody is granted all."""

    settings: Settings
    access: AccessStore
    server: Flask

    def key(self, owner: str = "sari", *scopes: str, expires_ms: int | None = NEVER) -> str:
        made, _ = new_key(
            self.access, owner, label="a test's", scopes=scopes or SCOPES, expires_ms=expires_ms, now_ms=NOON_MS - DAY_MS
        )
        return made

    def ask(self, key: str, path: str = "/api/jobs", method: str = "GET", **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {key}"} | headers
        return self.server.test_client().open(path, method=method, headers=sent, buffered=True)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("keys") / "var", auth="proxy", admins="kepala", _env_file=None)
    bring_up_to_date(settings)
    access = open_access(settings)
    access.add_grant("everyone", "", Grant(), by="test")
    yield World(settings, access, create_app(settings).server)
    access.engine.dispose()


@pytest.fixture
def world(shared: World) -> World:
    with shared.access.engine.begin() as connection:
        connection.execute(api_key.delete())
    return shared


def error(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, (answer.json or {})["error"]["code"]


def test_a_key_speaks_for_its_owner(world):
    assert world.ask(world.key()).status_code == 200
    found = find_key(world.settings, world.access, world.key("kepala", "read", "admin"), NOON_MS)
    assert (found.user, found.via, found.admin, found.scopes) == ("kepala", "key", True, {"read", "admin"})


def test_an_administrators_key_is_one_only_with_that_scope(world):
    assert not find_key(world.settings, world.access, world.key("kepala", "read"), NOON_MS).admin
    assert not find_key(world.settings, world.access, world.key("sari", "read", "admin"), NOON_MS).admin
    assert error(world.ask(world.key("kepala", "read"), "/api/jobs?all=true")) == (403, "not_permitted")
    assert world.ask(world.key("kepala", "read", "admin"), "/api/jobs?all=true").status_code == 200


def test_the_database_does_not_hold_the_secret(world):
    secret = world.key().split("_", 2)[2]  # it may hold the mark that stands between the parts
    assert len(secret) > 20
    with world.access.engine.connect() as connection:
        row = connection.execute(select(api_key)).one()
    assert secret not in str(row)


@pytest.mark.parametrize("scopes", ["", "read", "7"])
def test_a_key_whose_scopes_cannot_be_read_opens_nothing_and_hides_no_other(world, scopes):
    bad = world.key("sari", "read")
    with world.access.engine.begin() as connection:
        connection.execute(update(api_key).values(scopes=scopes))
    good = world.key("sari", "read")
    assert sorted(len(key.scopes) for key in keys_of(world.access)) == [0, 1]
    assert error(world.ask(bad)) == (403, "scope")
    assert world.ask(good).status_code == 200


def test_a_key_comes_before_what_the_proxy_says(world):
    answer = world.ask("rwk_0000000000000000_" + "A" * 43, **{"X-Forwarded-User": "sari"})
    assert error(answer) == (401, "invalid_key")


def test_a_key_opens_also_while_its_use_cannot_be_written_down(world):
    text, impatient = world.key(), open_access(world.settings, busy_ms=1)
    writing = world.access.engine.execution_options(sqlite_begin="IMMEDIATE")
    with writing.begin():
        assert find_key(world.settings, impatient, text, NOON_MS).user == "sari"
    assert keys_of(world.access)[0].used_ms is None
    impatient.engine.dispose()


def test_keys_are_kept_alike_on_every_database(migrated_url):
    settings = Settings(auth="proxy", _env_file=None)
    engine = make_engine(migrated_url)
    access = open_access(settings, engine=engine)
    text, made = new_key(
        access, "Sari", label="laporan ☂", scopes=["export", "read"], expires_ms=NOON_MS, now_ms=NOON_MS - DAY_MS
    )
    assert keys_of(access, "Sari") == [made]
    assert keys_of(access, "sari") == []
    found = find_key(settings, access, text, NOON_MS - 1)
    assert (found.user, found.scopes) == ("Sari", {"export", "read"})
    assert keys_of(access)[0].used_ms == NOON_MS - 1
    for key_id in ("nothing", "a\x00b", made.id.upper() + "g", "0" * 16):
        with pytest.raises(NotFound):
            revoke_key(access, key_id, NOON_MS)
    first, again = (revoke_key(access, made.id, NOON_MS + later).revoked_ms for later in (0, 5))
    assert first == again == NOON_MS
    with pytest.raises(InvalidKey):
        find_key(settings, access, text, NOON_MS - 1)
    engine.dispose()


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key[:-1],
        lambda key: key + "x",
        lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
        lambda key: key.replace("rwk_", "rwk_0"),
        lambda key: key.upper(),
        lambda key: "rwk_",
        lambda key: "rwk_0000000000000000_" + key[21:],
        lambda key: "",
    ],
)
def test_what_is_no_key_is_401_with_a_plain_reason(world, change):
    answer = world.ask(change(world.key()))
    assert error(answer) == (401, "invalid_key")
    assert answer.json["error"]["message"] == "This is not a key of this site."


def test_a_token_of_elsewhere_is_401(world):
    assert world.ask("eyJhbGciOiJub25lIn0.e30.").status_code == 401


def test_a_key_ends_at_its_end(world):
    key = world.key(expires_ms=NOON_MS)
    assert find_key(world.settings, world.access, key, NOON_MS - 1).user == "sari"
    with pytest.raises(InvalidKey, match="expired"):
        find_key(world.settings, world.access, key, NOON_MS)


def test_a_revoked_key_opens_nothing(world):
    key = world.key()
    revoke_key(world.access, keys_of(world.access)[0].id, NOON_MS)
    answer = world.ask(key)
    assert error(answer) == (401, "invalid_key")
    assert "revoked" in answer.json["error"]["message"]


def test_of_another_owner_only_the_site_revokes_a_key(world):
    world.key()
    key_id = keys_of(world.access)[0].id
    with pytest.raises(NotFound):
        revoke_key(world.access, key_id, NOON_MS, owner="budi")
    assert keys_of(world.access)[0].works(NOON_MS)
    revoke_key(world.access, key_id, NOON_MS, owner="sari")
    assert not keys_of(world.access)[0].works(NOON_MS)


def test_the_keys_of_a_disabled_account_open_nothing(world):
    key = world.key("tono")
    world.access.add_account("tono")
    world.access.change_account("tono", disabled=True)
    with pytest.raises(NotPermitted, match="disabled"):
        find_key(world.settings, world.access, key, NOON_MS)
    world.access.remove_account("tono")
    with pytest.raises(InvalidKey, match="revoked"):
        find_key(world.settings, world.access, key, NOON_MS)


# Each route of the API with the scope that it needs; a route without one cannot be declared.
ROUTES = [
    ("GET", "/api/jobs", "read"),
    ("GET", "/api/jobs/j1", "read"),
    ("GET", "/api/jobs/j1/events", "read"),
    ("GET", "/api/jobs/j1/figure", "read"),
    ("GET", "/api/jobs/j1/stats", "read"),
    ("GET", "/api/jobs/j1/data", "export"),
    ("POST", "/api/jobs", "load"),
    ("POST", "/api/jobs/j1/cancel", "load"),
    ("POST", "/api/jobs/j1/retry", "load"),
]


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_a_key_opens_a_route_only_with_its_scope(world, method, path, scope):
    others = [other for other in SCOPES if other != scope]
    answer = world.ask(world.key("sari", *others), path, method)
    assert error(answer) == (403, "scope")
    assert scope in answer.json["error"]["message"]
    assert world.ask(world.key("sari", scope), path, method).status_code in (200, 400, 404, 415)


def test_the_document_names_the_scope_of_every_route(world):
    document = world.ask(world.key(), "/api/openapi.json").json
    found = {
        (method.upper(), path): operation["security"][0]["key"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    for method, path, scope in ROUTES:
        assert found[method, path.replace("j1", "{job_id}")] == [scope]
    assert all(len(scopes) == 1 and scopes[0] in (*SCOPES, "ingest") for scopes in found.values())


@pytest.mark.parametrize("path", ["/", "/jobs", "/account", "/_dash-layout", "/_dash-dependencies", "/assets/page.js"])
def test_a_key_opens_no_page(world, path):
    assert world.ask(world.key(), path).status_code == 401


def test_a_key_runs_no_callback(world):
    assert error(world.ask(world.key(), "/_dash-update-component", "POST")) == (401, "not_authenticated")


def test_with_a_key_a_program_anywhere_may_send(world):
    answer = world.ask(
        world.key(), "/api/jobs/j1/cancel", "POST", **{"Sec-Fetch-Site": "cross-site", "Origin": "https://portal.example"}
    )
    assert error(answer) == (404, "job_not_found")


def test_the_last_use_is_written_once_a_minute(world):
    key = world.key()

    def used_after(ms: int) -> int | None:
        find_key(world.settings, world.access, key, NOON_MS + ms)
        return keys_of(world.access)[0].used_ms

    assert keys_of(world.access)[0].used_ms is None
    assert [used_after(ms) for ms in (0, 59_999, 60_000)] == [NOON_MS, NOON_MS, NOON_MS + 60_000]


def test_on_a_site_of_one_machine_a_key_opens_nothing_from_elsewhere(tmp_path):
    settings = Settings(data_dir=tmp_path / "var")
    bring_up_to_date(settings)
    access = open_access(settings)
    key, _ = new_key(access, "local", label="here", scopes=["read"], expires_ms=None, now_ms=NOON_MS)
    client = create_app(settings).server.test_client()
    sent = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/jobs", headers=sent).status_code == 200
    assert client.post("/api/jobs", headers=sent).status_code == 403
    assert client.get("/api/jobs", headers=sent, environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 403


def test_a_key_of_the_time_before_anybody_signed_in_opens_nothing_after(world, keys):
    key = world.key("local")
    assert error(world.ask(key)) == (401, "invalid_key")
    assert isinstance(keys("add", "local", "--label", "all").exception, NotFound)


# -- making one ------------------------------------------------------------------------------------


def test_nobody_without_a_name_has_a_key(world):
    for owner in ("", "a\x00b", " sari", "embed:x"):
        with pytest.raises(InvalidRequest):
            new_key(world.access, owner, label="report", scopes=["read"], expires_ms=None, now_ms=NOON_MS)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"label": " "}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"label": "a\nb"}, "label"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["read", "everything"]}, "scopes"),
        ({"expires_ms": NOON_MS}, "expires"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(world, given, field):
    right = {"label": "report", "scopes": ["read"], "expires_ms": None, "now_ms": NOON_MS}
    with pytest.raises(InvalidRequest) as refused:
        new_key(world.access, "sari", **(right | given))
    assert refused.value.field == field
    assert keys_of(world.access) == []


def test_one_owner_has_only_so_many_keys_that_work(world):
    for _ in range(MOST_KEYS):
        world.key()
    with pytest.raises(InvalidRequest, match="revoke one"):
        world.key()
    world.key("budi")


@dataclass
class Page:
    """The account's page of a user whom the proxy names."""

    client: FlaskClient

    def show(self) -> str:
        return self.client.get("/account").get_data(as_text=True)

    def send(self, path: str, **fields: object) -> TestResponse:
        token = re.search(r'name="csrf" value="([^"]+)"', self.show())[1]  # type: ignore[index]
        return self.client.post(path, data={"csrf": token} | fields)


def page_of(world: World, user: str) -> Page:
    client = world.server.test_client()
    client.environ_base["HTTP_X_FORWARDED_USER"] = user
    return Page(client)


def test_the_account_page_makes_a_key_shows_it_once_and_revokes_it(world):
    page = page_of(world, "sari")
    answer = page.send("/account/keys", label="Monthly <report>", scope=["read"], days="30")
    made = re.search(r"rwk_[0-9a-f]{16}_[\w-]{43}", answer.get_data(as_text=True))[0]
    assert answer.headers["Cache-Control"] == "no-store"
    assert world.ask(made).status_code == 200
    (key,) = keys_of(world.access, "sari")
    assert (key.label, key.scopes, key.expires_ms - key.created_ms) == ("Monthly <report>", {"read"}, 30 * DAY_MS)
    again = page.show()
    assert made not in again
    assert "Monthly &lt;report&gt;" in again
    assert "&lt;report" not in page_of(world, "budi").show()
    assert page_of(world, "budi").send(f"/account/keys/{key.id}/revoke").status_code == 404
    assert page.send(f"/account/keys/{key.id}/revoke").status_code == 303
    assert error(world.ask(made)) == (401, "invalid_key")


def test_the_account_page_says_what_is_wrong_and_keeps_what_was_filled_in(world):
    answer = page_of(world, "sari").send("/account/keys", label="Report", scope=[], days="365")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "A key is for one or more of" in text
    assert 'value="Report"' in text
    assert '<option value="365" selected>' in text
    assert keys_of(world.access) == []


def test_a_form_without_its_token_makes_no_key(world):
    page = page_of(world, "sari")
    answer = page.client.post("/account/keys", data={"label": "x", "scope": "read", "csrf": "guessed"})
    assert answer.status_code == 403
    assert keys_of(world.access) == []


def test_behind_a_proxy_there_is_no_password_to_change(world):
    page = page_of(world, "sari")
    assert "New password" not in page.show()
    assert page.send("/account/password", current="x", new="y").status_code in (404, 405)


def test_on_a_site_of_one_user_there_is_no_account(tmp_path):
    settings = Settings(data_dir=tmp_path / "var")
    bring_up_to_date(settings)
    assert create_app(settings).server.test_client().get("/account").status_code == 404


# -- by command ------------------------------------------------------------------------------------


@pytest.fixture
def keys(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RIWAYAT_DATA_DIR", str(world.settings.data_dir))
    monkeypatch.setenv("RIWAYAT_AUTH", "proxy")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(build(), ["keys", *arguments])

    return run


def test_the_command_prints_the_key_alone(world, keys):
    made = keys("add", "sari", "--label", "report", "--scope", "read", "--scope", "export", "--days", "1")
    assert world.ask(made.stdout.strip()).status_code == 200
    assert "nobody can show it again" in made.stderr
    (key,) = keys_of(world.access)
    assert (key.scopes, key.expires_ms - key.created_ms) == ({"read", "export"}, DAY_MS)


def test_the_command_lists_and_revokes(world, keys):
    made = json.loads(keys("add", "sari", "--label", "report", "--days", "0", "--json").stdout)
    (shown,) = json.loads(keys("list", "--json").stdout)
    assert shown == {name: value for name, value in made.items() if name != "key"}
    assert (shown["scopes"], shown["expires"], shown["state"]) == (["read", "load", "export"], None, "valid")
    assert json.loads(keys("list", "--owner", "budi", "--json").stdout) == []
    assert keys("revoke", shown["id"]).exit_code == 0
    assert "revoked" in keys("list").stdout
    assert error(world.ask(made["key"])) == (401, "invalid_key")
    assert isinstance(keys("revoke", "nothing").exception, NotFound)


def test_where_users_have_passwords_a_key_is_for_one_of_them(world, keys, monkeypatch):
    monkeypatch.setenv("RIWAYAT_AUTH", "login")
    assert isinstance(keys("add", "nobody", "--label", "report").exception, NotFound)
    assert keys_of(world.access) == []
