"""Workbooks and NetCDF files as jobs (docs/decisions/0017): starting one, and what its child
does.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from access.grants import Purpose
from access.identity import Identity, authorise
from data.export.formats import export_tag, suffix, write_file
from data.export.row_limits import check_rows
from data.flag_choice import USUAL_FLAGS
from data.flags_missing import unchecked_months
from data.request import HistoryRequest
from data.site import Site
from data.tiles.format import TileEntry
from data.tiles.series import SeriesKey
from data.time.months import month_of
from data.view.rollup import renew_rollups, write_rollups
from errors import DiskFull, RiwayatError, RowsChanged, disk_errors
from jobs.job import Job, Metrics, Progress
from jobs.kinds.row_rate import RowRate
from jobs.kinds.write_flags import write_flags
from jobs.ledger.ledger import Ledger
from jobs.policy import FILE_FORMATS, FILE_NAMES
from jobs.start import log_job, submit_job

# the part of the work that is done when all rows are written,
# and the file is still to be put together
_WRITTEN = 0.9


def start_export(
    site: Site, ledger: Ledger, identity: Identity, request: HistoryRequest, kind: str, wake: Callable[[], None]
) -> Job:
    """The identity's job of a kind (FILE_FORMATS) that writes the rows of a request to a file;
    an equal one that waits or runs is that job.

    Raises:
        NotPermitted: the identity may not read a station.
        TooLarge: more rows than a worksheet holds; then no job is started.
        QueueFull: there is no room for another job, of this user or of all.
    """
    authorise(identity, request, Purpose.EXPORT)
    rows = check_rows(site, request, request.start_ms, request.end_ms, FILE_FORMATS[kind]) * len(request.sensors)
    job = submit_job(site, ledger, identity, request, kind, rows, inquiry=flags_inquiry(site))
    log_job(f"{kind} submitted", job)
    wake()
    return job


def flags_inquiry(site: Site) -> str | None:
    """Return what a job must be told of the flags that count at a site; None where these are the
    usual ones. :func:`jobs.job.file_flags` is the inverse.
    """
    return None if site.flags == USUAL_FLAGS else json.dumps({"flags": site.flags})


def export_file_tag(site: Site, request: HistoryRequest, kind: str) -> str:
    """The tag of a request's file, as the tiles are now (data/export/shelf.py)."""
    return export_tag(site, request, request.start_ms, request.end_ms, FILE_FORMATS[kind])


def find_export(site: Site, request: HistoryRequest, kind: str) -> Path | None:
    """The file of a request that a job has written; None where there is none of today's rows."""
    return site.shelf.find(export_file_tag(site, request, kind), suffix(FILE_FORMATS[kind]))


def write_export(site: Site, request: HistoryRequest, kind: str, draft: str, report: Callable[[Progress], None]) -> Metrics:
    """Make the file of a request be there; returns metrics.
    ``draft`` is a name that no other attempt has.

    Metrics: ``rows`` (of the file), ``bytes`` of the file, ``reused`` (1:
    it was there already), ``seconds_writing``.

    Raises:
        TooLarge: more rows than a worksheet holds.
        RowsChanged: a load wrote tiles of the request meanwhile; to be tried again.
        TileDamaged: tiles of the request went meanwhile, or are damaged.
        DiskFull: nothing is left behind.
        RiwayatError: the file cannot be written for another reason.
    """
    of: dict[str, Any] = {"name": FILE_NAMES[kind], "path": site.settings.tiles_path}
    full = DiskFull("The disk is full, so the {name} file cannot be written to {path}; make room, then retry.", **of)
    try:
        with disk_errors(full, lambda why: RiwayatError("The {name} file cannot be written to {path}: {why}.", **of, why=why)):
            return _write_export(site, request, kind, draft, report)
    finally:
        site.shelf.prune(keep=export_file_tag(site, request, kind))


def _write_export(site: Site, request: HistoryRequest, kind: str, draft: str, report: Callable[[Progress], None]) -> Metrics:
    shelf, began, span, what = site.shelf, time.monotonic(), (request.start_ms, request.end_ms), FILE_FORMATS[kind]
    progress = _Report(report, check_rows(site, request, *span, what))
    _make_flags(site, request, progress)
    tag = export_file_tag(site, request, kind)
    found = find_export(site, request, kind)
    if found is None:
        with shelf.draft(draft) as path:
            write_file(site, request, *span, path, what, progress.wrote)
            if export_file_tag(site, request, kind) != tag:
                raise RowsChanged
            found = shelf.put(path, tag, suffix(what))
    progress.end()
    return {
        "rows": progress.rows or progress.expected,
        "bytes": found.stat().st_size,
        "reused": int(not progress.rows),
        "seconds_writing": round(time.monotonic() - began, 3),
    }


def _make_flags(site: Site, request: HistoryRequest, progress: _Report) -> None:
    """Make what a load makes of flags, where some that count are not there."""
    if unchecked_months(site, request):
        site.tiles.touch([*write_flags(site, request, report=progress.looked), *write_rollups(site, request)])
        renew_rollups(site, request)


class _Report:
    """Progress by rows of the file."""

    def __init__(self, report: Callable[[Progress], None], expected: int) -> None:
        self._report = report
        self.expected = expected
        self._rate = RowRate(time.monotonic())
        self.rows = 0

    def looked(self, key: SeriesKey, entry: TileEntry) -> None:
        """Report that rules have looked at a month of a series, of which nothing is written yet."""
        self._report(Progress(0.0, 0, 0, 0, self.expected, key.station, entry.month))

    def wrote(self, station: str, time_ms: int, rows: int) -> None:
        """Report that ``rows`` rows are written, the last one of this station and time (ms UTC)."""
        self.rows, total = rows, max(rows, self.expected)
        self._rate.update(time.monotonic(), rows)
        left_s = self._rate.seconds_left(total - rows)
        self._report(Progress(_WRITTEN * rows / total, 0, 0, rows, total, station, month_of(time_ms), left_s))

    def end(self) -> None:
        """Report that the file is complete."""
        rows = self.rows or self.expected
        self._report(Progress(1.0, 0, 0, rows, rows, seconds_left=0.0))
