"""Range presets: from the newest data backwards, in the site's zone.
Pure functions of int ms UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from data.inventory import StationInventory
from data.outlying import Stretch, usual
from data.request import date_alone
from data.time.epoch import MINUTE_MS, ms_of
from i18n import local_time

_DAYS = {"24h": 1, "7d": 7, "30d": 30}
_MONTHS = {"month": 1, "season": 3, "ytd": 12}
PRESETS = frozenset({*_DAYS, *_MONTHS, "1y", "all"})


def bounds(stations: Iterable[StationInventory], names: Iterable[str], sensors: Iterable[str] = ()) -> tuple[int, int] | None:
    """First and last observation (int ms UTC) of the named stations and sensors,
    of all when none is named; None without data.

    Rows that are far from the rest count only where there are no others (data/outlying.py).
    """
    wanted, measured = set(names), set(sensors)
    chosen = [station for station in stations if not wanted or station.name in wanted]
    chosen = [station.of(measured) for station in chosen] if measured else chosen
    known = [Stretch(*station.usual, station.rows) for station in chosen if station.usual]
    if not known:
        ends = [(each.first_ms, each.last_ms, each.rows) for each in chosen]
        known = [Stretch(first, last, rows) for first, last, rows in ends if first is not None and last is not None]
    found, _ = usual(known)
    return (found.first_ms, found.last_ms) if found else None


def preset_range(preset: str, first_ms: int, last_ms: int, timezone: str) -> tuple[int, int]:
    """[start, end) of a preset, rounded outwards to minutes;
    the end lies just after the newest observation.

    ``24h``, ``7d`` and ``30d`` are wall-clock days (a day with a clock change is one day), ``1y`` a
    calendar year; ``month``, ``season`` (from December, March, June or September on) and ``ytd``
    are the newest observation's month, season and year so far; ``all`` is everything.

    Raises:
        KeyError: for a preset that there is not.
    """
    end_ms = (last_ms // MINUTE_MS + 1) * MINUTE_MS
    if preset == "all":
        return first_ms // MINUTE_MS * MINUTE_MS, end_ms
    end = local_time(end_ms, timezone)
    if preset in _MONTHS:
        newest = local_time(last_ms, timezone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        year, month = divmod(newest.year * 12 + newest.month - 1 - _begun(preset, newest.month), 12)
        start = newest.replace(year=year, month=month + 1)
    elif preset == "1y":
        start = _year_before(end)
    else:
        start = end - timedelta(days=_DAYS[preset])  # wall clock: aware arithmetic within one zone
    return ms_of(start), end_ms


def wall_clock(time_ms: int, timezone: str) -> str:
    """A time as the form writes it: ``2019-03-31 14:30`` in ``timezone``,
    seconds only when there are any.

    Where the clock was set back, the second of two equal times carries its offset:
    nothing else would tell it apart.
    """
    moment = local_time(time_ms, timezone)
    precise = "milliseconds" if moment.microsecond else "seconds" if moment.second else "minutes"
    plain = moment if moment.fold else moment.replace(tzinfo=None)
    return plain.isoformat(sep=" ", timespec=precise)


def wall_clock_or(text: str | None, timezone: str) -> str:
    """A time from a URL as the form writes it: ISO 8601 with a zone becomes wall clock; anything
    else stays as it is, such as words or a date alone, of which To means the end.
    """
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return text or ""
    if text and date_alone(text.strip()):
        return text
    if moment.tzinfo is None:
        return moment.isoformat(sep=" ", timespec="auto" if moment.microsecond or moment.second else "minutes")
    return wall_clock(ms_of(moment), timezone)


def _begun(preset: str, month: int) -> int:
    """How many months of the preset had begun before a month."""
    return month % 3 if preset == "season" else (month - 1) % _MONTHS[preset]


def _year_before(moment: datetime) -> datetime:
    try:
        return moment.replace(year=moment.year - 1)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year - 1, day=28)
