"""What is due of schedules: entering periods, and seeing that each is made and delivered.

Called by the worker about once a minute when something is due, by ``manage.py schedule run`` at any
time, and by several at once: a period is entered once, and its job is the one that is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from access.identity import owner_identity
from access.schedules.report_runs import ReportRun, change_run, due_runs, due_schedules, enter_run
from access.schedules.report_schedule import ReportSchedule, find_schedule
from access.store import AccessStore
from data.site import Site
from data.time.epoch import HOUR_MS, MINUTE_MS
from errors import Conflict, JobNotFound, RiwayatError
from jobs.job import Job, Status
from jobs.ledger.ledger import Ledger
from reports.definition import definition_of_json
from reports.inquiry import ReportInquiry, read_report_format
from reports.last_days import last_days_end
from reports.period import EVERY, LATE_MS, Every, due_ms, last_complete
from reports.starting import start_report

MOST_LOOKS: Final = 8  # after 5, 10, 20 … minutes, more than ten hours in all
_FIRST_LOOK_MS: Final = 5 * MINUTE_MS
_RUNNING_MS: Final = 10 * MINUTE_MS

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Scheduler:
    """What due reports are started with."""

    site: Site
    ledger: Ledger
    access: AccessStore
    wake: Callable[[], None]

    def run(self, now_ms: int) -> int:
        """Start what is due at ``now_ms`` (int ms UTC), and look at what was started; returns how
        many periods were looked at.
        """
        for schedule_id in due_schedules(self.access.engine, now_ms):
            self._enter(schedule_id, now_ms)
        runs = due_runs(self.access.engine, now_ms)
        for run in runs:
            self._look(run, now_ms)
        return len(runs)

    def _enter(self, schedule_id: str, now_ms: int) -> None:
        """Enter all periods that are due, also those that were missed while nothing ran."""
        schedule = find_schedule(self.access.engine, schedule_id)
        while schedule is not None and schedule.next_ms <= now_ms:
            every = every_of(schedule)
            period = last_complete(every, schedule.next_ms, definition_of_json(schedule.definition).timezone)
            following = due_ms(every, period)
            if enter_run(self.access.engine, schedule_id, period.name, was_ms=schedule.next_ms, next_ms=following):
                log.info("report is due", schedule=schedule_id, period=period.name)
            schedule = find_schedule(self.access.engine, schedule_id)

    def _look(self, run: ReportRun, now_ms: int) -> None:
        schedule = find_schedule(self.access.engine, run.schedule)
        if schedule is None:  # removed in this very moment
            return
        job = self._job(run)
        if job is None:
            self._start(schedule, run, now_ms)
        elif not job.status.is_final:
            change_run(self.access.engine, run, next_ms=now_ms + _RUNNING_MS)
        elif job.status is Status.CANCELLED:
            change_run(self.access.engine, run, next_ms=None, note="The job was cancelled.")
        else:
            self._again(run, job, now_ms)

    def _job(self, run: ReportRun) -> Job | None:
        try:
            return None if run.job is None else self.ledger.get(run.job)
        except JobNotFound:  # pruned
            return None

    def _start(self, schedule: ReportSchedule, run: ReportRun, now_ms: int) -> None:
        try:
            form = read_report_format(schedule.format)
            inquiry = ReportInquiry(definition_of_json(schedule.definition), run.period, form, schedule.id)
            if (ready_ms := self._ready_ms(inquiry)) > now_ms:
                change_run(self.access.engine, run, next_ms=ready_ms)
                return
            identity = owner_identity(self.site.settings, self.access, schedule.owner)
            job = start_report(self.site, self.ledger, identity, inquiry, self.wake)
        except RiwayatError as exc:
            self._later(run, exc.message, now_ms)
            return
        change_run(self.access.engine, run, job=job.id, next_ms=now_ms + _RUNNING_MS, note="")

    def _ready_ms(self, inquiry: ReportInquiry) -> int:
        """When the last readings of a period have had time to come in, int ms UTC: its last day may
        end after it.
        """
        definition, period = inquiry.definition, inquiry.named_period
        catalogue = self.site.knowing(definition.sensors).catalogue
        return last_days_end(definition.request(period.span), definition, period, catalogue) + LATE_MS

    def _again(self, run: ReportRun, job: Job, now_ms: int) -> None:
        """Give a job that ended without delivering another chance, later and later."""
        reason = job.error.message if job.error else "It was not delivered."
        if not self._later(run, reason, now_ms):
            return
        if job.status is Status.FAILED:
            try:
                self.ledger.retry(job.id, limited=False)
            except Conflict:  # an equal one is on its way
                return
            self.wake()
        else:  # completed, and its delivery is not noted: a new job finds the file, or makes it
            change_run(self.access.engine, run, job=None)

    def _later(self, run: ReportRun, reason: str, now_ms: int) -> bool:
        """Look again after a while; False where that was done often enough."""
        ends = run.looks >= MOST_LOOKS
        log.warning("report is not delivered yet", schedule=run.schedule, period=run.period, reason=reason, gives_up=ends)
        pause_ms = min(_FIRST_LOOK_MS << run.looks, 12 * HOUR_MS)
        change_run(self.access.engine, run, looks=run.looks + 1, next_ms=None if ends else now_ms + pause_ms, note=reason)
        return not ends


def every_of(schedule: ReportSchedule) -> Every:
    """Return how often a schedule is due."""
    return next(known for known in EVERY if known == schedule.every)
