"""How figures look: one style for light and one for dark, colours of sensors, dashes of stations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Theme = Literal["light", "dark"]
Colour = tuple[float, float, float]

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif"
LINE_PX: Final = 1.25
DASHES: Final = ("solid", "6px,3px", "2px,2px", "9px,3px,2px,3px", "12px,4px", "4px,2px,1px,2px,1px,2px")
SYMBOLS: Final = ("circle", "diamond", "square", "triangle-up", "cross", "x")
LEAST_CONTRAST: Final = 3.0  # WCAG 2.1, 1.4.11: graphics against their background
_TINT_STEP: Final = 0.28  # how far the colour of each further station moves from the sensor's


@dataclass(frozen=True)
class Style:
    """Colours of one theme (CSS). ``ground`` is the page behind the transparent figure; ``far`` is where tints move to."""

    ground: str
    ink: str
    muted: str
    grid: str
    axis: str
    hover_ground: str
    hover_border: str
    pending: str
    far: str


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


def series_colour(sensor_colour: str, style: Style, station_place: int = 0) -> str:
    """The line's colour: the sensor's, as light or dark as the ground needs; further stations are tints of it.

    Always of contrast :data:`LEAST_CONTRAST` or more against the ground.
    """
    colour, far = _parse(sensor_colour), _parse(style.far)
    while contrast(_text(colour), style.ground) < LEAST_CONTRAST:
        colour = _mix(colour, far, 0.06)
    return _text(_mix(colour, far, _TINT_STEP * (station_place % 3)))


def translucent(colour: str, alpha: float) -> str:
    """``#rrggbb`` as ``rgba(…)``."""
    red, green, blue = (round(part * 255) for part in _parse(colour))
    return f"rgba({red},{green},{blue},{alpha:g})"


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1..21 (WCAG 2.1, https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio)."""
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
