"""What pages are put together from: buttons, fields, choices, a view's options, doors, lists,
facts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from data.catalogue import Catalogue
from data.request import HistoryRequest
from i18n import gettext as _

ACTION: Final = "btn btn-sm action"
_NO_BREAK: Final = "\u2060"  # word joiner
_MOST_OF_MANY: Final = 12  # buttons of which several may be pressed; more are written


def button(words: Any, css: str = ACTION, component_id: Any = None, *, label: str = "", **more: Any) -> html.Button:
    """Return a button; one with an id has clicks that a callback listens to.

    ``css`` are its classes, ``label`` is what it is called where its words do not say it.
    """
    if component_id is not None:
        more |= {"id": component_id, "n_clicks": 0}
    if label:
        more["aria-label"] = label
    return html.Button(words, type="button", className=css, **more)


def close_button(css: str = "details-close", component_id: Any = None, **more: Any) -> html.Button:
    """Return the × that closes what it stands in."""
    return button("×", css, component_id, label=_("Close"), **more)


def details_head(title: str, close: html.Button) -> html.Div:
    """Return what stands above the details of a row: what they are of, and the × beside it."""
    return html.Div([html.H2(title), close], className="details-head")


def copy_button(text: str, css: str = "btn btn-sm copy", **more: Any) -> html.Button:
    """Return a button that copies a text (assets/page.js)."""
    return button(_("Copy"), css, **{"data-copy": text}, **more)


def field(label: str, component_id: str, control: Component, hint: str = "") -> html.Div:
    """Return a control with its label above, and a hint below where there is one."""
    hints = [html.Small(hint, className="embed-hint")] if hint else []
    return html.Div([html.Label(label, htmlFor=component_id), control, *hints], className="field")


def text_input(component_id: str, value: str = "", css: str = "", **more: Any) -> dcc.Input:
    """Return a small line of text to fill in, which no browser completes or corrects."""
    settings = {"debounce": False, "autoComplete": "off", "spellCheck": "false"} | more
    css = f"form-control form-control-sm {css}".strip()
    return dcc.Input(id=component_id, type="text", value=value, className=css, **settings)


def text_field(label: str, component_id: str, value: str = "", **more: Any) -> html.Div:
    """Return a :func:`text_input` as a :func:`field`."""
    return field(label, component_id, text_input(component_id, value, **more))


def options(names: Mapping[Any, str]) -> list[dict[str, Any]]:
    """Return values with their words as Dash's choices take them."""
    return [{"value": name, "label": words} for name, words in names.items()]


def workbook_link(alert_id: str) -> dict[str, str]:
    """Return attributes that make a link one to a file that a job writes.

    assets/workbook.js waits for the job that writes one, and then begins the download;
    ``alert_id`` is the component that says what went wrong.
    """
    return {
        "data-workbook": alert_id,
        "data-queued": _("Queued"),
        "data-no-worker": _("No worker is running, so nothing can be loaded now."),
        "data-trouble": _("The server does not answer; try again later."),
    }


def facts(found: Mapping[str, str], **more: Any) -> html.Dl:
    """Return words with what is said to each, side by side; what is empty is left out."""
    return html.Dl([html.Div([html.Dt(word), html.Dd(text)]) for word, text in found.items() if text], **more)


@dataclass(frozen=True)
class Control:
    """A control of an option on the page.

    ``name`` is the option's; ``choices`` are label by value, None for a field of free text;
    ``drawing`` marks a choice that changes the picture and no number: it is no option of the
    analysis, and ``default`` is its first value. ``of`` is the sensor whose part of the option it
    is. ``loaded`` tells the choices of what is loaded; with one of them or none there is no
    control. ``many`` of the choices may be chosen, with commas between them; where nothing is said,
    all. ``folded`` choices are a list to open. ``own`` is the hint of a field for what is no
    choice. ``when`` is another option with the value for which the control is there.
    """

    name: str
    label: str
    choices: Mapping[str, str] | None = None
    drawing: bool = False
    default: str = ""
    hint: str = ""
    of: str = ""
    loaded: Callable[[HistoryRequest, Catalogue], Mapping[str, str]] | None = None
    many: bool = False
    folded: bool = False
    own: str = ""
    when: tuple[str, str] | None = None

    def of_loaded(self, request: HistoryRequest, catalogue: Catalogue) -> Control | None:
        """Return the control with the choices that a request leaves; None where there is none."""
        if self.loaded is None:
            return self
        found = self.loaded(request, catalogue)
        if len(found) <= 1:
            return None
        if not self.many:
            return replace(self, choices=found)
        return replace(self, choices=found, default=",".join(found)) if len(found) <= _MOST_OF_MANY else replace(self, many=False)


def control_field(control: Control, value: str) -> Component:
    """Return a field of free text, a button for each choice, or a list of choices to open."""
    more = {"data-of": control.of, "data-usual": control.default}
    mark = {"data-option": control.name, **{name: text for name, text in more.items() if text}}
    label = html.Span(control.label, className="view-option-label")
    key = f"{control.name}={control.of}:{value}"
    if control.choices is None:
        entry = _option_field(value, control.hint)
        return html.Label([label, entry], className="view-option", key=key, title=control.hint, **mark)
    if control.folded:
        # an empty value would be shown as no choice; the space is trimmed (assets/workbench.js)
        names = {name or " ": words for name, words in control.choices.items()}
        chosen = dbc.Select(options=options(names), value=value or " ", size="sm")
        return html.Label([label, chosen], className="view-option", key=key, title=control.hint, **mark)
    pressed = value.split(",") if control.many else [value]
    more_marks = mark | ({"data-many": ""} if control.many else {})
    buttons = [
        button(words, "choice", **more_marks, **{"data-value": choice, "aria-pressed": str(choice in pressed).lower()})
        for choice, words in control.choices.items()
    ]
    parts = [label, choice_row(control.label, buttons)]
    if control.own:
        own = _option_field("" if value in control.choices else value, control.own)
        parts.append(html.Label([html.Span(control.label, className="visually-hidden"), own], title=control.own, **mark))
    return html.Div(parts, className="view-option", key=key)


def choice_row(label: str, buttons: Sequence[Component]) -> Component:
    """Return buttons beside each other, one of which is pressed."""
    return html.Div(buttons, className="choices", role="group", **{"aria-label": label})


def _option_field(value: str, hint: str) -> Component:
    return dcc.Input(type="text", value=value, debounce=True, className="form-control form-control-sm", placeholder=hint)


def door(text: str, start_ms: int, end_ms: int) -> Component:
    """Return a button that opens Trend at [start_ms, end_ms), int ms UTC."""
    return html.Button(text, type="button", className="door", **{"data-from": str(start_ms), "data-to": str(end_ms)})


def view_door(text: str, view: str, options: Mapping[str, str]) -> Component:
    """Return a button that opens a view of the same window, with some options."""
    return html.Button(text, type="button", className="door", **{"data-view": view, "data-options": json.dumps(options)})


def list_row(lists: Sequence[Component]) -> Component:
    """Return lists that stand beside each other, with no others in their row."""
    return html.Div(lists, className="list-row")


def listed(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[Component | str]], more: str = "", *, texts: int = 1
) -> Component:
    """Return a table with a title; ``more`` says what it leaves out. The first ``texts`` columns
    are text, the others are numbers.
    """
    kinds = [*["text"] * texts, *["number"] * (len(heads) - texts)]
    whole = [text.replace("–", f"–{_NO_BREAK}") for text in heads]  # a head breaks between its words alone
    head = html.Tr([html.Th(text, scope="col", className=kind) for text, kind in zip(whole, kinds, strict=True)])
    body = [html.Tr([html.Td(cell, className=kind) for cell, kind in zip(row, kinds, strict=True)]) for row in rows]
    table = html.Table([html.Thead(head), html.Tbody(body)], className="list-table")
    return html.Section([html.H2(title), table, *([html.P(more, className="list-more")] if more else [])], className="list-block")
