"""Which rows of a table are wanted, and in which order: texts of a query string or of a field,
read once. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from data.arrays import Bools, Floats
from data.catalogue import Sensor
from data.export.table import RowBlock
from errors import InvalidRequest

Flags = Literal["all", "hidden", "only"]
FLAGS: Final[tuple[Flags, ...]] = get_args(Flags)
TIME: Final = "time"

_NUMBER: Final = r"[+-]?\d+(?:[.,]\d+)?(?:e[+-]?\d+)?"
_CONDITION: Final = re.compile(
    rf"\s*(?P<column>\S.*?)\s*(?:(?P<op>>=|<=|>|<|=)\s*(?P<number>{_NUMBER})|\bbetween\s+(?P<low>{_NUMBER})\s+and\s+(?P<high>{_NUMBER}))"
    r"\s*(?:\band\b|$)",
    re.IGNORECASE,
)
_COMPARISONS: Final[Mapping[str, Callable[[Floats, float, float], Bools]]] = {
    ">": lambda values, low, _: values > low,
    ">=": lambda values, low, _: values >= low,
    "<": lambda values, low, _: values < low,
    "<=": lambda values, low, _: values <= low,
    "=": lambda values, low, _: values == low,
    "between": lambda values, low, high: (values >= low) & (values <= high),
}
_EXAMPLE: Final = "temperature > 30"
_LONGEST: Final = 200  # characters
_SHOWN: Final = 12  # names that an error lists


@dataclass(frozen=True)
class RowCondition:
    """A row fits where one of ``columns`` has a value for which the comparison is true;
    ``between`` is of ``low`` and ``high``, both included.
    """

    columns: tuple[int, ...]
    op: str
    low: float
    high: float

    def fits(self, rows: RowBlock) -> Bools:
        """Return which rows fit, bool[n]."""
        values = rows.values[list(self.columns)]  # NaN fits nothing
        return _any(_COMPARISONS[self.op](values, self.low, self.high))


@dataclass(frozen=True)
class RowQuestion:
    """``flags``: all values, those without a flag, or only rows with one; ``conditions`` that a row
    fits, all of them; ``sort`` is the number of a column, None: by time.
    """

    flags: Flags = "all"
    conditions: tuple[RowCondition, ...] = ()
    sort: int | None = None
    descending: bool = False

    @property
    def is_whole(self) -> bool:
        """Return whether every row is wanted as it is."""
        return self.flags == "all" and not self.conditions

    def wanted(self, rows: RowBlock) -> RowBlock:
        """Return the rows that are wanted, and of these what is."""
        if self.flags == "hidden" and rows.flagged.any():
            values = np.where(rows.flagged, np.nan, rows.values)
            rows = RowBlock(rows.times, values, np.zeros_like(rows.flagged)).take(_any(~np.isnan(values)))
        if self.flags == "only":
            rows = rows.take(_any(rows.flagged))
        for condition in self.conditions:
            rows = rows.take(condition.fits(rows))
        return rows


def read_question(
    flags: Flags, where: str, sort: str, series: Sequence[tuple[str, str]], sensors: Mapping[str, Sensor]
) -> RowQuestion:
    """Return what is asked of a table with the columns ``series``, each a station and a sensor.

    ``where`` is like ``temperature > 30``, ``JFK temperature between 20 and 30``, several joined by
    ``and``; a column is named by its sensor (of every station) or by station and sensor, a sensor
    by its name or a label. ``sort`` is ``time`` or a column, with ``-`` before it the other way.

    Raises:
        InvalidRequest: ``where`` or ``sort`` cannot be read, or names no column.
    """
    columns = _columns(series, sensors)
    name = sort.strip().removeprefix("-")
    found = None if name in ("", TIME) else _column(columns, name, series, "sort")
    if found is not None and len(found) > 1:
        raise InvalidRequest(
            "Several stations have {column}; name one, like {example}.", field="sort", column=name, example=_name(series[0])
        )
    return RowQuestion(flags, _conditions(columns, where, series), found[0] if found else None, sort.strip().startswith("-"))


def missing_columns(
    names: Iterable[str], series: Sequence[tuple[str, str]], sensors: Mapping[str, Sensor]
) -> list[tuple[str, str]]:
    """Return those names that are of no column of ``series`` and yet of a sensor: station, as it is
    written ("" where none is), and sensor.
    """
    columns = _columns(series, sensors)
    words = {_plain(text): name for name, sensor in sensors.items() for text in (name, *sensor.labels.values())}
    found = []
    for text in (" ".join(name.split()) for name in names if _plain(name) not in columns):
        ends = [word for word in words if f" {text}".casefold().endswith((f" {word}", f"/{word}"))]
        if ends:
            longest = max(ends, key=len)
            found.append((text[: -len(longest)].rstrip(" /"), words[longest]))
    return found


def filter_columns(where: str) -> list[str]:
    """Return what a filter names its columns, if it can be read."""
    return [match["column"] for match in _CONDITION.finditer(where)]


def _conditions(
    columns: Mapping[str, tuple[int, ...]], where: str, series: Sequence[tuple[str, str]]
) -> tuple[RowCondition, ...]:
    found, at = [], 0
    text = " ".join(where.split())  # many blanks would be looked at many times
    if len(text) > _LONGEST:
        raise _unreadable(text)
    while at < len(text):
        match = _CONDITION.match(text, at)
        if match is None:
            raise _unreadable(text)
        low, high = (_number(match[name]) for name in ("low", "high"))
        number = _number(match["number"])
        place = _column(columns, match["column"], series, "where")
        found.append(
            RowCondition(place, match["op"], number, number) if match["op"] else RowCondition(place, "between", low, high)
        )
        at = match.end()
    return tuple(found)


def _unreadable(text: str) -> InvalidRequest:
    return InvalidRequest(
        "Cannot read the filter {text}. Write it like {example}.", field="where", text=repr(text[:80]), example=_EXAMPLE
    )


def _number(text: str | None) -> float:
    return float(text.replace(",", ".")) if text else float("nan")


def _columns(series: Sequence[tuple[str, str]], sensors: Mapping[str, Sensor]) -> dict[str, tuple[int, ...]]:
    """Return the numbers of columns by each text that names them."""
    found: dict[str, tuple[int, ...]] = {}
    for number, (station, sensor) in enumerate(series):
        for name in dict.fromkeys((sensor, *sensors[sensor].labels.values())):
            for text in (name, f"{station} {name}", f"{station}/{name}"):
                key = _plain(text)
                found[key] = (*found.get(key, ()), number)
    return found


def _column(columns: Mapping[str, tuple[int, ...]], text: str, series: Sequence[tuple[str, str]], field: str) -> tuple[int, ...]:
    found = columns.get(_plain(text))
    if not found:
        known = ", ".join(dict.fromkeys(sensor for _, sensor in series[:_SHOWN]))
        raise InvalidRequest("There is no column {column}; there is {known}.", field=field, column=text[:80], known=known)
    return tuple(dict.fromkeys(found))


def _any(cells: Bools) -> Bools:
    """Return which rows have some cell."""
    return np.asarray(cells.any(axis=0), bool)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _name(column: tuple[str, str]) -> str:
    return "/".join(column)
