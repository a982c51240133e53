"""Sessions that one ends, the password that is asked for again, waits that are lifted,
the site's names, keys' addresses.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError
from sqlalchemy import delete

from access.addresses import is_allowed_host
from access.audit.entries import AuditFilter
from access.keys import find_key, keys_of, new_key
from access.logins import open_logins
from access.passwords import hash_password
from access.store import AccessStore, open_access
from access.tables import session as session_table
from api.sign_in import session_cookie
from app import create_app
from commands.setup import bring_up_to_date
from config import Settings
from errors import InvalidKey, InvalidRequest, NotFound, TooManyAttempts, WrongPassword

PASSWORD, OTHER = "curah hujan 1950", "tekanan udara 1013"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36"
NOON_S: Final = 1_800_000_000.0  # at which the clock of waits stands still
NEVER: Final = 0.0
ALWAYS: Final = 1e-9  # minutes


@dataclass
class Site:
    settings: Settings
    server: Flask
    access: AccessStore

    def browser(self, name: str = "sari", agent: str = FIREFOX, address: str = "192.0.2.1") -> Browser:
        client = self.server.test_client()
        client.environ_base |= {"HTTP_USER_AGENT": agent, "REMOTE_ADDR": address}
        browser = Browser(client)
        browser.open("/login")
        assert browser.send("/login", name=name, password=PASSWORD)[0] == 303
        browser.open("/account")
        return browser


@dataclass
class Browser:
    client: FlaskClient
    page: str = ""

    def open(self, path: str) -> int:
        answer = self.client.get(path)
        self.page = answer.text
        return answer.status_code

    def send(self, path: str, **fields: Any) -> tuple[int, str]:
        token = re.search(r'name="csrf" value="([^"]+)"', self.page)
        assert token
        answer = self.client.post(path, data={"csrf": token[1]} | fields)
        return answer.status_code, answer.text

    def is_in(self) -> bool:
        return self.client.get("/api/jobs").status_code == 200


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = Settings(data_dir=tmp_path_factory.mktemp("doors") / "var", auth="login", _env_file=None)
    bring_up_to_date(settings)
    access = open_access(settings)
    known = hash_password(PASSWORD)
    for name in ("sari", "budi"):
        access.add_account(name, password_hash=known)
    access.add_account("kepala", password_hash=known, admin=True)
    access.engine.dispose()
    return settings.data_dir


@pytest.fixture
def site(made: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    folder = Path(shutil.copytree(made, tmp_path / "var"))
    given = getattr(request, "param", {})
    settings = Settings(data_dir=folder, auth="login", timezone="UTC", _env_file=None, **given)
    access = open_access(settings)
    yield Site(settings, create_app(settings).server, access)
    access.engine.dispose()


# -- sessions --------------------------------------------------------------------------------------


def ends(browser: Browser) -> list[str]:
    return re.findall(r"/account/sessions/([0-9a-f]{16})/end", browser.page)


def test_one_sees_ones_sessions_and_ends_one_of_them(site):
    here, there = site.browser(), site.browser(agent=PHONE, address="192.0.2.9")
    third = site.browser(agent="<script>")
    site.browser("budi")
    here.open("/account")
    assert "Firefox on Linux" in here.page
    assert "Chrome on Android" in here.page
    assert "192.0.2.9" in here.page
    assert "&lt;script&gt;" in here.page
    assert here.page.count(">this one<") == 1
    assert len(ends(here)) == 2
    of_there = re.search(r"sessions/([0-9a-f]{16})/end[^/]*Chrome on Android", here.page)
    assert of_there
    assert here.send(f"/account/sessions/{of_there[1]}/end")[0] == 303
    assert (here.is_in(), there.is_in(), third.is_in()) == (True, False, True)
    here.open("/account")
    assert "Chrome on Android" not in here.page
    ended = site.access.audit.entries(AuditFilter(action="session_ended"), limit=5)
    assert [(entry.actor, entry.subject["address"]) for entry in ended] == [("sari", "192.0.2.9")]


def test_nobody_ends_anothers_session(site):
    sari, budi = site.browser(), site.browser("budi")
    also = site.browser("budi")
    budi.open("/account")
    assert sari.send(f"/account/sessions/{ends(budi)[0]}/end")[0] == 404
    assert sari.send("/account/sessions/0123456789abcdef/end")[0] == 404
    assert also.is_in()


def test_what_has_ended_is_not_listed(site):
    here = site.browser()
    for _ in range(2):
        other = site.browser(agent=PHONE)
        other.send("/logout")
    site.browser(agent=PHONE)
    here.open("/account")
    assert len(ends(here)) == 1
    assert here.send("/account/sessions")[0] == 303  # everywhere else
    here.open("/account")
    assert ends(here) == []


def test_a_session_from_before_there_was_a_list_comes_into_it_when_it_is_used(site, monkeypatch):
    monkeypatch.setattr(session_cookie, "_TOUCHED_EVERY_S", 0)
    here, there = site.browser(), site.browser(agent=PHONE, address="192.0.2.9")
    with site.access.engine.begin() as connection:
        connection.execute(delete(session_table))
    assert there.is_in()
    here.open("/account")
    assert "Chrome on Android" in here.page
    assert len(ends(here)) == 1
    assert here.send(f"/account/sessions/{ends(here)[0]}/end")[0] == 303
    assert not there.is_in()


# -- the password once more ------------------------------------------------------------------------

KEY = {"label": "report", "scope": "read", "days": "30"}


@pytest.mark.parametrize("site", [{"confirm_minutes": ALWAYS}], indirect=True)
def test_a_key_needs_the_password_again_some_time_after_it_was_given(site):
    here = site.browser()
    assert 'name="proof"' in here.page
    for proof in ({}, {"proof": OTHER}):
        status, page = here.send("/account/keys", **KEY, **proof)
        assert (status, "This is not your password." in page, "rwk_" in page) == (400, True, False)
    assert keys_of(site.access, "sari") == []
    status, page = here.send("/account/keys", **KEY, proof=PASSWORD)
    assert (status, "rwk_" in page) == (200, True)


@pytest.mark.parametrize("site", [{}, {"confirm_minutes": NEVER}], indirect=True)
def test_a_password_that_was_just_given_is_not_asked_for_again(site):
    here = site.browser()
    assert 'name="proof"' not in here.page
    assert "rwk_" in here.send("/account/keys", **KEY)[1]


@pytest.mark.parametrize("site", [{"confirm_minutes": ALWAYS}], indirect=True)
def test_guesses_at_the_password_of_an_open_session_are_slowed_down(site):
    here = site.browser()
    answers = [here.send("/account/confirm", proof=OTHER)[0] for _ in range(6)]
    assert answers == [400] * 5 + [429]


def test_guesses_of_others_at_a_name_do_not_keep_its_open_sessions_from_giving_the_password(site):
    here, logins = site.browser("kepala"), open_logins(site.settings, site.access)
    for number in range(12):
        with pytest.raises((WrongPassword, TooManyAttempts)):
            logins.check("kepala", OTHER, f"198.51.100.{number}")
    assert logins.waits_s("kepala") > 0
    assert here.send("/account/confirm", proof=PASSWORD)[0] == 303
    assert here.send("/account/password", current=PASSWORD, new=OTHER, again=OTHER)[0] == 303


def test_who_holds_a_session_gets_no_more_guesses_by_beginning_it_anew(site):
    here = site.browser()
    answers = []
    for _ in range(3):
        answers += [here.send("/account/confirm", proof=OTHER)[0] for _ in range(2)]
        assert here.send("/account/sessions")[0] == 303
        here.open("/account")
    assert answers == [400] * 5 + [429]


def test_giving_the_password_leads_back_to_the_administrators_page(site):
    here = site.browser("kepala")
    here.open("/account?confirm=admin")
    assert "Confirm your password" in here.page
    # not from a form of ours
    assert here.client.post("/account/confirm", data={"proof": PASSWORD}).status_code == 403
    answer = here.send("/account/confirm", proof=PASSWORD)
    assert answer[0] == 303


# -- waits -----------------------------------------------------------------------------------------


def test_an_administrator_sees_who_has_to_wait_and_lifts_it(site):
    logins = open_logins(site.settings, site.access, lambda: NOON_S)
    browsers = ["", "mark-of-a-browser"]
    for browser in browsers:
        for _ in range(5):
            with pytest.raises(WrongPassword):
                logins.check("sari", OTHER, "192.0.2.1", browser)
        with pytest.raises(TooManyAttempts):
            logins.check("sari", PASSWORD, "192.0.2.1", browser)
    assert 0 < logins.waits_s("sari") <= 5
    assert logins.waits_s("budi") == 0
    logins.unlock("sari")
    assert logins.waits_s("sari") == 0
    for browser in browsers:
        assert logins.check("sari", PASSWORD, "192.0.2.1", browser).name == "sari"
    assert [entry.subject for entry in site.access.audit.entries(AuditFilter(action="unlocked"), limit=5)] == [{"user": "sari"}]
    with pytest.raises(NotFound):
        logins.unlock("nobody")


def test_a_wait_of_an_address_is_lifted_without_that_of_another(site):
    logins = open_logins(site.settings, site.access, lambda: NOON_S)
    for address in ("192.0.2.1", "192.0.2.10", "2001:db8::1"):
        for number in range(20):
            with pytest.raises(WrongPassword):
                logins.check(f"user{number}{address}", OTHER, address)
    assert set(logins.waiting_addresses()) == {"192.0.2.1", "192.0.2.10", "2001:db8::/64"}
    logins.unlock_address("192.0.2.1")
    logins.unlock_address("2001:db8::9")
    assert set(logins.waiting_addresses()) == {"192.0.2.10"}
    with pytest.raises(NotFound):
        logins.unlock_address("192.0.2.1")


# -- names of the site -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "host"),
    [
        ("Riwayat.example.org.", "riwayat.example.org"),
        ("riwayat.example.org:8443", "riwayat.example.org"),
        ("[2001:db8::1]", "[2001:DB8::1]:8443"),
        ("2001:db8::1", "[2001:db8::1]"),
        ("*.Intern.example.", "a.intern.example:80"),
    ],
)
def test_a_name_of_the_site_may_be_written_as_browsers_send_it(names, host):
    settings = Settings(allowed_hosts=names, _env_file=None)
    assert is_allowed_host(settings, host)
    assert not is_allowed_host(settings, "evil.example")


@pytest.mark.parametrize("name", ["*", "*.", "riwayat.*", "https://riwayat.example.org", "riwayat.example.org/", "a b"])
def test_what_no_name_of_a_site_can_be_is_refused_at_start(name):
    with pytest.raises(ValidationError, match=r"such as riwayat\.example\.org"):
        Settings(allowed_hosts=f"riwayat.example.org,{name}", _env_file=None)


HOSTS = {
    "riwayat.example.org": True,
    "RIWAYAT.example.org.:8443": True,
    "a.intern.example": True,
    "intern.example": False,
    "evil.example": False,
    "riwayat.example.org.evil.example": False,
    "xintern.example": False,
    "127.0.0.1": False,
    "[::1]:80": False,
    "": False,
}


@pytest.mark.parametrize("site", [{"allowed_hosts": "riwayat.example.org, *.intern.example"}], indirect=True)
def test_a_site_answers_to_its_names_only(site):
    client = site.server.test_client()
    for host, known in HOSTS.items():
        for path in ("/login", "/api/jobs", "/embed/plotly.js", "/assets/tokens.css"):
            answer = client.get(path, headers={"Host": host}, buffered=True)
            answer.close()
            assert (answer.status_code != 400) is known, (host, path)
        refused = client.get("/api/jobs", headers={"Host": host})
        assert refused.json["error"]["code"] == ("not_authenticated" if known else "unknown_host"), host
        # a load balancer asks by address
        assert client.get("/healthz", headers={"Host": host}).status_code == 200, host
    sent = {"Host": "riwayat.example.org", "X-Forwarded-Host": "evil.example"}
    assert client.get("/api/jobs", headers=sent).status_code == 400  # by a proxy that is believed


# -- keys and addresses ----------------------------------------------------------------------------


def key_for(site: Site, *addresses: str) -> str:
    now_ms = time.time_ns() // 1_000_000
    return new_key(site.access, "sari", label="t", scopes=["read"], expires_ms=None, now_ms=now_ms, addresses=addresses)[0]


@pytest.mark.parametrize(
    ("addresses", "address", "opens"),
    [
        ((), "203.0.113.9", True),
        (("192.0.2.7",), "192.0.2.7", True),
        (("192.0.2.7",), "192.0.2.8", False),
        (("192.0.2.9/24", "2001:db8::/64"), "192.0.2.200", True),
        (("192.0.2.0/24", "2001:db8::/64"), "2001:db8::77", True),
        (("192.0.2.0/24",), "::ffff:192.0.2.3", True),
        (("192.0.2.0/24",), "", False),
    ],
)
def test_a_key_that_names_addresses_is_for_these_only(site, addresses, address, opens):
    text = key_for(site, *addresses)
    now_ms = time.time_ns() // 1_000_000
    if opens:
        assert find_key(site.settings, site.access, text, now_ms, address).user == "sari"
    else:
        with pytest.raises(InvalidKey, match="cannot be used from the address"):
            find_key(site.settings, site.access, text, now_ms, address)


def test_a_keys_address_is_that_of_the_request(site):
    sent = {"Authorization": f"Bearer {key_for(site, '192.0.2.7')}"}
    client = site.server.test_client()
    for address, status in (("192.0.2.7", 200), ("192.0.2.8", 401)):
        assert client.get("/api/jobs", headers=sent, environ_base={"REMOTE_ADDR": address}).status_code == status
    made_up = sent | {"X-Forwarded-For": "192.0.2.7"}
    assert client.get("/api/jobs", headers=made_up, environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 401


def test_a_key_of_the_page_ends_by_default_and_may_name_addresses(site):
    here = site.browser()
    assert here.send("/account/keys", label="a", scope="read", addresses="192.0.2.7, 2001:db8::/64")[0] == 200
    (key,) = keys_of(site.access, "sari")
    assert key.addresses == ("192.0.2.7/32", "2001:db8::/64")
    assert key.expires_ms is not None
    assert 89 < (key.expires_ms - key.created_ms) / 86_400_000 < 91
    status, page = here.send("/account/keys", label="b", scope="read", addresses="here")
    assert (status, "is not an address or network" in page) == (400, True)
    with pytest.raises(InvalidRequest):
        key_for(site, "192.0.2.0/33")
