"""All of ``/api``: its routes, its document, and the one shape of whatever goes wrong below it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from api.audit import add_audit_routes
from api.data import add_data_routes
from api.document import openapi_document
from api.embed import add_embed_routes
from api.events import add_event_routes
from api.jobs import Desk, add_job_routes
from api.operations import Api
from api.watcher import JobWatcher
from errors import NotFound

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def register_api(server: Flask, desk: Desk, *, listeners: int) -> None:
    """Put the API on a server, below the desk's prefix."""
    api = Api("api", desk.prefix, desk.identify)
    add_job_routes(api, desk)
    add_event_routes(api, desk, JobWatcher(desk.ledger, listeners))
    add_data_routes(api, desk)
    add_embed_routes(api, desk)
    add_audit_routes(api, desk)
    document = openapi_document(api.operations, desk.prefix)

    @api.blueprint.get("/api/openapi.json")
    def openapi() -> Response:
        return jsonify(document)

    _add_unknown(api.blueprint)
    server.register_blueprint(api.blueprint)


def is_api(path: str, prefix: str) -> bool:
    """Whether a path is the API's, where every answer is for programs."""
    return path.removeprefix(prefix).partition("/")[0] == "api"


def _add_unknown(blueprint: Blueprint) -> None:
    """What no route answers below /api, before the page's own route, which takes any path, can."""

    def unknown(**_rest: str) -> Response:
        if allowed := _allowed(f"{blueprint.name}.{unknown.__name__}"):
            raise MethodNotAllowed(valid_methods=allowed)
        raise NotFound("There is no {path}.", path=request.path[:80])

    for rule in ("/api", "/api/", "/api/<path:rest>"):
        blueprint.add_url_rule(rule, unknown.__name__, unknown, methods=METHODS, provide_automatic_options=False)


def _allowed(unknown: str) -> list[str]:
    """Methods by which a route of the API answers the path in hand."""
    adapter = current_app.create_url_adapter(request)
    found = []
    for method in METHODS:
        try:
            endpoint, _parts = adapter.match(method=method)  # type: ignore[union-attr]
        except (HTTPException, RequestRedirect):
            continue
        if endpoint.startswith("api.") and endpoint != unknown:
            found.append(method)
    return found
