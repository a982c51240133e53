"""Adding a schedule of a report, and telling what became of those there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from access.grants import Purpose
from access.identity import Identity
from access.restricted_site import require_permission
from access.schedules.report_runs import ReportRun, runs_of
from access.schedules.report_schedule import ReportSchedule, add_schedule
from access.store import AccessStore
from config import Settings
from data.site import Site
from data.time.epoch import epoch_ms
from data.time.months import iso_utc, iso_utc_or_none
from errors import Conflict, JobNotFound
from jobs.ledger.ledger import Ledger
from reports.definition import ReportDefinition
from reports.inquiry import ReportFormat
from reports.period import LATE_MS, Every, due_ms, last_complete

_PERIODS_TOLD: Final = 3  # of a schedule, the latest


def mails(settings: Settings) -> bool:
    """Return whether a mail server is set."""
    return bool(settings.smtp_host and settings.smtp_from)


def schedule_report(
    store: AccessStore,
    settings: Settings,
    owner: str,
    definition: ReportDefinition,
    *,
    every: Every,
    form: ReportFormat,
    recipients: Sequence[str] = (),
    folder: str | None = None,
) -> ReportSchedule:
    """Enter a schedule, whose first report is of the month or week that ends next.

    Raises:
        Conflict: it goes by mail, and no mail server is set.
        InvalidRequest: as :func:`add_schedule`.
    """
    if recipients and not mails(settings):
        raise Conflict("No mail can be sent: set RIWAYAT_SMTP_HOST and RIWAYAT_SMTP_FROM.")
    title = (definition.title or ", ".join(definition.stations))[:120]
    next_ms = due_ms(every, last_complete(every, epoch_ms(), definition.timezone))
    where = {"recipients": recipients, "folder": folder}
    return add_schedule(store, owner, title, definition.to_json(), every=every, form=form, next_ms=next_ms, **where)  # type: ignore[arg-type]


def require_next(site: Site, identity: Identity, definition: ReportDefinition, every: Every) -> None:
    """Refuse whoever may not have the report of the month or week that ends next.

    Raises:
        NotPermitted, UnknownStation, UnknownSensor: as for a report that is made at once.
    """
    last = last_complete(every, epoch_ms(), definition.timezone)
    following = definition.request((last.span[1], due_ms(every, last) - LATE_MS))
    require_permission(site, identity, following, Purpose.EXPORT)


def told_schedule(store: AccessStore, ledger: Ledger, schedule: ReportSchedule) -> dict[str, Any]:
    """Return a schedule with its latest periods, as API and command line give it."""
    return {
        "id": schedule.id,
        "name": schedule.name,
        "owner": schedule.owner,
        "every": schedule.every,
        "format": schedule.format,
        "to": [*schedule.recipients, *([schedule.folder] if schedule.folder else [])],
        "next": iso_utc(schedule.next_ms),
        "periods": [_told_period(each, ledger) for each in runs_of(store.engine, schedule.id)[:_PERIODS_TOLD]],
    }


def _told_period(run: ReportRun, ledger: Ledger) -> dict[str, Any]:
    status = "sent" if run.sent_ms is not None else "given up" if run.next_ms is None else "due"
    if run.sent_ms is None and run.next_ms is not None and run.job is not None:
        try:
            status = ledger.get(run.job).status.value
        except JobNotFound:
            status = "due"
    return {"period": run.period, "status": status, "sent": iso_utc_or_none(run.sent_ms), "job": run.job, "note": run.note}
