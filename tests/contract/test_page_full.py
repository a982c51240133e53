"""What the page says when there is no room for one more job."""

import os
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import event

from access.identity import Identity
from callbacks.services import Services
from callbacks.start import start_again, start_load
from callbacks.submit import _show
from config import Settings
from data.request import request_of
from i18n import set_language
from jobs.job import WorkerInfo
from jobs.ledger import migrate_jobs, open_ledger
from jobs.policy import QUEUES

SARI, BUDI = Identity("sari"), Identity("budi")


@pytest.fixture
def services(site, data_dir):
    """A site on which a user may have one job, and two may wait; with a worker that never takes one."""
    settings = Settings(data_dir=data_dir, user_jobs=1, queued_jobs=2)
    ledger = open_ledger(settings)
    migrate_jobs(ledger.engine)
    ledger.heartbeat(WorkerInfo("w", "here", os.getpid(), QUEUES, 1, 0, 0))
    yield Services(settings, site, ledger, lambda: SARI, lambda: None)
    ledger.engine.dispose()
    site.engine.dispose()
    set_language("en")


def test_a_ledger_that_does_not_answer_is_an_alert(services, data_dir):
    event.listen(services.ledger.engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA busy_timeout = 100"))
    services.ledger.engine.dispose()
    with closing(sqlite3.connect(data_dir / "riwayat.sqlite", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        sentence = said(services, lambda identity: start_load(services, identity, asked("JFK")))
    assert sentence == "The database does not answer; try again later."


def asked(station):
    return request_of([station], ["temperature"], "2013-01-01", "2013-02-01", "raw", "Asia/Jakarta")


def said(services, begin):
    """The alert's sentence, and that nothing else of the page changed."""
    job_id, search, shown = _show(services, None, begin)
    assert {type(job_id).__name__, type(search).__name__} == {"NoUpdate"}
    return shown.children[0].children


def test_a_users_own_limit_is_an_alert_that_says_what_to_do(services):
    first = start_load(services, SARI, asked("JFK"))

    def begin(identity):
        return start_load(services, identity, asked("EWR"))

    assert said(services, begin) == (
        "Loads of yours that wait or run: 1; no more than 1 may. Wait until one has ended, or cancel one."
    )
    set_language("id")
    assert said(services, begin).startswith("Pemuatan Anda yang menunggu atau berjalan: 1")
    assert start_load(services, SARI, asked("JFK")).id == first.id  # the same load again is no new one


def test_a_full_queue_is_an_alert_and_holds_for_retries_too(services):
    old = start_load(services, SARI, asked("JFK"))
    services.ledger.cancel(old.id)
    for user in ("budi", "citra"):
        start_load(services, Identity(user), asked("EWR"))
    assert said(services, lambda identity: start_load(services, identity, asked("LGA"))).startswith(
        "Loads of all users that wait: 2"
    )
    again = said(services, lambda identity: start_again(services, identity, services.ledger.get(old.id)))
    assert again.endswith("Try again in a few minutes.")
