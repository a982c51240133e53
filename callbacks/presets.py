"""Range presets: from the newest data backwards, in the site's zone. Pure functions of int ms UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from data.inventory import StationInventory
from i18n import local_time

_MINUTE_MS = 60_000
_DAYS = {"24h": 1, "7d": 7, "30d": 30}


def bounds(stations: Iterable[StationInventory], names: Iterable[str]) -> tuple[int, int] | None:
    """First and last observation (int ms UTC) of the named stations, of all when none is named; None without data."""
    wanted = set(names)
    chosen = [station for station in stations if not wanted or station.name in wanted]
    firsts = [station.first_ms for station in chosen if station.first_ms is not None]
    lasts = [station.last_ms for station in chosen if station.last_ms is not None]
    return (min(firsts), max(lasts)) if firsts and lasts else None


def preset_range(preset: str, first_ms: int, last_ms: int, timezone: str) -> tuple[int, int]:
    """[start, end) of a preset, rounded outwards to minutes; the end lies just after the newest observation.

    ``24h``, ``7d`` and ``30d`` are wall-clock days (a day with a clock change is one day), ``1y`` a calendar year,
    ``ytd`` from the first of January of the newest observation's year, ``all`` everything.

    Raises:
        KeyError: for a preset that there is not.
    """
    end_ms = (last_ms // _MINUTE_MS + 1) * _MINUTE_MS
    if preset == "all":
        return first_ms // _MINUTE_MS * _MINUTE_MS, end_ms
    end = local_time(end_ms, timezone)
    if preset == "ytd":
        newest = local_time(last_ms, timezone)
        start = newest.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    elif preset == "1y":
        start = _year_before(end)
    else:
        start = end - timedelta(days=_DAYS[preset])  # wall clock: aware arithmetic within one zone
    return _ms(start), end_ms


def wall_clock(time_ms: int, timezone: str) -> str:
    """A time as the form writes it: ``2019-03-31 14:30`` in ``timezone``, seconds only when there are any.

    Where the clock was set back, the second of two equal times carries its offset: nothing else would tell it apart.
    """
    moment = local_time(time_ms, timezone)
    precise = "milliseconds" if moment.microsecond else "seconds" if moment.second else "minutes"
    plain = moment if moment.fold else moment.replace(tzinfo=None)
    return plain.isoformat(sep=" ", timespec=precise)


def wall_clock_or(text: str | None, timezone: str) -> str:
    """A time from a URL as the form writes it: ISO 8601 with a zone becomes wall clock; anything else stays as it is."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return text or ""
    if moment.tzinfo is None:
        return moment.isoformat(sep=" ", timespec="auto" if moment.microsecond or moment.second else "minutes")
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return wall_clock(since // timedelta(milliseconds=1), timezone)


def _year_before(moment: datetime) -> datetime:
    try:
        return moment.replace(year=moment.year - 1)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year - 1, day=28)


def _ms(moment: datetime) -> int:
    if isinstance(moment.tzinfo, ZoneInfo):
        moment = moment.astimezone(UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
