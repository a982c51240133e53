"""The legend above all plots: what it calls each series, whole where there is room, else short, and
never two alike; and how high it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import takewhile
from typing import Any, Final

from data.catalogue import Catalogue
from data.view.records import HistoryView, SeriesView, Spread
from escaping import visible
from figures.template import FONT, Style
from figures.words import in_order
from i18n import current_language
from i18n import gettext as _

LETTER_PX: Final = 6.6  # of a legend's letter in a wide font, and of the key before its words
KEY_PX: Final = 46
LEGEND_ROW_PX: Final = 19
_BENEATH_PX: Final = 6
_LEAST_LETTERS, _MOST_LETTERS = 24, 64  # of a name
_LEAST_STATION: Final = 10  # letters that a station has beside a long sensor
_BETWEEN: Final = " · "


def top_legend(style: Style) -> dict[str, Any]:
    """Return what a layout says of the legend."""
    return {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "xref": "paper",
        "y": 1,
        "yanchor": "top",
        "yref": "container",
        "font": {"family": FONT, "size": 12, "color": style.ink},
        "bgcolor": "rgba(0,0,0,0)",
        "itemsizing": "trace",
        "tracegroupgap": 0,
        "groupclick": "togglegroup",
    }


def legend_px(entries: int, letters: int, width_px: int) -> int:
    """Return the height of a legend above plots of a width, in px, with names of at most so many
    letters.
    """
    across = max(1, int(width_px // (letters * LETTER_PX + KEY_PX)))
    return LEGEND_ROW_PX * -(-entries // across) + _BENEATH_PX


def legend_rows(view: HistoryView, catalogue: Catalogue, width_px: int) -> int:
    """Rows that the legend takes, filled as Plotly does, estimated from the length of its names;
    0 for a single series.
    """
    if len(view.series) < 2:
        return 0
    rows, used_px = 1, 0.0
    for name in legend_entries(view, catalogue, width_px):
        entry_px = len(name) * LETTER_PX + KEY_PX
        if used_px and used_px + entry_px > width_px:
            rows, used_px = rows + 1, 0.0
        used_px += entry_px
    return rows


def spread_name(spread: Spread) -> str:
    """Return ``Median of 19 stations``, in the current language."""
    return _("Median of {count} stations").format(count=spread.stations)


def legend_entries(view: HistoryView, catalogue: Catalogue, width_px: float) -> list[str]:
    """Return the entries of a legend in their order; of more stations than can be told apart only
    their median.
    """
    if view.spreads:
        return [f"{spread_name(one)}{_BETWEEN}{catalogue[one.sensor].label(current_language())}" for one in view.spreads]
    names = legend_names(view.series, catalogue, width_px)
    return [names[one.station, one.sensor] for one in in_order(view.series, catalogue)]


def legend_names(series: Sequence[SeriesView], catalogue: Catalogue, width_px: float) -> dict[tuple[str, str], str]:
    """Name of each (station, sensor) as a plot of ``width_px`` has room for it.

    Where one is too long, the words that all stations begin with are left out of each
    (``…Landas Utara · Air temperature``).
    """
    labels = {one.sensor: catalogue[one.sensor].label(current_language()) for one in series}
    stations = {one.station: visible(one.station) for one in series}
    room = min(max(_LEAST_LETTERS, int((width_px - KEY_PX) / LETTER_PX)), _MOST_LETTERS) - len(_BETWEEN)
    if any(len(stations[one.station]) + len(labels[one.sensor]) > room for one in series):
        labels = shortened(labels, room - min(_LEAST_STATION, max(map(len, stations.values()))))
        stations = shortened(stations, room - max(map(len, labels.values())))
    return {(one.station, one.sensor): f"{stations[one.station]}{_BETWEEN}{labels[one.sensor]}" for one in series}


def shortened(names: dict[str, str], room: int, *, by_word: bool = True) -> dict[str, str]:
    """The texts of at most ``room`` letters, different where the whole ones differ;
    all as they are where all have room.

    ``by_word``: a text begins with a whole word; else with the first letter in
    which it differs from the others.
    """
    if max(map(len, names.values())) <= room:
        return names
    begin = _common(names.values(), by_word=by_word)
    short = {key: _middle_out(f"…{name[begin:]}" if begin else name, room) for key, name in names.items()}
    for text in set(short.values()):
        alike = {key: names[key] for key in names if short[key] == text}
        if len(set(alike.values())) > 1:
            short |= shortened(alike, room, by_word=False)
    return short if len(set(short.values())) == len(set(names.values())) else names


def _common(names: Collection[str], *, by_word: bool) -> int:
    """Return how many letters all names begin with; 0 where there is one name only."""
    if len(set(names)) < 2:
        return 0
    same = len(list(takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))))
    return next(iter(names)).rfind(" ", 0, same) + 1 if by_word else same


def _middle_out(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room // 2]}…{text[len(text) - (room - room // 2 - 1) :]}"
