"""What a batch changed, and what was there before:
pieces of a journal, written in the transactions that make the changes.

A new row costs its key alone, and keys at a regular interval cost next to nothing;
only what was replaced keeps its values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.ipc
from sqlalchemy import Connection, insert, select, update

from data.database.tables import batch, batch_change, station_inventory
from errors import Conflict

Kind = Literal["rows", "flags", "totals", "station"]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]

_COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")


@dataclass(frozen=True)
class Change:
    """Keys of one station that a batch changed in one transaction.

    ``times``: int64[n] ms UTC, increasing; ``there``: bool[n], whether the key was there before;
    ``before``: float64[n, sensors] of ``rows`` and [n, 1] of ``totals``, NaN where there was no
    value. ``what`` is JSON: the ``sensors`` that were set, and more.
    """

    kind: Kind
    station: str
    what: Mapping[str, Any]
    times: Integers
    there: Mask
    before: Values

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors that were set."""
        return tuple(self.what["sensors"])


def pack(change: Change) -> bytes:
    """Times as pauses; values only where a key was there. :func:`unpack` is the inverse."""
    columns: dict[str, Any] = {"pause": np.diff(change.times, prepend=0), "there": change.there}
    if change.there.any():
        columns |= {f"v{number}": column for number, column in enumerate(change.before.T)}
    table = pa.record_batch([pa.array(column) for column in columns.values()], names=list(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_COMPRESSED) as writer:
        writer.write_batch(table)
    return bytes(sink.getvalue())


def unpack(kind: Kind, station: str, what: str, data: bytes) -> Change:
    """A change as the table ``batch_change`` holds it."""
    fields = json.loads(what)
    table = pa.ipc.open_stream(data).read_all() if data else None
    if table is None:
        return Change(kind, station, fields, np.empty(0, np.int64), np.empty(0, np.bool_), np.empty((0, 0)))
    times = np.cumsum(table["pause"].to_numpy())
    width = 0 if kind == "flags" else len(fields["sensors"])
    kept = [table[f"v{number}"].to_numpy() for number in range(width)] if table.num_columns > 2 else []
    before = np.column_stack(kept) if kept else np.full((len(times), width), np.nan)
    return Change(kind, station, fields, times, table["there"].to_numpy(), before)


@dataclass
class JournalTotals:
    """How many rows a batch has stored (new), replaced and removed so far."""

    stored: int = 0
    replaced: int = 0
    removed: int = 0


@dataclass
class Journal:
    """The journal of a batch that is being made. What was noted reaches the database with
    :meth:`flush`, and counts as done.
    """

    id: int
    totals: JournalTotals = field(default_factory=JournalTotals)
    _pieces: int = 0
    _noted: list[Change] = field(default_factory=list)
    _stations: dict[str, bytes] = field(default_factory=dict)

    def note(
        self,
        kind: Kind,
        station: str,
        sensors: Sequence[str],
        times: Integers,
        there: Mask,
        before: Values | None = None,
        **more: Any,
    ) -> None:
        """Note keys that change in the caller's transaction; ``before`` where some were there."""
        if len(times):
            width = 0 if kind == "flags" else len(sensors)
            was = np.full((len(times), width), np.nan) if before is None else before
            self._noted.append(Change(kind, station, {"sensors": list(sensors), **more}, times, there, was))

    def note_station(self, connection: Connection, source: str, station: str, step_ms: int | None = None) -> None:
        """What the inventory says of a station before the batch first touches it;
        ``step_ms`` is what it will say.
        """
        if station in self._stations:
            return
        columns = station_inventory.c
        query = select(columns.sensors, columns.step_ms, columns.synthetic)
        row = connection.execute(query.where(columns.source == source, columns.station == station)).first()
        before = {"sensors": json.loads(row[0]), "step_ms": row[1], "synthetic": bool(row[2])} if row else None
        self._stations[station] = json.dumps({"sensors": [], "before": before, "step_ms": step_ms}).encode()

    def flush(self, connection: Connection) -> None:
        """Write what was noted inside the transaction that made the changes.

        Raises:
            Conflict: the batch has been undone meanwhile.
        """
        rows = [self._row(self._pieces + at, change) for at, change in enumerate(self._waiting())]
        self._pieces += len(rows)
        here = (batch.c.id == self.id, batch.c.state == "unfinished")
        counts = {"stored": self.totals.stored, "replaced": self.totals.replaced, "removed": self.totals.removed}
        if not connection.execute(update(batch).where(*here).values(pieces=self._pieces, **counts)).rowcount:
            raise Conflict("Batch {batch} was undone while it was being written; nothing more of it is stored.", batch=self.id)
        if rows:
            connection.execute(insert(batch_change), rows)

    def _waiting(self) -> list[Change]:
        """Return what was noted since the last flush:
        stations first, equal kinds of changes as one.
        """
        nothing = (np.empty(0, np.int64), np.empty(0, np.bool_), np.empty((0, 0)))
        found = [Change("station", name, json.loads(what), *nothing) for name, what in self._stations.items() if what]
        self._stations = dict.fromkeys(self._stations, b"")
        alike: dict[tuple[str, str, str], list[Change]] = {}
        for change in self._noted:
            alike.setdefault((change.kind, change.station, json.dumps(change.what)), []).append(change)
        self._noted = []
        return found + [_joined(changes) for changes in alike.values()]

    def _row(self, number: int, change: Change) -> dict[str, Any]:
        has_keys = len(change.times) > 0
        return {
            "batch": self.id,
            "number": number,
            "kind": change.kind,
            "station": change.station,
            "first": int(change.times[0]) if has_keys else 0,
            "last": int(change.times[-1]) if has_keys else 0,
            "what": json.dumps(change.what, ensure_ascii=False),
            "data": pack(change) if has_keys else b"",
        }


def _joined(changes: Sequence[Change]) -> Change:
    times = np.concatenate([change.times for change in changes])
    order = np.argsort(times, kind="stable")
    there = np.concatenate([change.there for change in changes])
    before = np.concatenate([change.before for change in changes])
    first = changes[0]
    return Change(first.kind, first.station, first.what, times[order], there[order], before[order])
