"""What is read from one file: its layout, a profile and the catalogue brought together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from data.catalogue import Catalogue, Sensor
from data.ingest import receiver
from data.ingest.layout import Layout, read_layout
from data.ingest.parsing import parse_number
from data.ingest.profile import SITE_ZONE, Counts, Profile, ValueRule, bundled_profiles, load_profile
from data.ingest.units import UNCHANGED, Conversion, UnitError, conversion
from errors import ImportRejected, UnknownSensor

OWN_TIME = "timestamp_utc"
OWN_STATION = "station"
TOA5_PROFILE = "campbell_toa5"


@dataclass(frozen=True)
class ValueColumn:
    """A column of values; ``step_ms`` only where a rate's interval is given."""

    column: str
    sensor: str
    convert: Conversion
    counts: Counts = "interval"
    step_ms: float | None = None


@dataclass(frozen=True)
class QualityColumn:
    """A column of quality codes; ``good`` as text, numbers in one spelling."""

    column: str
    sensor: str
    good: frozenset[str]


@dataclass(frozen=True)
class FilePlan:
    """``station`` is a column, else ``station_name`` holds; ``left_out`` are columns that nobody asked for."""

    layout: Layout
    profile: Profile
    profile_name: str
    timezone: str
    station: str | None
    station_name: str | None
    values: tuple[ValueColumn, ...]
    quality: tuple[QualityColumn, ...]
    left_out: tuple[str, ...]

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors that the file gives."""
        return tuple(column.sensor for column in self.values)

    @property
    def judged(self) -> tuple[str, ...]:
        """The sensors for which the file carries quality codes."""
        return tuple(dict.fromkeys(column.sensor for column in self.quality))

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column that is read, once."""
        station = [self.station] if self.station else []
        values, quality = ([column.column for column in columns] for columns in (self.values, self.quality))
        return tuple(dict.fromkeys([*self.profile.time_columns, *station, *values, *quality]))


@dataclass(frozen=True)
class Wishes:
    """What the caller of an import asks for; None: as the profile or the file says. ``site_timezone``: when neither does."""

    profile: str | None = None
    station: str | None = None
    timezone: str | None = None
    site_timezone: str = "UTC"


def plan_file(path: Path, catalogue: Catalogue, wishes: Wishes) -> FilePlan:
    """Decide how a file is read. Without a profile: TOA5 by the usual names of Campbell's programs, CSV and Parquet as Riwayat's
    own (``timestamp_utc,station,<sensor>…``), else by the one bundled profile that fits.

    Raises:
        ImportRejected, UnknownSensor, ConfigurationError: each with file, column and what was expected.
    """
    if wishes.profile is not None:
        profile, name = load_profile(wishes.profile), Path(wishes.profile).stem
        layout = _layout(path, profile)
    else:
        layout = read_layout(path)
        profile, name, layout = _recognise(layout, catalogue)
    _no_doubles(layout, profile)
    values = tuple(_value(layout, catalogue, column, rule) for column, rule in _present(layout, profile).items())
    given = {value.sensor for value in values}
    quality = tuple(
        QualityColumn(column, rule.flags, frozenset(same_code(code) for code in rule.good))
        for column, rule in profile.quality.items()
        if rule.flags in given
    )
    station, station_name = _station(layout, profile, wishes)
    _all_there(layout, profile, (*profile.time_columns, *([station] if station else []), *(q.column for q in quality)))
    zone = wishes.timezone or (wishes.site_timezone if profile.timezone == SITE_ZONE else profile.timezone)
    plan = FilePlan(layout, profile, name, zone, station, station_name, values, quality, ())
    left_out = tuple(column for column in layout.columns if column not in plan.wanted)
    return FilePlan(layout, profile, name, zone, station, station_name, values, quality, left_out)


def same_code(code: object) -> str:
    """A quality code in one spelling: 0, 0.0 and "00" are the same."""
    text = str(code).strip()
    number = parse_number(text)
    return text if number is None else repr(float(number))


def _layout(path: Path, profile: Profile) -> Layout:
    return read_layout(path, delimiter=profile.delimiter, encoding=profile.encoding, skip_rows=profile.skip_rows)


def _recognise(layout: Layout, catalogue: Catalogue) -> tuple[Profile, str, Layout]:
    if layout.kind == "toa5":
        return load_profile(TOA5_PROFILE), TOA5_PROFILE, layout
    if layout.kind == "json":
        return _receiver(catalogue), "receiver", layout
    rest = [column for column in layout.columns if column not in {OWN_TIME, OWN_STATION}]
    if OWN_TIME in layout.columns and any(column in catalogue for column in rest):
        return _own(layout, catalogue, rest), "own", layout
    fitting = []
    for name, path in bundled_profiles().items():
        profile = load_profile(path)
        candidate = layout if layout.kind == "parquet" else _layout(layout.path, profile)
        needed = {*profile.time_columns, *profile.columns, *([profile.station] if profile.station else [])}
        if not profile.some_columns and needed <= set(candidate.columns):
            fitting.append((profile, name, candidate))
    if len(fitting) == 1:
        return fitting[0]
    raise ImportRejected(
        "{file}, {place} {line}: not a file that Riwayat knows by itself; expected columns {expected}, or a --profile (a TOML "
        "file or one of {known}). The file's columns: {columns}.",
        file=layout.path,
        place=layout.place,
        line=max(layout.header_lines, 1),
        expected=f"{OWN_TIME}, {OWN_STATION} and sensors ({', '.join(sensor.name for sensor in catalogue)})",
        known=", ".join(bundled_profiles()),
        columns=", ".join(layout.columns),
    )


def _own(layout: Layout, catalogue: Catalogue, columns: list[str]) -> Profile:
    for column in columns:
        if column not in catalogue:
            raise _unknown_sensor(layout, catalogue, column, column)
    station = OWN_STATION if OWN_STATION in layout.columns else None
    return Profile(time=OWN_TIME, station=station, columns={column: ValueRule(sensor=column) for column in columns})


def _receiver(catalogue: Catalogue) -> Profile:
    """What gateways post: keys that are no sensor are left out and listed."""
    columns = {sensor.name: ValueRule(sensor=sensor.name) for sensor in catalogue}
    return Profile(time=receiver.TIME, timezone=SITE_ZONE, station=receiver.STATION, some_columns=True, columns=columns)


def _no_doubles(layout: Layout, profile: Profile) -> None:
    station = [profile.station] if profile.station else []
    for column in (*profile.time_columns, *station, *profile.columns):
        if layout.columns.count(column) > 1:
            raise ImportRejected(
                "{file}, line {line}: there are two columns {column}; each column that is read must be there once.",
                file=layout.path,
                line=layout.header_lines,
                column=column,
            )


def _present(layout: Layout, profile: Profile) -> Mapping[str, ValueRule]:
    """The value columns to read: all of the profile's; with ``some_columns`` the first one there of each sensor."""
    if not profile.some_columns:
        _all_there(layout, profile, profile.columns)
        return profile.values
    chosen: dict[str, str] = {}
    for column, rule in profile.values.items():
        if column in layout.columns:
            chosen.setdefault(rule.sensor, column)
    if not chosen:
        _all_there(layout, profile, profile.values)
    return {column: profile.values[column] for column in chosen.values()}


def _all_there(layout: Layout, profile: Profile, columns: Iterable[str]) -> None:
    missing = [column for column in columns if column not in layout.columns]
    if missing:
        raise ImportRejected(
            "{file}, {place} {line}: column {column} is missing; expected it beside {columns}. "
            "The delimiter is {delimiter}; the import profile may set another.",
            file=layout.path,
            place=layout.place,
            line=max(layout.header_lines - (2 if layout.kind == "toa5" else 0), 1),
            column=", ".join(missing),
            columns=", ".join(layout.columns),
            delimiter=repr(profile.delimiter),
        )


def _value(layout: Layout, catalogue: Catalogue, column: str, rule: ValueRule) -> ValueColumn:
    if rule.sensor not in catalogue:
        raise _unknown_sensor(layout, catalogue, column, rule.sensor)
    sensor = catalogue[rule.sensor]
    if rule.counts != "interval" and sensor.aggregation != "sum":
        raise ImportRejected(
            "{file}, column {column}: counts = {counts} is for sums such as rainfall, not for {sensor}.",
            file=layout.path,
            column=column,
            counts=repr(rule.counts),
            sensor=sensor.name,
        )
    step_ms = rule.step_s * 1000 if rule.step_s else None
    return ValueColumn(column, sensor.name, _conversion(layout, sensor, column, rule), rule.counts, step_ms)


def _conversion(layout: Layout, sensor: Sensor, column: str, rule: ValueRule) -> Conversion:
    unit = rule.unit or layout.units.get(column)
    if not unit:
        return UNCHANGED
    try:
        return conversion(unit, f"({sensor.unit_code}) / hour" if rule.counts == "rate" else sensor.unit_code)
    except UnitError as exc:
        raise ImportRejected(
            "{file}, line {line}, column {column}: {why}.",
            file=layout.path,
            line=3 if layout.kind == "toa5" else max(layout.header_lines, 1),
            column=column,
            why=exc,
        ) from exc


def _station(layout: Layout, profile: Profile, wishes: Wishes) -> tuple[str | None, str | None]:
    if wishes.station:
        return None, wishes.station
    if profile.station is not None:
        return profile.station, None
    name = profile.station_name or layout.station_name
    if name is None:
        raise ImportRejected(
            "{file} does not name its station; give --station NAME, or station or station_name in the import profile.",
            file=layout.path,
        )
    return None, name


def _unknown_sensor(layout: Layout, catalogue: Catalogue, column: str, sensor: str) -> UnknownSensor:
    return UnknownSensor(
        "{file}, line {line}, column {column}: the catalogue has no sensor {sensor}; it has {known}. Add a table [{sensor}] to "
        "the sensor catalogue (setting RIWAYAT_SENSORS, see docs/importing.md), or leave the column out with an import profile.",
        field="sensors",
        file=layout.path,
        line=max(layout.header_lines, 1),
        column=column,
        sensor=sensor,
        known=", ".join(entry.name for entry in catalogue),
    )
