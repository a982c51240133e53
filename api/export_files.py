"""Rows as a workbook or a NetCDF file over HTTP: the file when it is there, else the job that
writes it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from flask import Response, request, send_file

from access.embeds.embed_token import refuse_other_than_shown
from api.error_answers import RETRY_AFTER_S
from api.guard import refuse_other_sites
from api.jobs import ApiServices
from data.export.formats import suffix
from data.request import HistoryRequest
from data.site import Site
from data.time.epoch import MINUTE_MS, epoch_ms
from errors import Conflict
from figures.history import Span
from i18n import translate_error
from jobs.job import Job, Status
from jobs.kinds.export_file import export_file_tag, find_export, flags_inquiry, start_export
from jobs.policy import FILE_FORMATS, FILE_NAMES, NETCDF, WORKBOOK

CONTENT_TYPES: Final = {
    WORKBOOK: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    NETCDF: "application/netcdf",
}

CACHE: Final = "private, no-cache"  # may be kept by who fetched it, and is asked for again
_TOLD_MS: Final = MINUTE_MS  # so long a failure is told to those who ask again; then it is tried anew


def export_answer(site: Site, wanted: HistoryRequest, kind: str, name: str) -> Response | None:
    """The file of a request, of a job's kind, as a download called ``name``, or 304;
    None when nobody has written it.

    ``site`` is the site as who asks may see it.
    """
    tag = export_file_tag(site, wanted, kind)
    if request.if_none_match.contains(tag):  # whoever has the rows needs no file of ours
        return unchanged(tag)
    path = find_export(site, wanted, kind)
    if path is None:
        return None
    try:
        return _sent(path, tag, kind, name)
    except FileNotFoundError:  # its time was over in this very moment
        return None


def export_receipt(services: ApiServices, site: Site, wanted: HistoryRequest, kind: str) -> Response:
    """202 with the job of a kind that writes the file of a request:
    one that waits or runs, else a new one.

    Raises:
        CrossSite: a page of another site asks, which may start nothing.
        NotPermitted: who looks at an embedded chart asks for another range than is shown.
        Conflict: it has failed or was cancelled a moment ago, and why.
        TooLarge, NotPermitted, QueueFull: as :func:`jobs.kinds.export_file.start_export`.
    """
    refuse_other_sites(request)
    identity = services.identify()
    refuse_other_than_shown(services.access, identity, wanted, epoch_ms())
    job = services.ledger.latest(identity.user, kind, wanted, flags_inquiry(site))
    if job is not None:
        _refuse_ended(job)
    if job is None or job.status.is_final:
        job = start_export(site, services.ledger, identity, wanted, kind, services.wake)
    receipt = services.receipt(job)
    receipt.headers["Retry-After"] = str(RETRY_AFTER_S)
    return receipt


def cut(whole: HistoryRequest, span: Span) -> HistoryRequest:
    """The request of a window."""
    return replace(whole, start_ms=span[0], end_ms=span[1])


def unchanged(tag: str) -> Response:
    """Return 304: who asks has what this tag is of."""
    answer = Response(status=304)
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = CACHE
    return answer


def _sent(path: Path, tag: str, kind: str, name: str) -> Response:
    named = f"{name}.{suffix(FILE_FORMATS[kind])}"
    sent = send_file(path, CONTENT_TYPES[kind], as_attachment=True, download_name=named, etag=tag, max_age=0)
    sent.headers["Cache-Control"] = CACHE
    return sent


def just_ended(job: Job) -> Status | None:
    """Return how a job ended a moment ago; None where it did not, or that is told no more."""
    if job.finished_ms is None or epoch_ms() - job.finished_ms >= _TOLD_MS:
        return None
    return job.status


def why_failed(job: Job) -> str:
    """Return why a job failed, in the current language."""
    return translate_error(job.error) if job.error else job.id


def _refuse_ended(job: Job) -> None:
    """Raises Conflict when it ended a moment ago without a file."""
    ended = just_ended(job)
    if ended is Status.CANCELLED:
        raise Conflict("Writing the {name} file was cancelled. Try again in a minute.", name=FILE_NAMES[job.kind])
    if ended is Status.FAILED:
        raise Conflict(
            "The {name} file could not be written. Try again in a minute. {why}", name=FILE_NAMES[job.kind], why=why_failed(job)
        )
