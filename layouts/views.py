"""The row of views: Trend, each analysis that has a picture, and the table; the controls of the
one shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dash import html
from dash.development.base_component import Component

from analysis.answer import Answer
from analysis.inquiry import TREND
from analysis.registry import ANALYSES, find
from data.catalogue import Catalogue
from data.flag_choice import read_flags
from data.request import HistoryRequest
from errors import InvalidRequest
from figures.subjects import subjects_in_order
from figures.trend_options import FLAGS, TREND_OPTIONS
from figures.words import sensor_words, station_words
from i18n import format_range
from i18n import gettext as _
from layouts import ids
from layouts.controls import Control, button, choice_row, control_field
from layouts.table import TABLE, table_label


def drawn_analyses() -> tuple[str, ...]:
    """Return the names of analyses that have a picture, in their order: the summary has none."""
    return tuple(name for name in ANALYSES if _has_picture(name))


@cache
def _has_picture(name: str) -> bool:
    return find_spec(f"figures.analyses.{name}") is not None


def view_names() -> dict[str, str]:
    """Return what each view is called in the language of the request, in their order: one of
    several of a tab after the tab's name.
    """
    return {TREND: _("Trend"), **{name: _called(name) for name in drawn_analyses()}, TABLE: table_label()}


def _called(name: str) -> str:
    tab, own = ANALYSES[name].tab, _layout(name).label()
    return f"{_tab_label(tab)}: {own}" if tab else own


def _tab_label(tab: str) -> str:
    """Return what a tab of several analyses is called."""
    return {"compare": _("Compare")}[tab]


def tab_views(view: str) -> tuple[str, ...]:
    """Return the views that share the tab of one, in their order."""
    tab = ANALYSES[view].tab if view in ANALYSES else ""
    return tuple(name for name in drawn_analyses() if ANALYSES[name].tab == tab) if tab else (view,)


def view_title(stations: tuple[str, ...], sensors: tuple[str, ...], catalogue: Catalogue, view: str) -> str:
    """Return stations, sensors and view in one line, in the current language: many names are
    counted, and Trend needs none.
    """
    shown = [view_names().get(view, view)] if view != TREND else []
    return " · ".join([station_words(stations), sensor_words(sensors, catalogue), *shown])


def view_caption(request: HistoryRequest, span: tuple[int, int], catalogue: Catalogue, view: str) -> list[str]:
    """Return what a picture that leaves the page says of itself: title, range with the zone, and
    where it is from, of which assets/picture.js fills in host and date.
    """
    title = view_title(request.stations, request.sensors, catalogue, view)
    range_ = f"{format_range(*span, request.timezone)} · {request.timezone}"
    return [title, range_, _("Source: Riwayat, {host} · {date}")]


def view_tabs() -> html.Div:
    """Return the row of views; assets/workbench.js makes a press of one the selection: of several
    of a tab the one that was shown last.
    """
    tabs = [_tab(view, name) for view, name in view_names().items() if tab_views(view)[0] == view]
    row = html.Div(tabs, id=ids.VIEWS, className="view-tabs", role="tablist", **{"aria-label": _("Views")})
    back = button("↶", "btn btn-sm", ids.UNDO, label=_("Undo"), title=_("Undo (Backspace)"), disabled=True)
    forth = button("↷", "btn btn-sm", ids.REDO, label=_("Redo"), title=_("Redo (Ctrl+Y)"), disabled=True)
    reset = _("Reset zoom")
    whole = button("⤢", "btn btn-sm chart-reset", ids.CHART_RESET, label=reset, title=reset)
    return html.Div([row, html.Div([whole, back, forth], className="view-steps")], className="view-bar")


def _tab(view: str, name: str) -> Component:
    views = tab_views(view)
    words = _tab_label(ANALYSES[view].tab) if len(views) > 1 else name
    more = {"role": "tab", "aria-controls": ids.CHART_AREA, "aria-selected": str(view == TREND).lower()}
    more |= {"data-view": view, "data-views": " ".join(views), "tabIndex": "0" if view == TREND else "-1"}
    return button(words, "view-tab", **more)


def view_controls(view: str, options: Mapping[str, str], request: HistoryRequest, catalogue: Catalogue) -> Component | None:
    """Return the controls of an analysis with what is chosen, of what a request has loaded; None
    where there is nothing to choose.
    """
    there = [control.of_loaded(request, catalogue) for control in _layout(view).controls()]
    usual = [control if control.many else replace(control, default=chosen(view, control, {})) for control in there if control]
    values = {control.name: options.get(control.name) or control.default for control in usual}
    found = [
        control_field(control, values[control.name])
        for control in usual
        if control.when is None or values[control.when[0]] == control.when[1]
    ]
    return html.Div([*_questions(view), *found], className="view-options") if found else None


def _questions(view: str) -> list[Component]:
    """The analyses that share a tab, of which one is shown."""
    views = tab_views(view)
    if len(views) == 1:
        return []
    buttons = [
        button(_layout(name).label(), "choice question", **{"data-view": name, "aria-pressed": str(name == view).lower()})
        for name in views
    ]
    label = html.Span(_("Compare by"), className="view-option-label")
    return [html.Div([label, choice_row(_("Compare by"), buttons)], className="view-option", key="by")]


def view_lists(answer: Answer, catalogue: Catalogue) -> Component | None:
    """Return the lists of an answer, beneath its picture."""
    found: Component | None = _layout(answer.analysis).details(subjects_in_order(answer, catalogue), catalogue)
    return found


def chosen(view: str, control: Control, options: Mapping[str, str]) -> str:
    """Return the text of an option: what is chosen, else its default."""
    if control.name in options:
        return options[control.name]
    return control.default if control.drawing else _text(ANALYSES[view].default(control.name))


def drawing_options(view: str, options: Mapping[str, str]) -> dict[str, str]:
    """Return the options that change a picture and no number; what is no choice is its default.
    Choices that come from what is loaded are not known here.
    """
    drawing = [control for control in _layout(view).controls() if control.drawing]
    found = {control.name: options.get(control.name, "") for control in drawing}
    return {
        control.name: found[control.name] if control.loaded or found[control.name] in (control.choices or {}) else control.default
        for control in drawing
    }


def check_view(view: str, options: Mapping[str, str]) -> None:
    """Check a view and its options, as texts of an address.

    Raises:
        InvalidRequest: there is no such view, or it has no such option or value.
    """
    options = dict(options)
    read_flags(options.pop(FLAGS, None))
    if view == TREND:
        unknown = [name for name in options if name not in TREND_OPTIONS]
        if unknown:
            raise InvalidRequest("Trend has no option {name}.", field="options", name=unknown[0][:40])
        return
    if view not in drawn_analyses():
        known = ", ".join((TREND, *drawn_analyses()))
        raise InvalidRequest("There is no view {view}; there is {known}.", field="view", view=view[:40], known=known)
    drawing = drawing_options(view, options)
    for name in drawing.keys() & options.keys():
        if options[name] != drawing[name]:
            raise InvalidRequest("{text} is no choice of {name}.", field="options", text=repr(options[name][:40]), name=name)
    find(view).options(analysis_options(view, options))


def analysis_options(view: str, options: Mapping[str, str]) -> dict[str, str]:
    """Return the options that are the analysis' own, which change what is answered."""
    drawing = drawing_options(view, options)
    return {name: text for name, text in options.items() if name not in drawing}


def _layout(view: str) -> Any:
    return import_module(f"layouts.analyses.{view}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(_text(each) for each in value)
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
