"""No secret gets into a log line, whoever writes it there."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import request

from access.keys import new_key
from access.passwords import hash_password
from access.store import open_access
from app import create_app
from commands.setup import bring_up_to_date
from config import Settings
from data.database.engine import make_engine
from logs import configure_logs
from redaction import HIDDEN, without_secrets
from tests.people import grant_everyone

CANARY = "k4n4r1Kenari99xyz"
PASSWORD = f"{CANARY} is a password"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def telling(written: io.StringIO) -> Iterator[None]:
    """Standard error is ``written``, and tells as much as it can;
    in the test itself, as pytest changes it between phases.
    """
    config, root, stderr = structlog.get_config(), logging.getLogger(), sys.stderr
    handlers, level = root.handlers[:], root.level
    sys.stderr, root.handlers[:] = written, []
    try:
        configure_logs("debug")
        yield
    finally:
        sys.stderr, root.handlers[:] = stderr, handlers
        root.setLevel(level)
        structlog.configure(**config)


KINDS = pytest.mark.parametrize("kind", [io.StringIO, Terminal], ids=["file", "terminal"])


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"Cookie: a=1; riwayat_session={CANARY}",
        f"x-riwayat-proxy-secret: {CANARY}",
        f"('Authorization', 'Basic {CANARY}==')",
        f"the key rwk_ab12_{CANARY} is wrong",
        f"postgresql+psycopg://riwayat:{CANARY}@127.0.0.1/db is away",
        f"redis://:{CANARY}@127.0.0.1:6379/0",
        f"GET /_dash-update-component?cacheKey=abc~{CANARY}{CANARY}&job=1",
        f"GET /?job={CANARY}",
        f"token eyJhIjoxfQ.ZmFrZQ.{CANARY}",
        f".eJyrVkrLz1eyUkpKLFKqBQA.ZmFr.{CANARY}",
        f"hash $argon2id$v=19$m=65536,t=3,p=4${CANARY}",
    ],
)
def test_what_opens_something_is_hidden_in_any_text(text):
    assert CANARY not in without_secrets(text)
    assert HIDDEN in without_secrets(text)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("no route to postgresql+psycopg://u:p:a@ss/w@db.example/x", "no route to postgresql+psycopg://u:…@db.example/x"),
        ("redis://:hunter2@host", "redis://:…@host"),
        ("host=db password=hunter2 port=1", "host=db password=… port=1"),
        ("password='hunter2 x', y=1", "password=…, y=1"),
        ("{'user': 'u', 'password': b'hunter2'}", "{'user': 'u', 'password': …}"),
        ("Access denied (using password: YES)", "Access denied (using password: YES)"),
        ("https://example.org/a at 12:30", "https://example.org/a at 12:30"),
    ],
)
def test_a_password_is_hidden_to_its_end_and_nothing_beside_it(said, kept):
    assert without_secrets(said) == kept


@pytest.mark.parametrize(
    "text",
    [
        "tile written",
        "access.embeds.embed_table.rights_of_user raised werkzeug.exceptions.RequestEntityTooLarge",
        "http://127.0.0.1:8050/riwayat/",
        "sqlite:////var/lib/riwayat/riwayat.sqlite",
        "2013-01-01T00:00:00Z ~ 5 rows",
        "a basic rule, the bearer of it",
    ],
)
def test_what_opens_nothing_is_left_as_it_is(text):
    assert without_secrets(text) == text


@KINDS
def test_fields_with_the_name_of_a_secret_are_hidden_at_any_depth(kind):
    with telling(told := kind()):
        log = structlog.get_logger("a test")
        log.info("said", password=CANARY, Authorization=CANARY, api_key=CANARY)
        log.info("said", nested={"token": CANARY, "list": [{"cookie": CANARY}]})
        log.info("said", job="job-1", rows=5, empty=None)
    assert CANARY not in told.getvalue()
    assert "job-1" in told.getvalue()


@pytest.fixture
def site(tmp_path: Path) -> tuple[Settings, str]:
    settings = Settings(data_dir=tmp_path / "var", auth="login", proxy_secret=CANARY)
    bring_up_to_date(settings)
    grant_everyone(settings)
    access = open_access(settings)
    access.add_account("siti", password_hash=hash_password(PASSWORD))
    key, _made = new_key(access, "siti", label="a script", scopes=["read"], expires_ms=None, now_ms=0)
    access.engine.dispose()
    return settings, key


@KINDS
def test_a_whole_visit_with_errors_leaves_no_secret_in_the_log(site, kind):
    settings, key = site
    with telling(told := kind()):
        cookie = visit(settings, key)
    log = told.getvalue()
    assert "ValueError" in log
    assert "Traceback" in log
    for secret in (CANARY, cookie, key, key.split("_", 2)[2], settings.signing_secret()):
        assert secret not in log, [line for line in log.splitlines() if secret in line][:2]
    if not told.isatty():
        assert all(json.loads(line) for line in log.splitlines())


def visit(settings: Settings, key: str) -> str:
    """Somebody signs in, errs, and meets a route that tells all it knows;
    their session's cookie.
    """
    server = create_app(settings).server

    def careless() -> str:
        password, bearer = request.values.get("password", ""), request.headers.get("Authorization")
        structlog.get_logger("careless").warning(
            "looked at", headers=dict(request.headers), url=request.url, cookies=request.cookies
        )
        logging.getLogger("careless").warning("headers %s of %s", request.headers, request.full_path)
        raise ValueError(f"no use of {request.headers} and {bearer}, {'a password' if password else ''}")

    server.add_url_rule("/api/careless", "careless", careless, methods=["GET", "POST"])
    here: Any = server.test_client()
    form = here.get("/login").text.split('name="csrf" value="')[1].split('"')[0]
    wrong = here.post("/login", data={"csrf": form, "name": "siti", "password": f"{CANARY} wrong"})
    right = here.post("/login", data={"csrf": form, "name": "siti", "password": PASSWORD})
    assert (wrong.status_code, right.status_code) == (401, 303)
    cookie = here.get_cookie("riwayat_session").value
    signed = f"abc~{CANARY}{CANARY}"
    here.get(f"/?job={CANARY}")
    here.post(f"/_dash-update-component?cacheKey={signed}&job={signed}", json={"password": CANARY})
    assert here.get(f"/api/careless?job={CANARY}&token={CANARY}").status_code == 500
    other = server.test_client()
    bearer = {"Authorization": f"Bearer {key}", "X-Riwayat-Proxy-Secret": CANARY}
    assert other.get("/api/careless?password=x", headers=bearer).status_code == 500
    assert other.get("/api/jobs", headers={"Authorization": f"Bearer rwk_{CANARY}"}).status_code == 401
    return str(cookie)


def test_an_error_of_a_database_does_not_tell_what_was_written(settings):
    engine = make_engine(f"sqlite:///{settings.data_dir / 'x.sqlite'}")
    with engine.connect() as connection, pytest.raises(Exception, match="no such table") as raised:
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (?)", (CANARY,))
    assert CANARY not in str(raised.value)
    engine.dispose()
