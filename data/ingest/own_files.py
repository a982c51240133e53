"""Riwayat's own files, as exports write them: ``timestamp_utc``, ``timestamp_local``, ``station``,
and a column a sensor.

Units stand nowhere, in the columns' names (``temperature (°C)``), or in a line beneath the header.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Final

from data.catalogue import Catalogue
from data.file_columns import OWN_COLUMNS, OWN_STATION, OWN_TIME
from data.ingest.layout import Layout, read_layout
from data.ingest.opening import opened
from data.ingest.presence import unknown_sensor
from data.ingest.profile import Profile, Rule, ValueRule
from errors import ImportRejected

_WITH_UNIT: Final = re.compile(r"(\S+) \((.+)\)")
_ANY: Final[dict[str, Rule]] = {"any": ValueRule(sensor="any")}  # a profile must name a column
_LONGEST_LINE: Final = 65_536


def named(sensor: str, unit: str) -> str:
    """The name of a sensor's column that carries its unit."""
    return f"{sensor} ({unit})"


def own_columns(columns: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """(sensor, unit) of each column but those of time, station and flag, as they are called; an
    import finds local times and flags anew.
    """
    rest = [column for column in columns if column not in OWN_COLUMNS]
    found = {column: _WITH_UNIT.fullmatch(column) for column in rest}
    return {column: (match.group(1), match.group(2)) if match else (column, None) for column, match in found.items()}


def own_profile(layout: Layout, catalogue: Catalogue) -> tuple[Profile, Layout]:
    """How such a file is read, and its layout: a line of units beneath
    the header is none of its rows, and columns of derived sensors are left out.

    Raises:
        UnknownSensor: when a column is no sensor of the catalogue.
        ImportRejected: when two columns, by different units, are of one sensor.
    """
    by_sensor: dict[str, str] = {}
    derived = {sensor.name for sensor in catalogue.derived}
    read = {column: found for column, found in own_columns(layout.columns).items() if found[0] not in derived}
    for column, (sensor, _unit) in read.items():
        if sensor not in catalogue:
            raise unknown_sensor(layout, catalogue, column, sensor)
        if by_sensor.setdefault(sensor, column) != column:
            raise ImportRejected(
                "{file}, line {line}: the columns {first} and {second} are both of {sensor}; leave one of them out.",
                file=layout.path,
                line=layout.header_line,
                first=by_sensor[sensor],
                second=column,
                sensor=sensor,
            )
    has_units = _has_units(layout)
    found = read_layout(layout.path, Profile(units_row=True, columns=_ANY)) if has_units else layout
    columns: Mapping[str, Rule] = {
        column: ValueRule(sensor=sensor, unit=_code(catalogue, sensor, unit or found.units.get(column)))
        for column, (sensor, unit) in read.items()
    }
    station = OWN_STATION if OWN_STATION in layout.columns else None
    return Profile(time=OWN_TIME, station=station, columns=dict(columns), units_row=has_units), found


def _has_units(layout: Layout) -> bool:
    """Return whether the line below the header has no time or number, but some text."""
    if layout.kind != "csv":
        return False
    with opened(layout.path) as file:
        lines = [file.stream.readline(_LONGEST_LINE) for _ in range(layout.header_lines + 1)]
    second = next(csv.reader([lines[-1].decode("utf-8", "replace")]), [])
    cells = dict(itertools.zip_longest(layout.columns, (cell.strip() for cell in second), fillvalue=""))
    units = [cells[column] for column in own_columns(layout.columns) if cells[column]]
    return len(second) == len(layout.columns) and not cells[OWN_TIME] and bool(units) and not any(map(_is_number, units))


def _code(catalogue: Catalogue, sensor: str, unit: str | None) -> str | None:
    """Return the unit as pint spells it, or as the catalogue's own that pint cannot read."""
    is_own = sensor in catalogue and catalogue[sensor].unit == unit
    return catalogue[sensor].unit_code if is_own else unit


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
