"""Signing in as HTTP sees it: who gets in, who is told to wait, when a session ends,
and what other sites' pages may not do.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, jsonify
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from access.audit.entries import AuditFilter
from access.grants import Grant
from access.identity import Identity
from access.passwords import hash_password, verification_slot
from access.store import AccessStore, open_access
from access.tables import account
from api.guard import Guard
from api.headers import BrowserRules
from api.sign_in.install import install_sign_in
from api.sign_in.known_browser import COOKIE as KNOWN
from api.sign_in.session_cookie import COOKIE
from app import create_app
from commands.setup import bring_up_to_date
from config import Settings
from errors import NotAuthenticated

PASSWORD = "curah hujan 1950"
OTHER = "tekanan udara 1013"
HOUR_S = 3600
NOON_S = 1_800_000_000.0


@pytest.fixture(scope="module")
def hashed() -> str:
    return hash_password(PASSWORD)


@dataclass
class World:
    """A site with users sari, budi (disabled) and kepala (administrator);
    a browser of one's own for each call of it.
    """

    settings: Settings
    access: AccessStore
    server: Flask
    clock: Clock
    # what requests of api/later have taken down
    laters: list[Callable[[], Identity]] = field(default_factory=list)

    def browser(self, **environment: str) -> Browser:
        client = self.server.test_client()
        client.environ_base.update(environment)
        return Browser(client, self.settings.url_prefix)


@dataclass
class Clock:
    now_s: float = NOON_S

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Browser:
    """A visitor who fills in forms."""

    client: FlaskClient
    prefix: str = "/"
    token: str = ""

    def get(self, path: str, **arguments: Any) -> TestResponse:
        answer = self.client.get(path, **arguments)
        if found := re.search(r'name="csrf" value="([^"]+)"', answer.get_data(as_text=True)):
            self.token = found[1]
        return answer

    def send(self, path: str, **fields: str) -> TestResponse:
        return self.client.post(path, data={"csrf": self.token} | fields)

    def sign_in(self, name: str = "sari", password: str = PASSWORD, next_page: str = "") -> TestResponse:
        self.get(f"{self.prefix}login")
        return self.send(f"{self.prefix}login", name=name, password=password, next=next_page)

    @property
    def cookie(self) -> str:
        found = self.client.get_cookie(COOKIE, path=self.prefix)
        return found.value if found else ""

    def user(self) -> str | None:
        """Whom the API takes this browser for."""
        answer = self.client.get(f"{self.prefix}api/whoami")
        return None if answer.status_code == 401 else str((answer.json or {})["user"])


def users(access: AccessStore, known: str) -> None:
    access.add_account("sari", password_hash=known)
    access.add_account("budi", password_hash=known)
    access.add_account("kepala", password_hash=known, admin=True)
    access.add_account("without", password_hash=None)
    access.change_account("budi", disabled=True)
    access.add_grant("everyone", "", Grant(), by="test")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, hashed: str) -> Path:
    """The folder of a site with its users; tests take a copy."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("login") / "var", auth="login", _env_file=None)
    bring_up_to_date(settings)
    access = open_access(settings)
    users(access, hashed)
    access.engine.dispose()
    return settings.data_dir


def site(made: Path, folder: Path, **given: Any) -> tuple[Settings, AccessStore]:
    copied = Path(shutil.copytree(made, folder / "var"))
    settings = Settings(data_dir=copied, auth="login", _env_file=None, **given)
    return settings, open_access(settings)


@pytest.fixture
def world(made: Path, tmp_path: Path) -> Iterator[World]:
    """The doors alone, with the test's clock: one route of the API says who asks."""
    yield from door(made, tmp_path)


def door(made: Path, folder: Path, **given: Any) -> Iterator[World]:
    settings, access = site(made, folder, **given)
    clock, server = Clock(), Flask("doors")
    server.secret_key = "a test's"
    authenticator = install_sign_in(server, settings, access, clock)
    rules = BrowserRules(settings, list)
    Guard(settings, authenticator, lambda title, sentence: f"{title} {sentence}", rules, Response).install(server)
    server.add_url_rule(
        f"{settings.url_prefix}api/whoami", "whoami", lambda: jsonify(user=authenticator().user, via=authenticator().via)
    )
    server.add_url_rule(f"{settings.url_prefix}_dash-update-component", "update", lambda: jsonify(done=True), methods=["POST"])
    world = World(settings, access, server, clock)

    def later() -> Response:
        world.laters.append(authenticator.reauthenticator())
        return jsonify(done=True)

    server.add_url_rule(f"{settings.url_prefix}api/later", "later", later)
    yield world
    access.engine.dispose()


@pytest.fixture(scope="module")
def whole(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The application as it is served; nothing is changed in it."""
    settings, access = site(made, tmp_path_factory.mktemp("whole"))
    yield World(settings, access, create_app(settings).server, Clock())
    access.engine.dispose()


# -- before anybody has signed in ------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "_dash-layout",
        "_dash-dependencies",
        "_reload-hash",
        "jobs/_dash-layout",
        "jobs/_dash-dependencies",
        "_dash-component-suites/dash/dcc/async-graph.js",
        "assets/page.js",
        "assets/chart.js",
        "api/jobs",
        "api/jobs/j1/data",
        "api/openapi.json",
        "api/nowhere",
        "nowhere",
        "account/keys/x/revoke",
        "admin.json",
        "admin/_dash-layout",
        "admin/_dash-dependencies",
    ],
)
def test_without_a_session_every_other_path_is_401_as_json_and_no_redirect(whole, path):
    with whole.browser().client.get(f"/{path}", headers={"Accept": "text/html"}) as answer:
        assert (answer.status_code, answer.mimetype) == (401, "application/json")
        assert answer.json["error"]["code"] == "not_authenticated"


@pytest.mark.parametrize("path", ["_dash-update-component", "jobs/_dash-update-component", "api/jobs", "api/jobs/j1/cancel"])
def test_without_a_session_callbacks_and_the_api_take_nothing(whole, path):
    answer = whole.browser().client.post(f"/{path}", json={})
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/", "/account", "/admin", "/?job=j1&from=2013-01-01%2000:00"])
def test_who_looks_at_a_page_is_led_to_the_sign_in_and_back(whole, path):
    browser = whole.browser()
    led = browser.get(path)
    assert led.status_code == 302
    assert led.headers["Cache-Control"] == "no-store"
    browser.get(led.location)
    shown = browser.get(led.location).get_data(as_text=True)
    back = re.search(r'name="next" value="([^"]*)"', shown)[1].replace("&amp;", "&")
    answer = browser.send("/login", name="sari", password=PASSWORD, next=back)
    assert (answer.status_code, answer.location) == (303, path)


def test_the_page_of_the_sign_in_and_what_it_needs_are_open(whole):
    browser = whole.browser()
    shown = browser.get("/login")
    assert shown.status_code == 200
    html = shown.get_data(as_text=True)
    for path in re.findall(r"""(?:src|href)=["'](/[^"'?]+)""", html):
        with browser.client.get(path) as answer:
            assert answer.status_code == 200, path
    assert shown.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors" in shown.headers["Content-Security-Policy"]
    assert 'autocomplete="username"' in html
    assert 'autocomplete="current-password"' in html


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example/", "/%2f%2fevil.example", "/api/jobs"]
)
def test_the_sign_in_leads_to_no_other_place(whole, wanted):
    browser = whole.browser()
    shown = browser.get("/login", query_string={"next": wanted}).get_data(as_text=True)
    assert "evil" not in shown
    assert browser.send("/login", name="sari", password=PASSWORD, next=wanted).location == "/"
    assert browser.get("/login", query_string={"next": wanted}).location == "/"


def test_files_of_the_page_are_the_same_for_everybody(whole):
    browser = whole.browser()
    browser.sign_in()
    for path in ("/assets/page.js?m=1", "/bootstrap.css", "/_dash-component-suites/dash/dcc/async-graph.js"):
        with browser.client.get(path) as answer:
            assert answer.status_code == 200
            assert "Set-Cookie" not in answer.headers
            assert "Cookie" not in answer.headers.get("Vary", "")


def test_signed_in_the_whole_page_is_there(whole):
    browser = whole.browser()
    browser.sign_in()
    assert browser.get("/").status_code == 200
    layout = browser.get("/_dash-layout").get_data(as_text=True)
    assert '"sari"' in layout
    assert "Sign out" in layout
    assert browser.get("/api/jobs").status_code == 200
    assert browser.get("/login").location == "/"


def test_a_new_site_says_how_to_make_the_first_user(world):
    assert "users add" not in world.browser().get("/login").get_data(as_text=True)
    with world.access.engine.begin() as connection:
        connection.execute(account.delete())
    assert "manage.py users add NAME" in world.browser().get("/login").get_data(as_text=True)


# -- name and password -----------------------------------------------------------------------------


def test_the_right_password_lets_in(world):
    browser = world.browser()
    assert browser.user() is None
    assert browser.sign_in().status_code == 303
    assert browser.user() == "sari"


WRONG = [
    ("sari", OTHER),
    ("nobody", PASSWORD),
    ("without", ""),
    ("SARI", PASSWORD),
    ("sari", ""),
    ("", ""),
    ("s\x00ari", PASSWORD),
]


@pytest.mark.parametrize(("name", "password"), WRONG)
def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(world, name, password):
    browser = world.browser()
    answer = browser.sign_in(name, password)
    assert answer.status_code == 401
    text = answer.get_data(as_text=True)
    assert "Name or password is wrong." in text
    assert browser.user() is None
    assert password not in text.replace(browser.token, "") or not password


def test_a_disabled_account_is_told_so_by_its_own_password_only(world):
    assert "is disabled" in world.browser().sign_in("budi").get_data(as_text=True)
    assert "is disabled" not in world.browser().sign_in("budi", OTHER).get_data(as_text=True)


def test_space_around_a_name_is_the_keyboards(world):
    browser = world.browser()
    browser.sign_in(" sari ")
    assert browser.user() == "sari"


def test_neither_password_nor_what_was_typed_as_a_name_is_logged(world, capsys):
    world.browser().sign_in("sari", OTHER)
    world.browser().sign_in(PASSWORD, "sari")
    world.browser().sign_in()
    logged = "".join(capsys.readouterr())
    assert "wrong_password" in logged
    assert PASSWORD not in logged
    assert OTHER not in logged


def test_each_name_that_is_tried_is_written_down_once_known_or_not_so_that_the_time_tells_nothing(world):
    counts = []
    for name in ("nobody", "sari", "no one", "without", "somebody"):
        world.browser().sign_in(name, OTHER)
        counts.append(len(world.access.audit.entries(AuditFilter(action="login"), limit=50)))
    assert counts == [1, 2, 3, 4, 5]
    for number in range(40):  # the address must wait by then, and trying goes on
        world.browser().sign_in(f"guess {number}", OTHER)
    refused = [entry.subject["reason"] for entry in world.access.audit.entries(AuditFilter(action="login"), limit=90)]
    assert refused.count("too_many_attempts") <= 2  # one a minute
    assert "no one" not in str(world.access.audit.entries(limit=50))


@pytest.mark.parametrize("known", ["sari", "nobody"])
def test_after_five_failures_one_waits_whether_the_name_exists_or_not(world, known):
    for _ in range(5):
        assert world.browser().sign_in(known, OTHER).status_code == 401
    answer = world.browser(REMOTE_ADDR="192.0.2.7").sign_in(known)
    assert answer.status_code == 429
    assert 4 <= int(answer.headers["Retry-After"]) <= 6
    assert "Wait 5" in answer.get_data(as_text=True) or "Wait 6" in answer.get_data(as_text=True)
    world.clock.now_s += 7
    assert world.browser().sign_in(known).status_code == (303 if known == "sari" else 401)


def test_an_address_that_tries_many_names_waits_also_behind_the_proxy(world):
    for number in range(20):
        world.browser(HTTP_X_FORWARDED_FOR="203.0.113.9").sign_in(f"user{number}", OTHER)
    assert world.browser(HTTP_X_FORWARDED_FOR="203.0.113.9").sign_in().status_code == 429
    assert world.browser(HTTP_X_FORWARDED_FOR="203.0.113.10").sign_in().status_code == 303


def test_addresses_that_are_made_up_on_the_machine_itself_are_counted_together(world):
    answers = [
        world.browser(HTTP_X_FORWARDED_FOR=f"203.0.113.{number}").sign_in(f"user{number}", OTHER).status_code
        for number in range(30)
    ]
    assert set(answers[:25]) == {401}
    assert set(answers[25:]) == {429}


def test_guesses_from_everywhere_at_once_leave_threads_to_others_and_are_not_counted(world):
    with ExitStack() as stack:
        taken = [stack.enter_context(verification_slot()) for _place in range(6)]
        assert taken == [True] * 5 + [False]
        answers = [world.browser().sign_in() for _attempt in range(7)]
        assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(429, "5")] * 7
    assert world.browser().sign_in().status_code == 303


def test_guesses_of_others_do_not_keep_out_a_browser_that_the_name_has_used_before(world):
    own, stranger = world.browser(), world.browser()
    own.sign_in()
    own.get("/account")
    own.send("/logout")
    for _ in range(5):
        stranger.sign_in("sari", OTHER)
    assert stranger.sign_in().status_code == 429
    assert own.sign_in().status_code == 303
    assert stranger.sign_in().status_code == 429  # and that success bought the stranger nothing


def test_the_mark_of_a_known_browser_is_for_its_name_and_buys_five_attempts(world):
    own = world.browser()
    own.sign_in()
    mark = own.client.get_cookie(KNOWN, path="/login").value
    thief = world.browser()
    thief.client.set_cookie(KNOWN, mark, path="/login")
    assert [thief.sign_in("sari", OTHER).status_code for _ in range(6)] == [401] * 5 + [429]
    assert [thief.sign_in("kepala", OTHER).status_code for _ in range(6)] == [401] * 5 + [429]
    assert thief.user() is None
    forged = world.browser()
    forged.client.set_cookie(KNOWN, mark[:-1] + ("A" if mark[-1] != "A" else "B"), path="/login")
    for _ in range(5):
        world.browser().sign_in("without", OTHER)
    assert forged.sign_in("without", OTHER).status_code == 429


def test_where_attempts_cannot_be_counted_nobody_gets_in(world):
    browser = world.browser()
    browser.get("/login")
    with sqlite3.connect(world.settings.data_dir / "logins" / "cache.db") as counts:
        counts.execute("DROP TABLE Cache")
    answer = browser.send("/login", name="sari", password=PASSWORD)
    assert answer.status_code == 503
    assert "The database does not answer" in answer.get_data(as_text=True)
    assert browser.user() is None


def test_while_the_database_of_users_is_away_the_page_says_so_and_nobody_gets_in(world):
    browser = world.browser()
    browser.sign_in()
    for name in ("riwayat.sqlite", "riwayat.sqlite-wal", "riwayat.sqlite-shm"):
        (world.settings.data_dir / name).unlink(missing_ok=True)
    world.access.engine.dispose()
    (world.settings.data_dir / "riwayat.sqlite").mkdir()
    assert browser.client.get("/api/whoami").status_code == 503  # the page goes on asking
    assert browser.get("/login").status_code == 200
    answer = browser.send("/login", name="sari", password=PASSWORD)
    assert answer.status_code == 503
    assert "The database does not answer" in answer.get_data(as_text=True)


# -- the session -----------------------------------------------------------------------------------


def test_the_cookie_is_for_http_only_for_this_site_and_holds_no_rights(world):
    browser = world.browser()
    header = next(one for one in browser.sign_in().headers.getlist("Set-Cookie") if one.startswith(COOKIE))
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/" in header
    assert "Secure" not in header  # plain http
    assert "Expires" not in header


@pytest.mark.parametrize(
    ("given", "environment", "secure"),
    [
        ({}, {"base_url": "https://localhost"}, True),
        ({}, {"HTTP_X_FORWARDED_PROTO": "https"}, True),  # the test's address is a trusted proxy's
        ({}, {"HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "203.0.113.9"}, False),
        ({}, {}, False),
        ({"cookie_secure": "always"}, {}, True),
        ({"cookie_secure": "never"}, {"base_url": "https://localhost"}, False),
    ],
)
def test_the_cookie_is_secure_behind_tls(made, tmp_path, given, environment, secure):
    environment = dict(environment)
    world = next(door(made, tmp_path, **given))
    address = environment.pop("base_url", "http://localhost")
    answer = world.browser(**environment).client.get("/login", base_url=address)
    assert ("Secure" in answer.headers["Set-Cookie"]) is secure


def test_below_a_prefix_the_cookie_is_for_the_prefix(made, tmp_path):
    world = next(door(made, tmp_path, url_prefix="/riwayat/"))
    browser = world.browser()
    assert browser.sign_in(next_page="/riwayat/jobs").location == "/riwayat/jobs"
    assert browser.user() == "sari"
    assert "Path=/riwayat/" in browser.get("/riwayat/login?language=id").headers["Set-Cookie"]


def test_a_session_that_was_there_before_the_sign_in_is_not_the_one_after(world):
    browser = world.browser()
    browser.get("/login")
    before, token = browser.cookie, browser.token
    browser.sign_in()
    planted = world.browser()
    planted.client.set_cookie(COOKIE, before)
    assert planted.user() is None
    browser.get("/account")
    assert browser.token != token


def test_a_session_ends_when_it_is_not_used(world):
    used, unused = world.browser(), world.browser()
    used.sign_in()
    unused.sign_in()
    world.clock.now_s += 7.9 * HOUR_S
    assert used.user() == "sari"
    world.clock.now_s += 0.1 * HOUR_S
    assert (used.user(), unused.user()) == ("sari", None)


def test_a_session_ends_after_a_day_however_busy(world):
    browser = world.browser()
    browser.sign_in()
    for _hour in range(23):
        world.clock.now_s += HOUR_S
        assert browser.user() == "sari"
    world.clock.now_s += HOUR_S
    assert browser.user() is None


def test_the_cookie_is_not_set_anew_by_every_answer(world):
    browser = world.browser()
    browser.sign_in()
    world.clock.now_s += 59
    assert "Set-Cookie" not in browser.client.get("/api/whoami").headers
    world.clock.now_s += 1
    assert "Set-Cookie" in browser.client.get("/api/whoami").headers


def test_signing_out_ends_the_session_also_for_a_copy_of_its_cookie(world):
    browser, other = world.browser(), world.browser()
    browser.sign_in()
    other.sign_in()
    copy = world.browser()
    copy.client.set_cookie(COOKIE, browser.cookie)
    assert copy.user() == "sari"
    browser.get("/account")
    answer = browser.send("/logout")
    assert (answer.status_code, answer.location) == (303, "/login?out")
    assert "You are signed out." in browser.get("/login?out").get_data(as_text=True)
    assert (browser.user(), copy.user(), other.user()) == (None, None, "sari")


def test_a_sign_out_that_no_page_of_ours_asked_for_does_nothing_and_says_so(world):
    browser = world.browser()
    browser.sign_in()
    answer = browser.client.post("/logout", data={"csrf": "guessed"})
    assert browser.user() == "sari"
    assert "nothing was changed" in browser.get(answer.location).get_data(as_text=True)


@pytest.mark.parametrize(
    "change",
    [{"disabled": True}, {"end_sessions": True}, {"password_hash": "another"}],
    ids=["disabled", "ended", "new password"],
)
def test_what_is_changed_by_command_ends_all_sessions_at_once(world, change):
    browser = world.browser()
    browser.sign_in()
    world.access.change_account("sari", **change)
    assert browser.user() is None


@pytest.mark.parametrize("change", [{"disabled": True}, {"end_sessions": True}])
def test_what_goes_on_after_its_request_ends_with_the_session(world, change):
    browser = world.browser()
    browser.sign_in()
    browser.get("/api/later")
    (again,) = world.laters
    assert again().user == "sari"
    world.access.change_account("sari", **change)
    with pytest.raises(NotAuthenticated):
        again()


def test_what_goes_on_after_its_request_uses_the_session_but_no_longer_than_a_day(world):
    browser = world.browser()
    browser.sign_in()
    browser.get("/api/later")
    (again,) = world.laters
    world.clock.now_s += 23 * HOUR_S
    assert again().user == "sari"
    world.clock.now_s += HOUR_S
    with pytest.raises(NotAuthenticated):
        again()


def test_a_removed_account_has_no_session_and_neither_has_the_next_of_that_name(world, hashed):
    browser = world.browser()
    browser.sign_in()
    world.access.remove_account("sari")
    assert browser.user() is None
    world.access.add_account("sari", password_hash=hashed)
    assert browser.user() is None


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: "x" + text, lambda text: text.replace(".", "..", 1)])
def test_a_cookie_that_was_edited_is_nobodys(world, change: Callable[[str], str]):
    browser = world.browser()
    browser.sign_in()
    browser.client.set_cookie(COOKIE, change(browser.cookie))
    assert browser.user() is None


def test_rights_are_those_of_the_moment(world):
    browser = world.browser()
    browser.sign_in("kepala")
    assert 'href="/admin"' in browser.get("/account").get_data(as_text=True)
    world.access.change_account("sari", admin=True)  # the last administrator stays one
    world.access.change_account("kepala", admin=False)
    browser.get("/account")
    assert "Administrator" not in browser.get("/account").get_data(as_text=True)


# -- other sites' pages ----------------------------------------------------------------------------

OTHERS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


def test_what_another_sites_page_sends_is_refused(world):
    browser = world.browser()
    browser.sign_in()
    for path in ("/_dash-update-component", "/api/whoami", "/login", "/logout", "/account/password"):
        for headers in OTHERS:
            answer = browser.client.post(path, data={"csrf": browser.token}, headers=headers)
            assert (answer.status_code, answer.json["error"]["code"]) == (403, "cross_site"), (path, headers)
            assert browser.user() == "sari", (path, headers)


def test_what_our_own_page_sends_is_taken(world):
    browser = world.browser()
    browser.sign_in()
    for headers in ({}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}):
        assert browser.client.post("/_dash-update-component", headers=headers).status_code == 200


@pytest.mark.parametrize("token", ["", "guessed"])
def test_a_form_without_its_token_signs_nobody_in(world, token):
    browser = world.browser()
    browser.get("/login")
    answer = browser.send("/login", name="sari", password=PASSWORD, csrf=token)
    assert answer.status_code == 400
    assert 'value="sari"' in answer.get_data(as_text=True)  # nothing to type anew but the password
    assert browser.user() is None


def test_without_cookies_the_page_says_so_and_lets_nobody_in(world):
    client = world.server.test_client(use_cookies=False)
    answer = client.post("/login", data={"name": "sari", "password": PASSWORD, "csrf": ""})
    assert answer.status_code == 400
    assert "blocks cookies" in answer.get_data(as_text=True)


# -- the account page ------------------------------------------------------------------------------


@dataclass
class Passwords:
    current: str = PASSWORD
    new: str = OTHER
    again: str = field(default="")

    def sent(self, browser: Browser) -> TestResponse:
        browser.get("/account")
        return browser.send("/account/password", current=self.current, new=self.new, again=self.again or self.new)


def test_a_new_password_ends_the_other_sessions_and_this_one_goes_on(world):
    here, there = world.browser(), world.browser()
    here.sign_in()
    there.sign_in()
    old = here.cookie
    answer = Passwords().sent(here)
    assert (answer.status_code, answer.location) == (303, "/account?done=password")
    assert "The password is changed" in here.get(answer.location).get_data(as_text=True)
    assert (here.user(), there.user()) == ("sari", None)
    there.client.set_cookie(COOKIE, old)
    assert there.user() is None
    assert there.sign_in().status_code == 401
    assert there.sign_in(password=OTHER).status_code == 303


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (Passwords(current="wrong"), "This is not your password."),
        (Passwords(new="short"), "A password has at least 10 characters."),
        (Passwords(again="something else"), "The passwords do not match."),
    ],
)
def test_a_password_that_cannot_be_changed_says_why_where_it_was_typed(world, given, sentence):
    browser = world.browser()
    browser.sign_in()
    answer = given.sent(browser)
    assert answer.status_code == 400
    assert sentence in answer.get_data(as_text=True)
    assert world.browser().sign_in().status_code == 303


def test_guessing_the_password_in_somebodys_open_session_waits_as_well(world):
    browser = world.browser()
    browser.sign_in()
    found = [Passwords(current=f"guess {number}").sent(browser).status_code for number in range(6)]
    assert found == [400] * 5 + [429]


def test_a_form_that_is_too_old_changes_nothing_and_says_so(world):
    browser = world.browser()
    browser.sign_in()
    answer = browser.send("/account/password", current=PASSWORD, new=OTHER, again=OTHER, csrf="of yesterday")
    assert answer.status_code == 403
    assert "nothing was changed" in answer.get_data(as_text=True)
    assert world.browser().sign_in().status_code == 303


def test_signing_out_everywhere_else_leaves_this_browser_in(world):
    here, there = world.browser(), world.browser()
    here.sign_in()
    there.sign_in()
    here.get("/account")
    here.send("/account/sessions")
    assert (here.user(), there.user()) == ("sari", None)


def test_a_form_that_was_sent_after_the_session_ended_leads_to_the_sign_in(world):
    browser = world.browser()
    browser.sign_in()
    browser.get("/account")
    world.access.change_account("sari", end_sessions=True)
    answer = browser.send("/account/password", current=PASSWORD, new=OTHER, again=OTHER)
    assert (answer.status_code, answer.location) == (303, "/login?next=%2Faccount")


def test_the_language_is_chosen_without_scripts(world):
    browser = world.browser()
    answer = browser.get("/login?language=id&next=/jobs")
    assert (answer.status_code, answer.location) == (303, "/login?next=%2Fjobs")
    assert "Kata sandi" in browser.get(answer.location).get_data(as_text=True)


def test_what_is_typed_is_shown_as_text(world):
    answer = world.browser().sign_in('"><script>alert(1)</script>', OTHER)
    assert "<script>alert" not in answer.get_data(as_text=True)
