"""Rows between reading and storing: grouped by transactions, kept without a trace."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from data.cells.values import ValueReader
from data.ingest import importing
from data.ingest.file_observations import FileRows, StationColumn, joined_rows
from data.ingest.file_parts import Part, QualityColumn, ValueColumn
from data.ingest.row_spool import RowSpool
from errors import DiskFull

WIDE = Part("s", None, (ValueColumn("t", "temperature", ValueReader()), ValueColumn("h", "humidity", ValueReader())))
JUDGED = Part(
    None, "A", (ValueColumn("t", "temperature", ValueReader()),), (QualityColumn("q", "temperature", frozenset({"0.0"})),)
)


def some(part: Part, names: list[str], *, first: int = 0) -> FileRows:
    count = len(names)
    values = np.arange(count * len(part.values), dtype=np.float64).reshape(count, -1)
    values[0, 0] = np.nan
    bad = np.arange(count)[:, None] % 2 == 0 if part.judged else None
    return FileRows(part, StationColumn.of(names, np.arange(count)), np.arange(first, first + count), values, bad)


def told(rows: FileRows) -> tuple[object, ...]:
    names = [rows.stations.names[code] for code in rows.stations.codes]
    return id(rows.part), names, rows.times.tolist(), repr(rows.values.tolist()), None if rows.bad is None else rows.bad.tolist()


def test_rows_come_back_as_they_were_in_order_and_nothing_is_left_in_the_folder(tmp_path):
    pieces = [some(WIDE, ["B", "A", "B"]), some(JUDGED, ["A", "A"], first=7), some(WIDE, ["ä"])]
    with RowSpool(tmp_path) as spool:
        for piece in pieces:
            spool.add(piece)
        assert list(tmp_path.iterdir()) == []
        assert list(map(told, spool.rows())) == list(map(told, pieces))


def test_a_full_disk_is_told_with_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("wb", buffering=0))  # noqa: SIM115 - the spool closes it
    with RowSpool(tmp_path) as spool, pytest.raises(DiskFull, match="make room, then import again") as caught:
        spool.add(some(WIDE, ["A"]))
    assert str(tmp_path) in caught.value.message


def test_pieces_of_different_stations_are_joined_by_their_names():
    joined = joined_rows([some(WIDE, ["B", "A"]), some(WIDE, ["A", "C"], first=2)])
    assert [(name, at.tolist()) for name, at in joined.stations.rows_by_name()] == [("A", [1, 2]), ("B", [0]), ("C", [3])]
    assert joined.times.tolist() == [0, 1, 2, 3]


def test_names_that_are_alike_once_they_are_trimmed_are_one_station():
    stations = StationColumn.of(["A", "B", "A"], np.array([2, 0, 1, 0]))
    assert (stations.names, stations.codes.tolist()) == (("A", "B"), [0, 0, 1, 0])


@pytest.mark.parametrize(
    ("cells", "lengths"),  # a row of WIDE is four cells, one of JUDGED three
    [(16, [[4], [1, 3], [2]]), (1, [[1]] * 10), (1000, [[5, 3, 2]])],
)
def test_a_transaction_takes_so_many_cells_and_joins_what_follows_of_one_part(monkeypatch, cells, lengths):
    monkeypatch.setattr(importing, "_CELLS_A_TRANSACTION", cells)
    pieces = [some(WIDE, ["A", "A"]), some(WIDE, ["A", "B", "C"]), some(JUDGED, ["A"] * 3), some(WIDE, ["A", "B"])]
    groups = list(importing._transactions(pieces))
    assert [[len(rows) for rows in group] for group in groups] == lengths
    times = [time for group in groups for rows in group for time in rows.times.tolist()]
    assert times == [time for piece in pieces for time in piece.times.tolist()]
