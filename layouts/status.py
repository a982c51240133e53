"""What the page says about itself: notices with one sentence and one action, and the line of progress."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Literal

from dash import html
from dash.development.base_component import Component

from i18n import gettext as _
from layouts import ids

Kind = Literal["info", "warning", "danger"]
ActionName = Literal["retry", "resume", "jump", "again", "form", "page"]


@dataclass(frozen=True)
class Notice:
    """One sentence, at most one action, and for whoever runs the site a command or details to copy."""

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
        "jump": _("Use the range there is"),
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
    """Bar, words, bell and Cancel; ``data-status`` (empty, active or a final status) says what of it is shown."""
    return html.Section(
        [
            html.Progress(id=ids.PROGRESS, value="0", max="1", **{"aria-label": _("Progress")}),
            html.Div(
                [
                    html.Span(id=ids.PROGRESS_TEXT, className="progress-words", role="status", **{"aria-live": "polite"}),
                    html.Button(_("Notify me"), id=ids.NOTIFY, type="button", className="btn btn-sm notify", hidden=True),
                    html.Button(
                        _("Cancel"), id=ids.CANCEL, type="button", n_clicks=0, disabled=True, className="btn btn-sm cancel"
                    ),
                ],
                className="run-line",
            ),
            html.Div(id=ids.QUEUE_NOTE),
        ],
        id=ids.RUNNING,
        className="run-panel",
        **{"data-status": "", "aria-label": _("Loading")},
    )


def offline(sign_in: str = "") -> html.Div:
    """The quiet line that assets/page.js shows while the server does not answer, or answers that nobody is signed in.

    ``sign_in`` is the address of the sign-in; empty: loading the page anew leads to it, or nothing does.
    """
    says = {
        "data-offline": _("The server does not answer; trying again by itself."),
        "data-refused": _("You may not see this any more."),
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
        _("There is no observation yet; import a file and reload this page."),
        command=".venv/bin/python manage.py import FILE.csv",
    )


def nothing_granted() -> Notice:
    """What a user sees who may not see anything."""
    return Notice("info", _("Nothing is granted to you yet. Ask whoever runs this site."))


def observations_away(known: Sized) -> Notice:
    """What the page says while the database of observations does not answer; ``known`` are the stations that it shows."""
    if known:
        sentence = _(
            "The database of observations does not answer; what is loaded can be looked at, and the rest be tried again."
        )
    else:
        sentence = _("The database of observations does not answer, so the stations are not known; try again in a moment.")
    return Notice("warning", sentence, action="page")


def _action(name: ActionName) -> html.Button:
    word = action_words()[name]
    if name in ("form", "page"):  # assets/page.js opens the drawer, or asks for the page anew; the server has nothing to do
        what = {"form": "data-open-form", "page": "data-reload-page"}[name]
        return html.Button(word, type="button", className="btn btn-sm action", **{what: ""})
    return html.Button(word, id=action_id(name), type="button", n_clicks=0, className="btn btn-sm action")


def _details(text: str) -> html.Details:
    copy = html.Button(_("Copy"), type="button", className="btn btn-sm copy", **{"data-copy": text})
    return html.Details([html.Summary(_("Details")), html.Pre(text), copy])
