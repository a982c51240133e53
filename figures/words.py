"""The words of a figure: names of series and buckets, time formats, what the file of a picture is
called.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from data.catalogue import Catalogue, Sensor
from data.export_names import export_names
from data.time.epoch import DAY_MS, HOUR_MS, MINUTE_MS
from data.view.records import HistoryView, SeriesStatistics, SeriesView
from escaping import visible
from i18n import THIN_SPACE, current_language, format_number, local_time, ngettext
from i18n import gettext as _

MOST_NAMES: Final = 4  # stations or sensors that are named before they are counted
_BUCKET = re.compile(r"(\d+)\s*(ms|s|min|h|d|w|mo|y)")
_UNIT_MS: Final = {
    "ms": 1,
    "s": 1000,
    "min": MINUTE_MS,
    "h": HOUR_MS,
    "d": DAY_MS,
    "w": 7 * DAY_MS,
    "mo": 28 * DAY_MS,
    "y": 365 * DAY_MS,
}


def bucket_ms(bucket: str) -> int:
    """Least width of a bucket such as ``10min`` in ms; 0 for ``raw``."""
    match = _BUCKET.fullmatch(bucket)
    return int(match[1]) * _UNIT_MS[match[2]] if match else 0


def bucket_name(bucket: str) -> str:
    """A bucket as a span: ``10 min``, ``1 d``; empty for raw."""
    match = _BUCKET.fullmatch(bucket)
    if not match:
        return ""
    units = {"ms": "ms", "s": _("s"), "min": _("min"), "h": _("h"), "d": _("d"), "w": _("wk"), "mo": _("mo"), "y": _("y")}
    return f"{match[1]}{THIN_SPACE}{units[match[2]]}"


def bucket_adjective(bucket: str) -> str:
    """A bucket as an adjective: ``hourly``, ``weekly``, ``2-day``; empty for raw."""
    names = {"1h": _("hourly"), "1d": _("daily"), "7d": _("weekly"), "1mo": _("monthly"), "1y": _("yearly")}
    return names.get(bucket) or length_adjective(bucket)


def length_adjective(bucket: str) -> str:
    """A length as an adjective with its number: ``1-hour``, ``7-day``; empty for raw."""
    match = _BUCKET.fullmatch(bucket)
    if not match:
        return ""
    several = {
        "s": _("{count}-second"),
        "min": _("{count}-minute"),
        "h": _("{count}-hour"),
        "d": _("{count}-day"),
        "mo": _("{count}-month"),
        "y": _("{count}-year"),
    }
    return several[match[2]].format(count=match[1])


def drawn_as(series: Iterable[SeriesView]) -> str:
    """What the points of some series stand for: ``daily means, weekly sums``;
    empty where each is an observation.
    """
    found = sorted({(one.kind == "bars", one.bucket) for one in series if bucket_ms(one.bucket)})
    return ", ".join(bucket_words(bucket, sums=bars) for bars, bucket in found)


def bucket_words(bucket: str, *, sums: bool) -> str:
    """What buckets are: ``daily means``, ``weekly sums``."""
    return (_("{bucket} sums") if sums else _("{bucket} means")).format(bucket=bucket_adjective(bucket))


def smoothed_as(series: Iterable[SeriesView]) -> str:
    """What runs over some series: ``7-day running mean``; empty where nothing does."""
    lines = [one.smooth for one in series if one.smooth is not None and one.smooth.x.size]
    if not lines:
        return ""
    smoothing = lines[0].smoothing
    words = _("{length} running mean") if smoothing.kind == "mean" else _("{length} running median")
    return words.format(length=length_adjective(smoothing.length))


def verbatim(text: str) -> str:
    """Text that Plotly shows as it is: it takes ``<b>`` for bold,
    ``<a href=…>`` for a link and ``%{y}`` for a value.
    """
    return escape(visible(text), quote=False).replace("%{", "%&#123;")


One = TypeVar("One", SeriesView, SeriesStatistics)  # whatever belongs to one (station, sensor)


def in_order(series: Iterable[One], catalogue: Catalogue) -> list[One]:
    """Sort by sensor as the catalogue has them, then by station:
    the order of panels, legend, hover and table.
    """
    places = {sensor.name: place for place, sensor in enumerate(catalogue)}
    return sorted(series, key=lambda one: (places[one.sensor], one.station))


def rows_text(rows: int) -> str:
    """``1 row``, ``8 760 rows``."""
    return ngettext("{rows} row", "{rows} rows", rows).format(rows=format_number(rows))


def threshold_words(kind: str, value: float, sensor: Sensor) -> str:
    """Return ``above 35 °C``: as many digits as the sensor has, and those of a finer threshold."""
    digits = next((n for n in range(sensor.decimals, 6) if math.isclose(round(value, n), value, abs_tol=1e-9)), 6)
    text = f"{format_number(value, digits)} {sensor.unit}"
    return (_("above {value}") if kind == "above" else _("below {value}")).format(value=text)


def length_text(span_ms: int) -> str:
    """Return a span as people say it, in its two greatest units: ``12 d 5 h``, ``2 h 5 min``."""
    units = ((DAY_MS, _("d")), (HOUR_MS, _("h")), (MINUTE_MS, _("min")), (1000, _("s")))
    rest = max(0, span_ms)
    for (unit_ms, name), (next_ms, next_name) in pairwise(units):
        if rest >= unit_ms:
            whole, part = divmod(round(rest / next_ms) * next_ms, unit_ms)
            text = f"{format_number(whole)}{THIN_SPACE}{name}"
            return f"{text} {part // next_ms}{THIN_SPACE}{next_name}" if part else text
    return f"{format_number(round(rest / 1000))}{THIN_SPACE}{_('s')}"


def separators() -> str:
    """Plotly's decimal and thousands marks of the current language."""
    return ("," if current_language() == "id" else ".") + THIN_SPACE


def hover_format(times_ms: Sequence[npt.NDArray[np.float64]], buckets_ms: Sequence[int], zone: str) -> str:
    """d3 format of the time in a hover: as fine as the times need, with the zone."""
    if buckets_ms and min(buckets_ms) >= _UNIT_MS["y"]:
        return "%Y"
    if buckets_ms and min(buckets_ms) >= _UNIT_MS["mo"]:
        return "%B %Y"
    if buckets_ms and min(buckets_ms) >= DAY_MS:
        return f"%-d %b %Y {zone}"
    finite = [array[np.isfinite(array)] for array in times_ms]
    if all(not np.any(array % MINUTE_MS) for array in finite):
        return f"%-d %b %Y %H:%M {zone}"
    if all(not np.any(array % 1000) for array in finite):
        return f"%-d %b %Y %H:%M:%S {zone}"
    return f"%-d %b %Y %H:%M:%S.%L {zone}"


def tick_formats() -> list[dict[str, Any]]:
    """Formats of time ticks by their distance: day before month, 24 hours, in both languages."""
    stops: list[tuple[Any, Any, str]] = [
        (None, 999, "%H:%M:%S.%L\n%-d %b %Y"),
        (1000, MINUTE_MS - 1, "%H:%M:%S\n%-d %b %Y"),
        (MINUTE_MS, DAY_MS - 1, "%H:%M\n%-d %b %Y"),
        (DAY_MS, "M1", "%-d %b\n%Y"),
        ("M1", "M12", "%b\n%Y"),
        ("M12", None, "%Y"),
    ]
    return [{"dtickrange": [low, high], "value": value} for low, high, value in stops]


def picture_name(view: HistoryView, catalogue: Catalogue) -> str:
    """Name of a view's picture without its suffix: stations, sensors, range."""
    stations = sorted({series.station for series in view.series})
    sensors = [sensor.name for sensor in catalogue if any(series.sensor == sensor.name for series in view.series)]
    return file_name(stations, export_names(catalogue, sensors), view.start_ms, view.end_ms, view.timezone)


def file_name(stations: Sequence[str], sensors: Sequence[str], start_ms: int, end_ms: int, timezone: str) -> str:
    """Return a file's name without suffix: ASCII letters, digits, ``-``, ``_``;
    times of the zone.
    """
    first, last = (f"{local_time(time, timezone):%Y%m%dT%H%M}" for time in (start_ms, end_ms))
    parts = ["riwayat", _some(stations), _some(sensors), first.removesuffix("T0000"), last.removesuffix("T0000")]
    return "_".join(_plain(part) for part in parts if _plain(part))


def _some(names: Sequence[str], most: int = 3) -> str:
    return "-".join(names[:most]) + (f"-and-{len(names) - most}-more" if len(names) > most else "")


def _plain(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "-", ascii_text).strip("-")[:80]


def station_words(stations: Sequence[str]) -> str:
    """Return the names of stations, or how many they are."""
    return _names_or_count(stations, ngettext("{count} station", "{count} stations", len(stations)))


def sensor_words(sensors: Iterable[str], catalogue: Catalogue) -> str:
    """Return the labels of sensors in the order of the catalogue, or how many they are."""
    language = current_language()
    labels = [catalogue[name].label(language) if name in catalogue else name for name in catalogue.ordered(sensors)]
    return _names_or_count(labels, ngettext("{count} sensor", "{count} sensors", len(labels)))


def _names_or_count(names: Sequence[str], counted: str) -> str:
    """The names, or where they are too many ``counted``, with its field ``count``."""
    return ", ".join(map(visible, names)) if len(names) <= MOST_NAMES else counted.format(count=len(names))
