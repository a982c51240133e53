"""Saved views over HTTP: list, save, change, remove."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, jsonify

from access.embeds.spec import last_text, parse_last
from access.identity import Identity
from access.restricted_site import own_zone
from access.saved.saved_selection import SavedSelection
from access.saved.saved_view import SavedView, change_view, remove_view, save_view, visible_views
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.saved_inputs import NewView, ViewChange
from api.saved_outputs import SavedViewAnswer, SavedViewList
from data.request import parse_time
from data.time.months import iso_utc, iso_utc_or_none
from errors import InvalidRequest
from layouts.views import view_names

_VIEW: Final = Answer("The saved view.", SavedViewAnswer)


def add_view_routes(api: Api, services: ApiServices) -> None:
    """``/api/views``."""

    @api.get("/api/views", {200: Answer("The list.", SavedViewList)}, scope="read")
    def list_views() -> Response:
        """One's own saved views, and those that others share of what one may see."""
        identity = services.identify()
        return jsonify(views=[view_json(services, identity, one) for one in visible_views(services.access, identity)])

    @api.post("/api/views", {201: _VIEW}, 400, 404, 409, scope="load", body=NewView)
    def create_view(body: NewView) -> Response:
        """Save a view under a name.

        It gives no right to what it shows. A home takes the place of the one that was.
        """
        identity = services.identify()
        shows = _shows(body, own_zone(services.site.catalogue, identity.rights, body.stations, services.settings.timezone))
        made = save_view(services.access, services.site, identity, body.name, shows, shared=body.shared, home=body.home)
        answer = jsonify(view_json(services, identity, made))
        answer.status_code = 201
        return answer

    @api.post("/api/views/<view_id>", {200: _VIEW}, 400, 404, 409, scope="load", body=ViewChange)
    def change_saved_view(view_id: str, body: ViewChange) -> Response:
        """Give a saved view of one's own another name, share it or not, make it home or not."""
        identity, fields = services.identify(), body.model_dump()
        return jsonify(view_json(services, identity, change_view(services.access, services.site, identity, view_id, **fields)))

    @api.delete("/api/views/<view_id>", {204: Answer("It is gone.")}, 404, scope="load")
    def delete_view(view_id: str) -> Response:
        """Remove a saved view of one's own; an administrator may remove any that is shared."""
        remove_view(services.access, services.identify(), view_id)
        return Response(status=204)


def view_json(services: ApiServices, identity: Identity, found: SavedView) -> dict[str, Any]:
    """Return a saved view as :class:`api.outputs.SavedViewAnswer` describes it."""
    shows = found.shows
    window = shows.window and {"from": iso_utc(shows.window[0]), "to": iso_utc(shows.window[1])}
    return {
        **{name: getattr(found, name) for name in ("id", "owner", "name", "shared")},
        **{name: getattr(shows, name) for name in ("resolution", "timezone", "view", "flagged")},
        "stations": list(shows.stations),
        "sensors": list(shows.sensors),
        "range": {
            "from": iso_utc_or_none(shows.start_ms),
            "to": iso_utc_or_none(shows.end_ms),
            "last": None if shows.last_ms is None else last_text(shows.last_ms),
            "preset": shows.preset,
        },
        "window": window,
        "options": dict(shows.options),
        "hidden": list(shows.hidden),
        "home": found.home and found.owner == identity.user,
        "created": iso_utc(found.created_ms),
        "changed": iso_utc(found.changed_ms),
        "page": f"{services.prefix}?{urlencode({'saved': found.id})}",
    }


def _shows(body: NewView, site_zone: str) -> SavedSelection:
    """What a body means.

    Raises:
        InvalidRequest: it means nothing.
    """
    if body.view not in view_names():
        raise InvalidRequest(
            "There is no {name} {value}; use {known}.",
            field="view",
            name="view",
            value=repr(body.view)[:40],
            known=", ".join(view_names()),
        )
    zone, given, window = body.timezone or site_zone, body.range, body.window
    start, end = (None if text is None else parse_time(text, zone, field="range") for text in (given.start, given.end))
    return SavedSelection(
        stations=tuple(body.stations),
        sensors=tuple(body.sensors),
        start_ms=start,
        end_ms=end,
        last_ms=None if given.last is None else parse_last(given.last),
        preset=given.preset,
        window=None
        if window is None
        else (parse_time(window.start, zone, field="window"), parse_time(window.end, zone, field="window")),
        resolution=body.resolution,  # type: ignore[arg-type]  # checked there
        timezone=zone,
        view=body.view,
        options=body.options,
        hidden=tuple(body.hidden),
        flagged=body.flagged,
    )
