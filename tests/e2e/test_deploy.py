"""gunicorn and nginx with the files that a site is deployed with."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from access.embeds.embed_token import embed_token, make_embed
from access.embeds.spec import EmbedSpec
from access.grants import Grant
from access.identity import owner_identity
from access.keys import new_key
from access.names import LOCAL_USER
from access.store import open_access
from config import Settings
from data.request import HistoryRequest
from data.site import open_site
from jobs.ledger.ledger import open_ledger
from tests.people import grant_everyone
from tests.processes import ROOT, real_starts, wait_until
from tests.served import GunicornProcess, NginxProcess

pytestmark = pytest.mark.process

# gunicorn's configuration, and a line on standard error for whatever a web process would start.
WATCHED = """
import pathlib
exec(compile(pathlib.Path({config!r}).read_text(), {config!r}, "exec"))

def post_worker_init(worker):
    import os, sys
    starts = {{"os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system", "subprocess.Popen"}}
    sys.addaudithook(lambda event, args: os.write(2, b"STARTED A PROCESS\\n") if event in starts else None)
"""


@pytest.fixture(scope="module")
def kept(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample; jobs are started below, and others take it as it was."""
    return Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("kept") / "var"))


@pytest.fixture(scope="module")
def gunicorn(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GunicornProcess]:
    """Two web processes on the sample; no worker. They tell when they start a process."""
    folder = tmp_path_factory.mktemp("gunicorn")
    config = folder / "watched.conf.py"
    config.write_text(f"__file__ = {str(ROOT / 'gunicorn.conf.py')!r}\n" + WATCHED.format(config=str(ROOT / "gunicorn.conf.py")))
    settings = {"data_dir": kept, "auth": "proxy", "url_prefix": "/riwayat/", "timezone": "UTC"}
    grant_everyone(Settings(data_dir=kept))
    with real_starts():
        process = GunicornProcess(cwd=folder, config=config, **settings)
    with process:
        yield process.start()


@pytest.fixture(scope="module")
def key(kept: Path) -> str:
    """A key for reading, of a user who was never here."""
    access = open_access(Settings(data_dir=kept, auth="proxy", _env_file=None))
    text, _ = new_key(access, "ani", label="report", scopes=["read"], expires_ms=None, now_ms=0)
    access.engine.dispose()
    return text


@pytest.fixture(scope="module")
def nginx(gunicorn: GunicornProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxProcess]:
    """nginx before them."""
    with NginxProcess(tmp_path_factory.mktemp("nginx"), gunicorn.port) as process:
        yield process


def get(request: urllib.request.Request) -> tuple[int, bytes, dict[str, str]]:
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


def test_the_web_forks_its_workers_and_nothing_ever_after(gunicorn, nginx):
    wait_until(lambda: len(gunicorn.workers()) == 2, "two web processes")
    before = gunicorn.workers()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(get, [nginx.ask(path) for path in ("/", "/_dash-layout", "/_dash-dependencies", "/jobs/") * 6]))
    assert {status for status, _, _ in answers} == {200}
    assert gunicorn.workers() == before
    assert "STARTED A PROCESS" not in gunicorn.output()
    # a fork copies only one thread, but the locks of all
    assert psutil.Process(gunicorn.pid).num_threads() == 1


def test_the_workers_carry_no_database_connection_from_the_process_that_forked_them(gunicorn):
    assert not [
        file.path for file in psutil.Process(gunicorn.pid).open_files() if "sqlite" in file.path or file.path.endswith(".db")
    ]


def test_every_line_of_the_web_is_one_json_object(gunicorn):
    lines = [json.loads(line) for line in gunicorn.output().splitlines()]
    assert {"Starting gunicorn 27.0.1"} <= {line["event"] for line in lines}
    assert all({"timestamp", "level", "event"} <= line.keys() for line in lines)


def test_nobody_comes_in_without_signing_in_and_nobody_chooses_a_name(nginx):
    assert get(nginx.ask("/", signed_in=False))[0] == 401
    assert get(nginx.ask("/", signed_in=False, X_Forwarded_User="admin"))[0] == 401
    for name in ("X-Forwarded-User", "x-forwarded-user", "X_Forwarded_User"):
        request = nginx.ask("/_dash-layout")
        request.add_unredirected_header(name, "admin")
        body = get(request)[1]
        assert b'"siti"' in body, name
        assert b'"admin"' not in body, name


def test_a_program_with_a_key_comes_through_to_the_api_and_a_name_without_its_password_does_not(nginx, key):
    def ask(path: str, authorization: str, **headers: str) -> int:
        return get(nginx.ask(path, signed_in=True, Authorization=authorization, **headers))[0]

    assert ask("/api/jobs", f"Bearer {key}") == 200
    assert ask("/api/jobs", "Bearer nothing") == 401
    assert ask("/_dash-layout", f"Bearer {key}", X_Forwarded_User="siti") == 401
    unproved = "Basic " + base64.b64encode(b"siti:wrong").decode()
    assert ask("/api/jobs", unproved) == 401
    assert ask("/embed/nothing", unproved) == 401  # nginx asks nobody there, and so names nobody
    assert ask("/embed/plotly.js", "") == 200


def test_an_embedded_chart_is_looked_at_through_nginx_by_whom_it_does_not_know(kept, nginx):
    settings = Settings(data_dir=kept, auth="proxy", url_prefix="/riwayat/", timezone="UTC", _env_file=None)
    site, access = open_site(settings), open_access(settings)
    maker = owner_identity(settings, access, LOCAL_USER)
    shows = EmbedSpec(("JFK",), ("temperature",), last_ms=86_400_000)
    made = make_embed(access, site, maker, shows, "https://portal.example", None, now_ms=0)
    token = embed_token(settings.signing_secret(), made, 0)
    site.engine.dispose()
    access.engine.dispose()
    status, _, headers = get(nginx.ask(f"/embed/trend?id={made.id}", signed_in=False))
    assert (status, headers["Content-Security-Policy"].endswith("frame-ancestors https://portal.example")) == (200, True)
    status, body, _ = get(nginx.ask("/api/embed", signed_in=False, Authorization=f"Bearer {token}"))
    assert (status, json.loads(body)["request"]["stations"]) == (200, ["JFK"])
    assert get(nginx.ask("/api/jobs", signed_in=False, Authorization=f"Bearer {token}"))[0] == 403
    assert token not in nginx.log.read_text()


def test_the_preview_of_an_embedded_chart_comes_through_nginx_to_who_is_signed_in_and_to_nobody_else(nginx, kept):
    ledger = open_ledger(Settings(data_dir=kept, _env_file=None))
    request = HistoryRequest(("JFK",), ("temperature",), 1_356_998_400_000, 1_359_676_800_000)
    job = ledger.record_completed("siti", request, {}).id
    ledger.engine.dispose()
    access = open_access(Settings(data_dir=kept, auth="proxy", _env_file=None))
    access.add_grant("user", "siti", Grant(may_embed=True), by="test")
    access.engine.dispose()
    path = f"/embed/preview?job={job}&range=fixed&start=1356998400000&end=1359676800000&theme=light&language=en"
    status, body, _ = get(nginx.ask(path))
    assert (status, b"temperature" in body) == (200, True)
    assert get(nginx.ask(path, signed_in=False))[0] == 401
    assert get(nginx.ask("/embed/preview/", signed_in=False))[0] == 401


def test_health_needs_no_sign_in_and_numbers_do_not_leave_the_machine(nginx, gunicorn):
    assert get(nginx.ask("/healthz", signed_in=False))[0] == 200
    status, body, _ = get(nginx.ask("/readyz", signed_in=False))
    assert (status, json.loads(body)["failed"]) == (503, ["worker history", "worker history-large"])
    assert get(nginx.ask("/metrics"))[0] == 403
    assert get(urllib.request.Request(f"{gunicorn.url}/metrics", headers={"X-Forwarded-For": "127.0.0.1"}))[0] == 403
    assert get(urllib.request.Request(f"{gunicorn.url}/metrics"))[0] == 200


def test_json_comes_compressed(nginx):
    _, body, headers = get(nginx.ask("/_dash-layout", Accept_Encoding="gzip"))
    assert headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(body))


def test_the_counts_of_all_web_processes_are_added_up(gunicorn, nginx):
    def counted() -> float:
        text = get(urllib.request.Request(f"{gunicorn.url}/metrics"))[1].decode()
        line = next((one for one in text.splitlines() if one.startswith('riwayat_request_seconds_count{kind="page"}')), "x 0")
        return float(line.rpartition(" ")[2])

    before = counted()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(get, [nginx.ask("/")] * 40))
    assert {counted() for _ in range(20)} == {before + 40}  # whichever process answers


def test_events_pass_through_nginx_as_they_come(nginx):
    """No worker runs, so the job waits: what comes does so while the stream is open."""
    body = json.dumps({"stations": ["JFK"], "sensors": ["temperature"], "start": "2013-01-01", "end": "2013-02-01"}).encode()
    request = nginx.ask("/api/jobs", Content_Type="application/json")
    request.data = body
    job = json.loads(get(request)[1])
    began_s = time.monotonic()
    with urllib.request.urlopen(nginx.ask(f"/api/jobs/{job['id']}/events"), timeout=20) as stream:
        lines = iter(stream.readline, b"")
        assert next(line for line in lines if line.startswith(b"event:")) == b"event: status\n"
        assert b'"queued"' in next(line for line in lines if line.startswith(b"data:"))
        assert time.monotonic() - began_s < 5  # the stream itself goes on for 15 s
    cancel = nginx.ask(f"/api/jobs/{job['id']}/cancel", Content_Type="application/json")
    cancel.data = b"{}"
    assert get(cancel)[0] == 202


def test_nginx_logs_each_request_with_its_time_and_user(nginx):
    get(nginx.ask("/"))
    last = wait_until(lambda: [each for each in nginx.requests() if each["path"] == "/riwayat/"], "a line in the log")[-1]
    assert (last["status"], last["user"]) == (200, "siti")
    assert 0 <= last["seconds"] < 20
