"""Workbooks as jobs (docs/decisions/0017): starting one, and what its child does."""

from __future__ import annotations

import time
from collections.abc import Callable

from access.grants import Purpose
from access.identity import Identity, authorise
from data.export.formats import XLSX, check_rows, export_tag, write_xlsx
from data.request import HistoryRequest
from data.site import Site
from data.time.months import month_of
from errors import DiskFull, RiwayatError, RowsChanged
from jobs.job import Job, Metrics, Progress
from jobs.kinds.row_rate import RowRate
from jobs.ledger.ledger import Ledger
from jobs.policy import WORKBOOK
from jobs.start import log_job, submit_job

# the part of the work that is done when all rows are written,
# and the file is still to be put together
_WRITTEN = 0.9


def start_workbook(site: Site, ledger: Ledger, identity: Identity, request: HistoryRequest, wake: Callable[[], None]) -> Job:
    """The identity's job that writes the rows of a request to an XLSX file;
    an equal one that waits or runs is that job.

    Raises:
        NotPermitted: the identity may not read a station.
        TooLarge: more rows than a worksheet holds; then no job is started.
        QueueFull: there is no room for another job, of this user or of all.
    """
    authorise(identity, request, Purpose.EXPORT)
    rows = check_rows(site, request, request.start_ms, request.end_ms) * len(request.sensors)
    job = submit_job(site, ledger, identity, request, WORKBOOK, rows)
    log_job("workbook submitted", job)
    wake()
    return job


def workbook_tag(site: Site, request: HistoryRequest) -> str:
    """The tag of a request's workbook, as the tiles are now (data/export/shelf.py)."""
    return export_tag(site, request, request.start_ms, request.end_ms, XLSX)


def write_workbook(site: Site, request: HistoryRequest, draft: str, report: Callable[[Progress], None]) -> Metrics:
    """Make the workbook of a request be there; returns metrics.
    ``draft`` is a name that no other attempt has.

    Metrics: ``rows`` (of the worksheet), ``bytes`` of the file, ``reused`` (1:
    it was there already), ``seconds_writing``.

    Raises:
        TooLarge: more rows than a worksheet holds.
        RowsChanged: a load wrote tiles of the request meanwhile; to be tried again.
        TileDamaged: tiles of the request went meanwhile, or are damaged.
        DiskFull: nothing is left behind.
        RiwayatError: the file cannot be written for another reason.
    """
    try:
        return _write_workbook(site, request, draft, report)
    except OSError as exc:
        where, why = site.settings.tiles_path, exc.strerror or str(exc)
        if DiskFull.is_meant_by(exc):
            raise DiskFull(
                "The disk is full, so the Excel file cannot be written to {path}; make room, then retry.", path=where
            ) from exc
        raise RiwayatError("The Excel file cannot be written to {path}: {why}.", path=where, why=why) from exc
    finally:
        site.shelf.prune(keep=workbook_tag(site, request))


def _write_workbook(site: Site, request: HistoryRequest, draft: str, report: Callable[[Progress], None]) -> Metrics:
    shelf, began = site.shelf, time.monotonic()
    tag = workbook_tag(site, request)
    progress = _Report(report, check_rows(site, request, request.start_ms, request.end_ms))
    found = shelf.find(tag)
    if found is None:
        with shelf.draft(draft) as path:
            write_xlsx(site, request, request.start_ms, request.end_ms, path, progress.wrote)
            if workbook_tag(site, request) != tag:
                raise RowsChanged
            found = shelf.put(path, tag)
    progress.end()
    return {
        "rows": progress.rows or progress.expected,
        "bytes": found.stat().st_size,
        "reused": int(not progress.rows),
        "seconds_writing": round(time.monotonic() - began, 3),
    }


class _Report:
    """Progress by rows of the worksheet."""

    def __init__(self, report: Callable[[Progress], None], expected: int) -> None:
        self._report = report
        self.expected = expected
        self._rate = RowRate(time.monotonic())
        self.rows = 0

    def wrote(self, station: str, time_ms: int, rows: int) -> None:
        """Report that ``rows`` rows are written, the last one of this station and time (ms UTC)."""
        self.rows, total = rows, max(rows, self.expected)
        self._rate.update(time.monotonic(), rows)
        left_s = self._rate.seconds_left(total - rows)
        self._report(Progress(_WRITTEN * rows / total, 0, 0, rows, total, station, month_of(time_ms), left_s))

    def end(self) -> None:
        """Report that the workbook is complete."""
        rows = self.rows or self.expected
        self._report(Progress(1.0, 0, 0, rows, rows, seconds_left=0.0))
