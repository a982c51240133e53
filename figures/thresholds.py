"""Thresholds in the panels of Trend: a line at each, named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from data.catalogue import Catalogue
from data.view.records import HistoryView
from figures.panels import Panels
from figures.template import Style
from figures.trend_options import Threshold
from figures.words import threshold_words, verbatim
from i18n import current_language
from i18n import gettext as _


def is_drawn(threshold: Threshold, view: HistoryView) -> bool:
    """Return whether a line is drawn: not where bars are sums of readings, of each of which the
    threshold is.
    """
    return all(one.kind != "bars" or one.bucket == "raw" for one in view.series if one.sensor == threshold.sensor)


def threshold_problems(thresholds: tuple[Threshold, ...], view: HistoryView, catalogue: Catalogue) -> tuple[str, ...]:
    """Return which thresholds have no line, and why, in sentences."""
    words = _("{sensor} is drawn as sums here, so the threshold of single readings has no line.")
    left_out = [one for one in thresholds if not is_drawn(one, view)]
    return tuple(words.format(sensor=catalogue[one.sensor].label(current_language())) for one in left_out)


def threshold_shapes(
    thresholds: tuple[Threshold, ...], panels: Panels, view: HistoryView, catalogue: Catalogue, style: Style
) -> Iterator[dict[str, Any]]:
    """Yield a line in each panel that shows the sensor of a threshold."""
    for threshold in thresholds:
        sensor = catalogue[threshold.sensor]
        if not is_drawn(threshold, view):
            continue
        text = verbatim(threshold_words(threshold.kind, threshold.value, sensor))
        font = {"size": 11, "color": style.muted}
        side = "bottom" if threshold.kind == "above" else "top"
        for panel in panels.panels:
            if sensor in panel.sensors:
                yield {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "yref": panel.axis,
                    "y0": threshold.value,
                    "y1": threshold.value,
                    "line": {"color": style.muted, "width": 1, "dash": "4px,3px"},
                    "label": {"text": text, "textposition": "end", "yanchor": side, "font": font},
                }
