"""Saved views on the page: the star beside the title, its dialog, and the lists of saved views
and of what was loaded last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from access.embeds.spec import last_text
from access.saved.saved_selection import LONGEST_NAME, PRESETS
from escaping import visible
from figures.words import length_text
from i18n import format_range
from i18n import gettext as _
from layouts import ids
from layouts.controls import button, field, options

FIXED: Final = "fixed"
PRESET, LAST = "preset:", "last:"  # the beginnings of values of ranges that move on
SHARED: Final = "shared"
HOME: Final = "home"
STAR, HOLLOW_STAR = "★", "☆"

_LASTS: Final = ("24h", "7d", "30d")


@dataclass(frozen=True)
class ListLine:
    """A line of a list: what it is called, what stands small beside it, and where it leads."""

    name: str
    note: str
    href: str
    mark: str = ""


def saved_star() -> html.Button:
    """Return the button beside the title; assets/page.js fills the star of a saved view."""
    words = _("Save this view")
    return button(HOLLOW_STAR, "star", ids.SAVED_OPEN, label=words, title=words, **{"aria-haspopup": "dialog"})


def saved_dialog() -> Component:
    """The dialog, closed; callbacks/saved.py opens it with what is shown."""
    name = dbc.Input(id=ids.SAVED_NAME, type="text", maxLength=LONGEST_NAME, size="sm", autocomplete="off")
    range_ = dbc.Select(id=ids.SAVED_RANGE, options=[], value=FIXED, size="sm")
    switches = {SHARED: _("Shared with everyone who may see this data"), HOME: _("Open it when I come to this site")}
    buttons = [
        button(_("Save"), "btn btn-primary", ids.SAVED_SAVE),
        button(_("Save as new"), "btn btn-sm", ids.SAVED_NEW),
        button(_("Remove"), "btn btn-sm saved-remove", ids.SAVED_REMOVE),
    ]
    parts = [
        field(_("Name"), ids.SAVED_NAME, name),
        field(_("Range"), ids.SAVED_RANGE, range_),
        dbc.Checklist(id=ids.SAVED_SWITCHES, options=options(switches), value=[], className="embed-switches"),
        html.Div(id=ids.SAVED_WRONG, **{"aria-live": "polite"}),
        html.Div(buttons, className="saved-buttons"),
    ]
    head = dbc.ModalHeader(dbc.ModalTitle(_("Save this view"), tag="h2", id="saved-title"), close_button=True)
    return dbc.Modal(
        [head, dbc.ModalBody(parts)],
        id=ids.SAVED_DIALOG,
        is_open=False,
        labelledby="saved-title",
        centered=True,
        className="embed-dialog",
    )


def range_choices(span: tuple[int, int], timezone: str, last_ms: int | None = None) -> list[dict[str, str]]:
    """Return what a saved view may show of time: what is shown now, or what moves on. ``last_ms``
    until now is what it shows already.
    """
    presets = {
        "24h": _("Last 24 hours of data"),
        "7d": _("Last 7 days of data"),
        "30d": _("Last 30 days of data"),
        "month": _("Month to date, to the newest data"),
        "season": _("Season to date, to the newest data"),
        "1y": _("Last year of data"),
        "ytd": _("Year to date, to the newest data"),
        "all": _("All data"),
    }
    lasts = (_("Last 24 hours until now"), _("Last 7 days until now"), _("Last 30 days until now"))
    found = {FIXED: _("Current view: {range}").format(range=format_range(*span, timezone))}
    found |= {f"{PRESET}{name}": presets[name] for name in PRESETS}
    found |= {f"{LAST}{text}": words for text, words in zip(_LASTS, lasts, strict=True)}
    if last_ms is not None:
        own = _("Last {length} until now").format(length=length_text(last_ms))
        found.setdefault(f"{LAST}{last_text(last_ms)}", own)
    return options(found)


def saved_lists(saved: Sequence[ListLine], recent: Sequence[ListLine]) -> list[Component]:
    """Return the two lists; an empty one is not there."""
    lists = ((_("Saved"), saved, True), (_("Recent"), recent, False))
    return [_list(title, entries, shown) for title, entries, shown in lists if entries]


def _list(title: str, entries: Sequence[ListLine], shown: bool) -> html.Details:
    count = html.Small(str(len(entries)))
    items = html.Ul([html.Li(_entry(entry)) for entry in entries])
    return html.Details([html.Summary([title, count]), items], open=shown, className="saved-list")


def _entry(entry: ListLine) -> dcc.Link:
    parts = [html.Span(visible(entry.name), className="saved-name")]
    if entry.mark:
        parts.append(html.Small(entry.mark))
    if entry.note:
        parts.append(html.Small(visible(entry.note), className="saved-note"))
    return dcc.Link(parts, href=entry.href, title=visible(entry.name))
