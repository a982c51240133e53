"""A statement as text, for a driver that takes nothing else."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Select

from data.database.drivers import session_comment

_MYSQL = ("mysql", "mariadb")


def as_text(statement: Select[Any], dialect: Dialect, *, name: str = "riwayat", timeout_s: float | None = None) -> str:
    """The statement with its values as literals, for a driver that takes text only.

    On MariaDB and MySQL the text itself bears the session's name and bounds its time: connectorx's
    sessions cannot be prepared.
    """
    plain_text = str(statement.compile(dialect=_plain(dialect), compile_kwargs={"literal_binds": True}))
    if dialect.name not in _MYSQL:
        return plain_text
    is_mariadb = getattr(dialect, "is_mariadb", False)
    hint = f"/*+ MAX_EXECUTION_TIME({round(timeout_s * 1000)}) */ " if timeout_s and not is_mariadb else ""
    bound = f"SET STATEMENT max_statement_time = {timeout_s:.3f} FOR " if timeout_s and is_mariadb else ""
    return bound + plain_text.replace("SELECT ", f"SELECT {hint}{session_comment(name)} ", 1)


@lru_cache(maxsize=16)
def _plain(dialect: Dialect) -> Any:
    """A dialect, once it has connected, with named parameters, of which none is left.

    Its own parameter style would double every percent sign for a driver that halves them again; the
    text meets no such driver.
    """
    plain: Any = type(dialect)
    plain = plain(paramstyle="named")
    for trait in ("_backslash_escapes", "_support_float_cast", "server_version_info"):
        if hasattr(dialect, trait):
            setattr(plain, trait, getattr(dialect, trait))
    return plain
