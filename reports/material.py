"""What sections of a report are made of: answers of analyses, each asked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from access.decisions.made_decision import MadeDecision
from access.notes.noted import Noted
from analysis.answer import Answer, SubjectAnswer
from analysis.question import Observed, Question, ask
from analysis.registry import Named, find
from data.catalogue import Catalogue, Sensor
from data.request import HistoryRequest
from data.site import Site
from reports.definition import ReportDefinition
from reports.last_days import first_day_start, last_day_end
from reports.period import Period

NOTHING_NOTED: Final = Noted()


@dataclass(frozen=True)
class Material:
    """The site as the report's owner sees it, with the flags that count; the request of the period;
    ``earlier`` are spans of earlier years whose readings are there, by year, latest first;
    ``until`` says of ends of spans until when days that begin before them are there (int ms UTC);
    ``noted`` and ``decisions`` (in force) are those that may leave the page.
    """

    site: Site
    definition: ReportDefinition
    period: Period
    request: HistoryRequest
    earlier: Mapping[int, tuple[int, int]]
    noted: Noted = NOTHING_NOTED
    decisions: tuple[MadeDecision, ...] = ()
    until: Mapping[int, int] = field(default_factory=dict)

    @property
    def catalogue(self) -> Catalogue:
        """The sensors."""
        return self.site.catalogue

    @cached_property
    def quality(self) -> Mapping[str, SubjectAnswer]:
        """What the rules find in each station; they may compare stations, so all are asked of at
        once.
        """
        analysis = find("quality")
        question = ask(analysis.site(self.site), self.request, self.period.span)
        found = analysis.answer(question, analysis.options({}))
        return {subject.station: subject for subject in found.subjects}

    @cached_property
    def drift(self) -> Answer | None:
        """How stations go with each other over the period and those earlier years that reach up to
        it without a hole; None where no two have a sensor in common.
        """
        start_ms, analysis = self.request.start_ms, find("drift")
        for first, last in self.earlier.values():  # latest first
            start_ms = min(first, start_ms) if last >= start_ms else start_ms
        request = replace(self.request, start_ms=start_ms)
        there = [Named(name, self.catalogue[sensor]) for name, sensor in request.series]
        if analysis.lack(there):
            return None
        return analysis.answer(ask(self.site, request, (start_ms, request.end_ms)), analysis.options({}))

    def station(self, name: str) -> StationMaterial:
        """Return what is asked of one station."""
        own = replace(self.request, stations=(name,))
        there = tuple(sensor for sensor in own.sensors if self.catalogue[sensor].may_stand_at(name))
        return StationMaterial(self, name, replace(own, sensors=there or own.sensors))


@dataclass(frozen=True)
class StationMaterial:
    """One station: its series that have readings, in the order of the catalogue."""

    whole: Material
    name: str
    request: HistoryRequest

    @cached_property
    def question(self) -> Question:
        """The period's question of all its series."""
        return self.asked(self.request, self.whole.period.span)

    @cached_property
    def observed(self) -> list[Observed]:
        """Its series with readings, in the order of the catalogue."""
        return self.with_readings(self.question)

    @property
    def sensors(self) -> list[Sensor]:
        """The sensors of :attr:`observed`."""
        return [each.sensor for each in self.observed]

    def asked(self, request: HistoryRequest, span: tuple[int, int]) -> Question:
        """Return a question of a span of a request of this station; the rest of days that begin
        in it counts as loaded where it is.
        """
        loaded = replace(request, end_ms=self.whole.until.get(request.end_ms, request.end_ms))
        return ask(self.whole.site, loaded, span)

    def with_readings(self, question: Question) -> list[Observed]:
        """Return the series of a question that have readings, in the order of the catalogue."""
        places = {name: place for place, name in enumerate(self.whole.catalogue.ordered(self.request.sensors))}
        found = [each for each in question.series if each.series.rows]
        return sorted(found, key=lambda each: places[each.sensor.name])

    def answer(self, name: str, **options: str) -> Answer | None:
        """Return what an analysis finds in series with readings; None where it fits none."""
        analysis = find(name)
        series = tuple(self.observed)
        if not series or analysis.lack([Named(each.station, each.sensor) for each in series]):
            return None
        return analysis.answer(replace(self.question, series=series), analysis.options(options))

    @cached_property
    def summaries(self) -> Sequence[SubjectAnswer]:
        """The summary of each series."""
        return self._subjects("summary")

    @cached_property
    def calendars(self) -> Sequence[SubjectAnswer]:
        """The days of each series."""
        return self._subjects("calendar")

    @cached_property
    def whole_days(self) -> Sequence[SubjectAnswer]:
        """The days of each series that begin in the period, as far as they are loaded."""
        return self.of_whole_days("calendar")

    def of_whole_days(self, name: str, **options: str) -> Sequence[SubjectAnswer]:
        """Return what an analysis finds in each series that it fits, over the days that begin in
        the period.
        """
        analysis = find(name)
        found: list[SubjectAnswer] = []
        for each in self.observed:
            if not analysis.lack([Named(each.station, each.sensor)]):
                question = self._days_of(each)
                found += analysis.answer(question, analysis.options(options)).subjects
        return found

    def _days_of(self, observed: Observed) -> Question:
        day_start_min = observed.sensor.day_start_min
        span = first_day_start(self.request, day_start_min), last_day_end(self.request, day_start_min)
        if span == self.whole.period.span or not self.whole.period.is_of_dates:
            return replace(self.question, series=(observed,))
        return self.asked(replace(self.request, sensors=(observed.sensor.name,)), span)

    @property
    def cut_days(self) -> Sequence[Sensor]:
        """The sensors whose last day ends after what is loaded."""
        ends = ((each, last_day_end(self.request, each.day_start_min)) for each in self.sensors)
        return [each for each, end_ms in ends if end_ms > self.question.loaded[1] and self.whole.period.is_of_dates]

    def _subjects(self, name: str) -> Sequence[SubjectAnswer]:
        found = self.answer(name)
        return found.subjects if found else ()

    @cached_property
    def earlier(self) -> Mapping[int, Question]:
        """The questions of the same dates of earlier years, latest first."""
        requests = {year: replace(self.request, start_ms=span[0], end_ms=span[1]) for year, span in self.whole.earlier.items()}
        return {year: self.asked(request, (request.start_ms, request.end_ms)) for year, request in requests.items()}


def sensor_label(sensor: Sensor, language: str) -> str:
    """Return a sensor's label with its unit."""
    return f"{sensor.label(language)} ({sensor.unit})" if sensor.unit else sensor.label(language)
