"""Campbell Scientific's binary tables: TOB1 (records), TOB2 and TOB3 (records in frames,
as on memory cards).

LoggerNet's manual describes them (appendix "Campbell Scientific File Formats"). Lines of text come
first: environment, in TOB2 and TOB3 the table, then names, units, processing and types of the
fields. TOB1 goes on with records; TOB2 and TOB3 with frames of one size. A frame has a header
(seconds since 1990, parts of a second, in TOB3 the number of its first record), records, and a
footer of 32 bits: size of a minor frame (12 bits), file mark, removal mark, empty, minor,
validation stamp (16 bits).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import numpy as np
import pyarrow as pa

from data.arrays import Integers
from data.ingest.campbell.tob_values import TobError, dtype_of, ns_since_1970, times, values_of

KINDS = {"TOB1": 5, "TOB2": 6, "TOB3": 6}  # with the number of lines of text
TIME, RECORD = "TIMESTAMP", "RECORD"  # as TOA5 calls what stands in frame headers

_TOB1_TIME = ("SECONDS", "NANOSECONDS")
_START = {"TOB2": np.dtype("<u4,<u4"), "TOB3": np.dtype("<u4,<u4,<u4")}  # a frame's header
_FOOTER_BYTES = 4
_SIZE, _EMPTY, _MINOR = 0x0FFF, 0x4000, 0x8000
_RECORDS_AT_ONCE = 50_000
_LONGEST_LINE = 1 << 20
_INTERVAL_NS = {
    "NSEC": 1, "USEC": 10**3, "MSEC": 10**6, "SEC": 10**9, "MIN": 60 * 10**9, "HR": 3600 * 10**9, "HOUR": 3600 * 10**9,
    "DAY": 86_400 * 10**9,
}  # fmt: skip
# parts of a second in a frame's header: Sec100Usec
_PART = re.compile(r"^Sec(\d*)([MUN])sec$", re.IGNORECASE)
_PART_NS = {"M": 10**6, "U": 10**3, "N": 1}


@dataclass(frozen=True)
class Records:
    """Some records in the file's order.

    ``times_ns``: since 1970 on the logger's clock. ``numbers``: of the records, where frames have
    them. ``fields``: as they stand in the file. ``damaged``: how many records were lost before or
    among them.
    """

    times_ns: Integers
    numbers: Integers
    fields: np.ndarray[Any, Any]
    damaged: int = 0


@dataclass(frozen=True)
class TobHeader:
    """The lines of text before the data; ``interval_ns`` to ``stamp`` are of frames."""

    kind: str
    station: str
    names: tuple[str, ...]
    units: tuple[str, ...]
    types: tuple[str, ...]
    interval_ns: int = 0
    frame_bytes: int = 0
    part_ns: int = 1
    stamp: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, as in the TOA5 file of the same table."""
        if self.kind == "TOB1":
            return (TIME, *(name for name in self.names if name not in _TOB1_TIME))
        return (TIME, *([RECORD] if self.kind == "TOB3" else []), *self.names)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Return the type of a record; its fields are numbered, since names may repeat."""
        return np.dtype([(f"f{number}", dtype_of(name)) for number, name in enumerate(self.types)])

    def room(self, length: int) -> int:
        """Return how many records a frame of this length has room for."""
        return (length - _START[self.kind].itemsize - _FOOTER_BYTES) // self.dtype.itemsize


def is_tob(head: bytes) -> bool:
    """Return whether a file that begins so is one of these."""
    return head.removeprefix(b'"')[:4].decode("latin-1") in KINDS


def read_header(stream: IO[bytes]) -> TobHeader:
    """Read the lines of text; the stream then stands at the first record or frame.

    Raises:
        TobError: saying what is wrong.
    """
    first = _cells(stream)
    kind = first[0] if first else ""
    if kind not in KINDS or len(first) < 2:
        raise TobError("the first line does not name kind and station")
    table = [] if kind == "TOB1" else _cells(stream)
    names, units, _, types = (tuple(_cells(stream)) for _ in range(4))
    if not names or not len(names) == len(units) == len(types):
        raise TobError(f"there are {len(names)} names, {len(units)} units and {len(types)} types of fields")
    types = tuple(name.upper() for name in types)
    header = TobHeader(kind, first[1], names, units, types, *(_frames_of(table) if table else ()))
    _check(header)
    return header


def _cells(stream: IO[bytes]) -> list[str]:
    line = stream.readline(_LONGEST_LINE).decode("utf-8", "replace").strip()
    try:
        return [cell.strip() for cell in next(csv.reader([line]), [])]
    except csv.Error as exc:
        raise TobError(str(exc)) from exc


def _frames_of(table: list[str]) -> tuple[int, int, int, int]:
    """Interval, size of a frame, part of a second and validation stamp, of the second line."""
    try:
        count, unit = table[1].split()
        interval_ns = round(float(count) * _INTERVAL_NS[unit.upper()])
        parts, size = _PART.findall(table[5])[0]
        return interval_ns, int(table[2]), int(parts or 1) * _PART_NS[size.upper()], int(table[4])
    except (IndexError, KeyError, ValueError) as exc:
        expected = "an interval, a size of frames, a validation stamp and a resolution"
        raise TobError(f"the second line is {', '.join(table)}; expected in it {expected}") from exc


def _check(header: TobHeader) -> None:
    if not header.dtype.itemsize:
        raise TobError("its records have no length")
    if header.kind == "TOB1":
        if not set(_TOB1_TIME) <= set(header.names):
            raise TobError("there are no columns SECONDS and NANOSECONDS, so its records have no time")
    elif header.room(header.frame_bytes) < 1:
        raise TobError("its frames are too short for a record")
    elif not header.interval_ns and header.room(header.frame_bytes) > 1:
        raise TobError("its records have no interval, so only the first one of a frame has a time")


def read_records(header: TobHeader, stream: IO[bytes]) -> Iterator[Records]:
    """Yield all records after the header, some ten thousand at a time."""
    if header.kind != "TOB1":
        yield from _framed(header, stream)
        return
    size = header.dtype.itemsize
    seconds, ns = (f"f{header.names.index(name)}" for name in _TOB1_TIME)
    while data := stream.read(size * _RECORDS_AT_ONCE):
        whole, cut = divmod(len(data), size)
        fields = np.frombuffer(data, header.dtype, whole)
        yield Records(ns_since_1970(fields[seconds], fields[ns]), np.empty(0, np.int64), fields, int(cut > 0))


def _framed(header: TobHeader, stream: IO[bytes]) -> Iterator[Records]:
    size = header.frame_bytes
    nothing = Records(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, header.dtype))
    while data := stream.read(size * max(1, _RECORDS_AT_ONCE // header.room(size))):
        found, damaged = [nothing], 0
        for start in range(0, len(data), size):
            parts, lost = _parts(header, data[start : start + size])
            found += [_opened(header, part) for part in parts]
            damaged += lost
        yield Records(
            np.concatenate([part.times_ns for part in found]),
            np.concatenate([part.numbers for part in found]),
            np.concatenate([part.fields for part in found]),
            damaged,
        )


def _parts(header: TobHeader, frame: bytes) -> tuple[list[bytes], int]:
    """Return a frame's headers with their records, in order, and how many records are lost."""
    if frame in (b"\0" * len(frame), b"\xff" * len(frame)):  # reserved on the card, never written
        return [], 0
    footer = int.from_bytes(frame[-_FOOTER_BYTES:], "little")
    stamps = (header.stamp, header.stamp ^ 0xFFFF)
    if len(frame) < header.frame_bytes or footer >> 16 not in stamps:
        return [], header.room(header.frame_bytes)
    if footer & _MINOR:
        return _minor_frames(header, frame)
    return ([] if footer & _EMPTY else [frame[:-_FOOTER_BYTES]]), 0


def _minor_frames(header: TobHeader, frame: bytes) -> tuple[list[bytes], int]:
    """A frame that was closed early: minor frames in a row, each with its own footer;
    the last one's is the frame's.
    """
    parts: list[bytes] = []
    end, least = len(frame), _START[header.kind].itemsize + _FOOTER_BYTES
    while end:
        footer = int.from_bytes(frame[max(0, end - _FOOTER_BYTES) : end], "little")
        size = footer & _SIZE
        # An empty one may be as short as its footer.
        if not footer & _MINOR or not (_FOOTER_BYTES if footer & _EMPTY else least) <= size <= end:
            return parts, max(0, header.room(end))
        if not footer & _EMPTY:
            parts.insert(0, frame[end - size : end - _FOOTER_BYTES])
        end -= size
    return parts, 0


def _opened(header: TobHeader, part: bytes) -> Records:
    start = _START[header.kind]
    seconds, subseconds, *number = np.frombuffer(part, start, 1)[0].item()
    count = (len(part) - start.itemsize) // header.dtype.itemsize
    fields = np.frombuffer(part, header.dtype, count, start.itemsize)
    steps = np.arange(count, dtype=np.int64)
    first = ns_since_1970(np.array(seconds), np.array(subseconds * header.part_ns))
    return Records(first + steps * header.interval_ns, number[0] + steps if number else steps, fields)


def column(header: TobHeader, records: Records, name: str) -> pa.Array:
    """A column as Arrow keeps it: times on the logger's clock, numbers, or text.

    Raises:
        TobError: for a column of a type that is not read.
    """
    if name == TIME and TIME not in header.names:
        return times(records.times_ns)
    if name == RECORD and header.kind == "TOB3":
        return pa.array(records.numbers)
    number = header.names.index(name)
    return values_of(header.types[number], records.fields[f"f{number}"])
