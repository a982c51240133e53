"""nginx with the file of deploy/ for single sign-on, before the real site;
oauth2-proxy is played by a server of the test.

It answers as oauth2-proxy does with --set-xauthrequest:
202 with user and groups where the cookie is known, else 401.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from access.grants import Grant
from access.keys import new_key
from access.store import AccessStore, open_access
from commands.setup import bring_up_to_date
from config import Settings
from tests.processes import ROOT, STOP_S, WebProcess, answers, free_port, wait_until
from tests.served import program

pytestmark = pytest.mark.process

SECRET = "gunung-merapi-2930"
COOKIE = "_oauth2_proxy=sari"


class Stand(BaseHTTPRequestHandler):
    """What nginx asks of oauth2-proxy."""

    def do_GET(self) -> None:
        known = self.headers.get("Cookie") == COOKIE
        if self.path == "/oauth2/auth":
            self.send_response(202 if known else 401)
            if known:
                self.send_header("X-Auth-Request-User", "sari")
                self.send_header("X-Auth-Request-Groups", "forecasters,climate")
        else:
            self.send_response(302)
            self.send_header(
                "Location", f"https://sso.example/{self.path.strip('/')}?back={self.headers['X-Auth-Request-Redirect']}"
            )
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_parts: Any) -> None:
        return


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_parts: Any) -> None:
        return None


@dataclass(frozen=True)
class Site:
    """The address of nginx, and the site's accounts."""

    url: str
    direct: str
    access: AccessStore

    def ask(self, path: str, *, url: str = "", **headers: str) -> tuple[int, str, str]:
        """Status, text and Location of an answer; header names with ``_`` for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{url or self.url}/riwayat/{path}", headers=named)
        try:
            with urllib.request.build_opener(Stay).open(request, timeout=20) as answer:
                return answer.status, answer.read().decode(), answer.headers.get("Location", "")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), error.headers.get("Location", "")


@pytest.fixture(scope="module")
def oauth2() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stand)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def site(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory, oauth2: int) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("oauth2")
    (folder / "var").mkdir()
    given: dict[str, Any] = {"data_dir": folder / "var", "auth": "proxy", "url_prefix": "/riwayat/", "proxy_secret": SECRET}
    given |= {"proxy_groups_header": "X-Forwarded-Groups", "proxy_sign_out_url": "/oauth2/sign_out"}
    settings = Settings(**given, _env_file=None)
    bring_up_to_date(settings)
    access = open_access(settings)
    access.add_grant("group", "forecasters", Grant(stations=("JFK",)), by="test")
    with WebProcess(cwd=folder, **given) as web:
        web.wait_until_ready(lambda: answers(f"{web.url}/riwayat/healthz"))
        port = free_port()
        process = subprocess.Popen(_nginx(folder, port, web.port, oauth2), stdin=subprocess.DEVNULL)
        try:
            wait_until(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/riwayat/healthz"), "nginx")
            assert process.poll() is None, (folder / "error.log").read_text()
            yield Site(f"http://127.0.0.1:{port}", web.url, access)
        finally:
            process.terminate()
            process.wait(STOP_S)
            access.engine.dispose()


def _nginx(folder: Path, port: int, web_port: int, oauth2_port: int) -> list[str]:
    """The command that runs nginx with deploy/nginx-oauth2.conf;
    only addresses and files are the test's.
    """
    text = (ROOT / "deploy" / "nginx-oauth2.conf").read_text()
    for old, new in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "127.0.0.1:8050": f"127.0.0.1:{web_port}",
        "127.0.0.1:4180": f"127.0.0.1:{oauth2_port}",
        "/var/log/nginx/riwayat.log": str(folder / "access.log"),
        "/etc/nginx/riwayat-secret.conf": str(folder / "secret.conf"),
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text)
    (folder / "secret.conf").write_text(f'proxy_set_header X-Riwayat-Proxy-Secret "{SECRET}";\n')
    mine = "user root;" if os.geteuid() == 0 else ""
    places = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"{mine}\ndaemon off;\npid {folder}/pid;\nevents {{}}\nhttp {{\n{places}\ninclude {folder}/site.conf;\n}}\n"
    )
    command = [program("nginx"), "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", str(folder / "error.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    return command


@pytest.mark.parametrize("path", ["", "jobs", "account", "?job=j1&from=2013-01-01"])
def test_who_looks_at_a_page_is_led_to_the_sign_in_and_back(site, path):
    status, _text, led = site.ask(path)
    assert (status, led) == (302, f"https://sso.example/oauth2/start?back=/riwayat/{path}")


@pytest.mark.parametrize("path", ["_dash-layout", "_dash-dependencies", "assets/page.js", "api/jobs", "api/openapi.json"])
def test_what_is_no_page_is_401_and_no_redirect(site, path):
    status, _text, led = site.ask(path, X_Forwarded_User="sari", X_Riwayat_Proxy_Secret=SECRET)
    assert (status, led) == (401, "")


def test_who_signed_in_is_known_with_their_groups_and_chooses_neither(site):
    for headers in ({}, {"X_Forwarded_User": "root", "X_Forwarded_Groups": "administrators", "X_Riwayat_Proxy_Secret": "x"}):
        status, text, _led = site.ask("account", Cookie=COOKIE, **headers)
        assert status == 200
        assert "<h1>sari</h1>" in text
        assert 'href="/oauth2/sign_out"' in text
    assert site.access.groups() == {"climate": ("sari",), "forecasters": ("sari",)}
    assert [grant.stations for grant in site.access.account_rights("sari").rights.grants] == [("JFK",)]


def test_past_nginx_nobody_is_believed_without_the_secret(site):
    assert site.ask("account", url=site.direct, X_Forwarded_User="sari")[0] == 403
    assert site.ask("account", url=site.direct, X_Forwarded_User="sari", X_Riwayat_Proxy_Secret="guessed")[0] == 403


def test_a_program_with_a_key_comes_in_without_signing_in_and_to_the_api_only(site):
    key, _ = new_key(site.access, "sari", label="report", scopes=["read"], expires_ms=None, now_ms=0)
    sent = {"Authorization": f"Bearer {key}", "X_Forwarded_User": "root"}
    assert json.loads(site.ask("api/jobs", **sent)[1]) == {"jobs": [], "next": None}
    assert site.ask("api/jobs", Authorization="Bearer nothing")[0] == 401
    assert site.ask("_dash-layout", **sent)[0] == 401
    assert site.ask("api/jobs", Authorization="Basic cm9vdDp4")[0] == 401


def test_the_frame_of_an_embedded_chart_and_health_need_nobody(site):
    assert site.ask("healthz")[0] == 200
    assert site.ask("embed/plotly.js", X_Forwarded_User="root")[0] == 200
    assert site.ask("embed/nothing", X_Forwarded_User="root", Cookie=COOKIE)[0] == 401
    assert site.ask("metrics")[0] == 403


def test_the_preview_of_an_embedded_chart_is_for_who_signed_in(site):
    assert site.ask("embed/preview")[0] == 401
    # of no job: the site itself has answered
    assert site.ask("embed/preview", Cookie=COOKIE)[0] == 404
    assert "There is no job" in site.ask("embed/preview", Cookie=COOKIE)[1]
