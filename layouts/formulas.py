"""Formulas on the page: the button beside the sensors, and the dialog in which one is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from data.sensor import Sensor
from data.user_formula import LONGEST_LABEL, LONGEST_UNIT, FormulaDefinition
from escaping import visible
from i18n import current_language
from i18n import gettext as _
from layouts import ids
from layouts.controls import button, field, options

NEW: Final = "new"  # the choice of a formula that is not saved yet
EXAMPLE: Final = "formula-example"
LONGEST_FORMULA: Final = 1_000  # characters; a longer one is refused anyway
_EVAPOTRANSPIRATION: Final = (  # of grass, in the last 24 hours; wind of 10 m brought down to 2 m
    'reference_evapotranspiration(rolling_max(temperature, "1 d"), rolling_min(temperature, "1 d"), '
    'rolling_max(humidity, "1 d"), rolling_min(humidity, "1 d"), 0.748 * rolling_mean(wind_speed, "1 d"), '
    'rolling_mean(solar_radiation, "1 d"), latitude, elevation)'
)
# Formulas with their units, each a choice of the dialog.
EXAMPLES: Final[tuple[tuple[str, str], ...]] = (
    ("temperature - dew_point(temperature, humidity)", "°C"),
    ("vapour_pressure_deficit(temperature, humidity)", "hPa"),
    ("heat_index(temperature, humidity)", "°C"),
    ("wet_bulb(temperature, humidity)", "°C"),
    ("potential_temperature(temperature, pressure)", "K"),
    ("sea_level_pressure(pressure, temperature, humidity, elevation)", "hPa"),
    ("wind_u(wind_speed, wind_direction)", "m/s"),
    ("wind_v(wind_speed, wind_direction)", "m/s"),
    ('rolling_mean(temperature, "24 h")', "°C"),
    ('rolling_sum(rainfall, "24 h")', "mm"),
    ('rain_rate(rainfall, "1 h")', "mm/h"),
    ('pressure - shift(pressure, "3 h")', "hPa"),
    ('0 * wind_speed if wind_speed < quantity(0.5, "m/s") else wind_speed', "m/s"),
    ('degree_days(rolling_max(temperature, "1 d"), rolling_min(temperature, "1 d"), quantity(10, "°C"))', "K"),
    (_EVAPOTRANSPIRATION, "mm/d"),
)


def formula_button() -> html.Button:
    """Return the button that opens the dialog."""
    return button(
        "ƒ " + _("Formula"), "btn btn-link formula-open", ids.FORMULA_OPEN, title=_("Compute a quantity from readings"), **_POPS
    )


_POPS: Final[dict[str, Any]] = {"aria-haspopup": "dialog"}


def formula_dialog() -> Component:
    """The dialog, closed; callbacks/formulas.py opens it."""
    text = dbc.Textarea(
        id=ids.FORMULA_TEXT,
        value="",
        rows=3,
        maxLength=LONGEST_FORMULA,
        className="formula-text",
        size="sm",
        spellcheck=False,
    )
    parts = [
        field(_("Your formulas"), ids.FORMULA_OWN, dbc.Select(id=ids.FORMULA_OWN, options=own_choices(()), value=NEW, size="sm")),
        field(_("Name"), ids.FORMULA_NAME, _line(ids.FORMULA_NAME, LONGEST_LABEL)),
        field(_("Formula"), ids.FORMULA_TEXT, text),
        field(_("Unit"), ids.FORMULA_UNIT, _line(ids.FORMULA_UNIT, LONGEST_UNIT, "formula-unit")),
        html.Div(id=ids.FORMULA_SAYS, className="formula-says", role="status", **{"aria-live": "polite"}),
        html.Div(
            [
                button(_("Save and show"), "btn btn-primary", ids.FORMULA_SAVE),
                button(_("Remove"), "btn btn-sm saved-remove", ids.FORMULA_REMOVE, hidden=True),
            ],
            className="saved-buttons",
        ),
        html.Details([html.Summary(_("Sensors and examples")), html.Div(id=ids.FORMULA_HELP)], className="formula-help"),
    ]
    head = dbc.ModalHeader(dbc.ModalTitle(_("Formula"), tag="h2", id="formula-title"), close_button=True)
    dialog = dbc.Modal(
        [head, dbc.ModalBody(parts)],
        id=ids.FORMULA_DIALOG,
        is_open=False,
        centered=True,
        scrollable=True,
        className="embed-dialog",
        labelledby="formula-title",
    )
    return html.Div([dcc.Store(id=ids.FORMULA_TYPED), dialog])


def _line(component_id: str, longest: int, css: str = "") -> dbc.Input:
    settings = {"maxLength": longest, "size": "sm", "autocomplete": "off"}
    return dbc.Input(id=component_id, type="text", value="", className=css, **settings)


def own_choices(own: Sequence[FormulaDefinition]) -> list[dict[str, str]]:
    """Return the choices of the list of one's own formulas, a new one first."""
    return options({NEW: _("New formula"), **{one.sensor: one.label for one in own}})


def formula_help(sensors: Iterable[Sensor], other_station: str) -> list[Component]:
    """Return what a formula may read, and examples of which a click takes one; ``other_station``
    is named by the one that reads another station.
    """
    language = current_language()
    names = [html.Li([html.Code(one.name), f" {one.label(language)}, {one.unit}"]) for one in sensors]
    examples = [
        html.Li(button(text, "btn btn-link formula-example", {"type": EXAMPLE, "name": place}))
        for place, (text, _unit) in enumerate(EXAMPLES)
    ]
    if other_station:
        examples.append(html.Li(html.Code(visible(f'temperature - temperature["{other_station}"]'))))
    rules = _("Units are checked: a comparison needs a unit on both sides, as in {example}.").format(
        example='wind_speed > quantity(3, "m/s")'
    )
    return [html.Ul(names, className="formula-names"), html.P(rules), html.Ul(examples, className="formula-examples")]
