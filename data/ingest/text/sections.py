"""What files are read as: parts with a header each, and chunks of some ten thousand rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from data.arrays import Integers
from data.ingest.layout import Layout

ReportFraction = Callable[[float], None]


@dataclass(frozen=True)
class Ragged:
    """Rows that are not as long as the header, which has ``columns``: how many,
    and line and fields of the first of them.
    """

    count: int
    line: int
    fields: int
    columns: int


@dataclass(frozen=True)
class Chunk:
    """``columns``: Arrow arrays of equal length; ``lines``: each row's line in the file (int64,
    from 1).

    What was passed over since the chunk before: ``ragged`` rows, ``short``: how many that the
    profile lets be left out, ``cut``: whether the file's last line is cut off, ``damaged``: how
    many records were lost with frames of a card that are damaged or cut off. ``unended``: whether
    the last row has all its cells but no end of its line, so that the last may be cut off.
    """

    columns: Mapping[str, pa.Array]
    lines: Integers
    ragged: Ragged | None = None
    short: int = 0
    cut: bool = False
    unended: bool = False
    damaged: int = 0


@dataclass(frozen=True)
class Section:
    """A part of a file. ``read`` gives its rows: the columns wanted of them, each once."""

    layout: Layout
    read: Callable[[Sequence[str]], Iterator[Chunk]]
