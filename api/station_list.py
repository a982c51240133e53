"""The stations that there are, and where they stand, for programs."""

from __future__ import annotations

from flask import Response, jsonify

from api.jobs import ApiServices
from api.operations import Answer, Api
from api.outputs import StationList
from data.station_listing import listed_station


def add_station_route(api: Api, services: ApiServices) -> None:
    """``/api/stations``."""

    @api.get("/api/stations", {200: Answer("The list.", StationList)}, 503, scope="read")
    def list_stations() -> Response:
        """The stations that one may see, by name.

        Sensors and times are those that are granted; where a station stands and its time zone are
        as the sensor catalogue says, `null` where it does not.
        """
        found = services.seen().inventory.stations()
        return jsonify(stations=[listed_station(each, services.site.catalogue) for each in found])
