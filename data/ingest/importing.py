"""Import files: all of them are checked wholly, then each is stored in short transactions. Idempotent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Engine

from data.catalogue import Catalogue
from data.ingest.checking import Checked, by_station, check_file
from data.ingest.plan import FilePlan, ValueColumn, Wishes, plan_file
from data.ingest.rain import rate_to_sum
from data.ingest.rows import RowReader, Rows
from data.ingest.totals import add_totals
from data.ingest.writer import ObservationWriter
from data.ingest.zones import zone_of

Phase = Literal["checking", "storing"]
ReportProgress = Callable[[Path, Phase, float], None]

_ROWS_A_TRANSACTION = 20_000


@dataclass(frozen=True)
class FileReport:
    """What became of a file: ``read`` = ``stored`` (new) + ``replaced`` (the key was there) + ``rejected`` rows.

    ``reasons``: rejected rows by reason. ``values_left_out``: single values that were not stored, by reason, of rows that were.
    ``columns_left_out``: columns that the profile does not name.
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


def import_files(
    engine: Engine,
    catalogue: Catalogue,
    paths: Sequence[Path],
    wishes: Wishes,
    report: ReportProgress = lambda _file, _phase, _fraction: None,
) -> list[FileReport]:
    """Import files into the own table. Where one of them is wrong, nothing of any is stored.

    ``engine``: the observations database, up to date. ``report`` is called with file, phase and fraction, often.

    Raises:
        ImportRejected, UnknownSensor, ConfigurationError: with file, line, column and what was expected.
    """
    plans = [plan_file(path, catalogue, wishes) for path in paths]
    checked = [check_file(plan, partial(report, plan.layout.path, "checking")) for plan in plans]
    return [FileImport(engine, catalogue, file).run(partial(report, file.plan.layout.path, "storing")) for file in checked]


class FileImport:
    """The second pass over one checked file."""

    def __init__(self, engine: Engine, catalogue: Catalogue, checked: Checked) -> None:
        self._plan: FilePlan = checked.plan
        self._checked = checked
        self._zone = zone_of(checked.plan.timezone)
        self._writer = ObservationWriter(engine, catalogue, checked.plan.sensors, checked.plan.judged)
        totals = [column.sensor for column in checked.plan.values if column.counts in {"since_reset", "day_total"}]
        self._correctors = {sensor: ObservationWriter(engine, catalogue, [sensor]) for sensor in totals}
        known = {station.name: station.last_ms for station in self._writer.inventory.stations()}
        # An old file that comes late does not say what the usual step is now.
        self._steps_ms = {
            name: step for name, step in checked.steps_ms.items() if (known.get(name) or -(2**63)) <= checked.last_ms[name]
        }
        self._stored = self._replaced = 0

    def run(self, report: Callable[[float], None]) -> FileReport:
        """Store the file."""
        reader = RowReader(self._plan)
        for rows in reader.rows(report):
            for start in range(0, len(rows.times), _ROWS_A_TRANSACTION):
                part = slice(start, start + _ROWS_A_TRANSACTION)
                bad = rows.bad[part] if rows.bad is not None else None
                with self._writer.engine.begin() as connection:
                    self._store(connection, Rows(rows.stations[part], rows.times[part], rows.values[part], bad), reader)
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
        )

    def _store(self, connection: Connection, rows: Rows, reader: RowReader) -> None:
        for station, at in by_station(rows.stations):
            order = at[np.argsort(rows.times[at], kind="stable")]
            times = rows.times[order]
            last = np.append(times[1:] != times[:-1], True)  # of equal times the last in the file holds
            keep = order[last]
            self._writer.inventory.lock(connection, station)
            values = self._counted(connection, station, times[last], rows.values[keep], reader)
            bad = rows.bad[keep] if rows.bad is not None else None
            written = self._writer.write(connection, station, times[last], values, bad)
            self._stored += written.stored
            self._replaced += written.replaced + int((~last).sum())
            sensors = [name for number, name in enumerate(self._plan.sensors) if np.isfinite(values[:, number]).any()]
            self._writer.inventory.describe(connection, station, sensors=sensors, step_ms=self._steps_ms.get(station))

    def _counted(
        self,
        connection: Connection,
        station: str,
        times: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
        reader: RowReader,
    ) -> npt.NDArray[np.float64]:
        """Totals and rates become the sum of each interval."""
        for number, column in enumerate(self._plan.values):
            if column.counts == "rate":
                values[:, number] = self._from_rate(station, column, values[:, number], reader)
            elif column.counts != "interval":
                zone = self._zone if column.counts == "day_total" else None
                found = add_totals(connection, station, column.sensor, times, values[:, number], zone)
                values[:, number] = found.values
                if len(found.later_times):
                    later = found.later_values[:, None]
                    self._correctors[column.sensor].write(connection, station, found.later_times, later)
        return values

    def _from_rate(
        self, station: str, column: ValueColumn, rates: npt.NDArray[np.float64], reader: RowReader
    ) -> npt.NDArray[np.float64]:
        step_ms = column.step_ms or self._checked.steps_ms.get(station)
        if step_ms is None:
            reader.left_out[f"{column.sensor}: rate without a known interval (set step_s in the profile)"] += len(rates)
            return np.full(len(rates), np.nan)
        return rate_to_sum(rates, step_ms)
