"""Reading decisions from TOML and CSV, as access/decisions/decision_text.py writes them."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from access.decisions.decision_text import COLUMNS, NUMBERS, TABLE, TIMES
from access.decisions.made_decision import MadeDecision
from access.names import is_usable
from data.decision import Decision
from data.request import parse_time
from errors import ImportRejected, InvalidRequest
from escaping import original_text

_HEADER: Final = re.compile(rf"\s*\[\[\s*{TABLE}\s*\]\]\s*(#.*)?")
_NEEDED: Final = ("station", "sensor", "kind", "from", "to", "made_by", "made")


@dataclass(frozen=True)
class ReadDecision:
    """A decision of a file, and the number of the line where it begins; 0: not known."""

    line: int
    made: MadeDecision


def read_toml(text: str) -> list[ReadDecision]:
    """Return the decisions of TOML, in their order; their series are not looked at.

    Raises:
        ImportRejected: naming the line.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ImportRejected("The file is not TOML: {why}.", why=exc) from exc
    tables = found.get(TABLE, [])
    if found.keys() - {TABLE} or not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise ImportRejected("The file must have tables [[{table}]], and nothing else.", table=TABLE)
    lines = [number for number, line in enumerate(text.split("\n"), 1) if _HEADER.fullmatch(line.rstrip("\r"))]
    if len(lines) != len(tables):  # a text of several lines has one that looks so
        lines = [0] * len(tables)
    return _in_order(list(zip(lines, tables, strict=True)))


def read_csv(text: str) -> list[ReadDecision]:
    """Return the decisions of CSV, in their order, as :func:`read_toml`.

    Raises:
        ImportRejected: naming the line.
    """
    return _in_order(list(_csv_rows(text.removeprefix("\ufeff"))))


def _in_order(found: Sequence[tuple[int, Mapping[str, Any]]]) -> list[ReadDecision]:
    """Return decisions by their numbers, or as the file has them where one has none: a spreadsheet
    may have sorted them.
    """
    read = [(_number(line, fields.get("number")), ReadDecision(line, _made(line, fields))) for line, fields in found]
    if all(number is not None for number, _ in read):
        read.sort(key=lambda one: one[0] or 0)
    return [one for _, one in read]


def _csv_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = tuple(next(rows, ()))
        if set(header) - set(COLUMNS) or len(set(header)) < len(header) or set(_NEEDED) - set(header):
            raise ImportRejected("The first line must name the columns {columns}.", columns=", ".join(COLUMNS))
        line = rows.line_num + 1
        for cells in rows:
            if cells and len(cells) != len(header):
                raise refused(line, "it has {count} cells, not {due}", count=len(cells), due=len(header))
            if cells:
                texts = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
                yield line, {name: cell if name in TIMES | NUMBERS else original_text(cell) for name, cell in texts.items()}
            line = rows.line_num + 1
    except csv.Error as exc:
        raise refused(rows.line_num, "{why}", why=exc) from exc


def refused(line: int, template: str, **params: Any) -> ImportRejected:
    """Return what is said of a line that cannot be imported; nothing of the file is."""
    reason = template.format(**params)
    if not line:
        return ImportRejected("Nothing is imported: {reason}.", reason=reason.rstrip("."))
    return ImportRejected("Nothing is imported, because of line {line}: {reason}.", line=line, reason=reason.rstrip("."))


def _made(line: int, fields: Mapping[str, Any]) -> MadeDecision:
    if unknown := fields.keys() - set(COLUMNS):
        raise refused(line, "there is no field {name}", name=sorted(unknown)[0])
    if lacking := [name for name in _NEEDED if name not in fields]:
        raise refused(line, "the field {name} is missing", name=lacking[0])
    texts = {name: _text(line, name, fields.get(name)) for name in COLUMNS if name not in TIMES | NUMBERS}
    times = {name: _time(line, name, fields.get(name)) for name in TIMES}
    filled = (texts["filled_station"], texts["filled_sensor"])
    if (filled[0] is None) != (filled[1] is None):
        raise refused(line, "filled_station and filled_sensor belong together")
    if (times["undone"] is None) != (texts["undone_by"] is None):
        raise refused(line, "undone and undone_by belong together")
    decision = Decision(
        number=0,
        station=texts["station"] or "",
        sensor=texts["sensor"] or "",
        kind=texts["kind"],  # type: ignore[arg-type]  # checked with the rest of what it says
        start_ms=times["from"] or 0,
        end_ms=times["to"] or 0,
        rule=texts["rule"],
        amount=_number(line, fields.get("amount")),
        filled_from=None if filled[0] is None or filled[1] is None else (filled[0], filled[1]),
    )
    by = texts["made_by"] or "", times["made"] or 0
    return MadeDecision(decision, texts["reason"] or "", *by, texts["undone_by"], times["undone"])


def _text(line: int, name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or (name.endswith("_by") and not is_usable(value)):
        raise refused(line, "{value} is no {name}", value=repr(value)[:40], name=name)
    return value


def _time(line: int, name: str, value: object) -> int | None:
    if value is None:
        return None
    try:
        return parse_time(value.isoformat() if isinstance(value, datetime) else str(value), "UTC", field=name)
    except InvalidRequest as exc:
        raise refused(line, exc.message) from exc


def _number(line: int, value: object) -> float | None:
    if value is None:
        return None
    try:
        if not isinstance(value, bool):
            return float(value)  # type: ignore[arg-type]  # what is no number is refused
    except (TypeError, ValueError, OverflowError):
        pass
    raise refused(line, "{value} is no number", value=repr(value)[:40])
