"""What a view hands to a figure: plain records, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["line", "bars", "dots"]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SeriesView:
    """One (station, sensor) as it is drawn; docs/view.md says why it is true.

    ``x`` f8[n] is ms UTC since the epoch, ``y`` f8[n] in the sensor's unit (NaN breaks the line), ``rows`` i8[n] the
    observations behind the point (its pixel column or bucket). ``width`` f8[n] (bars only) is the bucket's width in ms; x is
    then the bucket's start. ``lower``/``upper`` f8[n] are the least and greatest observation behind each point of an
    aggregated line. ``flagged_x``, ``flagged_y`` f8[m] are hollow markers, at most two a pixel column. ``bucket`` is what
    one point stands for ("raw", "10min", "1d" …); ``exact`` says that every unflagged observation of the window is drawn.
    ``total_rows`` counts the observations of the window, ``total_flagged`` those of them that are flagged.
    """

    station: str
    sensor: str
    kind: Kind
    x: Floats
    y: Floats
    rows: Integers
    width: Floats | None
    lower: Floats | None
    upper: Floats | None
    flagged_x: Floats
    flagged_y: Floats
    bucket: str
    exact: bool
    total_rows: int
    total_flagged: int


@dataclass(frozen=True)
class SeriesStatistics:
    """Exact statistics of a window; times int ms UTC, values in the sensor's unit, None where there is no row.

    ``rows`` counts all observations, ``flagged`` those of them that are flagged; the others make min, max, mean, sum and
    last. ``completeness`` (0..1) is rows against the usual step. The mean of a direction is that of its unit vectors.
    """

    station: str
    sensor: str
    rows: int
    flagged: int
    completeness: float | None
    min: float | None
    min_time: int | None
    max: float | None
    max_time: int | None
    mean: float | None
    sum: float | None
    last: float | None
    last_time: int | None


@dataclass(frozen=True)
class HistoryView:
    """All series of a request in one window [start_ms, end_ms), int ms UTC."""

    start_ms: int
    end_ms: int
    timezone: str
    resolution: str
    series: tuple[SeriesView, ...]
    statistics: tuple[SeriesStatistics, ...]
    total_rows: int
    total_flagged: int
