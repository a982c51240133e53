"""The web application as HTTP sees it:
guard, prefix, headers, language, no address of elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from structlog.contextvars import bind_contextvars, get_contextvars
from werkzeug.wrappers import Response

from api.compression import CompressedFiles
from api.headers import page_path
from app import create_app
from config import Settings
from layouts.files import ADMIN, HISTORY, JOBS
from tests.databases import migrate_as_new
from tests.processes import ROOT

UPDATE = "_dash-update-component"


def client(folder: Path, **settings: Any) -> FlaskClient:
    made = Settings(data_dir=folder / "var", **settings)
    migrate_as_new(made)
    return create_app(made).server.test_client()


def fetch(of: FlaskClient, path: str, **arguments: Any) -> Response:
    """The answer, read and closed (files are sent open)."""
    with of.get(path, **arguments) as answer:
        answer.get_data()
        return answer


def statuses(of: FlaskClient, paths: Iterable[str], **arguments: Any) -> dict[str, int]:
    return {path: fetch(of, path, **arguments).status_code for path in paths}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return client(tmp_path_factory.mktemp("app"))


@pytest.fixture
def here(served: FlaskClient) -> FlaskClient:
    """A browser of its own at a site that tests only look at."""
    return served.application.test_client()


def test_the_page_names_no_address_outside_the_site(here):
    html = fetch(here, "/").get_data(as_text=True)
    assert not re.findall(r"""(?:src|href|action)=["'](?:https?:)?//""", html)
    assert "https:" not in html.replace("\\u002f", "/")
    assert "http:" not in html


def test_every_file_of_the_page_is_served_by_the_site(here):
    html = fetch(here, "/").get_data(as_text=True)
    paths = re.findall(r"""(?:src|href)=["']([^"']+)""", html)
    assert any("bootstrap" in path for path in paths)
    assert statuses(here, paths) == dict.fromkeys(paths, 200)


# of plain pages, of the frame, of every document
ELSEWHERE = {"account.css", "embed.css", "embed.js", "theme.js"}


def test_each_page_loads_its_own_files_and_the_pages_share_their_addresses(tmp_path):
    site = client(tmp_path, auth="proxy", admins="root", url_prefix="/cuaca/")
    pages = {"/cuaca/": HISTORY, "/cuaca/jobs": JOBS, "/cuaca/admin": ADMIN}
    loaded = set(ELSEWHERE)
    for path, files in pages.items():
        html = fetch(site, path, headers={"X-Forwarded-User": "root"}).get_data(as_text=True)
        found = re.findall(r"""(?:src|href)="(/[^"]+\.(?:js|css)[^"]*)""", html)
        assert all(re.match("/cuaca/(assets|_dash-component-suites|bootstrap.css)", address) for address in found)
        own = {address[len("/cuaca/assets/") :].partition("?m=")[0] for address in found if "/assets/" in address}
        assert own == {*files.assets, "page.js", "riwayat.css", "tokens.css"}
        libraries = ("dash_ag_grid", "dash_bootstrap_components", "dash_table")
        assert [name for name in libraries if any(f"/{name}/" in address for address in found)] == [files.library]
        loaded |= own | set(files.later)
        later = json.loads(unescape(re.search(r'data-later="([^"]*)"', html)[1]))
        assert list(later) == [*files.later, *filter(None, [files.later_library])]
        assert statuses(site, later.values(), headers={"X-Forwarded-User": "root"}) == dict.fromkeys(later.values(), 200)
    assert loaded == {path.name for path in (ROOT / "assets").iterdir() if path.suffix in (".js", ".css")}


def test_scripts_of_ours_that_a_page_loads_at_its_opening_are_at_most_60_kb():
    for files in (HISTORY, JOBS, ADMIN):
        scripts = [name for name in ("page.js", *files.assets) if name.endswith(".js")]
        assert sum((ROOT / "assets" / name).stat().st_size for name in scripts) <= 60_000


def test_the_policy_allows_the_inline_scripts_by_their_hashes_and_nothing_from_elsewhere(here):
    answer = fetch(here, "/")
    policy = answer.headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    inline = re.findall(r"<script(?: id=\"_dash-renderer\"[^>]*)?>(.+?)</script>", answer.get_data(as_text=True), re.DOTALL)
    assert len(inline) == 2
    for script in inline:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in scripts
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy


def test_every_answer_has_the_security_headers(here):
    for path in ("/", "/healthz", "/_dash-layout", "/nowhere", "/bootstrap.css"):
        headers = fetch(here, path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path


def test_assets_are_kept_by_the_browser_and_answers_are_not(here):
    html = fetch(here, "/").get_data(as_text=True)
    asset = re.search(r"""["'](/assets/riwayat\.css\?m=[^"']+)""", html)
    assert fetch(here, asset[1]).cache_control.immutable
    assert fetch(here, asset[1]).cache_control.max_age > 10**7
    assert fetch(here, "/bootstrap.css?v=1").cache_control.max_age > 10**7
    assert fetch(here, "/_dash-layout").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("page", ["", "jobs/", "admin/"])
def test_files_of_each_page_are_files_and_what_only_sounds_so_is_none(page):
    assert page_path(f"/cuaca/{page}assets/page.js", "/cuaca/") == "assets/page.js"
    for path in ("jobs", "admin", "administration/assets/x", "api/jobs/assets/x"):
        assert page_path(f"/cuaca/{path}", "/cuaca/") == path


def test_answers_are_compressed_when_the_browser_asks(here):
    answer = fetch(here, "/_dash-layout", headers={"Accept-Encoding": "br, gzip"})
    assert answer.headers["Content-Encoding"] in ("br", "gzip")


def test_the_largest_script_is_compressed_once_and_sent_once(here):
    path, asks = "/_dash-component-suites/plotly/package_data/plotly.min.js", {"Accept-Encoding": "br"}
    first = fetch(here, path, headers=asks)
    assert first.content_length < 2_000_000
    again = fetch(here, path, headers=asks | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "no-cache")


def test_only_files_are_kept_compressed():
    kept = CompressedFiles()
    kept.set("br;", b"an answer for one user")
    kept.set("br;/assets/page.js?1", b"a file")
    assert (kept.get("br;"), kept.get("br;/assets/page.js?1")) == (None, b"a file")
    for number in range(500):
        kept.set(f"br;/assets/{number}", b"x")
    assert kept.get("br;/assets/499") is None  # a visitor who makes names up cannot fill the memory


@pytest.mark.parametrize("path", ["_dash-layout", "_dash-dependencies", "assets/page.js", "bootstrap.css", "nowhere"])
def test_a_request_through_a_proxy_without_sign_in_is_refused_as_json_everywhere(here, path):
    answer = fetch(here, f"/{path}", headers={"X-Forwarded-For": "10.0.0.1"})
    assert answer.status_code == 403
    assert answer.json["error"]["code"] == "not_permitted"


def test_callbacks_are_refused_as_json_so_that_a_poll_can_tell(tmp_path):
    behind = client(tmp_path, auth="proxy")
    assert behind.post(f"/{UPDATE}", json={}).status_code == 401
    assert behind.post(f"/{UPDATE}", json={}).json["error"]["code"] == "not_authenticated"
    elsewhere = behind.post(f"/{UPDATE}", json={}, environ_base={"REMOTE_ADDR": "203.0.113.5"})
    assert elsewhere.status_code == 403


def test_a_refused_visitor_of_the_page_reads_a_sentence_in_their_language(tmp_path):
    behind = client(tmp_path, auth="proxy")
    answer = fetch(behind, "/", headers={"Accept-Language": "id"})
    assert answer.status_code == 401
    assert "Silakan masuk." in answer.get_data(as_text=True)
    assert "text/html" in answer.content_type


def test_a_user_named_by_the_trusted_proxy_gets_the_page(tmp_path):
    behind = client(tmp_path, auth="proxy")
    answer = fetch(behind, "/_dash-layout", headers={"X-Forwarded-User": "sari"})
    assert answer.status_code == 200
    assert '"sari"' in answer.get_data(as_text=True)


def test_health_needs_no_sign_in(tmp_path):
    behind = client(tmp_path, auth="proxy")
    assert fetch(behind, "/healthz").status_code == 200
    ready = fetch(behind, "/readyz")
    assert ready.status_code == 503
    well = {"jobs": True, "observations": True, "cache": True, "disk": True}
    assert ready.json["checks"] == {**well, "worker history": False, "worker history-large": False}
    assert ready.json["failed"] == ["worker history", "worker history-large"]


def test_a_request_does_not_inherit_the_job_of_the_one_before(here):
    bind_contextvars(job="of another request of this thread")
    fetch(here, "/healthz")
    assert "job" not in get_contextvars()


def test_below_a_prefix_everything_is_below_it(tmp_path):
    below = client(tmp_path, url_prefix="/weather/")
    html = fetch(below, "/weather/").get_data(as_text=True)
    paths = re.findall(r"""(?:src|href)=["']([^"']+)""", html)
    assert all(path.startswith("/weather/") for path in paths)
    assert statuses(below, paths) == dict.fromkeys(paths, 200)
    assert fetch(below, "/weather/healthz").status_code == 200
    assert fetch(below, "/").status_code == 404


@pytest.mark.parametrize("path", ["/nowhere", "/jobs/1/x"])
def test_an_unknown_path_is_a_friendly_404(here, path):
    answer = fetch(here, path, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "There is no such page." in answer.get_data(as_text=True)
    assert 'href="/"' in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("cookie", "browser", "language"), [("", "id,en;q=0.5", "id"), ("", "fr", "en"), ("en", "id", "en"), ("xx", "id", "id")]
)
def test_the_language_is_the_visitors_choice_then_the_browsers(here, cookie, browser, language):
    if cookie:
        here.set_cookie("riwayat_language", cookie)
    html = fetch(here, "/", headers={"Accept-Language": browser}).get_data(as_text=True)
    assert f'<html lang="{language}"' in html


def test_the_theme_of_the_last_visit_is_there_before_anything_is_painted(here):
    here.set_cookie("riwayat_shade", "dark")
    assert 'data-bs-theme="dark"' in fetch(here, "/").get_data(as_text=True)
    here.set_cookie("riwayat_shade", '"><script>')
    assert 'data-bs-theme="light"' in fetch(here, "/").get_data(as_text=True)


def test_requests_at_the_same_moment_as_the_first_one_are_answered(tmp_path):
    made = client(tmp_path).application
    paths = ["/_dash-component-suites/dash/dcc/async-graph.js", "/_dash-layout", "/_dash-dependencies", "/assets/page.js?m=1"] * 4
    with ThreadPoolExecutor(len(paths)) as threads:
        found = list(threads.map(lambda path: fetch(made.test_client(), path).status_code, paths))
    assert found == [200] * len(paths)


def test_making_the_application_opens_no_database(tmp_path):
    create_app(Settings(data_dir=tmp_path / "var", observations_url="postgresql+psycopg://nobody@192.0.2.1/none"))
    assert not list((tmp_path / "var").glob("*.sqlite"))


def test_the_signing_secret_survives_a_restart_and_nobody_else_may_read_it(tmp_path):
    client(tmp_path)
    secret = tmp_path / "var" / "secret_key"
    first = secret.read_text()
    client(tmp_path)
    assert secret.read_text() == first
    assert secret.stat().st_mode & 0o777 == 0o600
