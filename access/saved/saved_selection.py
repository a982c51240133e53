"""What a saved view shows: series, a range, and how they are looked at.
Pure: no database, no clock, no request in hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Final, Literal, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError

from data.request import HistoryRequest
from data.time.epoch import DAY_MS, HOUR_MS, MINUTE_MS
from data.time.resolution import Resolution
from errors import InvalidRequest

Preset = Literal["24h", "7d", "30d", "month", "season", "1y", "ytd", "all"]
PRESETS: Final[tuple[Preset, ...]] = get_args(Preset)  # shortest first
LONGEST_NAME: Final = 120  # characters
MOST_BYTES: Final = 60_000  # of a selection as JSON

_LONGEST_LAST_MS: Final = 36_525 * DAY_MS  # a hundred years
_VIEW: Final = re.compile(r"[a-z][a-z_-]{0,39}")
_OPTION: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_MOST_OPTIONS: Final = 20
MOST_HIDDEN: Final = 200
_LONGEST_OPTION: Final = 2_000  # characters


@dataclass(frozen=True)
class SavedSelection:
    """Stations × sensors of a range at a resolution in a time zone, and how they are looked at.

    The range is one of three: [start, end) in int ms UTC; the last so many ms until now; a preset
    that ends with the newest data of the series. ``window`` is the part of a fixed range that is
    drawn, None: all of it. ``view`` is a tab of the page, ``options`` and ``hidden`` (series that
    Trend does not show) are those of its address; ``flagged``: flagged observations are used.
    """

    # TypeAdapter reads it: what another version knows and this one does not is not dropped
    __pydantic_config__ = ConfigDict(extra="forbid")

    stations: tuple[str, ...]
    sensors: tuple[str, ...]
    start_ms: int | None = None
    end_ms: int | None = None
    last_ms: int | None = None
    preset: Preset | None = None
    window: tuple[int, int] | None = None
    resolution: Resolution = "raw"
    timezone: str = "UTC"
    view: str = "trend"
    options: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    flagged: bool = False

    def __post_init__(self) -> None:
        self._check_range()
        self.request(self.span(0) or (0, DAY_MS))  # raises where it is none
        names, texts = all(map(_OPTION.fullmatch, self.options)), self.options.values()
        lines = all(text.isprintable() and len(text) <= _LONGEST_OPTION for text in (*texts, *self.hidden))
        few = len(texts) <= _MOST_OPTIONS and len(self.hidden) <= MOST_HIDDEN
        if not (_VIEW.fullmatch(self.view) and names and lines and few):
            raise InvalidRequest("A saved view cannot have this view or these options.", field="view")
        if len(self.to_json().encode("utf-8", "surrogatepass")) > MOST_BYTES:
            raise InvalidRequest("These are too many stations and sensors for a saved view.", field="stations")

    def _check_range(self) -> None:
        fixed = self.start_ms is not None and self.end_ms is not None
        half = (self.start_ms is None) != (self.end_ms is None)
        if half or [fixed, self.last_ms is not None, self.preset is not None].count(True) != 1:
            raise InvalidRequest("Give a range with from and to, a last one such as 7d, or a preset.", field="range")
        if self.last_ms is not None and not HOUR_MS <= self.last_ms <= _LONGEST_LAST_MS:
            raise InvalidRequest("A range until now is at least an hour and at most a hundred years long.", field="range")
        if self.preset is not None and self.preset not in PRESETS:
            raise InvalidRequest(
                "There is no {name} {value}; use {known}.",
                field="range",
                name="preset",
                value=repr(self.preset)[:40],
                known=", ".join(PRESETS),
            )
        if self.window is not None:
            start, end = self.window
            whole = (self.start_ms, self.end_ms)
            if not fixed or whole[0] is None or whole[1] is None or not whole[0] <= start < end <= whole[1]:
                raise InvalidRequest("The window must lie within a fixed range.", field="window")

    def span(self, now_ms: int) -> tuple[int, int] | None:
        """[start, end) that is meant at ``now_ms`` (int ms UTC); None where a preset says it.

        A range until now ends with the next minute, so that the newest row is in it.
        """
        if self.start_ms is not None and self.end_ms is not None:
            return self.start_ms, self.end_ms
        if self.last_ms is None:
            return None
        end_ms = (now_ms // MINUTE_MS + 1) * MINUTE_MS
        return end_ms - self.last_ms, end_ms

    def request(self, span: tuple[int, int]) -> HistoryRequest:
        """Return the request of a range [start, end), int ms UTC.

        Raises:
            InvalidRequest: a part of it cannot be asked for.
        """
        return HistoryRequest(self.stations, self.sensors, *span, self.resolution, self.timezone)

    def to_json(self) -> str:
        """JSON with sorted keys; :meth:`from_json` is the inverse."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> SavedSelection:
        """Parse what :meth:`to_json` wrote.

        Raises:
            ValueError: it is no such JSON, or of another version.
        """
        try:
            return _adapter().validate_json(text)
        except (ValidationError, InvalidRequest) as exc:
            raise ValueError(str(exc)) from exc


def check_saved_name(text: str) -> str:
    """Return a name of a saved view without space around it.

    Raises:
        InvalidRequest: it is empty, too long, or cannot be printed.
    """
    name = text.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidRequest("A name has one line of 1 to {most} characters.", field="name", most=LONGEST_NAME)
    return name


@cache
def _adapter() -> TypeAdapter[SavedSelection]:
    return TypeAdapter(SavedSelection)
