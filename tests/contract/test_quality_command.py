"""``manage.py quality`` as a shell sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from typer.testing import Result

from access.decisions.decision_reading import read_csv, read_toml
from access.grants import Grant
from config import Settings
from data.request import request_of
from data.site import open_site
from errors import ConfigurationError, Conflict, ImportRejected, InvalidRequest, NotPermitted
from jobs.job import Status
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger

SERIES = ("--station", "JFK", "--sensor", "temperature")
JULY = ("--from", "2013-07-01T00:00Z", "--to", "2013-08-01T00:00Z")
HOSTILE = "=1 \u202e\x1b[31m\nrm -rf"

Run = Callable[..., Result]


@pytest.fixture
def run(run: Run) -> Run:
    """Run a command of ``quality``; its errors are raised."""
    return partial(run, "quality")


def decided(run: Run, kind: str = "wrong", *more: str) -> dict[str, Any]:
    span = ("--from", "2013-07-02 04:00", "--to", "2013-07-02 06:00")
    done = run("decide", kind, *SERIES, *span, *more, "--json")
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_decisions_are_made_listed_undone_and_moved(run, data_dir, tmp_path):
    made = decided(run, "offset", "--amount", "-0.5", "--reason", HOSTILE)
    assert (made["from"], made["to"], made["made_by"]) == ("2013-07-02T08:00:00Z", "2013-07-02T10:00:00Z", "local")
    filled = decided(run, "fill", "--fill-station", "LGA", "--fill-sensor", "temperature", "--reason", "x")
    assert filled["filled_from"] == {"station": "LGA", "sensor": "temperature"}
    for one in (made, filled):
        assert open_ledger(Settings(data_dir=data_dir)).get(one.pop("job")).owner == "local"
    assert json.loads(run("list", "--json").stdout) == [made, filled]
    shown = run("list").output
    assert "\x1b" not in shown
    assert "\\u202e" in shown

    assert f"Decision {made['number']} is undone" in run("undo", str(made["number"])).output
    with pytest.raises(Conflict, match="undone already, by local"):
        run("undo", str(made["number"]))
    assert [one["number"] for one in json.loads(run("list", "--json").stdout)] == [filled["number"]]

    for kind, read in (("toml", read_toml), ("csv", read_csv)):
        file = tmp_path / f"decisions.{kind}"
        assert run("export", str(file)).exit_code == 0
        assert [one.made.reason for one in read(file.read_bytes().decode())] == [HOSTILE, "x"]
        assert "0 new, 0 undone, 2 known" in run("import", str(file)).output
        with pytest.raises(ConfigurationError, match="cannot be written"):
            run("export", str(file))


def test_bad_usage_is_told_from_what_is_refused(run, tmp_path):
    assert run("export", str(tmp_path / "x.xlsx")).exit_code == 2
    assert run("decide", "fill", *SERIES, *JULY, "--fill-station", "LGA").exit_code == 2
    assert run("decide", "wrong", *SERIES, "--from", "noon", "--to", "2013").exit_code == 2
    with pytest.raises(InvalidRequest, match="needs a reason"):
        run("decide", "delete", *SERIES, *JULY)
    bad = tmp_path / "bad.toml"
    bad.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        run("import", str(bad))
    bad.write_text("[[decision]]\n")
    with pytest.raises(ImportRejected, match="line 1"):
        run("import", str(bad))


def test_a_command_decides_as_a_user_with_what_is_granted_to_them(run, access):
    access.add_account("siti")
    access.add_grant("user", "siti", Grant(("JFK",), ("temperature",)), by="test")
    with pytest.raises(NotPermitted, match="not review"):
        decided(run, "wrong", "--as", "siti")
    access.add_grant("user", "siti", Grant(("JFK",), ("temperature",), may_review=True), by="test")
    assert decided(run, "wrong", "--as", "siti")["made_by"] == "siti"


def test_events_and_flags_of_a_history_are_those_of_its_analysis_and_its_load(run, data_dir, access):
    site = open_site(Settings(data_dir=data_dir, _env_file=None), decisions=access.decisions)

    def counted() -> list[dict[str, Any]]:
        load_history(site, request_of(["JFK"], ["temperature"], JULY[1], JULY[3], "raw", "UTC"), lambda _: None)
        return list(json.loads(run("run", *SERIES, *JULY, "--timezone", "UTC", "--json").stdout))

    before = {"station": "JFK", "sensor": "temperature", "rows": 744, "none": 744, "hard": 744, "all": 744}
    assert counted() == [before]
    decided(run, "delete", "--reason", "the lid was open")
    access.decisions.look_again()
    assert counted() == [before | {"hard": 741, "all": 741}]
    answer = json.loads(run("events", *SERIES, *JULY, "--timezone", "UTC", "--json").stdout)
    assert (answer["analysis"], answer["result"]["events"]) == ("quality", [])
    site.engine.dispose()


def test_a_decision_waits_for_a_worker_where_none_is_alive(run, data_dir):
    job = decided(run)["job"]
    assert open_ledger(Settings(data_dir=data_dir)).get(job).status is Status.QUEUED
