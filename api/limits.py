"""Limits of quality control over HTTP: see, set, give back to the catalogue."""

from __future__ import annotations

from flask import Response, jsonify

from access.limits.limit_changes import LimitChange
from access.limits.limit_list import SeriesLimits, limits_json, series_limits
from access.restricted_site import own_zone
from api.data import window_time
from api.jobs import ApiServices
from api.limit_bodies import LimitsAnswer, LimitsPatch, LimitsQuery, LimitsReceipt
from api.operations import Answer, Api
from data.request import HistoryRequest
from jobs.decision_job import Reviewing
from jobs.limit_job import change_and_load


def add_limit_routes(api: Api, services: ApiServices) -> None:
    """``/api/limits``."""

    @api.get("/api/limits", {200: Answer("The limits.", LimitsAnswer)}, 400, scope="read", query=LimitsQuery)
    def show_limits(query: LimitsQuery) -> Response:
        """Show by which limits rules look at a series, and where each comes from."""
        return jsonify(limits_json(_limits(services, query.station, query.sensor)))

    changed = {200: Answer("The limits as they are now.", LimitsReceipt)}

    @api.patch("/api/limits", changed, 400, 409, scope="review", body=LimitsPatch)
    def change_limits(body: LimitsPatch) -> Response:
        """Set limits of a series, or give them back to the catalogue.

        No reading changes. The job in the answer makes the flags of the series anew.
        """
        identity = services.identify()
        reviewing = Reviewing(services.site, services.ledger, services.access, identity, services.wake)
        change = LimitChange(body.station, body.sensor, body.limits, tuple(body.reset))
        done = change_and_load(reviewing, change, seen=body.seen, load=_load(services, body))
        told = limits_json(_limits(services, body.station, body.sensor))
        return jsonify(told | {"job": done.job and done.job.id})


def _limits(services: ApiServices, station: str | None, sensor: str) -> SeriesLimits:
    return series_limits(services.access, services.site, services.identify(), station, sensor)


def _load(services: ApiServices, body: LimitsPatch) -> HistoryRequest | None:
    if body.load is None:
        return None
    rights = services.identify().rights
    zone = own_zone(services.site.catalogue, rights, body.load.station, services.settings.timezone)
    start_ms, end_ms = (window_time(name, at, zone, 0) for name, at in (("from", body.load.start), ("to", body.load.end)))
    return HistoryRequest(tuple(body.load.station), (body.sensor,), start_ms, end_ms)
