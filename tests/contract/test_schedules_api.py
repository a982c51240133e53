"""Schedules of reports over HTTP: whose they are, what they need, and what the page is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from access.audit.entries import AuditFilter
from access.grants import Grant
from access.schedules import report_schedule as schedules
from access.schedules.report_runs import change_run, enter_run, runs_of
from access.store import AccessStore, open_access
from app import create_app
from config import Settings
from tests.people import grant_everyone

NEW: dict[str, Any] = {
    "stations": ["JFK"],
    "sensors": ["temperature"],
    "every": "week",
    "format": "html",
    "to": ["head@example.org"],
    "title": "Weekly",
}
MAIL = {"smtp_host": "127.0.0.1", "smtp_from": "riwayat@example.org"}
Ask = Callable[..., TestResponse]


def asking(data_dir: Path, **more: Any) -> Ask:
    """A site as a proxy's users see it: ``ask(user, method, path, json=…)``."""
    settings = Settings(data_dir=data_dir, auth="proxy", proxy_secret="s" * 20, admins="root", _env_file=None, **more)
    client = create_app(settings).server.test_client()

    def ask(user: str, method: str, path: str = "", **body: Any) -> TestResponse:
        headers = {"X-Forwarded-User": user, "X-Riwayat-Proxy-Secret": "s" * 20}
        return client.open(f"/api/schedules{path}", method=method, headers=headers, **body)

    return ask


@pytest.fixture
def data_dir(sample_data_dir: Path, tmp_path: Path) -> Path:
    made = Path(shutil.copytree(sample_data_dir, tmp_path / "var"))
    grant_everyone(Settings(data_dir=made, auth="proxy", _env_file=None), Grant(stations=("JFK",), may_export=True))
    return made


@pytest.fixture
def access(data_dir: Path) -> AccessStore:
    return open_access(Settings(data_dir=data_dir, _env_file=None))


def test_a_schedule_is_added_listed_and_removed_by_its_owner_and_administrators_alone(data_dir, access):
    ask = asking(data_dir, **MAIL)
    made = ask("sari", "POST", json=NEW)
    assert made.status_code == 201, made.text
    found = made.json
    assert (found["owner"], found["name"], found["every"], found["format"]) == ("sari", "Weekly", "week", "html")
    assert (found["to"], found["stations"], found["timezone"]) == (["head@example.org"], ["JFK"], "America/New_York")
    assert ask("sari", "GET").json == {"mail": True, "schedules": [found]}
    assert ask("budi", "GET").json == {"mail": True, "schedules": []}
    assert ask("root", "GET").json["schedules"] == [found]

    (schedule,) = schedules.all_schedules(access.engine)
    enter_run(access.engine, schedule.id, "2013-W20", was_ms=schedule.next_ms, next_ms=schedule.next_ms + 1)
    change_run(access.engine, runs_of(access.engine, schedule.id)[0], next_ms=None, note="The mail server does not answer.")
    (period,) = ask("sari", "GET").json["schedules"][0]["periods"]
    assert (period["period"], period["status"], period["note"]) == ("2013-W20", "given up", "The mail server does not answer.")

    assert ask("budi", "DELETE", f"/{found['id']}").status_code == ask("budi", "DELETE", "/none").status_code == 404
    assert ask("root", "DELETE", f"/{found['id']}").status_code == 204
    assert ask("sari", "GET").json["schedules"] == []
    told = [(each.action, each.actor) for each in access.audit.entries(AuditFilter(action="schedule_added"), limit=5)]
    told += [(each.action, each.actor) for each in access.audit.entries(AuditFilter(action="schedule_removed"), limit=5)]
    assert told == [("schedule_added", "sari"), ("schedule_removed", "root")]


def test_what_cannot_be_sent_says_why_and_adds_nothing(data_dir, access, monkeypatch):
    without_mail = asking(data_dir)
    assert without_mail("sari", "GET").json == {"mail": False, "schedules": []}
    refused = without_mail("sari", "POST", json=NEW)
    assert (refused.status_code, refused.json["error"]["message"][:22]) == (409, "No mail can be sent: s")

    ask = asking(data_dir, **MAIL)
    said = {}
    for field, change in {"to": {"to": ["nobody"]}, "every": {"every": "day"}, "sensors": {"sensors": ["nothing"]}}.items():
        answer = ask("sari", "POST", json=NEW | change)
        said[field] = (answer.status_code, answer.json["error"]["field"])
    assert said == {"to": (400, "to"), "every": (400, "every"), "sensors": (400, "sensors")}
    assert ask("sari", "POST", json=NEW | {"stations": ["EWR"]}).status_code in (400, 403, 404)
    assert schedules.all_schedules(access.engine) == []

    monkeypatch.setattr(schedules, "MOST_SCHEDULES", 1)
    assert ask("sari", "POST", json=NEW).status_code == 201
    assert ask("sari", "POST", json=NEW).status_code == 409
    assert ask("budi", "POST", json=NEW).status_code == 201
