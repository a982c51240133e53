"""Accounts, groups and grants in each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select, update

from access.grants import EVERYTHING, Grant, Rights
from access.names import LOCAL_USER
from access.store import AccessStore, migrate_access
from access.tables import api_key, embed, grant_rule, metadata
from data.database.engine import make_engine
from errors import Conflict, InvalidRequest, NotFound
from jobs.ledger.ledger import migrate_jobs
from tests.databases import DATABASES

ALL = Grant(("aws-*",), ("*",), 1_000, None, 86_400_000, "1h", may_export=False, may_embed=True)


@pytest.fixture(scope="module", params=sorted(DATABASES))
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A migrated database of each kind, made once: migrations take seconds."""
    with DATABASES[request.param](tmp_path_factory.mktemp("access")) as url:
        made = make_engine(url)
        migrate_jobs(made)  # in the same database, each with a history of its own
        migrate_access(made)
        yield made
        made.dispose()


@pytest.fixture
def store(engine: Engine) -> AccessStore:
    """The store, with nothing in it."""
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            # as no part of the program may: of the audit log too
            connection.exec_driver_sql(f"DELETE FROM {table.name}")
    return AccessStore(engine, admins={"root"})


def granted(store: AccessStore, user: str) -> set[str]:
    """Patterns of stations that a user has."""
    return {pattern for grant in store.account_rights(user).rights.grants for pattern in grant.stations}


def test_migrating_again_changes_nothing(store):
    store.add_account("siti")
    migrate_access(store.engine)
    assert [one.name for one in store.accounts()] == ["siti"]


def test_an_account_is_kept_as_it_was_made_and_its_name_is_exact(store):
    made = store.add_account("Siti", password_hash="$argon2id$x", admin=True)
    assert store.account("Siti") == made
    assert (made.admin, made.disabled, made.has_password) == (True, False, True)
    assert store.password_hash("Siti") == "$argon2id$x"
    assert store.account("siti") is None
    assert store.account("Siti ") is None
    other = store.add_account("siti")
    assert (other.has_password, store.password_hash("siti")) == (False, None)
    assert store.accounts() == [made, other]


def test_there_is_no_second_account_of_a_name(store):
    store.add_account("siti")
    with pytest.raises(Conflict, match="siti"):
        store.add_account("siti")


@pytest.mark.parametrize("name", ["", " siti", "a\nb", "a" * 256, LOCAL_USER, "embed:1"])
def test_nobody_can_be_called_what_is_no_name_or_is_the_sites_own(store, name):
    with pytest.raises(InvalidRequest):
        store.add_account(name)
    with pytest.raises(InvalidRequest):
        store.join("group", name)
    with pytest.raises(InvalidRequest):
        store.add_grant("user", name, Grant(), by="test")
    assert store.accounts() == []
    assert store.grants() == []


def test_a_new_password_and_disabling_end_all_sessions_and_other_changes_none(store):
    session = store.add_account("siti").session
    assert store.change_account("siti", admin=True).session == session
    second = store.change_account("siti", password_hash="$argon2id$y").session
    third = store.change_account("siti", disabled=True).session
    assert len({session, second, third}) == 3
    assert store.change_account("siti", disabled=False).session == third
    assert store.change_account("siti", end_sessions=True).session != third


@pytest.mark.parametrize(
    "change", [lambda store: store.change_account("nobody", admin=True), lambda s: s.remove_account("nobody")]
)
def test_there_is_nothing_to_change_of_an_account_that_is_not_there(store, change):
    with pytest.raises(NotFound, match="nobody"):
        change(store)


def test_a_grant_is_read_as_it_was_made(store):
    number = store.add_grant("user", "siti", ALL, note="why", by="root")
    (row,) = store.grants()
    assert (row.id, row.kind, row.subject, row.grant, row.note, row.created_by) == (number, "user", "siti", ALL, "why", "root")
    assert store.account_rights("siti").rights == Rights((ALL,))
    assert store.account_rights("budi").rights == Rights()


def test_a_user_has_what_everyone_has_what_is_their_own_and_what_their_groups_have(store):
    store.join("forecasters", "siti")
    store.join("forecasters", "siti")  # repeating it changes nothing
    for kind, subject in (("everyone", ""), ("user", "siti"), ("group", "forecasters"), ("user", "budi"), ("group", "others")):
        store.add_grant(kind, subject, Grant((subject or kind,)), by="test")
    assert granted(store, "siti") == {"everyone", "siti", "forecasters"}
    assert granted(store, "budi") == {"everyone", "budi"}
    assert granted(store, "SITI") == {"everyone"}
    # a user who is called like a group is not in it
    assert granted(store, "forecasters") == {"everyone"}
    store.leave("forecasters", "siti")
    assert granted(store, "siti") == {"everyone", "siti"}
    with pytest.raises(NotFound):
        store.leave("forecasters", "siti")


def test_groups_are_listed_with_members_grants_and_those_that_the_proxy_named(store):
    store.join("b", "siti")
    store.add_grant("group", "a", Grant(), by="test")
    store.account_rights("budi", {"c", "b"})
    assert store.groups() == {"a": (), "b": ("budi", "siti"), "c": ("budi",)}


def test_groups_that_the_proxy_named_last_hold_until_it_names_others(store):
    store.add_grant("group", "forecasters", Grant(), by="test")
    assert store.account_rights("siti").rights == Rights()
    assert store.account_rights("siti", {"forecasters", "others"}).rights == Rights((Grant(),))
    assert store.account_rights("siti").rights == Rights((Grant(),))  # as a worker asks
    assert store.account_rights("budi").rights == Rights()
    assert store.account_rights("siti", set()).rights == Rights()
    assert store.account_rights("siti").rights == Rights()


def test_groups_are_written_only_when_they_change(store):
    store.account_rights("siti", {"a", "b"})
    written: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        written.extend(word for word in ("INSERT", "DELETE") if word in statement.upper())

    event.listen(store.engine, "before_cursor_execute", note)
    store.account_rights("siti", ["b", "a"])
    assert written == []
    store.account_rights("siti", ["b"])
    event.remove(store.engine, "before_cursor_execute", note)
    assert set(written) == {"DELETE", "INSERT"}


def test_administrators_have_every_right_by_setting_or_account_unless_they_are_disabled(store):
    store.add_account("chief", admin=True)
    for name in ("root", "chief"):
        found = store.account_rights(name)
        assert (found.admin, found.rights) == (True, EVERYTHING)
    store.add_account("root")
    for name in ("root", "chief"):
        store.change_account(name, disabled=True)
        found = store.account_rights(name)
        assert (found.admin, found.disabled, found.rights) == (False, True, Rights())
    assert store.account_rights(LOCAL_USER).rights == EVERYTHING  # whoever gives commands on this machine


def test_a_disabled_user_has_not_even_what_everyone_has(store):
    store.add_grant("everyone", "", Grant(), by="test")
    store.add_account("siti")
    store.change_account("siti", disabled=True)
    assert store.account_rights("siti", ["any"]).rights == Rights()


def test_what_was_taken_away_is_gone_at_once(store):
    number = store.add_grant("everyone", "", Grant(), by="test")
    store.remove_grant(number)
    assert store.account_rights("siti").rights == Rights()
    with pytest.raises(NotFound, match=str(number)):
        store.remove_grant(number)


@pytest.mark.parametrize(
    ("kind", "subject", "grant"),
    [
        ("everyone", "siti", Grant()),
        ("user", "", Grant()),
        ("user", "siti", Grant(stations=())),
        ("user", "siti", Grant(sensors=("",))),
        ("user", "siti", Grant(from_ms=5, to_ms=5)),
        ("user", "siti", Grant(longest_ms=0)),
    ],
)
def test_what_would_grant_nothing_or_to_nobody_is_refused(store, kind, subject, grant):
    with pytest.raises(InvalidRequest):
        store.add_grant(kind, subject, grant, by="test")


def test_with_an_account_go_its_groups_grants_keys_and_embedded_charts(store):
    for name in ("siti", "budi"):
        store.add_account(name)
        store.join("forecasters", name)
        store.add_grant("user", name, Grant(), by="test")
        owned = {"owner": name, "label": "", "created_ms": 0}
        with store.engine.begin() as connection:
            connection.execute(insert(api_key).values(id=name, digest="", scopes="[]", **owned))
            connection.execute(insert(embed).values(id=name, shows="{}", origin="", **owned))
    store.remove_account("siti")
    assert store.account("siti") is None
    assert store.groups() == {"forecasters": ("budi",)}
    assert [row.subject for row in store.grants()] == ["budi"]
    for table in (api_key, embed):
        with store.engine.connect() as connection:
            revoked = {row.id: row.revoked_ms for row in connection.execute(select(table.c.id, table.c.revoked_ms))}
        assert (revoked["siti"] is None, revoked["budi"] is None) == (False, True)


@pytest.mark.parametrize("change", [{"finest": "5min"}, {"stations": "aws-*"}, {"sensors": "7"}])
def test_a_grant_that_cannot_be_read_grants_nothing_and_hides_no_other(store, change):
    number = store.add_grant("user", "siti", ALL, by="root")
    store.add_grant("user", "siti", Grant(stations=("b",)), by="root")
    with store.engine.begin() as connection:
        connection.execute(update(grant_rule).where(grant_rule.c.id == number).values(**change))
    assert [row.id == number for row in store.grants()] in ([True, False], [False, True])
    assert store.account_rights("siti").rights.stations(["a", "b"]) == ["b"]
    store.remove_grant(number)
