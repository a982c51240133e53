"""A note as files of rows tell it, beside the rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FileNote:
    """What is noted of a station, or a sensor of it, from ``start_ms`` on, int ms UTC; ``end_ms``
    is exclusive, None where it is about a moment or nobody has said until when. ``owner`` has
    written it; empty: it is of the station's history, as the catalogue says.
    """

    station: str
    sensor: str | None
    start_ms: int
    end_ms: int | None
    kind: str
    text: str
    owner: str = ""
