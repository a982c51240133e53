"""Wind roses: how often the wind blows from each sector, stacked by speed class."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

from analysis.answer import Answer
from analysis.distribution import nice_width
from data.catalogue import Catalogue
from figures.canvas import Canvas, Plot, Plots, arrange_plots, canvas_layout, plot_title
from figures.colour_scales import ramp_colours
from figures.history import Figure
from figures.legend import LETTER_PX
from figures.notes import NOTE_PX, drawn_of, in_middle, no_data, note_above, note_lines
from figures.panels import MARGIN_LEFT, MARGIN_RIGHT
from figures.roses import Rose, classes_of, roses, short_number
from figures.subjects import MOST_SUBJECTS
from figures.template import FONT, Style
from i18n import THIN_SPACE, current_language, format_number
from i18n import gettext as _

_SECTOR_DEG: Final = 22.5
_GAP_PX: Final = 24
_MOST_HOURS: Final = 24  # roses of the hours of a day, which are small enough to be seen together
_KEY_PX: Final = 44  # of a legend's entry before its words
_LEGEND_ROW_PX: Final = 20
_POINTS_PX: Final = 18  # room around a rose for its compass points
_TICKS_FROM_PX: Final = 52  # the least radius that has room for numbers
_CALM_PX: Final = {True: 30, False: 15}  # radius of the centre, where its word is written, and where only the share is


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return roses of each subject, or of each of its parts: north at the top, clockwise, in
    percent of all readings, by classes of the speed or of another sensor. Calms are written in the
    centre.
    """
    if not answer.subjects:
        return no_data(canvas)
    by = str(answer.options["by"])
    canvas = _widened(canvas)
    columns, plot_px = _grid(by, len(answer.subjects), canvas)
    classes = classes_of(answer)
    names, unit = classes.names, classes.unit
    found = roses(answer, (canvas.width_px - (columns - 1) * _GAP_PX) / columns)
    drawn = found[: _MOST_HOURS if by == "hour" else MOST_SUBJECTS]
    rows = _legend_rows(names, canvas)
    scale = _Scale(_most(drawn), _quiet_angle(drawn), plot_px / 2 - _POINTS_PX)
    lines = note_lines([*drawn_of(len(drawn), len(found)), *_said_other(answer, catalogue), *_said_rings(scale)], canvas)
    top_px = 8 + rows * _LEGEND_ROW_PX + len(lines) * NOTE_PX
    plots = arrange_plots(len(drawn), canvas, columns=columns, plot_px=plot_px, gap_px=_GAP_PX, top_px=top_px)
    colours = ramp_colours(canvas.style, len(names))
    data, layout = [], canvas_layout(canvas, plots.height, top_px)
    layout["margin"]["l"] = MARGIN_RIGHT if canvas.phone else MARGIN_LEFT
    notes = note_above(lines, canvas.style)
    for place, (rose, plot) in enumerate(zip(drawn, plots.plots, strict=True)):
        polar = "polar" if place == 0 else f"polar{place + 1}"
        layout[polar] = _polar(_inset(plot, plots, canvas), canvas.style, scale)
        data += _bars(rose, polar, names, colours, canvas.style, unit, shown=place == 0)
        notes += _texts(rose, plot, _inset(plot, plots, canvas), canvas.style, scale)
    return {"data": data, "layout": {**layout, "annotations": notes, "showlegend": True, "legend": _legend(unit, canvas)}}


@dataclass(frozen=True)
class _Scale:
    """What all roses share: the percent of the outer ring, the angle of its numbers, the radius."""

    most: float
    angle: float
    radius_px: float

    @property
    def worded(self) -> bool:
        """Whether the centre has room for a word."""
        return self.radius_px >= 100

    @property
    def rings(self) -> list[float]:
        """Percents of the rings, as few as there is room for."""
        step = nice_width(self.most, 4 if self.worded else 2)
        return [step * (place + 1) for place in range(int(self.most / step))]

    @property
    def hole(self) -> float:
        """The centre's share of the radius."""
        return min(0.4, _CALM_PX[self.worded] / max(self.radius_px, 1))


def _widened(canvas: Canvas) -> Canvas:
    """A phone's canvas, and the room at its left that a rose without numbers there leaves."""
    return replace(canvas, width_px=canvas.width_px + MARGIN_LEFT - MARGIN_RIGHT) if canvas.phone else canvas


def _grid(by: str, subjects: int, canvas: Canvas) -> tuple[int, int]:
    """How many columns of roses there are, and how high each is in px: no higher than wide."""
    if by == "none" and subjects == 1:
        columns, most_px = 1, 400
    elif canvas.phone:
        columns, most_px = 2, 150
    elif by == "hour":
        columns, most_px = 6, 150
    else:
        columns, most_px = 4 if by != "none" else min(3, subjects), 230
    return columns, min(most_px, round((canvas.width_px - (columns - 1) * _GAP_PX) / columns))


def _legend_rows(names: list[str], canvas: Canvas) -> int:
    entry_px = max(map(len, names)) * LETTER_PX + _KEY_PX
    return math.ceil(len(names) / max(1, int((canvas.width_px - 40) / entry_px)))


def _said_other(answer: Answer, catalogue: Catalogue) -> list[str]:
    """Of what the roses are, where that is not the wind."""
    other = next((subject.result.other for subject in answer.subjects if subject.result.other is not None), None)
    if other is None:
        return []
    label = catalogue[other.sensor].label(current_language())
    words = _("{sensor} by wind direction, in percent of its readings")
    if other.dry:
        words = _("{sensor} by wind direction, in percent of its readings above 0")
    return [words.format(sensor=label)]


def _said_rings(scale: _Scale) -> list[str]:
    """Which percents the rings are, where roses are too small for numbers."""
    if scale.radius_px >= _TICKS_FROM_PX:
        return []
    return [_("Rings: {percents}.").format(percents=", ".join(_percents(scale.rings)))]


def _percents(rings: list[float]) -> list[str]:
    return [f"{short_number(ring)}{THIN_SPACE}%" for ring in rings]


def _most(roses: list[Rose]) -> float:
    """Percent of the outer ring: that of the longest bar of all, so that roses compare."""
    longest = max((rose.percent(int(rose.counts.sum(axis=1).max())) for rose in roses), default=0.0)
    return longest * 1.02 or 1.0


def _quiet_angle(roses: list[Rose]) -> float:
    """The angle of the numbers of the rings (degrees from the east, anticlockwise): between the two
    sectors with the shortest bars.
    """
    if not roses:
        return 45.0
    lengths = sum(rose.counts.sum(axis=1) / max(rose.rows, 1) for rose in roses)
    pairs = [float(lengths[place] + lengths[(place + 1) % len(lengths)]) for place in range(len(lengths))]
    return (270.0 - (pairs.index(min(pairs)) + 0.5) * _SECTOR_DEG) % 360.0 - 180.0


def _inset(plot: Plot, plots: Plots, canvas: Canvas) -> Plot:
    """The place of a rose within its plot: less the compass points around it."""
    across = _POINTS_PX / max(canvas.width_px, 1)
    high = _POINTS_PX / max(plots.height - plots.top_px, 1)
    return Plot(plot.left + across, max(plot.right - across, plot.left + across), plot.bottom + high, plot.top - high)


def compass_points() -> tuple[str, ...]:
    """Return the names of the 16 sectors in the current language, from north clockwise."""
    return (
        *(_("N"), _("NNE"), _("NE"), _("ENE"), _("E"), _("ESE"), _("SE"), _("SSE")),
        *(_("S"), _("SSW"), _("SW"), _("WSW"), _("W"), _("WNW"), _("NW"), _("NNW")),
    )


def _polar(plot: Plot, style: Style, scale: _Scale) -> dict[str, Any]:
    line = {"gridcolor": style.axis, "gridwidth": 1, "linecolor": style.axis}
    return {
        "domain": plot.domain,
        "hole": scale.hole,
        "bgcolor": "rgba(0,0,0,0)",
        "bargap": 0.12,
        "angularaxis": {
            **line,
            "direction": "clockwise",
            "rotation": 90,
            "tickmode": "array",
            "tickvals": [45 * place for place in range(8)],
            "ticktext": list(compass_points()[::2]),
            "ticks": "",
            "tickfont": {"size": 11 if scale.radius_px >= _TICKS_FROM_PX else 9, "color": style.muted},
        },
        "radialaxis": {
            **line,
            "range": [0, scale.most],
            "angle": scale.angle,
            "tickangle": scale.angle,  # upright, as it turns with its axis
            "tickmode": "array",
            "tickvals": scale.rings,
            "ticktext": _percents(scale.rings),
            "ticks": "",
            "showline": False,
            "showticklabels": scale.radius_px >= _TICKS_FROM_PX,
            "tickfont": {"size": 10.5 if scale.worded else 9, "color": style.muted},
        },
    }


def _bars(
    rose: Rose, polar: str, names: list[str], colours: list[str], style: Style, unit: str, *, shown: bool
) -> list[dict[str, Any]]:
    points = compass_points()
    angles = [place * _SECTOR_DEG for place in range(len(points))]
    bars = []
    for klass, (name, colour) in enumerate(zip(names, colours, strict=True)):
        counts = rose.counts[:, klass].tolist()
        percents = [rose.percent(count) for count in counts]
        said = f"{name}{THIN_SPACE}{unit}" if unit else name
        bars.append(
            {
                "type": "barpolar",
                "subplot": polar,
                "theta": angles,
                "r": percents,
                "name": name,
                "legendgroup": name,
                "showlegend": shown,
                "marker": {"color": colour, "line": {"color": style.ground, "width": 0.5}},
                "hovertext": [
                    f"{point} · {said}<br>{format_number(percent, 1)}{THIN_SPACE}% · n = {format_number(count)}"
                    for point, percent, count in zip(points, percents, counts, strict=True)
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    return bars


def _texts(rose: Rose, plot: Plot, inner: Plot, style: Style, scale: _Scale) -> list[dict[str, Any]]:
    """Name above, and in the centre the share of calms."""
    if not rose.rows:
        return [plot_title(plot, rose.name, style), in_middle(inner, _("No data"), style)]
    share = f"{format_number(rose.percent(rose.calm), 1)}{THIN_SPACE}%"
    calm = in_middle(inner, "", style)
    calm |= {"text": f"{_('calm')}<br>{share}" if scale.worded else share, "font": {"size": 11 if scale.worded else 9.5}}
    calm["font"]["color"] = style.ink
    return [plot_title(plot, rose.name, style), calm]


def _legend(unit: str, canvas: Canvas) -> dict[str, Any]:
    return {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 1,
        "yanchor": "top",
        "yref": "container",
        "title": {"text": unit, "side": "left", "font": {"size": 12, "color": canvas.style.muted}},
        "font": {"family": FONT, "size": 12, "color": canvas.style.ink},
        "bgcolor": "rgba(0,0,0,0)",
        "traceorder": "normal",
        "itemclick": False,
        "itemdoubleclick": False,
    }
