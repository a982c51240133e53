"""Wind as components towards east and north."""

from __future__ import annotations

import numpy as np

from data.arrays import Floats


def wind_u(speed: Floats, direction: Floats) -> Floats:
    """Return the component towards the east, in the unit of speed, of a wind from a direction
    (radians, clockwise from north): u = -s sin d (CF standard names
    eastward_wind and wind_from_direction).
    """
    found: Floats = -speed * np.sin(direction)
    return found


def wind_v(speed: Floats, direction: Floats) -> Floats:
    """Return the component towards the north: v = -s cos d; else as :func:`wind_u`."""
    found: Floats = -speed * np.cos(direction)
    return found
