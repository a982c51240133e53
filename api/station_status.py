"""Which stations report as they usually do, and which do not, for programs."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from api.jobs import ApiServices
from api.operations import Answer, Api
from api.outputs import StationStatusList
from data.station_state import Punctuality, by_trouble
from data.time.epoch import epoch_ms
from data.time.months import iso_utc, iso_utc_or_none


def add_status_route(api: Api, services: ApiServices) -> None:
    """``/api/stations/status``."""

    @api.get("/api/stations/status", {200: Answer("The list.", StationStatusList)}, 503, scope="read")
    def list_status() -> Response:
        """Whether the stations that one may see report as they usually do, the most troubled first.

        Ages are by the server's clock, `now`, of the last reading that is granted.
        """
        now_ms = epoch_ms()
        found = by_trouble(services.seen().inventory.stations(), now_ms)
        return jsonify(now=iso_utc(now_ms), stations=[_listed(each) for each in found])


def _listed(found: Punctuality) -> dict[str, Any]:
    step_ms = found.station.step_ms
    return {
        "station": found.station.name,
        "state": found.state,
        "last": iso_utc_or_none(found.last_ms),
        "age_seconds": found.age_ms / 1000 if found.age_ms is not None else None,
        "step_seconds": step_ms / 1000 if step_ms is not None else None,
    }
