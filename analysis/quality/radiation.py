"""Radiation against the sun: light at night, and more than the sun can give."""

from __future__ import annotations

from typing import Final

import numpy as np

from analysis.quality.jumps import Beyond
from analysis.quality.sun import greatest_radiation, sine_of_elevation
from data.arrays import Floats, Integers
from data.time.epoch import MINUTE_MS

_GRID_MS: Final = 10 * MINUTE_MS  # the sun is looked up so often, straight between
_NIGHT_SINE: Final = -0.1045  # the sun 6 degrees below the horizon, the end of civil twilight
_PAR_OF_GLOBAL: Final = 2.3  # umol/J: the greatest usual ratio of PAR to global radiation


def below_dark(values: Floats, darkest: float) -> Beyond:
    """Return where radiation is below what a dark sensor shows.

    Long and Shi (2008), table 1: global radiation below -4 W/m2 is not physically possible; thermal
    offset of unventilated domes goes lower in clear nights.
    """
    if not len(values) or values.min() >= darkest:
        return Beyond(np.empty(0, np.int64), np.empty(0), np.empty(0))
    at = np.flatnonzero(values < darkest)
    return Beyond(at, np.full(len(at), darkest), values[at] / darkest)


def against_sun(times: Integers, values: Floats, position: tuple[float, float], night_limit: float, *, par: bool) -> Beyond:
    """Return where there is more than ``night_limit`` while the sun is below the horizon by 6
    degrees, or more than is physically possible at its height (Long and Shi 2008).

    ``times`` i8[n] ms UTC at the middle of the readings' intervals, ``values`` W/m2, or PAR in
    umol/m2/s; ``position`` degrees north and east.
    """
    bright = np.flatnonzero(values > night_limit)  # darkness contradicts no sun
    if not len(bright):
        return Beyond(bright, np.empty(0), np.empty(0))
    lit = times[bright]
    grid = np.arange(int(lit[0]) // _GRID_MS, int(lit[-1]) // _GRID_MS + 2) * _GRID_MS
    limit = np.interp(lit, grid, _limits(grid, position, night_limit, _PAR_OF_GLOBAL if par else 1.0))
    at = np.flatnonzero(values[bright] > limit)
    return Beyond(bright[at], limit[at], values[bright[at]] / limit[at])


def _limits(times: Integers, position: tuple[float, float], night_limit: float, factor: float) -> Floats:
    sine = sine_of_elevation(times, *position)
    return np.where(sine < _NIGHT_SINE, night_limit, factor * greatest_radiation(times, sine))
