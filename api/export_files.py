"""Rows as a workbook or a NetCDF file over HTTP: the file when it is there, else the job that
writes it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flask import Response, request

from access.embeds.embed_token import refuse_other_than_shown
from api.error_answers import RETRY_AFTER_S
from api.guard import refuse_other_sites
from api.jobs import ApiServices
from api.kept_file import kept_file, unchanged
from data.export.formats import suffix
from data.request import HistoryRequest
from data.site import Site
from data.time.epoch import epoch_ms
from errors import Conflict
from figures.history import Span
from jobs.job import Job, Status
from jobs.kinds.export_file import export_file_tag, find_export, flags_inquiry, start_export
from jobs.policy import FILE_FORMATS, FILE_NAMES, NETCDF, WORKBOOK
from jobs.recent_end import ended_badly_just_now, why_failed

CONTENT_TYPES: Final = {
    WORKBOOK: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    NETCDF: "application/netcdf",
}


def export_answer(site: Site, wanted: HistoryRequest, kind: str, name: str) -> Response | None:
    """The file of a request, of a job's kind, as a download called ``name``, or 304;
    None when nobody has written it.

    ``site`` is the site as who asks may see it.
    """
    tag = export_file_tag(site, wanted, kind)
    if request.if_none_match.contains(tag):  # whoever has the rows needs no file of ours
        return unchanged(tag)
    return kept_file(find_export(site, wanted, kind), CONTENT_TYPES[kind], f"{name}.{suffix(FILE_FORMATS[kind])}", tag)


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
    if job is not None and ended_badly_just_now(job):
        raise _refusal(job)
    if job is None or job.status.is_final:
        job = start_export(site, services.ledger, identity, wanted, kind, services.wake)
    receipt = services.receipt(job)
    receipt.headers["Retry-After"] = str(RETRY_AFTER_S)
    return receipt


def cut(whole: HistoryRequest, span: Span) -> HistoryRequest:
    """The request of a window."""
    return replace(whole, start_ms=span[0], end_ms=span[1])


def _refusal(job: Job) -> Conflict:
    if job.status is Status.CANCELLED:
        return Conflict("Writing the {name} file was cancelled. Try again in a minute.", name=FILE_NAMES[job.kind])
    return Conflict(
        "The {name} file could not be written. Try again in a minute. {why}", name=FILE_NAMES[job.kind], why=why_failed(job)
    )
