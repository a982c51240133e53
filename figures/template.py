"""How figures look: styles for light and dark, colours of sensors and stations, dashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from data.view.spread import MOST_TOLD_APART

Theme = Literal["light", "dark"]
Colour = tuple[float, float, float]

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
LINE_PX: Final = 1.25
THIN_PX: Final = 0.8  # of a line among many
DASHES: Final = ("solid", "6px,3px", "2px,2px", "9px,3px,2px,3px", "12px,4px", "4px,2px,1px,2px,1px,2px")
SYMBOLS: Final = ("circle", "diamond", "square", "triangle-up", "cross", "x")
LEAST_CONTRAST: Final = 3.0  # WCAG 2.1, 1.4.11: graphics against their background
_TINT_STEP: Final = 0.28  # how far a station's colour moves for each further sensor on its axis


@dataclass(frozen=True)
class Style:
    """Colours of one theme (CSS). ``ground`` is the page behind the transparent figure;
    ``far`` is where tints move to; ``many`` is the colour of more stations than can be told apart.

    ``hues`` are those of stations: of all colours that stand out from the ground, eight of which
    any two are farthest apart (OKLab), as seen with all cones, and without red or green ones.
    """

    ground: str
    ink: str
    muted: str
    grid: str
    axis: str
    hover_ground: str
    hover_border: str
    pending: str
    far: str
    many: str
    hues: tuple[str, ...]


STYLES: Final[Mapping[Theme, Style]] = {
    "light": Style(
        ground="#ffffff",
        ink="#1f2933",
        muted="#5b6672",
        grid="rgba(31,41,51,0.075)",
        axis="rgba(31,41,51,0.22)",
        hover_ground="rgba(255,255,255,0.96)",
        hover_border="#d3d9df",
        pending="rgba(91,102,114,0.09)",
        far="#000000",
        many="#8b959f",
        hues=("#3f3bc0", "#bf801e", "#349eb6", "#ab3511", "#864c79", "#646cf4", "#6e0b28", "#462373"),
    ),
    "dark": Style(
        ground="#14181d",
        ink="#e3e8ed",
        muted="#9aa5b1",
        grid="rgba(227,232,237,0.075)",
        axis="rgba(227,232,237,0.24)",
        hover_ground="rgba(29,35,42,0.96)",
        hover_border="#3a444f",
        pending="rgba(154,165,177,0.11)",
        far="#ffffff",
        many="#76818c",
        hues=("#9b8bfb", "#e58212", "#7adef7", "#a75c00", "#965a88", "#7153dd", "#9be84c", "#4bb3a1"),
    ),
}


def style_of(theme: str) -> Style:
    """The style of a theme; an unknown name means light."""
    return STYLES["dark" if theme == "dark" else "light"]


def base_layout(style: Style) -> dict[str, Any]:
    """What every figure's layout shares."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": style.muted},
        "colorway": ["#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7"],
        "hoverlabel": {
            "bgcolor": style.hover_ground,
            "bordercolor": style.hover_border,
            "font": {"family": FONT, "size": 12, "color": style.ink},
            "align": "left",
            "namelength": -1,
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": style.muted, "activecolor": style.ink, "orientation": "h"},
    }


def axis_style(style: Style) -> dict[str, Any]:
    """What every axis shares."""
    return {
        "showgrid": True,
        "gridcolor": style.grid,
        "gridwidth": 1,
        "zeroline": False,
        "linecolor": style.axis,
        "tickfont": {"size": 11, "color": style.muted},
        "automargin": False,
    }


def series_colour(sensor_colour: str, style: Style, station_index: int = 0, station_count: int = 1, tint: int = 0) -> str:
    """Return the colour of a series: the sensor's where there is one station, as light or dark as
    the ground needs; else the station's, and of more stations than can be told apart one for all.

    ``tint`` moves it for the second and third sensor of an axis. Always of contrast
    :data:`LEAST_CONTRAST` or more against the ground.
    """
    if station_count > MOST_TOLD_APART:
        return style.many
    colour, far = _parse(sensor_colour if station_count == 1 else style.hues[station_index]), _parse(style.far)
    while contrast(_text(colour), style.ground) < LEAST_CONTRAST:
        colour = _mix(colour, far, 0.06)
    return _text(_mix(colour, far, _TINT_STEP * (tint % 3)))


def translucent(colour: str, alpha: float) -> str:
    """``#rrggbb`` as ``rgba(…)``."""
    red, green, blue = (round(part * 255) for part in _parse(colour))
    return f"rgba({red},{green},{blue},{alpha:g})"


def mixed(one: str, other: str, share: float) -> str:
    """Return a colour between two (``#rrggbb``): ``share`` of the way from the one to the other."""
    return _text(_mix(_parse(one), _parse(other), share))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1..21 (WCAG 2.1)."""
    dark, light = sorted((_luminance(_parse(one)), _luminance(_parse(other))))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _parse(text: str) -> Colour:
    red, green, blue = (int(text[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def _text(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)
