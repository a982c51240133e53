"""Import files: all of them are read and checked wholly, then each is stored in short transactions.
Idempotent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import groupby, islice
from pathlib import Path
from typing import Literal

import numpy as np
from sqlalchemy import Connection, Engine

from data.arrays import Floats, Integers
from data.batches import batch_records
from data.batches.journal import Journal
from data.catalogue import Catalogue
from data.cells.running_totals import rate_to_sum
from data.ingest.checking import FileCheck, check_file
from data.ingest.file_observations import FileRows, joined_rows
from data.ingest.file_parts import Part
from data.ingest.file_plan import FilePlan, ImportOptions, plan_file
from data.ingest.file_rows import RowReader
from data.ingest.outlying_rows import OutlyingRows, outlying_rows
from data.ingest.row_spool import RowSpool
from data.ingest.sent_totals import add_totals
from data.ingest.writer import ObservationWriter
from data.inventory import OWN_SOURCE, Inventory
from data.sensor_spans import spans_of
from data.time.zones import zone_of

Phase = Literal["checking", "storing"]
ReportProgress = Callable[[Path, Phase, float], None]

# Rows × (sensors + 2): 100,000 rows of four sensors. Others wait for half a second at most, and a
# piece of the journal stays far below CHANGE_BYTES.
_CELLS_A_TRANSACTION = 600_000


@dataclass(frozen=True)
class FileReport:
    """What became of a file: ``read`` = ``stored`` (new) + ``replaced`` (the key was there)
    + ``rejected`` rows.

    ``reasons``: rejected rows by reason. ``values_left_out``: single values that were not stored,
    by reason, of rows that were. ``columns_left_out``: columns that the profile does not name.
    ``batch``: what takes it back, and the files beside it. ``notes``: what the file says otherwise
    than the profile. ``outlying``: rows of the file's stations that are in the future or far from
    the rest.
    """

    file: str
    read: int
    stored: int
    replaced: int
    rejected: int
    reasons: Mapping[str, int]
    profile: str
    timezone: str
    values_left_out: Mapping[str, int]
    columns_left_out: tuple[str, ...]
    batch: int
    notes: tuple[str, ...] = ()
    outlying: tuple[OutlyingRows, ...] = ()


def import_files(
    engine: Engine,
    catalogue: Catalogue,
    paths: Sequence[Path],
    wishes: ImportOptions,
    report: ReportProgress = lambda _file, _phase, _fraction: None,
    *,
    spool_folder: Path | None = None,
) -> list[FileReport]:
    """Import files into the own table, as one batch.
    Where one of them is wrong, nothing of any is stored.

    ``engine``: the observations database, up to date.
    ``report`` is called with file, phase and fraction, often.
    ``spool_folder``: where the rows are kept until all is checked (data/ingest/row_spool.py).

    Raises:
        ImportRejected, UnknownSensor, ConfigurationError:
            with file, line, column and what was expected.
        DiskFull, RiwayatError: the rows cannot be kept in ``spool_folder``.
    """
    plans = [plan_file(path, catalogue, wishes) for path in paths]
    with RowSpool(spool_folder) as spool:
        checked = [check_file(plan, partial(report, plan.layout.path, "checking"), spool.add) for plan in plans]
        journal, rows = batch_records.begin(engine, "import", {"files": [str(path) for path in paths]}), spool.rows()
        found = [
            FileImport(engine, catalogue, file, journal).run(rows, partial(report, file.plan.layout.path, "storing"))
            for file in checked
        ]
        batch_records.finish(engine, journal)
    inventory = Inventory(engine, OWN_SOURCE)
    return [
        replace(report, outlying=outlying_rows(engine, inventory, file.last_ms))
        for report, file in zip(found, checked, strict=True)
    ]


class FileImport:
    """Storing what was kept of one checked file."""

    def __init__(self, engine: Engine, catalogue: Catalogue, checked: FileCheck, journal: Journal) -> None:
        self._plan: FilePlan = checked.plan
        self._checked = checked
        self._zone = zone_of(checked.plan.timezone)
        self._journal = journal
        self._writer = cache(partial(ObservationWriter, engine, catalogue, journal=journal))
        self._inventory = Inventory(engine, OWN_SOURCE)
        known = {station.name: station.last_ms for station in self._inventory.stations()}
        self._known = frozenset(known)
        # An old file that comes late does not say what the usual step is now.
        self._steps_ms = {
            name: step for name, step in checked.steps_ms.items() if (known.get(name) or -(2**63)) <= checked.last_ms[name]
        }
        self._stored = self._replaced = self._repeated = 0

    def run(self, kept: Iterator[FileRows], report: Callable[[float], None]) -> FileReport:
        """Store the file: the next rows of what was kept."""
        reader = self._checked.reader
        total, done = max(1, reader.read - reader.rejected.total()), 0
        for some in _transactions(islice(kept, self._checked.pieces)):
            with self._writer(some[0].part.sensors, some[0].part.judged).engine.begin() as connection:
                self._hold(connection, some)
                for rows in some:
                    self._store(connection, rows, reader)
                self._journal.flush(connection)
            done += sum(map(len, some))
            report(min(1.0, done / total))
        report(1.0)
        return FileReport(
            file=str(self._plan.layout.path),
            read=reader.read,
            stored=self._stored,
            replaced=self._replaced,
            rejected=reader.rejected.total(),
            reasons=dict(sorted(reader.rejected.items())),
            profile=self._plan.profile_name,
            timezone=self._plan.timezone,
            values_left_out=dict(sorted(reader.left_out.items())),
            columns_left_out=self._plan.left_out,
            batch=self._journal.id,
            notes=(*reader.notes, *_doubtful(self._plan, reader, self._repeated)),
        )

    def _hold(self, connection: Connection, some: Sequence[FileRows]) -> None:
        """Lock all stations of a transaction, in the order of every other import."""
        everything = {name for rows in some for name in rows.stations.present(np.ones(len(rows), np.bool_))}
        for station in sorted(everything):
            self._journal.note_station(connection, OWN_SOURCE, station, self._steps_ms.get(station))
            self._inventory.lock(connection, station)

    def _store(self, connection: Connection, rows: FileRows, reader: RowReader) -> None:
        writer, sensors = self._writer(rows.part.sensors, rows.part.judged), rows.part.sensors
        for station, at in rows.stations.rows_by_name():
            order = at[np.argsort(rows.times[at], kind="stable")]
            times = rows.times[order]
            # of equal times the last in the file holds
            last = np.append(times[1:] != times[:-1], True)
            keep = order[last]
            values = self._counted(connection, station, rows.part, times[last], rows.values[keep], reader)
            bad = rows.bad[keep] if rows.bad is not None else None
            written = writer.write(connection, station, times[last], values, bad)
            self._stored += written.stored
            self._replaced += written.replaced + int((~last).sum())
            # What replaces values of a station that was not there before the
            # file replaces the file's own.
            self._repeated += int((~last).sum()) + (written.overwritten if station not in self._known else 0)
            self._journal.totals.stored += written.stored
            self._journal.totals.replaced += written.replaced + int((~last).sum())
            given = spans_of(sensors, times[last], values)
            writer.inventory.describe(connection, station, sensors=given, step_ms=self._steps_ms.get(station))

    def _counted(
        self, connection: Connection, station: str, part: Part, times: Integers, values: Floats, reader: RowReader
    ) -> Floats:
        """Totals and rates become the sum of each interval."""
        for number, column in enumerate(part.values):
            if column.counts == "rate":
                step_ms = column.step_ms or self._checked.steps_ms.get(station)
                if step_ms is None:
                    reader.left_out[f"{column.sensor}: rate without a known interval (set step_s in the profile)"] += len(values)
                values[:, number] = np.nan if step_ms is None else rate_to_sum(values[:, number], step_ms)
            elif column.counts != "interval":
                zone = self._zone if column.counts == "day_total" else None
                found = add_totals(connection, station, column.sensor, times, values[:, number], zone)
                values[:, number] = found.values
                was = found.totals_before
                self._journal.note(
                    *("totals", station, (column.sensor,), times[found.changed], np.isfinite(was)),
                    was[:, None] if np.isfinite(was).any() else None,
                    follow=True,
                    zone=self._plan.timezone if zone else None,
                )
                if len(found.other_times):
                    others = found.other_values[:, None]
                    corrector = self._writer((column.sensor,), ())
                    corrector.write(connection, station, found.other_times, others)
                    given = spans_of(corrector.sensors, found.other_times, others)
                    corrector.inventory.describe(connection, station, sensors=given)
        return values


def _transactions(kept: Iterable[FileRows]) -> Iterator[list[FileRows]]:
    """Group rows by what one transaction takes, those of a part that follow each other as one."""
    group: list[FileRows] = []
    room = _CELLS_A_TRANSACTION
    for piece in kept:
        width, start = len(piece.part.values) + 2, 0
        while start < len(piece):
            count = min(len(piece) - start, room // width)
            if count:
                group.append(piece[start : start + count])
                start, room = start + count, room - count * width
            if start < len(piece):
                if group:
                    yield _merged(group)
                group, room = [], max(width, _CELLS_A_TRANSACTION)
    if group:
        yield _merged(group)


def _merged(group: Iterable[FileRows]) -> list[FileRows]:
    return [joined_rows(list(same)) for _, same in groupby(group, key=lambda rows: id(rows.part))]


def _doubtful(plan: FilePlan, reader: RowReader, repeated: int) -> list[str]:
    """What may be wrong with a file that was read: misspelt tags, rows an hour off, a last one cut
    off within its last value, rows lost to later ones (of more sensors or stations than the profile
    says).
    """
    lacking = [part.tag for part in plan.parts if part.tag is not None and part.tag not in reader.tags]
    rows, zone = reader.guessed_hours, reader.plan.timezone
    told = (
        (lacking, f"no row has the tag {', '.join(lacking)}"),
        (rows, f"rows of an hour that clocks in {zone} showed twice, and no row before tells which it is: {rows}"),
        (reader.unended, "the last line has no end, so its last value may be cut off; it is stored as it stands"),
        (repeated, f"rows with the station and time of another row of the file: {repeated}; the last one holds"),
    )
    return [sentence for holds, sentence in told if holds]
