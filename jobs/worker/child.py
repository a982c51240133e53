"""What runs in the child of a worker: one attempt at a job, with engines of its own,
from claim to result.
"""

from __future__ import annotations

import os
import random
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from access.identity import owner_identity
from access.notes.file_notes import with_file_notes
from access.restricted_site import require_permission
from access.store import AccessStore, open_access
from analysis.inquiry import Inquiry
from config import Settings
from data.flag_choice import USUAL_FLAGS
from data.site import open_site
from data.source.connection.failures import classified
from errors import ConfigurationError, LedgerUnavailable, StaleAttempt
from jobs.attempt_in_hand import AttemptInHand, Works
from jobs.job import Job, JobError, Metrics, Progress, file_flags
from jobs.kinds.draw_picture import draw_picture
from jobs.kinds.export_file import write_export
from jobs.kinds.history import load_history
from jobs.kinds.kept_answer import write_answer
from jobs.ledger.ledger import Ledger, open_ledger
from jobs.policy import ANALYSIS, FILE_FORMATS, PICTURE, REPORT, WORKBOOK, purpose_of
from jobs.worker.attempt_cleanup import draft_name, session_name
from jobs.worker.process import lift_memory_limit

PUBLISH_EVERY_S = 0.25
CALLBACK_POLL_S = 0.5
WRITE_PAUSE_S = 1.0
# progress is not worth waiting for longer, and results are written again and again
LEDGER_BUSY_MS = 1_000

Shown = TypeVar("Shown")
Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


class ThrottledReport:
    """Publishes progress at most four times a second;
    the first at once, and the last, by :meth:`flush`, always.

    Progress that the ledger could not take is lost, not the job: only StaleAttempt is raised.
    """

    def __init__(self, publish: Callable[[Progress], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._publish = publish
        self._clock = clock
        self._next_s = float("-inf")
        self._withheld: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Publish, or keep for later."""
        self._withheld = progress
        if self._clock() >= self._next_s:
            self.flush()

    def flush(self) -> None:
        """Publish what was withheld."""
        if self._withheld is None:
            return
        progress, self._withheld = self._withheld, None
        self._next_s = self._clock() + PUBLISH_EVERY_S
        try:
            self._publish(progress)
        except SQLAlchemyError as exc:
            log.warning("progress could not be published", error=str(exc))


class PeakMemory:
    """Memory of this process: the kernel's peak of all,
    and the private part as far as it was sampled. In MB (10^6 bytes).
    """

    def __init__(self) -> None:
        self._private_mb = 0.0
        self.sample()

    def sample(self) -> None:
        """Look at the private memory now."""
        fields = dict(line.split(":", 1) for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
        private_kib = sum(int(fields[name].split()[0]) for name in ("Private_Clean", "Private_Dirty"))
        self._private_mb = max(self._private_mb, private_kib * 1024 / 1e6)

    def metrics(self) -> dict[str, float]:
        """``peak_memory_mb`` counts what is shared with the worker and mapped files, too;
        ``private_memory_mb`` does not.
        """
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"peak_memory_mb": round(peak_kib * 1024 / 1e6, 1), "private_memory_mb": round(self._private_mb, 1)}


def persist(
    ask: Callable[[], Answer],
    patience_s: float,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Ask the ledger, again and again while it does not answer,
    so that work is not done twice because it restarts.

    A write that was carried out although its answer was lost comes back as StaleAttempt,
    which is as good.

    Raises:
        SQLAlchemyError, LedgerUnavailable: it has not answered for ``patience_s`` seconds.
    """
    give_up_s = clock() + patience_s
    while True:
        try:
            return ask()
        except (SQLAlchemyError, LedgerUnavailable) as exc:
            if clock() >= give_up_s:
                raise
            log.warning("the ledger does not answer yet", error=str(exc))
            sleep(WRITE_PAUSE_S)


def make_run_job(settings: Settings, works: Works | None = None) -> Callable[[str, int], None]:
    """Return a worker's ``run_job(job_id, attempt)``, which opens engines in the child;
    ``works`` are kinds of jobs that are made above this layer.
    """

    def run_job(job_id: str, attempt: int) -> None:
        ledger = open_ledger(settings, busy_ms=LEDGER_BUSY_MS)
        try:
            job = persist(lambda: ledger.get(job_id), settings.ledger_patience)
            _attempt(settings, ledger, job, attempt, works=works)
        finally:
            ledger.engine.dispose()

    return run_job


def make_callback_job(
    settings: Settings, render_progress: Callable[[Job], Shown], render_result: Callable[[Job], Shown]
) -> Callable[[str, Callable[[Shown], None]], Shown]:
    """The body of the background callback for Dash's stock managers:
    ``run_job(job_id, report)`` in the process they start.

    Runs the job there, or watches it when a worker was faster; returns what ``render_result`` says
    in the end. It knows no identity: stock managers are for sites of one user.
    """

    def run_job(job_id: str, report: Callable[[Shown], None]) -> Shown:
        ledger = open_ledger(settings)
        me = f"callback-{os.getpid()}"
        while not (job := ledger.get(job_id)).status.is_final:
            report(render_progress(job))
            # No supervisor renews the lease of this attempt, so it gets all of its time at once.
            claimed = ledger.claim(me, [job.queue], only=job_id, lease_ms=round(job.timeout_s * 1000))
            if claimed is None:
                time.sleep(CALLBACK_POLL_S)
            else:
                _attempt(settings, ledger, claimed, claimed.attempt, lambda: report(render_progress(ledger.get(job_id))))
        return render_result(job)

    return run_job


def _attempt(
    settings: Settings,
    ledger: Ledger,
    job: Job,
    attempt: int,
    published: Callable[[], None] | None = None,
    works: Works | None = None,
) -> None:
    """Run one attempt and write how it ended; ``published`` is called after each progress."""
    bound = log.bind(job=job.id, attempt=attempt)

    def publish(progress: Progress) -> None:
        ledger.report(job.id, attempt, progress)
        if published is not None:
            published()

    try:
        result = _load(settings, open_access(settings, engine=ledger.engine), job, attempt, publish, works or {})
        persist(lambda: _write(ledger, job.id, attempt, result), settings.ledger_patience)
    except StaleAttempt:
        bound.info("attempt is no longer the one")
        return
    if isinstance(result, JobError):
        bound.warning("attempt failed", error=result.message)
    else:
        bound.info("job completed", request=job.request.describe(), **result)


def _load(
    settings: Settings, access: AccessStore, job: Job, attempt: int, publish: Callable[[Progress], None], works: Works
) -> Metrics | JobError:
    """The metrics of the load, or why it failed.

    Raises:
        StaleAttempt: the ledger no longer wants this attempt.
    """
    memory = PeakMemory()
    started_s = time.monotonic()

    def publish_and_sample(progress: Progress) -> None:
        publish(progress)
        memory.sample()

    try:
        report = ThrottledReport(publish_and_sample)
        owner = persist(lambda: owner_identity(settings, access, job.owner), settings.ledger_patience)
        site = open_site(
            settings,
            session_name=session_name(job.id, attempt),
            definitions=access.definitions,
            decisions=lambda *series: persist(lambda: access.decisions(*series), settings.ledger_patience),
            limits=lambda *series: persist(lambda: access.limits(*series), settings.ledger_patience),
        )
        seen = require_permission(site, owner, job.request, purpose_of(job.kind))
        with classified(site.engine.url):
            hand = AttemptInHand(site, seen, owner, access, job, draft_name(job.id, attempt), report)
            found = works[job.kind](hand) if job.kind in works else _run(hand)
        site.tiles.settle()
        report.flush()
        memory.sample()
    except (StaleAttempt, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as exc:  # noqa: BLE001 - connectorx raises PanicException, which is no Exception
        lift_memory_limit()
        return JobError.of(exc)
    return {**found, "seconds": round(time.monotonic() - started_s, 3), **memory.metrics()}


def _run(hand: AttemptInHand) -> Metrics:
    """Do what a job of its kind does."""
    site, seen, job, report = hand.site, hand.seen, hand.job, hand.report
    if job.kind == REPORT:
        raise ConfigurationError("This worker makes no reports; start it with manage.py worker.")
    if job.kind in FILE_FORMATS:
        asked = replace(seen, flags=file_flags(job) or USUAL_FLAGS)
        if job.kind == WORKBOOK:
            asked = with_file_notes(asked, hand.access, hand.owner, job.request)
        return write_export(asked, job.request, job.kind, hand.draft, report)
    if job.kind == ANALYSIS:
        return write_answer(seen, job.request, Inquiry.from_json(job.inquiry or ""), hand.draft, report)
    if job.kind == PICTURE:
        lift_memory_limit()  # a browser reserves far more than it takes
        return draw_picture(seen, job.inquiry or "", hand.draft, report)
    return load_history(site, job.request, report, seen)


def _write(ledger: Ledger, job_id: str, attempt: int, result: Metrics | JobError) -> None:
    if isinstance(result, JobError):
        ledger.fail(job_id, attempt, result, jitter=random.random())  # noqa: S311 - spreads retries, keeps no secret # nosec B311
    else:
        ledger.complete(job_id, attempt, result)
