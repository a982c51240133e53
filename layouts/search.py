"""The search in the header: a field, and the list of what is found, which assets/search.js fills
when the field is first used.
"""

from __future__ import annotations

from dash import dcc, html

from i18n import gettext as _
from layouts import ids
from layouts.controls import text_input


def search() -> html.Div:
    """Return the field with its list, empty, and the stores of times that are looked for."""
    words = _("Search stations, views, dates (Ctrl K)")
    says = {
        "data-view": _("Views"),
        "data-station": _("Stations (Shift+Enter adds to the form)"),
        "data-sensor": _("Sensors"),
        "data-saved": _("Saved and recent"),
        "data-range": _("Time"),
        "data-none": _("Nothing found"),
        "data-hint": _("A station, a sensor, a view, or a time such as 2013-03, last July, now-7d"),
        "data-draw": _("last 30 days"),
        "data-add": _("add to the form"),
        "data-window": _("zoom to it"),
        "data-load": _("put into the form"),
    }
    parts = [
        html.Label(words, htmlFor=ids.SEARCH, className="visually-hidden"),
        text_input(ids.SEARCH, css="search-field", placeholder=words),
        html.Div(id=ids.SEARCH_LIST, className="search-list", role="listbox", hidden=True, **says, **{"aria-label": words}),
        dcc.Store(id=ids.SEARCH_TEXT),
        dcc.Store(id=ids.SEARCH_RANGE),
    ]
    return html.Div(parts, className="search", role="search")
