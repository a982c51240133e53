"""Users' formulas over HTTP: list, save, replace, remove."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, jsonify

from access.formulas.own_formula import own_formulas, remove_formula, save_formula
from api.formula_inputs import NewFormula
from api.formula_outputs import FormulaAnswer, FormulaList
from api.jobs import ApiServices
from api.operations import Answer, Api
from data.user_formula import FormulaDefinition

_FORMULA: Final = Answer("The formula.", FormulaAnswer)


def add_formula_routes(api: Api, services: ApiServices) -> None:
    """``/api/formulas``."""

    @api.get("/api/formulas", {200: Answer("The list.", FormulaList)}, scope="read")
    def list_formulas() -> Response:
        """One's own formulas."""
        return jsonify(formulas=[_json(one) for one in own_formulas(services.access, services.identify())])

    @api.post("/api/formulas", {201: _FORMULA}, 400, 404, 409, scope="load", body=NewFormula)
    def create_formula(body: NewFormula) -> Response:
        """Save a formula; its ``sensor`` can then be asked for as any other, by whoever may see all
        that it reads.
        """
        made = save_formula(services.access, services.site, services.identify(), **body.fields())
        answer = jsonify(_json(made))
        answer.status_code = 201
        return answer

    @api.post("/api/formulas/<sensor>", {200: _FORMULA}, 400, 404, 409, scope="load", body=NewFormula)
    def replace_formula(sensor: str, body: NewFormula) -> Response:
        """Put another formula in the place of one of one's own; the answer names its sensor, which
        is another one.
        """
        identity = services.identify()
        return jsonify(_json(save_formula(services.access, services.site, identity, **body.fields(), replaces=sensor)))

    @api.delete("/api/formulas/<sensor>", {204: Answer("It is off the list.")}, 404, scope="load")
    def delete_formula(sensor: str) -> Response:
        """Take a formula of one's own off the list; charts that show it go on."""
        remove_formula(services.access, services.identify(), sensor)
        return Response(status=204)


def _json(found: FormulaDefinition) -> dict[str, Any]:
    """Return a formula as :class:`api.formula_outputs.FormulaAnswer` describes it."""
    steps = "sum" if found.sums else "mean"
    return {"sensor": found.sensor, "name": found.label, "formula": found.formula, "unit": found.unit, "steps": steps}
