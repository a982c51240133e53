"""What a chart in another page shows, and what may be seen through it. Pure: no database, no clock, no request in hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from glob import escape
from typing import Any, Final

from access.grants import Grant, Rights, whole_buckets
from data.request import RESOLUTIONS, HistoryRequest, Resolution
from errors import InvalidRequest
from i18n import LANGUAGES

THEMES: Final = ("auto", "light", "dark")
LEAST_REFRESH_S: Final = 10
MOST_REFRESH_S: Final = 86_400
LONGEST_LABEL: Final = 120  # characters

_HOUR_MS: Final = 3_600_000
_UNITS_MS: Final = {"h": _HOUR_MS, "d": 24 * _HOUR_MS}
_LAST: Final = re.compile(r"([1-9][0-9]{0,4})([hd])")
_LONGEST_LAST_MS: Final = 36_525 * 24 * _HOUR_MS  # a hundred years
_STEPS_MS: Final = (60_000, 300_000, 600_000, 1_800_000, _HOUR_MS)
_COLUMNS: Final = 1000  # about the pixels of a chart: a step of the range is not more than one of them
_LATE_MS: Final = _HOUR_MS  # how long after its range was resolved a job may still be loaded and looked at

_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")  # what a policy can name
_LOCAL: Final = re.compile(r"localhost|.*\.localhost|127(\.[0-9]{1,3}){3}")
_PORTS: Final = {"https": 443, "http": 80}
_ORIGIN: Final = re.compile(r"(?P<scheme>https?)://(?P<host>[^\s/:?#@\[\]]{1,200})(:(?P<port>[0-9]{1,5}))?/?")


@dataclass(frozen=True)
class Shows:
    """Stations × sensors, either of [start, end) (int ms UTC) or of the last so many ms, and how they are drawn.

    ``refresh_s``: after how long a rolling chart looks for newer data.
    """

    stations: tuple[str, ...]
    sensors: tuple[str, ...]
    start_ms: int | None = None
    end_ms: int | None = None
    last_ms: int | None = None
    resolution: Resolution = "raw"
    timezone: str = "UTC"
    theme: str = "auto"
    language: str = "en"
    controls: bool = True
    transparent: bool = False
    refresh_s: int = 300

    def __post_init__(self) -> None:
        fixed = self.start_ms is not None and self.end_ms is not None
        if fixed == (self.last_ms is not None):
            raise InvalidRequest("Give a range from and to, or the last hours or days such as 7d.", field="range")
        if self.last_ms is not None and not _HOUR_MS <= self.last_ms <= _LONGEST_LAST_MS:
            raise _not_last(str(self.last_ms))
        for name, value, known in (("theme", self.theme, THEMES), ("language", self.language, tuple(LANGUAGES))):
            if value not in known:
                raise InvalidRequest(
                    "There is no {name} {value}; use {known}.", field=name, name=name, value=value[:40], known=", ".join(known)
                )
        if not LEAST_REFRESH_S <= self.refresh_s <= MOST_REFRESH_S:
            raise InvalidRequest(
                "A chart can look for newer data every {least} to {most} seconds.",
                field="refresh",
                least=LEAST_REFRESH_S,
                most=MOST_REFRESH_S,
            )
        self.request(0 if self.last_ms is None else self.last_ms)  # raises where it is none

    @property
    def rolling(self) -> bool:
        """Whether its range ends now."""
        return self.last_ms is not None

    @property
    def step_ms(self) -> int:
        """A rolling range begins and ends at whole steps, so that those who look at about the same time share a job."""
        length_ms = self.last_ms or 0
        return max((step for step in _STEPS_MS if step * _COLUMNS <= length_ms), default=_STEPS_MS[0])

    def request(self, now_ms: int) -> HistoryRequest:
        """What is shown now (int ms UTC).

        A rolling range ends at the next step, so that the newest row is in it; steps of a resolution are shown whole.
        """
        if self.last_ms is None:
            start_ms, end_ms = int(self.start_ms or 0), int(self.end_ms or 0)
        elif self.resolution == "raw":
            end_ms = (now_ms // self.step_ms + 1) * self.step_ms
            start_ms = end_ms - self.last_ms
        else:
            end_ms = whole_buckets(self.resolution, now_ms, now_ms + 1, self.timezone)[1]
            start_ms = end_ms - self.last_ms
        asked = HistoryRequest(self.stations, self.sensors, start_ms, end_ms, self.resolution, self.timezone)
        start_ms, end_ms = whole_buckets(self.resolution, start_ms, end_ms, self.timezone)
        return replace(asked, start_ms=start_ms, end_ms=end_ms)

    def span(self, now_ms: int) -> tuple[int, int]:
        """[start, end) of all that may be asked for now: what is shown now, and what was to those who began to look before.

        Another host's clock may be a little before ours, and so a step ahead.
        """
        if not self.rolling:
            shown = self.request(now_ms)
            return shown.start_ms, shown.end_ms
        return self.request(now_ms - _LATE_MS).start_ms, self.request(now_ms + self.step_ms).end_ms

    def is_shown(self, request: HistoryRequest, now_ms: int) -> bool:
        """Whether a request is exactly what is shown now, or was at some time of the last hour."""
        begun_ms = max(now_ms - _LATE_MS, min(request.end_ms - 1, now_ms))
        return any(request == self.request(moment) for moment in (now_ms, begun_ms, now_ms + self.step_ms))

    def to_json(self) -> str:
        """JSON with sorted keys; :meth:`from_json` is the inverse."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Shows:
        """What :meth:`to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**{**fields, "stations": tuple(fields["stations"]), "sensors": tuple(fields["sensors"])})


def shown_rights(shows: Shows, owner: Rights, now_ms: int) -> Rights:
    """What may be seen through a chart: what it shows, as far as its owner may embed it now.

    A file of it may be had where the chart has controls and the owner may also export it.
    """
    frame = _frame(shows, now_ms)
    if owner.everything:
        return Rights((replace(frame, may_export=shows.controls),), zone=owner.zone)
    embed = [replace(cut, may_export=False) for cut in _cuts(frame, shows, (one for one in owner.grants if one.may_embed))]
    if not shows.controls:
        return Rights(tuple(embed), zone=owner.zone)
    export = [cut for seen in embed for cut in _cuts(seen, shows, (one for one in owner.grants if one.may_export))]
    return Rights((*embed, *(replace(cut, may_export=True) for cut in export)), zone=owner.zone)


def _frame(shows: Shows, now_ms: int) -> Grant:
    """A grant of just what is shown."""
    start_ms, end_ms = shows.span(now_ms)
    return Grant(
        stations=tuple(escape(name) for name in shows.stations),
        sensors=tuple(escape(name) for name in shows.sensors),
        from_ms=start_ms,
        to_ms=end_ms,
        finest=shows.resolution,
    )


def _cuts(frame: Grant, shows: Shows, grants: Iterable[Grant]) -> list[Grant]:
    """The parts of a grant of shown names that each of some grants gives as well."""
    found = []
    for one in grants:
        stations = [name for name in shows.stations if one.names(name) and frame.names(name)]
        sensors = [name for name in shows.sensors for at in stations[:1] if one.names(at, name) and frame.names(at, name)]
        if stations and sensors:
            found.append(_both(frame, one, stations, sensors))
    return found


def _both(frame: Grant, other: Grant, stations: Iterable[str], sensors: Iterable[str]) -> Grant:
    """What two grants both give of some names; names are literal."""
    begins = [ms for ms in (frame.from_ms, other.from_ms) if ms is not None]
    ends = [ms for ms in (frame.to_ms, other.to_ms) if ms is not None]
    lengths = [ms for ms in (frame.longest_ms, other.longest_ms) if ms is not None]
    return Grant(
        stations=tuple(escape(name) for name in stations),
        sensors=tuple(escape(name) for name in sensors),
        from_ms=max(begins, default=None),
        to_ms=min(ends, default=None),
        longest_ms=min(lengths, default=None),
        finest=max(frame.finest, other.finest, key=lambda name: RESOLUTIONS.index(name)),
    )


def parse_last(text: str) -> int:
    """``24h``, ``7d`` as ms.

    Raises:
        InvalidRequest: it is neither hours nor days.
    """
    match = _LAST.fullmatch(text.strip().lower())
    if not match:
        raise _not_last(text)
    return int(match[1]) * _UNITS_MS[match[2]]


def last_text(last_ms: int) -> str:
    """The inverse of :func:`parse_last`: days where they are whole and more than two, else hours."""
    days, rest = divmod(last_ms, _UNITS_MS["d"])
    return f"{days}d" if days > 2 and not rest else f"{last_ms // _HOUR_MS}h"


def check_origin(text: str) -> str:
    """An origin as browsers write it (``https://portal.example:8443``): lower case, without the scheme's own port.

    Plain http only for this machine: whoever can change a page on its way could take the link of the chart from it.

    Raises:
        InvalidRequest: it is no origin, or one that a policy cannot name (an IPv6 address, a pattern).
    """
    match = _ORIGIN.fullmatch(text.strip().lower())
    try:
        host = match["host"].encode("idna").decode() if match else ""
    except ValueError:  # too long, empty or forbidden labels
        host = ""
    if match is None or not _HOST.fullmatch(host) or int(match["port"] or 1) not in range(1, 65536):
        raise _not_origin(text)
    if match["scheme"] == "http" and not _LOCAL.fullmatch(host):
        raise InvalidRequest("The page around the chart must come by https; http is for this machine only.", field="origin")
    port = int(match["port"] or _PORTS[match["scheme"]])
    return f"{match['scheme']}://{host}" + ("" if port == _PORTS[match["scheme"]] else f":{port}")


def check_label(text: str) -> str:
    """A label without space around it.

    Raises:
        InvalidRequest: it is too long, or cannot be printed.
    """
    label = text.strip()
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise InvalidRequest("A label is one line of at most {most} characters.", field="label", most=LONGEST_LABEL)
    return label


def _not_last(text: str) -> InvalidRequest:
    return InvalidRequest("{text} is no rolling range; write it like 24h or 7d.", field="range", text=repr(text[:40]))


def _not_origin(text: str) -> InvalidRequest:
    return InvalidRequest(
        "{text} is no origin; write the scheme, the name and, if it is another, the port of the portal: https://portal.example.",
        field="origin",
        text=repr(text[:80]),
    )
