"""What is read from one file: its layout, a profile and the catalogue brought together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from data.catalogue import Catalogue, Sensor
from data.cells.times import TimeReader
from data.cells.units import UnitError, conversion
from data.cells.values import ValueReader, value_reader
from data.ingest.file_names import with_file_names, zone_name
from data.ingest.file_parts import Part, QualityColumn, ValueColumn, same_code
from data.ingest.layout import Layout, read_layout
from data.ingest.presence import all_there, check_names, columns_there, present, tags_beside, unknown_sensor
from data.ingest.profile import Profile, ValueRule, load_profile
from data.ingest.recognising import recognised
from errors import ImportRejected


@dataclass(frozen=True)
class FilePlan:
    """How a file is read, or a part of it with a header of its own.

    ``left_out`` are columns that nobody asked for, ``watched`` those among them that may say of
    which sensor a row is; ``notes`` are sentences on what the file says otherwise than the profile.
    """

    layout: Layout
    profile: Profile
    profile_name: str
    timezone: str
    time: TimeReader
    parts: tuple[Part, ...]
    planner: Planner
    left_out: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[ValueColumn, ...]:
        """The values of all parts."""
        return tuple(column for part in self.parts for column in part.values)

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors that the file gives."""
        return tuple(dict.fromkeys(column.sensor for column in self.values))

    @property
    def tag_columns(self) -> tuple[str, ...]:
        """The columns that say of which sensor a row is; none in a file of a column a sensor."""
        return self.profile.tall.tag if self.profile.tall else ()

    @property
    def used(self) -> tuple[str, ...]:
        """Return every column that is read, once, those taken out of others among them."""
        of_parts = [
            name
            for part in self.parts
            for name in (part.station, *(value.column for value in part.values), *(code.column for code in part.quality))
            if name is not None
        ]
        return tuple(dict.fromkeys([*self.profile.time_columns, *self.tag_columns, *of_parts, *self.profile.only]))

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return every column of the file itself that is read, once."""
        made = self.profile.made_columns
        return tuple(dict.fromkeys([*(made.get(name, name) for name in self.used), *self.watched]))


@dataclass(frozen=True)
class ImportOptions:
    """What the caller of an import asks for; None: as the profile or the file says.
    ``site_timezone``: when neither does.
    """

    profile: str | None = None
    station: str | None = None
    timezone: str | None = None
    site_timezone: str = "UTC"


@dataclass(frozen=True)
class Planner:
    """All that decides how a file is read but the file, which may have several headers."""

    catalogue: Catalogue = field(repr=False)
    profile: Profile
    name: str
    wishes: ImportOptions

    def plan(self, layout: Layout) -> FilePlan:
        """How a file of a layout is read.

        Raises:
            ImportRejected, UnknownSensor: each with file, column and what was expected.
        """
        profile = with_file_names(self.profile, layout)
        check_names(layout, profile)
        of_values = profile.columns if profile.layout == "wide" and not profile.some_columns else ()
        all_there(layout, profile, (*profile.time_columns, *of_values))
        time = profile.reader(profile.decimal or ".")
        _refuse_a_row_as_units(layout, profile, time)
        parts = self._parts(layout, profile)
        zone = zone_name(profile, layout.path, self.wishes.timezone, self.wishes.site_timezone)
        notes = tuple(_other_units(layout, self.catalogue, profile))
        plan = FilePlan(layout, profile, self.name, zone, time, parts, self, notes=notes)
        all_there(layout, profile, plan.used)
        left_out = tuple(column for column in layout.columns if column and column not in plan.wanted)
        watched = tags_beside([value.column for value in plan.values], left_out) if profile.layout == "wide" else ()
        watched = tuple(column for column in watched if layout.columns.count(column) == 1)
        return replace(plan, left_out=left_out, watched=watched)

    def _parts(self, layout: Layout, profile: Profile) -> tuple[Part, ...]:
        if profile.layout == "station_columns":
            return self._of_stations(layout, profile)
        station, name = _station(layout, profile, self.wishes)
        if profile.tall is not None:
            flags, good, parts = profile.tall.flags, frozenset(map(same_code, profile.tall.good)), []
            for tag, rule in profile.values.items():
                value = self._value(layout, profile, profile.tall.value, rule)
                judged = (QualityColumn(flags, rule.sensor, good),) if flags is not None else ()
                parts.append(Part(station, name, (value,), judged, " ".join(tag.split())))
            return tuple(parts)
        values = tuple(self._value(layout, profile, column, rule) for column, rule in present(layout, profile).items())
        given, there = {value.sensor for value in values}, columns_there(layout, profile)
        quality = tuple(
            QualityColumn(column, sensor, frozenset(map(same_code, rule.good)))
            for column, rule in profile.quality.items()
            for sensor in rule.flags
            if sensor in given and (column in there or not profile.some_columns)
        )
        return (Part(station, name, values, quality),)

    def _of_stations(self, layout: Layout, profile: Profile) -> tuple[Part, ...]:
        if self.wishes.station:
            raise ImportRejected(
                "{file} has a column for each station; --station {station} cannot hold for all of them.",
                file=layout.path,
                station=self.wishes.station,
            )
        all_there(layout, profile, profile.values)
        if not profile.values:
            all_there(layout, profile, self.profile.values)
        stations: dict[str, list[ValueColumn]] = {}
        for column, rule in profile.values.items():
            values = stations.setdefault(rule.station or column, [])
            value = self._value(layout, profile, column, rule)
            for other in values:
                if other.sensor == value.sensor:
                    raise ImportRejected(
                        "{file}, line {line}: columns {first} and {second} are both {sensor} of station {station}; expected one.",
                        file=layout.path,
                        line=layout.header_line,
                        first=other.column,
                        second=column,
                        sensor=value.sensor,
                        station=rule.station or column,
                    )
            values.append(value)
        return tuple(Part(None, name, tuple(of_station)) for name, of_station in stations.items())

    def _value(self, layout: Layout, profile: Profile, column: str, rule: ValueRule) -> ValueColumn:
        if rule.sensor not in self.catalogue.measured:
            raise unknown_sensor(layout, self.catalogue, column, rule.sensor)
        sensor = self.catalogue[rule.sensor]
        if rule.counts != "interval" and sensor.aggregation != "sum":
            raise ImportRejected(
                "{file}, column {column}: counts = {counts} is for sums such as rainfall, not for {sensor}.",
                file=layout.path,
                column=column,
                counts=repr(rule.counts),
                sensor=sensor.name,
            )
        step_ms = rule.step_s * 1000 if rule.step_s else None
        return ValueColumn(column, sensor.name, _reader(layout, profile, sensor, column, rule), rule.counts, step_ms)


def plan_file(path: Path, catalogue: Catalogue, wishes: ImportOptions) -> FilePlan:
    """Decide how a file is read. Without a profile: TOA5 by the usual names of Campbell's programs,
    CSV and Parquet as Riwayat's own (``timestamp_utc,station,<sensor>…``), else by the one bundled
    profile that fits.

    Raises:
        ImportRejected, UnknownSensor, ConfigurationError:
            each with file, column and what was expected.
    """
    if wishes.profile is not None:
        profile, name = load_profile(wishes.profile), Path(wishes.profile).stem
        layout = read_layout(path, profile, profile.header_names)
    else:
        profile, name, layout = recognised(read_layout(path), catalogue)
    return Planner(catalogue, profile, name, wishes).plan(layout)


def _reader(layout: Layout, profile: Profile, sensor: Sensor, column: str, rule: ValueRule) -> ValueReader:
    try:
        return value_reader(rule, sensor.unit_code, whole=profile, written_unit=layout.units.get(column) or None)
    except UnitError as exc:
        raise ImportRejected(
            "{file}, line {line}, column {column}: {why}.",
            file=layout.path,
            line=layout.units_line,
            column=column,
            why=exc,
        ) from exc


def _refuse_a_row_as_units(layout: Layout, profile: Profile, time: TimeReader) -> None:
    """Refuse a first row in the place of the units, which would be lost."""
    there = [layout.units.get(column, "") for column in profile.time_columns]
    if layout.units and time.read([pa.array([text]) for text in there]).present.any():
        raise ImportRejected(
            "{file}, line {line}: expected the units of the columns; there is a row of {time}. If the file has no line of units, "
            "leave units_row out of the import profile.",
            file=layout.path,
            line=layout.units_line,
            time=" ".join(there),
        )


def _other_units(layout: Layout, catalogue: Catalogue, profile: Profile) -> Iterable[str]:
    """What the file's own row of units says otherwise than the profile, which holds."""
    for column, rule in profile.values.items():
        written = layout.units.get(column)
        if not written or not rule.unit or rule.sensor not in catalogue:
            continue
        target = catalogue[rule.sensor].unit_code
        target = f"({target}) / hour" if rule.counts == "rate" else target
        try:
            same = conversion(written, target) == conversion(rule.unit, target)
        except UnitError:
            continue  # no unit at all, or one that only its maker knows
        if not same:
            yield f"column {column}: the file says {written}, the profile {rule.unit}; taken as {rule.unit}"


def _station(layout: Layout, profile: Profile, wishes: ImportOptions) -> tuple[str | None, str | None]:
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
