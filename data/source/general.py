"""The general path: any database that SQLAlchemy knows, any value in any column, streamed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sqlalchemy import Engine, Select

from data.source.columns import Int64Array, ReadingsBuilder, milliseconds, numbers

CHUNK_ROWS = 20_000


def read(engine: Engine, statement: Select[Any], into: ReadingsBuilder) -> int:
    """Run a query (time, then a column a sensor) and add its rows; returns how many.

    A value that is no number counts as bad and becomes NaN; a row whose time is no number is left out and counted.
    Errors are the driver's own.
    """
    return stream(engine, statement, lambda columns: _add(columns, into))


def stream(engine: Engine, statement: Select[Any], add: Callable[[list[tuple[Any, ...]]], None]) -> int:
    """Run a query and hand over its rows in chunks of columns; returns how many rows. Errors are the driver's own."""
    rows = 0
    with engine.connect() as connection:
        result = connection.execution_options(stream_results=True, yield_per=CHUNK_ROWS).execute(statement)
        for chunk in result.partitions():
            rows += len(chunk)
            add(list(zip(*chunk, strict=True)))
    return rows


def read_flags(engine: Engine, statement: Select[Any]) -> Mapping[str, Int64Array]:
    """Run a query (sensor, time) and give the times by sensor."""
    found: dict[str, list[int]] = {}
    with engine.connect() as connection:
        for sensor, time_ms in connection.execute(statement):
            found.setdefault(sensor, []).append(time_ms)
    return {sensor: np.array(times, dtype=np.int64) for sensor, times in found.items()}


def _add(columns: list[tuple[Any, ...]], into: ReadingsBuilder) -> None:
    times, good = milliseconds(columns[0])
    into.bad_times += len(columns[0]) - len(times)
    values = []
    for sensor, column in zip(into.sensors, columns[1:], strict=True):
        array, missing, bad = numbers(column)
        into.missing[sensor] += missing
        into.bad[sensor] += bad
        values.append(array if good is None else array[good])
    into.add(times, values)
