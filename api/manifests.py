"""Manifests over HTTP: what the file of the same query is made of, with its digest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from flask import Response, request

from access.audit.log import request_subject
from access.grants import Purpose
from access.identity import authorise
from access.notes.file_notes import with_file_notes
from access.restricted_site import restricted_site_for
from api.concurrency import limit_key
from api.data import asked_file, begun, download_name, file_receipt, refuse_part, send_while_permitted, writes
from api.export_files import cut
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.outputs import JobReceipt
from api.window_inputs import DataQuery
from data.export.file_digest import digested, file_pieces, manifest_tag, refuse_without_manifest, units_of
from data.export.formats import STREAMS, RowCount, suffix
from data.export.manifest import ENDING, Manifest
from data.export.netcdf import row_count
from data.file_columns import Units
from data.request import HistoryRequest
from data.site import Site
from jobs.kinds.export_file import find_export
from jobs.policy import FILE_FORMATS, NETCDF

_ANSWERS: Final = {
    200: Answer("The manifest.", Manifest, headers={"ETag": "Changes when the file does."}),
    202: Answer(
        "netcdf only: the job that writes the file; ask again when it has completed.",
        JobReceipt,
        headers={"Location": "The job.", "Retry-After": "Seconds after which to ask again."},
    ),
    304: Answer("The file of the manifest that If-None-Match names is still the same."),
}


def add_manifest_route(api: Api, services: ApiServices) -> None:
    """``/api/jobs/ID/manifest``."""

    @api.get("/api/jobs/<job_id>/manifest", _ANSWERS, 400, 404, 409, 429, 503, scope="export", query=DataQuery)
    def get_manifest(job_id: str, query: DataQuery) -> Response:
        """What the file that `data` gives for the same query is made of: request, software,
        checksums of the months, and length, rows and SHA-256 of the file.

        The file is made for it once more, so it takes as long, and counts as a download; spaces
        before the JSON show that it goes on. Of xlsx there is none (400): a workbook says when it
        was made.
        """
        asked = asked_file(services, job_id, query)
        kind = query.format or FILE_FORMATS.get(asked.job.kind, "csv")
        refuse_without_manifest(kind)
        authorise(services.identify(), asked.job.request, Purpose.EXPORT)
        wanted = cut(asked.job.request, asked.span)
        site = asked.site  # as a stream sees it; a job sees the window alone
        if kind not in STREAMS:
            site = replace(restricted_site_for(services.site, asked.rights, wanted, Purpose.EXPORT), flags=site.flags)
        if not writes(asked.job, kind):
            refuse_part(site, asked.job)
        site = with_file_notes(site, services.access, services.identify(), wanted)
        units = units_of(kind, query.units)
        with_flags = query.flags is not None
        tag = manifest_tag(site, wanted, kind, units, with_flags=with_flags)
        answer = _unsent(f"manifest-{tag}")
        if answer.status_code != 200:
            return answer
        source = _bytes_of(site, wanted, kind, units, with_flags=with_flags)
        if source is None:
            return file_receipt(services, site, asked.job, wanted, NETCDF)
        pieces, rows = source
        pieces, is_small = begun(pieces)
        name = f"{download_name(site, asked.job, asked.span)}.{suffix(kind)}"
        answer.response = digested(pieces, site, wanted, name, kind, units, rows, tag=tag, with_flags=with_flags)
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}{ENDING}"'
        if request.method == "GET":
            if not is_small:
                services.downloads.hold(limit_key(services.identify()), answer)
            services.access.audit.record("export", request_subject(wanted, job=asked.job.id, format=f"manifest of {kind}"))
            send_while_permitted(services, asked, kind, answer)
        return answer


def _unsent(tag: str) -> Response:
    """An answer without a body yet; 304 where who asks has the manifest of this tag."""
    answer = Response(content_type="application/json")
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "private, no-cache"
    if request.if_none_match.contains(tag):
        answer.status_code = 304
    return answer


def _bytes_of(
    site: Site, wanted: HistoryRequest, kind: str, units: Units, *, with_flags: bool
) -> tuple[Iterator[bytes], Callable[[], int]] | None:
    """The bytes of a file, and how many rows it has, once they are read; None where a job is to
    write it first.
    """
    if kind in STREAMS:
        count = RowCount()
        stream = STREAMS[kind](site, wanted, wanted.start_ms, wanted.end_ms, units, count, with_flags)
        return stream, lambda: count.rows
    path = find_export(site, wanted, NETCDF)
    return None if path is None else (file_pieces(path), lambda: row_count(path))
