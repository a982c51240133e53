"""``manage.py users``, ``groups`` and ``grants`` as a shell sees them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from access.audit.entries import AuditFilter
from access.grants import Grant
from access.logins import open_logins
from access.names import LOCAL_USER
from access.passwords import verify_password
from access.throttle import wait_s
from config import Settings
from errors import Conflict, InvalidRequest, NotFound, SourceMismatch, WrongPassword
from manage import build

DAY_MS = 86_400_000
MAY_MS = 1_367_366_400_000
PASSWORD = "kabut di Lembang"

Run = Callable[..., Result]


def test_who_has_to_wait_is_listed_and_let_in_again(run, access, data_dir):
    for name in ("siti", "budi"):
        run("users", "add", name, "--password-stdin", text=f"{PASSWORD}\n")
    clock = [time.time() - 80]
    logins = open_logins(Settings(data_dir=data_dir, auth="login", _env_file=None), access, lambda: clock[0])
    for failures in range(1, 10):  # each as soon as it may be made; then siti must wait for 80 s
        with pytest.raises(WrongPassword):
            logins.check("siti", "salah sama sekali", "192.0.2.1")
        clock[0] += wait_s(failures, free=5)
    of_siti = {each["user"]: each.get("waits_s", 0) for each in json.loads(run("users", "list", "--json").stdout)}
    assert of_siti["siti"] > 0
    assert of_siti["budi"] == 0
    (waits,) = json.loads(run("users", "locked", "--json").stdout)
    assert (waits["kind"], waits["name"]) == ("user", "siti")
    run("users", "unlock", "siti")
    assert json.loads(run("users", "locked", "--json").stdout) == []
    with pytest.raises(NotFound):
        run("users", "unlock", "--address", "192.0.2.1")
    for wrong in ((), ("siti", "--address", "192.0.2.1")):
        with pytest.raises(InvalidRequest):
            run("users", "unlock", *wrong)


def test_an_account_is_made_with_a_password_that_is_not_shown(run, access):
    done = run("users", "add", "siti", "--admin", text=f"{PASSWORD}\n{PASSWORD}\n")
    assert PASSWORD not in done.output
    assert verify_password(access.password_hash("siti"), PASSWORD)
    assert access.account("siti").admin
    (shown,) = json.loads(run("users", "list", "--json").stdout)
    assert shown | {"created": ""} == {
        "user": "siti", "admin": True, "disabled": False, "groups": [], "password": True, "created": "",
    }  # fmt: skip
    assert "$argon2" not in run("users", "list", "--json").stdout + run("users", "list").stdout


def test_a_password_comes_from_standard_input_and_must_be_a_good_one(run, access):
    assert run("users", "add", "siti", "--password-stdin", text=f"{PASSWORD}\n").exit_code == 0
    session = access.account("siti").session
    assert run("users", "password", "siti", "--password-stdin", text="another good one\n").exit_code == 0
    assert verify_password(access.password_hash("siti"), "another good one")
    assert access.account("siti").session != session
    with pytest.raises(InvalidRequest):
        run("users", "password", "siti", "--password-stdin", text="short\n")
    with pytest.raises(NotFound):
        run("users", "password", "nobody", "--password-stdin", text=f"{PASSWORD}\n")
    with pytest.raises(Conflict):
        run("users", "add", "siti", "--password-stdin", text=f"{PASSWORD}\n")


def test_behind_a_proxy_nobody_is_asked_for_a_password(run, access, monkeypatch):
    monkeypatch.setenv("RIWAYAT_AUTH", "proxy")
    assert run("users", "add", "siti").exit_code == 0
    assert access.password_hash("siti") is None


def test_an_account_is_disabled_enabled_made_an_administrator_and_removed(run, access):
    run("users", "add", "siti", "--no-password")
    for words, admin, disabled in (
        (("disable", "siti"), False, True),
        (("enable", "siti"), False, False),
        (("admin", "siti"), True, False),
        (("admin", "siti", "--off"), False, False),
    ):
        run("users", *words)
        assert (access.account("siti").admin, access.account("siti").disabled) == (admin, disabled)
    run("users", "remove", "siti")
    assert access.account("siti") is None
    with pytest.raises(NotFound):
        run("users", "disable", "siti")


def test_groups_are_joined_listed_and_left(run, access):
    run("groups", "join", "forecasters", "siti", "budi")
    assert json.loads(run("groups", "list", "--json").stdout) == [{"group": "forecasters", "users": ["budi", "siti"]}]
    run("groups", "leave", "forecasters", "budi")
    assert access.groups() == {"forecasters": ("siti",)}


def test_every_limit_of_a_grant_can_be_said(run, access):
    limits = ["--sensors", "temp*", "--from", "2013-05-01", "--to", "2013-06-01T00:00:00Z", "--longest", "366d", "--finest", "1h"]
    done = run("grants", "add", "group:forecasters", "--stations", "E*", "--stations", "JFK", *limits, "--no-export", "--embed")
    assert done.exit_code == 0, done.output
    (row,) = access.grants()
    logged = access.audit.entries(AuditFilter(action="grant_added"), limit=1)[0]
    assert (row.kind, row.subject, row.created_by) == ("group", "forecasters", f"command line ({logged.actor})")
    assert logged.actor not in ("", LOCAL_USER)
    assert row.grant == Grant(
        ("E*", "JFK"), ("temp*",), MAY_MS, MAY_MS + 31 * DAY_MS, 366 * DAY_MS, "1h", may_export=False, may_embed=True
    )
    (shown,) = json.loads(run("grants", "list", "--json").stdout)
    assert (shown["from"], shown["until"], shown["longest"]) == ("2013-05-01T00:00:00Z", "2013-06-01T00:00:00Z", "366d")


def test_without_limits_a_grant_is_of_all_sensors_and_times_and_of_files_but_not_of_other_pages(run, access):
    (made,) = json.loads(run("grants", "add", "everyone", "--stations", "*", "--note", "all", "--json").stdout)
    assert (made["to"], made["export"], made["embed"], made["note"]) == ("everyone", True, False, "all")
    assert access.account_rights("anybody").rights.grants == (Grant(),)


def test_the_list_for_a_user_is_what_they_have_by_name_by_group_and_as_everyone(run):
    run("groups", "join", "forecasters", "siti")
    for subject in ("everyone", "user:siti", "group:forecasters", "user:budi", "group:others"):
        run("grants", "add", subject, "--stations", "*")
    found = json.loads(run("grants", "list", "--for", "siti", "--json").stdout)
    assert [one["to"] for one in found] == ["everyone", "user:siti", "group:forecasters"]
    table = run("grants", "list").stdout
    assert all(subject in table for subject in ("user:budi", "group:others"))


def test_grants_are_taken_away_by_number(run, access):
    for _ in range(2):
        run("grants", "add", "everyone", "--stations", "*")
    first, second = (row.id for row in access.grants())
    run("grants", "remove", str(first))
    assert [row.id for row in access.grants()] == [second]
    with pytest.raises(NotFound):
        run("grants", "remove", str(first))


def test_a_pattern_that_fits_no_station_is_kept_and_told(run, access):
    done = run("grants", "add", "everyone", "--stations", "JFK", "--stations", "jfk")
    assert done.stderr.count("no station fits") == 1
    assert "'jfk'" in done.stderr
    assert len(access.grants()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ["siti", "--stations", "*"],
        ["users:siti", "--stations", "*"],
        ["everyone"],
        ["everyone", "--stations", "*", "--from", "soon"],
        ["everyone", "--stations", "*", "--longest", "a year"],
        ["everyone", "--stations", "*", "--finest", "2h"],
    ],
)
def test_what_cannot_be_understood_is_bad_usage_and_grants_nothing(run, access, wrong):
    assert run("grants", "add", *wrong).exit_code == 2
    assert access.grants() == []


@pytest.mark.parametrize(
    "wrong", [["user:local", "--stations", "*"], ["user:", "--stations", "*"], ["everyone", "--stations", ""]]
)
def test_what_nobody_can_be_called_or_would_grant_nothing_is_refused(run, access, wrong):
    with pytest.raises(InvalidRequest):
        run("grants", "add", *wrong)
    assert access.grants() == []


@pytest.mark.parametrize("command", ["grants", "users", "keys", "audit", "embed-token", "queue"])
def test_before_the_first_migration_the_command_says_what_to_do(command, tmp_path, monkeypatch):
    monkeypatch.setenv("RIWAYAT_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(build(), [command, "list"])
    assert isinstance(done.exception, SourceMismatch)
    assert "manage.py migrate" in str(done.exception)


def test_the_doctor_says_where_nobody_can_sign_in(run, access, monkeypatch):
    monkeypatch.setenv("RIWAYAT_AUTH", "login")

    def users() -> dict[str, object]:
        checks = json.loads(run("doctor", "--json").stdout)["checks"]
        return next(dict(check) for check in checks if check["check"] == "users")

    access.add_account("ani")
    assert (users()["ok"], "users password NAME" in str(users()["advice"])) == (False, True)
    access.change_account("ani", password_hash="x")
    assert (users()["ok"], users()["found"]) == (True, "1 can sign in")
    access.change_account("ani", disabled=True)
    assert not users()["ok"]


def test_the_doctor_says_where_nothing_is_granted(run, access):
    def grants() -> dict[str, object]:
        checks = json.loads(run("doctor", "--json").stdout)["checks"]
        return next(dict(check) for check in checks if check["check"] == "grants")

    assert (grants()["ok"], "grants add everyone" in str(grants()["advice"])) == (False, True)
    access.add_grant("everyone", "", Grant(), by="test")
    assert (grants()["ok"], grants()["found"]) == (True, "1 grant")
