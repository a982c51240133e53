"""``/healthz``: the process answers. ``/readyz``: it can do its work. ``/metrics``: numbers."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from access.identity import may_read_metrics
from api.monitoring.metrics import CONTENT_TYPE, WebMetrics
from api.monitoring.readiness import Readiness, SharedReadiness


def health_blueprint(readiness: Readiness, metrics: WebMetrics, prefix: str) -> Blueprint:
    """The routes below the prefix; nobody need sign in.
    The first two tell no secrets, the third has a rule of its own.
    """
    shared = SharedReadiness(readiness)
    blueprint = Blueprint("health", __name__, url_prefix=prefix.rstrip("/") or None)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @blueprint.get("/readyz")
    def readyz() -> Response:
        checks = shared.checks()
        failed = [name for name, well in checks.items() if not well]
        body = jsonify(status="not ready" if failed else "ready", checks=checks, failed=failed)
        body.status_code = 503 if failed else 200
        return body

    @blueprint.get("/metrics")
    def numbers() -> Response:
        may_read_metrics(readiness.site.settings, request.remote_addr, dict(request.headers))
        return Response(metrics.exposition(readiness), content_type=CONTENT_TYPE)

    return blueprint
