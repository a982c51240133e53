"""What the Jobs page's callbacks do, on a real ledger:
whose jobs, which actions, when it asks again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from dash import no_update
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from access.identity import Identity
from access.store import open_access
from app import create_app
from callbacks.jobs_page import JobsPageAnswer, JobsPageQuery, act, shown, unavailable
from callbacks.run import JobRenderer
from config import Settings
from data.request import request_of
from jobs.job import JobError, Status, WorkerInfo
from jobs.ledger.ledger import migrate_jobs, open_ledger
from jobs.monitoring.wait_times import queue_day
from jobs.services import Services
from tests.people import person

SARI, BUDI, ADMIN = person("sari"), person("budi"), person("root", admin=True)
NOW = 1_700_000_000_000
NEW = JobsPageQuery(0, None, None, "light")


@pytest.fixture
def services(site, data_dir) -> Iterator[Services]:
    settings = Settings(data_dir=data_dir)
    ledger = open_ledger(settings)
    migrate_jobs(ledger.engine)
    yield Services(settings, site, ledger, open_access(settings), lambda: SARI, lambda: None)
    ledger.engine.dispose()
    site.engine.dispose()


def submit(services: Services, owner: str, day: int = 1, **how):
    request = request_of(["JFK"], ["temperature"], f"2013-01-{day:02}", "2013-02-01", "raw", "UTC")
    return services.ledger.submit(owner, request, **how)


def show(services: Services, identity: Identity, asked: JobsPageQuery = NEW) -> JobsPageAnswer:
    return shown(services, identity, asked, NOW)


def test_one_sees_ones_own_jobs_and_an_administrator_everybodys(services):
    mine, theirs = submit(services, "sari"), submit(services, "budi")
    assert [row["id"] for row in show(services, SARI).rows] == [mine.id]
    assert [row["id"] for row in show(services, ADMIN).rows] == [theirs.id, mine.id]


def test_it_asks_again_only_while_something_waits_or_runs(services):
    assert show(services, SARI).idle
    job = submit(services, "sari")
    assert not show(services, SARI).idle
    services.ledger.claim("w", ["history"])
    assert not show(services, SARI).idle
    services.ledger.cancel(job.id)
    assert show(services, SARI).idle


def test_rows_that_the_page_has_are_not_sent_again(services):
    submit(services, "sari")
    first = show(services, SARI)
    assert show(services, SARI, replace(NEW, seen=first.seen)).rows is no_update
    submit(services, "sari", 2)
    assert len(show(services, SARI, replace(NEW, seen=first.seen)).rows) == 2


def test_details_that_the_page_has_are_not_sent_again(services):
    job = submit(services, "sari")
    selected = replace(NEW, selected=[{"id": job.id}])
    first = show(services, SARI, selected)
    assert show(services, SARI, replace(selected, seen=first.seen)).details is no_update
    assert show(services, SARI, replace(NEW, seen=first.seen)).details is None
    services.ledger.cancel(job.id)
    assert show(services, SARI, replace(selected, seen=first.seen)).details
    for nonsense in ("x", 7, [], {"details": 7}):
        assert show(services, SARI, replace(selected, seen=nonsense)).details


def test_the_number_of_rows_is_bounded_and_older_ones_can_be_had(services, monkeypatch):
    for day in (1, 2, 3):
        submit(services, "sari", day)
    monkeypatch.setattr("callbacks.jobs_page.FIRST_JOBS", 2)
    found = show(services, SARI)
    assert (len(found.rows), found.no_older, found.count) == (2, False, "The newest 2 jobs")
    assert show(services, SARI, replace(NEW, presses=1)).no_older
    for nonsense in ("x", None, -5, 10**9, {}):
        assert 1 <= len(show(services, SARI, replace(NEW, presses=nonsense)).rows) <= 3


def test_while_the_ledger_does_not_answer_the_page_keeps_what_it_has_says_so_and_asks_again(services):
    found = unavailable(services, SQLAlchemyError())
    assert (found.rows, found.details, found.idle) == (no_update, no_update, False)
    assert "does not answer" in str(found.queue)


def test_without_a_job_the_page_says_so(services):
    found = show(services, SARI)
    assert (found.empty_hidden, found.table_hidden, found.rows, found.details) == (False, True, [], None)
    submit(services, "sari")
    assert (show(services, SARI).empty_hidden, show(services, SARI).table_hidden) == (True, False)


def test_details_are_those_of_the_selected_job_if_one_may_see_it(services):
    mine, theirs = submit(services, "sari"), submit(services, "budi")
    assert show(services, SARI, replace(NEW, selected=[{"id": mine.id}])).details
    for selected in ([{"id": theirs.id}], [{"id": "gone"}], [], None, "x", [7]):
        assert show(services, SARI, replace(NEW, selected=selected)).details is None


def test_ones_own_jobs_can_be_cancelled_and_retried(services):
    job = submit(services, "sari")
    assert act(services, SARI, job.id, "cancel") is None
    assert services.ledger.get(job.id).status is Status.CANCELLED
    assert act(services, SARI, job.id, "retry") is None
    assert services.ledger.get(job.id).status is Status.QUEUED


def test_anothers_job_is_not_there_for_any_action_but_an_administrators(services):
    job = submit(services, "budi")
    for identity, job_id in ((SARI, job.id), (SARI, "gone"), (SARI, None), (SARI, ["x"])):
        assert "There is no job" in act(services, identity, job_id, "cancel").sentence
    assert services.ledger.get(job.id).status is Status.QUEUED
    assert act(services, ADMIN, job.id, "cancel") is None


def test_an_action_that_comes_too_late_says_why_and_changes_nothing(services):
    job = submit(services, "sari")
    act(services, SARI, job.id, "cancel")
    assert act(services, SARI, job.id, "cancel").sentence == "The job is cancelled and cannot be cancelled."
    assert act(services, SARI, job.id, "prune") is None
    assert services.ledger.get(job.id).status is Status.CANCELLED


# -- the queue's day -------------------------------------------------------------------------------


def test_the_day_holds_waits_that_go_on_ended_in_a_start_or_in_a_cancel(services):
    ledger = services.ledger
    begun, cancelled = submit(services, "sari", 1), submit(services, "sari", 2)
    ledger.claim("w", ["history"], only=begun.id)
    ledger.cancel(cancelled.id)
    submit(services, "sari", 3)
    ledger.record_completed("sari", begun.request, {"rows": 1})  # never stood in the line
    day = queue_day(ledger)
    assert [(wait.until_ms is None, wait.started) for wait in day.waits] == [(True, False), (False, False), (False, True)]
    assert (day.waiting, len(day.ended)) == (1, 1)
    assert 0 <= day.longest_now_ms < 60_000


def test_an_empty_ledger_has_an_empty_day(services):
    day = queue_day(services.ledger)
    assert (day.waits, day.waiting, day.longest_now_ms, day.ended) == ((), 0, 0, ())


def test_a_job_that_waits_without_a_worker_brings_the_command_that_starts_one(services):
    submit(services, "sari")
    assert "manage.py worker" in str(show(services, SARI).queue)
    services.ledger.heartbeat(WorkerInfo("w", "here", os.getpid(), ("history",), 2, 0, 0))
    assert "manage.py worker" not in str(show(services, SARI).queue)
    assert "0 of 2" in str(show(services, SARI).queue)


def test_an_error_is_in_the_row_in_full(services):
    job = submit(services, "sari")
    claimed = services.ledger.claim("w", ["history"])
    services.ledger.fail(job.id, claimed.attempt, JobError("x", "No {why}.", {"why": "w" * 300}, False, "Trace"), jitter=0.0)
    (row,) = show(services, SARI).rows
    assert (row["error"], row["details"]) == (f"No {'w' * 300}.", "Trace")


# -- the page's address ----------------------------------------------------------------------------


@pytest.fixture
def client(data_dir):
    def make(**settings):
        return create_app(Settings(data_dir=data_dir, **settings)).server.test_client()

    return make


def test_the_page_is_at_jobs_with_and_without_a_slash_below_the_prefix(client):
    local = {"REMOTE_ADDR": "127.0.0.1"}
    for prefix in ("/", "/weather/"):
        web = client(url_prefix=prefix)
        for path in ("jobs", "jobs/"):
            answer = web.get(f"{prefix}{path}", environ_base=local)
            assert (answer.status_code, answer.mimetype) == (200, "text/html")
            assert "<title>Jobs · Riwayat</title>" in answer.text
        layout = web.get(f"{prefix}jobs/_dash-layout", environ_base=local).json
        assert f'"href": "{prefix}jobs"' in json.dumps(layout)
        assert web.get(f"{prefix}jobs/nothing", environ_base=local).status_code == 404


def test_only_the_jobs_page_loads_the_grid_and_every_script_comes_from_the_site(client):
    web = client()
    scripts = {path: re.findall(r'<script src="([^"]+)"', web.get(path).text) for path in ("/", "/jobs")}
    assert all(source.startswith("/") and not source.startswith("//") for found in scripts.values() for source in found)
    assert [any("dash_ag_grid" in source for source in scripts[path]) for path in ("/", "/jobs")] == [False, True]
    for source in scripts["/jobs"]:
        with web.get(source) as answer:  # files are sent open
            assert answer.status_code == 200


def test_whoever_is_not_signed_in_gets_a_sentence_instead_of_the_page(client):
    answer = client(auth="proxy").get("/jobs")
    assert (answer.status_code, answer.mimetype) == (401, "text/html")


def test_a_traceback_is_an_administrators_to_see(services):
    job = submit(services, "sari")
    services.ledger.claim("w", ["history"])
    services.ledger.fail(job.id, 1, JobError("unexpected", "It broke.", {}, False, "Traceback of /srv"), jitter=0)
    proxied = replace(services, settings=services.settings.model_copy(update={"auth": "proxy"}))
    seen = {identity.user: show(proxied, identity).rows[0]["details"] for identity in (SARI, ADMIN)}
    assert seen == {"sari": "", "root": "Traceback of /srv"}
    # without sign-in there is one user, on this machine
    assert show(services, SARI).rows[0]["details"] == "Traceback of /srv"
    for who, there in ((SARI, False), (ADMIN, True)):
        renderer = JobRenderer(replace(proxied, identify=lambda who=who: who))
        with Flask("x").test_request_context():
            found = services.ledger.get(job.id)
            assert ("/srv" in repr(renderer.result(found)[-1].to_plotly_json())) is there
            assert "/srv" not in repr(renderer.progress(found))
