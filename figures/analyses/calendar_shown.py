"""What the calendar shows of a day or an hour: its name, its colours, and why there is none."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from data.arrays import Floats
from data.catalogue import Sensor
from figures.arrays import TypedArray, typed
from figures.canvas import Canvas
from figures.colour_scales import WHOLE, Scale, colour_bar, compass, direction_scale, share_scale, value_scale
from figures.template import Style
from figures.words import verbatim
from i18n import THIN_SPACE
from i18n import gettext as _

SHOWN: Final = ("completeness", "mean", "max", "min", "total")

_BAR_PX: Final = 220


def shown_name(shown: str, by: str) -> str:
    """Return what is drawn of each ``day`` or ``hour``, in words."""
    of_days = {
        "completeness": _("completeness by day"),
        "mean": _("daily mean"),
        "max": _("daily maximum"),
        "min": _("daily minimum"),
        "total": _("daily total"),
    }
    of_hours = {
        "completeness": _("completeness by hour"),
        "mean": _("hourly mean"),
        "max": _("hourly maximum"),
        "min": _("hourly minimum"),
        "total": _("hourly total"),
    }
    return (of_hours if by == "hour" else of_days)[shown]


def why_nothing(sensor: Sensor, shown: str, *, rows: bool) -> str:
    """Return why nothing is drawn of a series; empty where something is. ``rows``: it has some."""
    if not rows:
        return _("No data in this window")
    kind = sensor.aggregation
    if shown == "total" and kind != "sum":
        return _("Only what is summed, such as rain, has a total.")
    if shown in ("mean", "min") and kind == "sum":
        return _("A sum has a total and a maximum; choose one of them.")
    if shown in ("max", "min") and kind == "direction":
        return _("A direction has a mean, and no minimum or maximum.")
    return ""


def shares(rows: Floats, expected: Floats) -> Floats:
    """Return which part of the readings that were due is there, 0 to 1, and :data:`WHOLE` where it
    is all of them; NaN where none was due.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(expected > 0, rows / expected, np.nan)
    return np.where(part >= 1, WHOLE, part)


def colour_limits(values: Floats, sensor: Sensor, shown: str) -> tuple[float, float]:
    """Return the ends of the colour scale of values, one of which at least is a number."""
    if shown == "completeness":
        return 0.0, WHOLE
    if sensor.is_direction:
        return 0.0, 360.0
    least, most = float(np.nanmin(values)), float(np.nanmax(values))
    least = min(least, 0.0) if sensor.aggregation == "sum" else least
    return least, most if most > least else least + 1.0


def colours(sensor: Sensor, shown: str, style: Style) -> Scale:
    """Return the colour scale of what is shown."""
    if shown == "completeness":
        return share_scale(style)
    return direction_scale() if sensor.is_direction else value_scale(style)


def told_cells(doors: Any, rows: Floats, expected: Floats) -> TypedArray:
    """Return what each cell tells besides its value: the window of its day, int ms UTC, its
    readings, and those that were due; arrays [row][column], ``doors`` with [from, to].
    """
    told = np.concatenate([doors, rows[..., None], expected[..., None]], axis=2)
    return {**typed(told, "f8"), "shape": ", ".join(map(str, told.shape))}


def cell_words(when: str, sensor: Sensor, shown: str, by: str, expected: Floats) -> str:
    """Return Plotly's template of what a cell of :func:`told_cells` says under the pointer.
    ``when`` is the part that says its time, ``shown`` is empty where it has no value.
    """
    lines = [f"<b>{when}</b>"]
    if shown not in ("", "completeness"):
        value = f"%{{z:,.{sensor.decimals}f}}{THIN_SPACE}{verbatim(sensor.unit)}"
        lines.append(f"{shown_name(shown, by)}: {value}")
    counted = _("{rows} readings") if np.isnan(expected).all() else _("{rows} of {expected} readings")
    lines.append(counted.format(rows="%{customdata[2]:,d}", expected="%{customdata[3]:,d}"))
    return "<br>".join(lines) + "<extra></extra>"


def bar_above(sensor: Sensor, shown: str, canvas: Canvas) -> dict[str, Any]:
    """Return the colour bar that stands above a plot."""
    bar = {
        **colour_bar(canvas.style, "" if shown == "completeness" else sensor.unit),
        "orientation": "h",
        "xanchor": "left",
        "yanchor": "top",
        "len": min(_BAR_PX, canvas.width_px - 40),
    }
    if shown == "completeness":
        parts = [0, 0.25, 0.5, 0.75, (1 + WHOLE) / 2]  # the last one is under the colour of what is whole
        return {**bar, "tickvals": parts, "ticktext": [_("{percent} %").format(percent=each) for each in (0, 25, 50, 75, 100)]}
    return {**bar, **compass()} if sensor.is_direction else bar
