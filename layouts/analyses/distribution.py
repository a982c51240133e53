"""The choices of a distribution."""

from __future__ import annotations

from dash.development.base_component import Component

from analysis.answer import Answer
from data.catalogue import Catalogue
from i18n import gettext as _
from layouts.controls import Control


def label() -> str:
    """Return the name of its tab."""
    return _("Distribution")


def controls() -> tuple[Control, ...]:
    """Return what is drawn, how many bins it has, and what has a box of its own."""
    forms = {"histogram": _("Histogram"), "exceedance": _("Exceedance"), "box": _("Boxes")}
    parts = {"month": _("Month"), "hour": _("Hour"), "none": _("None")}
    return (
        Control("show", _("Show"), forms, drawing=True, default="histogram"),
        Control("bins", _("Bins"), default="50", hint=_("About so many, of a round width.")),
        Control("by", _("Boxes by"), parts, default="month"),
    )


def details(answer: Answer, catalogue: Catalogue) -> Component | None:  # noqa: ARG001 - as every analysis
    """Return nothing: the picture has all that there is."""
    return None
