"""The choices of years beside each other."""

from __future__ import annotations

from dash.development.base_component import Component

from analysis.answer import Answer
from data.catalogue import Catalogue
from data.request import HistoryRequest
from i18n import THIN_SPACE, local_time, short_months
from i18n import gettext as _
from layouts.analyses.compare_forms import form_controls
from layouts.controls import Control


def label() -> str:
    """Return how the tab of comparisons names it."""
    return _("Years")


def controls() -> tuple[Control, ...]:
    """Return how the years are drawn, which, and what of them."""
    buckets = {"1d": _("Days"), "1mo": _("Months")}
    sums = {"false": _("Each value"), "true": _("Running total")}
    shares = {text: f"{round(float(text) * 100)}{THIN_SPACE}%" for text in ("0.8", "0.5", "0.95", "1", "0")}
    months = {"": _("All"), **{str(number): name for number, name in enumerate(short_months(), 1)}}
    show, scale = form_controls(_("Difference from median"))
    return (
        show,
        Control("years", _("Years"), loaded=_years, many=True, hint=_("such as 2019,2024")),
        Control("months", _("Months"), months, folded=True),
        Control("bucket", _("Steps"), buckets, default="1d"),
        Control("cumulative", _("Values"), sums, default="false"),
        Control(
            "complete",
            _("At least complete"),
            shares,
            default="0.8",
            hint=_("Days and months with fewer readings are left out."),
            folded=True,
        ),
        scale,
    )


def _years(request: HistoryRequest, _catalogue: Catalogue) -> dict[str, str]:
    bounds = (local_time(time_ms, request.timezone).year for time_ms in (request.start_ms, request.end_ms - 1))
    first, last = bounds
    return {str(year): str(year) for year in range(first, last + 1)}


def details(answer: Answer, catalogue: Catalogue) -> Component | None:  # noqa: ARG001 - as every analysis
    """Return nothing: the picture has all that there is."""
    return None
