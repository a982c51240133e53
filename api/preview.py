"""The preview of a chart that is about to be embedded: the frame's own page and script, for whoever is signed in.

It holds no token, and only pages of this site may frame it. What it shows is asked for with the session of whoever looks, so
that it opens nothing that is not open already. Looked at alone it asks for nothing: a link to it starts no load.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, request

from access.addresses import site_address
from access.grants import Purpose
from access.seen import permit
from access.shown import Shows, check_label
from api.embed import frame_files, frame_policy, view_json
from api.jobs import Desk
from api.sessions import lower_headers
from errors import NotFound, NotPermitted, RiwayatError
from i18n import current_language, set_language, translate_error
from jobs.job import Job, Status
from layouts.embed_fields import wanted
from layouts.embedding import CONTROLS, TRANSPARENT
from layouts.frame import FramePage, frame_page
from layouts.page import plain_page

_POLICY: Final = frame_policy("'self'")
_DRAWN: Final = (Status.QUEUED, Status.RUNNING, Status.COMPLETED)


def preview_blueprint(desk: Desk) -> Blueprint:
    """``/embed/preview``; its query holds the fields of the dialog (assets/embedding.js)."""
    blueprint = Blueprint("preview", __name__, url_prefix=desk.prefix.rstrip("/") or None)
    files = frame_files(desk.prefix)

    @blueprint.get("/embed/preview")
    def preview() -> Response:
        if request.headers.get("Sec-Fetch-Dest", "iframe") != "iframe":
            raise NotFound("There is no {path}.", path=request.path)
        try:
            html, status = _page(desk, files), 200
        except RiwayatError as error:
            html, status = (
                plain_page(current_language(), translate_error(type(error)()), translate_error(error)),
                error.http_status,
            )
        response = Response(html, status, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    return blueprint


def _page(desk: Desk, files: Mapping[str, str]) -> str:
    fields = request.args
    identity = desk.identify()
    if "embed" not in identity.scopes:
        raise NotPermitted
    job = desk.job(fields.get("job", ""))
    switches = [name for name in (CONTROLS, TRANSPARENT) if name in fields]
    span = [_number(fields.get("start")), _number(fields.get("end"))]
    last, theme, language = (fields.get(name, "") for name in ("last", "theme", "language"))
    shows = wanted(job.request, fields.get("range"), span, last, theme, language, switches)
    shown = shows.request(time.time_ns() // 1_000_000)
    permit(desk.site, identity, shown, Purpose.EMBED)
    may_export = shows.controls and "export" in identity.scopes and identity.rights.allows(shown, Purpose.EXPORT)
    set_language(shows.language)
    view = view_json(desk, "", check_label(fields.get("label", "")), shows, shown, may_export) | _of_job(job, shows)
    settings = desk.site.settings
    base = site_address(settings, request.remote_addr, lower_headers(request), request.scheme, request.host)
    text = json.dumps(view, ensure_ascii=False)
    return frame_page(FramePage("", base, shows.theme, shows.transparent, desk.prefix, files, preview=text))


def _of_job(job: Job, shows: Shows) -> dict[str, Any]:
    """A fixed range is drawn from the job that the page shows, so that no other is made; a preview is not refreshed."""
    if shows.rolling or job.status not in _DRAWN:
        return {"rolling": False}
    return {"rolling": False, "job": job.id, "span": {"start": shows.start_ms, "end": shows.end_ms}}


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch("-?[0-9]{1,15}", text) else None
