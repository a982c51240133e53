"""Rows of checked files on their way into the table: on the disk, so that no cell is read twice."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from data.ingest.file_observations import FileRows, StationColumn
from data.ingest.file_parts import Part
from errors import DiskFull, RiwayatError, disk_errors

_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


class RowSpool:
    """A file without a name in a folder (None: the system's for such files), which goes with the
    process, however that ends. To be used in a ``with`` statement: first all is added, then read.

    Raises:
        DiskFull, RiwayatError: the rows cannot be kept there.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(tempfile.gettempdir())
        self._kept: list[tuple[Part, int]] = []  # the part and the bytes of each piece

    def __enter__(self) -> Self:
        with self._disk_errors():
            self._file = tempfile.TemporaryFile(dir=self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, rows: FileRows) -> None:
        """Keep rows, as Arrow has them."""
        columns: dict[str, pa.Array] = {
            "station": pa.DictionaryArray.from_arrays(rows.stations.codes, pa.array(rows.stations.names, pa.string())),
            "time": pa.array(rows.times),
        }
        columns |= {f"v{number}": pa.array(column) for number, column in enumerate(rows.values.T)}
        if rows.bad is not None:
            columns |= {f"b{number}": pa.array(column) for number, column in enumerate(rows.bad.T)}
        batch = pa.record_batch(columns)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema, options=_COMPRESSED) as writer:
            writer.write_batch(batch)
        data = sink.getvalue()
        with self._disk_errors():
            self._file.write(data)
        self._kept.append((rows.part, data.size))

    def rows(self) -> Iterator[FileRows]:
        """Yield all that was added, in order."""
        with self._disk_errors():
            self._file.seek(0)
        for part, size in self._kept:
            with self._disk_errors():
                data = self._file.read(size)
            yield _unpacked(part, data)

    def _disk_errors(self) -> AbstractContextManager[None]:
        where = self._folder
        full = DiskFull(
            "The disk is full, so the rows of the import cannot be kept in {path} until all is checked; make room, then import "
            "again.",
            path=where,
        )
        return disk_errors(
            full, lambda why: RiwayatError("The rows of the import cannot be kept in {path}: {why}.", path=where, why=why)
        )


def _unpacked(part: Part, data: bytes) -> FileRows:
    batch = pa.ipc.open_stream(data).read_next_batch()
    encoded = batch.column("station")
    stations = StationColumn(tuple(encoded.dictionary.to_pylist()), encoded.indices.to_numpy())
    values = np.column_stack([batch.column(f"v{number}").to_numpy() for number in range(len(part.values))])
    bad = None
    if part.judged:
        judged = [batch.column(f"b{number}").to_numpy(zero_copy_only=False) for number in range(len(part.judged))]
        bad = np.column_stack(judged)
    return FileRows(part, stations, batch.column("time").to_numpy(), values, bad)
