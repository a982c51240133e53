"""Observations as a file gives them: some rows at a time, each with its station."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.arrays import Bools, Floats, Integers
from data.ingest.file_parts import Part


@dataclass(frozen=True)
class StationColumn:
    """The station of each row: ``codes`` int32[n], places in ``names``,
    where each name stands once.
    """

    names: tuple[str, ...]
    codes: npt.NDArray[np.int32]

    @classmethod
    def of(cls, names: Sequence[str], places: npt.NDArray[np.integer]) -> StationColumn:
        """Make the column of names, some perhaps alike, and places in them."""
        unique = {name: code for code, name in enumerate(dict.fromkeys(names))}
        codes = np.array([unique[name] for name in names], np.int32)
        return cls(tuple(unique), codes[places])

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: slice | Bools | Integers) -> StationColumn:
        return StationColumn(self.names, self.codes[rows])

    @property
    def each(self) -> npt.NDArray[np.object_]:
        """Return each row's name, object[n] of str."""
        names: npt.NDArray[np.object_] = np.array(self.names, object)
        return np.asarray(names[self.codes], object)

    @property
    def lengths(self) -> Integers:
        """Return the characters of each row's name."""
        return np.array([len(name) for name in self.names], np.int64)[self.codes]

    def present(self, rows: Bools) -> frozenset[str]:
        """Return the names that some of the rows have."""
        counts = np.bincount(self.codes[rows], minlength=len(self.names))
        return frozenset(self.names[code] for code in np.flatnonzero(counts).tolist())

    def rows_by_name(self) -> Iterator[tuple[str, Integers]]:
        """Yield each station that has rows with their positions,
        sorted by name (so that two imports lock stations in one order).
        """
        counts = np.bincount(self.codes, minlength=len(self.names))
        there = np.flatnonzero(counts).tolist()
        order = np.arange(len(self.codes)) if len(there) == 1 else np.argsort(self.codes, kind="stable")
        ends = np.cumsum(counts)
        for code in sorted(there, key=self.names.__getitem__):
            yield self.names[code], order[ends[code] - counts[code] : ends[code]]


@dataclass(frozen=True)
class FileRows:
    """Observations of a part of a chunk, in the file's order.

    ``part`` says of which station and sensors; ``times``: int64[n] ms UTC; ``values``:
    float64[n, sensors], NaN where missing; ``bad``: bool[n, judged sensors], or None without
    quality codes.
    """

    part: Part
    stations: StationColumn
    times: Integers
    values: Floats
    bad: Bools | None

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, rows: slice) -> FileRows:
        bad = self.bad[rows] if self.bad is not None else None
        return FileRows(self.part, self.stations[rows], self.times[rows], self.values[rows], bad)


def joined_rows(pieces: Sequence[FileRows]) -> FileRows:
    """Join rows of one part, in the order given."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    names = [name for piece in pieces for name in piece.stations.names]
    starts = np.cumsum([0, *(len(piece.stations.names) for piece in pieces)])
    places = np.concatenate([piece.stations.codes + start for piece, start in zip(pieces, starts.tolist(), strict=False)])
    bad = None if first.bad is None else np.concatenate([piece.bad for piece in pieces if piece.bad is not None])
    times, values = (np.concatenate([getattr(piece, name) for piece in pieces]) for name in ("times", "values"))
    return FileRows(first.part, StationColumn.of(names, places), times, values, bad)
