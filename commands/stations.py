"""``stations`` and ``sensors``: what there is."""

from __future__ import annotations

import typer

from commands.printing import AsJson, show
from config import load_settings


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(stations)
    app.command()(sensors)


def stations(as_json: AsJson = False) -> None:
    """List the stations: their sensors, first and last observation, usual step, rows, and where
    they stand.
    """
    from data.database.engine import explained
    from data.site import open_site
    from data.station_history import history_of
    from data.station_listing import listed_station

    settings = load_settings()
    site = open_site(settings)
    with explained(site.engine):
        found = site.inventory.stations()
    past = {station.name: history_of(site.catalogue, [station.name], settings.timezone) for station in found}
    rows = [listed_station(station, site.catalogue, past[station.name]) for station in found]
    if not as_json:  # a line has no room for it
        rows = [{name: value for name, value in row.items() if name != "history"} for row in rows]
    show(rows, as_json, "There is no station yet; manage.py import brings in files, manage.py demo makes a synthetic one.")


def sensors(as_json: AsJson = False) -> None:
    """List the sensors of the catalogue: unit, valid range, how each is aggregated and drawn;
    the formula of a derived one.
    """
    from data.catalogue import load_catalogue

    rows = [
        {
            "sensor": sensor.name,
            "label": sensor.label("en"),
            "unit": sensor.unit,
            "valid_min": sensor.valid_min,
            "valid_max": sensor.valid_max,
            "aggregation": sensor.aggregation,
            "drawing": sensor.drawing,
            "stamp": sensor.stamp,
            "formula": sensor.formula or None,
        }
        for sensor in load_catalogue(load_settings().sensors)
    ]
    show(rows, as_json)
