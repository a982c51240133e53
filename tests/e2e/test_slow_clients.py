"""Clients that send or read slowly, straight to the servers:
they hold connections, and keep nobody else waiting.
"""

from __future__ import annotations

import http.client
import re
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from access.embeds.embed_token import embed_token, make_embed
from access.embeds.spec import EmbedSpec
from access.identity import owner_identity
from access.names import LOCAL_USER
from access.store import migrate_access, open_access
from config import Settings
from data.database.engine import migrate_observations
from data.request import HistoryRequest
from data.site import open_site
from data.tiles.tile_store import SeriesKey
from data.time.months import month_start_ms, months_of, parse_month
from jobs.ledger.ledger import migrate_jobs, open_ledger
from tests.people import grant_everyone
from tests.processes import ROOT, SiteProcess, answers, wait_until
from tests.served import GunicornProcess, NginxProcess
from tests.tiled import store_rows

pytestmark = pytest.mark.process

FIRST, LAST = month_start_ms(parse_month("2018-01")), month_start_ms(parse_month("2020-01"))
CROWD: Final = 40  # more than any server here has threads
POST: Final = "POST /riwayat/api/jobs HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-User: sari\r\nContent-Type: application/json\r\n"
QUICK_S: Final = 3.0  # on a busy machine; who waits for a slow client waits for ever


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str, str]:
    """A site with two years of minutes (a CSV of 40 MB), a job of sari's and of budi's,
    and the token of a chart of it.
    """
    settings = Settings(data_dir=tmp_path_factory.mktemp("slow") / "var", auth="proxy", timezone="UTC", _env_file=None)
    settings.prepare()
    site, ledger, access = open_site(settings), open_ledger(settings), open_access(settings)
    migrate_observations(site.engine, site.catalogue)
    migrate_jobs(ledger.engine)
    migrate_access(access.engine)
    times = np.arange(FIRST, LAST, 60_000)
    key = SeriesKey(site.source_id, "aws-1", "temperature")
    store_rows(site.tiles, site.catalogue["temperature"], times, np.full(len(times), 21.25), key=key)
    with site.engine.begin() as connection:
        site.inventory.describe(connection, "aws-1", sensors=dict.fromkeys(["temperature"]), step_ms=60_000)
        for month in np.unique(months_of(times)).tolist():
            here = times[months_of(times) == month]
            site.inventory.record(connection, "aws-1", month=month, added=len(here), first_ms=int(here[0]), last_ms=int(here[-1]))
    grant_everyone(settings)
    request = HistoryRequest(("aws-1",), ("temperature",), FIRST, LAST)
    jobs = [ledger.record_completed(name, request, {}).id for name in ("sari", "budi")]
    shows = EmbedSpec(("aws-1",), ("temperature",), start_ms=FIRST, end_ms=LAST)
    maker = owner_identity(settings, access, LOCAL_USER)
    made = make_embed(access, site, maker, shows, "https://portal.example", None, now_ms=0)
    shown = ledger.record_completed(made.user, request, {}).id
    token = embed_token(settings.signing_secret(), made, 0)
    for engine in (site.engine, ledger.engine, access.engine):
        engine.dispose()
    return settings.data_dir, jobs[0], jobs[1], f"{shown} {token}"


@pytest.fixture(scope="module", params=["gunicorn", "waitress"])
def served(request: pytest.FixtureRequest, loaded: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a site with one web process."""
    kind = GunicornProcess if request.param == "gunicorn" else SiteProcess
    settings = {"data_dir": loaded[0], "auth": "proxy", "timezone": "UTC", "web_workers": 1, "url_prefix": "/riwayat/"}
    with kind(cwd=tmp_path_factory.mktemp(request.param), **settings) as process:
        process.wait_until_ready(lambda: answers(f"http://127.0.0.1:{process.port}/riwayat/healthz"))
        yield process.port


@pytest.fixture
def crowd() -> Iterator[ExitStack]:
    """Connections that are closed at the end of a test."""
    with ExitStack() as stack:
        yield stack


def slow_client(port: int, text: str, crowd: ExitStack) -> socket.socket:
    """A connection that takes a few kB, and has sent so much."""
    client = crowd.enter_context(socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    client.connect(("127.0.0.1", port))
    client.sendall(text.encode())
    return client


def asked(path: str, **headers: str) -> str:
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines) + "\r\n\r\n"


def head(client: socket.socket) -> tuple[int, bool]:
    """Status of the answer, and whether it says when to ask again."""
    text = b""
    while b"\r\n\r\n" not in text:
        piece = client.recv(256)
        assert piece, text
        text += piece
    return int(text.split()[1]), re.search(rb"\r\nRetry-After: [0-9]+\r\n", text) is not None


def begin_two(port: int, asking: str, crowd: ExitStack) -> None:
    """Two slow downloads that are being sent; those of another test may have to end first."""
    for _ in range(2):
        wait_until(lambda: head(slow_client(port, asking, crowd))[0] == 200, "a download that begins")


def seconds(port: int, path: str, user: str = "budi") -> float:
    """How long it takes until somebody else is answered."""
    began_s = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={"X-Forwarded-User": user} if user else {})
    assert connection.getresponse().status == 200
    connection.close()
    return time.monotonic() - began_s


def assert_others_are_answered(port: int) -> None:
    for path, user in (("/riwayat/healthz", ""), ("/riwayat/api/jobs", "budi"), ("/riwayat/_dash-layout", "budi")):
        assert seconds(port, path, user) < QUICK_S, path


def test_slow_downloads_of_one_user_are_few_and_leave_the_site_to_others(served, loaded, crowd):
    _, of_sari, of_budi, _ = loaded
    asking = asked(f"/riwayat/api/jobs/{of_sari}/data", X_Forwarded_User="sari")
    begin_two(served, asking, crowd)
    assert {head(slow_client(served, asking, crowd)) for _ in range(20)} == {(429, True)}
    assert_others_are_answered(served)
    begin_two(served, asked(f"/riwayat/api/jobs/{of_budi}/data", X_Forwarded_User="budi"), crowd)
    assert head(slow_client(served, asked(f"/riwayat/api/jobs/{of_budi}/data", X_Forwarded_User="root"), crowd)) == (404, False)
    assert_others_are_answered(served)
    crowd.close()  # who goes gives the place back
    begin_two(served, asking, crowd)


def test_slow_downloads_by_strangers_with_a_charts_token_leave_the_site_to_others(served, loaded, crowd):
    shown, token = loaded[3].split()
    asking = asked(f"/riwayat/api/jobs/{shown}/data", Authorization=f"Bearer {token}")
    begin_two(served, asking, crowd)
    assert {head(slow_client(served, asking, crowd)) for _ in range(20)} == {(429, True)}
    assert_others_are_answered(served)


@pytest.mark.parametrize(
    "begun",
    [
        "",
        "GET /riwayat/healthz HTTP/1.1\r\nHo",
        f"{POST}Content-Length: 999\r\n\r\n{{",
        f"{POST}Transfer-Encoding: chunked\r\n\r\n3e7\r\n{{",
        "GET /riwayat/healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /riwayat/healthz HTTP/1.1\r\nHo",
    ],
    ids=["nothing", "head", "body", "chunks", "second"],
)
def test_who_sends_slowly_holds_no_thread(served, crowd, begun):
    for _ in range(CROWD):
        slow_client(served, begun, crowd)
    assert_others_are_answered(served)


def test_who_reads_a_page_or_a_script_slowly_holds_no_thread(served, crowd):
    for _ in range(CROWD):
        slow_client(served, asked("/riwayat/embed/plotly.js"), crowd)
    assert_others_are_answered(served)


def test_a_request_that_comes_in_pieces_is_answered_and_so_is_the_one_behind_it(served, crowd):
    client = slow_client(served, "", crowd)
    chunks = f"{POST}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
    text = chunks + asked("/riwayat/healthz") + asked("/riwayat/healthz", Connection="close")
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for begin in range(0, len(text), 7):
        client.sendall(text[begin : begin + 7].encode())
    came = b""
    while piece := client.recv(4096):
        came += piece
    # the body lacks its fields
    assert re.findall(rb"HTTP/1.1 ([0-9]{3})", came) == [b"400", b"200", b"200"]


def test_nginx_waits_for_slow_readers_in_the_sites_place(served, loaded, crowd, tmp_path):
    """What nginx has taken holds no place of the site:
    downloads of one user beyond the site's two begin, up to nginx's four.
    """
    _, of_sari, _, _ = loaded
    with NginxProcess(tmp_path, served) as nginx:
        asking = asked(f"/riwayat/api/jobs/{of_sari}/data", Authorization=f"Basic {b64encode(b'sari:x').decode()}")
        (nginx.folder / "users").write_text("sari:{PLAIN}x\n")
        for _ in range(4):
            wait_until(lambda: head(slow_client(nginx.port, asking, crowd))[0] == 200, "a download that begins")
        assert head(slow_client(nginx.port, asking, crowd)) == (429, True)
        assert_others_are_answered(served)


@pytest.fixture
def hurried(loaded: Any, tmp_path: Path) -> Iterator[GunicornProcess]:
    """The site, which asks for 256 kB in each second instead of each minute,
    and keeps 1 MB for a client.
    """
    config = tmp_path / "hurried.conf.py"
    real = str(ROOT / "gunicorn.conf.py")
    config.write_text(
        f"__file__ = {real!r}\nexec(compile(open(__file__).read(), __file__, 'exec'))\n"
        "from api.servers import client_pace, gunicorn_connection\n"
        "client_pace.WITHIN_S, gunicorn_connection.WAITING_BYTES = 1.0, 1 << 20\n"
    )
    settings = {"data_dir": loaded[0], "auth": "proxy", "timezone": "UTC", "web_workers": 1, "url_prefix": "/riwayat/"}
    with GunicornProcess(cwd=tmp_path, config=config, **settings) as process:
        yield process.start()


def test_a_download_longer_than_nginx_keeps_comes_whole_to_a_slow_reader(hurried, loaded, crowd, tmp_path):
    """nginx takes 3 MB at once, and then nothing for 6 s, while its client takes them."""
    with NginxProcess(tmp_path, hurried.port, temp_file="2m", listen="sndbuf=64k") as nginx:
        (nginx.folder / "users").write_text("sari:{PLAIN}x\n")
        asking = asked(f"/riwayat/api/jobs/{loaded[1]}/data", Authorization=f"Basic {b64encode(b'sari:x').decode()}")
        answer = http.client.HTTPResponse(slow_client(nginx.port, asking, crowd))
        answer.begin()
        for _ in range(30):  # 500 kB/s
            answer.read(50_000)
            time.sleep(0.1)
        while answer.read(1 << 16):  # raises when the rest does not come
            pass
