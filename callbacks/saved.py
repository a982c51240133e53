"""Saved views on the page: the star's dialog, the lists beside the form,
and the load that a saved view means today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import structlog
from dash import Dash, Input, Output, State, ctx, no_update
from sqlalchemy.exc import SQLAlchemyError

from access.embeds.spec import last_text, parse_last
from access.identity import Identity
from access.saved.saved_selection import LONGEST_NAME, SavedSelection
from access.saved.saved_view import SavedView, change_view, remove_view, save_view, visible_view, visible_views
from callbacks.form import preset_span
from callbacks.link import Link, parse_link
from callbacks.selection import Selection
from callbacks.submit import refused
from data.request import HistoryRequest
from data.time.epoch import epoch_ms
from errors import NoData, NotFound, RiwayatError
from figures.words import sensor_words, station_words
from i18n import format_range
from i18n import gettext as _
from jobs.authorized import authorized_jobs
from jobs.job import Job, Status
from jobs.policy import HISTORY
from jobs.services import Services
from layouts import ids
from layouts.notices import Notice, alert
from layouts.saved import FIXED, HOME, LAST, PRESET, SHARED, ListLine, range_choices, saved_lists

MOST_RECENT: Final = 6
_LOOKED_AT: Final = 100  # newest jobs among which the recent ones are looked for

log = structlog.get_logger(__name__)


def saved_request(services: Services, shows: SavedSelection) -> HistoryRequest:
    """Return what a saved view asks for now.

    Raises:
        NoData: its range ends with the newest data, and there is none.
    """
    span = shows.span(epoch_ms())
    if span is None:
        span = preset_span(services, str(shows.preset), shows.stations, shows.sensors, shows.timezone)
    if span is None:
        raise NoData("These sensors have no data in this range.", field="start")
    return shows.request(span)


def listed(services: Services) -> Any:
    """The lists of saved views and of what was loaded last, for whoever asks;
    nothing while the database does not answer.
    """
    try:
        identity = services.identify()
        found = visible_views(services.access, identity)
        jobs = authorized_jobs(services.ledger, identity, identity.user, Status.COMPLETED, _LOOKED_AT)
    except (RiwayatError, SQLAlchemyError) as error:
        log.warning("saved views cannot be listed", error=str(error))
        return None
    latest = {job.request: job for job in reversed(jobs) if job.kind == HISTORY}  # each request once
    recent = list(_without_steps(sorted(latest.values(), key=lambda job: -job.created_ms)))[:MOST_RECENT]
    return saved_lists([_saved(services, identity, one) for one in found], [_recent(services, job) for job in recent])


def _without_steps(newest_first: Iterable[Job]) -> Iterator[Job]:
    """Yield jobs, of those by which a page went on by itself (callbacks/following.py) the last."""
    kept: list[HistoryRequest] = []
    for job in newest_first:
        if not any(_is_step_to(job.request, later) for later in kept):
            kept.append(job.request)
            yield job


def _is_step_to(request: HistoryRequest, later: HistoryRequest) -> bool:
    """Return whether the range of a request has moved, or grown, to that of a later one."""
    moved = later.end_ms - later.start_ms == request.end_ms - request.start_ms
    is_same = replace(request, start_ms=later.start_ms, end_ms=later.end_ms) == later
    return is_same and later.start_ms < request.end_ms <= later.end_ms and (moved or request.start_ms == later.start_ms)


def _saved(services: Services, identity: Identity, found: SavedView) -> ListLine:
    mine = found.owner == identity.user
    href = f"{services.prefix}?{urlencode({'saved': found.id})}"
    return ListLine(found.name, "" if mine else found.owner, href, _("home") if mine and found.home else "")


def _recent(services: Services, job: Job) -> ListLine:
    request = job.request
    span = format_range(request.start_ms, request.end_ms, request.timezone)
    note = f"{sensor_words(request.sensors, services.site.catalogue)} · {span}"
    return ListLine(station_words(request.stations), note, f"{services.prefix}?{urlencode({'job': job.id})}")


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of star and lists."""
    _register_open(app, services)
    _register_act(app, services)

    @app.callback(
        Output(ids.SAVED_LISTS, "children"),
        Input(ids.JOB_ENDED, "data"),
        prevent_initial_call=True,
    )
    def lists(_ended: Any) -> Any:
        return listed(services)


def _register_open(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.SAVED_DIALOG, "is_open"),
        Output(ids.SAVED_NAME, "value"),
        Output(ids.SAVED_RANGE, "options"),
        Output(ids.SAVED_RANGE, "value"),
        Output(ids.SAVED_SWITCHES, "value"),
        Output(ids.SAVED_NEW, "hidden"),
        Output(ids.SAVED_REMOVE, "hidden"),
        Output(ids.SAVED_WRONG, "children"),
        Input(ids.SAVED_OPEN, "n_clicks"),
        State(ids.JOB_ID, "data"),
        State(ids.SELECTION, "data"),
        State(ids.URL, "search"),
        prevent_initial_call=True,
    )
    def open_dialog(clicks: int | None, job_id: Any, selection: Any, search: Any) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 8
        try:
            job = services.job(job_id)
            found = _own(services, search)
        except (RiwayatError, SQLAlchemyError) as error:
            refused(services, error)
            return (no_update,) * 8
        request = job.request
        last_ms = found.shows.last_ms if found else None
        choices = range_choices(Selection.of(selection).span(job), request.timezone, last_ms)
        if found is None:
            name = f"{station_words(request.stations)} · {sensor_words(request.sensors, services.site.catalogue)}"[:LONGEST_NAME]
            return True, name, choices, FIXED, [], True, True, None
        switches = [switch for switch, on in ((SHARED, found.shared), (HOME, found.home)) if on]
        return True, found.name, choices, _range_value(found.shows), switches, False, False, None


def _link(search: Any) -> Link:
    return parse_link(search if isinstance(search, str) else "")


def _own(services: Services, search: Any) -> SavedView | None:
    """The saved view of one's own that the address names, or None."""
    view_id = _link(search).saved
    if not view_id:
        return None
    identity = services.identify()
    try:
        found = visible_view(services.access, identity, view_id)
    except NotFound:
        return None
    return found if found.owner == identity.user else None


def _range_value(shows: SavedSelection) -> str:
    """The choice that a saved range is."""
    if shows.preset is not None:
        return f"{PRESET}{shows.preset}"
    return FIXED if shows.last_ms is None else f"{LAST}{last_text(shows.last_ms)}"


def _register_act(app: Dash, services: Services) -> None:
    @app.callback(
        output=(
            Output(ids.SAVED_WRONG, "children", allow_duplicate=True),
            Output(ids.SAVED_DIALOG, "is_open", allow_duplicate=True),
            Output(ids.URL_JOB, "data", allow_duplicate=True),
            Output(ids.SAVED_LISTS, "children", allow_duplicate=True),
        ),
        inputs={
            "presses": [Input(name, "n_clicks") for name in (ids.SAVED_SAVE, ids.SAVED_NEW, ids.SAVED_REMOVE)],
            "enter": Input(ids.SAVED_NAME, "n_submit"),
        },
        state={
            "job_id": State(ids.JOB_ID, "data"),
            "selection": State(ids.SELECTION, "data"),
            "search": State(ids.URL, "search"),
            "fields": {
                "name": State(ids.SAVED_NAME, "value"),
                "range": State(ids.SAVED_RANGE, "value"),
                "switches": State(ids.SAVED_SWITCHES, "value"),
                "flagged": State(ids.FLAGGED, "value"),
            },
        },
        prevent_initial_call=True,
    )
    def act(
        presses: Any, enter: Any, job_id: Any, selection: Any, search: Any, fields: dict[str, Any]
    ) -> tuple[Any, Any, Any, Any]:
        if not any([*presses, enter]):
            return (no_update,) * 4
        try:
            view_id = act_on(services, str(ctx.triggered_id), job_id, Selection.of(selection), search, fields)
        except (RiwayatError, SQLAlchemyError) as error:
            notice = refused(services, error)
            # without an action: the dialog covers the form
            return alert(Notice(notice.kind, notice.sentence)), no_update, no_update, no_update
        return None, False, with_saved(search, view_id), listed(services)


def act_on(services: Services, pressed: str, job_id: Any, selection: Selection, search: Any, fields: dict[str, Any]) -> str:
    """Do what a button says; the id of the saved view that is shown then, empty where none is."""
    identity, own = services.identify(), _own(services, search)
    if pressed == ids.SAVED_REMOVE:
        if own is not None:
            remove_view(services.access, identity, own.id)
        return ""
    job = services.job(job_id)
    name, chosen = fields["name"], fields["switches"]
    switches = chosen if isinstance(chosen, list) else []
    said: dict[str, Any] = {"name": name if isinstance(name, str) else ""}
    said["shows"] = shown(job, selection, fields["range"], hidden=_link(search).hidden, flagged=bool(fields["flagged"]))
    said |= {"shared": SHARED in switches, "home": HOME in switches}
    if own is None or pressed == ids.SAVED_NEW:
        return save_view(services.access, services.site, identity, **said).id
    return change_view(services.access, services.site, identity, own.id, **said).id


def shown(job: Job, selection: Selection, chosen: Any, *, hidden: tuple[str, ...] = (), flagged: bool = False) -> SavedSelection:
    """What is shown of a job, with the range that was chosen for it: all of it the browser's but
    the job.

    Raises:
        InvalidRequest: there is no such range.
    """
    request, kind = job.request, chosen if isinstance(chosen, str) else ""
    range_: dict[str, Any] = {"start_ms": request.start_ms, "end_ms": request.end_ms}
    window = selection.span(job)
    if window != (request.start_ms, request.end_ms):
        range_["window"] = window
    if kind.startswith(PRESET):
        range_ = {"preset": kind.removeprefix(PRESET)}
    elif kind.startswith(LAST):
        range_ = {"last_ms": parse_last(kind.removeprefix(LAST))}
    return SavedSelection(
        request.stations,
        request.sensors,
        resolution=request.resolution,
        timezone=request.timezone,
        view=selection.view,
        options=dict(selection.options),
        hidden=hidden,
        flagged=flagged,
        **range_,
    )


def with_saved(search: Any, view_id: str) -> str:
    """Return the address' query with another saved view in it, or with none."""
    fields = parse_qsl(search.removeprefix("?") if isinstance(search, str) else "", keep_blank_values=True)
    kept = [(name, value) for name, value in fields if name != "saved"]
    return urlencode([*kept, ("saved", view_id)] if view_id else kept, safe=":,")
