"""The audit log over HTTP; for others than administrators there is none."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, jsonify

from access.audit import Wanted, entry_json, wanted_entries
from access.audit_csv import csv_pieces
from api.jobs import Desk
from api.models import AuditList, AuditQuery
from api.operations import Answer, Api
from data.months import iso_utc

_ENTRIES: Final = {200: Answer("A page of the log; with format=csv a file of all that is asked for.", AuditList, ("text/csv",))}


def add_audit_routes(api: Api, desk: Desk) -> None:
    """``/api/audit``."""

    @api.get("/api/audit", _ENTRIES, 400, 404, scope="admin", query=AuditQuery)
    def list_audit(query: AuditQuery) -> Response:
        """Who did what, newest first; for administrators."""
        wanted = wanted_entries(desk.site.settings.timezone, query.actor, query.action, query.start, query.end)
        return _file(desk, wanted) if query.format == "csv" else jsonify(_page(desk, query, wanted))


def _page(desk: Desk, query: AuditQuery, wanted: Wanted) -> dict[str, Any]:
    found = desk.access.audit.entries(wanted, limit=query.limit + 1, before=query.before)
    shown = found[: query.limit]
    more = len(found) > len(shown)
    return {"entries": [entry_json(one) for one in shown], "next": _next(desk, query, shown[-1].number) if more else None}


def _next(desk: Desk, query: AuditQuery, last: int) -> str:
    """Path of the page after the one that ends with an entry."""
    fields = {"actor": query.actor, "action": query.action, "from": query.start, "to": query.end}
    given = {name: value for name, value in fields.items() if value} | {"limit": query.limit, "before": last}
    return f"{desk.prefix}api/audit?{urlencode(given)}"


def _file(desk: Desk, wanted: Wanted) -> Response:
    """All entries, streamed; that they were taken is an entry too."""
    asked = {"actor": wanted.actor, "action": wanted.action, "from": _iso(wanted.from_ms), "to": _iso(wanted.to_ms)}
    pieces = csv_pieces(desk.access.audit.every(wanted))
    first = [next(pieces), next(pieces, b"")]  # a database that does not answer is an answer, not a broken file
    desk.access.audit.record(
        "export", {"of": "audit", "format": "csv", **{name: value for name, value in asked.items() if value}}
    )
    response = Response(chain(first, pieces), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso_utc(at_ms)
