"""Events of a job: pushed as they come, few at a time, by one thread that asks for all;
nothing is held by who went.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from access.store import open_access
from api.concurrency import ConcurrencyLimit
from api.events import add_event_routes
from api.jobs import ApiServices
from api.operations import Api
from api.outputs import JobAnswer
from api.watcher import JobSnapshot, JobWatcher
from config import Settings
from data.request import HistoryRequest
from data.site import open_site
from errors import JobNotFound, RiwayatError, TooManyListeners
from jobs.job import Job, Progress, Status
from jobs.ledger.ledger import Ledger, open_ledger
from jobs.services import Services
from tests.databases import migrate_as_new
from tests.people import person
from tests.processes import wait_until

START, END = 1_356_998_400_000, 1_388_534_400_000
REQUEST = HistoryRequest(("JFK",), ("temperature",), START, END)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(data_dir=tmp_path / "var")
    made.prepare()
    return made


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    migrate_as_new(settings)
    made = open_ledger(settings)
    yield made
    made.engine.dispose()


@pytest.fixture
def watcher(ledger: Ledger) -> Iterator[JobWatcher]:
    made = JobWatcher(ledger, most=2)
    yield made
    for _place in range(2):
        made.listen("any")  # whoever had a place has given it back


def client_of(settings: Settings, ledger: Ledger, watcher: JobWatcher, stream_s: float, user: str = "sari") -> FlaskClient:
    """The routes of events alone."""
    server = Flask("events")
    asks = partial(person, user)
    services = Services(settings, open_site(settings), ledger, open_access(settings), asks, lambda: None)
    services = ApiServices(**vars(services), reauthenticator=lambda: asks, downloads=ConcurrencyLimit(each=2, in_all=4))
    api = Api("api", "/", services.identify)
    add_event_routes(api, services, watcher, stream_s=stream_s)
    server.register_blueprint(api.blueprint)
    server.register_error_handler(RiwayatError, lambda error: (error.code, error.http_status))
    return server.test_client()


@pytest.fixture
def client(settings: Settings, ledger: Ledger, watcher: JobWatcher) -> FlaskClient:
    """Streams end after half a second."""
    return client_of(settings, ledger, watcher, 0.5)


@pytest.fixture
def job(ledger: Ledger) -> Job:
    return ledger.submit("sari", REQUEST)


def events(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """(name, id, data) of each event of a stream; comments and the pause aside."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


def whole(client: FlaskClient, job: Job, last_id: int | None = None) -> TestResponse:
    """A stream read to its end and closed, as a server does."""
    answer = client.get(f"/api/jobs/{job.id}/events", headers={} if last_id is None else {"Last-Event-ID": str(last_id)})
    answer.get_data()
    answer.close()
    return answer


def finish(ledger: Ledger, job: Job) -> Job:
    claimed = ledger.claim("w", [job.queue])
    assert claimed is not None
    attempt = claimed.attempt
    ledger.report(job.id, attempt, Progress(0.5, 1, 2, 10, 20, "JFK", 516))
    ledger.complete(job.id, attempt, {"rows": 20})
    return ledger.get(job.id)


def test_a_job_that_has_ended_is_told_once_and_again_only_to_who_does_not_know(client, ledger, job, watcher):
    done = finish(ledger, job)
    answer = whole(client, job)
    assert (answer.status_code, answer.mimetype, answer.headers["X-Accel-Buffering"]) == (200, "text/event-stream", "no")
    assert [(name, number) for name, number, _ in events(answer.text)] == [
        ("status", str(done.version)),
        ("end", str(done.version)),
    ]
    assert JobAnswer.model_validate(events(answer.text)[-1][2]).status is Status.COMPLETED
    again = whole(client, job, done.version)
    assert (again.status_code, again.data) == (204, b"")
    late = whole(client, job, done.version - 1)
    assert events(late.text)[-1][0] == "end"


def test_what_happens_to_a_job_is_told_while_somebody_listens_until_its_end(settings, watcher, ledger, job):
    client = client_of(settings, ledger, watcher, 60.0)
    stream = client.get(f"/api/jobs/{job.id}/events", buffered=False)
    pieces = stream.iter_encoded()
    assert next(pieces) == b"retry: 1000\n\n"
    assert events(next(pieces).decode())[0][2]["status"] == "queued"
    done = finish(ledger, job)
    rest = events(b"".join(pieces).decode())
    assert [name for name, _, _ in rest[-2:]] == ["status", "end"]
    assert (rest[-1][1], rest[-1][2]["status"]) == (str(done.version), "completed")
    stream.close()


def test_who_waits_in_the_line_is_told_of_each_place_until_his_turn_has_come(settings, watcher, ledger, job):
    first, second, last = job, ledger.submit("budi", REQUEST), ledger.submit("wati", REQUEST)
    server = client_of(settings, ledger, watcher, 30.0, user="wati")
    stream = server.get(f"/api/jobs/{last.id}/events", buffered=False)
    told = (found for piece in stream.iter_encoded() for found in events(piece.decode()))
    seen = [next(told)]
    for ahead in (first, second, last):
        claimed = ledger.claim("w", [ahead.queue])
        assert claimed is not None
        assert claimed.id == ahead.id
        seen.append(next(told))
    stream.close()
    assert [data["position"] for _, _, data in seen] == [3, 2, 1, None]
    assert [data["status"] for _, _, data in seen] == ["queued"] * 3 + ["running"]
    # a place is no version of the job
    assert [int(number) for _, number, _ in seen[:3]] == [last.version] * 3


def test_a_stream_ends_after_its_time_without_saying_that_the_job_has_ended(client, job):
    found = events(whole(client, job).text)
    assert [name for name, _, _ in found] == ["status"]


def test_more_than_the_places_there_are_get_503_until_one_is_free(client, job, watcher):
    streams = [client.get(f"/api/jobs/{job.id}/events", buffered=False) for _ in range(2)]
    refusal = client.get(f"/api/jobs/{job.id}/events")
    assert (refusal.status_code, refusal.text) == (503, "too_many_listeners")
    streams[0].close()  # nothing of it was ever read
    assert whole(client, job).status_code == 200
    streams[1].close()
    client.head(f"/api/jobs/{job.id}/events").close()
    for listener in [watcher.listen(job.id), watcher.listen(job.id)]:  # both slots are free again
        listener.close()


def test_another_owners_events_are_not_there(client, ledger):
    theirs = ledger.submit("budi", REQUEST)
    assert client.get(f"/api/jobs/{theirs.id}/events").status_code == 404


def test_a_listener_asks_two_statements_a_look_while_its_job_waits_and_one_when_it_runs(ledger, job):
    listener = JobWatcher(ledger, most=1).listen(job.id)
    asked: list[str] = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *call: asked.append(str(call[2])))

    def of_one_look() -> int:
        asked.clear()
        assert listener.wait(None, 10.0)
        return len([statement for statement in asked if not statement.startswith(("BEGIN", "PRAGMA"))])

    before = threading.active_count()
    assert of_one_look() == 2
    assert ledger.claim("w", [job.queue])
    assert of_one_look() == 1
    assert threading.active_count() == before  # nobody asks but whoever listens
    listener.close()


def test_a_slot_is_given_back_once_however_often_it_is_closed(watcher, job):
    first, second = watcher.listen(job.id), watcher.listen(job.id)
    first.close()
    first.close()
    third = watcher.listen(job.id)
    with pytest.raises(TooManyListeners):
        watcher.listen(job.id)
    for listener in (second, third):
        listener.close()


def test_who_listens_to_a_job_that_is_pruned_is_told(watcher, ledger, job):
    listener = watcher.listen(job.id)
    ledger.cancel(job.id)
    ledger.prune(older_than_s=-60)

    def is_gone() -> bool:
        try:
            return listener.wait(JobSnapshot(ledger.get(job.id), None), 0.1) is not None
        except JobNotFound:
            return True

    wait_until(is_gone, "the pruned job to be gone")
    listener.close()


def test_a_ledger_that_does_not_answer_is_asked_again(watcher, ledger, job, monkeypatch):
    healthy: Callable[..., Any] = ledger.engine.connect
    broken = threading.Event()

    def connect() -> Any:
        if broken.is_set():
            broken.clear()
            raise_unavailable()
        return healthy()

    monkeypatch.setattr(ledger.engine, "connect", connect)
    broken.set()
    listener = watcher.listen(job.id)
    assert wait_until(lambda: listener.wait(None, 0.5), "news after the failure").job.id == job.id
    assert not broken.is_set()
    listener.close()


def raise_unavailable() -> None:
    from sqlalchemy.exc import OperationalError

    raise OperationalError("SELECT 1", {}, Exception("away"))
