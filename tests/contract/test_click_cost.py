"""What a click on Load asks of the database until the first poll, what a poll asks, and which of
our files they pass: counted, so that it stays little.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app import create_app
from config import Settings
from jobs.job import WorkerInfo
from jobs.ledger.ledger import Ledger, open_ledger
from layouts import ids
from tests.e2e.visitor import InProcess

WORKER = WorkerInfo("w1", "here", 1, ("history", "history-large"), 1, 0, 0)
FORM = {
    ids.STATION: ["JFK"], ids.SENSOR: ["temperature", "rainfall"], ids.RESOLUTION: "raw",
    ids.RANGE_START: "2013-01-01 00:00", ids.RANGE_END: "2014-01-01 00:00",
    ids.CHART_WIDTH: 800, ids.THEME: "light",
}  # fmt: skip
MOST_BEFORE_THE_FIRST_POLL = 15  # statements, those that begin or end a transaction apart
MOST_A_POLL = 3
NOT_COUNTED = ("FROM account", "FROM quality_revision")
MOST_FILES = 114  # of ours, whose code runs from the click to the end of the first poll
PROJECT = Path(__file__).parents[2]


@contextmanager
def counted() -> Iterator[list[str]]:
    """Statements that any engine executes meanwhile; without who is asking, which each request asks
    once where people sign in, and which decisions are new, which a process asks twice a second at
    most (test_stored_decisions.py).
    """
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")) and not any(each in statement for each in NOT_COUNTED):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def settings(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir, auth="proxy", admins="sari", timezone="UTC")


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    opened = open_ledger(settings)
    opened.heartbeat(WORKER)
    return opened


@pytest.fixture
def page(settings: Settings, ledger: Ledger) -> InProcess:
    """A page load of a site that has a worker."""
    visitor = InProcess(create_app(settings).server.test_client(), "sari", "")
    assert visitor.page_token
    assert visitor.callbacks
    return visitor


@contextmanager
def files_passed() -> Iterator[dict[str, list[str]]]:
    """Project files whose code runs meanwhile, in the order of the way, with their functions."""
    found: dict[str, list[str]] = {}

    def note(frame: FrameType, event: str, _argument: object) -> None:
        name = frame.f_code.co_filename.removeprefix(f"{PROJECT}/")
        if event == "call" and not name.startswith(("/", "<", ".venv/", "tests/")):
            functions = found.setdefault(name, [])
            if frame.f_code.co_qualname not in functions:
                functions.append(frame.f_code.co_qualname)

    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)


def threads() -> set[threading.Thread]:
    """Threads that run, apart from the clocks of pytest's time limits."""
    return {each for each in threading.enumerate() if not isinstance(each, threading.Timer)}


def click(page: InProcess) -> tuple[str, list[tuple[str, str]]]:
    """Do what the browser does at a click until the first poll;
    returns the job's id and the handles of the poll.
    """
    loaded = page.ask(page.changing(ids.JOB_ID, "data", ids.LOAD), FORM | {ids.LOAD: 1})
    job_id = loaded.json["response"][ids.JOB_ID]["data"]
    shown = {ids.JOB_ID: job_id, ids.POLL_ID: job_id}
    assert page.ask(page.changing(ids.TITLE, "children", ids.JOB_ID), shown).status == 200
    assert page.ask(page.changing(ids.CHART_ANSWER, "data", ids.JOB_ID), FORM | shown).json
    started = page.ask(following(page), {ids.POLL_ID: job_id}).json
    return job_id, [("cacheKey", started["cacheKey"]), ("job", started["job"])]


def following(page: InProcess) -> dict[str, Any]:
    """The background callback."""
    return page.changing(ids.JOB_STATE, "data", ids.POLL_ID)


def test_a_click_costs_few_statements_and_no_thread(page: InProcess) -> None:
    before = threads()
    with counted() as statements:
        click(page)
    assert len(statements) <= MOST_BEFORE_THE_FIRST_POLL, "\n".join(statements)
    assert not threads() - before


@pytest.mark.usefixtures("logs_not_set_up")
def test_a_click_and_its_first_poll_pass_few_files(data_dir: Path) -> None:
    """A site as it is set up at first; what a page load or a first request does is over by then."""
    settings = Settings(data_dir=data_dir, timezone="UTC")
    open_ledger(settings).heartbeat(WORKER)
    page = InProcess(create_app(settings).server.test_client(), "", "")
    assert page.page_token
    assert page.callbacks
    with files_passed() as files:
        job_id, handles = click(page)
        assert page.ask(following(page), {ids.POLL_ID: job_id}, handles=handles).status == 200
    way = [f"{at:3} {name}: {', '.join(each)}" for at, (name, each) in enumerate(files.items(), 1)]
    assert len(files) <= MOST_FILES, "\n".join(["", *way])


@pytest.mark.parametrize("runs", [False, True])
def test_a_poll_costs_few_statements_apart_from_the_pages_sign_of_life(page: InProcess, ledger: Ledger, runs: bool) -> None:
    job_id, handles = click(page)
    if runs:
        claimed = ledger.claim("w1", ["history"])
        assert claimed is not None
        assert claimed.id == job_id
    # writes the sign of life
    assert page.ask(following(page), {ids.POLL_ID: job_id}, handles=handles).status == 200
    with counted() as statements:
        polled = page.ask(following(page), {ids.POLL_ID: job_id}, handles=handles)
    assert polled.status == 200
    assert statements
    assert len(statements) <= MOST_A_POLL, "\n".join(statements)


def test_a_zoom_asks_for_the_job_its_months_and_its_notes_and_no_more(page: InProcess) -> None:
    job_id, _ = click(page)
    window = {"job": job_id, "sequence": 1, "start": 1_360_000_000_000, "end": 1_361_000_000_000}
    zoomed = page.changing(ids.CHART_ANSWER, "data", ids.JOB_ID)
    with counted() as statements:
        assert page.ask(zoomed, FORM | {ids.JOB_ID: job_id, ids.SELECTION: window}).status == 200
    assert len(statements) <= 4, "\n".join(statements)
