"""The SQL of a source. SQLAlchemy writes it; values are bound, or become literals that SQLAlchemy quotes by their type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Dialect, Select, String, and_, column, literal, select, table
from sqlalchemy.sql.elements import ColumnClause

from data.drivers import session_comment

if TYPE_CHECKING:
    from data.source.table import TableSource

_MYSQL = ("mysql", "mariadb")


def readings(source: TableSource, station: str, sensors: Sequence[str], start_ms: int, end_ms: int) -> Select[Any]:
    """Time and the sensors' columns of a station in [start, end), by time.

    Columns are plain references without a type: the fast reader takes a plain column's declared type (it guesses an
    expression's from the first row, which may be NULL), and no result passes through a conversion of SQLAlchemy's.
    """
    time = _column(source.time)
    order = [time, *([_column(source.tie_break)] if source.tie_break else [])]
    return (
        select(time, *(_column(source.sensors[sensor]) for sensor in sensors))
        .select_from(table(source.table, schema=source.schema))
        .where(
            _column(source.station) == literal(station, String()),
            and_(time >= literal(start_ms, BigInteger()), time < literal(end_ms, BigInteger())),
        )
        .order_by(*order)
    )


def flags(source: TableSource, station: str, sensors: Sequence[str], start_ms: int, end_ms: int) -> Select[Any]:
    """(sensor, time) of the values in [start, end) that the source calls bad, by time."""
    assert source.flags is not None  # noqa: S101 - the reader asks only then # nosec B101
    time, sensor = _column(source.flags.time), _column(source.flags.sensor)
    return (
        select(sensor, time)
        .select_from(table(source.flags.table, schema=source.schema))
        .where(
            _column(source.flags.station) == literal(station, String()),
            and_(time >= literal(start_ms, BigInteger()), time < literal(end_ms, BigInteger())),
            sensor.in_([literal(each, String()) for each in sensors]),
        )
        .order_by(time)
    )


def as_text(statement: Select[Any], dialect: Dialect, *, name: str = "riwayat", timeout_s: float | None = None) -> str:
    """The statement with its values as literals, for a driver that takes text only.

    On MariaDB and MySQL the text itself bears the session's name and bounds its time: connectorx's sessions cannot be prepared.

    The dialect's own parameter style would double every percent sign for a driver that halves them again; this text meets
    no such driver, so it is compiled with named parameters, of which none is left.
    """
    plain: Any = type(dialect)
    plain = plain(paramstyle="named")
    for trait in ("_backslash_escapes", "_support_float_cast", "server_version_info"):
        if hasattr(dialect, trait):
            setattr(plain, trait, getattr(dialect, trait))
    plain_text = str(statement.compile(dialect=plain, compile_kwargs={"literal_binds": True}))
    if dialect.name not in _MYSQL:
        return plain_text
    is_mariadb = getattr(dialect, "is_mariadb", False)
    hint = f"/*+ MAX_EXECUTION_TIME({round(timeout_s * 1000)}) */ " if timeout_s and not is_mariadb else ""
    bound = f"SET STATEMENT max_statement_time = {timeout_s:.3f} FOR " if timeout_s and is_mariadb else ""
    return bound + plain_text.replace("SELECT ", f"SELECT {hint}{session_comment(name)} ", 1)


def _column(name: str) -> ColumnClause[Any]:
    return column(name)
