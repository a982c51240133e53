"""The audit log over HTTP; for others than administrators there is none."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

from flask import Response, jsonify

from access.audit.csv import csv_pieces
from access.audit.entries import AuditFilter, entry_json, parse_audit_filter
from api.audit_inputs import AuditQuery
from api.concurrency import limit_key
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.outputs import AuditList
from data.time.months import iso_utc_or_none

_ENTRIES: Final = {200: Answer("A page of the log; with format=csv a file of all that is asked for.", AuditList, ("text/csv",))}


def add_audit_routes(api: Api, services: ApiServices) -> None:
    """``/api/audit``."""

    @api.get("/api/audit", _ENTRIES, 400, 404, 429, 503, scope="admin", query=AuditQuery)
    def list_audit(query: AuditQuery) -> Response:
        """Who did what, newest first; for administrators."""
        wanted = parse_audit_filter(services.settings.timezone, query.actor, query.action, query.start, query.end)
        if query.format != "csv":
            return jsonify(_page(services, query, wanted))
        answer = _file(services, wanted)
        services.downloads.hold(limit_key(services.identify()), answer)
        return answer


def _page(services: ApiServices, query: AuditQuery, wanted: AuditFilter) -> dict[str, Any]:
    found = services.access.audit.entries(wanted, limit=query.limit + 1, before=query.before)
    shown = found[: query.limit]
    following = services.page_after("api/audit", query, shown[-1].number) if found[len(shown) :] else None
    return {"entries": [entry_json(one) for one in shown], "next": following}


def _file(services: ApiServices, wanted: AuditFilter) -> Response:
    """Return all entries, streamed; that they were downloaded is an entry too."""
    span = {"from": iso_utc_or_none(wanted.from_ms), "to": iso_utc_or_none(wanted.to_ms)}
    asked = {"actor": wanted.actor, "action": wanted.action, **span}
    pieces = csv_pieces(services.access.audit.every(wanted))
    # a database that does not answer is an answer, not a broken file
    first = [next(pieces), next(pieces, b"")]
    services.access.audit.record(
        "export", {"of": "audit", "format": "csv", **{name: value for name, value in asked.items() if value}}
    )
    response = Response(chain(first, pieces), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response
