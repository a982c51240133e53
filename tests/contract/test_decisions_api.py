"""Decisions over HTTP: who may, what they answer, what two reviewers see, and what a job makes."""

from __future__ import annotations

import csv
import re
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from access.decisions.decision_reading import read_csv, read_toml
from access.grants import Grant
from access.keys import new_key
from access.store import AccessStore, open_access
from access.tables import quality_decision
from app import create_app
from config import Settings
from jobs.job import Status, WorkerInfo
from jobs.ledger.ledger import Ledger, open_ledger
from tests.people import forget_all

JULY = {"from": "2013-07-01T00:00:00Z", "to": "2013-07-01T06:00:00Z"}
WRONG: dict[str, Any] = {"station": "JFK", "sensor": "temperature", "kind": "wrong", "rule": "stuck", **JULY}
HOSTILE = "=cmd|'/C calc'!A0 \u202e\x1b[31m\n<script>"


class World:
    """A site behind a proxy where sari and budi may review JFK, tia may look at it."""

    def __init__(self, settings: Settings) -> None:
        self.server = create_app(settings).server
        self.ledger: Ledger = open_ledger(settings)
        self.access: AccessStore = open_access(settings)

    def user(self, name: str) -> FlaskClient:
        client = self.server.test_client()
        client.environ_base["HTTP_X_FORWARDED_USER"] = name
        return client

    def decide(self, user: str = "sari", **fields: Any) -> TestResponse:
        return self.user(user).post("/api/decisions", json=WRONG | fields)

    def decided(self, user: str = "sari", **fields: Any) -> dict[str, Any]:
        answer = self.decide(user, **fields)
        assert answer.status_code == 201, answer.text
        return dict(answer.json or {})

    def undo(self, number: object, user: str = "sari", **fields: Any) -> TestResponse:
        return self.user(user).post(f"/api/decisions/{number}/undo", json=fields)

    def listed(self, query: str = "", user: str = "sari") -> dict[str, Any]:
        answer = self.user(user).get(f"/api/decisions?{query}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})


@pytest.fixture(scope="module")
def opened(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("decisions") / "var"))
    made = World(Settings(data_dir=folder, auth="proxy", admins="root", timezone="UTC", _env_file=None))
    yield made
    for engine in (made.ledger.engine, made.access.engine):
        engine.dispose()


@pytest.fixture
def world(opened: World) -> World:
    """Without a decision."""
    forget_all(opened.access, opened.ledger)
    with opened.access.engine.begin() as connection:
        connection.execute(quality_decision.delete())
    for name in ("sari", "budi"):
        opened.access.add_grant("user", name, Grant(("JFK",), ("temp*", "humidity"), may_review=True), by="test")
    opened.access.add_grant("user", "tia", Grant(("JFK",), ("temp*",)), by="test")
    return opened


def error(answer: TestResponse) -> tuple[int, str, str | None]:
    """Status, sentence and field of a refusal."""
    assert answer.json is not None, answer.text
    found = answer.json["error"]
    return answer.status_code, found["message"], found["field"]


def test_a_decision_is_answered_as_it_is_listed_with_the_job_that_applies_it_to_its_months(world):
    made = world.decided(reason=HOSTILE)
    job = world.ledger.get(made.pop("job"))
    assert (job.owner, job.request.series) == ("sari", (("JFK", "temperature"),))
    assert (job.request.start_ms, job.request.end_ms) == (1_372_636_800_000, 1_375_315_200_000)  # all of July
    assert made == {
        **WRONG,
        "number": made["number"],
        "amount": None,
        "filled_from": None,
        "reason": HOSTILE,
        "made_by": "sari",
        "made": made["made"],
        "undone_by": None,
        "undone": None,
    }
    assert world.listed() == {"decisions": [made], "last": made["number"], "next": None}
    undone = world.undo(made["number"], "budi")
    assert undone.status_code == 200
    assert (undone.json or {})["undone_by"] == "budi"
    assert world.ledger.get((undone.json or {})["job"]).owner == "budi"
    assert error(world.undo(made["number"])) == (409, f"Decision {made['number']} is undone already, by budi.", None)
    assert [world.listed(f"undone={which}")["decisions"] != [] for which in ("true", "false")] == [True, False]


def test_decisions_of_a_month_share_the_job_that_waits_and_never_one_that_runs(world):
    first, second = (world.decided(**{"from": at, "to": at})["job"] for at in ("2013-07-02", "2013-07-03"))
    assert first == second
    world.ledger.heartbeat(WorkerInfo("w", "here", 1, ("history",), 1, 0, 0))
    claimed = world.ledger.claim("w", ["history"])
    assert claimed is not None
    assert claimed.id == first
    third, fourth = (world.decided(**{"from": at, "to": at})["job"] for at in ("2013-07-04", "2013-07-05"))
    assert third == fourth != first
    assert world.ledger.get(third).status is Status.QUEUED


def test_stamps_are_iso_or_milliseconds_and_of_the_stations_zone_without_an_offset(world):
    made = world.decided(**{"from": 1_372_636_800_000, "to": "2013-07-01 02:00"})
    assert (made["from"], made["to"]) == ("2013-07-01T00:00:00Z", "2013-07-01T06:00:00Z")  # New York
    assert error(world.decide(**{"from": "noon"}))[2] == "from"
    assert error(world.decide(**{"from": True}))[0] == 400
    assert error(world.decide(**{"from": 10**18}))[0] == 400


def test_a_refusal_names_the_field(world):
    fields = [({"rule": "weather"}, "rule"), ({"kind": "offset", "rule": None}, "amount"), ({"kind": "smooth"}, "kind")]
    fields += [({"seen": -1}, "seen"), ({"reason": "x" * 501}, "reason"), ({"amount": "1e999"}, "amount")]
    assert [error(world.decide(**given))[::2] for given, _ in fields] == [(400, name) for _, name in fields]
    assert world.listed() == {"decisions": [], "last": 0, "next": None}


def test_who_may_look_sees_decisions_and_makes_none_and_to_others_they_do_not_exist(world):
    made = world.decided()
    assert world.listed(user="tia")["decisions"][0]["number"] == made["number"]
    look_only = (403, "You can view this but not review it. Ask your administrator.", None)
    assert error(world.decide("tia")) == error(world.undo(made["number"], "tia")) == look_only
    assert world.listed(user="nana") == {"decisions": [], "last": 0, "next": None}
    assert world.listed("station=JFK&sensor=temperature", user="nana")["last"] == 0
    assert error(world.undo(made["number"], "nana")) == (404, f"There is no decision {made['number']}.", None)
    hidden, unknown = (error(world.decide("sari", station=name)) for name in ("LGA", "ZZZ"))
    assert hidden == (400, unknown[1].replace("ZZZ", "LGA"), unknown[2])
    assert world.undo(made["number"], "root").status_code == 200  # an administrator


@pytest.mark.parametrize("number", ["0", "x", "-1", "9" * 40, "%00", "1e3", "٣"])
def test_there_is_no_decision_of_what_is_no_number(world, number):
    assert world.undo(number).status_code == 404


def test_two_reviewers_of_one_span_learn_of_each_other(world):
    seen = world.listed()["last"]
    first = world.decided("sari", seen=seen)
    answer = world.decide("budi", kind="right", seen=seen)
    assert error(answer)[:2] == (409, "Others have decided about these readings meanwhile. Look at their decisions first.")
    assert [one["number"] for one in (answer.json or {})["newer"]] == [first["number"]]
    assert answer.headers["Content-Length"] == str(len(answer.data))
    anyway = world.decided("budi", kind="right", seen=first["number"])
    refused = world.undo(first["number"], "sari", seen=first["number"])
    assert [one["number"] for one in (refused.json or {})["newer"]] == [anyway["number"]]


def test_of_two_who_press_at_the_same_moment_one_is_answered_409_and_shown_the_other(world):
    ready = threading.Barrier(2)

    def press(user: str, kind: str, day: int) -> TestResponse:
        ready.wait(timeout=20)
        return world.decide(user, kind=kind, seen=0, **{"from": f"2013-07-{day:02d}", "to": f"2013-07-{day:02d}"})

    with ThreadPoolExecutor(2) as pool:
        for day in (11, 12, 13):
            answers = list(pool.map(press, ("sari", "budi"), ("right", "wrong"), (day, day)))
            made, refused = sorted(answers, key=lambda answer: answer.status_code)
            assert (made.status_code, refused.status_code) == (201, 409)
            assert [one["number"] for one in (refused.json or {})["newer"]] == [(made.json or {})["number"]]


def test_a_key_needs_the_scope_review(world):
    client = world.server.test_client()
    for scopes, status in ((("read", "load", "export"), 403), (("review",), 201)):
        key, _ = new_key(world.access, "sari", label="x", scopes=scopes, expires_ms=None, now_ms=1)
        answer = client.post("/api/decisions", json=WRONG, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == status, answer.text


def test_a_list_is_of_some_series_and_times_and_goes_on_page_by_page(world):
    numbers = [world.decided(**{"from": f"2013-07-0{day}", "to": f"2013-07-0{day}"})["number"] for day in range(1, 6)]
    humid = world.decided(sensor="humidity")["number"]

    def of(found: dict[str, Any]) -> list[int]:
        return [one["number"] for one in found["decisions"]]

    assert of(world.listed("sensor=temperature&from=2013-07-02&to=2013-07-04")) == numbers[1:3]
    both = world.listed("sensor=temperature&sensor=humidity&station=JFK&station=LGA&limit=2")
    assert (of(both), both["last"]) == ([numbers[4], humid], humid)
    following = world.user("sari").get(both["next"]).json or {}
    assert of(following) == numbers[2:4]
    assert "sensor=temperature&sensor=humidity" in following["next"]


def test_the_files_hold_all_that_one_may_see_and_no_cell_is_a_formula(world):
    made = world.decided(reason=HOSTILE)
    for kind, read in (("toml", read_toml), ("csv", read_csv)):
        answer = world.user("tia").get(f"/api/decisions?format={kind}&limit=1")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="decisions.{kind}"'
        (found,) = read(answer.text)
        assert (found.made.reason, found.made.made_by) == (HOSTILE, "sari")
    cells = next(row for row in csv.DictReader(answer.text.splitlines(keepends=True)) if row["number"] == str(made["number"]))
    assert cells["reason"].startswith("'=")
    assert not read_toml(world.user("nana").get("/api/decisions?format=toml").text)


@pytest.mark.parametrize(("kind", "read"), [("toml", read_toml), ("csv", read_csv)])
def test_a_file_of_many_decisions_is_streamed_whole_and_in_the_order_in_which_they_count(world, kind, read):
    told = {"station": "JFK", "sensor": "temperature", "kind": "wrong", "from_ms": 0, "to_ms": 1, "revision": 1}
    made = told | {"reason": "", "made_by": "sari", "made_ms": 2}
    with world.access.engine.begin() as connection:
        connection.execute(quality_decision.insert(), [made | {"number": 10 + number} for number in range(2_500)])
    answer = world.user("sari").get(f"/api/decisions?format={kind}")
    assert answer.content_length is None, "made at once"
    pieces = list(answer.iter_encoded())
    assert max(map(len, pieces)) < sum(map(len, pieces)) / 4
    text = b"".join(pieces).decode()
    assert len(read(text)) == 2_500
    numbers = re.findall(r"^(?:number = )?(\d+)(?:,.*)?\r?$", text, re.MULTILINE)
    assert [int(each) for each in numbers] == list(range(10, 2_510))


def test_a_decision_stands_also_where_no_job_can_be_started(world):
    made = world.decided(**{"from": "1999-01-01", "to": "1999-01-02"})  # nothing was recorded then
    assert made["job"] is None
    assert world.listed()["last"] == made["number"]
