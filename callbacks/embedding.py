"""The dialog "Embed this chart": open it on what is shown, make an embed,
list one's embeds and end one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import structlog
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from flask import request
from sqlalchemy.exc import SQLAlchemyError

from access.addresses import site_address
from access.embeds.embed_table import Embed, embeds
from access.embeds.embed_token import embed_token, make_embed, revoke
from access.embeds.spec import EmbedSpec
from access.identity import Identity
from callbacks.selection import Selection
from callbacks.submit import refused, was_pressed
from data.time.epoch import DAY_MS, epoch_ms
from data.view.window import clip_window
from errors import InvalidRequest, NotFound, RiwayatError
from jobs.authorized import authorized_job, may_embed
from jobs.job import Job
from jobs.services import Services
from layouts import ids
from layouts.embed_fields import wanted
from layouts.embedding import (
    ENDS_DAYS,
    embed_list,
    made,
    range_options,
    revoke_id,
)
from layouts.frame import frame_url, iframe_line
from layouts.notices import Notice, alert
from layouts.views import view_title

log = structlog.get_logger(__name__)


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the dialog."""
    _register_fields(app)
    _register_preview(app)
    _register_open(app, services)
    _register_create(app, services)
    _register_revoke(app, services)


def _register_fields(app: Dash) -> None:
    # The length of a rolling range is asked for only where there is one.
    app.clientside_callback(
        ClientsideFunction("embedding", "isFixed"), Output(ids.EMBED_LAST, "disabled"), Input(ids.EMBED_RANGE, "value")
    )


def _register_preview(app: Dash) -> None:
    # assets/embedding.js: the address of the preview follows the fields;
    # the server reads them as it does for a new embed.
    fields = (ids.EMBED_RANGE, ids.EMBED_LAST, ids.EMBED_LABEL, ids.EMBED_THEME, ids.EMBED_LANGUAGE, ids.EMBED_SWITCHES)
    app.clientside_callback(
        ClientsideFunction("embedding", "preview"),
        Output(ids.EMBED_PREVIEW, "src"),
        Output(ids.EMBED_STAGE, "className"),
        Input(ids.EMBED_DIALOG, "is_open"),
        Input(ids.EMBED_SHOWN, "data"),
        *(Input(name, "value") for name in fields),
        State(ids.JOB_ID, "data"),
        prevent_initial_call=True,
    )


def _embeddable(services: Services, job_id: object) -> tuple[Identity, Job] | None:
    """Return who is asking and the job, where it may be embedded."""
    if not job_id:
        return None
    try:
        identity = services.identify()
        job = authorized_job(services.ledger, identity, job_id)
    except (RiwayatError, SQLAlchemyError):
        return None
    return (identity, job) if may_embed(identity, job) else None


def _register_open(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.EMBED_DIALOG, "is_open"),
        Output(ids.EMBED_WHAT, "children"),
        Output(ids.EMBED_RANGE, "options"),
        Output(ids.EMBED_SHOWN, "data"),
        Output(ids.EMBED_LABEL, "placeholder"),
        Output(ids.EMBED_RESULT, "children"),
        Output(ids.EMBED_LIST, "children"),
        Input(ids.EMBED_OPEN, "n_clicks"),
        State(ids.JOB_ID, "data"),
        State(ids.CHART_DRAWN, "data"),
        prevent_initial_call=True,
    )
    def open_dialog(clicks: int | None, job_id: Any, drawn: Any) -> tuple[Any, ...]:
        found = _embeddable(services, job_id) if clicks else None
        if found is None:
            return (no_update,) * 7
        identity, job = found
        shown = _visible(job, drawn)
        title = view_title(job.request.stations, job.request.sensors, services.site.catalogue, shown["view"])
        ranges = range_options((shown["start"], shown["end"]), job.request.timezone)
        return True, title, ranges, shown, title, None, _listed(services, identity)


def _visible(job: Job, drawn: Any) -> dict[str, Any]:
    """The window and the view that are drawn of a job; all of it where another job is drawn."""
    known = drawn if isinstance(drawn, dict) and drawn.get("job") == job.id else {}
    start, end = clip_window(job.request, known.get("start"), known.get("end"))
    selection = Selection().with_view(known.get("view"), known.get("options"))
    return {"start": start, "end": end, "view": selection.view, "options": dict(selection.options)}


def _register_create(app: Dash, services: Services) -> None:
    @app.callback(
        output=(
            Output(ids.EMBED_RESULT, "children", allow_duplicate=True),
            Output(ids.EMBED_LIST, "children", allow_duplicate=True),
        ),
        inputs={"clicks": Input(ids.EMBED_CREATE, "n_clicks")},
        state={
            "job_id": State(ids.JOB_ID, "data"),
            "origin": State(ids.EMBED_ORIGIN, "value"),
            "ends": State(ids.EMBED_EXPIRES, "value"),
            "label": State(ids.EMBED_LABEL, "value"),
            "fields": {
                "kind": State(ids.EMBED_RANGE, "value"),
                "shown": State(ids.EMBED_SHOWN, "data"),
                "last": State(ids.EMBED_LAST, "value"),
                "theme": State(ids.EMBED_THEME, "value"),
                "language": State(ids.EMBED_LANGUAGE, "value"),
                "switches": State(ids.EMBED_SWITCHES, "value"),
            },
        },
        running=[(Output(ids.EMBED_CREATE, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def create(clicks: int | None, job_id: Any, origin: Any, ends: Any, label: Any, fields: dict[str, Any]) -> tuple[Any, Any]:
        if not clicks:
            return no_update, no_update

        def begin() -> tuple[Any, Any]:
            identity = services.identify()
            job = authorized_job(services.ledger, identity, job_id)
            found = _make(services, identity, wanted(job.request, **fields), origin, ends, label)
            return _line(services, found), _listed(services, identity)

        return _or_notice(services, begin)


def _make(services: Services, identity: Identity, spec: EmbedSpec, origin: Any, ends: Any, label: Any) -> Embed:
    now_ms = epoch_ms()
    days = ENDS_DAYS.get(ends) if isinstance(ends, str) else None
    if days is None:
        raise InvalidRequest("The link must expire in the future.", field="expires")
    expires_ms = now_ms + days * DAY_MS if days else None
    return make_embed(
        services.access,
        services.site,
        identity,
        spec,
        page_origin(str(origin or "")),
        expires_ms,
        now_ms=now_ms,
        label=str(label or ""),
    )


def page_origin(address: str) -> str:
    """The origin in the address of a page, as it is copied from a browser;
    any other text as it is, for others to refuse.

    Raises:
        InvalidRequest: there is no text.
    """
    text = address.strip()
    if not text:
        raise InvalidRequest("Enter the site that will embed the chart, such as https://portal.example.", field="origin")
    start, between, rest = text.partition("://")
    return start + between + re.split(r"[/?#]", rest, maxsplit=1)[0]


def _line(services: Services, found: Embed) -> Any:
    token = embed_token(services.settings.signing_secret(), found, epoch_ms())
    headers = {name.lower(): value for name, value in request.headers.items()}
    base = site_address(services.settings, request.remote_addr, headers, request.scheme, request.host)
    url = frame_url(base, services.settings.url_prefix, found.id, token)
    spec = found.spec
    title = found.label or view_title(spec.stations, spec.sensors, services.site.catalogue, spec.view)
    return made(iframe_line(url, title, theme=spec.theme, transparent=spec.transparent), url)


def _register_revoke(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.EMBED_RESULT, "children", allow_duplicate=True),
        Output(ids.EMBED_LIST, "children", allow_duplicate=True),
        Input(revoke_id(ALL), "n_clicks"),
        prevent_initial_call=True,
    )
    def end(_clicks: Sequence[int]) -> tuple[Any, Any]:
        if not was_pressed():
            return no_update, no_update  # buttons that have just appeared

        def begin() -> tuple[Any, Any]:
            identity = services.identify()
            try:
                revoke(services.access, identity, str(ctx.triggered_id["embed"]))
            except NotFound:  # the list was old
                log.info("an embedded chart to be revoked is not there")
            return None, _listed(services, identity)

        return _or_notice(services, begin)


def _or_notice(services: Services, begin: Any) -> tuple[Any, Any]:
    """What an attempt gives, or the notice that says why not."""
    try:
        result, listed = begin()
    except (RiwayatError, SQLAlchemyError) as error:
        notice = refused(services, error)
        # without an action: the dialog covers the form
        return alert(Notice(notice.kind, notice.sentence)), no_update
    return result, listed


def _listed(services: Services, identity: Identity) -> Any:
    found = embeds(services.access, identity.user)
    return embed_list(found, services.site.catalogue, services.settings.timezone, epoch_ms())
