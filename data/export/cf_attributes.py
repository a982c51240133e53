"""What a NetCDF file says of its rows in the words of the CF conventions 1.11
(https://cfconventions.org): what each variable is, and what the file is made of.

Nothing here tells when it was written: equal rows are equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from config import VERSION
from data.catalogue import Sensor
from data.cells.units import UnitError, temperature_kind, udunits
from data.decision import CORRECTIONS
from data.flags_missing import unchecked_months
from data.range_rows import Span
from data.readings import FLAG_HARD, FLAG_RANGE, FLAG_SOURCE, FLAG_SUSPECT
from data.request import HistoryRequest
from data.site import Site
from data.time.months import iso_utc
from escaping import visible

Attributes = Mapping[str, str]

CONVENTIONS: Final = "CF-1.11"
FLAG_MASKS: Final = (FLAG_RANGE, FLAG_SOURCE, FLAG_HARD, FLAG_SUSPECT)
_FLAG_MEANINGS: Final = "outside_valid_range bad_by_source impossible_by_rule suspect_by_rule"
_CORRECTED: Final = {"offset": "offset_added", "factor": "multiplied", "shift": "shifted_in_time", "fill": "filled_in"}
CORRECTION_MEANINGS: Final = ("as_measured", *(_CORRECTED.get(kind, kind) for kind in CORRECTIONS))
TIME_UNITS: Final = "milliseconds since 1970-01-01 00:00:00 +00:00"


_STATIONS_NAMED: Final = 5  # in the title
_INPUTS: Final = "from inputs with the flags and corrections that count"
_CELL_METHODS: Final = {"mean": "time: mean", "sum": "time: sum", "direction": "time: mean (of unit vectors)"}

TIME: Final[Attributes] = {
    "standard_name": "time",
    "long_name": "time in UTC",
    "units": TIME_UNITS,
    "calendar": "standard",
    "units_metadata": "leap_seconds: utc",
}
STATION: Final[Attributes] = {"long_name": "name of the station", "cf_role": "timeseries_id"}
ROW_SIZE: Final[Attributes] = {"long_name": "rows of the station, which stand one after the other", "sample_dimension": "obs"}
LATITUDE: Final[Attributes] = {
    "standard_name": "latitude",
    "long_name": "latitude of the station (WGS 84)",
    "units": "degrees_north",
}
LONGITUDE: Final[Attributes] = {
    "standard_name": "longitude",
    "long_name": "longitude of the station (WGS 84)",
    "units": "degrees_east",
}
ALTITUDE: Final[Attributes] = {
    "standard_name": "altitude",
    "long_name": "elevation of the station above sea level",
    "units": "m",
    "positive": "up",
}


def of_sensor(sensor: Sensor, *, raw: bool) -> dict[str, str]:
    """Return the attributes of a variable of a sensor's values."""
    found = {"long_name": sensor.label("en"), "standard_name": sensor.standard_name, **_units(sensor)}
    found["comment"] = f"computed as {sensor.formula}, {_INPUTS}" if sensor.formula else ""
    if raw:
        stamp = f"each time is the {sensor.stamp} of its interval"
        found["comment"] = "; ".join(filter(None, (found["comment"], stamp)))
    else:
        found["cell_methods"] = _CELL_METHODS[sensor.aggregation]
    return {name: text for name, text in found.items() if text}


def _units(sensor: Sensor) -> dict[str, str]:
    """Return the unit as UDUNITS spells it; as it is shown where nobody knows it."""
    try:
        kind = temperature_kind(sensor.unit_code)
        found = {"units": udunits(sensor.unit_code)}
    except UnitError:
        return {"units": sensor.unit}
    return found | ({"units_metadata": f"temperature: {kind}"} if kind else {})


def of_flags(sensor: Sensor) -> dict[str, str]:
    """Return the attributes of a variable of a sensor's flags; their masks are FLAG_MASKS."""
    return {
        "standard_name": "status_flag",
        "long_name": f"flags of {sensor.label('en')}",
        "flag_meanings": _FLAG_MEANINGS,
        "comment": f"valid range: {sensor.valid_min:g} to {sensor.valid_max:g} {sensor.unit}",
    }


def of_corrections(sensor: Sensor) -> dict[str, str]:
    """Return the attributes of a variable that tells how a sensor's readings were corrected, as
    places in CORRECTION_MEANINGS.
    """
    return {
        "standard_name": "status_flag",
        "long_name": f"corrections of {sensor.label('en')}",
        "flag_meanings": " ".join(CORRECTION_MEANINGS),
        "comment": "what people decided about the reading; of several corrections the last one",
    }


def of_file(site: Site, request: HistoryRequest, span: Span) -> dict[str, str]:
    """Return the attributes of the whole file; ``span`` is [start, end) of its rows, ms UTC."""
    start, end = map(iso_utc, span)
    labels = ", ".join(site.catalogue[name].label("en") for name in request.sensors)
    raw = request.resolution == "raw"
    found = {
        "Conventions": CONVENTIONS,
        "featureType": "timeSeries",
        "title": f"{labels} at {_named(request.stations)}",
        "institution": site.settings.institution,
        "source": f"observations of stations, from {_origin(site)}",
        "history": f"Riwayat {VERSION} wrote all rows from {start} to {end}, which is no longer part of them",
        "comment": f"{_OBSERVATIONS if raw else _buckets(request)} {_flags(site, request, span)}",
        "time_coverage_start": start,
        "time_coverage_end": end,
    }
    return {name: text for name, text in found.items() if text}


_OBSERVATIONS: Final = "Every observation, also those that are flagged."


def _buckets(request: HistoryRequest) -> str:
    return (
        f"Steps of {request.resolution} of the time zone {request.timezone}, each at its start, of observations that are not"
        " flagged. The first and the last step are made of what time_coverage_start and time_coverage_end leave of them."
    )


def _flags(site: Site, request: HistoryRequest, span: Span) -> str:
    months = unchecked_months(site, replace(request, start_ms=span[0], end_ms=span[1]))
    named = ", ".join(months)
    unchecked = (
        f" Of {named} not all readings were looked at by the rules, or decisions about them do not count yet." if months else ""
    )
    return f"Flags of quality rules that count: {site.flags}.{unchecked}"


def _named(stations: Sequence[str]) -> str:
    more = len(stations) - _STATIONS_NAMED
    return ", ".join(map(visible, stations[:_STATIONS_NAMED])) + (f" and {more} more stations" if more > 0 else "")


def _origin(site: Site) -> str:
    mapping = site.settings.source
    return f"a database, as {Path(mapping).name} maps it" if mapping else "files that were imported"
