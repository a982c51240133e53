"""Headers that somebody makes up, as the real servers pass them on:
who asks is what the proxy says, and nothing beside it.
"""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from access.store import open_access
from config import Settings
from tests.processes import SiteProcess
from tests.served import GunicornProcess

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def data(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("spoofed") / "var"))
    access = open_access(Settings(data_dir=folder, auth="proxy", _env_file=None))
    access.join("dinas", "siti")
    access.engine.dispose()
    return folder


@pytest.fixture(scope="module", params=["gunicorn", "waitress"])
def server(request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a site whose proxy is whoever is on this machine; root runs it."""
    given: dict[str, Any] = {"data_dir": data, "auth": "proxy", "admins": "root", "web_workers": 1}
    folder = tmp_path_factory.mktemp(request.param)
    kind: type[GunicornProcess | SiteProcess] = GunicornProcess if request.param == "gunicorn" else SiteProcess
    with kind(cwd=folder, **given) as process:
        yield process.start().url


def ask(url: str, path: str, *headers: str, method: str = "GET") -> tuple[int, str]:
    """Status and text of an answer to a request that is written by hand."""
    parts = urlsplit(url)
    assert parts.port
    text = "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{parts.port}", "Connection: close", *headers, "", ""])
    with socket.create_connection(("127.0.0.1", parts.port), 20) as link:
        link.sendall(text.encode("latin-1"))
        found = b"".join(iter(lambda: link.recv(65536), b""))
    head, _, body = found.decode("utf-8", "replace").partition("\r\n\r\n")
    return int(head.split()[1]), body


def owners(url: str, *headers: str) -> int:
    """Status of a question that only an administrator may ask."""
    return ask(url, "/api/jobs?all=true", *headers)[0]


def test_the_proxys_header_is_believed_whatever_its_case(server):
    assert owners(server, "X-Forwarded-User: root") == 200
    assert owners(server, "x-fORWARDED-uSER: root") == 200
    assert owners(server, "X-Forwarded-User: siti") == 403
    assert owners(server) == 401


@pytest.mark.parametrize(
    "header",
    [
        "X_Forwarded_User: root",
        "X_FORWARDED-USER: root",
        "HTTP_X_FORWARDED_USER: root",
        "X-Forwarded-User : root",
        "REMOTE_USER: root",
        "Remote-User: root",
        "X-Remote-User: root",
        "X-Forwarded-User:",
    ],
)
def test_no_other_header_names_a_user_alone_or_beside_the_proxys(server, header):
    assert owners(server, header) in (400, 401)
    assert owners(server, "X-Forwarded-User: siti", header) in (400, 401, 403)
    assert owners(server, header, "X-Forwarded-User: siti") in (400, 401, 403)


@pytest.mark.parametrize("names", [("siti", "root"), ("root", "siti"), ("siti", "root", "root")])
def test_a_header_that_comes_twice_is_neither_name(server, names):
    assert owners(server, *(f"X-Forwarded-User: {name}" for name in names)) in (400, 401, 403)


@pytest.mark.parametrize("header", ["PATH_INFO: /healthz", "Path-Info: /healthz", "SCRIPT_NAME: /api", "Script-Name: /api"])
def test_no_header_changes_the_path(server, header):
    status, text = ask(server, "/api/jobs", header)
    assert status in (400, 401)
    assert "ok" not in text
    status, text = ask(server, "/api/jobs", header, "X-Forwarded-User: siti")
    assert status == 400 or json.loads(text)["jobs"] == []


def test_a_second_request_inside_a_body_is_no_request(server):
    """Two ways to say how long a body is."""
    inner = "GET /api/jobs?all=true HTTP/1.1\r\nHost: x\r\nX-Forwarded-User: root\r\n\r\n"
    length = f"Content-Length: {len(inner) + 5}"
    status, text = ask(
        server,
        "/api/jobs",
        "X-Forwarded-User: siti",
        length,
        "Transfer-Encoding: chunked",
        "",
        f"0\r\n\r\n{inner}",
        method="POST",
    )
    assert status >= 400
    assert '"jobs"' not in text
