"""What a report says, before it is a page or a workbook: sections of words, tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Amount:
    """A number and how many digits after the point are shown; NaN and None are no number."""

    value: float | None
    decimals: int = 0


@dataclass(frozen=True)
class Instant:
    """A time, int ms UTC, shown in the zone of the report."""

    time_ms: int


Cell = str | Amount | Instant | None


@dataclass(frozen=True)
class ReportTable:
    """Rows below a header; ``caption`` says what they are. ``name`` is that of a worksheet, where
    equal ones of several stations stand beneath each other.
    """

    name: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class ReportPicture:
    """An SVG, made by reports/pictures.py, and what it shows in words."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str


Part = ReportTable | ReportPicture | Words


@dataclass(frozen=True)
class ReportSection:
    """A heading and what stands beneath it."""

    title: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class StationChapter:
    """All sections of a station, with its facts: (what, said)."""

    station: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[ReportSection]


@dataclass(frozen=True)
class Document:
    """A report in one language: ``facts`` of the whole, a chapter a station, how it was made."""

    title: str
    subtitle: str
    language: str
    timezone: str
    facts: Sequence[tuple[str, str]]
    chapters: Sequence[StationChapter]
    method: Sequence[ReportSection] = field(default=())

    @property
    def tables(self) -> list[tuple[str, ReportTable]]:
        """Every table with its station; the method's with none."""
        found = [(chapter.station, section) for chapter in self.chapters for section in chapter.sections]
        found += [("", section) for section in self.method]
        return [(station, part) for station, section in found for part in section.parts if isinstance(part, ReportTable)]
