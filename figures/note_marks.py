"""Notes on the time axis of Trend and on the overview: flags beneath the plots, and thin bands for
spans, so that nothing lies over the data.

A figure has their places; what they say is in it only as a hover of charts in other pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from access.notes.note import Note
from access.notes.noted import Noted
from data.station_history import HistoryEntry
from figures.template import Style
from figures.wallclock import WallClock
from figures.words import verbatim
from i18n import gettext as _

NOTES_PX: Final = 14  # between the axis and its labels, where there are notes
_APART_PX: Final = 13  # flags that are nearer than this are one
_APART_ABOVE_PX: Final = 7  # on the overview
_LONGEST_HOVER: Final = 300  # characters of one note
_MOST_HOVER: Final = 5  # notes of one flag

# Paths in px from the time on the axis; down is negative.
_FLAG: Final = "M0,-1L0,-13L0,-8L7,-4.5Z"
_DIAMOND: Final = "M0,-2L4.5,-6.5L0,-11L-4.5,-6.5Z"
_TRIANGLE: Final = "M-3,0L3,0L0,-5Z"


@dataclass(frozen=True)
class Mark:
    """A flag or, of the history of stations alone, a diamond: at int ms UTC, of one or several."""

    at_ms: int
    of: tuple[Note | HistoryEntry, ...]

    @property
    def is_history(self) -> bool:
        """Whether it is of the history of stations alone."""
        return all(isinstance(each, HistoryEntry) for each in self.of)

    @property
    def told(self) -> dict[str, Any]:
        """What the page is told of it: its time (ms UTC) and whose it is."""
        return {"at": self.at_ms, "ids": [one.id for one in self.of], "history": self.is_history}


def marks_of(noted: Noted, start_ms: int, end_ms: int, width_px: float, apart_px: float = _APART_PX) -> list[Mark]:
    """Return the marks of a window [start, end), int ms UTC, of a width, by time: what began before
    it stands where it begins; what would overlap is one mark.
    """
    scale = width_px / max(end_ms - start_ms, 1)

    def near(one: int, other: int) -> bool:
        return (one - other) * scale < apart_px

    everything: list[Note | HistoryEntry] = [*noted.notes, *noted.history]
    found = [one for one in everything if _touches(_span(one), start_ms, end_ms)]
    return _grouped([(max(_span(one)[0], start_ms), one) for one in found], near)


def mark_shapes(marks: Sequence[Mark], noted: Noted, clock: WallClock, style: Style) -> list[dict[str, Any]]:
    """Return the flags, diamonds and bands beneath the plots of a window."""
    bands = [_band(*span, clock, style, 0, -3) for span in _spans(noted, clock.start_ms, clock.end_ms)]
    return [*bands, *(_shape(each, clock, style) for each in marks)]


def overview_shapes(noted: Noted, clock: WallClock, style: Style, width_px: float) -> list[dict[str, Any]]:
    """Return small marks at the upper edge of the overview."""
    marks = marks_of(noted, clock.start_ms, clock.end_ms, width_px, _APART_ABOVE_PX)
    bands = [_band(*span, clock, style, 1, -2) for span in _spans(noted, clock.start_ms, clock.end_ms)]
    triangles = [{**_path(_TRIANGLE, each, clock, style), "yanchor": 1} for each in marks]
    return [*bands, *triangles]


def mark_counts(marks: Sequence[Mark], clock: WallClock, style: Style) -> list[dict[str, Any]]:
    """Return how many notes a flag stands for, where they are several."""
    font = {"size": 10, "color": style.ink}
    place = {"xref": "x", "xanchor": "left", "xshift": 6, "yref": "paper", "y": 0, "yanchor": "top", "yshift": 1}
    several = (each for each in marks if len(each.of) > 1)
    return [
        {"text": str(len(each.of)), "x": _at(each.at_ms, clock), **place, "showarrow": False, "font": font} for each in several
    ]


def mark_hovers(marks: Sequence[Mark], clock: WallClock, time_words: Callable[[int], str]) -> list[dict[str, Any]]:
    """Return what flags say to a pointer, for charts that have no other way to say it."""
    place = {"xref": "x", "xanchor": "center", "yref": "paper", "y": 0, "yanchor": "top", "showarrow": False}
    size = {"width": NOTES_PX, "height": NOTES_PX, "text": "\u00a0", "font": {"size": 8}, "captureevents": True}
    return [{**place, **size, "x": _at(each.at_ms, clock), "hovertext": "<br>".join(_lines(each, time_words))} for each in marks]


def kind_words() -> dict[str, str]:
    """Return what each kind of note is called."""
    return {"event": _("Event"), "maintenance": _("Maintenance"), "calibration": _("Calibration")}


def history_words(one: HistoryEntry) -> str:
    """Return what an entry says, in one line."""
    return " · ".join(part for part in (one.instrument, one.place, one.text) if part)


def _lines(mark: Mark, time_words: Callable[[int], str]) -> list[str]:
    lines = []
    for one in mark.of[:_MOST_HOVER]:
        if isinstance(one, HistoryEntry):
            head, at_ms, text, station = _("Station history"), one.start_ms, history_words(one), one.station
        else:
            content = one.content
            head, at_ms, text, station = kind_words()[content.kind], content.start_ms, content.text, content.station
        short = text if len(text) <= _LONGEST_HOVER else f"{text[:_LONGEST_HOVER]}…"
        lines += [f"<b>{verbatim(f'{head} · {station} · {time_words(at_ms)}')}</b>"]
        lines += [verbatim(line) for line in short.split("\n")]
    more = len(mark.of) - _MOST_HOVER
    return lines + ([verbatim(f"+ {more}")] if more > 0 else [])


def _grouped(found: Sequence[tuple[int, Any]], near: Callable[[int, int], bool]) -> list[Mark]:
    marks: list[Mark] = []
    for at_ms, one in sorted(found, key=lambda each: each[0]):
        if marks and near(at_ms, marks[-1].at_ms):
            marks[-1] = Mark(marks[-1].at_ms, (*marks[-1].of, one))
        else:
            marks.append(Mark(at_ms, (one,)))
    return marks


def _span(one: Note | HistoryEntry) -> tuple[int, int]:
    if isinstance(one, HistoryEntry):
        return one.start_ms, one.start_ms if one.end_ms is None else one.end_ms
    return one.content.start_ms, one.content.end_ms


def _touches(span: tuple[int, int], start_ms: int, end_ms: int) -> bool:
    return span[0] < end_ms and (span[1] > start_ms or span[0] == start_ms)


def _spans(noted: Noted, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """Return what spans cover of a window, those that touch as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(_span(one) for one in noted.notes):
        start, end = max(start, start_ms), min(end, end_ms)
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _at(time_ms: int, clock: WallClock) -> float:
    return float(time_ms + clock.offset_ms)


def _band(start_ms: int, end_ms: int, clock: WallClock, style: Style, edge: int, depth_px: int) -> dict[str, Any]:
    place = {"xref": "x", "x0": _at(start_ms, clock), "x1": _at(end_ms, clock), "yref": "paper"}
    size = {"ysizemode": "pixel", "yanchor": edge, "y0": 0, "y1": depth_px}
    return {"type": "rect", **place, **size, "fillcolor": style.muted, "line": {"width": 0}, "name": "note"}


def _path(path: str, mark: Mark, clock: WallClock, style: Style) -> dict[str, Any]:
    place = {"xref": "x", "xsizemode": "pixel", "xanchor": _at(mark.at_ms, clock)}
    place |= {"yref": "paper", "ysizemode": "pixel", "yanchor": 0}
    look = {"fillcolor": style.ground, "line": {"width": 1, "color": style.ink}}
    if not mark.is_history:
        look["fillcolor"] = style.ink
    return {"type": "path", "path": path, **place, **look, "layer": "above", "name": "note"}


def _shape(mark: Mark, clock: WallClock, style: Style) -> dict[str, Any]:
    return _path(_DIAMOND if mark.is_history else _FLAG, mark, clock, style)
