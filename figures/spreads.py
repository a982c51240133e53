"""More stations of a sensor than can be told apart: their median, and the band from 10 to 90 %."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np

from data.arrays import Floats
from data.catalogue import Catalogue, Sensor
from data.time.epoch import DAY_MS
from data.view.records import Spread
from figures.arrays import measured, times
from figures.bands import band_outline
from figures.legend import spread_name
from figures.panels import Panels
from figures.placed_series import Trace
from figures.template import Style, series_colour, translucent
from figures.traces import steps
from figures.wallclock import WallClock
from figures.words import bucket_adjective, bucket_ms, verbatim
from i18n import current_language

_MEDIAN_PX: Final = 2.25


def spread_traces(spread: Spread, catalogue: Catalogue, panels: Panels, clock: WallClock, style: Style) -> list[Trace]:
    """Return the band and, over it, the median of a sensor's stations; nothing where each has a
    panel.
    """
    panel = next(each for each in panels.panels if spread.sensor in (sensor.name for sensor in each.sensors))
    if panel.alone or not spread.x.size:
        return []
    sensor = catalogue[spread.sensor]
    colour = series_colour(sensor.color, style)
    x = clock.bucket_to_axis(spread.x) if bucket_ms(spread.bucket) >= DAY_MS else clock.to_axis(spread.x)
    common = {"legendgroup": spread.sensor, "xaxis": "x", "yaxis": panel.axis, "type": "scatter", "mode": "lines"}
    return [
        {**common, **_band(spread, sensor, x, clock.window, colour)},
        {**common, **_median(spread, sensor, x, colour)},
    ]


def _uid(spread: Spread) -> str:
    """What tells it from others in every figure; a word, since Plotly makes CSS selectors of it."""
    return "m" + hashlib.blake2b(spread.sensor.encode(), digest_size=6).hexdigest()


def _median(spread: Spread, sensor: Sensor, x: Floats, colour: str) -> dict[str, Any]:
    places, values = _line(spread, x)
    aside = bucket_adjective(spread.bucket)
    quiet = f"  <span style='opacity:.65'>{aside}</span>"
    return {
        "name": verbatim(f"{spread_name(spread)} · {sensor.label(current_language())}"),
        "uid": _uid(spread),
        "x": times(places),
        "y": measured(values, sensor.decimals),
        "line": {
            "color": colour,
            "width": _MEDIAN_PX,
            "dash": "solid",
            "simplify": False,
            **({"shape": "hv"} if spread.kind == "bars" else {}),
        },
        "connectgaps": False,
        "hovertemplate": f"<b>%{{y:,.{sensor.decimals}f}} {verbatim(sensor.unit)}</b>{quiet}",
    }


def _line(spread: Spread, x: Floats) -> tuple[Floats, Floats]:
    """Places and values of the median: as steps where the sensor is drawn as bars, else a line that
    breaks where no station has a reading.
    """
    if spread.kind == "bars":
        return steps(x, spread.y, spread.width)
    at = _breaks(spread)
    middles = (x[at] + x[at - 1]) / 2
    return np.insert(x, at, middles), np.insert(spread.y, at, np.nan)


def _breaks(spread: Spread) -> Any:
    """Positions before which a bucket is missing."""
    return np.flatnonzero(spread.x[1:] > spread.x[:-1] + spread.width[:-1] + 1) + 1


def _band(spread: Spread, sensor: Sensor, x: Floats, window: tuple[float, float], colour: str) -> dict[str, Any]:
    lower, upper = spread.lower, spread.upper
    if spread.kind == "bars":  # from edge to edge of each bucket
        x = np.stack([x, x + spread.width], axis=1).ravel()
        lower, upper = np.repeat(lower, 2), np.repeat(upper, 2)
    else:
        at = _breaks(spread)
        middles = (x[at] + x[at - 1]) / 2
        x, lower, upper = np.insert(x, at, middles), np.insert(lower, at, np.nan), np.insert(upper, at, np.nan)
    outline_x, outline_y = band_outline(x, lower, upper, window)
    return {
        "name": "",
        "uid": _uid(spread) + "band",
        "x": times(outline_x),
        "y": measured(outline_y, sensor.decimals),
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": translucent(colour, 0.22),
        "hoverinfo": "skip",
        "showlegend": False,
    }
