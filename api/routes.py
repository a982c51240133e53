"""All of ``/api``: its routes, its document, and the one shape of whatever goes wrong below it."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, Final

from flask import Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from api.alarms import add_alarm_routes
from api.analysis import add_analysis_routes
from api.arriving import Inbox
from api.audit import add_audit_routes
from api.data import add_data_routes
from api.decisions import add_decision_routes
from api.embed import add_embed_routes
from api.events import add_event_routes
from api.figure import add_figure_route
from api.flagged import add_flagged_routes
from api.formulas import add_formula_routes
from api.jobs import ApiServices, add_job_routes
from api.limits import add_limit_routes
from api.manifests import add_manifest_route
from api.notes import add_note_routes
from api.observations import add_observation_route
from api.operations import Api, no_such_path
from api.picture import add_picture_route
from api.receiver import add_receiver_route
from api.rejected import add_rejected_routes
from api.reports import add_report_routes
from api.saved_views import add_view_routes
from api.schedules import add_schedule_routes
from api.series_rows import add_series_route
from api.station_changes import add_version_route, watch_stations
from api.station_list import add_station_route
from api.station_status import add_status_route
from api.table_rows import add_row_routes
from api.watcher import JobWatcher
from jobs.receiving import open_spool
from jobs.worker.wake import wake

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def register_api(server: Flask, services: ApiServices, *, listeners: int) -> None:
    """Put the API on a server, below the services's prefix."""
    api = Api("api", services.prefix, services.identify)
    add_job_routes(api, services)
    add_station_route(api, services)
    add_status_route(api, services)
    add_version_route(api, services, watch_stations(services.site))
    add_event_routes(api, services, JobWatcher(services.ledger, listeners))
    add_figure_route(api, services)
    add_picture_route(api, services)
    add_report_routes(api, services)
    add_schedule_routes(api, services)
    add_alarm_routes(api, services)
    add_data_routes(api, services)
    add_series_route(api, services)
    add_manifest_route(api, services)
    add_flagged_routes(api, services)
    add_row_routes(api, services)
    add_analysis_routes(api, services)
    add_embed_routes(api, services)
    add_view_routes(api, services)
    add_formula_routes(api, services)
    add_decision_routes(api, services)
    add_limit_routes(api, services)
    add_note_routes(api, services)
    add_audit_routes(api, services)
    # routes of observations are there whether keys are set or not: nobody else gets through
    inbox = Inbox(open_spool(services.settings), partial(wake, services.settings), services.site.catalogue)
    add_receiver_route(api, services, inbox)
    add_observation_route(api, services, inbox)
    add_rejected_routes(api, services)

    @cache
    def document() -> dict[str, Any]:
        from api.document import openapi_document  # only whoever asks for it pays for its models

        return openapi_document(api.operations, services.prefix)

    @api.blueprint.get("/api/openapi.json")
    def openapi() -> Response:
        return jsonify(document())

    _add_unknown(api)
    server.register_blueprint(api.blueprint)


def is_api(path: str, prefix: str) -> bool:
    """Whether a path is the API's, where every answer is for programs."""
    return path.removeprefix(prefix).partition("/")[0] == "api"


def _add_unknown(api: Api) -> None:
    """Answer what no route below /api does, before the page's own route, which takes any path."""

    def unknown(**_rest: str) -> Response:
        if allowed := _allowed(api, f"{api.blueprint.name}.{unknown.__name__}"):
            raise MethodNotAllowed(valid_methods=allowed)
        raise no_such_path()

    for rule in ("/api", "/api/", "/api/<path:rest>"):
        api.blueprint.add_url_rule(rule, unknown.__name__, unknown, methods=METHODS, provide_automatic_options=False)


def _allowed(api: Api, unknown: str) -> list[str]:
    """Return the methods by which a route that the asker may know answers this path."""
    adapter = current_app.create_url_adapter(request)
    found = []
    for method in METHODS:
        try:
            endpoint, _parts = adapter.match(method=method)  # type: ignore[union-attr]
        except (HTTPException, RequestRedirect):
            continue
        if endpoint.startswith("api.") and endpoint != unknown and not api.hides(endpoint):
            found.append(method)
    return found
