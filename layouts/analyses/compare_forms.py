"""How years, periods and stations are set beside each other; the same choices for all three."""

from __future__ import annotations

from i18n import gettext as _
from layouts.controls import Control


def form_controls(difference: str) -> tuple[Control, Control]:
    """Return the choice of the form, whose last one is called ``difference``, and that of the scale
    of plots side by side.
    """
    forms = {"overlay": _("Overlay"), "side by side": _("Side by side"), "difference": difference}
    scales = {"same": _("Same"), "own": _("Own")}
    return (
        Control("as", _("Show"), forms, drawing=True, default="overlay"),
        Control("y", _("Y axis"), scales, drawing=True, default="same", when=("as", "side by side")),
    )
