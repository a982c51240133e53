"""Words of the dialog in which limits of quality rules are set (assets/limits.js)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from i18n import gettext as _


def limit_words() -> Mapping[str, Any]:
    """Return the words by what they are for."""
    return {
        "limits": _("Limits…"),
        "limitsTitle": _("Limits of quality rules"),
        "limitsFor": _("For"),
        "limitsStation": _("This station"),
        "limitsAll": _("All stations"),
        "limitsHint": _("In the sensor's unit. Empty: the rule is off."),
        "limitsOff": _("off"),
        "limitsApply": _("Apply"),
        "limitsBack": _("Back to the catalogue's"),
        "limitsNoValue": _("Write a number in each field, or leave all of them empty."),
        "limitsLeast": _("Least"),
        "limitsGreatest": _("Greatest"),
        "limitsMinutes": _("Minutes"),
        "limitsChange": _("Change"),
        "limitsRow": _("Add a row"),
        "remove": _("Remove"),
        "limitOrigins": {
            "built_in": _("built in"),
            "catalogue": _("catalogue"),
            "set": _("set for all stations"),
            "catalogue_station": _("catalogue, for this station"),
            "set_station": _("set for this station"),
        },
        "limitNames": _names(),
    }


def _names() -> Mapping[str, str]:
    return {
        "climate": _("Extremes of each month"),
        "step": _("Greatest step, by minutes"),
        "spike": _("Greatest spike, by minutes"),
        "still_hours": _("One value for longer (h)"),
        "still_step": _("… in steps of"),
        "quiet": _("May stand still between"),
        "quiet_hours": _("… for up to (h)"),
        "variation": _("Least change within days"),
        "variation_days": _("… of so many days"),
        "neighbour": _("Departure from neighbours"),
        "neighbour_hours": _("… for at least (h)"),
        "twin": _("Departure from a twin sensor"),
        "dark": _("Least value in the dark"),
        "night": _("Greatest value at night"),
    }
