"""What the page says about itself: notices with a sentence and an action, and progress."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Literal

from dash import html
from dash.development.base_component import Component

from i18n import gettext as _
from layouts import ids
from layouts.controls import button, copy_button

Kind = Literal["info", "warning", "danger"]
ActionName = Literal["retry", "resume", "jump", "again", "form", "page"]


@dataclass(frozen=True)
class Notice:
    """One sentence, at most one action, and a command or details for the administrator."""

    kind: Kind
    sentence: str
    action: ActionName | None = None
    command: str = ""
    details: str = ""


def action_id(name: str) -> dict[str, str]:
    """The id of an action's button; callbacks listen to all of them by pattern."""
    return {"type": "action", "name": name}


def action_words() -> dict[str, str]:
    """What stands on each action's button."""
    return {
        "retry": _("Try again"),
        "resume": _("Resume"),
        "jump": _("Use available range"),
        "again": _("Load it again"),
        "form": _("Select data"),
        "page": _("Try again"),
    }


def alert(notice: Notice | None) -> Component | None:
    """A notice as a component; None when there is nothing to say."""
    if notice is None:
        return None
    parts: list[Component] = [html.P(notice.sentence)]
    if notice.command:
        parts.append(html.Code(notice.command, className="command", tabIndex="0"))
    if notice.action:
        parts.append(_action(notice.action))
    if notice.details:
        parts.append(_details(notice.details))
    return html.Div(parts, className=f"notice notice-{notice.kind}", role="status" if notice.kind == "info" else "alert")


def run_panel() -> html.Section:
    """Bar, words, bell and Cancel; ``data-status`` (empty, active or a final status)
    says what of it is shown.
    """
    line = [
        html.Span(id=ids.PROGRESS_TEXT, className="progress-words", role="status", **{"aria-live": "polite"}),
        button(_("Notify me"), "btn btn-sm notify", ids.NOTIFY, hidden=True),
        button(_("Cancel"), "btn btn-sm cancel", ids.CANCEL, disabled=True),
    ]
    parts = [
        html.Progress(id=ids.PROGRESS, value="0", max="1", **{"aria-label": _("Progress")}),
        html.Div(line, className="run-line"),
        html.Div(id=ids.QUEUE_NOTE),
    ]
    return html.Section(parts, id=ids.RUNNING, className="run-panel", **{"data-status": "", "aria-label": _("Loading")})


def offline(sign_in: str = "") -> html.Div:
    """The quiet line that assets/page.js shows: the server does not answer,
    did not do what was asked, or nobody is signed in.

    ``sign_in`` is the address of the sign-in; empty:
    loading the page anew leads to it, or nothing does.
    """
    says = {
        "data-offline": _("The server does not answer; trying again."),
        "data-undone": _("The server could not do that. Try again."),
        "data-refused": _("You no longer have access to this."),
        "data-signed-out": _("You were signed out."),
        "data-sign-in": sign_in,
    }
    link = html.A(_("Sign in again"), href=sign_in, id=ids.SIGN_IN_AGAIN, hidden=True)
    return html.Div(
        [html.Span(says["data-offline"]), " ", link], id=ids.OFFLINE, className="offline", hidden=True, role="status", **says
    )


def no_data() -> Notice:
    """What a site without an observation says."""
    return Notice(
        "info",
        _("No data yet. Import a file, then reload this page."),
        command=".venv/bin/python manage.py import FILE.csv",
    )


def nothing_granted() -> Notice:
    """What a user sees who may not see anything."""
    return Notice("info", _("You do not have access to any stations yet. Ask your administrator."))


def observations_away(known: Sized) -> Notice:
    """What the page says while the database of observations does not answer;
    ``known`` are the stations that it shows.
    """
    if known:
        sentence = _("The database does not answer. Data that is already loaded can still be viewed.")
    else:
        sentence = _("The database does not answer, so the stations are not known. Try again in a moment.")
    return Notice("warning", sentence, action="page")


def _action(name: ActionName) -> html.Button:
    word = action_words()[name]
    # assets/page.js opens the form, or asks for the page anew; the server has nothing to do
    if name in ("form", "page"):
        what = {"form": "data-open-form", "page": "data-reload-page"}[name]
        return button(word, **{what: ""})
    return button(word, component_id=action_id(name))


def _details(text: str) -> html.Details:
    return html.Details([html.Summary(_("Details")), html.Pre(text), copy_button(text)])
