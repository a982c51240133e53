"""What the page tells of decisions: marks in the picture, their number in words, and who may make
some.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from access.grants import EVERYTHING, Grant, Rights
from access.store import open_access
from callbacks.pictures import ViewQuery
from callbacks.selection import Selection
from callbacks.view import ViewAnswer, draw
from data.decision import Decision
from data.site import Site
from i18n import set_language
from jobs.job import Job
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from jobs.services import Services
from tests.contract.test_analyses import HOUR, at, site  # noqa: F401 - a fixture
from tests.contract.test_flag_layer import START, STUCK, TIMES, loaded, request  # noqa: F401 - a fixture
from tests.people import person

SENSORS = ("temperature", "humidity")
SPAN = (int(TIMES[STUCK.start]), int(TIMES[STUCK.stop - 1]))
MADE = (
    Decision(1, "a", "temperature", "wrong", *SPAN, rule="stuck"),
    Decision(2, "a", "temperature", "right", SPAN[1] + 1, SPAN[1] + HOUR),
    Decision(3, "a", "temperature", "suspect", at(START) - 9 * HOUR, at(START) - 1),  # before the window
)


def decisions(station: str, sensor: str) -> tuple[Decision, ...]:
    return MADE if (station, sensor) == ("a", "temperature") else ()


def services_of(site: Site, rights: Rights) -> Services:  # noqa: F811
    identity = replace(person("ayu"), rights=rights)
    return Services(site.settings, site, open_ledger(site.settings), open_access(site.settings), lambda: identity, lambda: None)


@pytest.fixture
def reviewed(loaded: Site) -> Iterator[Site]:  # noqa: F811
    set_language("en")
    load_history(loaded, request(sensors=SENSORS), lambda _: None)
    yield replace(loaded, decisions=decisions)
    set_language("en")


@pytest.fixture
def job(reviewed: Site) -> Job:
    return open_ledger(reviewed.settings).record_completed("ayu", request(sensors=SENSORS), {})


def drawn(site: Site, job: Job, rights: Rights = EVERYTHING, view: str = "trend", **options: str) -> ViewAnswer:  # noqa: F811
    selection = Selection.of({"job": job.id}).with_view(view, options)
    return draw(services_of(site, rights), ViewQuery(job.id, selection, False, "light", 800))


def marks(answer: ViewAnswer) -> list[tuple[float, float]]:
    """Spans that are marked at the top of a panel, int ms UTC."""
    layout: dict[str, Any] = answer.answer["figure"]["layout"]
    return [(each["x0"], each["x1"]) for each in layout["shapes"] if each["y1"] == 1 and each["y0"] > 0.9]


def test_what_was_decided_is_marked_once_where_spans_touch_and_counted_in_words(reviewed: Site, job: Job) -> None:
    answer = drawn(reviewed, job)
    assert marks(answer) == [(SPAN[0], SPAN[1] + HOUR)]
    assert "2 decisions (▔)" in answer.badge.replace("\u00a0", " ")
    assert answer.answer["review"]["decided"] == [("a", "temperature")]
    assert answer.answer["review"]["scripts"] == ("decisions.js",)
    assert "2 decisions" in str(drawn(reviewed, job, view="calendar").controls)
    assert drawn(reviewed, job, view="calendar").answer["review"] is None


def test_where_nothing_was_decided_nothing_is_said_and_no_script_comes(loaded: Site, job: Job) -> None:  # noqa: F811
    answer = drawn(loaded, job)
    assert (marks(answer), answer.answer["review"]["scripts"]) == ([], ())
    assert "decision" not in answer.badge


@pytest.mark.parametrize(
    ("grant", "may"),
    [
        (Grant(), {"temperature": False, "humidity": False}),
        (Grant(may_review=True), {"temperature": True, "humidity": True}),
        (Grant(may_review=True, to_ms=SPAN[1]), {"temperature": False, "humidity": False}),
    ],
)
def test_who_may_review_the_whole_window_of_a_series_is_told_so(
    reviewed: Site, job: Job, grant: Grant, may: dict[str, bool]
) -> None:
    rights = Rights((grant, Grant()))
    told = drawn(reviewed, job, rights).answer["review"]
    assert {each["sensor"]: each["may"] for each in told["series"]} == may
    assert told["decided"] == [("a", "temperature")]  # who sees a series sees its decisions
    events = drawn(reviewed, job, rights, view="quality").answer["review"]["events"]
    assert {each["may"] for each in events} == {may["temperature"]}


def test_who_may_see_whole_steps_only_is_not_told_where_decisions_are(reviewed: Site) -> None:
    daily = open_ledger(reviewed.settings).record_completed("ayu", request("1d", SENSORS), {})
    answer = drawn(reviewed, daily, Rights((Grant(finest="1d"),)))
    assert (marks(answer), answer.answer["review"]["decided"]) == ([], [])
    assert {each["may"] for each in answer.answer["review"]["series"]} == {False}
