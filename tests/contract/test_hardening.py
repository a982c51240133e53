"""What every answer says to a browser, how long a request may be, and how many are answered."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, run_wsgi_app

from access.grants import Grant
from access.keys import new_key
from access.store import open_access
from api.guard import BODY_BYTES
from app import create_app
from config import Settings
from tests.databases import migrate_as_new
from tests.people import grant_everyone

UPDATE = "_dash-update-component"
SITI = {"X-Forwarded-User": "siti"}
BUDI = {"X-Forwarded-User": "budi"}
TLS = {"X-Forwarded-Proto": "https"}
PAGES = ("/", "/jobs", "/jobs/", "/admin", "/account", "/login")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FlaskClient]:
    """Make a site. The clock by which requests are counted stands still,
    so that no minute turns between two of a test.
    """
    half_past_s = time.time() // 60 * 60 + 30
    for module in ("limits.storage.memory", "limits.strategies"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(time=lambda: half_past_s))

    def made(**given: Any) -> FlaskClient:
        settings = Settings(**{"data_dir": tmp_path / "var", "auth": "proxy", **given})
        migrate_as_new(settings)
        grant_everyone(settings, Grant(may_embed=True))
        return create_app(settings).server.test_client()

    return made


def fetch(of: FlaskClient, path: str, method: str = "GET", **arguments: Any) -> Any:
    with of.open(path, method=method, **arguments) as answer:
        answer.get_data()
        return answer


def embedded(of: FlaskClient) -> dict[str, str]:
    """id and token of a new chart on JFK's sample."""
    new = {"stations": ["JFK"], "sensors": ["temperature"], "range": {"last": "7d"}, "origin": "https://portal.example"}
    answer = fetch(of, "/api/embeds", "POST", json=new, headers=SITI)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def directives(answer: Any) -> dict[str, list[str]]:
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


# -- headers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", ["proxy", "login"])
def test_every_page_has_a_policy_without_inline_scripts_and_eval_and_is_framed_by_nobody(site, auth):
    here = site(auth=auth)
    for path in PAGES:
        answer = fetch(here, path, headers=SITI | {"Accept": "text/html"}, follow_redirects=True)
        policy = directives(answer)
        assert answer.mimetype == "text/html", path
        assert not any("unsafe" in value for value in policy["script-src"]), path
        assert policy["default-src"] == ["'self'"], path
        assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == ["'none'"], path
        assert policy["form-action"] == ["'self'"], path
        assert "camera=()" in answer.headers["Permissions-Policy"], path


def test_every_route_of_the_site_says_whose_it_is(site):
    """Whatever the answer is: refused, wrong or right."""
    here = site()
    rules = here.application.url_map.iter_rules()
    paths = {rule.rule.replace("<", "").replace(">", "").replace("path:", "") for rule in rules}
    assert len(paths) > 30
    for path in sorted(paths):
        for headers in ({}, SITI):
            answer = fetch(here, path, headers=headers)
            told = answer.headers
            assert told["X-Content-Type-Options"] == "nosniff", path
            assert told["Referrer-Policy"] == "same-origin", path
            assert "frame-ancestors" in told["Content-Security-Policy"], path
            assert told["Cross-Origin-Resource-Policy"] in ("same-origin", "cross-origin"), path
            assert (told["Cross-Origin-Resource-Policy"] == "cross-origin") == (path == "/embed/trend"), path
            assert "Strict-Transport-Security" not in told, path


def test_only_the_page_of_an_embedded_chart_is_framed_and_only_by_its_origin(site, data_dir):
    here = site(data_dir=data_dir)
    chart = embedded(here)["id"]
    policy = directives(fetch(here, f"/embed/trend?id={chart}"))
    assert policy["frame-ancestors"] == ["https://portal.example"]
    assert policy["script-src"] == ["'self'"]
    assert policy["default-src"] == ["'none'"]
    assert directives(fetch(here, "/embed/trend?id=unknown"))["frame-ancestors"] == ["'none'"]


def test_browsers_are_kept_to_tls_only_where_they_came_by_it(site):
    here = site()
    assert fetch(here, "/", headers=SITI | TLS).headers["Strict-Transport-Security"] == "max-age=15552000"
    assert fetch(here, "/", headers=SITI | TLS).headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert fetch(here, "/", base_url="https://localhost", headers=SITI).headers["Strict-Transport-Security"]
    plain = fetch(here, "/", headers=SITI).headers
    assert "Strict-Transport-Security" not in plain
    assert "Cross-Origin-Opener-Policy" not in plain


def test_tls_is_not_believed_of_a_stranger_and_a_site_may_say_nothing_of_it(site):
    here = site()
    stranger = fetch(here, "/embed/trend", headers=TLS, environ_base={"REMOTE_ADDR": "203.0.113.5"})
    assert "Strict-Transport-Security" not in stranger.headers
    assert "Strict-Transport-Security" not in fetch(site(hsts_days=0), "/", headers=SITI | TLS).headers


def test_every_cookie_is_for_our_own_requests_and_by_tls_for_tls_only(site):
    here = site(auth="login")
    for path in ("/login", "/login?language=id"):
        answer = fetch(here, path, headers=TLS)
        cookies = answer.headers.getlist("Set-Cookie")
        assert cookies, path
        for cookie in cookies:
            assert "Secure" in cookie
            assert "SameSite=Lax" in cookie
            assert "HttpOnly" in cookie or cookie.startswith("riwayat_language=")
        assert not any("Secure" in cookie for cookie in fetch(here, path).headers.getlist("Set-Cookie")), path


# -- bodies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [UPDATE, f"jobs/{UPDATE}", "api/jobs", "api/jobs/x/cancel", "login", "account/keys", "nowhere"])
def test_a_body_that_is_too_long_is_refused_in_the_one_shape_of_errors(site, path):
    answer = fetch(site(), f"/{path}", "POST", data=b"x" * (BODY_BYTES + 1), content_type="application/json", headers=SITI)
    assert answer.status_code == 413
    assert answer.json["error"]["code"] == "request_entity_too_large"


def test_a_body_without_a_length_is_read_no_further_than_the_limit(site):
    read: list[int] = []

    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            read.append(len(buffer))
            buffer[:] = b" " * len(buffer)
            return len(buffer)

    environ = EnvironBuilder(path=f"/{UPDATE}", method="POST", content_type="application/json", headers=SITI).get_environ()
    environ |= {"REMOTE_ADDR": "127.0.0.1", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    environ.pop("CONTENT_LENGTH", None)
    environ["wsgi.input"] = io.BufferedReader(Endless())
    _body, status, _headers = run_wsgi_app(site().application, environ)
    assert status.startswith(("400", "413"))  # what was read of it is no JSON
    assert sum(read) < 2 * BODY_BYTES


# -- rates -----------------------------------------------------------------------------------------


def too_many(answer: Any) -> bool:
    if answer.status_code != 429:
        return False
    assert answer.json["error"]["code"] == "too_many_requests"
    assert 1 <= int(answer.headers["Retry-After"]) <= 61  # a minute, both ends rounded up
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return True


def answered(of: FlaskClient, path: str, count: int, method: str = "GET", **arguments: Any) -> list[bool]:
    return [not too_many(fetch(of, path, method, **arguments)) for _ in range(count)]


def test_a_user_who_asks_too_often_waits_and_no_other_does(site):
    here = site(rate_page=5)
    assert answered(here, "/_dash-layout", 7, headers=SITI) == [True] * 5 + [False] * 2
    assert answered(here, "/api/jobs", 1, headers=SITI) == [False]  # all routes count together
    assert answered(here, "/_dash-layout", 1, headers=BUDI) == [True]


def test_health_metrics_and_files_are_never_too_many(site):
    here = site(rate_page=1, rate_address=1)
    answered(here, "/_dash-layout", 2, headers=SITI)
    for path in ("/healthz", "/readyz", "/metrics", "/bootstrap.css", "/assets/page.js?m=1"):
        assert all(answered(here, path, 3, headers=SITI)), path


def test_a_page_that_is_asked_for_too_often_says_so_in_words(site):
    here = site(rate_page=1)
    fetch(here, "/", headers=SITI)
    answer = fetch(here, "/", headers=SITI | {"Accept-Language": "id"})
    assert answer.status_code == 429
    assert answer.mimetype == "text/html"
    assert "Terlalu banyak" in answer.text
    assert int(answer.headers["Retry-After"]) >= 1


def test_jobs_sent_to_the_api_are_counted_apart(site):
    here = site(rate_submit=2)
    assert answered(here, "/api/jobs", 3, "POST", json={}, headers=SITI) == [True, True, False]
    assert answered(here, "/api/jobs/x/retry", 1, "POST", headers=SITI) == [False]
    assert answered(here, "/api/reports", 1, "POST", json={}, headers=SITI) == [False]
    assert answered(here, "/api/limits", 1, "PATCH", json={}, headers=SITI) == [False]
    assert answered(here, "/api/jobs", 3, headers=SITI) == [True] * 3


def test_keys_of_one_user_are_counted_together_and_apart_from_their_pages(site, tmp_path):
    here = site(rate_api=3)
    access = open_access(Settings(data_dir=tmp_path / "var", auth="proxy"))
    keys = [new_key(access, "siti", label=label, scopes=["read"], expires_ms=None, now_ms=0)[0] for label in ("one", "two")]
    access.engine.dispose()
    bearers = [{"Authorization": f"Bearer {key}"} for key in keys]
    asked = [fetch(here, "/api/jobs", headers=bearers[number % 2]) for number in range(4)]
    assert [too_many(answer) for answer in asked] == [False] * 3 + [True]
    assert answered(here, "/api/jobs", 2, headers=SITI) == [True] * 2


def test_who_shows_no_identity_is_counted_by_address_and_nobody_pays_for_another(site):
    here = site(rate_address=3)
    assert answered(here, "/api/jobs", 4) == [True] * 3 + [False]
    forged = {"Authorization": "Bearer rwk_nonsense"}
    assert answered(here, "/api/jobs", 1, headers=forged) == [False]
    assert answered(here, "/api/jobs", 2, environ_base={"REMOTE_ADDR": "203.0.113.5"}) == [True] * 2
    assert answered(here, "/api/jobs", 2, headers=SITI) == [True] * 2


def test_an_embedded_chart_is_counted_by_its_id_wherever_it_is_looked_at(site, data_dir):
    here = site(data_dir=data_dir, rate_embed=3)
    tokens = [embedded(here)["token"] for _ in range(2)]
    first, other = ({"Authorization": f"Bearer {token}"} for token in tokens)
    asked = [fetch(here, "/api/embed", headers=first, environ_base={"REMOTE_ADDR": f"203.0.113.{number}"}) for number in range(4)]
    assert [too_many(answer) for answer in asked] == [False] * 3 + [True]
    assert not too_many(fetch(here, "/api/embed", headers=other))


def test_attempts_to_sign_in_are_counted_by_address(site):
    here = site(auth="login", rate_login=3)
    assert answered(here, "/login", 4, "POST", data={"name": "siti"}) == [True] * 3 + [False]
    assert answered(here, "/login", 2) == [True] * 2


def test_addresses_that_are_made_up_on_the_machine_itself_are_counted_together(site):
    """A quarter more than of one address, which is stopped before it stops the others."""
    here = site(auth="login", rate_address=4, rate_login=4)

    def asked(address: int, times: int, path: str = "/api/jobs", *arguments: Any, **more: Any) -> list[bool]:
        return answered(here, path, times, *arguments, headers={"X-Forwarded-For": f"203.0.113.{address}"}, **more)

    assert asked(1, 6) == [True] * 4 + [False] * 2
    assert [asked(address, 1) for address in (2, 3, 4)] == [[True], [False], [False]]
    form = {"name": "siti"}
    signs_in = [asked(address, 1, "/login", "POST", data=form) for address in range(10, 16)]
    assert signs_in == [[True]] * 5 + [[False]]


def test_addresses_that_a_proxy_with_the_secret_tells_are_counted_each_alone(site):
    secret = "gunung merapi 2930"
    here = site(auth="login", rate_address=2, proxy_secret=secret)
    for address in range(1, 9):
        told = {"X-Forwarded-For": f"203.0.113.{address}", "X-Riwayat-Proxy-Secret": secret}
        assert answered(here, "/api/jobs", 3, headers=told) == [True] * 2 + [False]
    # without it the peer's own address counts
    forged = [{"X-Forwarded-For": f"198.51.100.{address}"} for address in range(5)]
    assert [answered(here, "/api/jobs", 1, headers=told) for told in forged] == [[True]] * 2 + [[False]] * 3


def test_fifty_zooms_at_once_are_answered_with_the_settings_as_they_are(site):
    here = site()
    assert all(answered(here, f"/{UPDATE}", 50 * 4, "POST", json={}, headers=SITI))
    assert all(answered(here, "/api/jobs/x/figure", 50, headers=SITI))


def test_nothing_is_counted_where_the_setting_says_so_and_where_there_is_one_user(site):
    assert all(answered(site(rate_page=0), "/_dash-layout", 20, headers=SITI))
    assert all(answered(site(auth="none", rate_page=1, rate_address=1), "/_dash-layout", 20))
