"""Charts in other pages: the frame's page and files, what a token shows, making and revoking."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request, send_file

from access.addresses import site_address
from access.embeds.embed_table import Embed, embeds, find_embed
from access.embeds.embed_token import embed_token, make_embed, own_embed, revoke
from access.embeds.spec import EmbedSpec, last_text, parse_last
from access.grants import Purpose
from access.restricted_site import usual_zone
from api.embed_inputs import NewEmbed, NewToken
from api.embed_outputs import EmbedAnswer, EmbedLink, EmbedList, EmbedView
from api.embed_paths import FRAME_FILES
from api.headers import lower_headers
from api.jobs import ApiServices
from api.operations import Answer, Api
from data.request import parse_time
from data.time.epoch import epoch_ms
from data.time.months import iso_utc, iso_utc_or_none
from errors import EmbedNotPermitted, NotFound
from i18n import gettext as _
from i18n import set_language
from layouts.frame import FramePage, embed_link, frame_page
from layouts.page import plain_page
from layouts.views import check_view, view_title

_ASSETS: Final = Path(__file__).resolve().parent.parent / "assets"
_YEAR_S: Final = 31_536_000

_MADE: Final = {201: Answer("The embed, and what opens it.", EmbedLink)}


def embed_blueprint(services: ApiServices) -> Blueprint:
    """The page of the frame and its files, for everybody."""
    blueprint = Blueprint("embed", __name__, url_prefix=services.prefix.rstrip("/") or None)
    sent = {name: _ASSETS / name for name in FRAME_FILES} | {"plotly.js": _plotly()}
    addresses = frame_files(services.prefix)

    @blueprint.get("/embed/trend")
    def frame() -> Response:
        found = find_embed(services.access, request.args.get("id"))
        if found is None:
            return _unknown()
        set_language(found.spec.language)
        page = FramePage(found.id, found.origin, found.spec.theme, found.spec.transparent, services.prefix, addresses)
        response = Response(frame_page(page), content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = frame_policy(found.origin)
        return response

    @blueprint.get("/embed/<name>")
    def file(name: str) -> Response:
        if name not in sent:
            raise NotFound("There is no {path}.", path=request.path[:80])
        response = send_file(sent[name], conditional=True, max_age=_YEAR_S)
        response.cache_control.immutable = request.args.get("m") == _mark(name)
        return response

    return blueprint


def frame_files(prefix: str) -> dict[str, str]:
    """Addresses of the frame's files by name, which change with the files."""
    return {name: f"{prefix}embed/{name}?m={_mark(name)}" for name in (*FRAME_FILES, "plotly.js")}


@cache  # for as long as the process, as what the pages name
def _mark(name: str) -> str:
    return version("plotly") if name == "plotly.js" else str(int((_ASSETS / name).stat().st_mtime))


def frame_policy(origin: str) -> str:
    """The policy of the frame's page: our own files, our own answers, and one origin around it."""
    return (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {origin}"
    )


def add_embed_routes(api: Api, services: ApiServices) -> None:
    """``/api/embed``, for the frame of a chart, and ``/api/embeds``, for those who make charts."""
    _add_view_route(api, services)
    _add_maker_routes(api, services)


def _add_view_route(api: Api, services: ApiServices) -> None:
    @api.get("/api/embed", {200: Answer("What is drawn.", EmbedView)}, 404, scope="read")
    def get_embed() -> Response:
        """What the chart of a token shows now; only for the frame of an embedded chart."""
        identity = services.identify()
        found = find_embed(services.access, identity.user.removeprefix("embed:")) if identity.via == "embed" else None
        if found is None:
            raise NotFound("There is no embedded chart {embed_id}.", embed_id="")
        now_ms = epoch_ms()
        loaded = found.spec.request(now_ms)
        if not identity.rights.allows(loaded, Purpose.VIEW):
            raise EmbedNotPermitted
        may_export = "export" in identity.scopes and identity.rights.allows(loaded, Purpose.EXPORT)
        set_language(found.spec.language)
        return jsonify(view_json(services, found.id, found.label, found.spec, now_ms, may_export))


def _add_maker_routes(api: Api, services: ApiServices) -> None:
    @api.post("/api/embeds", _MADE, 400, 404, 409, scope="embed", body=NewEmbed)
    def create_embed(body: NewEmbed) -> Response:
        """Make a chart for pages of another origin.

        Needs the right to embed all that it shows. The token is shown this once;
        POST /api/embeds/ID/token makes another.
        """
        zone, rights = services.settings.timezone, services.identify().rights
        catalogue, now_ms = services.site.catalogue, epoch_ms()
        spec = _shows(body, usual_zone(catalogue, rights, body.stations, zone, lambda name: _shows(body, name).request(now_ms)))
        found = make_embed(
            services.access,
            services.site,
            services.identify(),
            spec,
            body.origin,
            _expires(body.expires, zone),
            now_ms=now_ms,
            label=body.label,
        )
        return _link(services, found, None)

    @api.get("/api/embeds", {200: Answer("The list.", EmbedList)}, scope="embed")
    def list_embeds() -> Response:
        """One's own embedded charts, newest first; an administrator's list has everybody's."""
        identity = services.identify()
        found = embeds(services.access, None if identity.admin else identity.user)
        return jsonify(embeds=[embed_json(one, epoch_ms()) for one in found])

    @api.post("/api/embeds/<embed_id>/revoke", {200: Answer("The embed, revoked.", EmbedAnswer)}, 404, scope="embed")
    def revoke_embed(embed_id: str) -> Response:
        """End a chart everywhere, at once and for good."""
        return jsonify(embed_json(revoke(services.access, services.identify(), embed_id), epoch_ms()))

    @api.post("/api/embeds/<embed_id>/token", _MADE, 400, 404, 409, scope="embed", body=NewToken)
    def create_embed_token(embed_id: str, body: NewToken) -> Response:
        """Another token of an embed, as a portal's server makes one
        for each of its pages or readers.

        It opens the chart until its own end, and never beyond the embed's.
        """
        found = own_embed(services.access, services.identify(), embed_id)
        return _link(services, found, _expires(body.expires, services.settings.timezone))


def embed_json(found: Embed, now_ms: int) -> dict[str, Any]:
    """Return an embed as :class:`api.outputs.EmbedAnswer` describes it."""
    spec = found.spec
    return {
        "id": found.id,
        "owner": found.owner,
        "label": found.label,
        "stations": list(spec.stations),
        "sensors": list(spec.sensors),
        "range": {
            "from": iso_utc_or_none(spec.start_ms),
            "to": iso_utc_or_none(spec.end_ms),
            "last": None if spec.last_ms is None else last_text(spec.last_ms),
        },
        **_drawn_so(spec),
        "resolution": spec.resolution,
        "timezone": spec.timezone,
        "origin": found.origin,
        "state": found.state(now_ms),
        "created": iso_utc(found.created_ms),
        "expires": iso_utc_or_none(found.expires_ms),
        "revoked": iso_utc_or_none(found.revoked_ms),
    }


def _drawn_so(spec: EmbedSpec) -> dict[str, Any]:
    look = {name: getattr(spec, name) for name in ("theme", "language", "controls", "transparent", "notes")}
    return look | {"refresh": spec.refresh_s, "view": spec.view, "options": dict(spec.options)}


def view_json(services: ApiServices, embed_id: str, label: str, spec: EmbedSpec, now_ms: int, may_export: bool) -> dict[str, Any]:
    """Return a chart as :class:`api.outputs.EmbedView` describes it, in the current language."""
    loaded, shown = spec.request(now_ms), spec.shown(now_ms)
    return {
        "id": embed_id,
        "title": label or view_title(shown.stations, shown.sensors, services.site.catalogue, spec.view),
        **_drawn_so(spec),
        "rolling": spec.rolling,
        "request": {
            "stations": list(loaded.stations),
            "sensors": list(loaded.sensors),
            "start": iso_utc(loaded.start_ms),
            "end": iso_utc(loaded.end_ms),
            "resolution": loaded.resolution,
            "timezone": loaded.timezone,
        },
        "span": None if loaded == shown else {"start": shown.start_ms, "end": shown.end_ms},
        "may_export": may_export,
    }


def _shows(body: NewEmbed, zone: str) -> EmbedSpec:
    given = body.range
    check_view(body.view, body.options)
    return EmbedSpec(
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
        notes=body.notes,
        refresh_s=body.refresh,
        view=body.view,
        options=body.options,
    )


def _link(services: ApiServices, found: Embed, expires_ms: int | None) -> Response:
    """201 with a new token, as :class:`api.outputs.EmbedLink`."""
    settings = services.settings
    token = embed_token(settings.signing_secret(), found, epoch_ms(), expires_ms)
    base = site_address(settings, request.remote_addr, lower_headers(request), request.scheme, request.host)
    set_language(found.spec.language)  # of those who read the page
    answer = jsonify(embed_link(found, token, base, services.prefix, services.site.catalogue))
    answer.status_code = 201
    return answer


def _expires(text: str | None, zone: str) -> int | None:
    return None if text is None else parse_time(text, zone, field="expires")


def _unknown() -> Response:
    html = plain_page("en", _("There is no such chart."), _("The address is wrong, or the chart was removed."))
    return Response(html, 404, content_type="text/html; charset=utf-8")


def _plotly() -> Path:
    """The script that the history page is drawn with."""
    return Path(str(files("plotly"))) / "package_data" / "plotly.min.js"
