"""The choices of a scatter."""

from __future__ import annotations

from dash.development.base_component import Component

from analysis.answer import Answer
from data.catalogue import Catalogue
from i18n import gettext as _
from layouts.controls import Control


def label() -> str:
    """Return the name of its tab."""
    return _("Scatter")


def controls() -> tuple[Control, ...]:
    """Return whether pairs or their density are drawn, and how fine that is."""
    kinds = {"points": _("Points"), "density": _("Density")}
    return (
        Control("as", _("Draw"), kinds, drawing=True, default="points"),
        Control("bins", _("Cells a side"), default="60", hint=_("About so many, of a round width.")),
    )


def details(answer: Answer, catalogue: Catalogue) -> Component | None:  # noqa: ARG001 - as every analysis
    """Return nothing: the picture has all that there is."""
    return None
