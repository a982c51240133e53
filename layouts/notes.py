"""The place of the notes beneath the rail, with the words of assets/notes.js, which fills it."""

from __future__ import annotations

import json
from typing import Any

from dash import html

from access.notes.note import LONGEST_TEXT
from figures.note_marks import kind_words
from i18n import gettext as _
from layouts import ids


def notes_section() -> html.Div:
    """Return the place of the list; it is hidden until Trend is drawn."""
    return html.Div(id=ids.NOTES, className="notes", hidden=True, **{"data-words": json.dumps(_words())})


def _words() -> dict[str, Any]:
    return {
        "longest": LONGEST_TEXT,
        "kinds": kind_words(),
        "title": _("Notes"),
        "add": _("Add note (N)"),
        "history": _("Station history"),
        "whole": _("{name} as a whole"),
        "flags": _("Notes on the time axis"),
        "several": _("{count} notes"),
        "more": _("{count} more"),
        "private": _("private"),
        "edit": _("Edit"),
        "remove": _("Remove"),
        "sure": _("Remove for good"),
        "close": _("Close"),
        "write": _("New note"),
        "change": _("Edit note"),
        "about": _("About"),
        "from": _("From"),
        "to": _("To (empty: a moment)"),
        "kind": _("Kind"),
        "text": _("Text"),
        "share": _("Shared with everyone who may see this data"),
        "save": _("Save"),
        "cancel": _("Cancel"),
        "trouble": _("The server does not answer; try again later."),
    }
