"""``/healthz``: the process answers. ``/readyz``: it can also do its work."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from data.site import Site
from jobs.ledger import Ledger


def health_blueprint(site: Site, ledger: Ledger, prefix: str) -> Blueprint:
    """The two routes below the prefix; they tell no secrets, so nobody need sign in."""
    blueprint = Blueprint("health", __name__, url_prefix=prefix.rstrip("/") or None)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @blueprint.get("/readyz")
    def readyz() -> Response:
        checks = {"jobs": _answers(lambda: _ping(ledger)), "observations": _answers(site.inventory.stations), "worker": False}
        if checks["jobs"]:
            checks["worker"] = bool(ledger.workers())
        body = jsonify(status="ready" if all(checks.values()) else "not ready", checks=checks)
        body.status_code = 200 if all(checks.values()) else 503
        return body

    return blueprint


def _ping(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def _answers(check: Callable[[], object]) -> bool:
    try:
        check()
    except SQLAlchemyError:
        return False
    return True
