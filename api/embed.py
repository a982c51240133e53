"""Charts in other pages: the frame's own page and files, what a token shows, and making and revoking embeds."""

from __future__ import annotations

import time
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request, send_file

from access.addresses import site_address
from access.embed_table import Embed, embeds, find_embed
from access.embeds import embed_token, make_embed, own_embed, revoke
from access.grants import Purpose
from access.shown import Shows, last_text, parse_last
from api.jobs import Desk
from api.models import EmbedAnswer, EmbedLink, EmbedList, EmbedView, NewEmbed, NewToken
from api.operations import Answer, Api
from api.sessions import lower_headers
from data.months import iso_utc
from data.request import HistoryRequest, parse_time
from errors import EmbedNotPermitted, NotFound
from i18n import gettext as _
from i18n import set_language
from layouts.frame import FramePage, frame_page, frame_url, iframe_line, shown_title
from layouts.page import plain_page

# What an embed's identity may ask for; everything else is closed to it, whatever its rights are.
EMBED_ENDPOINTS: Final = frozenset(
    f"api.{name}" for name in ("get_embed", "create_job", "get_job", "get_figure", "get_stats", "get_data")
)

_ASSETS: Final = Path(__file__).resolve().parent.parent / "assets"
_OWN_FILES: Final = ("embed.js", "embed.css", "tokens.css", "axistime.js", "locale.js")
_YEAR_S: Final = 31_536_000

# Paths below the prefix that need nobody to be signed in: they are the same for everybody, but for the page's origin and words.
EMBED_PATHS: Final = frozenset(f"embed/{name}" for name in ("trend", "plotly.js", *_OWN_FILES))

_MADE: Final = {201: Answer("The embed, and what opens it.", EmbedLink)}


def embed_blueprint(desk: Desk) -> Blueprint:
    """The page of the frame and its files, for everybody."""
    blueprint = Blueprint("embed", __name__, url_prefix=desk.prefix.rstrip("/") or None)
    files = {name: _ASSETS / name for name in _OWN_FILES} | {"plotly.js": _plotly()}
    addresses = frame_files(desk.prefix)

    @blueprint.get("/embed/trend")
    def frame() -> Response:
        found = find_embed(desk.access, request.args.get("id"))
        if found is None:
            return _unknown()
        set_language(found.shows.language)
        page = FramePage(found.id, found.origin, found.shows.theme, found.shows.transparent, desk.prefix, addresses)
        response = Response(frame_page(page), content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = frame_policy(found.origin)
        return response

    @blueprint.get("/embed/<name>")
    def file(name: str) -> Response:
        if name not in files:
            raise NotFound("There is no {path}.", path=request.path[:80])
        response = send_file(files[name], conditional=True, max_age=_YEAR_S)
        response.cache_control.immutable = request.args.get("m") == _mark(name)
        return response

    return blueprint


def frame_files(prefix: str) -> dict[str, str]:
    """Addresses of the frame's files by name, which change with the files."""
    return {name: f"{prefix}embed/{name}?m={_mark(name)}" for name in (*_OWN_FILES, "plotly.js")}


@cache  # for as long as the process, as what the pages name
def _mark(name: str) -> str:
    return version("plotly") if name == "plotly.js" else str(int((_ASSETS / name).stat().st_mtime))


def frame_policy(origin: str) -> str:
    """The policy of the frame's page: our own files, our own answers, and one origin around it."""
    return (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {origin}"
    )


def add_embed_routes(api: Api, desk: Desk) -> None:
    """``/api/embed``, for the frame of a chart, and ``/api/embeds``, for those who make charts."""
    _add_view_route(api, desk)
    _add_maker_routes(api, desk)


def _add_view_route(api: Api, desk: Desk) -> None:
    @api.get("/api/embed", {200: Answer("What is drawn.", EmbedView)}, 404, scope="read")
    def get_embed() -> Response:
        """What the chart of a token shows now; only for the frame of an embedded chart."""
        identity = desk.identify()
        found = find_embed(desk.access, identity.user.removeprefix("embed:")) if identity.via == "embed" else None
        if found is None:
            raise NotFound("There is no embedded chart {embed_id}.", embed_id="")
        shown = found.shows.request(_now_ms())
        if not identity.rights.allows(shown, Purpose.VIEW):
            raise EmbedNotPermitted
        may_export = "export" in identity.scopes and identity.rights.allows(shown, Purpose.EXPORT)
        return jsonify(_view(desk, found, may_export))


def _add_maker_routes(api: Api, desk: Desk) -> None:
    @api.post("/api/embeds", _MADE, 400, 404, 409, scope="embed", body=NewEmbed)
    def create_embed(body: NewEmbed) -> Response:
        """Make a chart for pages of another origin.

        Needs the right to embed all that it shows. The token is shown this once; POST /api/embeds/ID/token makes another.
        """
        zone = desk.site.settings.timezone
        shows = _shows(body, zone)
        found = make_embed(
            desk.access,
            desk.site,
            desk.identify(),
            shows,
            body.origin,
            _expires(body.expires, zone),
            now_ms=_now_ms(),
            label=body.label,
        )
        return _link(desk, found, None)

    @api.get("/api/embeds", {200: Answer("The list.", EmbedList)}, scope="embed")
    def list_embeds() -> Response:
        """One's own embedded charts, newest first; an administrator's list has everybody's."""
        identity = desk.identify()
        found = embeds(desk.access, None if identity.admin else identity.user)
        return jsonify(embeds=[embed_json(one, _now_ms()) for one in found])

    @api.post("/api/embeds/<embed_id>/revoke", {200: Answer("The embed, revoked.", EmbedAnswer)}, 404, scope="embed")
    def revoke_embed(embed_id: str) -> Response:
        """End a chart everywhere, at once and for good."""
        return jsonify(embed_json(revoke(desk.access, desk.identify(), embed_id), _now_ms()))

    @api.post("/api/embeds/<embed_id>/token", _MADE, 400, 404, 409, scope="embed", body=NewToken)
    def create_embed_token(embed_id: str, body: NewToken) -> Response:
        """Another token of an embed, as a portal's server makes one for each of its pages or readers.

        It opens the chart until its own end, and never beyond the embed's.
        """
        found = own_embed(desk.access, desk.identify(), embed_id)
        return _link(desk, found, _expires(body.expires, desk.site.settings.timezone))


def embed_json(found: Embed, now_ms: int) -> dict[str, Any]:
    """As :class:`api.models.EmbedAnswer`."""
    shows = found.shows
    return {
        "id": found.id,
        "owner": found.owner,
        "label": found.label,
        "stations": list(shows.stations),
        "sensors": list(shows.sensors),
        "range": {
            "from": _iso(shows.start_ms),
            "to": _iso(shows.end_ms),
            "last": None if shows.last_ms is None else last_text(shows.last_ms),
        },
        "resolution": shows.resolution,
        "timezone": shows.timezone,
        "theme": shows.theme,
        "language": shows.language,
        "controls": shows.controls,
        "transparent": shows.transparent,
        "refresh": shows.refresh_s,
        "origin": found.origin,
        "state": found.state(now_ms),
        "created": iso_utc(found.created_ms),
        "expires": _iso(found.expires_ms),
        "revoked": _iso(found.revoked_ms),
    }


def _view(desk: Desk, found: Embed, may_export: bool) -> dict[str, Any]:
    shows = found.shows
    set_language(shows.language)
    shown = shows.request(_now_ms())
    return view_json(desk, found.id, found.label, shows, shown, may_export)


def view_json(desk: Desk, embed_id: str, label: str, shows: Shows, shown: HistoryRequest, may_export: bool) -> dict[str, Any]:
    """As :class:`api.models.EmbedView`, in the current language."""
    return {
        "id": embed_id,
        "title": label or shown_title(shown.stations, shown.sensors, desk.site.catalogue),
        "language": shows.language,
        "theme": shows.theme,
        "controls": shows.controls,
        "transparent": shows.transparent,
        "rolling": shows.rolling,
        "refresh": shows.refresh_s,
        "request": {
            "stations": list(shown.stations),
            "sensors": list(shown.sensors),
            "start": iso_utc(shown.start_ms),
            "end": iso_utc(shown.end_ms),
            "resolution": shown.resolution,
            "timezone": shown.timezone,
        },
        "may_export": may_export,
    }


def _shows(body: NewEmbed, zone: str) -> Shows:
    given = body.range
    return Shows(
        stations=tuple(body.stations),
        sensors=tuple(body.sensors),
        start_ms=None if given.start is None else parse_time(given.start, zone, field="range"),
        end_ms=None if given.end is None else parse_time(given.end, zone, field="range"),
        last_ms=None if given.last is None else parse_last(given.last),
        resolution=body.resolution,  # type: ignore[arg-type]
        timezone=zone,
        theme=body.theme,
        language=body.language,
        controls=body.controls,
        transparent=body.transparent,
        refresh_s=body.refresh,
    )


def _link(desk: Desk, found: Embed, expires_ms: int | None) -> Response:
    """201 with a new token, as :class:`api.models.EmbedLink`."""
    settings = desk.site.settings
    token = embed_token(settings.signing_secret(), found, _now_ms(), expires_ms)
    base = site_address(settings, request.remote_addr, lower_headers(request), request.scheme, request.host)
    url = frame_url(base, desk.prefix, found.id, token)
    set_language(found.shows.language)  # of those who read the page
    title = found.label or shown_title(found.shows.stations, found.shows.sensors, desk.site.catalogue)
    line = iframe_line(url, title, theme=found.shows.theme, transparent=found.shows.transparent)
    answer = jsonify(id=found.id, url=url, token=token, iframe=line)
    answer.status_code = 201
    return answer


def _expires(text: str | None, zone: str) -> int | None:
    return None if text is None else parse_time(text, zone, field="expires")


def _unknown() -> Response:
    html = plain_page("en", _("There is no such chart."), _("Its address is not right, or it was taken away."))
    return Response(html, 404, content_type="text/html; charset=utf-8")


def _plotly() -> Path:
    """The script that the history page is drawn with."""
    found = find_spec("plotly")
    folder = (found.submodule_search_locations or [""])[0] if found else ""
    return Path(folder) / "package_data" / "plotly.min.js"


def _iso(time_ms: int | None) -> str | None:
    return None if time_ms is None else iso_utc(time_ms)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
