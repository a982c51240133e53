"""The readings of a month after what people corrected, from the tiles that this needs
(docs/decisions/0041).
"""

from __future__ import annotations

import structlog

from data.cells.units import UnitError, conversion
from data.corrections import CorrectedRows, Good, corrected, measured
from data.decision_reach import Fill
from data.flag_layer import FlagLayer
from data.sensor import Sensor
from data.site_like import SiteLike
from data.time.months import month_bounds_ms, month_start_ms
from errors import UnknownSensor

log = structlog.get_logger(__name__)


def corrected_month(site: SiteLike, layer: FlagLayer, sensor: Sensor, month: int) -> CorrectedRows:
    """Return the corrected readings stamped in a UTC month; what is not there is left out.

    Raises:
        TileDamaged: a tile is damaged, and out of the index now.
    """
    reach, months = layer.reach_in(month), [*layer.reach_in(month).months, month]
    series = layer.tiles.open_series(layer.base, month_start_ms(min(months)), month_start_ms(max(months) + 1))
    others = {fill.decision.number: good for fill in reach.fills if (good := _good(site, layer, sensor, fill)) is not None}
    return corrected(measured(*series.read()), reach.decisions, sensor, others).between(*month_bounds_ms(month))


def _good(site: SiteLike, layer: FlagLayer, sensor: Sensor, fill: Fill) -> Good | None:
    """Return the unflagged readings that fill in, in the unit of the sensor that they fill; None
    where its unit cannot become that.
    """
    key = layer.filling_key(fill.decision)
    start, end = month_start_ms(fill.months[0]), month_start_ms(fill.months[-1] + 1)
    times, values, flags = layer.tiles.open_series(key, start, end).read()
    try:
        unit = site.catalogue.knowing([key.sensor])[key.sensor].unit_code
        convert = conversion(unit, sensor.unit_code) if unit != sensor.unit_code else None
    except (UnknownSensor, UnitError) as exc:
        log.warning("a decision fills in nothing", number=fill.decision.number, reason=str(exc))
        return None
    good = flags == 0
    return times[good], values[good] if convert is None else convert(values[good])
