"""Delivering a report that a schedule asked for, once made: by mail and into a folder.

Which attempt began to deliver is noted before, that it was delivered afterwards. A process that
dies in between leaves it open whether a mail server had taken the mail; the next attempt sends it
again, with the same Message-ID.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog

from access.schedules.report_runs import ReportRun, begin_sending, find_run, note_sent
from access.schedules.report_schedule import ReportSchedule, find_schedule
from errors import RiwayatError
from escaping import visible
from i18n import format_range
from i18n import gettext as _
from jobs.attempt_in_hand import AttemptInHand
from reports.file_name import report_file_name
from reports.inquiry import REPORT_TYPES, ReportInquiry
from reports.mail import Attachment, message_id_of, report_mail, send_mail

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Parcel:
    schedule: ReportSchedule
    run: ReportRun
    inquiry: ReportInquiry
    file: Path
    name: str


def deliver(hand: AttemptInHand, inquiry: ReportInquiry, file: Path) -> bool:
    """Deliver the report of a schedule's period; False where nobody wants it any more, or it was
    delivered already. In the current language.

    Raises:
        ConfigurationError, MailFailed: as reports/mail.py.
        RiwayatError: the folder cannot be written.
    """
    engine = hand.access.engine
    schedule, run = find_schedule(engine, inquiry.schedule), find_run(engine, inquiry.schedule, inquiry.period)
    if schedule is None or run is None or run.sent_ms is not None:
        return False
    parcel = _Parcel(schedule, run, inquiry, file, report_file_name(hand.job.request, inquiry.format))
    again = run.sending_ms is not None
    if again:
        log.warning("a report is delivered again", schedule=schedule.id, period=run.period)
    begin_sending(engine, run)
    if schedule.folder is not None:
        _put(parcel, Path(schedule.folder))
    refused = _mail(hand, parcel) if schedule.recipients else ()
    told = {"owner": schedule.owner, "name": schedule.name, "job": hand.job.id, "recipients": list(schedule.recipients)}
    note_sent(engine, run, {**told, "folder": schedule.folder, "refused": list(refused), "again": again})
    return True


def _mail(hand: AttemptInHand, parcel: _Parcel) -> tuple[str, ...]:
    """Send it; the addresses that the server refused."""
    settings, period = hand.site.settings, parcel.inquiry.named_period
    of = hand.job.request
    lines = [
        f"{_('Period')}: {format_range(*period.span, of.timezone)}",
        f"{_('Stations')}: {', '.join(of.stations)}",
        _("The report is attached as {file}.").format(file=parcel.name),
        _("Sent by the schedule {name} of {owner}.").format(name=parcel.schedule.name, owner=parcel.schedule.owner),
    ]
    title = f"{parcel.schedule.name} – {period.title}"
    attached = Attachment(parcel.name, REPORT_TYPES[parcel.inquiry.format], parcel.file.read_bytes())
    message_id = message_id_of(settings, parcel.schedule.id, parcel.run.period)
    return tuple(send_mail(settings, report_mail(settings, parcel.schedule.recipients, title, lines, attached, message_id)))


def _put(parcel: _Parcel, folder: Path) -> None:
    """Write the file whole or not at all; written again, it is the same file. The schedule's id
    tells it from what other schedules write of the same stations and period.
    """
    name = Path(parcel.name)
    draft = folder / f".{parcel.schedule.id}.{parcel.run.period}.draft"
    try:
        draft.write_bytes(parcel.file.read_bytes())
        draft.replace(folder / f"{name.stem}_{parcel.schedule.id}{name.suffix}")
    except OSError as exc:
        draft.unlink(missing_ok=True)
        why = exc.strerror or str(exc)
        raise RiwayatError("The report cannot be written to {path}: {why}.", path=visible(str(folder)), why=why) from exc
