"""What is wrong with a mapped table, in sentences that say what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from data.source.mapped import station_bounds
from data.source.mapped.index_hint import index_statement, is_partitioned_by_time
from data.source.mapped.mapping_report import CheckedSensor, LeftOut
from data.source.mapped.reflected import ReflectedTable
from data.source.mapped.relation import RelationKind
from i18n import gettext as _
from i18n import ngettext


def index_warnings(connection: Connection, reflected: ReflectedTable) -> Iterator[str]:
    """Yield what index the table lacks, and how to make it."""
    if reflected.station_led or (reflected.time_led and not reflected.mapping.station):
        return
    sql = index_statement(connection.dialect, reflected)
    columns = ", ".join((*reflected.mapping.station, *reflected.mapping.time))
    if sql is None:
        yield _of_no_table(reflected.relation.kind).format(columns=columns)
    elif reflected.time_led:
        yield _(
            "The table is indexed by time only: loading a month of one station also reads the rows of the others. {sql}"
        ).format(sql=sql)
    elif is_partitioned_by_time(connection, reflected):
        yield _(
            "The table is partitioned by time but has no index: loading a month reads all rows of its partitions. {sql}"
        ).format(sql=sql)
    else:
        yield _("The table has no index that begins with station or time: loading a month reads all of its rows. {sql}").format(
            sql=sql
        )


def _of_no_table(kind: RelationKind) -> str:
    if kind is RelationKind.VIEW:
        return _("A view has no index; its tables should have one that begins with {columns} (names as in the view).")
    if kind is RelationKind.TABLES:
        return _("Some of the tables have no index that begins with {columns}: loading a month may read all of their rows.")
    return _("A query has no index; its tables should have one that begins with {columns} (names as in the query).")


def name_warnings(reflected: ReflectedTable) -> Iterator[str]:
    """Yield what a table of names lacks."""
    names, keys = reflected.mapping.names, reflected.keys
    if names is None or keys is None:
        return
    lacking = [tag for sensor in reflected.mapping.sensors for tag in sensor.places if tag not in keys]
    if lacking:
        yield _("names: {table} has no {column} {tags}.").format(table=names.table, column=names.name, tags=", ".join(lacking))


def station_warnings(reflected: ReflectedTable, found: Sequence[station_bounds.Bounds]) -> Iterator[str]:
    """Yield which stations have no row with a time."""
    timed = {name for name, _first, _last in station_bounds.spans(found)}
    if not timed:
        yield _("No station has a row with a readable time: check where, time_format and time_unit.")
        return
    lacking = [name for name in reflected.mapping.stations if name not in timed]
    if lacking:
        yield _("stations: no row with a time is of {names}.").format(names=", ".join(lacking))
    hidden = [each.name for each in found if each.span is None and each.unreadable != 0 and each.name not in lacking]
    if hidden:
        yield _("These stations are left out, because none of their times can be read: {names}.").format(names=", ".join(hidden))


def row_warnings(left_out: LeftOut, expected: str) -> Iterator[str]:
    """Yield how many rows are left out, and why; ``expected`` is how a time is to be written."""
    if left_out.null_times:
        count = left_out.null_times
        yield ngettext(
            "{count} row has no time (NULL) and is left out.", "{count} rows have no time (NULL) and are left out.", count
        ).format(count=count)
    if left_out.unreadable_times:
        count = left_out.unreadable_times
        yield ngettext(
            "{count} row has a time that cannot be read, such as a zero date, and is left out; expected {expected}.",
            "{count} rows have times that cannot be read, such as zero dates, and are left out; expected {expected}.",
            count,
        ).format(count=count, expected=expected)
    if left_out.misplaced:
        count = left_out.misplaced
        yield ngettext(
            "{count} row is left out: its time does not begin with a full date as in ISO 8601 or "
            "time_format (2024-01-05, not 2024-1-5). A query can rewrite it.",
            "{count} rows are left out: their times do not begin with a full date as in ISO 8601 or "
            "time_format (2024-01-05, not 2024-1-5). A query can rewrite them.",
            count,
        ).format(count=count)
    if left_out.null_stations:
        count = left_out.null_stations
        yield ngettext(
            "{count} row names no station (NULL) and is left out.",
            "{count} rows name no station (NULL) and are left out.",
            count,
        ).format(count=count)


def value_warnings(reflected: ReflectedTable, duplicates: int, sensors: Sequence[CheckedSensor]) -> Iterator[str]:
    """Yield what is odd in the values of the month that was read."""
    if duplicates and reflected.order:
        yield ngettext(
            "{count} row in that month has a duplicate time; the one with the greatest {column} is used.",
            "{count} rows in that month have duplicate times; the one with the greatest {column} is used.",
            duplicates,
        ).format(count=duplicates, column=reflected.order)
    elif duplicates:
        yield ngettext(
            "{count} row in that month has a duplicate time; the last one that the database returns is used.",
            "{count} rows in that month have duplicate times; the last one that the database returns is used.",
            duplicates,
        ).format(count=duplicates)
    expected = {sensor.name: sensor.reader.expected for sensor in reflected.mapping.sensors}
    for each in sensors:
        if each.flagged > each.values / 2:
            yield _("{sensor}: {flagged} of {values} values are flagged; is the unit right?").format(
                sensor=each.sensor, flagged=each.flagged, values=each.values
            )
        if each.bad:
            yield ngettext(
                "{sensor}: {count} value of that month cannot be read and is left out; expected {expected}.",
                "{sensor}: {count} values of that month cannot be read and are left out; expected {expected}.",
                each.bad,
            ).format(sensor=each.sensor, count=each.bad, expected=expected[each.sensor])
        if not each.values:
            yield _("{sensor}: no value in that month.").format(sensor=each.sensor)
