"""What the page says when there is no room for one more job."""

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import pytest

import application
from access.store import open_access
from callbacks.jobs_page import act
from callbacks.submit import _cancelled, show_begun, start_again, start_load, start_reload
from config import Settings
from data.database.drivers import WEB_BUSY_MS
from data.load_plan import plan
from data.request import request_of
from errors import QueueFull
from i18n import set_language
from jobs.job import Status, WorkerInfo
from jobs.kinds.history import load_history
from jobs.ledger.ledger import migrate_jobs, open_ledger
from jobs.policy import QUEUES
from jobs.services import Services
from tests.people import person

SARI, BUDI = person("sari"), person("budi")


@pytest.fixture
def services(site, data_dir):
    """A site on which a user may have one job, and two may wait;
    with a worker that never takes one.
    """
    settings = Settings(data_dir=data_dir, user_jobs=1, queued_jobs=2)
    ledger = open_ledger(settings, busy_ms=100)
    migrate_jobs(ledger.engine)
    ledger.heartbeat(WorkerInfo("w", "here", os.getpid(), QUEUES, 1, 0, 0))
    yield Services(settings, site, ledger, open_access(settings), lambda: SARI, lambda: None)
    ledger.engine.dispose()
    site.engine.dispose()
    set_language("en")


def test_a_ledger_that_does_not_answer_is_an_alert(services, data_dir):
    with closing(sqlite3.connect(data_dir / "riwayat.sqlite", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        sentence = said(services, lambda identity: start_load(services, identity, asked("JFK")))
    assert sentence == "The database does not answer; try again later."


def test_while_the_ledger_is_written_to_a_page_is_answered_soon_and_can_be_told(services, data_dir):
    job = start_load(services, SARI, asked("JFK"))
    web = replace(services, ledger=open_ledger(services.settings, busy_ms=WEB_BUSY_MS))
    with closing(sqlite3.connect(data_dir / "riwayat.sqlite", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        began_s = time.monotonic()
        assert "does not answer" in _cancelled(web, job.id).children[0].children
        assert "does not answer" in act(web, SARI, job.id, "cancel").sentence
        assert time.monotonic() - began_s < 10
    web.ledger.engine.dispose()
    assert services.ledger.get(job.id).status is Status.QUEUED
    assert type(_cancelled(services, job.id)).__name__ == "NoUpdate"
    assert services.ledger.get(job.id).status is Status.CANCELLED


def test_the_web_process_waits_shortly_for_its_sqlite_files(data_dir, monkeypatch):
    opened = []
    for name in ("open_web_site", "open_ledger"):
        real = getattr(application, name)
        monkeypatch.setattr(application, name, lambda *args, real=real, **how: opened.append(real(*args, **how)) or opened[-1])
    application.create_app(Settings(data_dir=data_dir))
    waits = []
    for each in opened:
        with each.engine.connect() as connection:
            waits.append(connection.exec_driver_sql("PRAGMA busy_timeout").scalar())
        each.engine.dispose()
    assert waits == [WEB_BUSY_MS, WEB_BUSY_MS]


def test_a_site_with_the_setting_of_old_for_what_pages_were_shown_starts(data_dir):
    assert application.create_app(Settings(data_dir=data_dir, result_ttl=1000)).server


def test_a_reload_for_which_there_is_no_room_leaves_the_tiles_as_they_are(services):
    load_history(services.site, asked("EWR"), lambda _: None)
    done = start_load(services, SARI, asked("EWR"))
    assert done.status is Status.COMPLETED
    start_load(services, SARI, asked("JFK"))
    with pytest.raises(QueueFull):
        start_reload(services, SARI, done)
    assert not plan(services.site, asked("EWR")).missing


def test_a_reload_joins_an_equal_load_although_there_is_no_room_for_another(services):
    job = start_load(services, SARI, asked("JFK"))
    assert start_reload(services, SARI, job).id == job.id


def asked(station):
    return request_of([station], ["temperature"], "2013-01-01", "2013-02-01", "raw", "Asia/Jakarta")


def said(services, begin):
    """The alert's sentence, and that nothing else of the page changed."""
    job_id, search, shown = show_begun(services, None, begin)
    assert {type(job_id).__name__, type(search).__name__} == {"NoUpdate"}
    return shown.children[0].children


def test_a_users_own_limit_is_an_alert_that_says_what_to_do(services):
    first = start_load(services, SARI, asked("JFK"))

    def begin(identity):
        return start_load(services, identity, asked("EWR"))

    assert said(services, begin) == ("Your limit of active loads is reached (1 of 1). Wait for one to finish or cancel one.")
    set_language("id")
    assert said(services, begin).startswith("Batas pemuatan aktif Anda tercapai (1 dari 1)")
    # the same load again is no new one
    assert start_load(services, SARI, asked("JFK")).id == first.id


def test_a_full_queue_is_an_alert_and_holds_for_retries_too(services):
    old = start_load(services, SARI, asked("JFK"))
    services.ledger.cancel(old.id)
    for user in ("budi", "citra"):
        start_load(services, person(user), asked("EWR"))
    assert said(services, lambda identity: start_load(services, identity, asked("LGA"))).startswith("The queue is full (2 of")
    again = said(services, lambda identity: start_again(services, identity, services.ledger.get(old.id)))
    assert again.endswith("Try again in a few minutes.")
