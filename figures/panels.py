"""Where panels lie: one for each unit, stacked over one time axis, and how high the figure is."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from data.catalogue import Catalogue, Sensor
from data.view.records import HistoryView, SeriesView
from figures.legend import LEGEND_ROW_PX, legend_rows
from figures.template import Style, axis_style
from figures.trend_options import AUTOMATIC, NO_LIMITS, AxisLimits, PanelRule, TrendOptions
from figures.words import in_order
from i18n import gettext as _

# px; the plot is the chart's width less these two, and the overview lies under it
MARGIN_LEFT: Final = 54
MARGIN_RIGHT: Final = 14
MARGIN_BOTTOM: Final = 38
RIGHT_AXIS_PX: Final = 54  # the right margin where an axis has its labels there
HEADER_PX: Final = 22  # a panel's name above it
_LEGEND_GAP_PX: Final = 8
PHONE_PX: Final = 560  # a plot narrower than this belongs to a phone

_HEIGHT_PX: Final = {1: 330, 2: 184, 3: 144}  # height of each panel by their number
_LEAST_HEIGHT_PX: Final = 124
_LOWEST_PX: Final = 28  # of a panel whose figure's height is given
# of a direction's axis: the circle and a little room for its markers
DIRECTION_SPAN_DEG: Final = 376.0
_DIRECTION_ROOM_DEG: Final = (DIRECTION_SPAN_DEG - 360) / 2
_TICK_PX: Final = 24  # room of a tick
_PHONE_SHARE: Final = 0.78


Key = tuple[str, str]
"""A series: its station and its sensor."""


@dataclass(frozen=True)
class Panel:
    """Series of one unit that share a y axis; ``bottom``/``top``: shares of the plot's height.

    ``over`` names the axis over which its own is drawn, at the right; ``like`` names the axis
    whose scale it has. ``limits`` are what its reader chose, ``alone`` says that each series has a
    panel.
    """

    series: tuple[Key, ...]
    sensors: tuple[Sensor, ...]
    axis: str
    bottom: float
    top: float
    height_px: float
    over: str = ""
    like: str = ""
    limits: AxisLimits = NO_LIMITS
    logarithmic: bool = False
    alone: bool = False

    @property
    def unit(self) -> str:
        """The unit of all its sensors."""
        return self.sensors[0].unit

    @property
    def direction(self) -> bool:
        """Whether it shows directions, 0 to 360 degrees."""
        return self.sensors[0].is_direction

    def of(self, view: HistoryView) -> list[SeriesView]:
        """Return its series as they are drawn."""
        return [one for one in view.series if (one.station, one.sensor) in self.series]


@dataclass(frozen=True)
class Panels:
    """All panels, topmost first, and the figure's sizes in px."""

    panels: tuple[Panel, ...]
    height: int
    margin_top: int

    @property
    def margin_right(self) -> int:
        """Room at the right: more where an axis stands there."""
        return RIGHT_AXIS_PX if any(panel.over for panel in self.panels) else MARGIN_RIGHT

    def of(self, station: str, sensor: str) -> Panel:
        """The panel of a series."""
        return next(panel for panel in self.panels if (station, sensor) in panel.series)


def arrange(
    view: HistoryView,
    catalogue: Catalogue,
    width_px: int,
    height_px: int | None = None,
    options: TrendOptions = AUTOMATIC,
) -> Panels:
    """Panels in the order of the catalogue, of equal height,
    a header above each and the legend above all.

    ``height_px`` is the whole figure's; no panel is made lower than can be read.
    None: as high as reads well.
    """
    groups = _groups(view, catalogue, options.panel)
    places = _places([catalogue[group[0][1]] for group in groups], options.panel)
    number = places[-1] + 1 if places else 1
    rows = legend_rows(view, catalogue, width_px)
    margin_top = HEADER_PX + LEGEND_ROW_PX * rows + (_LEGEND_GAP_PX if rows else 0)
    each = _HEIGHT_PX.get(number, _LEAST_HEIGHT_PX) * (_PHONE_SHARE if width_px < PHONE_PX else 1.0)
    if height_px is not None:
        room_px = height_px - margin_top - MARGIN_BOTTOM - (number - 1) * HEADER_PX
        each = max(_LOWEST_PX, room_px / number)
    inner = number * each + (number - 1) * HEADER_PX
    drawn = [catalogue[name] for name in {one.sensor for one in view.series}]
    panels: list[Panel] = []
    for group, place in zip(groups, places, strict=True):
        top = 1 - place * (each + HEADER_PX) / inner
        sensors = tuple(catalogue[name] for name in dict.fromkeys(name for _station, name in group))
        axis = f"y{len(panels) + 1}" if panels else "y"
        panel = Panel(group, sensors, axis, max(0.0, top - each / inner), top, each)
        panels.append(_chosen(panel, panels, drawn, options))
    return Panels(tuple(panels), round(inner + margin_top + MARGIN_BOTTOM), margin_top)


def _kind(sensor: Sensor) -> tuple[str, bool]:
    """What sensors of one axis have in common."""
    return sensor.unit, sensor.is_direction


def _groups(view: HistoryView, catalogue: Catalogue, rule: PanelRule) -> list[tuple[Key, ...]]:
    """Return the series of each axis."""
    groups: dict[object, list[Key]] = {}
    for one in in_order(view.series, catalogue):
        key = (one.station, one.sensor)
        groups.setdefault(_kind(catalogue[one.sensor]) if rule in ("unit", "pair") else key, []).append(key)
    return [tuple(group) for group in groups.values()]


def _places(sensors: Sequence[Sensor], rule: PanelRule) -> list[int]:
    """Return in which panel each axis stands, from 0 at the top; ``sensors`` has one of each."""
    places: list[int] = []
    for index, sensor in enumerate(sensors):
        alone = not places or places.count(places[-1]) > 1 or any(_kind(one)[1] for one in (sensor, sensors[index - 1]))
        places.append(places[-1] + int(alone or rule != "pair") if places else 0)
    return places


def _chosen(panel: Panel, before: Sequence[Panel], drawn: Collection[Sensor], options: TrendOptions) -> Panel:
    """Return a panel as its reader wants it; ``before`` are those above it and beside it,
    ``drawn`` all sensors.
    """
    shared = options.panel == "shared"
    names = {sensor.name for sensor in (drawn if shared else panel.sensors) if _kind(sensor) == _kind(panel.sensors[0])}
    like = next((one.axis for one in before if shared and _kind(one.sensors[0]) == _kind(panel.sensors[0])), "")
    over = before[-1].axis if before and before[-1].top == panel.top else ""
    limits = next((options.limits[name] for name in options.limits if name in names), NO_LIMITS)
    return replace(
        panel,
        over=over,
        like=like,
        limits=limits,
        logarithmic=bool(names & options.logarithmic),
        alone=options.panel in ("own", "shared"),
    )


def value_axis(panel: Panel, style: Style, *, empty: bool = False) -> dict[str, Any]:
    """The y axis of a panel: few ticks; compass points for directions.

    ``empty``: the panel has no value, so there is no scale, and none is written:
    Plotly would invent one from -1 to 4.
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
        "automargin": "left",  # no label is cut; assets/chart.js lets the overview follow
        "exponentformat": "power",
        "minexponent": 9,  # shorter numbers have all their digits
    }
    if not panel.direction:
        return {**axis, **_scale(panel), **_beside(panel), "showticklabels": not empty}
    return {
        **axis,
        "autorange": False,
        "range": [-_DIRECTION_ROOM_DEG, 360 + _DIRECTION_ROOM_DEG],
        "tickmode": "array",
        "tickvals": [0, 90, 180, 270, 360],
        "ticktext": [_("N"), _("E"), _("S"), _("W"), _("N")],
    }


def _scale(panel: Panel) -> dict[str, Any]:
    """Type and range of a y axis; an end without a limit is where the readings end."""
    rain_only = all(sensor.drawing == "bars" for sensor in panel.sensors)
    kind = "log" if panel.logarithmic else "linear"
    found: dict[str, Any] = {"type": kind, "rangemode": "tozero" if rain_only else "normal", "autorange": True}
    ends = [panel.limits.low, panel.limits.high]
    if ends == [None, None]:
        return found
    found["range"] = [math.log10(end) if end is not None and panel.logarithmic else end for end in ends]
    return found | {"autorange": "min" if ends[0] is None else "max" if ends[1] is None else False}


def _beside(panel: Panel) -> dict[str, Any]:
    """What ties an axis to another: the scale of one above it, or the place of one at its left."""
    if panel.like:
        return {"matches": panel.like}
    if not panel.over:
        return {}
    return {"overlaying": panel.over, "side": "right", "showgrid": False, "zeroline": False, "automargin": True}


def note(text: str, x: int, y: float, font: dict[str, Any]) -> dict[str, Any]:
    """A text that ends at the right edge (x = 1) or begins at the left one (0),
    and stands on a height of the plot (y, 0 to 1).
    """
    side = "right" if x else "left"
    place = {"xref": "paper", "x": x, "xanchor": side, "yref": "paper", "y": y, "yanchor": "bottom", "yshift": 1}
    return {"text": text, **place, "showarrow": False, "font": font}
