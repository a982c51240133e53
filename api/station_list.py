"""The stations that there are, and where they stand, for programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from flask import Response, jsonify

from access.notes.note_viewer import NoteViewer
from access.notes.visible_history import visible_history
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.outputs import StationList
from data.station_history import HistoryEntry
from data.station_listing import listed_station
from data.time.epoch import ALL_TIME


def add_station_route(api: Api, services: ApiServices) -> None:
    """``/api/stations``."""

    @api.get("/api/stations", {200: Answer("The list.", StationList)}, 503, scope="read")
    def list_stations() -> Response:
        """The stations that one may see, by name.

        Sensors and times are those that are granted; where a station stands and its time zone are
        as the sensor catalogue says, `null` where it does not, and so is its history.
        """
        found, history = services.seen().inventory.stations(), _history(services)
        return jsonify(stations=[listed_station(each, services.site.catalogue, history.get(each.name, ())) for each in found])


def _history(services: ApiServices) -> Mapping[str, Sequence[HistoryEntry]]:
    """Return what may be told of the past of all stations, by name."""
    catalogue, found = services.site.catalogue, defaultdict[str, list[HistoryEntry]](list)
    viewer = NoteViewer(services.access, services.identify())
    for each in visible_history(catalogue, viewer, catalogue.stations, None, ALL_TIME, services.settings.timezone):
        found[each.station].append(each)
    return found
