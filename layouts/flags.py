"""Which flags of quality rules count: the choice, and what follows from it in words."""

from __future__ import annotations

from collections.abc import Mapping

from dash import html
from dash.development.base_component import Component

from data.flag_choice import USUAL_FLAGS
from data.view.records import HistoryView
from figures.trend_options import FLAGS
from i18n import format_number, ngettext
from i18n import gettext as _
from layouts.controls import Control, control_field, view_door


def flag_choice(options: Mapping[str, str]) -> Component:
    """Return the choice of what is left out, with a button to what the rules found."""
    names = {"hard": _("Impossible values"), "all": _("Suspect ones too"), "none": _("Nothing")}
    choice = Control(FLAGS, _("Quality rules leave out"), names, default=USUAL_FLAGS)
    parts = [control_field(choice, options.get(FLAGS) or USUAL_FLAGS), view_door(_("What the rules found"), "quality", {})]
    return html.Div(parts, className="flags-bar", key="flags")


def with_flags(controls: Component | None, view: HistoryView, options: Mapping[str, str], decided: int = 0) -> Component:
    """Return the controls of a view, the choice of flags, and in words how many readings of the
    window it leaves out; ``decided`` is how many decisions of people are about them.
    """
    parts = [flag_choice(options)]
    if said := flag_words(view, decided):
        parts.append(html.Span(" · ".join(said), className="flags-said", role="status"))
    bar = html.Div(parts, className="view-options")
    return html.Div([*([controls] if controls else []), bar], className="controls-with-flags")


def flag_words(view: HistoryView, decided: int = 0) -> list[str]:
    """Return what the rules found in a window: readings that are left out, suspect ones that stay,
    and that months have not been looked at; and how many decisions of people there are.
    """
    left_out, suspect = (sum(getattr(one, name) for one in view.marks) for name in ("left_out", "suspect"))
    found = []
    if left_out:
        found.append(_("{count} left out by quality rules").format(count=format_number(left_out)))
    if suspect:
        found.append(_("{count} suspect (▪)").format(count=format_number(suspect)))
    if decided:
        found.append(ngettext("{count} decision (▔)", "{count} decisions (▔)", decided).format(count=format_number(decided)))
    if any(one.unmade for one in view.marks):
        found.append(_("not all checked by quality rules; load again"))
    return found
