"""Server-sent events of a job (https://html.spec.whatwg.org/multipage/server-sent-events.html): its status when it changes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import structlog
from flask import Response, request
from sqlalchemy.exc import SQLAlchemyError

from api.jobs import Desk
from api.operations import Answer, Api
from api.watcher import JobWatcher, Listener
from errors import JobNotFound
from jobs.job import Job

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


def add_event_routes(api: Api, desk: Desk, watcher: JobWatcher, stream_s: float = STREAM_S) -> None:
    """``/api/jobs/ID/events``."""

    @api.get("/api/jobs/<job_id>/events", _EVENTS, 404, 503)
    def events(job_id: str) -> Response:
        """The status of a job, pushed as it changes; ends with the job.

        Each event's id is the job's version. A stream lasts 15 s at most; a browser's EventSource comes back by itself.
        Streams are few: beyond the limit the answer is 503 with Retry-After, and a client asks for the job itself instead.
        """
        job = desk.job(job_id)
        if job.status.is_final and request.headers.get("Last-Event-ID") == str(job.version):
            return Response(status=204)  # this is how a browser is told not to come back
        listener = watcher.listen(job.id)
        response = Response(_stream(job, listener, desk.answer, stream_s), content_type="text/event-stream; charset=utf-8")
        response.headers["X-Accel-Buffering"] = "no"  # a proxy must pass events on as they come
        response.call_on_close(listener.close)  # also when nothing of the stream was ever read
        return response


def _stream(job: Job, listener: Listener, answer: Callable[[Job], dict[str, Any]], stream_s: float) -> Iterator[str]:
    """Lines of the stream. It knows no request any more, and ends with the job, with its time, or with its reader."""
    until = time.monotonic() + stream_s
    try:
        yield f"retry: {AGAIN_MS}\n\n"
        yield _event("status", job, answer)
        while not job.status.is_final and (left_s := until - time.monotonic()) > 0:
            news = listener.wait(job.version, min(HEARTBEAT_S, left_s))
            job = news or job
            yield _event("status", job, answer) if news else ": \n\n"
        if job.status.is_final:
            yield _event("end", job, answer)
    except JobNotFound:  # pruned meanwhile: the next request says so
        return
    finally:
        listener.close()


def _event(name: str, job: Job, answer: Callable[[Job], dict[str, Any]]) -> str:
    try:
        data = answer(job)
    except SQLAlchemyError as exc:  # its place in the line is not known: better a heartbeat than the end of the stream
        log.warning("the ledger does not answer an event stream", error=str(exc))
        return ": \n\n"
    return f"event: {name}\nid: {job.version}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
