"""The Jobs page: one's own loads (an administrator: everybody's), and how the queue does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from i18n import format_number, ngettext
from i18n import gettext as _
from layouts import ids
from layouts.header import NO_MENU, Menu, header
from layouts.jobs_grid import jobs_grid
from layouts.status import offline
from layouts.workbooks import workbook_link

REFRESH_MS = 2_000  # while a job waits or runs; else nothing asks
FIRST_JOBS = 200  # newest jobs that the page shows at first, and how many more each press on "older" adds


@dataclass(frozen=True)
class JobsContext:
    """Site, language, theme and who is asking; as layouts.page.PageContext."""

    prefix: str
    language: str
    theme_choice: str
    shade: str
    user: str
    admin: bool
    menu: Menu = NO_MENU


def jobs_page(context: JobsContext) -> html.Div:
    """The page, before the ledger was asked."""
    return html.Div(
        [
            dcc.Store(id=ids.THEME, data=context.shade),
            dcc.Store(id=ids.LANGUAGE, data=context.language),
            dcc.Store(id=ids.JOBS_LIMIT, data=FIRST_JOBS),
            dcc.Store(id=ids.JOBS_PRESS),
            dcc.Store(id=ids.JOBS_DONE, data=0),
            dcc.Store(id=ids.JOBS_SEEN),
            dcc.Interval(id=ids.JOBS_TICK, interval=REFRESH_MS, disabled=True),
            html.A(_("Skip to the jobs"), href=f"#{ids.JOBS_TABLE}", className="skip-link"),
            header(
                prefix=context.prefix,
                language=context.language,
                theme_choice=context.theme_choice,
                user=context.user,
                here="jobs",
                menu=context.menu,
            ),
            offline(context.menu.sign_in),
            html.Main(
                [
                    html.H1(_("Jobs of all users") if context.admin else _("Jobs"), className="jobs-title"),
                    html.Div(id=ids.JOBS_QUEUE, className="queue-day"),
                    html.Div(id=ids.JOBS_ALERT),
                    html.Div(_empty(context.prefix), id=ids.JOBS_EMPTY, hidden=True),
                    html.Div(jobs_grid(with_owner=context.admin), id=ids.JOBS_TABLE, className="jobs-table"),
                    html.Div(
                        [
                            html.Span(id=ids.JOBS_COUNT),
                            html.Button(_("Show older jobs"), id=ids.JOBS_OLDER, type="button", n_clicks=0, className=_BUTTON),
                        ],
                        className="jobs-foot",
                    ),
                    html.Section(id=ids.JOB_DETAILS, className="job-details", **{"aria-label": _("Details of the job")}),
                ],
                className="jobs-main",
            ),
        ],
        className="page",
    )


_BUTTON = "btn btn-sm action"


def count_words(shown: int, *, more: bool) -> str:
    """How many jobs the grid holds; ``more`` says that there are older ones."""
    number = format_number(shown)
    if more:
        return _("The newest {count} jobs").format(count=number)
    return ngettext("{count} job in all", "{count} jobs in all", shown).format(count=number)


def queue_numbers(numbers: Mapping[str, str]) -> html.Dl:
    """Word and number of each: small, calm, side by side."""
    return html.Dl([html.Div([html.Dt(word), html.Dd(number)]) for word, number in numbers.items()], className="queue-numbers")


def queue_graph(figure: dict[str, Any], title: str, language: str) -> html.Figure:
    """A small figure of the queue with its title."""
    config = {"displayModeBar": False, "locale": language, "responsive": True, "showTips": False, "doubleClick": False}
    return html.Figure(
        [html.Figcaption(title), dcc.Graph(figure=figure, config=config, style={"height": f"{_height(figure)}px"})]
    )


def job_details(row: Mapping[str, Any], *, with_owner: bool) -> list[Component]:
    """Everything about one job, its error in full, and what can be done with it; ``row`` is the grid's."""
    facts = {
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
        html.Div(
            [
                html.H2(f"{row['stations']} · {row['sensors']} · {row['range']}"),
                html.Button(
                    "×",
                    id=job_action("close"),
                    type="button",
                    n_clicks=0,
                    className="details-close",
                    **{"aria-label": _("Close")},
                ),
            ],
            className="details-head",
        ),
        html.Dl([html.Div([html.Dt(word), html.Dd(text)]) for word, text in facts.items() if text]),
        *_error(row),
        html.Div(_actions(row), className="details-actions"),
    ]


def job_action(name: str) -> dict[str, str]:
    """The id of a button of the details."""
    return {"type": "job-action", "name": name}


def _actions(row: Mapping[str, Any]) -> list[Component]:
    found: list[Component] = [_open(row)]
    if row["can_cancel"]:
        found.append(html.Button(_("Cancel"), id=job_action("cancel"), type="button", n_clicks=0, className=_BUTTON))
    if row["can_retry"]:
        found.append(html.Button(_("Try again"), id=job_action("retry"), type="button", n_clicks=0, className=_BUTTON))
    repeat = _("Fill the form with this request and change it")
    return [*found, html.A(_("Change …"), href=row["repeat"], title=repeat, className=_BUTTON)]


def _open(row: Mapping[str, Any]) -> html.A:
    attributes = workbook_link(ids.JOBS_ALERT) if row["is_file"] else {}
    return html.A(_("Download") if row["is_file"] else _("Open"), href=row["open"], className=_BUTTON, **attributes)


def _error(row: Mapping[str, Any]) -> list[Component]:
    if not row["error"]:
        return []
    whole = "\n\n".join(text for text in (row["error"], row["details"]) if text)
    copy = html.Button(_("Copy"), type="button", className="btn btn-sm copy", **{"data-copy": whole})
    parts: list[Component] = [html.Div([html.P(row["error"]), copy], className="details-error-head")]
    if row["details"]:
        parts.append(html.Details([html.Summary(_("Details")), html.Pre(row["details"], tabIndex="0")]))
    return [html.Div(parts, className="details-error")]


def _empty(prefix: str) -> html.Div:
    return html.Div(
        [
            html.P(_("Nothing has been loaded yet; each load is listed here, with what it read and how long it took.")),
            html.A(_("Load a history"), href=prefix, className=_BUTTON),
        ],
        className="notice notice-info",
        role="status",
    )


def _height(figure: dict[str, Any]) -> int:
    return int(figure["layout"]["height"])
