"""Lines that were appended to a file, read behind its header as an import reads them.

Lines that cannot be read are told apart from those that can: a bad one holds up no other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from data.inbox.arrivals import Arrivals
from data.ingest.checking import refuse_ragged, refuse_tags
from data.ingest.file_plan import FilePlan
from data.ingest.file_rows import RowReader
from data.ingest.layout import Layout
from data.ingest.text.text_rows import begins_header, header_needle
from errors import ImportRejected, RiwayatError, UnknownSensor

PlanLines = Callable[[Path], FilePlan]  # how a file of a header and lines is read

_MOST_TRIES: Final = 256  # then what is left of a run of bad lines is one
_NOT_STORABLE: Final = ("no time", "no station", "station name too long", "year not", "time does not exist")


@dataclass(frozen=True)
class UnreadLines:
    """Lines that cannot be read, and why; ``header``: the lines that name their columns."""

    header: bytes
    lines: bytes
    why: RiwayatError


@dataclass
class LinesRead:
    """What lines hold; ``header``: of what follows; ``taken``: how many lines were looked at."""

    header: bytes
    taken: int
    arrivals: list[Arrivals] = field(default_factory=list)
    unread: list[UnreadLines] = field(default_factory=list)


def refuse_unwatched(plan: FilePlan) -> None:
    """Refuse what cannot be read line by line.

    Raises:
        ImportRejected: with what to do.
    """
    counted = [column.sensor for column in plan.values if column.counts != "interval"]
    if counted:
        raise ImportRejected(
            "{file}: {sensor} is a running total or a rate here, which needs the rows before; use manage.py import.",
            file=plan.layout.path,
            sensor=counted[0],
        )
    if any(part.quality for part in plan.parts):
        raise ImportRejected(
            "{file} has quality codes of its own, which only manage.py import stores; use that, or a profile without flags.",
            file=plan.layout.path,
        )


class LineReader:
    """Reads lines of one file; ``name`` is what sentences call it."""

    def __init__(self, plan: PlanLines, name: str) -> None:
        self._plan, self._name = plan, name

    def read(self, header: bytes, lines: Sequence[bytes], first: int) -> LinesRead:
        """Read whole lines, of which the first is line ``first`` of the file. A further header
        among them holds for what follows; one that is not whole yet is left.
        """
        read = LinesRead(header, len(lines))
        with tempfile.TemporaryDirectory(prefix="riwayat-") as folder:
            path = Path(folder) / "lines"
            begin = 0
            for start, size in [*self._headers(path, header, lines), (len(lines), 0)]:
                self._section(path, read, lines[begin:start], first + begin)
                if start + size > len(lines):
                    read.taken = start
                    break
                own = b"".join(lines[start : start + size])
                read.header = _replaced(read.header, own, size) if size else read.header
                begin = start + size
        return read

    def _headers(self, path: Path, header: bytes, lines: Sequence[bytes]) -> list[tuple[int, int]]:
        """Return where further headers begin, and how many lines each has."""
        path.write_bytes(header)
        try:
            plan = self._plan(path)
        except RiwayatError:
            return []  # every line tells
        layout, names = plan.layout, plan.profile.header_names
        needle = header_needle(layout, names)
        if not needle:
            return []
        hits = [at for at, line in enumerate(lines) if needle in line]
        return [(at, _header_lines(layout)) for at in hits if begins_header(layout, names, lines[at].decode(errors="replace"))]

    def _section(self, path: Path, read: LinesRead, lines: Sequence[bytes], first: int) -> None:
        """Read lines of one header, by halves where some of them are wrong."""
        waiting, tries = [(0, len(lines))] if lines else [], 0
        while waiting:
            begin, end = waiting.pop()
            tries += 1
            try:
                read.arrivals += self._parse(path, read.header, lines[begin:end])
            except (ImportRejected, UnknownSensor) as exc:
                if end - begin > 1 and tries < _MOST_TRIES:
                    middle = (begin + end) // 2
                    waiting += [(middle, end), (begin, middle)]
                else:
                    why = self._in_file(exc, path, first + begin - read.header.count(b"\n") - 1)
                    read.unread.append(UnreadLines(read.header, b"".join(lines[begin:end]), why))

    def _parse(self, path: Path, header: bytes, lines: Sequence[bytes]) -> list[Arrivals]:
        path.write_bytes(header + b"".join(lines))
        plan = self._plan(path)
        refuse_unwatched(plan)
        reader = RowReader(plan)
        found = [
            Arrivals(rows.part.sensors, rows.stations.each, rows.times, rows.values, np.ones(rows.values.shape, np.bool_))
            for rows in reader.rows()
            if len(rows)
        ]
        refuse_ragged(plan, reader)
        refuse_tags(plan, reader)
        lost = [reason for reason in reader.rejected if reason.startswith(_NOT_STORABLE)]
        if lost:
            raise ImportRejected("{file}: a row cannot be stored: {reasons}.", file=path, reasons=", ".join(sorted(lost)))
        return found

    def _in_file(self, exc: RiwayatError, path: Path, moved: int) -> RiwayatError:
        """Return what was said of the lines as said of the file."""
        params = {name: self._name if value == path else value for name, value in exc.params.items()}
        if isinstance(line := params.get("line"), int):
            params["line"] = line + moved
        return type(exc)(exc.template, **params)


def _header_lines(layout: Layout) -> int:
    """Return of how many lines a further header of the same kind is."""
    return 4 if layout.kind == "toa5" else layout.keys.header_rows + int(layout.keys.units_row)


def _replaced(header: bytes, own: bytes, size: int) -> bytes:
    """Return a header whose last lines are others; what is passed over before them stays."""
    return b"".join(header.splitlines(keepends=True)[:-size]) + own


def whole_lines(data: bytes) -> list[bytes]:
    """Return the lines of some bytes that have an end, with it."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]]
