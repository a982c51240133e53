"""Alarms over HTTP: whose they are, what they need, and what changing one does."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from access.alarm_rules.alarm_messages import due_mails, take_mail
from access.alarm_rules.alarm_rule import all_alarms
from access.alarm_rules.alarm_states import AlarmStep, note_step
from access.audit.entries import AuditFilter
from access.grants import Grant
from access.store import AccessStore, open_access
from analysis.alarms import AlarmChange, AlarmState
from app import create_app
from config import Settings
from data.time.epoch import epoch_ms
from tests.people import grant_everyone

NEW: dict[str, Any] = {
    "name": "Warm",
    "stations": ["J*"],
    "sensor": "temperature",
    "kind": "above",
    "limit": 30,
    "for": 10,
    "to": ["duty@example.org"],
}
MAIL = {"smtp_host": "127.0.0.1", "smtp_from": "riwayat@example.org"}
Ask = Callable[..., TestResponse]


def asking(data_dir: Path, **more: Any) -> Ask:
    """A site as a proxy's users see it: ``ask(user, method, path, json=…)``."""
    settings = Settings(data_dir=data_dir, auth="proxy", proxy_secret="s" * 20, admins="root", _env_file=None, **more)
    client = create_app(settings).server.test_client()

    def ask(user: str, method: str, path: str = "", **body: Any) -> TestResponse:
        headers = {"X-Forwarded-User": user, "X-Riwayat-Proxy-Secret": "s" * 20}
        return client.open(f"/api/alarms{path}", method=method, headers=headers, **body)

    return ask


@pytest.fixture
def data_dir(sample_data_dir: Path, tmp_path: Path) -> Path:
    made = Path(shutil.copytree(sample_data_dir, tmp_path / "var"))
    settings = Settings(data_dir=made, auth="proxy", _env_file=None)
    grant_everyone(settings, Grant(stations=("JFK",), may_export=True))
    grant_everyone(settings, Grant(stations=("LGA",), may_export=False))
    return made


@pytest.fixture
def access(data_dir: Path) -> AccessStore:
    return open_access(Settings(data_dir=data_dir, _env_file=None))


def fires(access: AccessStore) -> None:
    """The only alarm fires at JFK."""
    (rule,) = all_alarms(access.engine)
    step = AlarmStep("JFK", None, AlarmState("firing", 5, 5), [AlarmChange(5, "firing", 31.5)])
    assert note_step(access.engine, rule, step, epoch_ms())


def test_an_alarm_is_its_owners_and_administrators(data_dir, access):
    ask = asking(data_dir, **MAIL)
    made = ask("sari", "POST", json=NEW)
    assert made.status_code == 201, made.text
    found = made.json
    assert (found["owner"], found["when"], found["condition"]["for"], found["states"]) == ("sari", "above 30 for 10 min", 10, [])
    fires(access)
    path = f"/{found['id']}"
    assert ask("budi", "GET").json["alarms"] == []
    others = [("GET", "/events", None), ("DELETE", "", None), ("POST", "", NEW), ("POST", "/test", {})]
    others += [("POST", "/acknowledge", {"station": "JFK"})]
    assert {ask("budi", method, path + rest, json=body).status_code for method, rest, body in others} == {404}
    assert ask("root", "POST", path, json=NEW).status_code == 404  # it would be the owner's with another's rights
    (event,) = ask("root", "GET", f"{path}/events").json["events"]
    assert (event["station"], event["status"], event["value"], event["at"]) == ("JFK", "firing", 31.5, "1970-01-01T00:00:00.005Z")
    assert ask("sari", "POST", f"{path}/acknowledge", json={"station": "LGA"}).status_code == 409
    (state,) = ask("sari", "POST", f"{path}/acknowledge", json={"station": "JFK"}).json["states"]
    assert (state["status"], state["acknowledged_by"]) == ("firing", "sari")
    assert ask("root", "DELETE", path).status_code == 204
    assert ask("sari", "GET").json == {"mail": True, "alarms": []}


def test_with_another_condition_an_alarm_begins_anew_and_else_goes_on(data_dir, access):
    ask = asking(data_dir, **MAIL)
    path = f"/{ask('sari', 'POST', json=NEW).json['id']}"
    fires(access)
    renamed = ask("sari", "POST", path, json={**NEW, "name": "Hot"}).json
    assert (renamed["name"], [each["status"] for each in renamed["states"]]) == ("Hot", ["firing"])
    changed = ask("sari", "POST", path, json={**NEW, "limit": 31}).json
    assert (changed["states"], ask("sari", "GET", f"{path}/events").json, due_mails(access.engine, 10**15)) == (
        [],
        {"events": []},
        [],
    )
    fires(access)  # nothing of before stands in the way
    assert len(access.audit.entries(AuditFilter(action="alarm_changed"), limit=5)) == 2


@pytest.mark.parametrize(
    ("status", "given"),
    [
        (400, {"stations": ["EWR"]}),
        (403, {"stations": ["LGA"]}),
        (400, {"sensor": "nothing"}),
        (400, {"kind": "silent"}),
        (400, {"to": ["nobody"]}),
        (400, {"quiet": "late"}),
        (400, {"timezone": "Mars"}),
    ],
)
def test_what_cannot_be_or_may_not_be_told_is_refused(data_dir, access, status, given):
    assert asking(data_dir, **MAIL)("sari", "POST", json={**NEW, **given}).status_code == status
    assert all_alarms(access.engine) == []


def test_a_test_mail_waits_for_the_next_look_once_a_minute(data_dir, access):
    assert asking(data_dir)("sari", "POST", json=NEW).status_code == 409  # no mail server
    ask = asking(data_dir, **MAIL)
    path = f"/{ask('sari', 'POST', json=NEW).json['id']}/test"
    assert ask("sari", "POST", path, json={}).status_code == 202
    later = epoch_ms() + 1
    (mail,) = due_mails(access.engine, later)
    taken = take_mail(access.engine, mail, later)
    assert taken is not None
    assert (taken.address, taken.is_test) == ("duty@example.org", True)
