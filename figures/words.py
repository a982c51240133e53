"""The words of a figure: names of buckets, time formats, what the file of a picture is called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from data.catalogue import Catalogue, Sensor
from data.drawn import HistoryView
from i18n import THIN_SPACE, current_language, format_number, local_time, ngettext
from i18n import gettext as _

DAY_MS: Final = 86_400_000
_BUCKET = re.compile(r"(\d+)\s*(ms|s|min|h|d|w|mo|y)")
_UNIT_MS: Final = {
    "ms": 1,
    "s": 1000,
    "min": 60_000,
    "h": 3_600_000,
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


def series_name(station: str, sensor: Sensor) -> str:
    """Name of a series in legend and hover."""
    return f"{station} · {sensor.label(current_language())}"


def verbatim(text: str) -> str:
    """Text that Plotly shows as it is: in names it would take ``<b>`` for bold and ``<a href=…>`` for a link."""
    return escape(text, quote=False)


class OfSeries(Protocol):
    """Whatever belongs to one (station, sensor)."""

    @property
    def station(self) -> str:
        """The station's name."""

    @property
    def sensor(self) -> str:
        """The sensor's name."""


One = TypeVar("One", bound=OfSeries)


def in_order(series: Iterable[One], catalogue: Catalogue) -> list[One]:
    """By sensor as the catalogue has them, then by station: the order of panels, legend, hover and table."""
    places = {sensor.name: place for place, sensor in enumerate(catalogue)}
    return sorted(series, key=lambda one: (places[one.sensor], one.station))


def rows_text(rows: int) -> str:
    """``1 row``, ``8 760 rows``."""
    return ngettext("{rows} row", "{rows} rows", rows).format(rows=format_number(rows))


def separators() -> str:
    """Plotly's decimal and thousands marks of the current language."""
    return ("," if current_language() == "id" else ".") + THIN_SPACE


def hover_format(times_ms: Sequence[npt.NDArray[np.float64]], buckets_ms: Sequence[int], zone: str) -> str:
    """d3 format of the time in a hover: as fine as the times need, with the zone."""
    if buckets_ms and min(buckets_ms) >= _UNIT_MS["mo"]:
        return "%B %Y"
    if buckets_ms and min(buckets_ms) >= DAY_MS:
        return f"%-d %b %Y {zone}"
    finite = [array[np.isfinite(array)] for array in times_ms]
    if all(not np.any(array % 60_000) for array in finite):
        return f"%-d %b %Y %H:%M {zone}"
    if all(not np.any(array % 1000) for array in finite):
        return f"%-d %b %Y %H:%M:%S {zone}"
    return f"%-d %b %Y %H:%M:%S.%L {zone}"


def tick_formats() -> list[dict[str, Any]]:
    """Formats of time ticks by their distance: day before month, 24 hours, in both languages."""
    stops: list[tuple[Any, Any, str]] = [
        (None, 999, "%H:%M:%S.%L\n%-d %b %Y"),
        (1000, 59_999, "%H:%M:%S\n%-d %b %Y"),
        (60_000, DAY_MS - 1, "%H:%M\n%-d %b %Y"),
        (DAY_MS, "M1", "%-d %b\n%Y"),
        ("M1", "M12", "%b\n%Y"),
        ("M12", None, "%Y"),
    ]
    return [{"dtickrange": [low, high], "value": value} for low, high, value in stops]


def picture_name(view: HistoryView, catalogue: Catalogue) -> str:
    """Name of a view's picture without its suffix: stations, sensors, range."""
    stations = sorted({series.station for series in view.series})
    sensors = [sensor.name for sensor in catalogue if any(series.sensor == sensor.name for series in view.series)]
    return file_name(stations, sensors, view.start_ms, view.end_ms, view.timezone)


def file_name(stations: Sequence[str], sensors: Sequence[str], start_ms: int, end_ms: int, timezone: str) -> str:
    """Name of a file without its suffix; ASCII letters, digits, ``-`` and ``_`` only; times are of the zone."""
    first, last = (f"{local_time(time, timezone):%Y%m%dT%H%M}" for time in (start_ms, end_ms))
    parts = ["riwayat", _some(stations), _some(sensors), first.removesuffix("T0000"), last.removesuffix("T0000")]
    return "_".join(_plain(part) for part in parts if _plain(part))


def _some(names: Sequence[str], most: int = 3) -> str:
    return "-".join(names[:most]) + (f"-and-{len(names) - most}-more" if len(names) > most else "")


def _plain(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "-", ascii_text).strip("-")[:80]
