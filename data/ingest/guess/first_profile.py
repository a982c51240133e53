"""A first profile for a file that nobody has described yet, as TOML with comments,
for a person to correct.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.catalogue import Catalogue
from data.cells.numerals import parse_number
from data.cells.sensor_synonyms import meaning
from data.cells.values import trimmed
from data.ingest.chunks import read_chunks
from data.ingest.guess.sniffing import BLANK, Sniffed, sniff
from data.ingest.guess.time_guess import TimeGuess, guess_time
from data.ingest.guess.value_guess import ColumnGuess, guess_decimal, guess_values
from data.ingest.layout import Layout, read_layout
from errors import ImportRejected

_SAMPLE_ROWS = 2000
_SEARCHED_LINES = 200  # in which an import looks for a header by itself
_SAMPLE_STATIONS = 100
_STATIONS = (
    "station", "# stn", "stn", "stations_id", "station_name", "station name", "stationname",
    "stasiun", "nama_stasiun", "nama_group", "site", "site_no", "logger", "device", "group",
    "location", "lokasi", "pos", "wmo", "origin", "id_station", "nama", "name", "id",
)  # fmt: skip
_TAGS = (
    "entity_id",
    "tag",
    "nama_tag",
    "parameter",
    "variable",
    "_field",
    "sensor",
    "channel",
    "point",
    "series",
    "metric",
    "key",
)
_VALUES = ("state", "value", "_value", "nilai", "nilai_tag", "val", "reading", "mean")


@dataclass(frozen=True)
class FileSample:
    """What a file shows: some rows as texts by column, and the keys that its layout needs."""

    columns: Mapping[str, Sequence[str]]
    units: Mapping[str, str]
    keys: Mapping[str, Any]
    delimiter: str = ","
    station_name: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Guess:
    """What a file seems to be.

    ``left``: why columns with a sensor's name are not read.
    ``others``: columns of which nothing is known.
    """

    sample: FileSample
    time: TimeGuess
    keys: Mapping[str, Any]
    unclear: Sequence[str]
    station: str | None
    tall: tuple[str, str] | None
    values: Sequence[ColumnGuess]
    left: Mapping[str, str]
    others: Sequence[str]


def guess(path: Path, catalogue: Catalogue) -> Guess:
    """Look at a file, and guess what it is.

    Raises:
        ImportRejected: when the file is no table, or no column of it can be the time or a sensor.
    """
    sample = _read_sample(path)
    decimal, thousands, unclear = guess_decimal([cell for column in sample.columns.values() for cell in column], sample.delimiter)
    time = guess_time(sample.columns, decimal)
    names = ", ".join(sample.columns)
    if time is None:
        raise _refusal(
            path,
            sample,
            ImportRejected("{file}: no column looks like a time; its columns: {columns}.", file=path, columns=names),
        )
    rest = {name: column for name, column in sample.columns.items() if name not in time.taken}
    station, tall = _column_of(_STATIONS, rest), _tall(rest)
    cells = {name: column for name, column in rest.items() if name != station} if tall is None else _by_tag(rest, *tall)
    values, left = guess_values(cells, sample.units, catalogue, decimal, thousands)
    if not values:
        unnamed = ImportRejected(
            "{file}: no column has the name of a sensor; its columns: {columns}. Write a profile that "
            'names them (where each column is a station: layout = "station_columns").',
            file=path,
            columns=names,
        )
        raise _refusal(path, sample, unnamed)
    keys = {**sample.keys, **({"decimal": decimal} if decimal != "." else {}), **({"thousands": thousands} if thousands else {})}
    taken = {station, *(each.column for each in values), *left}
    others = {name: column for name, column in cells.items() if name not in taken}
    if station is None and tall is None:
        unclear = (*unclear, *_one_place(time, others))
    return Guess(sample, time, keys, unclear, station, tall, values, left, list(others))


def _refusal(path: Path, sample: FileSample, otherwise: ImportRejected) -> ImportRejected:
    """What is said of a file in which nothing can be guessed: that it has no header, or else."""
    if sample.keys.get("header") is not False:
        return otherwise
    return ImportRejected(
        "{file} has no header line, so its columns are unknown; its first row: {row}. Write a profile "
        "with header = false and names.",
        file=path,
        row=", ".join(column[0] for column in sample.columns.values()),
    )


def _one_place(time: TimeGuess, others: Mapping[str, Sequence[str]]) -> list[str]:
    """What may be said against all rows being of one station, each of a time of its own."""
    texts = [name for name, cells in others.items() if all(cells) and not any(parse_number(cell) is not None for cell in cells)]
    if time.repeats:
        hint = f"is {' or '.join(texts)} the station?" if texts else "does a part of the time stand in another column?"
        return [f"rows repeat a time, and of those the last is stored: {hint}"]
    several = [name for name in texts if 1 < len(set(others[name])) <= _SAMPLE_STATIONS]
    return [f"is {' or '.join(several)} the station?"] if several else []


def _read_sample(path: Path) -> FileSample:
    try:
        layout = read_layout(path)
    except ImportRejected:
        layout = None
    if layout is not None and layout.kind != "csv":
        return _sample_of_known(layout)
    return _sample_of_text(sniff(path))


def _sample_of_known(layout: Layout) -> FileSample:
    names = list(dict.fromkeys(layout.columns))
    columns: dict[str, list[str]] = {name: [] for name in names}
    for chunk in read_chunks(layout, names):
        for name in names:
            columns[name] += trimmed(chunk.columns[name]).to_pylist()
        if len(columns[names[0]]) >= _SAMPLE_ROWS:
            break
    sample = {name: column[:_SAMPLE_ROWS] for name, column in columns.items()}
    return FileSample(sample, layout.units, {}, station_name=layout.station_name)


def _sample_of_text(sniffed: Sniffed) -> FileSample:
    keys: dict[str, Any] = {}
    notes: dict[str, str] = {}
    if sniffed.encoding != "utf-8":
        keys["encoding"] = sniffed.encoding
        notes["encoding"] = "it is no utf-8"
    if sniffed.delimiter != ",":
        keys["delimiter"] = sniffed.delimiter
    if sniffed.comment:
        keys["comment"] = sniffed.comment
    if sniffed.skipped and (not sniffed.header or sniffed.skipped >= _SEARCHED_LINES):
        keys["skip_rows"] = sniffed.skipped  # else the header is found by the names of its time
    keys |= _header_keys(sniffed)
    if sniffed.longer:
        keys["extra_fields"] = "ignore"
        notes["extra_fields"] = f"{sniffed.longer} rows of the first ones have more fields than the header"
    if sniffed.shorter:
        keys["short_rows"] = "missing"
        notes["short_rows"] = f"{sniffed.shorter} rows of the first ones have fewer fields than the header"
    rows = sniffed.rows[:: len(sniffed.rows) // _SAMPLE_ROWS + 1]  # from all of a sample, and not too many
    at = {name: number for number, name in reversed(list(enumerate(sniffed.names))) if name}
    columns = {name: [row[at[name]] for row in rows] for name in sniffed.names if name}
    units = {name: unit for name, unit in zip(sniffed.names, sniffed.units or (), strict=False) if unit}
    return FileSample(columns, units, keys, " " if sniffed.delimiter == BLANK else sniffed.delimiter, notes=notes)


def _header_keys(sniffed: Sniffed) -> dict[str, Any]:
    if not sniffed.header:
        return {"header": False, "names": list(sniffed.names)}
    rows = {"header_rows": len(sniffed.header)} if len(sniffed.header) > 1 else {}
    return {**rows, **({"units_row": True} if sniffed.units is not None else {})}


def _column_of(known: Sequence[str], columns: Mapping[str, Sequence[str]]) -> str | None:
    """The column that has one of these names, and a text in every row."""
    for word in known:
        for name, cells in columns.items():
            if name.strip().lower() == word and cells and all(cells):
                return name
    return None


def _tall(columns: Mapping[str, Sequence[str]]) -> tuple[str, str] | None:
    """The columns of tag and value, where a row is one value of one sensor."""
    tag, value = _column_of(_TAGS, columns), next((name for name in columns if name.lower() in _VALUES), None)
    if tag is None or value is None or not any(meaning(each) for each in set(columns[tag])):
        return None
    return tag, value


def _by_tag(columns: Mapping[str, Sequence[str]], tag: str, value: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, cell in zip(columns[tag], columns[value], strict=True):
        found.setdefault(name, []).append(cell)
    return found
