"""HistoryRequest: what a user wants to see. Validated, immutable, hashable, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from data.time.epoch import EARLIEST_MS, LATEST_MS, epoch_ms, ms_of
from data.time.months import iso_utc
from data.time.range_words import parse_end_words
from data.time.resolution import RESOLUTIONS, Resolution
from errors import InvalidRequest


@dataclass(frozen=True, order=True)
class HistoryRequest:
    """stations × sensors × [start, end) × resolution × time zone.

    Times are int ms UTC; ``timezone`` is the zone of buckets, labels and axis. Stations and sensors
    are sorted and unique, so equal requests are equal objects.
    """

    stations: tuple[str, ...]
    sensors: tuple[str, ...]
    start_ms: int
    end_ms: int
    resolution: Resolution = "raw"
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if not self.stations:
            raise InvalidRequest("Choose at least one station.", field="stations")
        if not self.sensors:
            raise InvalidRequest("Choose at least one sensor.", field="sensors")
        for name in ("stations", "sensors"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))
        require_resolution(self.resolution)
        if not EARLIEST_MS <= self.start_ms <= LATEST_MS or not EARLIEST_MS <= self.end_ms <= LATEST_MS:
            raise InvalidRequest("The years must be between 1 and 9999.", field="start")
        if self.start_ms >= self.end_ms:
            raise InvalidRequest("The start must be before the end.", field="end")
        _zone(self.timezone)

    @property
    def series(self) -> tuple[tuple[str, str], ...]:
        """Return every (station, sensor), stations first."""
        return tuple((station, sensor) for station in self.stations for sensor in self.sensors)

    def to_json(self) -> str:
        """JSON with sorted keys; :meth:`from_json` is the inverse."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> HistoryRequest:
        """The request that :meth:`to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**{**fields, "stations": tuple(fields["stations"]), "sensors": tuple(fields["sensors"])})

    def describe(self) -> str:
        """Return one line for logs: stations, sensors, range in UTC, resolution."""
        what = f"{','.join(self.stations)} × {','.join(self.sensors)}"
        return f"{what} {iso_utc(self.start_ms)}..{iso_utc(self.end_ms)} {self.resolution}"


def request_of(
    stations: Iterable[str], sensors: Iterable[str], start: str, end: str, resolution: str, timezone: str
) -> HistoryRequest:
    """A request from text, as a form, URL or command line gives it.

    Times are ISO 8601; without an offset they are wall-clock times in ``timezone`` (a
    doubled hour means its first).

    Raises:
        InvalidRequest: with ``field`` one of stations, sensors, start, end, resolution, timezone.
    """
    start_ms = parse_time(start, timezone, field="start")
    end_ms = parse_time(end, timezone, field="end")
    return HistoryRequest(tuple(stations), tuple(sensors), start_ms, end_ms, resolution, timezone)  # type: ignore[arg-type]


def require_resolution(name: object, *, field: str = "resolution") -> None:
    """Raise InvalidRequest unless there is a resolution of that name."""
    if name not in RESOLUTIONS:
        known = ", ".join(RESOLUTIONS)
        raise InvalidRequest(
            "There is no resolution {resolution}; use one of {known}.", field=field, resolution=str(name)[:40], known=known
        )


def parse_time(text: str | None, timezone: str, *, field: str) -> int:
    """ISO 8601 (a date alone is its midnight) to int ms UTC;
    without an offset it is wall-clock time in ``timezone``.

    Raises:
        InvalidRequest: naming the field and what was expected.
    """
    zone = _zone(timezone)
    try:
        moment = datetime.fromisoformat((text or "").strip())
        aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return ms_of(aware.astimezone(UTC))
    except (ValueError, OverflowError):
        raise InvalidRequest(
            "{text} is not a time; write it like 2019-03-31 or 2019-03-31 14:30.", field=field, text=repr(text or "")
        ) from None


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise InvalidRequest("There is no time zone {timezone}.", field="timezone", timezone=timezone) from None


def written_time(text: str | None, timezone: str, *, field: str, newest: Callable[[], int]) -> int:
    """Return the time (int ms UTC) that one writes into From or To (``field`` start or end): ISO
    8601, or words such as ``last July``, of which To is the end, as it is of a date alone.

    ``newest`` tells the time of the newest data, from which words without a year count.

    Raises:
        InvalidRequest: it is neither; says what one may write.
    """
    written, is_end = (text or "").strip(), field == "end"
    _zone(timezone)
    try:
        if is_end and (day := date_alone(written)):
            written = (day + timedelta(days=1)).isoformat()
        return parse_time(written, timezone, field=field)
    except (InvalidRequest, OverflowError):
        meant = parse_end_words(written, timezone, last=is_end, now_ms=epoch_ms(), newest_ms=newest()) if written else None
        if meant is None:
            raise InvalidRequest(
                "Cannot read “{text}”. Try 31 Jul 2013, 2013-07-31 or now-7d.", field=field, text=written[:80]
            ) from None
        return meant


def date_alone(text: str) -> date | None:
    """Return the day that a text is, without a time; None of any other."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
