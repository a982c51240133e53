"""Many rows in each INSERT: what a statement costs is shared by its rows.

SQLite takes them as parameters, other databases as text that Arrow writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Dialect, Table

from data.arrays import Floats, Integers

PutRows = Callable[[Connection, str, Integers, Floats], None]  # station, times, values [n, sensors], NaN where missing

_PARAMETERS = 900  # of a statement; SQLite once took 999 at most
_ROWS_AT_ONCE = 20_000  # as objects of Python
_ROWS_OF_TEXT = 5_000  # in a statement: below the 16 MB that MariaDB takes, whatever the name of the station


def long_inserts(dialect: Dialect, table: Table, sensors: Sequence[str]) -> PutRows:
    """What inserts rows of one station of a table keyed (station, time), or sets these columns
    where the key exists.
    """
    names = [dialect.identifier_preparer.quote(name) for name in sensors]
    # the names are the catalogue's, quoted
    head = f"INSERT INTO {table.name} ({', '.join(['station', 'time', *names])}) VALUES "  # noqa: S608 # nosec B608
    if dialect.name in {"mysql", "mariadb"}:
        # Without a column to set, the key is set to itself: IGNORE would also swallow other errors.
        tail = " ON DUPLICATE KEY UPDATE " + ", ".join(f"{name} = VALUES({name})" for name in names or ["station"])
    else:
        what = f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)}" if names else "NOTHING"  # nosec B608
        tail = f" ON CONFLICT (station, time) DO {what}"
    return partial(_put_parameters if dialect.name == "sqlite" else _put_text, head, tail)


def _put_parameters(head: str, tail: str, connection: Connection, station: str, times: Integers, values: Floats) -> None:
    width = 1 + values.shape[1]
    many = max(1, _PARAMETERS // width)
    for start in range(0, len(times), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        cells = np.empty((len(times[part]), width), object)
        cells[:, 0], cells[:, 1:] = times[part], values[part]  # SQLite stores NaN as NULL
        whole = len(cells) // many * many
        for rows, count in ((cells[:whole], many), (cells[whole:], len(cells) - whole)):
            if len(rows):
                sql = head + _numbered(count, width) + tail
                given = rows.reshape(-1, count * width).tolist()
                connection.exec_driver_sql(sql, [(station, *each) for each in given])


@cache
def _numbered(rows: int, width: int) -> str:
    """Rows of parameters, of which the first is the station of all."""
    starts = range(2, 2 + rows * width, width)
    return ", ".join(f"(?1, {', '.join(f'?{at}' for at in range(start, start + width))})" for start in starts)


def _put_text(head: str, tail: str, connection: Connection, station: str, times: Integers, values: Floats) -> None:
    for start in range(0, len(times), _ROWS_OF_TEXT):
        part = slice(start, start + _ROWS_OF_TEXT)
        columns = chain([pa.array(times[part]).cast(pa.string())], map(_numerals, values[part].T))
        rows = pc.binary_join_element_wise(*columns, ", ").to_pylist()
        sql = f"{head}(%(station)s, {'), (%(station)s, '.join(rows)}){tail}"
        connection.exec_driver_sql(sql, {"station": station})


def _numerals(column: Floats) -> pa.Array:
    """Numbers as the shortest texts that mean them, all with an exponent: without one MariaDB takes
    them for decimals, and cuts small ones.
    """
    texts = pa.array(column, from_pandas=True).cast(pa.string())
    texts = pc.if_else(pc.match_substring(texts, "e"), texts, pc.binary_join_element_wise(texts, "e0", ""))
    return pc.fill_null(texts, "NULL")
