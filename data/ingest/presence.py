"""Whether a file has the columns that a profile names, each once,
and whether others say of which sensor a row is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from data.catalogue import Catalogue
from data.ingest.layout import Layout
from data.ingest.profile import Profile, ValueRule
from errors import ImportRejected, UnknownSensor

# Words of names that say only that there is a value, and of names that say of which sensor,
# in the usual languages.
_VALUE = {
    "value", "values", "val", "state", "reading", "measurement", "measured", "result", "raw", "num", "numeric", "double", "float",
    "sensor", "tag", "mean", "nilai", "wert", "messwert", "valeur", "valor", "waarde", "varde",
}  # fmt: skip
_TAG = {
    "tag", "tagname", "tagid", "entity", "sensor", "sensorid", "parameter", "param", "variable", "field", "measurement", "metric",
    "item", "itemid", "series", "attribute", "channel", "kanal", "quantity", "element", "property", "statistic", "topic", "unit",
    "units",
}  # fmt: skip
_TAG_ALONE = {"name", "key", "point", "id", "type", "kind", "nama", "typ", "code"}
_SPLIT = re.compile(r"[^a-z0-9]+")


def check_names(layout: Layout, profile: Profile) -> None:
    """Each column that is read is there once, and none is made that is there."""
    station = [profile.station] if profile.station else []
    columns = [*layout.columns, *(name for rule in profile.split.values() for name in rule.columns if name)]
    for column in (*profile.time_columns, *station, *profile.value_columns, *profile.split, *profile.made_columns):
        if columns.count(column) > 1:
            raise ImportRejected(
                "{file}, line {line}: there are two columns {column}; each column that is read must be there once.",
                file=layout.path,
                line=layout.header_line,
                column=column,
            )
    all_there(layout, profile, profile.split)


def present(layout: Layout, profile: Profile) -> Mapping[str, ValueRule]:
    """The value columns to read: all of the profile's;
    with ``some_columns`` the first one there of each sensor.
    """
    if not profile.some_columns:
        return profile.values
    chosen: dict[str, str] = {}
    there = columns_there(layout, profile)
    for column, rule in profile.values.items():
        if column in there:
            chosen.setdefault(rule.sensor, column)
    if not chosen:
        all_there(layout, profile, profile.values)
    return {column: profile.values[column] for column in chosen.values()}


def all_there(layout: Layout, profile: Profile, columns: Iterable[str]) -> None:
    """Refuse a file that lacks columns.

    Raises:
        ImportRejected: naming all that are missing.
    """
    there = columns_there(layout, profile)
    missing = [column for column in columns if column not in there]
    if missing:
        raise ImportRejected(
            "{file}, {place} {line}: column {column} is missing; expected it beside {columns}. "
            "The delimiter is {delimiter}; the import profile may set another.",
            file=layout.path,
            place=layout.place,
            line=layout.header_line,
            column=", ".join(missing),
            columns=", ".join(layout.columns),
            delimiter=repr(profile.delimiter),
        )


def columns_there(layout: Layout, profile: Profile) -> set[str]:
    """The file's own columns, and those taken out of them."""
    return {*layout.columns, *profile.made_columns}


def unknown_sensor(layout: Layout, catalogue: Catalogue, column: str, sensor: str) -> UnknownSensor:
    """The refusal of a sensor that the catalogue lacks, or computes itself."""
    if sensor in catalogue:
        return UnknownSensor(
            "{file}, line {line}, column {column}: {sensor} is computed by a formula of the catalogue, so it cannot be imported. "
            "Leave the column out with an import profile, or import it as another sensor.",
            field="sensors",
            file=layout.path,
            line=layout.header_line,
            column=column,
            sensor=sensor,
        )
    return UnknownSensor(
        "{file}, line {line}, column {column}: the catalogue has no sensor {sensor}; it has {known}. Add a table [{sensor}] to "
        "the sensor catalogue (setting RIWAYAT_SENSORS, see docs/importing.md), or leave the column out with an import profile.",
        field="sensors",
        file=layout.path,
        line=layout.header_line,
        column=column,
        sensor=sensor,
        known=", ".join(entry.name for entry in catalogue.measured),
    )


def tags_beside(values: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Those of the other columns that may say of which sensor a row is;
    none where the values' own names say that.
    """
    if not any(_words(name) <= _VALUE for name in values):
        return ()
    return tuple(name for name in others if _words(name) & _TAG or _words(name) <= _TAG_ALONE)


def _words(name: str) -> set[str]:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return {word for word in _SPLIT.split(apart.lower()) if word}
