"""Running totals of rain become the increment of each interval. Pure arithmetic, no database."""

from __future__ import annotations

from datetime import tzinfo

import numpy as np
import numpy.typing as npt
import pandas as pd

_DECIMALS = 6  # a millionth of a mm: subtracting totals leaves noise far below, no gauge measures that finely
_HOUR_MS = 3_600_000


def increments(totals: npt.NDArray[np.float64], days: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.float64]:
    """What was added since the total before; shape as given, float64, NaN where nobody can know.

    A total that fell was reset, so all of it is new. Without ``days`` (a total since the last reset) the first increment is
    NaN: nothing is known before it. With ``days`` (:func:`days_of`) a total of another day than the one before is all new.
    """
    if not len(totals):
        return np.empty(0)
    steps = np.empty(len(totals))
    steps[0] = np.nan if days is None else totals[0]
    steps[1:] = np.diff(totals)
    fell = steps < -(10.0**-_DECIMALS)
    fell[0] = False
    new = fell
    if days is not None:
        day = _reset_days(days, fell)
        new = fell | (np.diff(day, prepend=day[0]) > 0)
    return np.maximum(np.round(np.where(new, totals, steps), _DECIMALS), 0.0)


def days_of(times: npt.NDArray[np.int64], zone: tzinfo) -> npt.NDArray[np.int64]:
    """For :func:`increments`: twice the local day's number of each time (int64 ms UTC), odd at midnight itself.

    A total of midnight may close the old day or open the new one; that it fell tells which.
    """
    local = pd.DatetimeIndex(times.astype("datetime64[ms]")).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    ms = local.to_numpy().astype("datetime64[ms]").astype(np.int64)
    days, rest = np.divmod(ms, 86_400_000)
    return np.where(rest == 0, 2 * days - 1, 2 * days)


def _reset_days(days: npt.NDArray[np.int64], fell: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    midnight = days % 2 == 1
    return np.where(midnight & ~fell, (days - 1) // 2, (days + 1) // 2)


def rate_to_sum(rates: npt.NDArray[np.float64], step_ms: float) -> npt.NDArray[np.float64]:
    """Rates per hour become the sum over one interval."""
    return np.round(rates * (step_ms / _HOUR_MS), _DECIMALS)
