"""No callback tells a stranger apart what is somebody else's from what never was,
whatever values are sent to it.

Every callback of every Dash application on the server is called by hand, with one's own browser's
signature, on a job, an embedded chart and a station that are not granted, and once more on such as
do not exist. But for the names that were sent, the two answers must be the same. Components whose
values a callback takes need a value in ``_values``, so that a new callback is asked about
something.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from flask import Flask

from access.grants import Grant
from access.saved.saved_selection import SavedSelection
from access.saved.saved_view import save_view
from access.store import AccessStore, open_access
from app import create_app
from config import Settings
from data.request import HistoryRequest, request_of
from data.site import open_site
from jobs.job import Status, WorkerInfo
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, open_ledger
from layouts import ids
from tests.e2e.visitor import InProcess
from tests.people import person

SECRET: Final = "JFK"  # sari's alone; budi may see LGA
NO_STATION, NO_JOB, NO_EMBED, NO_SAVED = "ZZZ", "jAAAAAAAAAAAAAAAA", "f" * 16, "e" * 16
SAVING: Final = (ids.SAVED_SAVE, ids.SAVED_NEW, ids.SAVED_REMOVE)
ACTIONS: Final = ("retry", "resume", "again", "reload", "jump", "cancel")
FIELDS: Final = {"start": "2013-01-01T00:00:00Z", "end": "2014-01-01T00:00:00Z"}


def without_queue(text: str) -> str:
    """An answer without the numbers and charts of the whole queue,
    which everybody sees and which change as time goes on.
    """
    if '"jobs-queue"' not in text:
        return text
    found = json.loads(text)
    found["response"].pop("jobs-queue", None)
    return json.dumps(found)


@dataclass(frozen=True)
class Names:
    """A station, a job, an embedded chart and a saved view, that are there or not."""

    station: str
    job: str
    embed: str
    saved: str

    def hidden(self, text: str) -> str:
        """A text without them, and without what is of the moment."""
        text = without_queue(text)
        for name, value in vars(self).items():
            text = text.replace(value, f"<{name}>")
        return re.sub(r"\b1[0-9]{18}\b", "<now>", text)


@dataclass(frozen=True)
class World:
    """A site behind a proxy; sari's job and chart of the secret station."""

    server: Flask
    ledger: Ledger
    access: AccessStore
    secret: Names

    def visitor(self, user: str, application: str = "") -> InProcess:
        return InProcess(self.server.test_client(), user, application)


def secret_year() -> HistoryRequest:
    return request_of([SECRET], ["temperature"], FIELDS["start"], FIELDS["end"], "raw", "UTC")


@pytest.fixture(scope="module")
def world(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("strangers") / "var"))
    settings = Settings(data_dir=folder, auth="proxy", admins="root", timezone="UTC", rate_page=0, _env_file=None)
    site, ledger, access = open_site(settings), open_ledger(settings), open_access(settings)
    load_history(site, secret_year(), lambda progress: None)
    access.add_grant("user", "sari", Grant(may_embed=True), by="test")
    access.add_grant("user", "budi", Grant(("LGA",), may_embed=True), by="test")
    access.add_grant("user", "tia", Grant((SECRET,), to_ms=1_370_044_800_000, may_embed=True), by="test")
    ledger.heartbeat(WorkerInfo("w", "here", 1, ("history", "history-large"), 1, 0, 0))
    job = ledger.submit("sari", secret_year())
    server = create_app(settings).server
    made = server.test_client().post(
        "/api/embeds",
        json={
            "stations": [SECRET],
            "sensors": ["temperature"],
            "range": {"from": FIELDS["start"], "to": FIELDS["end"]},
            "origin": "https://portal.example",
        },
        headers={"X-Forwarded-User": "sari"},
    )
    assert made.status_code == 201, made.text
    shows = SavedSelection((SECRET,), ("temperature",), preset="30d")
    view = save_view(access, site, person("sari"), "hers", shows, shared=True)
    yield World(server, ledger, access, Names(SECRET, job.id, str((made.json or {})["id"]), view.id))
    for engine in (site.engine, ledger.engine, access.engine):
        engine.dispose()


def applications(server: Flask) -> list[str]:
    """Paths below the prefix of the Dash applications of a server."""
    found = (re.fullmatch(r"/(.*)_dash-dependencies", rule.rule) for rule in server.url_map.iter_rules())
    return sorted(match[1] for match in found if match)


def is_hidden(world: World, application: str) -> bool:
    """Whether an application is not there but for administrators."""
    return world.visitor("budi", application).get("_dash-dependencies").status == 404


def values(names: Names) -> dict[str, Any]:
    """What is sent for each component that some callback takes."""
    window = {"job": names.job, "start": 1_360_000_000_000, "end": 1_361_000_000_000, "sequence": 3}
    row = {"id": names.job, "stations": names.station, "status": "running", "can_cancel": True}
    return {
        ids.STATION: [names.station],
        ids.SENSOR: ["temperature"],
        ids.RANGE_START: "2013-02-01",
        ids.RANGE_END: "2013-03-01",
        ids.RANGE_PRESET: "all",
        ids.ZONE: "station",
        ids.RANGE_OF_PRESET: ["2013-02-01", "2013-03-01"],
        ids.RESOLUTION: "raw",
        ids.LOAD: 1,
        ids.CANCEL: 1,
        ids.LINK: f"?job={names.job}",
        ids.STATION_CHOICE: {"stations": [names.station], "load": True},
        ids.JOB_ID: names.job,
        ids.POLL_ID: names.job,
        ids.JOB_ENDED: names.job,
        ids.OVERVIEW_VERSION: "none",
        ids.JOB_VERSION: 2,
        ids.SELECTION: window,
        ids.CHART_DRAWN: window,
        ids.CHART_WIDTH: 640,
        ids.FLAGGED: [True],
        ids.THEME: "light",
        ids.LANGUAGE: "en",
        ids.EMBED_OPEN: 1,
        ids.EMBED_CREATE: 1,
        ids.EMBED_RANGE: "fixed",
        ids.EMBED_SHOWN: {"start": 1_360_000_000_000, "end": 1_361_000_000_000, "view": "calendar", "options": {}},
        ids.EMBED_LAST: "7d",
        ids.EMBED_ORIGIN: "https://portal.example",
        ids.EMBED_EXPIRES: "365",
        ids.EMBED_LABEL: "of a stranger",
        ids.EMBED_THEME: "light",
        ids.EMBED_LANGUAGE: "en",
        ids.EMBED_SWITCHES: ["controls"],
        ids.ROLLING: {"job": names.job, "preset": "all"},
        ids.FOLLOW_STEP: {"job": names.job, "preset": "all", "number": 1},
        ids.URL: f"?job={names.job}&saved={names.saved}",
        ids.SEARCH_TEXT: "last July",
        ids.FORMULA_OPEN: 1,
        ids.FORMULA_OWN: "formula_" + "0" * 26,
        ids.FORMULA_NAME: "of a stranger",
        ids.FORMULA_TEXT: f'temperature["{names.station}"] - temperature["EWR"]',
        ids.FORMULA_UNIT: "K",
        ids.FORMULA_TYPED: [f'temperature["{names.station}"] - temperature["EWR"]', "K"],
        ids.FORMULA_SAVE: 1,
        ids.FORMULA_REMOVE: 1,
        ids.SAVED_OPEN: 1,
        ids.SAVED_SAVE: 1,
        ids.SAVED_NEW: 1,
        ids.SAVED_REMOVE: 1,
        ids.SAVED_NAME: "of a stranger",
        ids.SAVED_RANGE: "fixed",
        ids.SAVED_SWITCHES: ["shared"],
        ids.JOBS_TICK: 4,
        ids.JOBS_DONE: 5,
        ids.JOBS_OLDER: 1,
        ids.JOBS_GRID: [row],
        ids.JOBS_SEEN: {},
        ids.JOBS_PRESS: {"job": names.job, "name": "cancel"},
    }


def patterns(callback: Mapping[str, Any], names: Names) -> list[str]:
    """By which name each component of a pattern is called that the callback listens to."""
    takes = " ".join(part["id"] for part in (*callback["inputs"], *callback["state"]))
    return [names.embed] if '"embed":["ALL"]' in takes else list(ACTIONS) if '["ALL"]' in takes else [""]


def test_every_component_that_a_callback_takes_is_asked_about(world):
    known = set(values(world.secret))
    for application in applications(world.server):
        if is_hidden(world, application):
            continue
        visitor = world.visitor("root", application)
        takes = {part["id"] for each in visitor.callbacks for part in (*each["inputs"], *each["state"])}
        new = sorted(takes - known - {one for one in takes if '["ALL"]' in one})
        assert not new, (
            f"A callback of /{application} takes values of {new}. Say in values() what somebody would send there to get at what "
            "is another's: an id of a job, of an embedded chart, a station."
        )


@pytest.mark.parametrize("user", ["budi", "nobody's friend"])
def test_what_is_anothers_is_to_every_callback_like_what_never_was(world, user):
    secret, nothing = world.secret, Names(NO_STATION, NO_JOB, NO_EMBED, NO_SAVED)
    asked = 0
    for application in applications(world.server):
        visitor = world.visitor(user, application)
        if is_hidden(world, application):
            continue
        for callback in visitor.callbacks:
            for there, absent in zip(patterns(callback, secret), patterns(callback, nothing), strict=True):
                found = visitor.ask(callback, values(secret) | {"pattern": there})
                never = visitor.ask(callback, values(nothing) | {"pattern": absent})
                assert found.status < 300, (callback["output"], found.text)
                assert (found.status, secret.hidden(found.text)) == (never.status, nothing.hidden(never.text)), callback["output"]
                asked += 1
    assert asked > 25
    job = world.ledger.get(secret.job)
    assert (job.owner, job.status, job.version) == ("sari", Status.QUEUED, 0)
    assert {one.owner for one in world.ledger.jobs()} == {"sari"}


def test_of_an_application_that_is_the_administrators_no_callback_is_there_for_others(world):
    hidden = [application for application in applications(world.server) if is_hidden(world, application)]
    assert hidden == ["admin/"]
    asked = 0
    for application in hidden:
        root, budi = world.visitor("root", application), world.visitor("budi", application)
        never = budi.get("nowhere.json")
        for callback in root.callbacks:
            for pattern in patterns(callback, world.secret):
                answer = budi.ask(callback, values(world.secret) | {"pattern": pattern}, token=root.page_token)
                assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")
                asked += 1
        assert never.status == 404
    assert asked > 5


def test_the_same_values_tell_the_owner_what_they_are_about(world):
    """Else the test before would hold for callbacks that answer nobody."""
    told = ""
    for application in (each for each in applications(world.server) if not is_hidden(world, each)):
        visitor = world.visitor("sari", application)
        for callback in visitor.callbacks:
            if {part["id"] for part in callback["inputs"]} & {
                ids.JOB_ID,
                ids.POLL_ID,
                ids.STATION,
                ids.EMBED_OPEN,
                ids.JOBS_TICK,
            }:
                told += visitor.ask(callback, values(world.secret) | {"pattern": SECRET}).text
    for words in ("Queued at position 1", "cacheKey", "humidity", '"is_open":true', '"can_cancel":true', "rows drawn", '"bdata"'):
        assert words in told, words


def test_of_ones_own_job_outside_of_what_is_granted_no_callback_tells_or_draws_anything(world):
    """tia's grant was cut to June after her job had completed."""
    job = world.ledger.record_completed("tia", secret_year(), {"rows": 8_710})
    names = Names(SECRET, job.id, NO_EMBED, NO_SAVED)
    for application in applications(world.server):
        visitor = world.visitor("tia", application)
        if is_hidden(world, application):
            continue
        for callback in visitor.using(ids.JOB_ID, ids.POLL_ID, ids.JOBS_GRID, ids.JOBS_OLDER):
            if {part["id"] for part in callback["inputs"]} & {ids.LOAD, ids.LINK}:
                continue  # they make something of the form, which asks for a month that is granted
            for pattern in patterns(callback, names):
                answer = visitor.ask(callback, values(names) | {"pattern": pattern})
                assert answer.status < 300, answer.text
                drawn = re.findall(r'"y":\[?\{?[^\]}]{40,}', without_queue(answer.text))
                assert not drawn, callback["output"]
                assert not [
                    word for word in ("8,710", "8710", "rows so far", "format=csv", '"is_open":true') if word in answer.text
                ]


def test_without_sign_in_no_callback_of_any_application_answers(world):
    for application in applications(world.server):
        callbacks = world.visitor("root", application).callbacks
        nobody = world.visitor("", application)
        for callback in callbacks:
            answer = nobody.ask(callback, values(world.secret) | {"pattern": SECRET}, token="x")
            assert answer.status == 401
            assert set(json.loads(answer.text)) == {"error"}


HOSTILE: Final[list[object]] = [
    None,
    True,
    float("nan"),
    float("inf"),
    -1,
    10**30,
    "",
    "x" * 3000,
    "\x00",
    "\ud800",
    [],
    [None],
    [[1]],
    ["a", 1],
    [{}],
    {},
    {"id": {}},
    {"job": "JOB", "start": float("nan"), "end": 1e400, "sequence": {}},
    {"job": [], "start": "a", "end": []},
    "?job=%00&station=%ff",
]


def test_no_value_that_a_page_never_has_is_an_error_of_the_server(world):
    """Each component of each callback in turn has it, beside values that make sense;
    of sari's own job.
    """
    wrong = []
    for application in (each for each in applications(world.server) if not is_hidden(world, each)):
        visitor = world.visitor("sari", application)
        for callback in visitor.callbacks:
            pattern = patterns(callback, world.secret)[0]
            sensible = values(world.secret) | {"pattern": "none" if pattern in ACTIONS else pattern}
            takes = {part["id"] for part in (*callback["inputs"], *callback["state"])} & set(sensible)
            for component in takes:
                for value in HOSTILE:
                    if component in (ids.CANCEL, ids.LOAD, ids.EMBED_CREATE, *SAVING) and value:
                        continue  # clicks are numbers, and make something
                    answer = visitor.ask(
                        callback, sensible | dict.fromkeys((ids.LOAD, ids.EMBED_CREATE, *SAVING), 0) | {component: value}
                    )
                    if answer.status not in (200, 204, 400):
                        wrong.append(f"{component} = {value!a:.40}: {answer.status} of {callback['output'][:60]}")
    assert not wrong, "\n".join(wrong)
