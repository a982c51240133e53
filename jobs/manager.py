# ruff: noqa: ARG002 - the arguments are Dash's
"""Dash's background callbacks on the ledger: the handle of a callback *is* the id of a job.

Dash calls a manager when the callback starts, at every poll, and when a page cancels. This one
never forks, never deletes and never believes a job id: it comes from the browser's Store, so each
call asks ``access`` again. A poll ends only with what ``render_result`` says about a job that has
ended; a ledger that does not answer just lets the page poll on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import diskcache
import structlog
from dash.background_callback.managers.diskcache_manager import DiskcacheManager
from dash.exceptions import PreventUpdate
from flask import g, has_request_context, request
from sqlalchemy.exc import SQLAlchemyError

from access.identity import Identity
from config import Settings
from data.database.disk_cache import open_cache as open_plain_cache
from errors import Conflict, JobNotFound, NotPermitted
from jobs.authorized import authorized_job, followed_job
from jobs.job import Job
from jobs.ledger.ledger import Ledger
from jobs.start import cancel_job

CACHE_BYTES = 256 * 2**20  # counters, and what Dash keeps of itself: all of it may be lost

log = structlog.get_logger(__name__)

Identify = Callable[[], Identity]
Render = Callable[[Job], Sequence[Any]]


def open_cache(settings: Settings) -> diskcache.Cache:
    """The cache of a site (data/database/disk_cache.py)."""
    return open_plain_cache(settings.data_dir / "cache", size_limit=CACHE_BYTES, timeout=5)


def requesting_page() -> str:
    """The page load that the current request belongs to;
    equal for all its requests, empty outside of a page.
    """
    token = request.args.get("endId", "") if has_request_context() else ""
    return hashlib.blake2b(token.encode(), digest_size=16).hexdigest() if token else ""


class QueueManager(DiskcacheManager):
    """``identify`` says who makes the current request;
    ``render_progress`` and ``render_result`` return what a poll shows.
    """

    def __init__(
        self,
        cache: diskcache.Cache,
        ledger: Ledger,
        identify: Identify,
        render_progress: Render,
        render_result: Render,
        *,
        wake: Callable[[], None] | None = None,
        signing_secret: str | None = None,
    ) -> None:
        super().__init__(cache)
        self._ledger = ledger
        self._identify = identify
        self._render_progress = render_progress
        self._render_result = render_result
        self._wake = wake or (lambda: None)
        self._signing_secret = signing_secret

    # -- the callback starts -----------------------------------------------------------------------

    def build_cache_key(self, fn: object, args: Sequence[object], cache_args_to_ignore: object, triggered: object) -> str:
        """The id of the job that the callback's first argument names.

        Raises:
            PreventUpdate: no job, nonsense, or a job that is not the asking identity's:
                nothing is said about it.
        """
        job_id = args[0] if args else None
        if not isinstance(job_id, str):
            raise PreventUpdate
        try:
            return self._job(job_id).id
        except SQLAlchemyError as exc:  # each poll asks again, so nothing is given away
            log.warning("the ledger does not answer a page", error=str(exc))
            return job_id
        except JobNotFound:
            log.warning("a page asked for a job that is not its user's to see", job=job_id[:40])
            raise PreventUpdate from None

    def call_job_fn(self, key: str, job_fn: object, args: object, context: object) -> str:
        """Attach the page to the job. Nothing is started here: a job that waits
        was queued when it was submitted.
        """
        self._wake()
        return key

    # -- each poll ---------------------------------------------------------------------------------

    def get_progress(self, key: str) -> Sequence[Any] | None:
        """What there is to show; None while the ledger does not answer, and of no job.

        Nothing is remembered of it: what is new to the page, the page finds out.
        """
        try:
            return self._render_progress(self._job(key))
        except JobNotFound:
            return None
        except SQLAlchemyError as exc:
            log.warning("the ledger does not answer a poll", error=str(exc))
            return None

    def get_result(self, key: str, job: str | None) -> Any:
        """What the callback returns when the job has ended;
        UNDEFINED before, and while the ledger does not answer.
        """
        try:
            found = self._job(key)
        except (JobNotFound, SQLAlchemyError):
            return self.UNDEFINED
        return self._render_result(found) if found.status.is_final else self.UNDEFINED

    def job_running(self, job: str) -> bool:
        """Return whether the page should go on polling, as long as it has no result.

        True also for a job that has just ended: it may have done so after get_result was asked, and
        the next poll brings its result. True while the ledger does not answer. False only for a job
        that is not there for this identity.
        """
        try:
            self._job(job)
        except JobNotFound:
            return False
        except SQLAlchemyError:
            return True
        return True

    def get_updated_props(self, key: str) -> Mapping[str, Any]:
        """Nothing: jobs set no properties by the side."""
        return {}

    def result_ready(self, key: str) -> bool:
        """Return whether the job has ended."""
        return self.get_result(key, None) is not self.UNDEFINED

    # -- the end -----------------------------------------------------------------------------------

    def terminate_job(self, job: str | None) -> None:
        """Cancel the job, but only when a user asked for it.

        Dash calls this also when the same tab runs the callback again (``oldJob``) and after each
        result; the job is then somebody's work in progress, or done.
        """
        if job is None or not _is_cancel_request(job):
            return
        try:
            cancel_job(self._ledger, self._job(job), self._wake)
        except (JobNotFound, Conflict) as exc:
            log.info("nothing to cancel", job=job, reason=exc.message)

    def terminate_unhealthy_job(self, job: str) -> bool:
        """Never: workers look after their children themselves."""
        return False

    def clear_cache_entry(self, key: str) -> None:
        """Nothing: the ledger is not a cache."""

    def get_or_create_signing_secret(self, generate: Callable[[], bytes]) -> bytes:
        """Return the site's own secret where it was given: it survives restarts."""
        if self._signing_secret is not None:
            return self._signing_secret.encode()
        return bytes(super().get_or_create_signing_secret(generate))

    # -- in between --------------------------------------------------------------------------------

    def _job(self, job_id: str) -> Job:
        """Return the job, if the asking identity may see it today;
        otherwise JobNotFound, whether it exists or not.

        Dash asks three times a poll; the ledger is asked once.
        """
        asked: dict[str, Job] = g.setdefault("riwayat_jobs", {}) if has_request_context() else {}
        if job_id not in asked:
            try:
                if _is_poll():
                    asked[job_id] = followed_job(self._ledger, self._identify(), job_id, requesting_page())
                else:
                    asked[job_id] = authorized_job(self._ledger, self._identify(), job_id)
            except NotPermitted:  # attaching to it says why (callbacks/run.py); a poll just ends
                raise JobNotFound("There is no job {job_id}.", job_id=job_id[:40]) from None
        return asked[job_id]


def _is_poll() -> bool:
    """Return whether the current request asks how a callback goes on."""
    return has_request_context() and "cacheKey" in request.args


def _is_cancel_request(job: str) -> bool:
    """Return whether the current request carries ``cancelJob`` for this job (a signed handle:
    the id, ``~``, the signature).
    """
    signed = request.args.getlist("cancelJob") if has_request_context() else []
    return any(handle.rpartition("~")[0] == job for handle in signed)
