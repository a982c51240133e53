"""When each sensor of a station has its first and its last value:
told from what is written, and measured where it was lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Engine, Table, inspect, select, update

from data.arrays import Floats, Integers
from data.database.tables import OWN_SOURCE, station_inventory, table_of

Span = tuple[int, int]  # first and last time, int ms UTC, both included
Spans = Mapping[str, Span | None]  # by sensor; None: not known
NOWHERE: Final = (1, 0)  # the span of what has no value


def spans_of(sensors: Sequence[str], times: Integers, values: Floats) -> dict[str, Span]:
    """Return the span (ms UTC) of each sensor that has a value.

    ``times``: int64[n] ms UTC, sorted; ``values``: float64[n, sensors], NaN where missing.
    """
    found = {}
    for number, name in enumerate(sensors):
        there = np.isfinite(values[:, number])
        if there.any():
            found[name] = (int(times[there.argmax()]), int(times[len(times) - 1 - there[::-1].argmax()]))
    return found


def hull(spans: Iterable[Span]) -> Span | None:
    """Return the span from the first to the last of some;
    None where each is empty (its first later than its last) or there is none.
    """
    some = [span for span in spans if span[0] <= span[1]]
    return (min(first for first, _ in some), max(last for _, last in some)) if some else None


def meet(one: Span, other: Span) -> Span:
    """Return the intersection of two spans; its first is after its last where it is empty."""
    return max(one[0], other[0]), min(one[1], other[1])


def merged(known: Spans, more: Spans) -> dict[str, Span | None]:
    """What is known with what is new: spans grow,
    and what is not known of one that was there before stays so.
    """
    found = dict(known)
    for name, span in more.items():
        before = known.get(name)
        if name not in known or (before is not None and span is not None):
            found[name] = hull([*([before] if before else []), *([span] if span else [])])
    return found


def parse_spans(text: str) -> dict[str, Span | None]:
    """Return the spans by sensor from the JSON that the table ``station_inventory`` keeps."""
    return read_spans(json.loads(text))


def read_spans(found: Any) -> dict[str, Span | None]:
    """Return spans from parsed JSON; before spans were kept, that was a list of names."""
    if isinstance(found, list):
        return dict.fromkeys(found)
    return {name: (span[0], span[1]) if span else None for name, span in found.items()}


def dump_spans(spans: Spans) -> str:
    """The inverse of :func:`parse_spans`."""
    return json.dumps(dict(sorted(spans.items())))


def measure_unknown(engine: Engine) -> None:
    """Find the spans in the own table that the inventory does not know,
    since an older version wrote it; else nothing is done.
    """
    columns, here = station_inventory.c, station_inventory.c.source == OWN_SOURCE
    with engine.connect() as connection:
        rows = connection.execute(select(columns.station, columns.sensors).where(here)).all()
    unknown = [station for station, text in rows if None in parse_spans(text).values()]
    names = [str(column["name"]) for column in inspect(engine).get_columns("observation")] if unknown else []
    table = table_of(name for name in names if name not in {"station", "time"})
    for station in unknown:
        of = (here, columns.station == station)
        with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            text = connection.execute(select(columns.sensors).where(*of).with_for_update()).scalar()
            known = parse_spans(text or "{}")
            found = measure(connection, table, station, {name: None for name, span in known.items() if span is None})
            sure = {name: span for name, span in known.items() if span is not None}
            connection.execute(update(station_inventory).where(*of).values(sensors=dump_spans(sure | found)))


def measure(connection: Connection, table: Table, station: str, within: Spans) -> dict[str, Span | None]:
    """Measure when each sensor of the own table had values; without those that never had one.

    ``within``: the sensors, and where their values can lie at most (None: anywhere). The index
    gives the rows by time, so this is quick but where a sensor has no value in many of the
    station's rows from one end of that on.
    """
    found: dict[str, Span | None] = {}
    for name, limits in within.items():
        if name not in table.c:
            continue
        time = table.c.time
        here = [table.c.station == station, table.c[name].is_not(None)]
        here += [time.between(*limits)] if limits else []
        ends = [connection.execute(select(time).where(*here).order_by(order).limit(1)).scalar() for order in (time, time.desc())]
        if ends[0] is not None and ends[1] is not None:
            found[name] = (int(ends[0]), int(ends[1]))
    return found
