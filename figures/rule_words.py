"""What rules of quality control, their limits and lacks are called on a page."""

from __future__ import annotations

import math

from analysis.quality.review import QualityEvent
from data.catalogue import Catalogue
from data.time.epoch import HOUR_MS
from i18n import THIN_SPACE, current_language, format_number
from i18n import gettext as _


def rule_name(rule: str) -> str:
    """Return the name of a rule in the current language."""
    return {
        "gap": _("Gap"),
        "silent": _("Sensor silent"),
        "irregular": _("Irregular times"),
        "source": _("Bad by its source"),
        "range": _("Out of range"),
        "climate": _("Beyond climate"),
        "step": _("Step"),
        "spike": _("Spike"),
        "stuck": _("Stuck"),
        "frozen": _("Station frozen"),
        "variation": _("Too steady"),
        "dew_point": _("Dew point too high"),
        "gust": _("Gust too low"),
        "no_speed": _("Direction without speed"),
        "dry_rain": _("Rain in dry air"),
        "dark": _("Below dark"),
        "sun": _("Too bright"),
        "neighbours": _("Unlike neighbours"),
        "twin": _("Sensors differ"),
        "par_ratio": _("PAR unlike radiation"),
        "inputs": _("Made of flagged readings"),
    }.get(rule, rule)


def of_words(sensor: str, catalogue: Catalogue) -> str:
    """Return what an event is of: a sensor's label, or all sensors."""
    return catalogue[sensor].label(current_language()) if sensor else _("All sensors")


def found_words(event: QualityEvent, catalogue: Catalogue) -> str:
    """Return an event's worst value and the limit that it breaks, with their unit."""
    if event.rule in ("gap", "silent"):
        return _("{number} missing").format(number=format_number(event.rows))
    decimals = catalogue[event.sensor].decimals if event.sensor and event.rule != "par_ratio" else 1
    value = f"{format_number(event.value, decimals)}{THIN_SPACE}{event.unit}"
    if event.rule == "stuck":
        hours = _("{hours} h").format(hours=format_number((event.to_ - event.from_) / HOUR_MS, 1))
        return _("{value} for {hours}").format(value=value, hours=hours)
    if not math.isfinite(event.limit) or event.rule == "frozen":
        return value
    words = {"step": _("by {value} (limit {limit})"), "spike": _("{value}, out by more than {limit}")}
    return words.get(event.rule, _("{value} (limit {limit})")).format(value=value, limit=format_number(event.limit, decimals))
