"""What a chart in another page shows, and how. Pure: no database, no clock, no request in hand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from access.grants import whole_buckets
from analysis.inquiry import TREND
from data.request import HistoryRequest
from data.time.epoch import DAY_MS, EARLIEST_MS, HOUR_MS, LATEST_MS, MINUTE_MS
from data.time.resolution import Resolution
from errors import InvalidRequest
from i18n import LANGUAGES

Theme = Literal["auto", "light", "dark"]
THEMES: Final = get_args(Theme)
LEAST_REFRESH_S: Final = 10
MOST_REFRESH_S: Final = 86_400
LONGEST_LABEL: Final = 120  # characters

_UNITS_MS: Final = {"h": HOUR_MS, "d": DAY_MS}
_LAST: Final = re.compile(r"([1-9][0-9]{0,4})([hd])")
_LONGEST_LAST_MS: Final = 36_525 * DAY_MS  # a hundred years
_STEPS_MS: Final = (MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS)
# about the pixels of a chart: a step of the range is not more than one of them
_COLUMNS: Final = 1000
# how long after its range was resolved a job may still be loaded and looked at
_LATE_MS: Final = HOUR_MS


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError) as exc:
        raise ValueError(name) from exc
    return name


def _known_language(name: str) -> str:
    if name not in LANGUAGES:
        raise ValueError(name)
    return name


_Moment = Annotated[int, Field(ge=EARLIEST_MS, le=LATEST_MS)]


class _Stored(BaseModel):
    """What is in the table: untrusted, since another version may have written it."""

    model_config = ConfigDict(extra="forbid")

    stations: tuple[str, ...]
    sensors: tuple[str, ...]
    start_ms: _Moment | None = None
    end_ms: _Moment | None = None
    last_ms: Annotated[int, Field(ge=HOUR_MS, le=_LONGEST_LAST_MS)] | None = None
    resolution: Resolution = "raw"
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    theme: Theme = "auto"
    language: Annotated[str, AfterValidator(_known_language)] = "en"
    controls: bool = True
    transparent: bool = False
    refresh_s: Annotated[int, Field(ge=LEAST_REFRESH_S, le=MOST_REFRESH_S)] = 300
    view: str = TREND
    options: dict[str, str] = {}
    notes: bool = False


@dataclass(frozen=True)
class EmbedSpec:
    """Stations × sensors, either of [start, end) (int ms UTC) or of the last so many ms,
    and how they are drawn.

    ``refresh_s``: after how long a rolling chart looks for newer data. ``view`` is Trend or the
    name of an analysis, ``options`` are the view's, as texts of an address. ``notes``: Trend shows
    what people share on its series.
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
    view: str = TREND
    options: Mapping[str, str] = field(default_factory=dict)
    notes: bool = False

    def __post_init__(self) -> None:
        fixed = self.start_ms is not None and self.end_ms is not None
        if fixed == (self.last_ms is not None):
            raise InvalidRequest("Give a range with from and to, or a rolling one such as 7d.", field="range")
        if self.last_ms is not None and not HOUR_MS <= self.last_ms <= _LONGEST_LAST_MS:
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
        if self.view != TREND and self.resolution != "raw":
            raise InvalidRequest("This view is made of all readings, so it has no resolution.", field="resolution")
        self.request(0 if self.last_ms is None else self.last_ms)  # raises where it is none

    @property
    def rolling(self) -> bool:
        """Return whether its range ends now."""
        return self.last_ms is not None

    @property
    def step_ms(self) -> int:
        """A rolling range begins and ends at whole steps,
        so that those who look at about the same time share a job.
        """
        length_ms = self.last_ms or 0
        return max((step for step in _STEPS_MS if step * _COLUMNS <= length_ms), default=_STEPS_MS[0])

    def request(self, now_ms: int) -> HistoryRequest:
        """Return the request of what is loaded at ``now_ms`` (int ms UTC): what is shown, and
        before it what its view looks back on.
        """
        shown = self.shown(now_ms)
        if self.view == TREND:
            return shown
        from analysis.registry import ANALYSES  # all analyses, of which who asks for rights alone has no need

        if self.view not in ANALYSES:
            return shown
        begins = ANALYSES[self.view].begins(self.options, (shown.start_ms, shown.end_ms), self.timezone)
        return replace(shown, start_ms=min(begins, shown.start_ms))

    def shown(self, now_ms: int) -> HistoryRequest:
        """Return the request of what is shown at ``now_ms`` (int ms UTC).

        A rolling range ends at the next step, so that the newest row is in it;
        steps of a resolution are shown whole.
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
        """[start, end) of all that may be asked for now:
        what is shown now, and what was to those who began to look before.

        Another host's clock may be a little before ours, and so a step ahead.
        """
        if not self.rolling:
            loaded = self.request(now_ms)
            return loaded.start_ms, loaded.end_ms
        return self.request(now_ms - _LATE_MS).start_ms, self.request(now_ms + self.step_ms).end_ms

    def is_shown(self, request: HistoryRequest, now_ms: int) -> bool:
        """Return whether a request is just what is shown now, or was within the last hour."""
        begun_ms = max(now_ms - _LATE_MS, min(request.end_ms - 1, now_ms))
        return any(request == self.request(moment) for moment in (now_ms, begun_ms, now_ms + self.step_ms))

    def to_json(self) -> str:
        """JSON with sorted keys; :meth:`from_json` is the inverse."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> EmbedSpec:
        """Parse what :meth:`to_json` wrote. It was checked as a request when it was made;
        here only that it can be told.

        Raises:
            ValueError: it is no such JSON, or of another version.
        """
        found = cls.__new__(cls)
        vars(found).update(dict(_Stored.model_validate_json(text)))
        return found


# Stands for what cannot be read: another version wrote it, or it is damaged.
UNREADABLE: Final = EmbedSpec(("?",), ("?",), last_ms=HOUR_MS)


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
    """Return the inverse of :func:`parse_last`: whole days where more than two, else hours."""
    days, rest = divmod(last_ms, DAY_MS)
    return f"{days}d" if days > 2 and not rest else f"{last_ms // HOUR_MS}h"


def check_label(text: str) -> str:
    """A label without space around it.

    Raises:
        InvalidRequest: it is too long, or cannot be printed.
    """
    label = text.strip()
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise InvalidRequest("A title has one line of at most {most} characters.", field="label", most=LONGEST_LABEL)
    return label


def _not_last(text: str) -> InvalidRequest:
    return InvalidRequest("{text} is not a rolling range; write it like 24h or 7d.", field="range", text=repr(text[:40]))
