"""What users' formulas say, by the names of their sensors, as the table ``formula_definition`` has
it. A definition never changes and is kept, so that links, saved views and embedded charts go on.
"""

from __future__ import annotations

from sqlalchemy import Engine, Row, select

from access.tables import formula_definition as table
from data.user_formula import FormulaDefinition, is_formula_name
from errors import InvalidFormula


class FormulaDefinitions:
    """Finds definitions, and asks the database for each once. Raises what SQLAlchemy does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._found: dict[str, FormulaDefinition] = {}

    def __call__(self, name: str) -> FormulaDefinition | None:
        """Return the definition of a sensor's name; None where there is none."""
        if name in self._found or not is_formula_name(name):
            return self._found.get(name)
        with self._engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.sensor == name)).one_or_none()
        if row is None or (found := definition_of(row)) is None:
            return None
        return self._found.setdefault(name, found)


def definition_of(row: Row[tuple[object, ...]]) -> FormulaDefinition | None:
    """Return what a row says; None where it is not what its name is a digest of."""
    try:
        found = FormulaDefinition(row.label, row.formula, row.unit, bool(row.sums))
    except InvalidFormula:
        return None
    return found if found.sensor == row.sensor else None
