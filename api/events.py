"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): how a job stands, when it changes."""

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
from api.jobs import Desk
from api.operations import Answer, Api
from api.watcher import JobWatcher, Listener, Standing
from errors import LedgerUnavailable, RiwayatError
from jobs.job import Job
from jobs.visible import refuse_hidden

HEARTBEAT_S: Final = 2.0  # a comment, so that proxies see life and we see that a listener went
STREAM_S: Final = 15.0  # then the stream ends; a browser comes back by itself, behind those who wait
AGAIN_MS: Final = 1_000  # how long a browser waits before it comes back

_EVENTS: Final = {
    200: Answer(
        "Events ``status``, each the job as JSON; after its end one event ``end``.", content_types=("text/event-stream",)
    ),
    204: Answer("The job has ended and Last-Event-ID is its last version: nothing more will come."),
}

log = structlog.get_logger(__name__)

Answering = Callable[[Job, int | None], dict[str, Any]]


def add_event_routes(api: Api, desk: Desk, watcher: JobWatcher, stream_s: float = STREAM_S) -> None:
    """``/api/jobs/ID/events``."""

    @api.get("/api/jobs/<job_id>/events", _EVENTS, 404, 503, scope="read")
    def events(job_id: str) -> Response:
        """The status of a job and its place in the line, pushed as they change; ends with the job.

        Each event's id is the job's version, which a change of place alone leaves as it is. A stream lasts 15 s at most; a
        browser's EventSource comes back by itself. Streams are few: beyond the limit the answer is 503 with Retry-After, and
        a client asks for the job itself instead.
        """
        job = desk.job(job_id)
        if job.status.is_final and request.headers.get("Last-Event-ID") == str(job.version):
            return Response(status=204)  # this is how a browser is told not to come back
        standing = Standing(job, desk.ledger.position(job))
        listener = watcher.listen(job.id)
        reader = _Reader(desk, desk.later())
        response = Response(_stream(standing, listener, reader.answer, stream_s), content_type="text/event-stream; charset=utf-8")
        response.headers["X-Accel-Buffering"] = "no"  # a proxy must pass events on as they come
        response.call_on_close(listener.close)  # also when nothing of the stream was ever read
        return response


@dataclass(frozen=True)
class _Reader:
    """Whoever listens: a stream outlives its request, and rights, keys and sessions may end meanwhile."""

    desk: Desk
    asks: Callable[[], Identity]

    def answer(self, job: Job, position: int | None) -> dict[str, Any]:
        """The job as JSON, while it is granted.

        Raises:
            RiwayatError: it is not granted any more, who asked is not let in any more, or nobody can say.
        """
        try:
            identity = self.asks()
        except SQLAlchemyError as error:
            log.warning("an event stream cannot ask what is granted", error=str(error))
            raise LedgerUnavailable from error
        refuse_hidden(identity, job)
        return self.desk.answer(job, position)


def _stream(standing: Standing, listener: Listener, answer: Answering, stream_s: float) -> Iterator[str]:
    """Lines of the stream. It knows no request any more, and ends with the job, its time, its reader, or what is granted."""
    until = time.monotonic() + stream_s
    try:
        yield f"retry: {AGAIN_MS}\n\n"
        yield _event("status", standing, answer)
        while not standing.job.status.is_final and (left_s := until - time.monotonic()) > 0:
            news = listener.wait(standing, min(HEARTBEAT_S, left_s))
            standing = news or standing
            yield _event("status", standing, answer) if news else ": \n\n"
        if standing.job.status.is_final:
            yield _event("end", standing, answer)
    except RiwayatError:  # pruned, or not granted any more: the next request says so
        return
    finally:
        listener.close()


def _event(name: str, standing: Standing, answer: Answering) -> str:
    data = json.dumps(answer(standing.job, standing.position), ensure_ascii=False)
    return f"event: {name}\nid: {standing.job.version}\ndata: {data}\n\n"
