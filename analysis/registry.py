"""The list of analyses, from which page, API, command line and embedded charts are made; and the
one way to run one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final, Protocol

from pydantic import BaseModel, ValidationError

from analysis import (
    calendar,
    compare,
    cycle,
    differences,
    distribution,
    drift,
    earlier,
    events,
    rain,
    scatter,
    summary,
    wind,
)
from analysis.answer import Answer, Method, SubjectAnswer, Table
from analysis.quality import review
from analysis.question import Observed, Question
from data.catalogue import Sensor
from data.site import Site
from errors import InvalidRequest

Subjects = list[tuple[Any, ...]]  # of what has a station and a sensor, as Observed has

SPEEDS: Final = {"m/s", "meter/second", "km/h", "kilometer/hour", "knot", "kt", "mph", "mile/hour"}
_PAIR: Final = 2

# Readings that the web process answers without a job, so that an answer stays below some 200 ms.
_AT_ONCE: Final = 5_000_000  # of an analysis that reads them all: 12 to 20 ms a million, twice that when first seen
_AT_ONCE_OF_ORDER: Final = 1_500_000  # that sorts them by parts: 10 ms a million of decimal steps, up to 130 of others
_AT_ONCE_OF_LISTS: Final = 1_000_000  # whose answer may name each of them, which is long to draw
_AT_ONCE_OF_TIMES: Final = 10_000_000  # that reads their times for pauses: 9 ms a million
_AT_ONCE_OF_RULES: Final = 50_000  # that asks every rule: 100 ms a million, and 2 ms a month of each series
_AT_ONCE_OF_BLOCKS: Final = 20_000_000  # that reads summaries of blocks: 1 to 5 ms a million


class Module(Protocol):
    """What the file of an analysis has, beside ``run(question, *subject, options)``."""

    Options: type[BaseModel]
    METHOD: tuple[Method, ...]
    run: Callable[..., Any]
    table: Callable[[Any, str], Table]


@dataclass(frozen=True)
class Named:
    """A series by its names alone."""

    station: str
    sensor: Sensor


@dataclass(frozen=True)
class Analysis:
    """One question: its file, and which series of a selection it is asked of.

    ``pick`` makes subjects of series by their stations and sensors alone, and raises
    InvalidRequest where none fits, with a sentence that says what is needed.
    """

    name: str
    module: Any  # a Module; modules do not match a protocol with types
    pick: Callable[[Sequence[Any]], Subjects]
    at_once: int = _AT_ONCE
    tab: str = ""  # of the analysis whose tab on the page it shares
    finds_flags: bool = False  # so that none of the rules' counts in what it is asked of

    def begins(self, texts: Mapping[str, str], span: tuple[int, int], timezone: str) -> int:
        """Return from when on an answer of a span needs readings, ms UTC; beside options ``texts``
        may have choices of its picture.

        Raises:
            InvalidRequest: an option is wrong, or there is no such time.
        """
        reach: Callable[[BaseModel, tuple[int, int], str], int] | None = getattr(self.module, "begins", None)
        if reach is None:
            return span[0]
        own = {name: text for name, text in texts.items() if name in self.module.Options.model_fields}
        return reach(self.options(own), span, timezone)

    def site(self, site: Site) -> Site:
        """Return a site as the analysis looks at it."""
        return replace(site, flags="none") if self.finds_flags else site

    def subjects(self, question: Question) -> list[tuple[Observed, ...]]:
        """Return what is answered of a question.

        Raises:
            InvalidRequest: it does not fit these series.
        """
        return self.pick(question.series)

    def lack(self, series: Sequence[Named]) -> InvalidRequest | None:
        """Return what series lack for it, before any of them is opened; None where it fits."""
        try:
            self.pick(series)
        except InvalidRequest as error:
            return error
        return None

    def readings(self, question: Question, options: BaseModel) -> int:
        """Return how many readings are read for an answer: those of its subjects, each once, and
        what is read beside them, as often as it is.

        Raises:
            InvalidRequest: it does not fit these series.
        """
        beside: Callable[[Question, BaseModel], Sequence[Observed]] | None = getattr(self.module, "beside", None)
        rows = {(each.station, each.sensor.name): each.series.rows for subject in self.subjects(question) for each in subject}
        return sum(rows.values()) + sum(each.series.rows for each in (beside(question, options) if beside else ()))

    def default(self, option: str) -> Any:
        """Return what an option is when nothing is said."""
        return self.module.Options.model_fields[option].default

    def options(self, texts: Mapping[str, str]) -> BaseModel:
        """Return the options that some texts mean, the rest as usual.

        Raises:
            InvalidRequest: naming the option, and those that there are.
        """
        model: type[BaseModel] = self.module.Options
        try:
            return model.model_validate(dict(texts))
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"])) or "options"
            if first["type"] == "extra_forbidden":
                known = ", ".join(model.model_fields) or "none"
                raise InvalidRequest(
                    "{analysis} has no option {option}; there is {known}.",
                    field=name,
                    analysis=self.name,
                    option=name,
                    known=known,
                ) from None
            why = first["msg"].removeprefix("Value error, ")
            raise InvalidRequest("The option {option} is not valid: {why}.", field=name, option=name, why=why) from None

    def answer(self, question: Question, options: BaseModel, *, told: Callable[[int], object] = lambda _: None) -> Answer:
        """Return what the analysis finds; ``told`` hears how many subjects are answered.

        Raises:
            InvalidRequest: it does not fit these series.
            TileDamaged: a tile is damaged; it is out of the index then, so the next load reads it
                again.
        """
        answered = []
        for subject in self.subjects(question):
            answered.append(_answered(subject, self.module.run(question, *subject, options)))
            told(len(answered))
        return Answer(
            analysis=self.name,
            start_ms=question.start_ms,
            end_ms=question.end_ms,
            timezone=question.timezone,
            options=options.model_dump(),
            subjects=tuple(answered),
            method=self.module.METHOD,
        )

    def tables(self, answer: Answer) -> list[Table]:
        """Return the answer's subjects as a table each."""
        return [self.module.table(subject.result, subject.units[0]) for subject in answer.subjects]

    def csv_table(self, answer: Answer) -> Table:
        """Return all subjects as one table, with their station and sensors before each row.

        Where units differ they stand in a column of their own.

        Raises:
            InvalidRequest: the subjects' tables have other columns.
        """
        tables = self.tables(answer)
        if len({tuple(table.header) for table in tables}) > 1:  # each column's name has a unit, and one file has several
            tables = [_with_unit_column(table, subject.units[0]) for table, subject in zip(tables, answer.subjects, strict=True)]
        if len({tuple(table.header) for table in tables}) > 1:
            raise InvalidRequest("These series have no table in common; ask for one of them, or for JSON.", field="format")
        rows = [
            (subject.station, "+".join(subject.sensors), *row)
            for subject, table in zip(answer.subjects, tables, strict=True)
            for row in table.rows
        ]
        return Table(("station", "sensor", *tables[0].header), rows)


def _with_unit_column(table: Table, unit: str) -> Table:
    header = [name.removesuffix(f" [{unit}]") for name in table.header]
    return Table(("unit", *header), [(unit, *row) for row in table.rows])


def _answered(subject: tuple[Observed, ...], result: Any) -> SubjectAnswer:
    sensors = [each.sensor for each in subject]
    rows = max(each.series.rows for each in subject)
    stations = dict.fromkeys(each.station for each in subject)
    return SubjectAnswer(
        " · ".join(stations), tuple(sensor.name for sensor in sensors), tuple(sensor.unit for sensor in sensors), rows, result
    )


def _each(series: Sequence[Any]) -> Subjects:
    return [(observed,) for observed in series]


def _numbers(series: Sequence[Any]) -> Subjects:
    found: Subjects = [(each,) for each in series if each.sensor.aggregation != "direction"]
    if not found:
        raise InvalidRequest("Needs a sensor other than a direction.", field="sensors")
    return found


def _sums(series: Sequence[Any]) -> Subjects:
    found: Subjects = [(each,) for each in series if each.sensor.aggregation == "sum"]
    if not found:
        raise InvalidRequest("Needs a sensor that is summed, such as rain.", field="sensors")
    return found


def _winds(series: Sequence[Any]) -> Subjects:
    """(speed, direction) of each station that has both."""
    by_station = groupby(series, key=lambda observed: observed.station)
    found = [pair for _, own in by_station if (pair := _wind(list(own))) is not None]
    if not found:
        raise InvalidRequest("Needs wind direction and wind speed of one station.", field="sensors")
    return found


def _wind(series: Iterable[Observed]) -> tuple[Observed, ...] | None:
    known = list(series)
    directions = [observed for observed in known if observed.sensor.is_direction]
    others = [observed for observed in known if observed.sensor.aggregation != "direction"]
    speeds = [observed for observed in others if observed.sensor.unit_code in SPEEDS] or others
    return (speeds[0], directions[0]) if len(directions) == len(speeds) == 1 else None


def _stations(series: Sequence[Any]) -> Subjects:
    """The series of each sensor that several stations have."""
    sensors = dict.fromkeys(each.sensor.name for each in series)
    by_sensor = [tuple(each for each in series if each.sensor.name == name) for name in sensors]
    found = [own for own in by_sensor if len(own) >= _PAIR]
    if not found:
        raise InvalidRequest("Needs two or more stations with the same sensor.", field="stations")
    return found


def _neighbours(series: Sequence[Any]) -> Subjects:
    """Each series of a sensor that another station has, too."""
    numbers = [each for (each,) in _numbers(series)]
    sensors = {own[0].sensor.name for own in _stations(numbers)}
    return [(each,) for each in numbers if each.sensor.name in sensors]


def _by_station(series: Sequence[Any]) -> Subjects:
    """All series of each station together."""
    return [tuple(own) for _, own in groupby(series, key=lambda observed: observed.station)]


def _two(series: Sequence[Any]) -> Subjects:
    if len(series) != _PAIR:
        raise InvalidRequest("Needs two series, not {number}.", field="sensors", number=len(series))
    return [tuple(series)]


ANALYSES: Final = {
    analysis.name: analysis
    for analysis in (
        Analysis("summary", summary, _each),
        Analysis("compare", compare, _numbers, _AT_ONCE_OF_BLOCKS, tab="compare"),
        Analysis("earlier", earlier, _each, _AT_ONCE_OF_BLOCKS, tab="compare"),
        Analysis("differences", differences, _stations, _AT_ONCE_OF_BLOCKS, tab="compare"),
        Analysis("drift", drift, _neighbours, _AT_ONCE_OF_BLOCKS, tab="compare"),
        Analysis("calendar", calendar, _each, _AT_ONCE_OF_TIMES),
        Analysis("distribution", distribution, _each, _AT_ONCE_OF_ORDER),
        Analysis("scatter", scatter, _two),
        Analysis("cycle", cycle, _each, _AT_ONCE_OF_ORDER),
        Analysis("wind", wind, _winds),
        Analysis("rain", rain, _sums),
        Analysis("events", events, _each, _AT_ONCE_OF_LISTS),
        Analysis("quality", review, _by_station, _AT_ONCE_OF_RULES, finds_flags=True),
    )
}


def find(name: str) -> Analysis:
    """Return the analysis of a name.

    Raises:
        InvalidRequest: there is none; says which there are.
    """
    if name not in ANALYSES:
        raise InvalidRequest(
            "There is no analysis {analysis}; there is {known}.", field="analysis", analysis=name, known=", ".join(ANALYSES)
        )
    return ANALYSES[name]
