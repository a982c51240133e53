"""What a note says, and who sees it. Pure: no database, no clock."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal, get_args

from access.grants import Purpose, Rights, uncovered
from data.time.epoch import EARLIEST_MS, LATEST_MS
from data.time.resolution import RESOLUTIONS
from errors import InvalidRequest

NoteKind = Literal["event", "maintenance", "calibration"]
NOTE_KINDS: Final[tuple[NoteKind, ...]] = get_args(NoteKind)
LONGEST_TEXT: Final = 1_000  # characters

_REFUSED: Final = frozenset({"Cc", "Cs"})  # controls, halves of characters


@dataclass(frozen=True)
class NoteContent:
    """What is said of a time or a span of a series, or of a station (``sensor`` is None).

    [start_ms, end_ms) in int ms UTC; both are equal where it is about a moment. ``shared``: others
    see it as well, as far as they may see the series then.
    """

    station: str
    sensor: str | None
    start_ms: int
    end_ms: int
    text: str
    kind: NoteKind = "event"
    shared: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", _checked_text(self.text))
        if self.kind not in NOTE_KINDS:
            known = ", ".join(NOTE_KINDS)
            value = repr(self.kind)[:40]
            raise InvalidRequest("There is no {name} {value}; use {known}.", field="kind", name="kind", value=value, known=known)
        if not EARLIEST_MS <= self.start_ms <= self.end_ms <= LATEST_MS:
            raise InvalidRequest("The end of a note must not be before its start.", field="to")

    @property
    def is_moment(self) -> bool:
        """Return whether it is about a moment, not a span."""
        return self.start_ms == self.end_ms

    def id_of(self, owner: str) -> str:
        """Return the id of the note that says this first: 32 hexadecimal digits, equal for what is
        said twice by one user.
        """
        said = [owner, self.station, self.sensor, self.start_ms, self.end_ms, self.kind, self.text]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Note:
    """A note. ``owner`` has written it; times are int ms UTC."""

    id: str
    owner: str
    content: NoteContent
    created_ms: int
    changed_ms: int


def is_granted(rights: Rights, content: NoteContent, purpose: Purpose = Purpose.VIEW) -> bool:
    """Return whether a note is about what is granted (:func:`is_span_granted`)."""
    return is_span_granted(rights, content.station, content.sensor, (content.start_ms, content.end_ms), purpose)


def is_span_granted(
    rights: Rights, station: str, sensor: str | None, span: tuple[int, int], purpose: Purpose = Purpose.VIEW
) -> bool:
    """Return whether all of [start, end) (int ms UTC; equal: a moment) is granted, at any
    resolution: of a station's sensor (of a derived one all that it is made of), or of some sensor
    of the station (None).
    """
    if rights.shown is not None and not any(station == at and sensor in (None, of) for at, of in rights.shown):
        return False
    if rights.everything:
        return True
    if sensor is not None and not rights.knows(station, sensor):
        return False
    back_ms = rights.derived[sensor].back_ms if sensor is not None and sensor in rights.derived else 0
    named = ((station, None),) if sensor is None else rights.inputs(station, sensor)
    start_ms, end_ms = span[0] - back_ms, max(span[1], span[0] + 1)
    return not any(_lacks(rights, each, start_ms, end_ms, purpose) for each in named)


def _lacks(rights: Rights, of: tuple[str, str | None], start_ms: int, end_ms: int, purpose: Purpose) -> bool:
    """Return whether grants leave out some of [start, end) of a station's sensor."""
    fitting = (one for one in rights.grants if one.names(*of) and one.fits(0, RESOLUTIONS[-1], purpose))
    return bool(uncovered(start_ms, end_ms, ((one.from_ms, one.to_ms) for one in fitting)))


def _checked_text(text: str) -> str:
    """Return a text without space around it; its lines end with a line feed.

    Raises:
        InvalidRequest: it is empty or too long, or no text.
    """
    found = "\n".join(text.strip().splitlines())
    if not 0 < len(found) <= LONGEST_TEXT:
        raise InvalidRequest("A note has 1 to {most} characters.", field="text", most=LONGEST_TEXT)
    if any(unicodedata.category(each) in _REFUSED for each in found if each not in "\n\t"):
        raise InvalidRequest("A note cannot hold control characters.", field="text")
    return found
