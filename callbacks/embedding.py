"""The dialog "Embed this chart": open it on what is shown, make an embed, list one's embeds and end one."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import structlog
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from flask import request
from sqlalchemy.exc import SQLAlchemyError

from access.addresses import site_address
from access.embed_table import Embed, embeds
from access.embeds import embed_token, make_embed, revoke
from access.grants import Purpose
from access.identity import Identity
from access.shown import Shows
from callbacks.services import Services
from callbacks.start import refusal
from errors import InvalidRequest, LedgerUnavailable, NotFound, RiwayatError
from figures.window import clip_window
from jobs.job import Job
from jobs.visible import visible_job
from layouts import ids
from layouts.embed_fields import wanted
from layouts.embedding import (
    ENDS_DAYS,
    embed_list,
    made,
    range_options,
    revoke_id,
)
from layouts.frame import frame_url, iframe_line, shown_title
from layouts.status import Notice, alert

_DAY_MS = 86_400_000

log = structlog.get_logger(__name__)


def register(app: Dash, services: Services) -> None:
    """Add the callbacks of the dialog."""
    _register_button(app, services)
    _register_preview(app)
    _register_open(app, services)
    _register_create(app, services)
    _register_revoke(app, services)


def _register_button(app: Dash, services: Services) -> None:
    @app.callback(Output(ids.EMBED_OPEN, "hidden"), Input(ids.JOB_ID, "data"))
    def button(job_id: Any) -> bool:
        return not may_embed(services, job_id)

    # The length of a rolling range is asked for only where there is one.
    app.clientside_callback(
        "function(kind) { return kind !== 'rolling'; }", Output(ids.EMBED_LAST, "disabled"), Input(ids.EMBED_RANGE, "value")
    )


def _register_preview(app: Dash) -> None:
    # assets/embedding.js: the address of the preview follows the fields; the server reads them as it does for a new embed.
    fields = (ids.EMBED_RANGE, ids.EMBED_LAST, ids.EMBED_LABEL, ids.EMBED_THEME, ids.EMBED_LANGUAGE, ids.EMBED_SWITCHES)
    app.clientside_callback(
        ClientsideFunction("embedding", "preview"),
        Output(ids.EMBED_PREVIEW, "src"),
        Output(ids.EMBED_STAGE, "className"),
        Input(ids.EMBED_DIALOG, "is_open"),
        Input(ids.EMBED_SPAN, "data"),
        *(Input(name, "value") for name in fields),
        State(ids.JOB_ID, "data"),
        prevent_initial_call=True,
    )


def may_embed(services: Services, job_id: object) -> bool:
    """Whether the asking identity may embed what a job shows."""
    if not job_id:
        return False
    try:
        identity = services.identify()
        job = visible_job(services.ledger, identity, job_id)
    except (RiwayatError, SQLAlchemyError):
        return False
    return "embed" in identity.scopes and identity.rights.allows(job.request, Purpose.EMBED)


def _register_open(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.EMBED_DIALOG, "is_open"),
        Output(ids.EMBED_WHAT, "children"),
        Output(ids.EMBED_RANGE, "options"),
        Output(ids.EMBED_SPAN, "data"),
        Output(ids.EMBED_LABEL, "placeholder"),
        Output(ids.EMBED_RESULT, "children"),
        Output(ids.EMBED_LIST, "children"),
        Input(ids.EMBED_OPEN, "n_clicks"),
        State(ids.JOB_ID, "data"),
        State(ids.CHART_WINDOW, "data"),
        prevent_initial_call=True,
    )
    def open_dialog(clicks: int | None, job_id: Any, window: Any) -> tuple[Any, ...]:
        if not clicks or not may_embed(services, job_id):
            return (no_update,) * 7
        identity = services.identify()
        job = visible_job(services.ledger, identity, job_id)
        span = _visible(job, window)
        title = shown_title(job.request.stations, job.request.sensors, services.site.catalogue)
        return True, title, range_options(span, job.request.timezone), list(span), title, None, _listed(services, identity)


def _visible(job: Job, window: Any) -> tuple[int, int]:
    """The window that the page shows of a job; all of it where it shows no window of this job."""
    known = window if isinstance(window, dict) and window.get("job") == job.id else {}
    return clip_window(job.request, known.get("start"), known.get("end"))


def _register_create(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.EMBED_RESULT, "children", allow_duplicate=True),
        Output(ids.EMBED_LIST, "children", allow_duplicate=True),
        Input(ids.EMBED_CREATE, "n_clicks"),
        State(ids.JOB_ID, "data"),
        State(ids.EMBED_RANGE, "value"),
        State(ids.EMBED_SPAN, "data"),
        State(ids.EMBED_LAST, "value"),
        State(ids.EMBED_ORIGIN, "value"),
        State(ids.EMBED_EXPIRES, "value"),
        State(ids.EMBED_LABEL, "value"),
        State(ids.EMBED_THEME, "value"),
        State(ids.EMBED_LANGUAGE, "value"),
        State(ids.EMBED_SWITCHES, "value"),
        running=[(Output(ids.EMBED_CREATE, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def create(
        clicks: int | None,
        job_id: Any,
        kind: Any,
        span: Any,
        last: Any,
        origin: Any,
        ends: Any,
        label: Any,
        theme: Any,
        language: Any,
        switches: Any,
    ) -> tuple[Any, Any]:
        if not clicks:
            return no_update, no_update

        def begin() -> tuple[Any, Any]:
            identity = services.identify()
            job = visible_job(services.ledger, identity, job_id)
            shows = wanted(job.request, kind, span, last, theme, language, switches)
            found = _make(services, identity, shows, origin, ends, label)
            return _line(services, found), _listed(services, identity)

        return _said(services, begin)


def _make(services: Services, identity: Identity, shows: Shows, origin: Any, ends: Any, label: Any) -> Embed:
    now_ms = _now_ms()
    days = ENDS_DAYS.get(ends) if isinstance(ends, str) else None
    if days is None:
        raise InvalidRequest("The end of the link must lie in the future.", field="expires")
    expires_ms = now_ms + days * _DAY_MS if days else None
    return make_embed(
        services.access,
        services.site,
        identity,
        shows,
        page_origin(str(origin or "")),
        expires_ms,
        now_ms=now_ms,
        label=str(label or ""),
    )


def page_origin(address: str) -> str:
    """The origin in the address of a page, as it is copied from a browser; any other text as it is, for others to refuse.

    Raises:
        InvalidRequest: there is no text.
    """
    text = address.strip()
    if not text:
        raise InvalidRequest("Say which site shows the chart, by its address: https://portal.example.", field="origin")
    start, between, rest = text.partition("://")
    return start + between + re.split(r"[/?#]", rest, maxsplit=1)[0]


def _line(services: Services, found: Embed) -> Any:
    token = embed_token(services.settings.signing_secret(), found, _now_ms())
    headers = {name.lower(): value for name, value in request.headers.items()}
    base = site_address(services.settings, request.remote_addr, headers, request.scheme, request.host)
    url = frame_url(base, services.settings.url_prefix, found.id, token)
    title = found.label or shown_title(found.shows.stations, found.shows.sensors, services.site.catalogue)
    return made(iframe_line(url, title, theme=found.shows.theme, transparent=found.shows.transparent), url)


def _register_revoke(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.EMBED_RESULT, "children", allow_duplicate=True),
        Output(ids.EMBED_LIST, "children", allow_duplicate=True),
        Input(revoke_id(ALL), "n_clicks"),
        prevent_initial_call=True,
    )
    def end(_clicks: Sequence[int]) -> tuple[Any, Any]:
        if not ctx.triggered_id or not any(trigger["value"] for trigger in ctx.triggered):
            return no_update, no_update  # buttons that have just appeared

        def begin() -> tuple[Any, Any]:
            identity = services.identify()
            try:
                revoke(services.access, identity, str(ctx.triggered_id["embed"]))
            except NotFound:  # the list was old
                log.info("an embedded chart to be revoked is not there")
            return None, _listed(services, identity)

        return _said(services, begin)


def _said(services: Services, begin: Any) -> tuple[Any, Any]:
    """What an attempt gives, or the notice that says why not."""
    try:
        result, listed = begin()
    except RiwayatError as error:
        services.note(error)
        return _notice(refusal(error, services.settings.timezone)), no_update
    except SQLAlchemyError as error:
        log.warning("a database does not answer a page", error=str(error))
        return _notice(refusal(LedgerUnavailable(), services.settings.timezone)), no_update
    return result, listed


def _notice(found: Notice) -> Any:
    return alert(Notice(found.kind, found.sentence))


def _listed(services: Services, identity: Identity) -> Any:
    found = embeds(services.access, identity.user)
    return embed_list(found, services.site.catalogue, services.settings.timezone, _now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
