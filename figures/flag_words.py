"""Why readings are flagged, in words of the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.arrays import Floats
from data.catalogue import Sensor
from data.flag_names import BY_HAND
from data.site_like import SiteLike
from data.view.flag_reasons import FlagReason, flag_reasons
from data.view.records import SeriesView
from errors import TileDamaged
from figures.rule_words import rule_name
from i18n import THIN_SPACE, format_number, format_time
from i18n import gettext as _


def flag_words(site: SiteLike, timezone: str, view: SeriesView, times: Floats, values: Floats) -> Sequence[str]:
    """Return why flagged readings of a series are so, of their stamps f8[n] (ms UTC) and values;
    nothing where a tile is damaged, which the next load makes again.
    """
    sensor, stamps = site.catalogue[view.sensor], times.astype(np.int64)
    try:
        reasons = flag_reasons(site, view.station, sensor, stamps, values)
    except TileDamaged:
        return []
    names = {rule: _name(rule) for rule in {reason.rule for reason in reasons}}  # each is looked up among all
    told = zip(reasons, stamps.tolist(), strict=True)
    return [reason_words(reason, names[reason.rule], sensor, timezone, at) for reason, at in told]


def _name(rule: str) -> str:
    return _("Flagged by hand") if rule == BY_HAND else rule_name(rule)


def reason_words(reason: FlagReason, name: str, sensor: Sensor, timezone: str, time_ms: int) -> str:
    """Return rule, limit, since when and decision of a reading: ``Stuck, limit 4 h · since …``;
    ``name`` is that of the rule.
    """
    parts = [name]
    if reason.limit is not None:
        limit = format_number(reason.limit, sensor.decimals) + THIN_SPACE + sensor.unit
        hours = _("{hours} h").format(hours=format_number(reason.limit, 1))
        parts[0] = _("{rule}, limit {limit}").format(rule=parts[0], limit=hours if reason.rule == "stuck" else limit)
    if reason.since_ms is not None and reason.since_ms != time_ms:
        parts.append(_("since {time}").format(time=format_time(reason.since_ms, timezone, zone=False)))
    if reason.decision is not None:
        parts.append(_("decision {number}").format(number=reason.decision))
    return " · ".join(parts)
