"""The cycle has no choices, and its picture has all that there is."""

from __future__ import annotations

from dash.development.base_component import Component

from analysis.answer import Answer
from data.catalogue import Catalogue
from i18n import gettext as _
from layouts.controls import Control


def label() -> str:
    """Return the name of its tab."""
    return _("Cycle")


def controls() -> tuple[Control, ...]:
    """Return no control."""
    return ()


def details(answer: Answer, catalogue: Catalogue) -> Component | None:  # noqa: ARG001 - as every analysis
    """Return nothing: the picture has all that there is."""
    return None
