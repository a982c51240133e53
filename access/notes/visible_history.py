"""What somebody is told of the history of stations. Asks no database."""

from __future__ import annotations

from collections.abc import Iterable

from access.notes.note_viewer import NoteViewer
from data.catalogue import Catalogue
from data.station_history import HistoryEntry, history_of


def visible_history(
    catalogue: Catalogue,
    viewer: NoteViewer,
    stations: Iterable[str],
    sensors: Iterable[str] | None,
    span: tuple[int, int],
    site_zone: str,
) -> list[HistoryEntry]:
    """Return what is known of the past of some stations as a whole, and of some of their sensors
    (None: any), that begins in [start, end) or lasts into it, int ms UTC, by time; as far as it
    is granted, as a shared note is. What has no end is of the moment at which it begins.
    """
    of = None if sensors is None else frozenset(sensors)
    found = []
    for one in history_of(catalogue, stations, site_zone):
        end_ms = one.start_ms if one.end_ms is None else one.end_ms
        touches = one.start_ms < span[1] and (end_ms > span[0] or one.start_ms == span[0])
        asked = of is None or one.sensor is None or one.sensor in of
        if touches and asked and viewer.may_know(one.station, one.sensor, (one.start_ms, end_ms)):
            found.append(one)
    return found
