"""Formulas on the page: the dialog in which one is written, checked as it is typed, and the load
that shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Thread
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from sqlalchemy.exc import SQLAlchemyError

from access.formulas.own_formula import checked_definition, own_formulas, remove_formula, save_formula
from access.identity import Identity
from access.restricted_site import widened_to_buckets
from callbacks.form import form_zone, formula_names
from callbacks.submit import refused, show_begun, start_load, was_pressed
from data.formula import CheckedFormula, prepare_units
from data.inventory import StationInventory
from data.request import HistoryRequest, request_of
from data.user_formula import FormulaDefinition, formula_sensor, is_formula_name
from errors import NotFound, RiwayatError
from escaping import visible
from i18n import format_date, translate_error
from i18n import gettext as _
from jobs.authorized import authorized_job
from jobs.job import Job
from jobs.services import Services
from layouts import ids
from layouts.form import sensor_options
from layouts.formulas import EXAMPLE, EXAMPLES, NEW, formula_help, own_choices
from layouts.notices import Notice, alert

_UNNAMED = "1"  # what is checked has no name yet
_SAID = (Output(ids.FORMULA_SAYS, "children", allow_duplicate=True), Output(ids.FORMULA_DIALOG, "is_open", allow_duplicate=True))
_WRITTEN = (ids.FORMULA_NAME, ids.FORMULA_TEXT, ids.FORMULA_UNIT)
_NOTHING = ("", "", "", True)  # nothing is written, and there is nothing to remove
_FIELDS = (*((name, "value") for name in _WRITTEN), (ids.FORMULA_REMOVE, "hidden"))
_FORM = (Output(ids.SENSOR, "options", allow_duplicate=True), Output(ids.SENSOR, "value", allow_duplicate=True))
_SHOWN = (
    Output(ids.JOB_ID, "data", allow_duplicate=True),
    Output(ids.URL, "search", allow_duplicate=True),
    Output(ids.ALERT, "children", allow_duplicate=True),
)


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the dialog."""
    _register_open(app, services)
    _register_choice(app, services)
    _register_check(app, services)
    _register_save(app, services)
    _register_remove(app, services)


def _register_open(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.FORMULA_DIALOG, "is_open"),
        Output(ids.FORMULA_OWN, "options"),
        Output(ids.FORMULA_OWN, "value"),
        Output(ids.FORMULA_HELP, "children"),
        *(Output(*field, allow_duplicate=True) for field in _FIELDS),
        Input(ids.FORMULA_OPEN, "n_clicks"),
        State(ids.STATION, "value"),
        prevent_initial_call=True,
    )
    def open_dialog(clicks: int | None, stations: Any) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 8
        try:
            own = own_formulas(services.access, services.identify())
            seen = services.seen()
            others = [one.name for one in seen.inventory.known().stations if one.name not in _names(stations)]
        except (RiwayatError, SQLAlchemyError) as error:
            refused(services, error)
            return (no_update,) * 8
        # What knows units takes a second of a processor, once a process: while one types.
        Thread(target=prepare_units, daemon=True).start()
        return True, own_choices(own), NEW, formula_help(seen.catalogue.measured, others[0] if others else ""), *_NOTHING


def _register_choice(app: Dash, services: Services) -> None:
    @app.callback(
        *(Output(*field) for field in _FIELDS),
        Input(ids.FORMULA_OWN, "value"),
        Input({"type": EXAMPLE, "name": ALL}, "n_clicks"),
        State(ids.FORMULA_REMOVE, "hidden"),
        prevent_initial_call=True,
    )
    def choose(chosen: Any, _clicks: list[int], is_new: Any) -> tuple[Any, ...]:
        if isinstance(ctx.triggered_id, dict):
            place = ctx.triggered_id["name"]
            if not was_pressed() or place not in range(len(EXAMPLES)):
                return (no_update,) * 4
            return no_update, *EXAMPLES[place], no_update
        if chosen == NEW and is_new:  # as the dialog opens: somebody may be typing by now
            return (no_update,) * 4
        found = next((one for one in own_formulas(services.access, services.identify()) if one.sensor == chosen), None)
        return _NOTHING if found is None else (found.label, found.formula, found.unit, False)


def _register_check(app: Dash, services: Services) -> None:
    app.clientside_callback(
        ClientsideFunction("page", "typed"),
        Output(ids.FORMULA_TYPED, "data"),
        Input(ids.FORMULA_TEXT, "value"),
        Input(ids.FORMULA_UNIT, "value"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(ids.FORMULA_SAYS, "children"),
        Output(ids.FORMULA_SAYS, "data-wrong"),
        Input(ids.FORMULA_TYPED, "data"),
        State(ids.STATION, "value"),
        prevent_initial_call=True,
    )
    def check(typed: Any, stations: Any) -> tuple[Any, str]:
        text, unit = typed if isinstance(typed, list) and len(typed) == 2 else ("", "")
        if not isinstance(text, str) or not text.strip():
            return None, ""
        try:
            return said(services, text, _text(unit), _names(stations)), ""
        except RiwayatError as error:  # typed half; no refusal that anybody need know of
            return translate_error(error), "true"
        except SQLAlchemyError as error:
            return refused(services, error).sentence, "true"


def said(services: Services, text: str, unit: str, stations: Sequence[str]) -> str:
    """Return what is said of a formula that is right: what it gives, and where the chosen stations
    have it.

    Raises:
        RiwayatError: what is wrong with it, and where.
    """
    definition, checked = checked_definition(services.site, services.identify(), _UNNAMED, text, unit)
    seen = services.seen()
    sensor = formula_sensor(definition, seen.catalogue.measured.sensors, seen.catalogue.stations)
    catalogue = replace(seen.catalogue, sensors={**seen.catalogue.sensors, sensor.name: sensor})
    known = seen.inventory.knowing(catalogue).whole.known(stations).stations if stations else ()
    has = [_span_words(services, one, sensor.name) for one in known if sensor.name in one.sensors]
    lack = [visible(one.name) for one in known if sensor.name not in one.sensors]
    parts = [gives(checked, unit), *has]
    parts += (
        [
            _("Not at {stations}: a sensor that it reads is missing there, or the formula names the station.").format(
                stations=", ".join(lack)
            )
        ]
        if lack
        else []
    )
    return " ".join(parts)


def gives(checked: CheckedFormula, unit: str) -> str:
    """Return what a formula gives, as a sentence."""
    result = checked.result
    if result.is_temperature and result.is_difference:
        return _("Gives a temperature difference in {unit}.").format(unit=unit)
    if result.is_temperature and result.is_point:
        return _("Gives a temperature in {unit}.").format(unit=unit)
    return _("Gives {unit}.").format(unit=unit) if unit else _("Gives a plain number.")


def _span_words(services: Services, station: StationInventory, sensor: str) -> str:
    span = station.span_of(sensor)
    if span is None:
        return _("{station} has it.").format(station=visible(station.name))
    zone = form_zone(services, [station.name])
    start, end = (format_date(time_ms, zone) for time_ms in span)
    return _("{station} has it from {start} to {end}.").format(station=visible(station.name), start=start, end=end)


def _register_save(app: Dash, services: Services) -> None:
    @app.callback(
        output=(*_SAID, *_FORM, *_SHOWN),
        inputs={"clicks": Input(ids.FORMULA_SAVE, "n_clicks")},
        state={
            "own": State(ids.FORMULA_OWN, "value"),
            "written": [State(name, "value") for name in _WRITTEN],
            "stations": State(ids.STATION, "value"),
            "sensors": State(ids.SENSOR, "value"),
            "range_": [State(name, "value") for name in (ids.RANGE_START, ids.RANGE_END, ids.RESOLUTION, ids.ZONE)],
            "job_id": State(ids.JOB_ID, "data"),
        },
        running=[(Output(ids.FORMULA_SAVE, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def save(clicks: Any, own: Any, written: Any, stations: Any, sensors: Any, range_: Any, job_id: Any) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 7
        replaced = own if is_formula_name(own) else None
        try:
            texts = [_text(each) for each in written]
            made = save_formula(services.access, services.site, services.identify(), *texts, replaces=replaced)
            kept = [each for each in _names(sensors) if each not in (replaced, made.sensor)]
            form = _form_with(services, _names(stations), [*kept, made.sensor])
        except (RiwayatError, SQLAlchemyError) as error:
            return alert(_plain(refused(services, error))), *(no_update,) * 6

        def begin(identity: Identity) -> Job | Notice:
            if job_id:
                request = _shown_with(authorized_job(services.ledger, identity, job_id).request, replaced, made)
            else:
                start, end, resolution, zone = range_
                request = request_of(
                    _names(stations), form[1], start, end, resolution or "raw", form_zone(services, _names(stations), zone)
                )
            return start_load(services, identity, widened_to_buckets(identity.rights, request))

        return None, False, *form, *show_begun(services, job_id, begin)


def _shown_with(request: HistoryRequest, replaced: str | None, made: FormulaDefinition) -> HistoryRequest:
    """Return what is shown, with a formula besides."""
    return replace(request, sensors=(*(name for name in request.sensors if name != replaced), made.sensor))


def _form_with(services: Services, stations: Sequence[str], chosen: Sequence[str]) -> tuple[Any, Any]:
    """Return the sensors that the form offers, and those chosen, which it offers in any case."""
    site = services.seen().knowing(formula_names(services, chosen))
    measured = {sensor for one in site.inventory.known(stations or None).stations for sensor in one.sensors}
    return sensor_options(site.catalogue, measured | {name for name in chosen if is_formula_name(name)}), chosen


def _register_remove(app: Dash, services: Services) -> None:
    @app.callback(
        *_SAID,
        *_FORM,
        Input(ids.FORMULA_REMOVE, "n_clicks"),
        State(ids.FORMULA_OWN, "value"),
        State(ids.STATION, "value"),
        State(ids.SENSOR, "value"),
        prevent_initial_call=True,
    )
    def remove(clicks: int | None, own: Any, stations: Any, sensors: Any) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 4
        try:
            remove_formula(services.access, services.identify(), own)
            form = _form_with(services, _names(stations), [each for each in _names(sensors) if each != own])
        except NotFound:  # another tab has removed it
            return None, False, no_update, no_update
        except (RiwayatError, SQLAlchemyError) as error:
            return alert(_plain(refused(services, error))), *(no_update,) * 3
        return None, False, *form


def _plain(notice: Notice) -> Notice:
    """Return a notice without an action: the dialog covers the form."""
    return Notice(notice.kind, notice.sentence)


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
