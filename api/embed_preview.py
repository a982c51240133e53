"""The preview of a chart that is about to be embedded:
the frame's own page and script, for whoever is signed in.

It holds no token, and only pages of this site may frame it. What it shows is asked for with the
session of whoever looks, so that it opens nothing that is not open already. Looked at alone it asks
for nothing: a link to it starts no load.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, request

from access.addresses import site_address
from access.embeds.spec import EmbedSpec, check_label
from access.grants import Purpose
from access.restricted_site import require_permission
from api.embed import frame_files, frame_policy, view_json
from api.headers import lower_headers
from api.jobs import ApiServices
from data.time.epoch import epoch_ms
from errors import InvalidRequest, NotFound, NotPermitted, RiwayatError
from i18n import current_language, set_language, translate_error
from jobs.job import Job, Status
from layouts.embed_fields import wanted
from layouts.embedding import CONTROLS, NOTES, TRANSPARENT
from layouts.frame import FramePage, frame_page
from layouts.page import plain_page

_POLICY: Final = frame_policy("'self'")
_DRAWN: Final = (Status.QUEUED, Status.RUNNING, Status.COMPLETED)


def preview_blueprint(services: ApiServices) -> Blueprint:
    """``/embed/preview``; its query holds the fields of the dialog (assets/embedding.js)."""
    blueprint = Blueprint("preview", __name__, url_prefix=services.prefix.rstrip("/") or None)
    files = frame_files(services.prefix)

    @blueprint.get("/embed/preview")
    def preview() -> Response:
        if request.headers.get("Sec-Fetch-Dest", "iframe") != "iframe":
            raise NotFound("There is no {path}.", path=request.path)
        try:
            html, status = _page(services, files), 200
        except RiwayatError as error:
            html = plain_page(current_language(), translate_error(type(error)()), translate_error(error))
            status = error.http_status
        response = Response(html, status, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    return blueprint


def _page(services: ApiServices, files: Mapping[str, str]) -> str:
    fields = request.args
    identity = services.identify()
    if "embed" not in identity.scopes:
        raise NotPermitted
    job = services.job(fields.get("job", ""))
    switches = [name for name in (CONTROLS, TRANSPARENT, NOTES) if name in fields]
    drawn: dict[str, Any] = {name: _number(fields.get(name)) for name in ("start", "end")}
    drawn |= {"view": fields.get("view"), "options": _options(fields.get("options", ""))}
    last, theme, language = (fields.get(name, "") for name in ("last", "theme", "language"))
    spec = wanted(job.request, fields.get("range"), drawn, last, theme, language, switches)
    now_ms = epoch_ms()
    loaded = spec.request(now_ms)
    require_permission(services.site, identity, loaded, Purpose.EMBED)
    may_export = spec.controls and "export" in identity.scopes and identity.rights.allows(loaded, Purpose.EXPORT)
    set_language(spec.language)
    view = view_json(services, "", check_label(fields.get("label", "")), spec, now_ms, may_export) | _of_job(job, spec)
    settings = services.settings
    base = site_address(settings, request.remote_addr, lower_headers(request), request.scheme, request.host)
    text = json.dumps(view, ensure_ascii=False)
    return frame_page(FramePage("", base, spec.theme, spec.transparent, services.prefix, files, preview=text))


def _of_job(job: Job, spec: EmbedSpec) -> dict[str, Any]:
    """A fixed range is drawn from the job that the page shows, so that no other is made;
    a preview is not refreshed.
    """
    if spec.rolling or job.status not in _DRAWN:
        return {"rolling": False}
    return {"rolling": False, "job": job.id, "span": {"start": spec.start_ms, "end": spec.end_ms}}


def _options(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise InvalidRequest("The options of the view are no JSON.", field="options") from None


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch("-?[0-9]{1,15}", text) else None
