"""What an address makes of the page: reload, back and forward, a second tab,
and links that others sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

import structlog
from dash import ClientsideFunction, Dash, Input, Output, State, no_update
from sqlalchemy.exc import SQLAlchemyError

from access.identity import Identity, authorise, may_see
from access.restricted_site import widened_to_buckets
from access.saved.saved_view import home_view, visible_view
from callbacks.form import form_zone, zone_choice
from callbacks.job_words import not_found, saved_not_found
from callbacks.link import Link, parse_link
from callbacks.presets import wall_clock, wall_clock_or
from callbacks.saved import saved_request
from callbacks.selection import Selection
from callbacks.start import greet
from callbacks.submit import refusal, refused, start_load
from data.request import HistoryRequest, parse_time, require_resolution, written_time
from data.time.epoch import epoch_ms
from data.view.window import clip_window
from errors import (
    InvalidRequest,
    JobNotFound,
    LedgerUnavailable,
    NotFound,
    NotPermitted,
    RiwayatError,
    UnknownSensor,
    UnknownStation,
)
from i18n import translate_error
from jobs.ledger.job_records import ID_PATTERN
from jobs.services import Services
from layouts import ids
from layouts.form import DEFAULT_PRESET
from layouts.notices import Notice, alert, observations_away

log = structlog.get_logger(__name__)

# What a link decides, in the order of InitialState.values.
_OUTPUTS = (
    Output(ids.JOB_ID, "data"),
    Output(ids.STATION, "value"),
    Output(ids.SENSOR, "value"),
    Output(ids.RANGE_START, "value", allow_duplicate=True),
    Output(ids.RANGE_END, "value", allow_duplicate=True),
    Output(ids.RANGE_PRESET, "value"),
    Output(ids.RESOLUTION, "value"),
    Output(ids.ZONE, "value"),
    Output(ids.ALERT, "children", allow_duplicate=True),
    Output(ids.URL_JOB, "data"),
    Output(ids.FLAGGED, "value"),
    Output(ids.ROLLING, "data", allow_duplicate=True),
    Output(ids.SELECTION, "data"),
)


@dataclass
class InitialState:
    """New values of the page's components; what is not named stays as it is."""

    job_id: Any = no_update
    form: dict[str, Any] = field(default_factory=dict)
    notice: Notice | None = None
    same: bool = False  # the page shows it already; its alert stays
    address: Any = no_update  # the query that the address shall have from now on
    window: tuple[int, int] | None = None  # of the job, ms UTC; None = all of it
    link: Link = field(default_factory=Link)
    flagged: Any = no_update
    rolling: Any = no_update  # what goes on by itself

    def wanted(self, before: Any) -> Any:
        """Return the selection of the job; it follows the gestures that made ``before``."""
        if self.job_id is no_update or self.job_id is None:
            return no_update
        start, end = self.window or (None, None)
        found = Selection(self.job_id, start, end, sequence=Selection.of(before).sequence)
        return found.with_view(self.link.view, self.link.options).stored

    @property
    def values(self) -> tuple[Any, ...]:
        """Values of the outputs but the selection."""
        names = (ids.STATION, ids.SENSOR, ids.RANGE_START, ids.RANGE_END, ids.RANGE_PRESET, ids.RESOLUTION, ids.ZONE)
        form = (self.form.get(name, no_update) for name in names)
        return (self.job_id, *form, no_update if self.same else alert(self.notice), self.address, self.flagged, self.rolling)


def register(app: Dash, services: Services) -> None:
    """Add the callback of the address."""
    # A load of this page changes the address, too; only what leads elsewhere is asked about.
    app.clientside_callback(
        ClientsideFunction("page", "link"),
        Output(ids.LINK, "data"),
        Output(ids.SAVED_OPEN, "children"),
        Input(ids.URL, "search"),
        State(ids.JOB_ID, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        *_OUTPUTS,
        Input(ids.LINK, "data"),
        State(ids.JOB_ID, "data"),
        State(ids.SELECTION, "data"),
        prevent_initial_call=True,
    )
    def arrive(search: str | None, shown: Any, window: Any) -> tuple[Any, ...]:
        found = arrived(services, search, shown)
        return (*found.values, found.wanted(window))

    # Somebody else's link or a saved view became a job of one's own:
    # the address names it without a new entry in the history.
    app.clientside_callback(ClientsideFunction("page", "address"), Input(ids.URL_JOB, "data"), prevent_initial_call=True)


def arrived(services: Services, search: str | None, shown: Any) -> InitialState:
    """What an address makes of the page, whichever database answers."""
    known = services.seen().inventory.known()
    link = parse_link(search, {station.name for station in known.stations})
    try:
        found = arrival(services, link, shown)
        plain = found == InitialState() and not (search or "").strip("?")
        if shown is None and not known.away and (begun := greet(services, known.stations, plain=plain)):
            rolling = {"job": begun.id, "preset": DEFAULT_PRESET}
            found = InitialState(job_id=begun.id, address=urlencode({"job": begun.id}), rolling=rolling)
    except SQLAlchemyError as error:
        log.warning("a database does not answer a page", error=str(error))
        return InitialState(notice=Notice("warning", translate_error(LedgerUnavailable()), action="page"))
    if known.away and found.notice is None:
        found.notice = observations_away(known.stations)
    return found


def arrival(services: Services, link: Link, shown: Any) -> InitialState:
    """What a link makes of the page; ``shown`` is the id of the job that it shows now."""
    if link.job:
        return InitialState(same=True) if link.job == shown else _to_job(services, link)
    if link.saved:
        return _to_saved(services, link.saved)
    if link == Link() and shown is None and (home := home_view(services.access, services.identify())):
        return _to_saved(services, home.id)
    arrived = _to_form(services, link) if link.fills_form else InitialState()
    if shown is not None:
        arrived.job_id = None
    return arrived


def _to_job(services: Services, link: Link) -> InitialState:
    """A job, one's own or another user's. Of what is not granted to the one who
    came here the page says nothing.
    """
    job_id = link.job
    try:
        identity = services.identify()
        # whatever stands in an address; some of it no database takes
        if not ID_PATTERN.fullmatch(job_id):
            return _without_job(services, link)
        job = services.ledger.get(job_id)
        authorise(identity, job.request)
    except (JobNotFound, UnknownStation, UnknownSensor) as error:
        services.note(error, job=job_id)
        return _without_job(services, link)
    except NotPermitted as error:  # of stations that the identity knows
        return InitialState(job_id=None, notice=refused(services, error, job=job_id))
    if may_see(identity, job.owner):
        found = InitialState(job_id=job.id, form=request_form(services, job.request))
    else:
        found = _loaded(services, identity, job.request, *_hides(link.hidden))
    found.window, found.link = link_window(link, job.request), link
    return found


def _without_job(services: Services, link: Link) -> InitialState:
    """What a link means whose job is not there; a saved view outlives its jobs."""
    return _to_saved(services, link.saved) if link.saved else InitialState(job_id=None, notice=not_found())


def _to_saved(services: Services, view_id: str) -> InitialState:
    """What a saved view means today: the job that loads it, its window, its tab."""
    try:
        identity = services.identify()
        shows = visible_view(services.access, identity, view_id).shows
        request = widened_to_buckets(identity.rights, saved_request(services, shows))
    except NotFound as error:
        services.note(error)
        return InitialState(job_id=None, notice=saved_not_found())
    except RiwayatError as error:
        return InitialState(job_id=None, notice=refused(services, error))
    found = _loaded(services, identity, request, ("saved", view_id), *_hides(shows.hidden))
    window = clip_window(request, *(shows.window or (None, None)))
    found.window = None if window == (request.start_ms, request.end_ms) else window
    found.link, found.flagged = Link(view=shows.view, options=shows.options), shows.flagged
    if isinstance(found.job_id, str):
        found.rolling = {"job": found.job_id, "preset": shows.preset or shows.last_ms}
    return found


def _loaded(services: Services, identity: Identity, request: HistoryRequest, *more: tuple[str, str]) -> InitialState:
    """A job of one's own for the request of a link, from the shared tiles where they are there: one
    that has completed, or a new one. ``more`` stands in the address beside it.
    """
    form = request_form(services, request)
    try:
        begun = start_load(services, identity, request, reuse=True)
    except RiwayatError as error:
        services.note(error)
        return InitialState(job_id=None, form=form, notice=refusal(error, request.timezone))
    if isinstance(begun, Notice):
        return InitialState(job_id=None, form=form, notice=begun)
    return InitialState(job_id=begun.id, form=form, address=urlencode([("job", begun.id), *more]))


def _hides(series: Sequence[str]) -> list[tuple[str, str]]:
    """What an address names beside its job for series that are not shown."""
    return [("hidden", key) for key in series]


def link_window(link: Link, request: HistoryRequest) -> tuple[int, int] | None:
    """The part of a job that a link shows (ms UTC);
    None where it says nothing of it, or nothing that is in the request.
    """
    try:
        start, end = (parse_time(text, request.timezone, field="from") for text in (link.start, link.end))
    except InvalidRequest:  # whatever stands in an address; once drawn, it names what is drawn
        return None
    found = clip_window(request, start, end)
    return None if found == (request.start_ms, request.end_ms) else found


def request_form(services: Services, request: HistoryRequest) -> dict[str, Any]:
    """Values of the form's fields that mean a request; sensors in the catalogue's order."""
    choice = zone_choice(services, request.stations, request.timezone)
    zone = form_zone(services, request.stations, choice)
    return {
        ids.ZONE: choice,
        ids.STATION: list(request.stations),
        ids.SENSOR: services.site.catalogue.ordered(request.sensors),
        ids.RANGE_START: wall_clock(request.start_ms, zone),
        ids.RANGE_END: wall_clock(request.end_ms, zone),
        ids.RANGE_PRESET: None,
        ids.RESOLUTION: request.resolution,
    }


def _to_form(services: Services, link: Link) -> InitialState:
    """Fill the form with what is right in a link, and say what is not. Starts nothing."""
    form: dict[str, Any] = {}
    wrong: list[RiwayatError] = []
    site = services.seen()
    known = {station.name for station in site.inventory.known().stations} if link.stations else set()
    stations = _known(wrong, link.stations, lambda name: name in known or site.inventory.station(name))
    sensors = site.catalogue.ordered(_known(wrong, link.sensors, site.catalogue.__getitem__))
    # What is asked for and not there is not chosen; nor is then what the form began with.
    form |= {ids.STATION: stations} if link.stations else {}
    form |= {ids.SENSOR: sensors} if link.sensors else {}
    choice = zone_choice(services, stations, link.zone)
    form |= {ids.ZONE: choice} if link.zone else {}
    zone = form_zone(services, stations, choice)
    for name, text, component in (("start", link.start, ids.RANGE_START), ("end", link.end, ids.RANGE_END)):
        if text and _is_right(wrong, partial(written_time, text, zone, field=name, newest=epoch_ms)):
            form |= {component: wall_clock_or(text, zone), ids.RANGE_PRESET: None}
    if link.resolution and _is_right(wrong, lambda: require_resolution(link.resolution)):
        form[ids.RESOLUTION] = link.resolution
    for error in wrong[:1]:
        services.note(error)
    return InitialState(form=form, notice=refusal(wrong[0], zone) if wrong else None)


def _known(wrong: list[RiwayatError], names: tuple[str, ...], look_up: Callable[[str], Any]) -> list[str]:
    return [name for name in names if _is_right(wrong, partial(look_up, name))]


def _is_right(wrong: list[RiwayatError], check: Callable[[], Any]) -> bool:
    """Whether a check does not raise; what is wrong is added to the list."""
    try:
        check()
    except RiwayatError as error:
        wrong.append(error)
        return False
    return True
