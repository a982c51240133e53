"""Where panels lie: one for each unit, stacked over one time axis, and how high the figure is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from data.catalogue import Catalogue, Sensor
from data.drawn import HistoryView
from figures.template import Style, axis_style
from figures.traces import DIRECTION_SPAN_DEG
from figures.words import in_order, series_name
from i18n import current_language
from i18n import gettext as _

MARGIN_LEFT: Final = 54  # px; the plot is the chart's width less these two, and the overview lies under it
MARGIN_RIGHT: Final = 14
MARGIN_BOTTOM: Final = 38
HEADER_PX: Final = 22  # a panel's name above it
LEGEND_ROW_PX: Final = 19
_LEGEND_GAP_PX: Final = 8
PHONE_PX: Final = 560  # a plot narrower than this belongs to a phone

_HEIGHT_PX: Final = {1: 330, 2: 184, 3: 144}  # height of each panel by their number
_LEAST_HEIGHT_PX: Final = 124
_LOWEST_PX: Final = 48  # of a panel whose figure's height is given
_DIRECTION_ROOM_DEG: Final = (DIRECTION_SPAN_DEG - 360) / 2
_TICK_PX: Final = 24  # room of a tick
_PHONE_SHARE: Final = 0.78
_LETTER_PX: Final = 6.6  # of a legend's letter in a wide font, and of the key before its words
_KEY_PX: Final = 46


@dataclass(frozen=True)
class Panel:
    """Sensors of one unit that share a y axis. ``bottom``/``top`` are shares of the plot's height."""

    sensors: tuple[Sensor, ...]
    axis: str
    bottom: float
    top: float
    height_px: float

    @property
    def unit(self) -> str:
        """The unit of all its sensors."""
        return self.sensors[0].unit

    @property
    def direction(self) -> bool:
        """Whether it shows directions, 0 to 360 degrees."""
        return self.sensors[0].aggregation == "direction"


@dataclass(frozen=True)
class Panels:
    """All panels, topmost first, and the figure's sizes in px."""

    panels: tuple[Panel, ...]
    height: int
    margin_top: int

    def of(self, sensor: str) -> Panel:
        """The panel of a sensor."""
        return next(panel for panel in self.panels if any(known.name == sensor for known in panel.sensors))


def arrange(view: HistoryView, catalogue: Catalogue, width_px: int, height_px: int | None = None) -> Panels:
    """Panels in the order of the catalogue, of equal height, a header above each and the legend above all.

    ``height_px`` is the whole figure's; no panel is made lower than can be read. None: as high as reads well.
    """
    groups: dict[tuple[str, bool], list[Sensor]] = {}
    for sensor in catalogue:
        if any(series.sensor == sensor.name for series in view.series):
            groups.setdefault((sensor.unit, sensor.aggregation == "direction"), []).append(sensor)
    number = max(1, len(groups))
    rows = legend_rows(view, catalogue, width_px)
    margin_top = HEADER_PX + LEGEND_ROW_PX * rows + (_LEGEND_GAP_PX if rows else 0)
    each = _HEIGHT_PX.get(number, _LEAST_HEIGHT_PX) * (_PHONE_SHARE if width_px < PHONE_PX else 1.0)
    if height_px is not None:
        room_px = height_px - margin_top - MARGIN_BOTTOM - (number - 1) * HEADER_PX
        each = max(_LOWEST_PX, room_px / number)
    inner = number * each + (number - 1) * HEADER_PX
    panels = []
    for place, sensors in enumerate(groups.values()):
        top = 1 - place * (each + HEADER_PX) / inner
        panels.append(Panel(tuple(sensors), "y" if place == 0 else f"y{place + 1}", max(0.0, top - each / inner), top, each))
    return Panels(tuple(panels), round(inner + margin_top + MARGIN_BOTTOM), margin_top)


def legend_rows(view: HistoryView, catalogue: Catalogue, width_px: int) -> int:
    """Rows that the legend takes, filled as Plotly does, estimated from the length of its names; 0 for a single series."""
    if len(view.series) < 2:
        return 0
    rows, used_px = 1, 0.0
    for series in in_order(view.series, catalogue):
        entry_px = len(series_name(series.station, catalogue[series.sensor])) * _LETTER_PX + _KEY_PX
        if used_px and used_px + entry_px > width_px:
            rows, used_px = rows + 1, 0.0
        used_px += entry_px
    return rows


def value_axis(panel: Panel, style: Style, *, empty: bool = False) -> dict[str, Any]:
    """The y axis of a panel: few ticks; compass points for directions.

    ``empty``: the panel has no value, so there is no scale, and none is written: Plotly would invent one from -1 to 4.
    """
    axis = {
        **axis_style(style),
        "domain": [panel.bottom, panel.top],
        "anchor": "x",
        "fixedrange": True,
        "showline": False,
        "ticks": "",
        "ticklabelposition": "outside",
        "nticks": max(3, int(panel.height_px // _TICK_PX) + 1),
        "tickmode": "auto",
        "separatethousands": True,
        "zeroline": any(sensor.drawing == "bars" for sensor in panel.sensors),
        "zerolinecolor": style.axis,
        "zerolinewidth": 1,
    }
    if not panel.direction:
        rain_only = all(sensor.drawing == "bars" for sensor in panel.sensors)
        return {**axis, "autorange": True, "rangemode": "tozero" if rain_only else "normal", "showticklabels": not empty}
    return {
        **axis,
        "autorange": False,
        "range": [-_DIRECTION_ROOM_DEG, 360 + _DIRECTION_ROOM_DEG],
        "tickmode": "array",
        "tickvals": [0, 90, 180, 270, 360],
        "ticktext": [_("N"), _("E"), _("S"), _("W"), _("N")],
    }


def header(panel: Panel, style: Style) -> dict[str, Any]:
    """The panel's name and unit, above its left corner."""
    names = ", ".join(sensor.label(current_language()) for sensor in panel.sensors)
    return {
        "text": f"<b>{panel.unit}</b>  {names}",
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "yref": "paper",
        "y": panel.top,
        "yanchor": "bottom",
        "yshift": 1,
        "showarrow": False,
        "font": {"size": 11.5, "color": style.muted},
    }
