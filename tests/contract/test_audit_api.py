"""What the audit log tells of a site in use, who may read it over HTTP and by command,
and what its file is like.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from werkzeug.test import TestResponse

from access.audit.csv import COLUMNS
from access.audit.log import Actor, AuditLog, act_as
from access.embeds.embed_table import add_embed, end_embed, new_embed
from access.embeds.embed_token import embed_token
from access.embeds.spec import EmbedSpec
from access.grants import Grant
from access.keys import new_key
from access.passwords import hash_password
from access.store import AccessStore, open_access
from app import create_app
from config import Settings
from data.request import request_of
from data.site import open_site
from jobs.kinds.history import load_history
from manage import build

MARCH: dict[str, Any] = {
    "stations": ["JFK"],
    "sensors": ["temperature"],
    "start": "2013-03-01",
    "end": "2013-04-01",
    "timezone": "UTC",
}
PASSWORD = "curah hujan 1950"


@dataclass(frozen=True)
class World:
    """The sample behind a proxy: March of JFK is loaded and granted to everybody,
    kepala is the administrator.
    """

    settings: Settings
    access: AccessStore
    server: Any

    def ask(self, user: str, path: str, *, body: Mapping[str, Any] | None = None, **headers: str) -> TestResponse:
        sent = {"X-Forwarded-User": user} | {name.replace("_", "-"): value for name, value in headers.items()}
        client = self.server.test_client()
        answer = client.get(path, headers=sent) if body is None else client.post(path, json=body, headers=sent)
        answer.get_data()
        return answer

    @property
    def log(self) -> AuditLog:
        return self.access.audit

    def told(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(actor, action, subject), oldest first."""
        return [(entry.actor, entry.action, dict(entry.subject)) for entry in self.log.every()][::-1]


@pytest.fixture(scope="module")
def with_march(sample_data_dir, tmp_path_factory) -> Path:
    """The sample, of which MARCH is loaded; tests take a copy."""
    made = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("audit") / "var"))
    site = open_site(Settings(data_dir=made, _env_file=None))
    request = request_of(MARCH["stations"], MARCH["sensors"], MARCH["start"], MARCH["end"], "raw", "UTC")
    load_history(site, request, lambda progress: None)
    site.engine.dispose()
    return made


@pytest.fixture
def world(with_march, tmp_path) -> Iterator[World]:
    data_dir = Path(shutil.copytree(with_march, tmp_path / "site"))
    settings = Settings(
        data_dir=data_dir, auth="proxy", proxy_user_header="X-Forwarded-User", admins="kepala", timezone="UTC", _env_file=None
    )
    access = open_access(settings)
    access.add_grant("everyone", "", Grant(stations=("JFK",), may_embed=True), by="test")
    made = World(settings, access, create_app(settings).server)
    yield made
    access.engine.dispose()


def test_loads_and_exports_are_told_with_their_request_their_job_and_who_asked_from_where(world):
    job = world.ask("sari", "/api/jobs", body=MARCH).json["id"]
    window = "from=2013-03-02T00:00:00Z&to=2013-03-03T00:00:00Z"
    assert world.ask("sari", f"/api/jobs/{job}/data?format=parquet&{window}").status_code == 200
    whole = {"stations": ["JFK"], "sensors": ["temperature"], "resolution": "raw"}
    assert world.told()[1:] == [
        ("sari", "load", {"job": job, **whole, "from": "2013-03-01T00:00:00Z", "to": "2013-04-01T00:00:00Z"}),
        (
            "sari",
            "export",
            {"job": job, "format": "parquet", **whole, "from": "2013-03-02T00:00:00Z", "to": "2013-03-03T00:00:00Z"},
        ),
    ]
    entry = world.log.entries(limit=1)[0]
    assert (entry.via, entry.address) == ("proxy", "127.0.0.1")


def test_a_file_that_the_browser_has_already_is_no_export_and_looking_is_none_either(world):
    job = world.ask("sari", "/api/jobs", body=MARCH).json["id"]
    tag = world.ask("sari", f"/api/jobs/{job}/data").headers["ETag"]
    before = len(world.told())
    assert world.ask("sari", f"/api/jobs/{job}/data", If_None_Match=tag).status_code == 304
    assert world.ask("sari", f"/api/jobs/{job}/figure").status_code == 200
    assert world.server.test_client().head(f"/api/jobs/{job}/data", headers={"X-Forwarded-User": "sari"}).status_code == 200
    assert len(world.told()) == before


def test_what_is_not_granted_is_told_as_refused_with_what_was_asked_for(world):
    job = world.ask("kepala", "/api/jobs", body=MARCH).json["id"]
    assert world.ask("sari", f"/api/jobs/{job}").status_code == 404
    assert world.ask("sari", "/api/jobs", body=MARCH | {"stations": ["EWR"]}).status_code == 400
    assert world.ask("sari", "/api/jobs?all=true").status_code == 403
    assert world.ask("sari", "/api/audit").status_code == 404
    assert world.ask("sari", "/api/jobs", body={}).status_code == 400  # wrong, but not refused
    found = [subject for actor, action, subject in world.told() if (actor, action) == ("sari", "refused")]
    assert [subject["reason"] for subject in found] == ["job_not_found", "unknown_station", "not_permitted", "not_found"]
    assert found[0]["path"] == f"/api/jobs/{job}"
    assert "EWR" in found[1]["error"]


def test_a_wrong_key_is_told_and_not_what_it_was(world):
    text, _key = new_key(world.access, "sari", label="x", scopes=["read"], expires_ms=None, now_ms=1)
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert world.ask("", "/api/jobs", Authorization=f"Bearer {wrong}").status_code == 401
    assert world.ask("", "/api/jobs", Authorization=f"Bearer {text}").status_code == 200
    assert world.ask("", "/api/jobs", Authorization=f"Bearer {text}").status_code == 200
    assert [(actor, action) for actor, action, _ in world.told()][2:] == [("", "refused"), ("sari", "key_used")]
    assert wrong[-43:] not in repr(world.told())
    assert text[-43:] not in repr(world.told())


def test_an_embedded_chart_is_told_when_it_is_made_when_a_job_of_it_is_looked_at_first_and_when_it_is_revoked(world):
    spec = EmbedSpec(("JFK",), ("temperature",), 1_362_096_000_000, 1_364_774_400_000, None, "raw", "UTC")
    embed = new_embed("sari", "Landing", spec, "https://portal.example", None)
    act_as(Actor("sari", "login"))
    add_embed(world.access, embed)
    token = embed_token(world.settings.signing_secret(), embed, embed.created_ms)
    for _viewer in range(3):
        answer = world.ask("", "/api/jobs", body=MARCH | {"resolution": "raw"}, Authorization=f"Bearer {token}")
        assert answer.status_code == 202, answer.text
    act_as(Actor("sari", "login"))
    end_embed(world.access, embed.id)
    end_embed(world.access, embed.id)  # has ended
    assert world.ask("", "/api/embed", Authorization=f"Bearer {token}").status_code == 401
    told = [(actor, action) for actor, action, _ in world.told()][1:]
    assert told == [("sari", "embed_made"), (f"embed:{embed.id}", "embed_viewed"), ("sari", "embed_revoked"), ("", "refused")]
    assert token not in repr(world.told())
    assert world.told()[1][2]["origin"] == "https://portal.example"


def test_signing_in_and_out_and_failing_to_are_told_and_a_name_only_if_there_is_one_such(data_dir):
    settings = Settings(data_dir=data_dir, auth="login", timezone="UTC", _env_file=None)
    access = open_access(settings)
    access.add_account("sari", password_hash=hash_password(PASSWORD))
    client = create_app(settings).server.test_client()

    def send(path: str, **fields: str) -> None:
        client.get("/login")
        with client.session_transaction() as kept:
            token = kept.get("csrf", "")
        client.post(path, data={"csrf": token} | fields)

    send("/login", name="sari", password="wrong")
    send("/login", name="my secret pass phrase", password="")
    send("/login", name="sari", password=PASSWORD)
    with client.session_transaction() as kept:
        token = kept["csrf"] = "t"
    client.post("/logout", data={"csrf": token})
    found = [(entry.actor, entry.action, entry.outcome, dict(entry.subject)) for entry in access.audit.every()][::-1]
    access.engine.dispose()
    assert found[1:] == [
        ("", "login", "refused", {"reason": "wrong_password", "user": "sari"}),
        ("", "login", "refused", {"reason": "wrong_password"}),
        ("sari", "login", "done", {}),
        ("sari", "logout", "done", {}),
    ]
    assert PASSWORD not in repr(found)
    assert "pass phrase" not in repr(found)


# -- reading it ------------------------------------------------------------------------------------


def fill(world: World, count: int) -> None:
    for number in range(count):
        world.log.record("load", {"n": number}, actor=Actor(f"user{number % 2}", "login", "192.0.2.1"))


def test_only_administrators_can_read_it_and_to_others_it_is_like_any_path_that_is_not_there(world):
    fill(world, 3)
    assert world.ask("kepala", "/api/audit").status_code == 200
    for query in ("", "?format=csv", "?limit=nonsense", "?action=nonsense"):
        refused, unknown = (world.ask("sari", path + query) for path in ("/api/audit", "/api/nowhere"))
        assert refused.status_code == unknown.status_code == 404
        assert refused.json["error"]["message"].replace("/api/audit", "") == unknown.json["error"]["message"].replace(
            "/api/nowhere", ""
        )
    for owner, scopes, status in (("kepala", ["read", "export"], 404), ("sari", ["admin"], 404), ("kepala", ["admin"], 200)):
        text, _key = new_key(world.access, owner, label="x", scopes=scopes, expires_ms=None, now_ms=1)
        assert world.ask("", "/api/audit", Authorization=f"Bearer {text}").status_code == status


def test_without_sign_in_there_is_no_administrator_and_no_log_over_http(data_dir):
    client = create_app(Settings(data_dir=data_dir, _env_file=None)).server.test_client()
    assert client.get("/api/audit").status_code == 404


def test_pages_follow_each_other_with_the_filters_that_were_asked_for(world):
    fill(world, 9)
    path, seen = "/api/audit?actor=user0&action=load&limit=2", []
    while path:
        page = world.ask("kepala", path).json
        seen += [entry["subject"]["n"] for entry in page["entries"]]
        path = page["next"]
    assert seen == [8, 6, 4, 2, 0]
    last = world.ask("kepala", "/api/audit?limit=1&action=load").json["entries"][0]
    assert (last["actor"], last["via"], last["address"], last["outcome"]) == ("user0", "login", "192.0.2.1", "done")
    assert world.ask("kepala", f"/api/audit?from={last['time']}&action=load").json["entries"][0] == last
    assert world.ask("kepala", f"/api/audit?from={last['time']}&to={last['time']}").status_code == 200
    assert world.ask("kepala", "/api/audit?to=2001-01-01").json == {"entries": [], "next": None}


def test_a_question_that_means_nothing_names_its_field(world):
    for query in ("action=nonsense", "from=nonsense", "to=yesterday", "limit=0", "before=-1", "format=xml"):
        answer = world.ask("kepala", f"/api/audit?{query}")
        assert (answer.status_code, answer.json["error"]["field"]) == (400, query.partition("=")[0]), query


def test_the_file_holds_every_entry_and_no_cell_that_a_spreadsheet_would_calculate(world):
    evil = ['=HYPERLINK("http://evil.example","x")', "+1", "-1", "@SUM(A1)", "\t=1", 'a,"b"\r\nc']
    for name in evil:
        world.log.record("load", {"n": name}, actor=Actor(name, "proxy", "192.0.2.1"))
    answer = world.ask("kepala", "/api/audit?format=csv&action=load")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["actor"] for row in rows][::-1] == [*(f"'{name}" for name in evil[:5]), evil[5]]
    assert [json.loads(row["subject"])["n"] for row in rows][::-1] == evil
    assert world.told()[-1][:2] == ("kepala", "export")
    assert world.told()[-1][2] == {"of": "audit", "format": "csv", "action": "load"}


def test_the_file_is_made_as_it_goes_and_not_in_memory(world, monkeypatch):
    fill(world, 30)
    monkeypatch.setattr("access.audit.log._PAGE", 5)
    monkeypatch.setattr("access.audit.csv._ROWS", 5)
    asked = []
    entries = AuditLog.entries
    monkeypatch.setattr(AuditLog, "entries", lambda log, *a, **k: asked.append(1) or entries(log, *a, **k))
    answer = world.server.test_client().get("/api/audit?format=csv", headers={"X-Forwarded-User": "kepala"})
    begun = len(asked)
    assert answer.get_data(as_text=True).count("\r\n") == 32  # with the grant's and the header
    assert begun <= 2 < len(asked)


# -- by command ------------------------------------------------------------------------------------


def manage(world: World, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setenv("RIWAYAT_DATA_DIR", str(world.settings.data_dir))
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("LOGNAME", "operator")
    return CliRunner().invoke(build(), ["audit", *arguments])


def test_the_log_is_listed_and_written_by_command_and_the_command_itself_is_told(world, monkeypatch, tmp_path):
    fill(world, 4)
    listed = manage(world, monkeypatch, "list", "--actor", "user1", "--json")
    assert [entry["subject"]["n"] for entry in json.loads(listed.stdout)] == [3, 1]
    assert "user0" in manage(world, monkeypatch, "list", "--limit", "2").stdout
    out = tmp_path / "log.csv"
    assert manage(world, monkeypatch, "export", str(out), "--action", "load").exit_code == 0
    assert len(list(csv.DictReader(io.StringIO(out.read_text())))) == 4
    entry = world.log.entries(limit=1)[0]
    assert (entry.actor, entry.via, entry.action, entry.address) == ("operator", "command", "export", "")


def test_the_command_forgets_old_entries_only(world, monkeypatch):
    fill(world, 2)
    assert manage(world, monkeypatch, "prune", "--days", "29").exit_code == 2
    assert manage(world, monkeypatch, "prune").exit_code == 2
    done = manage(world, monkeypatch, "prune", "--days", "400", "--json")
    assert json.loads(done.stdout) == {"forgotten": 0}
    assert world.told()[-1][1] == "pruned"
