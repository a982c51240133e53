"""What stands above each panel: unit, sensors, what its points are, what its axis leaves out."""

from __future__ import annotations

from itertools import groupby

from data.catalogue import Catalogue
from data.view.records import HistoryView
from figures.extents import extent
from figures.legend import LETTER_PX
from figures.panels import Panel, Panels
from figures.words import bucket_adjective, drawn_as, smoothed_as, verbatim
from i18n import current_language, format_number
from i18n import gettext as _


def headings(panels: Panels, view: HistoryView, catalogue: Catalogue, width_px: float, zone: str) -> dict[float, str]:
    """Return the words above each place of panels, by the height of its upper edge (0..1), as many
    as a plot of ``width_px`` has room for, which in the first line has what it says of the zone.
    """
    found: dict[float, str] = {}
    for top, group in groupby(panels.panels, lambda panel: panel.top):
        here = list(group)
        letters = int((width_px / LETTER_PX - (0 if found else len(zone) + 1)) / len(here))
        texts = [_heading(panel, view, catalogue, letters) for panel in here]
        texts[1:] = [_("{axis} (right)").format(axis=text) for text in texts[1:]]
        found[top] = "&nbsp;&nbsp;|&nbsp;&nbsp;".join(texts)
    return found


def _heading(panel: Panel, view: HistoryView, catalogue: Catalogue, letters: int) -> str:
    names = verbatim(", ".join(sensor.label(current_language()) for sensor in panel.sensors))
    if panel.alone and len({one.station for one in view.series}) > 1:
        names = f"{verbatim(panel.series[0][0])} · {names}"
    told = (names, drawn_as(panel.of(view)), *_spread_words(panel, view), _left_out(panel, view, catalogue))
    parts = [part for part in told if part]
    for part in (smoothed_as(panel.of(view)), _band(panel, view)):
        if part and len(panel.unit) + len(" · ".join([*parts, part])) <= letters:
            parts.append(part)
    return f"<b>{verbatim(panel.unit)}</b>  " + " · ".join(parts)


def _spread_words(panel: Panel, view: HistoryView) -> list[str]:
    """What line and band of a panel are; nothing where there are none."""
    names = {sensor.name for sensor in panel.sensors}
    found = [each for each in view.spreads if each.sensor in names and each.x.size and not panel.alone]
    sums = _("line: median of {count} stations ({bucket} sums), band: 10–90 %")
    means = _("line: median of {count} stations ({bucket} means), band: 10–90 %")
    return [
        (sums if each.kind == "bars" else means).format(count=each.stations, bucket=bucket_adjective(each.bucket))
        for each in found[:1]
    ]


def _band(panel: Panel, view: HistoryView) -> str:
    """What the band of aggregated lines is; empty where there is none."""
    has_band = not view.spreads and any(one.lower is not None and one.lower.size for one in panel.of(view))
    return _("band: minimum to maximum") if has_band else ""


def _left_out(panel: Panel, view: HistoryView, catalogue: Catalogue) -> str:
    """That readings reach beyond the limits that were chosen; empty where none does."""
    low, high = panel.limits.low, panel.limits.high
    if low is None and high is None:
        return ""
    extents = [extent(one) for one in panel.of(view)]
    least, greatest = min(one[0] for one in extents), max(one[1] for one in extents)
    beyond = [least] if low is not None and least < low else []
    beyond += [greatest] if high is not None and greatest > high else []
    if not beyond:
        return ""
    decimals = max(catalogue[sensor].decimals for _station, sensor in panel.series)
    return _("readings reach {values}").format(values=", ".join(format_number(value, decimals) for value in beyond))
