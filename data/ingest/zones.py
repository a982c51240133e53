"""Wall-clock times of a logger become UTC, also where clocks change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall-clock times have no zone yet


def zone_of(name: str) -> tzinfo:
    """A zone by its IANA name (``Asia/Jakarta``), or a fixed offset from UTC: ``-05:00``, ``UTC+7``.

    Raises:
        ValueError: when it is neither.
    """
    if name.upper() in {"UTC", "Z", "GMT"}:
        return UTC
    match = _OFFSET.fullmatch(name)
    if match:
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(offset if sign == "+" else -offset)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise ValueError(f"{name!r} is neither an IANA time zone such as Asia/Jakarta nor an offset such as -05:00") from exc


class Clock:
    """Wall-clock times of one zone, row after row of one file.

    An hour that occurs twice (clocks went back) is told by order: a row takes the first occurrence that is later than the
    station's row before; where neither is, the first. An hour that does not exist (clocks went forward) gives no time.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._latest: dict[str, int] = {}  # station -> UTC ms of its last row of the chunks before

    def to_utc(
        self, wall_ms: npt.NDArray[np.int64], stations: Sequence[str] | npt.NDArray[np.object_]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """int64 ms UTC, and which rows have a time at all.

        Args:
            wall_ms: int64 ms since 1970-01-01 on the wall clock, in the file's order.
            stations: the station of each row.
        """
        exists = np.ones(len(wall_ms), np.bool_)
        if not isinstance(self._zone, ZoneInfo):
            offset = self._zone.utcoffset(None) or timedelta()
            return wall_ms - offset // timedelta(milliseconds=1), exists
        local = pd.DatetimeIndex(wall_ms.astype("datetime64[ms]"))
        aware = local.tz_localize(self._zone, ambiguous="NaT", nonexistent="NaT")
        utc = aware.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
        names = np.asarray(stations, dtype=object)
        unclear = np.flatnonzero(np.asarray(aware.isna()))
        for row in unclear.tolist():
            utc[row], exists[row] = self._decide(int(wall_ms[row]), self._before(row, names, utc, exists))
        self._remember(names, utc, exists)
        return utc, exists

    def _decide(self, wall_ms: int, before_ms: int | None) -> tuple[int, bool]:
        wall = _EPOCH + timedelta(milliseconds=wall_ms)
        first, second = (
            wall_ms - (wall.replace(tzinfo=self._zone, fold=fold).utcoffset() or timedelta()) // timedelta(milliseconds=1)
            for fold in (0, 1)
        )
        if first > second:  # the offset grows: clocks went forward over this hour
            return 0, False
        if before_ms is not None and first <= before_ms < second:
            return second, True
        return first, True

    def _before(
        self, row: int, names: npt.NDArray[np.object_], utc: npt.NDArray[np.int64], exists: npt.NDArray[np.bool_]
    ) -> int | None:
        for earlier in range(row - 1, -1, -1):
            if names[earlier] == names[row] and exists[earlier]:
                return int(utc[earlier])
        return self._latest.get(names[row])

    def _remember(self, names: npt.NDArray[np.object_], utc: npt.NDArray[np.int64], exists: npt.NDArray[np.bool_]) -> None:
        backwards = names[exists][::-1]
        unique, last = np.unique(backwards.astype(str), return_index=True)
        times = utc[exists][::-1]
        self._latest.update(zip(unique.tolist(), times[last].tolist(), strict=True))
