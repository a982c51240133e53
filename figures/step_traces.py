"""Values of steps of time as lines, bars or dots, whose points are doors, and their axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from data.arrays import Floats, Integers
from data.catalogue import Sensor
from data.time.epoch import DAY_MS, HOUR_MS
from figures.arrays import measured, times, typed
from figures.canvas import Canvas, Plot, axis_key, axis_name
from figures.colour_scales import compass
from figures.template import DASHES, axis_style, translucent
from figures.words import tick_formats, verbatim

Trace = dict[str, Any]
_MOST_BARS: Final = 400  # of a plot; more are the outline of steps
_ROOM_STEPS: Final = 6  # shown before and after a step shorter than a day, so that one sees where it is
_SHORTEST_DAY_MS: Final = 22 * HOUR_MS


@dataclass(frozen=True)
class Steps:
    """What is drawn of steps: ``x`` f8[n] axis ms at which each begins, ``y`` f8[n], its ``doors``
    i8[n][2] ms UTC, and ``clock`` f8[n], what the clock shows at its own beginning.
    """

    x: Floats
    y: Floats
    doors: Integers
    clock: Floats


@dataclass(frozen=True)
class Look:
    """How steps are drawn: a name as Plotly shows it, a colour, the ``number`` of its dashes,
    whether it stands behind others, and whether the legend names it.
    """

    name: str
    colour: str
    number: int = 0
    quiet: bool = False
    listed: bool = False


def doors_of(starts: Integers, ends: Integers) -> Integers:
    """Return the windows to which steps lead, i8[n][2] ms UTC: a day or longer itself, a shorter
    one with some steps around it.
    """
    room = np.where(ends - starts < _SHORTEST_DAY_MS, (ends - starts) * _ROOM_STEPS, 0)
    return np.column_stack([starts - room, ends + room])


def step_trace(steps: Steps, look: Look, sensor: Sensor, width_ms: int, axes: dict[str, str], place: tuple[int, int]) -> Trace:
    """Return the trace of some steps; ``width_ms`` is the length of a step, ``place`` which trace
    it is of how many in its plot.
    """
    what = f"<b>{look.name}</b><br>" if look.name else ""
    clock = "%-d %b %Y" if width_ms >= DAY_MS else "%-d %b %Y %H:%M"
    value = f"%{{y:,.{sensor.decimals}f}} {verbatim(sensor.unit)}"
    return {
        **_kind(steps, look, sensor, width_ms, place),
        **axes,
        "x": times(steps.x),
        "y": measured(steps.y, sensor.decimals + 1),
        "customdata": _door_data(steps),
        "hovertemplate": f"{what}%{{customdata[2]|{clock}}}<br>{value}<extra></extra>",
        "name": look.name,
        "legendgroup": look.name,
        "showlegend": look.listed,
    }


def _door_data(steps: Steps) -> dict[str, str]:
    columns = np.column_stack([steps.doors.astype(np.float64), steps.clock])
    return {**typed(columns, "f8"), "shape": f"{columns.shape[0]},3"}


def _kind(steps: Steps, look: Look, sensor: Sensor, width_ms: int, place: tuple[int, int]) -> Trace:
    """Sums are bars while they are few, directions dots, all else lines."""
    number, several = place
    alpha = 0.75 if look.quiet else 1.0
    colour = translucent(look.colour, alpha)
    if sensor.is_direction:
        return {"type": "scatter", "mode": "markers", "marker": {"color": colour, "size": 4}}
    if sensor.aggregation == "sum" and len(steps.x) * several <= _MOST_BARS:
        share = width_ms * 0.9 / several
        at = {"width": share, "offset": width_ms * 0.05 + share * number}
        return {"type": "bar", "marker": {"color": colour, "line": {"width": 0}}, **at}
    dash = DASHES[look.number % len(DASHES)]
    line = {"color": colour, "width": 1.2 if look.quiet else 1.6, "dash": dash}
    if sensor.aggregation == "sum":
        line["shape"] = "hv"
    alone = _alone(steps.y)
    dots = {"marker": {"color": colour, "size": typed(alone, "u1"), "line": {"width": 0}}} if alone.any() else {}
    return {"type": "scatter", "mode": "lines+markers" if dots else "lines", "line": line, "connectgaps": False, **dots}


def _alone(y: Floats) -> Integers:
    """Sizes of markers that show values between two that are missing."""
    broken = ~np.isfinite(np.concatenate(([np.nan], y, [np.nan])))
    return np.where(broken[:-2] & broken[2:] & ~broken[1:-1], 4, 0)


def step_axes(
    plot: Plot, number: int, window: tuple[float, float], canvas: Canvas, sensor: Sensor, form: str, shown: Sequence[Floats]
) -> dict[str, Any]:
    """Return the axes of a plot: time over ``window`` (axis ms), and values with room for all that
    is ``shown``.
    """
    axis = {**axis_style(canvas.style), "fixedrange": True}
    across = canvas.width_px * (plot.right - plot.left)
    winds = sensor.is_direction and form != "difference"
    return {
        axis_name("x", number): {
            **axis,
            "type": "date",
            "domain": plot.domain["x"],
            "anchor": axis_key("y", number),
            "range": list(window),
            "showline": True,
            "tickformatstops": tick_formats(),
            "nticks": min(12, max(3, int(across // 80))),
        },
        axis_name("y", number): {
            **axis,
            "domain": plot.domain["y"],
            "anchor": axis_key("x", number),
            "automargin": "left",
            "nticks": 7 if form != "side by side" else 4,
            "ticksuffix": f" {verbatim(sensor.unit)}",
            "showticksuffix": "last",
            "separatethousands": True,
            "zeroline": form == "difference" or sensor.aggregation == "sum",
            "zerolinecolor": canvas.style.axis,
            **({**compass(), "range": [-8, 368], "ticksuffix": ""} if winds else _range(shown, sensor, form)),
        },
    }


def _range(shown: Sequence[Floats], sensor: Sensor, form: str) -> dict[str, Any]:
    values = np.concatenate([each[np.isfinite(each)] for each in shown] or [np.empty(0)])
    if not values.size:
        return {}
    least, most = float(values.min()), float(values.max())
    if form == "difference":
        least, most = min(least, 0.0), max(most, 0.0)
    room = (most - least) * 0.05 or 1.0
    sums = sensor.aggregation == "sum" and form != "difference"
    return {"range": [min(0.0, least) if sums else least - room, most + room]}
