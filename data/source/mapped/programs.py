"""Tables of programs that are known: which of them a database holds,
and the mapping to begin with (data/mappings).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, column, inspect, select
from sqlalchemy import table as named

from escaping import visible

_MAPPINGS = Path(__file__).parents[2] / "mappings"
_MOST_NAMES = 200


@dataclass(frozen=True)
class Program:
    """``tables``: a pattern of a table's name and columns that it has, of each table that tells the
    program; ``names``: the table and column that hold its tags.
    """

    name: str
    tables: tuple[tuple[str, frozenset[str]], ...]
    names: tuple[str, str] | None = None


def _program(name: str, names: tuple[str, str] | None = None, **tables: str) -> Program:
    return Program(name, tuple((pattern, frozenset(columns.split())) for pattern, columns in tables.items()), names)


PROGRAMS = (
    _program("weewx", archive="dateTime usUnits interval outTemp"),
    _program(
        "home-assistant-statistics",
        ("statistics_meta", "statistic_id"),
        statistics="metadata_id start_ts mean",
        statistics_meta="id statistic_id",
    ),
    _program(
        "home-assistant-states",
        ("states_meta", "entity_id"),
        states="metadata_id last_updated_ts state",
        states_meta="metadata_id entity_id",
    ),
    _program(
        "ignition", ("sqlth_te", "tagpath"), sqlth_te="id tagpath", **{r"sqlt_data_1_\d{4}_\d{2}": "tagid floatvalue t_stamp"}
    ),
    _program("thingsboard", ("key_dictionary", "key"), ts_kv="entity_id key ts dbl_v", key_dictionary="key key_id"),
    _program("thingsboard", ("ts_kv_dictionary", "key"), ts_kv="entity_id key ts dbl_v", ts_kv_dictionary="key key_id"),
    _program("zabbix", ("items", "key_"), history="itemid clock value", items="itemid hostid key_", hosts="hostid host"),
    _program("openhab", ("items", "itemname"), items="itemid itemname", **{r"item\d{4,}": "time value"}),
)


def programs_in(connection: Connection, schema: str | None = None) -> list[Program]:
    """The programs whose tables a schema holds."""
    inspector = inspect(connection)
    present = inspector.get_table_names(schema=schema)

    def is_there(pattern: str, columns: frozenset[str]) -> bool:
        fitting = next((name for name in present if re.fullmatch(pattern, name)), None)
        if fitting is None:
            return False
        found = {str(each["name"]).lower() for each in inspector.get_columns(fitting, schema=schema)}
        return {each.lower() for each in columns} <= found

    return [program for program in PROGRAMS if all(is_there(*table) for table in program.tables)]


def mapping_of(connection: Connection, program: Program, others: Sequence[Program], schema: str | None) -> str:
    """The mapping of a program with comments, and the tags that its database has."""
    text = (_MAPPINGS / f"{program.name}.toml").read_text(encoding="utf-8")
    lines = [
        f"# The tables of {program.name}: correct what follows, then try it with",
        "#   RIWAYAT_SOURCE=THIS_FILE SITE_DATABASE_URL=… manage.py source check",
        *([f"# Also there: {', '.join(other.name for other in others)}."] if others else []),
    ]
    head = f'schema = "{schema}"\n' if schema else ""
    rest: list[str] = []
    if program.names is not None:
        place, name = program.names
        text = text.replace('table = "key_dictionary"', f'table = "{place}"')
        query: Select[Any] = (
            select(column(name)).select_from(named(place, schema=schema)).order_by(column(name)).limit(_MOST_NAMES)
        )
        rest = ["", "# Tags that there are:", *(f"#   {visible(str(each))}" for each in connection.execute(query).scalars())]
    return "\n".join([*lines, head + text.rstrip(), *rest]) + "\n"
