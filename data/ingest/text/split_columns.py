"""Columns taken out of one whose cells hold several things,
such as a value and its quality code.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.cells.values import trimmed
from data.ingest.profile import SplitRule


class BadSplit(ValueError):
    """The cell of ``row`` does not have the parts that were ``expected``."""

    def __init__(self, row: int, expected: str) -> None:
        super().__init__(expected)
        self.row, self.expected = row, expected


def split_columns(column: pa.Array, rule: SplitRule, missing: Sequence[str]) -> dict[str, pa.Array]:
    """The columns that a rule makes of one: texts,
    empty where the cell is empty or says that there is no value.

    Raises:
        BadSplit: for the first cell that has other parts.
    """
    cells = trimmed(column)
    absent = pc.is_in(pc.utf8_lower(cells), value_set=pa.array(["", *(text.strip().lower() for text in missing)]))
    cells = pc.if_else(absent, pa.scalar(None, pa.string()), cells)
    return _at(cells, str(rule.at), rule.names) if rule.pattern is None else _by_pattern(cells, rule)


def _at(cells: pa.Array, sign: str, names: Sequence[str]) -> dict[str, pa.Array]:
    parts = pc.split_pattern(cells, sign)
    wrong = _first(pc.not_equal(pc.list_value_length(parts), len(names)))
    if wrong is not None:
        raise BadSplit(wrong, f"{len(names)} parts between {sign!r}, as split says")
    parts = pc.if_else(pc.is_valid(parts), parts, pa.scalar([""] * len(names), parts.type))
    return {name: pc.list_element(parts, at) for at, name in enumerate(names) if name}


def _by_pattern(cells: pa.Array, rule: SplitRule) -> dict[str, pa.Array]:
    parts = pc.extract_regex(cells, str(rule.pattern))
    wrong = _first(pc.and_(pc.is_valid(cells), pc.is_null(parts)))
    if wrong is not None:
        raise BadSplit(wrong, f"as the pattern {rule.pattern} of split has it")
    return {name: pc.fill_null(pc.struct_field(parts, name), "") for name in rule.columns}


def _first(condition: pa.Array) -> int | None:
    found = np.flatnonzero(pc.fill_null(condition, False).to_numpy(zero_copy_only=False))
    return int(found[0]) if len(found) else None
