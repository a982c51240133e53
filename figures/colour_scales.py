"""Scales of colours that can be seen on either ground: of values, of shares, of directions, of
what grows from few to many.
"""

from __future__ import annotations

from typing import Any, Final

from figures.template import LEAST_CONTRAST, STYLES, Style, axis_style, contrast, mixed
from figures.words import verbatim
from i18n import gettext as _

Scale = list[list[Any]]

# From near the ground to far from it, in even steps of lightness: more is stronger in both themes.
_LIGHT: Final = ("#dcecf4", "#a9d3e0", "#68b3c8", "#2f8bb0", "#1c5f96", "#1b2f6b")
_DARK: Final = ("#1d3a4f", "#1f5a78", "#23819b", "#43aaa8", "#94cf9b", "#f5ec9a")
# What is whole is calm, what lacks stands out, one reading of a day as well.
_LIGHT_SHARES: Final = ((0, "#a8380a"), (0.5, "#df7a3a"), (0.9, "#f6c79c"), (1, "#f7e2cf"))
_DARK_SHARES: Final = ((0, "#ffa05c"), (0.5, "#d06f30"), (0.9, "#7d4a2e"), (1, "#57402f"))
_LIGHT_WHOLE, _DARK_WHOLE = "#a9c9da", "#2c5268"
WHOLE: Final = 1.15  # where the scale of shares has what is whole: far enough from 1 for a bar to show its colour
_CIRCLE: Final = ("#3f7fb5", "#7f6fb8", "#c4607f", "#c98a3d", "#7fa03f", "#3f9f94", "#3f7fb5")
# viridis of matplotlib (S. van der Walt and N. Smith, CC0), at tenths
_VIRIDIS: Final = (
    *("#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c"),
    *("#22a884", "#44bf70", "#7ad151", "#bddf26", "#fde725"),
)
_STEPS: Final = 200


def value_scale(style: Style) -> Scale:
    """A scale from little to much."""
    return _even(_DARK if _is_dark(style) else _LIGHT)


def share_scale(style: Style) -> Scale:
    """A scale from nothing (0) to nearly all (1), and apart from that what is whole
    (:data:`WHOLE`): its colour is that of all above 1.
    """
    parts, whole = (_DARK_SHARES, _DARK_WHOLE) if _is_dark(style) else (_LIGHT_SHARES, _LIGHT_WHOLE)
    return [*([share / WHOLE, colour] for share, colour in parts), [1 / WHOLE, whole], [1, whole]]


def direction_scale() -> Scale:
    """A scale whose ends meet, for 0 to 360 degrees."""
    return _even(_CIRCLE)


def compass() -> dict[str, Any]:
    """Ticks at the four winds, for an axis or a colour bar of degrees."""
    return {"tickmode": "array", "tickvals": [0, 90, 180, 270, 360], "ticktext": [_("N"), _("E"), _("S"), _("W"), _("N")]}


def colour_bar(style: Style, unit: str = "") -> dict[str, Any]:
    """What every bar of a colour scale shares; its place and length come from the picture."""
    return {
        "ticklabeloverflow": "allow",  # else each label is measured, and with it the page laid out
        "thickness": 8,
        "thicknessmode": "pixels",
        "lenmode": "pixels",
        "outlinewidth": 0,
        "xpad": 0,
        "ypad": 0,
        "ticks": "",
        "tickfont": {**axis_style(style)["tickfont"], "size": 10.5},
        "nticks": 5,
        "ticksuffix": f" {verbatim(unit)}" if unit else "",
        "showticksuffix": "last",
        "separatethousands": True,
    }


def ramp(style: Style, share: float) -> str:
    """Return the colour of a share, 0 (least) to 1 (most).

    The least stands out from the ground by :data:`figures.template.LEAST_CONTRAST`; more of it is
    further away from the ground.
    """
    away = _VIRIDIS if contrast(_VIRIDIS[-1], style.ground) > contrast(_VIRIDIS[0], style.ground) else _VIRIDIS[::-1]
    least = next(step for step in range(_STEPS) if contrast(_at(away, step / _STEPS), style.ground) >= LEAST_CONTRAST) / _STEPS
    return _at(away, least + (1 - least) * min(max(share, 0.0), 1.0))


def ramp_colours(style: Style, number: int) -> list[str]:
    """Return so many colours of the ramp, equally far apart, the least first."""
    return [ramp(style, place / max(number - 1, 1)) for place in range(number)]


def ramp_scale(style: Style) -> list[tuple[float, str]]:
    """Return the ramp as a colour scale of Plotly."""
    return [(place / 10, ramp(style, place / 10)) for place in range(11)]


def _even(colours: tuple[str, ...]) -> Scale:
    return [[place / (len(colours) - 1), colour] for place, colour in enumerate(colours)]


def _is_dark(style: Style) -> bool:
    return style == STYLES["dark"]


def _at(colours: tuple[str, ...], share: float) -> str:
    place = min(int(share * (len(colours) - 1)), len(colours) - 2)
    return mixed(colours[place], colours[place + 1], share * (len(colours) - 1) - place)
