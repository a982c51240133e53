"""What a report is made of, whatever its period: series, zone, flags, language and sections."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from access.saved.saved_selection import SavedSelection
from data.flag_choice import USUAL_FLAGS, FlagChoice
from data.request import HistoryRequest
from errors import InvalidRequest
from reports.period import LEAST_YEAR_DAYS, MOST_DAYS, Period

SectionName = Literal[
    "completeness", "flags", "decisions", "notes", "months", "extremes", "daily", "climat", "wind", "rain", "earlier", "drift"
]
SECTIONS: Final[tuple[SectionName, ...]] = get_args(SectionName)
MOST_EARLIER_YEARS: Final = 60
_USUAL_YEARS: Final = (30, 10)  # that a period of up to a month is compared with, and a longer one

Name = Annotated[str, Field(min_length=1, max_length=255)]


class ReportDefinition(BaseModel):
    """One definition. ``earlier_years`` is how many earlier years the period is compared with at
    most; None: 30 where it is at most a month long, else 10. ``title`` stands above the
    stations' names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stations: Annotated[tuple[Name, ...], Field(min_length=1, max_length=10_000)]
    sensors: Annotated[tuple[Name, ...], Field(min_length=1, max_length=10_000)]
    timezone: Annotated[str, Field(max_length=64)]
    title: Annotated[str, Field(max_length=120)] = ""
    language: Literal["en", "id"] = "en"
    flags: FlagChoice = USUAL_FLAGS
    sections: tuple[SectionName, ...] = SECTIONS
    earlier_years: Annotated[int, Field(ge=0, le=MOST_EARLIER_YEARS)] | None = None

    @field_validator("title")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if text and not text.isprintable():
            raise ValueError("give a title of one line")
        return text.strip()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"there is no time zone {name!r}") from None
        return name

    @field_validator("stations", "sensors")
    @classmethod
    def _sorted(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(names)))

    @field_validator("sections")
    @classmethod
    def _in_order(cls, names: tuple[SectionName, ...]) -> tuple[SectionName, ...]:
        return tuple(name for name in SECTIONS if name in names)

    def request(self, span: tuple[int, int]) -> HistoryRequest:
        """Return the request of the readings of a span, int ms UTC.

        Raises:
            InvalidRequest: it cannot be asked for.
        """
        return HistoryRequest(self.stations, self.sensors, *span, "raw", self.timezone)

    def compared_years(self, period: Period) -> int:
        """Return how many earlier years a period is compared with at most."""
        if not {"earlier", "climat", *(["drift"] if period.days >= LEAST_YEAR_DAYS else [])} & set(self.sections):
            return 0
        if self.earlier_years is not None:
            return self.earlier_years
        return _USUAL_YEARS[0 if period.days <= MOST_DAYS else 1]

    def to_json(self) -> str:
        """JSON with sorted keys; :func:`definition_of_json` is the inverse."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)


def definition_of_json(text: str) -> ReportDefinition:
    """Return the definition that :meth:`ReportDefinition.to_json` wrote."""
    return ReportDefinition.model_validate_json(text)


def make_definition(what: str, **parts: Any) -> ReportDefinition:
    """Return a definition of its parts; ``what`` is what they come from, for the error.

    Raises:
        InvalidRequest: naming the part and what is wrong with it.
    """
    try:
        return ReportDefinition.model_validate(parts)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(map(str, first["loc"])) or "TOML"
        why = first["msg"].removeprefix("Value error, ")
        raise InvalidRequest("{file}: {where}: {why}.", field=where, file=what, where=where, why=why) from exc


def definition_of_view(shows: SavedSelection, *, language: str = "en", title: str = "") -> ReportDefinition:
    """Return the definition of what a saved view shows, with all sections."""
    return make_definition(
        "view", stations=shows.stations, sensors=shows.sensors, timezone=shows.timezone, language=language, title=title
    )


def read_definition(path: Path, zone_of: Callable[[Sequence[str]], str]) -> ReportDefinition:
    """Return the definition in a TOML file; of one that names no time zone it is that of its
    stations, by ``zone_of``.

    Raises:
        InvalidRequest: it is none; says where and why.
        OSError: the file cannot be read.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InvalidRequest("{file} is not valid TOML: {why}.", file=path, why=str(exc)) from exc
    named = tables.get("stations")
    stations = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    return make_definition(str(path), **{"timezone": zone_of(stations), **tables})
