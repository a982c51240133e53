"""The main job: read the missing tiles of a request, publishing them while it goes on."""

from __future__ import annotations

import queue
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context

import structlog

from data.derived_plan import DerivedMonth
from data.deriving import Deriver
from data.flags_missing import flags_missing, plan_beside, requests_beside, rows_without_flags
from data.load_plan import Missing, Plan, all_present, plan
from data.loading import CELLS_PER_READ, LoadedMonth, cells, group_pieces, load_months, reads
from data.request import HistoryRequest
from data.site import Site
from data.source import MappedReader
from data.source_sync import ExactMonth, note_spans, record_exact_months, sync_inventory
from data.tiles.tile_store import SeriesKey, TileEntry
from data.view.rollup import renew_rollups, write_rollups
from errors import DiskFull, RiwayatError, SourceUnavailable, TilesRemoved, disk_errors
from jobs.job import Progress
from jobs.kinds.row_rate import RowRate
from jobs.kinds.write_flags import write_flags

READERS = 2  # months at a time: while one waits for the database or the disk, the other computes
FIRST_PUBLISH_S = 0.25
PUBLISH_EVERY_S = 1.0
_MOST_LOADS = 3  # of one attempt, where others remove what it has written

log = structlog.get_logger(__name__)

Report = Callable[[Progress], None]


def load_history(site: Site, request: HistoryRequest, report: Report, seen: Site | None = None) -> dict[str, float | int]:
    """Make every tile of a request be there and fresh; returns metrics.
    ``seen``: the site as the owner sees it, for refusals.

    Metrics: ``rows`` (observations × sensors in the request's tiles), ``tiles_read``,
    ``tiles_reused``, ``bytes`` written, ``bad_values``, ``bad_times`` (of a mapped table also the
    stations' rows without a time, whatever their month) and ``duplicates`` that were not kept,
    ``changed_months`` found in a mapped table, ``tiles_derived`` that formulas made,
    ``seconds_reading`` (wall clock). What was read
    before an error or a kill is kept, and not read again by the next attempt.

    Raises:
        UnknownStation, UnknownSensor, NoData: see :func:`data.load_plan.plan`.
        SourceUnavailable, SourceMismatch: see data/source/connection/failures.py.
        DiskFull: nothing more can be written; what was written before is kept.
        TilesRemoved: what is written is removed again by others.
        RiwayatError: the tiles cannot be written for another reason.
    """
    where = site.settings.tiles_path
    full = DiskFull(
        "The disk is full, so no tile can be written to {path}; make room or lower RIWAYAT_TILE_BUDGET_GB, then retry.",
        path=where,
    )
    with disk_errors(full, lambda why: RiwayatError("The tiles in {path} cannot be written: {why}.", path=where, why=why)):
        return _load_history(site, request, report, seen or site)


def _load_history(site: Site, request: HistoryRequest, report: Report, seen: Site) -> dict[str, float | int]:
    synced, started = sync_inventory(site, request), time.monotonic()
    done: list[_Load] = []
    while not done or _lacks_tiles(site, seen, request) or (len(done) < _MOST_LOADS and flags_missing(site, request)):
        if len(done) == _MOST_LOADS:
            raise TilesRemoved
        done.append(_load_missing(site, request, report, seen))
    done[-1].report_end()
    changed = {"changed_months": synced.months} if synced.months else {}
    return {**_metrics(done), **changed, "seconds_reading": round(time.monotonic() - started, 3)}


def _load_missing(site: Site, request: HistoryRequest, report: Report, seen: Site) -> _Load:
    planned = plan(seen, request, synced=True)
    load = _Load(site, request, planned, report)
    if planned.missing:
        with site.source.open() as reader:
            load.run(reader)
            load.untimed = _untimed(reader, request)
        note_spans(site, _measured(site, planned))
    load.derive()
    used = [*planned.keys, *_load_beside(site, request), *load.flag(), *write_rollups(site, request)]
    renew_rollups(site, request)
    site.tiles.touch(used)
    site.tiles.evict(keep=used)
    site.shelf.prune()
    return load


def _load_beside(site: Site, request: HistoryRequest) -> Iterator[tuple[SeriesKey, int]]:
    """Load what decisions about the request's series need besides it; yield the (key, month) pairs
    of that. Who loads the request need not be granted it: whoever decided was.
    """
    for one in requests_beside(site, request):
        sync_inventory(site, one)
        planned = plan_beside(site, one, synced=True)
        if planned is None:
            continue
        load = _Load(site, one, planned, lambda _: None)
        if planned.missing:
            with site.source.open() as reader:
                load.run(reader)
        load.derive()
        yield from planned.keys


def _measured(site: Site, planned: Plan) -> set[SeriesKey]:
    """Return the measured series of a plan, and of its formulas."""
    own = {key for key, _ in planned.series() if not site.catalogue[key.sensor].formula}
    return own | {SeriesKey(planned.source, each.station, name) for each in planned.inputs for name in each.sensors}


def _lacks_tiles(site: Site, seen: Site, request: HistoryRequest) -> bool:
    """Return whether a tile is not on the disk (any more): another load evicts it,
    or somebody removes tiles, meanwhile.

    A month that an import has changed since it was read is there, and the next plan reads it again.
    """
    site.tiles.drop_lost({SeriesKey(site.source_id, station, sensor) for station, sensor in request.series})
    return not all_present(seen, request)


def _metrics(loads: Sequence[_Load]) -> dict[str, float | int]:
    """Sum the metrics of all rounds of an attempt; the first says how many tiles were reused."""
    each = [load.metrics() for load in loads]
    summed = {name: sum(one[name] for one in each) for name in each[0] if name not in ("rows", "tiles_reused", "bad_times")}
    return {**each[-1], **summed, "tiles_reused": each[0]["tiles_reused"]}


class _Load:
    """One run: readers fill tiles in threads; this thread publishes them and reports."""

    def __init__(self, site: Site, request: HistoryRequest, planned: Plan, report: Report) -> None:
        self._site = site
        self._request = request
        self._plan = planned
        self._report = report
        self._pieces = [piece for missing in planned.missing for piece in reads(missing)]
        self._loaded: list[LoadedMonth] = []
        self._unpublished: dict[SeriesKey, list[TileEntry]] = defaultdict(list)
        self._deriver = Deriver(site, (month for series in planned.derived for month in series.to_make()))
        self._own_tiles = self._own_read = self._derived = 0  # of the request itself, without what formulas take
        self._exact: list[ExactMonth] = []  # of months that were read, not yet noted
        self._rate = RowRate(time.monotonic())
        self._rows_read = self._rows_flagged = 0
        self._rows_unflagged = rows_without_flags(site, request)  # of tiles that are there
        self.untimed = 0  # rows of the request's stations that belong to no month

    def run(self, reader: MappedReader) -> None:
        """Load all pieces; when one fails, the others in hand are finished and
        published before its error is raised.
        """
        finished: queue.SimpleQueue[Future[list[LoadedMonth]]] = queue.SimpleQueue()
        try:
            with _readers(self._site, reader, group_pieces(reader, self._pieces), finished.put):
                self._follow(finished)
        finally:
            while not finished.empty():
                future = finished.get()
                if not future.cancelled() and future.exception() is None:
                    self._take(future.result())
            self._publish()

    def _follow(self, finished: queue.SimpleQueue[Future[list[LoadedMonth]]]) -> None:
        due = time.monotonic() + FIRST_PUBLISH_S
        self._report_progress(self._pieces[0].station, self._pieces[0].month)
        while len(self._loaded) < len(self._pieces):
            try:
                self._take(finished.get(timeout=max(0.0, due - time.monotonic())).result())
            except queue.Empty:
                pass
            if time.monotonic() >= due:
                self._publish()
                self._publish_derived()
                at = self._loaded[-1].wanted if self._loaded else self._pieces[0]
                self._report_progress(at.station, at.month)
                due = time.monotonic() + PUBLISH_EVERY_S

    def derive(self) -> None:
        """Make what formulas make of tiles that are there; what lacks an input is left out."""
        while made := self._publish_derived():
            self._report_progress(made.station, made.month)

    def flag(self) -> list[tuple[SeriesKey, int]]:
        """Make the flags of tiles that were there without; return what :func:`write_flags` does."""
        return write_flags(self._site, self._request, report=self._take_flagged)

    def metrics(self) -> dict[str, float | int]:
        """Return what was done, as numbers."""
        read = sum(loaded.read for loaded in self._loaded)
        derived = {"tiles_derived": self._derived} if self._derived else {}
        return {
            "rows": self._plan.rows_total,
            "tiles_read": read,
            "tiles_reused": self._plan.tiles_total - self._own_read - self._derived,
            **derived,
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
            for at, (key, entry) in enumerate(loaded.entries):
                self._unpublished[key].append(entry)
                is_own = (key.station, key.sensor) in self._request.series
                self._own_tiles += is_own
                self._own_read += is_own and at >= len(loaded.entries) - loaded.read

    def _take_flagged(self, key: SeriesKey, entry: TileEntry) -> None:
        self._rows_flagged += entry.rows
        self._report_progress(key.station, entry.month)

    def _publish(self) -> None:
        for key, entries in self._unpublished.items():
            self._site.tiles.publish(key, entries)
        published = {key: {entry.month for entry in entries} for key, entries in self._unpublished.items()}
        self._unpublished.clear()
        record_exact_months(self._site, self._exact)
        self._exact.clear()
        write_flags(self._site, self._request, published)
        write_rollups(self._site, self._request, published)

    def _publish_derived(self) -> DerivedMonth | None:
        """Make and publish derived tiles whose inputs are published, for about as long as pages
        wait for news; return the last one.
        """
        last, until = None, time.monotonic() + PUBLISH_EVERY_S
        entries: dict[SeriesKey, list[TileEntry]] = defaultdict(list)
        for last, key, entry in self._deriver.ready():
            entries[key].append(entry)
            self._derived += 1
            self._rows_read += last.rows
            if time.monotonic() >= until:
                break
        for key, made in entries.items():
            self._site.tiles.publish(key, made)
        if entries:
            write_rollups(self._site, self._request, {key: {entry.month for entry in made} for key, made in entries.items()})
        return last

    def _report_progress(self, station: str, month: int) -> None:
        """Report how far it is; ``fraction`` counts rows, so that a short month is no big step."""
        planned, to_flag = self._plan, max(0, self._rows_unflagged - self._rows_flagged)
        left, rows = planned.rows_missing - self._rows_read + to_flag, planned.rows_tiles + self._rows_unflagged
        fraction = 1 - left / rows if rows else 1.0
        self._rate.update(time.monotonic(), self._rows_read + self._rows_flagged)
        self._report(
            Progress(
                fraction=fraction,
                tiles_done=planned.tiles_present + self._own_tiles + self._derived,
                tiles_total=planned.tiles_total,
                rows=round(planned.rows_total * fraction),
                rows_total=planned.rows_total,
                station=station,
                month=month,
                seconds_left=self._rate.seconds_left(left),
            )
        )


def _untimed(reader: MappedReader, request: HistoryRequest) -> int:
    """Rows without a time; 0 where they cannot be counted: the tiles are all there by now."""
    try:
        return reader.untimed(request.stations)
    except SourceUnavailable as exc:
        log.warning("rows without a time were not counted", why=exc.message)
        return 0


@contextmanager
def _readers(
    site: Site,
    reader: MappedReader,
    groups: Sequence[Sequence[Missing]],
    finished: Callable[[Future[list[LoadedMonth]]], None],
) -> Iterator[None]:
    """Threads that load the groups in order; ``finished`` gets each.
    Leaving drops what waits and awaits what runs.
    """
    at_once = max(1, min(READERS, CELLS_PER_READ // max(1, *(sum(map(cells, group)) for group in groups))))
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="reader")
    try:
        for group in groups:
            # Threads begin without what is bound to log lines: the id of the job.
            pool.submit(copy_context().run, load_months, site, reader, group).add_done_callback(finished)
        yield
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
