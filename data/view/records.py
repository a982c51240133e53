"""What a view hands to a figure: plain records, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from data.arrays import Floats, Integers
from data.time.epoch import DAY_MS, HOUR_MS

Kind = Literal["line", "bars", "dots"]
Refusal = Literal["", "finer", "many", "floor"]
SmoothingKind = Literal["mean", "median"]
LENGTHS: Final[Mapping[str, int]] = {"1h": HOUR_MS, "1d": DAY_MS, "7d": 7 * DAY_MS, "30d": 30 * DAY_MS}


@dataclass(frozen=True)
class Smoothing:
    """A running mean or median; ``length`` is one of :data:`LENGTHS`."""

    length: str
    kind: SmoothingKind = "mean"

    @property
    def length_ms(self) -> int:
        """Length in ms."""
        return LENGTHS[self.length]


@dataclass(frozen=True)
class SmoothLine:
    """What ran over a series: ``x`` f8[n] ms UTC, ``y`` f8[n] in the sensor's unit, NaN where too
    few readings are; or why there is none.

    ``refused``: it is ``finer`` than pixels show; there are too ``many`` readings for medians; a
    ``floor`` lets only whole steps be seen.
    """

    smoothing: Smoothing
    x: Floats
    y: Floats
    refused: Refusal = ""


@dataclass(frozen=True)
class Points:
    """The drawn part of one series; docs/view.md says why it is true.

    ``x`` f8[n] is ms UTC since the epoch, ``y`` f8[n] in the sensor's unit (NaN breaks the line),
    ``rows`` i8[n] the observations behind the point (its pixel column or bucket). ``width`` f8[n]
    (bars only) is the bucket's width in ms; x is then the bucket's start. ``lower``/``upper`` f8[n]
    are the least and greatest observation behind each point of an aggregated line. ``bucket`` is
    what one point stands for ("raw", "10min", "1d" …); ``exact`` says that every unflagged
    observation of the window is drawn.
    """

    x: Floats
    y: Floats
    rows: Integers
    bucket: str = "raw"
    exact: bool = False
    width: Floats | None = None
    lower: Floats | None = None
    upper: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class SeriesView(Points):
    """One (station, sensor) as it is drawn.

    ``flagged_x``, ``flagged_y`` f8[m] are hollow markers, at most two a pixel column.
    ``total_rows`` counts the observations of the window, ``total_flagged`` those of them that are
    flagged.
    """

    station: str
    sensor: str
    kind: Kind
    flagged_x: Floats
    flagged_y: Floats
    total_rows: int
    total_flagged: int
    smooth: SmoothLine | None = None


@dataclass(frozen=True)
class FlagMarks:
    """What the rules of quality control found in the window of a series: how many readings are left
    out, how many stay though they are ``suspect``, and spans with these, [``start``, ``end``) f8[k]
    ms UTC. ``unmade``: months of the window have not been looked at.
    """

    station: str
    sensor: str
    left_out: int
    suspect: int
    start: Floats
    end: Floats
    unmade: bool = False


@dataclass(frozen=True)
class SeriesStatistics:
    """Exact statistics of a window; times int ms UTC, values in the sensor's unit,
    None where there is no row.

    ``rows`` counts all observations, ``flagged`` those of them that are flagged; the others make
    min, max, mean, sum and last. ``completeness`` (0..1) is rows against the usual step. The mean
    of a direction is that of its unit vectors.
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
class Spread:
    """How the values of more stations than can be told apart lie: buckets that begin at ``x`` f8[n]
    (ms UTC) and are ``width`` f8[n] ms wide; in each ``y`` f8[n] is the median of the stations, and
    a tenth of them lie below ``lower`` and above ``upper`` f8[n], in the sensor's unit.

    ``stations`` counts those with readings; what a station has in a bucket is by the sensor's rule.
    """

    sensor: str
    stations: int
    kind: Kind
    bucket: str
    x: Floats
    width: Floats
    y: Floats
    lower: Floats
    upper: Floats


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
    spreads: tuple[Spread, ...] = ()
    marks: tuple[FlagMarks, ...] = ()
