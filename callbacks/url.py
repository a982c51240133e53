"""The address and the page: reload, back and forward, a second tab, and links that others sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import structlog
from dash import Dash, Input, Output, State, no_update
from sqlalchemy.exc import SQLAlchemyError

from access.identity import Identity, authorise, may_see
from callbacks.link import Link, parse_link
from callbacks.presets import wall_clock, wall_clock_or
from callbacks.services import Services
from callbacks.start import refusal, start_load
from callbacks.states import not_found
from data.catalogue import Catalogue
from data.request import RESOLUTIONS, HistoryRequest, parse_time
from errors import (
    InvalidRequest,
    JobNotFound,
    LedgerUnavailable,
    NotPermitted,
    RiwayatError,
    UnknownSensor,
    UnknownStation,
)
from i18n import translate_error
from jobs.rows import ID_PATTERN
from layouts import ids
from layouts.status import Notice, alert, observations_away

log = structlog.get_logger(__name__)

# What a link decides, in the order of Arrival.values.
_OUTPUTS = (
    Output(ids.JOB_ID, "data"),
    Output(ids.STATION, "value"),
    Output(ids.SENSOR, "value"),
    Output(ids.RANGE_START, "value", allow_duplicate=True),
    Output(ids.RANGE_END, "value", allow_duplicate=True),
    Output(ids.RANGE_PRESET, "value"),
    Output(ids.RESOLUTION, "value"),
    Output(ids.ALERT, "children", allow_duplicate=True),
    Output(ids.URL_JOB, "data"),
)


@dataclass
class Arrival:
    """New values of the page's components; what is not named stays as it is."""

    job_id: Any = no_update
    form: dict[str, Any] = field(default_factory=dict)
    notice: Notice | None = None
    same: bool = False  # the page shows it already; its alert stays
    address: Any = no_update  # the job id that the address shall name from now on

    @property
    def values(self) -> tuple[Any, ...]:
        """Values of the outputs."""
        names = (ids.STATION, ids.SENSOR, ids.RANGE_START, ids.RANGE_END, ids.RANGE_PRESET, ids.RESOLUTION)
        form = (self.form.get(name, no_update) for name in names)
        return (self.job_id, *form, no_update if self.same else alert(self.notice), self.address)


def register(app: Dash, services: Services) -> None:
    """Add the callback of the address."""

    @app.callback(*_OUTPUTS, Input(ids.URL, "search"), State(ids.JOB_ID, "data"), prevent_initial_call="initial_duplicate")
    def arrive(search: str | None, shown: Any) -> tuple[Any, ...]:
        return arrived(services, search, shown).values

    # Somebody else's link became a job of one's own: the address names it without a new entry in the history.
    app.clientside_callback(
        "function(job) { if (job) { history.replaceState(history.state, '', '?job=' + encodeURIComponent(job)); } }",
        Input(ids.URL_JOB, "data"),
        prevent_initial_call=True,
    )


def arrived(services: Services, search: str | None, shown: Any) -> Arrival:
    """What an address makes of the page, whichever database answers."""
    known = services.seen().inventory.known()
    link = parse_link(search, {station.name for station in known.stations})
    try:
        found = arrival(services, link, shown)
    except SQLAlchemyError as error:
        log.warning("a database does not answer a page", error=str(error))
        return Arrival(notice=Notice("warning", translate_error(LedgerUnavailable()), action="page"))
    if known.away and found.notice is None:
        found.notice = observations_away(known.stations)
    return found


def arrival(services: Services, link: Link, shown: Any) -> Arrival:
    """What a link makes of the page; ``shown`` is the id of the job that it shows now."""
    if link.job:
        return Arrival(same=True) if link.job == shown else _to_job(services, link.job)
    arrived = _to_form(services, link) if link.fills_form else Arrival()
    if shown is not None:
        arrived.job_id = None
    return arrived


def _to_job(services: Services, job_id: str) -> Arrival:
    """A job, one's own or another user's. Of what is not granted to the one who came here the page says nothing."""
    try:
        identity = services.identify()
        if not ID_PATTERN.fullmatch(job_id):  # whatever stands in an address; some of it no database takes
            return Arrival(job_id=None, notice=not_found())
        job = services.ledger.get(job_id)
        authorise(identity, job.request)
    except (JobNotFound, UnknownStation, UnknownSensor) as error:
        services.note(error, job=job_id)
        return Arrival(job_id=None, notice=not_found())
    except NotPermitted as error:  # of stations that the identity knows
        services.note(error, job=job_id)
        return Arrival(job_id=None, notice=refusal(error, services.settings.timezone))
    form = request_form(job.request, services.site.catalogue)
    if may_see(identity, job.owner):
        return Arrival(job_id=job.id, form=form)
    return _carry_over(services, identity, job.request, form)


def _carry_over(services: Services, identity: Identity, request: HistoryRequest, form: dict[str, Any]) -> Arrival:
    """Another user's link: it carries the request, and makes one's own job from the shared tiles."""
    try:
        begun = start_load(services, identity, request)
    except RiwayatError as error:
        services.note(error)
        return Arrival(job_id=None, form=form, notice=refusal(error, request.timezone))
    if isinstance(begun, Notice):
        return Arrival(job_id=None, form=form, notice=begun)
    return Arrival(job_id=begun.id, form=form, address=begun.id)


def request_form(request: HistoryRequest, catalogue: Catalogue) -> dict[str, Any]:
    """Values of the form's fields that mean a request; sensors in the catalogue's order."""
    return {
        ids.STATION: list(request.stations),
        ids.SENSOR: catalogue.ordered(request.sensors),
        ids.RANGE_START: wall_clock(request.start_ms, request.timezone),
        ids.RANGE_END: wall_clock(request.end_ms, request.timezone),
        ids.RANGE_PRESET: None,
        ids.RESOLUTION: request.resolution,
    }


def _to_form(services: Services, link: Link) -> Arrival:
    """Fill the form with what is right in a link, and say what is not. Starts nothing."""
    zone = services.settings.timezone
    form: dict[str, Any] = {}
    wrong: list[RiwayatError] = []
    site = services.seen()
    known = {station.name for station in site.inventory.known().stations} if link.stations else set()
    stations = _known(wrong, link.stations, lambda name: name in known or site.inventory.station(name))
    sensors = site.catalogue.ordered(_known(wrong, link.sensors, site.catalogue.__getitem__))
    form |= {component: names for component, names in ((ids.STATION, stations), (ids.SENSOR, sensors)) if names}
    for name, text, component in (("start", link.start, ids.RANGE_START), ("end", link.end, ids.RANGE_END)):
        if text and _is_time(wrong, text, zone, name):
            form |= {component: wall_clock_or(text, zone), ids.RANGE_PRESET: None}
    if link.resolution in RESOLUTIONS:
        form[ids.RESOLUTION] = link.resolution
    elif link.resolution:
        wrong.append(
            InvalidRequest(
                "There is no resolution {resolution}; use one of {known}.",
                resolution=link.resolution,
                known=", ".join(RESOLUTIONS),
            )
        )
    for error in wrong[:1]:
        services.note(error)
    return Arrival(form=form, notice=refusal(wrong[0], zone) if wrong else None)


def _known(wrong: list[RiwayatError], names: tuple[str, ...], look_up: Any) -> list[str]:
    found = []
    for name in names:
        try:
            look_up(name)
            found.append(name)
        except RiwayatError as error:
            wrong.append(error)
    return found


def _is_time(wrong: list[RiwayatError], text: str, zone: str, name: str) -> bool:
    try:
        parse_time(text, zone, field=name)
    except RiwayatError as error:
        wrong.append(error)
        return False
    return True
