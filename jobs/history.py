"""The main job: read the missing tiles of a request, publishing them while it goes on."""

from __future__ import annotations

import errno
import queue
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context

import structlog

from data.freshness import ExactMonth, look, settle
from data.loading import CELLS_PER_READ, LoadedMonth, cells, load_months, reads, together
from data.plan import Missing, Plan, plan
from data.request import HistoryRequest
from data.rollup import write_rollups
from data.site import Site
from data.source import AnyReader
from data.tiles import SeriesKey, TileEntry
from errors import DiskFull, RiwayatError, SourceUnavailable
from jobs.job import Progress
from jobs.pace import Pace

READERS = 2  # months at a time: while one waits for the database or the disk, the other computes
FIRST_PUBLISH_S = 0.25
PUBLISH_EVERY_S = 1.0

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # the disk, the user's part of it, or what one file may have

log = structlog.get_logger(__name__)

Report = Callable[[Progress], None]


def load_history(site: Site, request: HistoryRequest, report: Report, seen: Site | None = None) -> dict[str, float | int]:
    """Make every tile of a request be there and fresh; returns metrics. ``seen``: the site as the owner sees it, for refusals.

    Metrics: ``rows`` (observations × sensors in the request's tiles), ``tiles_read``, ``tiles_reused``, ``bytes`` written,
    ``bad_values``, ``bad_times`` (of a mapped table also the stations' rows without a time, whatever their month) and
    ``duplicates`` that were not kept, ``changed_months`` found in a mapped table, ``seconds_reading`` (wall clock).
    What was read before an error or a kill is kept, and not read again by the next attempt.

    Raises:
        UnknownStation, UnknownSensor, NoData: see :func:`data.plan.plan`.
        SourceUnavailable, SourceMismatch: see data/source/failures.py.
        DiskFull: nothing more can be written; what was written before is kept.
        RiwayatError: the tiles cannot be written for another reason.
    """
    try:
        return _load_history(site, request, report, seen or site)
    except OSError as exc:
        if exc.errno in _FULL:
            raise DiskFull(
                "The disk is full, and no tile can be written to {path}; make room or lower RIWAYAT_TILE_BUDGET_GB, and retry.",
                path=site.settings.tiles_path,
            ) from exc
        why = exc.strerror or str(exc)
        raise RiwayatError("The tiles in {path} cannot be written: {why}.", path=site.settings.tiles_path, why=why) from exc


def _load_history(site: Site, request: HistoryRequest, report: Report, seen: Site) -> dict[str, float | int]:
    looked = look(site, request)
    planned = plan(seen, request, looked=True)
    load = _Load(site, request, planned, report)
    started = time.monotonic()
    if planned.missing:
        with site.source.open() as reader:
            load.run(reader)
            load.untimed = _untimed(reader, request)
    used = [*planned.keys, *write_rollups(site.tiles, site.catalogue, site.source.id, request)]
    site.tiles.touch(used)
    site.tiles.evict(keep=used)
    site.workbooks.prune()
    load.report_end()
    changed = {"changed_months": looked.months} if looked.months else {}
    return {**load.metrics(), **changed, "seconds_reading": round(time.monotonic() - started, 3)}


class _Load:
    """One run: readers fill tiles in threads; this thread publishes what they finished and reports."""

    def __init__(self, site: Site, request: HistoryRequest, planned: Plan, report: Report) -> None:
        self._site = site
        self._request = request
        self._plan = planned
        self._report = report
        self._pieces = [piece for missing in planned.missing for piece in reads(missing)]
        self._loaded: list[LoadedMonth] = []
        self._unpublished: dict[SeriesKey, list[TileEntry]] = defaultdict(list)
        self._exact: list[ExactMonth] = []  # of months that were read, not yet noted
        self._pace = Pace(time.monotonic())
        self._rows_read = 0
        self.untimed = 0  # rows of the request's stations that belong to no month

    def run(self, reader: AnyReader) -> None:
        """Load all pieces; when one fails, the others in hand are finished and published before its error is raised."""
        finished: queue.SimpleQueue[Future[list[LoadedMonth]]] = queue.SimpleQueue()
        try:
            with _readers(self._site, reader, together(reader, self._pieces), finished.put):
                self._follow(finished)
        finally:
            while not finished.empty():
                future = finished.get()
                if not future.cancelled() and future.exception() is None:
                    self._take(future.result())
            self._publish()

    def _follow(self, finished: queue.SimpleQueue[Future[list[LoadedMonth]]]) -> None:
        due = time.monotonic() + FIRST_PUBLISH_S
        self._say(self._pieces[0])
        while len(self._loaded) < len(self._pieces):
            try:
                self._take(finished.get(timeout=max(0.0, due - time.monotonic())).result())
            except queue.Empty:
                pass
            if time.monotonic() >= due:
                self._publish()
                self._say(self._loaded[-1].wanted if self._loaded else self._pieces[0])
                due = time.monotonic() + PUBLISH_EVERY_S

    def metrics(self) -> dict[str, float | int]:
        """What was done, as numbers."""
        read = sum(loaded.read for loaded in self._loaded)
        return {
            "rows": self._plan.rows_total,
            "tiles_read": read,
            "tiles_reused": self._plan.tiles_total - read,
            "bytes": sum(loaded.bytes for loaded in self._loaded),
            "bad_values": sum(loaded.bad_values for loaded in self._loaded),
            "duplicates": sum(loaded.duplicates for loaded in self._loaded),
            "bad_times": self.untimed + sum(loaded.bad_times for loaded in self._loaded),
        }

    def report_end(self) -> None:
        """Say that everything is there."""
        tiles, rows = self._plan.tiles_total, self._plan.rows_total
        self._report(Progress(1.0, tiles, tiles, rows, rows, seconds_left=0.0))

    def _take(self, months: Sequence[LoadedMonth]) -> None:
        for loaded in months:
            self._loaded.append(loaded)
            self._rows_read += loaded.wanted.rows * len(loaded.wanted.sensors)
            self._exact += [loaded.exact] if loaded.exact else []
            for key, entry in loaded.entries:
                self._unpublished[key].append(entry)

    def _publish(self) -> None:
        for key, entries in self._unpublished.items():
            self._site.tiles.publish(key, entries)
        published = {key: {entry.month for entry in entries} for key, entries in self._unpublished.items()}
        self._unpublished.clear()
        settle(self._site, self._exact)
        self._exact.clear()
        write_rollups(self._site.tiles, self._site.catalogue, self._site.source.id, self._request, published)

    def _say(self, at: Missing) -> None:
        """Report how far it is; ``fraction`` counts rows, so that a short month is no big step."""
        planned = self._plan
        left = planned.rows_missing - self._rows_read
        fraction = 1 - left / planned.rows_tiles if planned.rows_tiles else 1.0
        self._pace.update(time.monotonic(), self._rows_read)
        self._report(
            Progress(
                fraction=fraction,
                tiles_done=planned.tiles_present + sum(len(loaded.entries) for loaded in self._loaded),
                tiles_total=planned.tiles_total,
                rows=round(planned.rows_total * fraction),
                rows_total=planned.rows_total,
                station=at.station,
                month=at.month,
                seconds_left=self._pace.seconds_left(left),
            )
        )


def _untimed(reader: AnyReader, request: HistoryRequest) -> int:
    """Rows without a time; 0 where they cannot be counted: the tiles are all there by now."""
    try:
        return reader.untimed(request.stations)
    except SourceUnavailable as exc:
        log.warning("rows without a time were not counted", why=exc.message)
        return 0


@contextmanager
def _readers(
    site: Site,
    reader: AnyReader,
    groups: Sequence[Sequence[Missing]],
    finished: Callable[[Future[list[LoadedMonth]]], None],
) -> Iterator[None]:
    """Threads that load the groups in order; ``finished`` gets each. Leaving drops what waits and awaits what runs."""
    at_once = max(1, min(READERS, CELLS_PER_READ // max(1, *(sum(map(cells, group)) for group in groups))))
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="reader")
    try:
        for group in groups:
            # Threads begin without what is bound to log lines: the id of the job.
            pool.submit(copy_context().run, load_months, site, reader, group).add_done_callback(finished)
        yield
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
