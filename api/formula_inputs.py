"""What goes into the API of formulas."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from api.inputs import GivenBody


class NewFormula(GivenBody):
    """A formula to save."""

    name: Annotated[str, StringConstraints(max_length=200), Field(examples=["Dew point spread"])]
    formula: Annotated[
        str, StringConstraints(max_length=2_000), Field(examples=["temperature - dew_point(temperature, humidity)"])
    ]
    unit: Annotated[
        str, StringConstraints(max_length=100), Field(description="Of the result; empty for a plain number.", examples=["°C"])
    ] = ""

    def fields(self) -> dict[str, str]:
        """Return what :func:`access.formulas.own_formula.save_formula` takes."""
        return {"label": self.name, "formula": self.formula, "unit": self.unit}
