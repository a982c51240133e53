"""What comes out of the API of formulas, as the document shows it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.outputs import _Out


class FormulaAnswer(_Out):
    """A formula of a user."""

    sensor: Annotated[str, Field(description="Its name among the sensors of a request.")]
    name: str
    formula: str
    unit: Annotated[str, Field(description="Of the result; empty for a plain number.")]
    steps: Annotated[Literal["sum", "mean"], Field(description="What becomes of the values of a step, such as a day.")]


class FormulaList(_Out):
    """One's own formulas, by name."""

    formulas: list[FormulaAnswer]
