"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): how
a job stands, when it changes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import structlog
from flask import Response, request
from sqlalchemy.exc import SQLAlchemyError

from access.identity import Identity
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.watcher import JobSnapshot, JobWatcher, Listener
from errors import LedgerUnavailable, RiwayatError
from jobs.authorized import refuse_hidden
from jobs.job import Job

HEARTBEAT_S: Final = 2.0  # a comment, so that proxies see life and we see that a listener went
# then the stream ends; a browser comes back by itself, behind those who wait
STREAM_S: Final = 15.0
AGAIN_MS: Final = 1_000  # how long a browser waits before it comes back

_EVENTS: Final = {
    200: Answer(
        "Events ``status``, each the job as JSON; after its end one event ``end``.", content_types=("text/event-stream",)
    ),
    204: Answer("The job has ended and Last-Event-ID is its last version: nothing more will come."),
}

log = structlog.get_logger(__name__)

Answering = Callable[[Job, int | None], dict[str, Any]]


def add_event_routes(api: Api, services: ApiServices, watcher: JobWatcher, stream_s: float = STREAM_S) -> None:
    """``/api/jobs/ID/events``."""

    @api.get("/api/jobs/<job_id>/events", _EVENTS, 404, 503, scope="read")
    def events(job_id: str) -> Response:
        """The status of a job and its place in the line, pushed as they change; ends with the job.

        Each event's id is the job's version, which a change of place alone leaves as it is. A
        stream lasts 15 s at most; a browser's EventSource comes back by itself. Streams are few:
        beyond the limit the answer is 503 with Retry-After, and a client asks for the job itself
        instead.
        """
        job = services.job(job_id)
        if job.status.is_final and request.headers.get("Last-Event-ID") == str(job.version):
            return Response(status=204)  # this is how a browser is told not to come back
        snapshot = JobSnapshot(job, services.ledger.position(job))
        listener = watcher.listen(job.id)
        reader = _Reader(services, services.reauthenticator())
        response = Response(_stream(snapshot, listener, reader.answer, stream_s), content_type="text/event-stream; charset=utf-8")
        response.headers["X-Accel-Buffering"] = "no"  # a proxy must pass events on as they come
        response.call_on_close(listener.close)  # also when nothing of the stream was ever read
        return response


@dataclass(frozen=True)
class _Reader:
    """Whoever listens: rights, keys and sessions may end before the stream does."""

    services: ApiServices
    identify: Callable[[], Identity]

    def answer(self, job: Job, position: int | None) -> dict[str, Any]:
        """The job as JSON, while it is granted.

        Raises:
            RiwayatError: it is not granted any more, who asked is not let in any more,
                or nobody can say.
        """
        try:
            identity = self.identify()
        except SQLAlchemyError as error:
            log.warning("an event stream cannot ask what is granted", error=str(error))
            raise LedgerUnavailable from error
        refuse_hidden(identity, job)
        return self.services.answer(job, position)


def _stream(snapshot: JobSnapshot, listener: Listener, answer: Answering, stream_s: float) -> Iterator[str]:
    """Lines of the stream. It knows no request any more, and ends with the job, its time,
    its reader, or what is granted.
    """
    until = time.monotonic() + stream_s
    try:
        yield f"retry: {AGAIN_MS}\n\n"
        yield _event("status", snapshot, answer)
        while not snapshot.job.status.is_final and (left_s := until - time.monotonic()) > 0:
            news = listener.wait(snapshot, min(HEARTBEAT_S, left_s))
            snapshot = news or snapshot
            yield _event("status", snapshot, answer) if news else ": \n\n"
        if snapshot.job.status.is_final:
            yield _event("end", snapshot, answer)
    except RiwayatError:  # pruned, or not granted any more: the next request says so
        return
    finally:
        listener.close()


def _event(name: str, snapshot: JobSnapshot, answer: Answering) -> str:
    data = json.dumps(answer(snapshot.job, snapshot.position), ensure_ascii=False)
    return f"event: {name}\nid: {snapshot.job.version}\ndata: {data}\n\n"
