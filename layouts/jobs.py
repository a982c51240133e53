"""The Jobs page: one's own loads (an administrator: everybody's), and how the queue does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from i18n import format_number, ngettext
from i18n import gettext as _
from layouts import ids
from layouts.controls import ACTION, button, close_button, copy_button, details_head, facts, workbook_link
from layouts.header import Chrome
from layouts.jobs_grid import jobs_grid
from layouts.shell import shell

REFRESH_MS = 2_000  # while a job waits or runs; else nothing asks
# newest jobs that the page shows at first, and how many more each press on "older" adds
FIRST_JOBS = 200


def jobs_page(chrome: Chrome, *, admin: bool) -> html.Div:
    """The page, before the ledger was asked; an administrator sees the jobs of all users."""
    stores = [
        dcc.Store(id=ids.JOBS_PRESS),
        dcc.Store(id=ids.JOBS_DONE, data=0),
        dcc.Store(id=ids.JOBS_SEEN),
        dcc.Interval(id=ids.JOBS_TICK, interval=REFRESH_MS, disabled=True),
    ]
    foot = [html.Span(id=ids.JOBS_COUNT), button(_("Show older jobs"), component_id=ids.JOBS_OLDER)]
    parts = [
        html.H1(_("Jobs of all users") if admin else _("Jobs"), className="jobs-title"),
        html.Div(id=ids.JOBS_QUEUE, className="queue-day"),
        html.Div(id=ids.JOBS_ALERT),
        html.Div(_empty(chrome.prefix), id=ids.JOBS_EMPTY, hidden=True),
        html.Div(jobs_grid(with_owner=admin), id=ids.JOBS_TABLE, className="jobs-table"),
        html.Div(foot, className="jobs-foot"),
        html.Section(id=ids.JOB_DETAILS, className="job-details", **{"aria-label": _("Details of the job")}),
    ]
    main = html.Main(parts, className="jobs-main")
    return shell(chrome, "jobs", stores, (_("Skip to the jobs"), ids.JOBS_TABLE), [main])


def count_words(shown: int, *, more: bool) -> str:
    """How many jobs the grid holds; ``more`` says that there are older ones."""
    number = format_number(shown)
    if more:
        return _("The newest {count} jobs").format(count=number)
    return ngettext("{count} job in total", "{count} jobs in total", shown).format(count=number)


def queue_numbers(numbers: Mapping[str, str]) -> html.Dl:
    """Word and number of each: small, calm, side by side."""
    return facts(numbers, className="queue-numbers")


def queue_graph(figure: dict[str, Any], title: str, language: str) -> html.Figure:
    """A small figure of the queue with its title."""
    config = {"displayModeBar": False, "locale": language, "responsive": True, "showTips": False, "doubleClick": False}
    style = {"height": f"{figure['layout']['height']}px"}
    return html.Figure([html.Figcaption(title), dcc.Graph(figure=figure, config=config, style=style)])


def job_details(row: Mapping[str, Any], *, with_owner: bool) -> list[Component]:
    """Return all about one job, its error in full, and what can be done; ``row``: the grid's."""
    found = {
        _("Status"): row["status_words"],
        _("Resolution"): row["resolution"],
        _("Created"): row["created"],
        _("Duration"): row["duration"],
        _("Rows"): row["rows"],
        _("Rows/s"): row["speed"],
        _("Memory"): row["memory"],
        _("Attempts"): row["attempts"],
        _("Queue"): row["queue"],
        **({_("Owner"): row["owner"]} if with_owner else {}),
        _("Job"): row["id"],
    }
    return [
        details_head(f"{row['stations']} · {row['sensors']} · {row['range']}", close_button(component_id=job_action("close"))),
        facts(found),
        *_error(row),
        html.Div(_actions(row), className="details-actions"),
    ]


def job_action(name: str) -> dict[str, str]:
    """The id of a button of the details."""
    return {"type": "job-action", "name": name}


def _actions(row: Mapping[str, Any]) -> list[Component]:
    found: list[Component] = [_open(row)]
    if row["can_cancel"]:
        found.append(button(_("Cancel"), component_id=job_action("cancel")))
    if row["can_retry"]:
        found.append(button(_("Try again"), component_id=job_action("retry")))
    repeat = _("Open this request in the form")
    return [*found, html.A(_("Edit …"), href=row["repeat"], title=repeat, className=ACTION)]


def _open(row: Mapping[str, Any]) -> html.A:
    attributes = workbook_link(ids.JOBS_ALERT) if row["is_file"] else {}
    return html.A(_("Download") if row["is_file"] else _("Open"), href=row["open"], className=ACTION, **attributes)


def _error(row: Mapping[str, Any]) -> list[Component]:
    if not row["error"]:
        return []
    whole = "\n\n".join(text for text in (row["error"], row["details"]) if text)
    parts: list[Component] = [html.Div([html.P(row["error"]), copy_button(whole)], className="details-error-head")]
    if row["details"]:
        parts.append(html.Details([html.Summary(_("Details")), html.Pre(row["details"], tabIndex="0")]))
    return [html.Div(parts, className="details-error")]


def _empty(prefix: str) -> html.Div:
    parts = [
        html.P(_("Nothing loaded yet. Each load is listed here with what it read and how long it took.")),
        html.A(_("Load a history"), href=prefix, className=ACTION),
    ]
    return html.Div(parts, className="notice notice-info", role="status")
