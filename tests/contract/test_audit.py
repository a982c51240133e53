"""The audit log on every database: what is done and its entry are one,
and the program can only append.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import SQLAlchemyError

from access.audit.actions import LEAST_AGE_DAYS
from access.audit.entries import ALL, AuditFilter
from access.audit.log import MOST_A_MINUTE, Actor, AuditLog, act_as, acting, request_subject
from access.grants import Grant
from access.keys import new_key, revoke_key
from access.store import AccessStore
from access.tables import audit
from data.database.engine import make_engine
from data.request import request_of
from errors import Conflict, InvalidRequest, JobNotFound, NotFound, NotPermitted
from tests.processes import ROOT

SARI = Actor("sari", "login", "192.0.2.7")
DAY_MS = 86_400_000
HASH = "$argon2id$v=19$secret"


@pytest.fixture(autouse=True)
def _nobody_acts() -> Iterator[None]:
    before = acting()
    act_as(SARI)
    yield
    act_as(before)


@pytest.fixture
def access(migrated_url) -> Iterator[AccessStore]:
    engine = make_engine(migrated_url)
    yield AccessStore(engine, keep_admin=True)
    engine.dispose()


@pytest.fixture
def log(access) -> AuditLog:
    return access.audit


def told(log: AuditLog, wanted: AuditFilter = ALL) -> list[tuple[str, dict]]:
    """(action, subject) of all entries, oldest first."""
    return [(entry.action, dict(entry.subject)) for entry in log.every(wanted)][::-1]


def test_an_entry_says_who_from_where_did_what_to_what_and_when(log):
    log.record("load", {"job": "7", "stations": ["Kota \u2013 1", "b"]})
    (entry,) = log.entries(limit=5)
    assert (entry.actor, entry.via, entry.address) == ("sari", "login", "192.0.2.7")
    assert (entry.action, entry.outcome, entry.subject) == ("load", "done", {"job": "7", "stations": ["Kota \u2013 1", "b"]})
    assert entry.at_ms > 1_700_000_000_000


@pytest.mark.parametrize("subject", ["", "{", "7", "null", '["a"]'])
def test_an_entry_that_cannot_be_read_hides_no_other(access, log, subject):
    log.record("load", {"job": "7"})
    log.record("load", {"job": "8"})
    with access.engine.begin() as connection:
        newest = {"subject": subject, "number": log.entries(limit=1)[0].number}
        connection.execute(text("UPDATE audit SET subject = :subject WHERE number = :number"), newest)
    assert told(log) == [("load", {"job": "7"}), ("load", {"unreadable": subject})]


def test_changes_of_users_groups_grants_and_keys_are_written_with_them_and_hold_no_secret(access, log):
    access.add_account("budi", password_hash=HASH, admin=True)
    access.change_account("budi", password_hash=HASH + "2")
    access.add_account("wati", password_hash=HASH, admin=True)
    access.change_account("budi", admin=False, disabled=True)
    access.join("met", "wati")
    access.leave("met", "wati")
    number = access.add_grant("group", "met", Grant(("aws-*",), ("rain*",), to_ms=0, longest_ms=DAY_MS), note="why", by="sari")
    access.remove_grant(number)
    key_text, key = new_key(access, "wati", label="script", scopes=["read"], expires_ms=None, now_ms=1)
    revoke_key(access, key.id, 2)
    access.remove_account("budi")
    assert [action for action, _ in told(log)] == [
        *("user_added", "password", "user_added", "user_changed", "group_joined", "group_left"),
        *("grant_added", "grant_removed", "key_made", "key_revoked", "user_removed"),
    ]
    found = dict(told(log))
    assert found["user_changed"] == {"user": "budi", "admin": False, "disabled": True}
    assert found["grant_removed"] == found["grant_added"]
    assert found["grant_added"]["for"] == "group met"
    assert found["grant_added"]["to"] == "1970-01-01T00:00:00Z"
    assert found["key_revoked"] == {"key": key.id, "owner": "wati", "label": "script"}
    kept = repr([vars(entry) for entry in log.every()])
    assert "argon2" not in kept
    assert key_text[-43:] not in kept
    assert {entry.actor for entry in log.every()} == {"sari"}


def test_what_was_not_done_is_not_written(access, log):
    access.add_account("budi", password_hash=HASH)
    access.join("met", "budi")
    for wrong, error in (
        (lambda: access.add_account("budi"), Conflict),
        (lambda: access.change_account("nobody", admin=True), NotFound),
        (lambda: access.leave("met", "nobody"), NotFound),
        (lambda: access.remove_grant(7), NotFound),
        (lambda: access.remove_account("nobody"), NotFound),
    ):
        with pytest.raises(error):
            wrong()
    access.join("met", "budi")  # is in it
    assert [action for action, _ in told(log)] == ["user_added", "group_joined"]


def test_a_grant_whose_entry_cannot_be_written_is_not_made(access):
    with access.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO elsewhere"))
    with pytest.raises(SQLAlchemyError):
        access.add_grant("everyone", "", Grant(), by="sari")
    assert access.grants() == []


def test_an_entry_that_cannot_be_written_stops_nothing_and_is_told_in_the_programs_log(access, log, capsys):
    with access.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO elsewhere"))
    log.record("export", {"job": "7"})
    assert "an entry of the audit log is lost" in "".join(capsys.readouterr())


def test_the_program_can_neither_change_nor_remove_an_entry(access, log):
    log.record("load", {"job": "7"})
    for statement in (update(audit).values(actor="budi"), delete(audit)):
        with pytest.raises(RuntimeError, match="only appended to"), access.engine.begin() as connection:
            connection.execute(statement)
    assert told(log) == [("load", {"job": "7"})]


def test_entries_are_pruned_by_age_but_never_young_ones_and_the_pruning_is_an_entry(access, log):
    log.record("load", {"job": "old"})
    log.record("load", {"job": "new"})
    (new, old) = log.entries(limit=2)
    now = new.at_ms + (LEAST_AGE_DAYS + 1) * DAY_MS
    later = AuditLog(access.engine, lambda: now)
    with access.engine.begin() as connection:
        connection.execute(text(f"UPDATE audit SET at_ms = at_ms - {DAY_MS} WHERE number = {old.number}"))
    with pytest.raises(InvalidRequest, match="30 days"):
        later.prune(now - LEAST_AGE_DAYS * DAY_MS + 1)
    assert later.prune(new.at_ms) == 1
    assert [action for action, _ in told(log)] == ["load", "pruned"]
    assert dict(told(log))["pruned"]["entries"] == 1


def test_entries_are_filtered_by_actor_action_and_time_and_come_in_pages_newest_first(log):
    for number in range(7):
        log.record("load" if number % 2 else "export", {"n": number}, actor=Actor("budi" if number < 3 else "wati", "key"))
    entries = log.entries(limit=7)
    assert [entry.subject["n"] for entry in entries] == [6, 5, 4, 3, 2, 1, 0]
    assert [entry.subject["n"] for entry in log.entries(limit=2, before=entries[2].number)] == [3, 2]
    assert [subject["n"] for _, subject in told(log, AuditFilter(actor="budi"))] == [0, 1, 2]
    assert [subject["n"] for _, subject in told(log, AuditFilter(actor="budi", action="load"))] == [1]
    newest = entries[0].at_ms
    assert told(log, AuditFilter(from_ms=newest + 1)) == []
    assert len(told(log, AuditFilter(from_ms=entries[-1].at_ms, to_ms=newest + 1))) == 7
    assert told(log, AuditFilter(to_ms=entries[-1].at_ms)) == []


def test_all_entries_are_read_in_pages_and_each_once(log, monkeypatch):
    for number in range(7):
        log.record("load", {"n": number})
    monkeypatch.setattr("access.audit.log._PAGE", 2)
    assert [subject["n"] for _, subject in told(log)] == list(range(7))


def test_refusals_that_are_alike_are_one_entry_a_minute_and_later_their_count(access):
    now = [60_000 * 100]
    log = AuditLog(access.engine, lambda: now[0])
    for number in range(50):
        log.refused(JobNotFound(), {"path": f"/api/jobs/{number}"})
    assert told(log) == [("refused", {"reason": "job_not_found", "path": "/api/jobs/0"})]
    log.refused(NotPermitted(), {})  # for another reason
    act_as(Actor("budi", "login", "192.0.2.8"))
    log.refused(JobNotFound(), {})  # another user
    assert len(told(log)) == 3
    now[0] += 60_000
    log.refused(JobNotFound(), {})
    assert told(log)[3:] == [("refused", {"reason": "job_not_found", "repeated": 49}), ("refused", {"reason": "job_not_found"})]
    assert {entry.outcome for entry in log.every()} == {"refused"}
    assert log.entries(limit=2)[1].actor == "sari"


def test_many_different_refusals_cannot_fill_the_disk(access):
    now = [60_000 * 100]
    log = AuditLog(access.engine, lambda: now[0])
    for number in range(MOST_A_MINUTE + 40):
        act_as(Actor("", "none", f"192.0.2.{number}"))
        log.refused(NotPermitted(), {})
    assert len(told(log)) == MOST_A_MINUTE
    now[0] += 60_000
    log.refused(NotPermitted(), {})
    assert told(log)[MOST_A_MINUTE:] == [
        ("refused", {"reason": "many", "repeated": 40}),
        ("refused", {"reason": "not_permitted"}),
    ]


def test_an_entry_about_thousands_of_stations_fits_and_says_how_many_it_leaves_out(log):
    names = [f"{'ß' * 200}{number:05}" for number in range(9_000)]
    request = request_of(names, ["temperature"], "2020-01-01", "2021-01-01", "raw", "UTC")
    log.record("load", request_subject(request, job="7"))
    (entry,) = log.entries(limit=1)
    assert entry.subject["job"] == "7"
    assert len(entry.subject["stations"]) + entry.subject["stations_left_out"] == 9_000
    assert entry.subject["to"] == "2021-01-01T00:00:00Z"


def test_the_last_administrator_who_can_sign_in_stays_one(access):
    access.add_account("root", password_hash=HASH, admin=True)
    access.add_account("proxied", admin=True)  # cannot sign in
    for change in (
        lambda: access.change_account("root", admin=False),
        lambda: access.change_account("root", disabled=True),
        lambda: access.remove_account("root"),
    ):
        with pytest.raises(Conflict, match="last administrator"):
            change()
    access.add_account("other", password_hash=HASH, admin=True)
    access.change_account("root", admin=False)
    with pytest.raises(Conflict, match="last administrator"):
        access.remove_account("other")
    assert access.account("other").admin


def test_two_administrators_who_remove_each_other_at_once_do_not_both_go(access):
    for name in ("one", "other"):
        access.add_account(name, password_hash=HASH, admin=True)
    start = threading.Barrier(2)
    refused: list[str] = []

    def remove(name: str) -> None:
        start.wait(20)
        try:
            access.remove_account(name)
        except (Conflict, SQLAlchemyError):  # a server may end one of two that wait for each other
            refused.append(name)

    threads = [threading.Thread(target=remove, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(refused) == 1
    assert [account.name for account in access.accounts()] == refused


def test_without_a_login_an_account_may_be_the_last_administrator_and_go(access):
    AccessStore(access.engine).add_account("root", admin=True)
    AccessStore(access.engine).remove_account("root")
    assert access.accounts() == []


def test_only_who_writes_and_who_reads_the_log_knows_the_table():
    folders = ("access", "api", "callbacks", "commands", "jobs", "layouts")
    sources = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    knows = [path.name for path in sources if re.search(r"access\.tables import .*\baudit\b", path.read_text())]
    assert knows == ["entries.py", "log.py"]
