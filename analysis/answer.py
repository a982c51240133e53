"""The form of every answer: what it was asked, numbers, method; as JSON, and as one table."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import tzinfo
from typing import Any, Final

import numpy as np

from data.arrays import Floats
from data.time.months import iso_utc
from data.time.zones import offset_text, zone_of, zone_offset_ms
from escaping import safe_text


class Moment(int):
    """An instant in int ms UTC, which JSON and tables show as ISO 8601."""


@dataclass(frozen=True)
class Method:
    """How a number is made, and the source of the formula."""

    name: str
    source: str


@dataclass(frozen=True)
class Table:
    """An answer as one table: a header and rows of plain values."""

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class SubjectAnswer:
    """The answer for one subject: a series, or the series of a station that belong together.
    ``result`` is its record.
    """

    station: str
    sensors: tuple[str, ...]
    units: tuple[str, ...]
    rows: int
    result: Any


@dataclass(frozen=True)
class Answer:
    """What an analysis found in a window [start_ms, end_ms), int ms UTC."""

    analysis: str
    start_ms: int
    end_ms: int
    timezone: str
    options: Mapping[str, Any]
    subjects: tuple[SubjectAnswer, ...]
    method: tuple[Method, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Return the answer as JSON has it: ``result`` is that of the only subject, null where
        there are several.
        """
        results = [plain(subject.result) for subject in self.subjects]
        return {
            "analysis": self.analysis,
            "window": {"from": iso_utc(self.start_ms), "to": iso_utc(self.end_ms)},
            "zone": self.timezone,
            "options": plain(self.options),
            "series": [_described(subject) for subject in self.subjects],
            "result": results[0] if len(results) == 1 else None,
            "results": results,
            "method": [{"name": method.name, "source": method.source} for method in self.method],
        }


def _described(subject: SubjectAnswer) -> dict[str, Any]:
    one = len(subject.sensors) == 1
    return {
        "station": subject.station,
        "sensor": subject.sensors[0] if one else None,
        "unit": subject.units[0] if one else None,
        "sensors": list(subject.sensors),
        "units": list(subject.units),
        "rows": subject.rows,
    }


_DIGITS: Final = 13  # more than any sensor has, fewer than the noise of adding up
_SHORT_DIGITS, _SHORT_BELOW = 6, 1e6  # after and before the point: such a number has no more digits than that
_NAMES: Final = {"from_": "from", "to_": "to"}  # words of Python


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: records become objects, arrays lists, times ISO 8601, and
    what is no number null.
    """
    if isinstance(value, Moment):
        return iso_utc(value)
    if is_dataclass(value):
        return {_NAMES.get(each.name, each.name): plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray):
        return _plain_array(value) if value.dtype == np.float64 else [plain(each) for each in value.tolist()]
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, np.generic):
        return plain(value.item())
    return value


def _plain_array(values: Floats) -> list[Any]:
    """Return numbers as :func:`plain` each of them, many at once."""
    flat = values.ravel()
    found, finite = flat.astype(object), np.isfinite(flat)
    found[~finite] = None
    short = (np.abs(flat, where=finite, out=np.zeros(len(flat))) < _SHORT_BELOW) & (np.round(flat, _SHORT_DIGITS) == flat)
    long = np.flatnonzero(finite & ~short)
    found[long] = [plain(each) for each in flat[long].tolist()]
    return list(found.reshape(values.shape).tolist())


def with_local_times(table: Table, timezone: str) -> Table:
    """Return a table with each column of times twice: in UTC, and as a clock of the zone shows
    them, with its offset.
    """
    if timezone == "UTC":
        return table
    zone = zone_of(timezone)
    at = [place for place in range(len(table.header)) if any(isinstance(row[place], Moment) for row in table.rows)]

    def doubled(row: Sequence[Any], local: Callable[[Any], Any]) -> list[Any]:
        return [each for place, cell in enumerate(row) for each in ((cell, local(cell)) if place in at else (cell,))]

    header = doubled(table.header, lambda name: f"{name} ({timezone})")
    return Table(header, [doubled(row, lambda cell: _local(cell, zone)) for row in table.rows])


def _local(cell: Any, zone: tzinfo) -> Any:
    if not isinstance(cell, Moment):
        return cell
    offset = zone_offset_ms(zone, cell)
    return iso_utc(cell + offset).removesuffix("Z") + offset_text(offset)


def as_csv(table: Table) -> str:
    """Return a table as CSV (RFC 4180), times in ISO 8601, what is no number left empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(table.header)
    writer.writerows([[_cell(plain(each)) for each in row] for row in table.rows])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return safe_text(value)
    return "" if value is None else value
