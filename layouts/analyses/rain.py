"""Controls of the rain, and its lists: wettest days, spells, intensities, return levels."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from analysis.answer import Answer, SubjectAnswer
from analysis.extremes import LEAST_YEARS
from analysis.rain import DAYS_FROM_MM, Rain, Spell, with_day_start
from data.catalogue import Catalogue, Sensor
from data.request import HistoryRequest
from data.time.epoch import MINUTE_MS
from escaping import visible
from figures.subjects import period_doors
from figures.words import length_text
from i18n import format_date, format_number, format_time
from i18n import gettext as _
from layouts.controls import Control, door, list_row, listed
from layouts.statistics import NOTHING, share_text, value_text

Doors = dict[str, tuple[int, int]]


def label() -> str:
    """Return the name of its tab."""
    return _("Rain")


def controls() -> tuple[Control, ...]:
    """Return the controls of the rain, in the current language."""
    shows = {"day": _("Day"), "month": _("Month"), "year": _("Year"), "cumulative": _("Cumulative by year")}
    return (
        Control("show", _("Show"), shows, drawing=True, default="day"),
        Control("day_start", _("Rain day starts"), loaded=_starts),
        Control("wet_from", _("Wet day from")),
        Control("most", _("Entries in lists")),
    )


def _starts(request: HistoryRequest, catalogue: Catalogue) -> dict[str, str]:
    """When days may begin: as the catalogue says, at midnight, at seven."""
    gauges = [catalogue[name] for name in request.sensors if name in catalogue and catalogue[name].aggregation == "sum"]
    own = {f"{gauge.day_start_min // 60:02d}:{gauge.day_start_min % 60:02d}" for gauge in gauges}
    usual = own.pop() if len(own) == 1 else _("as set")
    return {"": usual, **{text: text for text in ("00:00", "07:00") if text != usual}}


def details(answer: Answer, catalogue: Catalogue) -> Component | None:
    """Return the lists of each gauge, whose days and times are doors."""
    rows = [list_row(_lists(answer, subject, catalogue)) for subject in answer.subjects if subject.rows]
    return html.Div(rows) if rows else None


def _lists(answer: Answer, subject: SubjectAnswer, catalogue: Catalogue) -> list[Component]:
    result: Rain = subject.result
    sensor = with_day_start(catalogue[subject.sensors[0]], answer.options.get("day_start", ""))
    dates, windows = period_doors(answer, "1d", sensor)
    doors = {str(date): (low, high) for date, (low, high) in zip(dates, windows.tolist(), strict=True)}
    before = f"{visible(subject.station)} · " if len(answer.subjects) > 1 else ""
    days = [
        [_day(each.start, each.start, doors, answer.timezone), value_text(each.total, sensor), _share(each.complete)]
        for each in result.wettest
    ]
    amounts = [[value_text(limit, sensor), format_number(result.days_from[f"{limit:g}"])] for limit in DAYS_FROM_MM]
    return [
        listed(before + _("Wettest days"), [_("Day"), _("Total"), _("Complete")], days),
        _spells(before + _("Dry spells"), result.dry_spells, doors, answer.timezone, sensor),
        _spells(before + _("Wet spells"), result.wet_spells, doors, answer.timezone, sensor),
        listed(before + _("Days by amount"), [_("From"), _("Days")], amounts),
        _intensity(before, result, answer.timezone, sensor),
        _levels(before, result, sensor),
    ]


def _share(complete: float) -> str:
    return NOTHING if complete != complete else share_text(complete)


def _day(first: str, last: str, doors: Doors, timezone: str) -> Component:
    """A door to the days from one date to another, as the sensor counts days."""
    start, end = doors[first][0], doors[last][1]
    return door(format_date(start, timezone), start, end)


def _spells(title: str, spells: tuple[Spell, ...], doors: Doors, timezone: str, sensor: Sensor) -> Component:
    rows = [
        [_day(each.from_, each.to_, doors, timezone), format_number(each.days), value_text(each.total, sensor)] for each in spells
    ]
    return listed(title, [_("First day"), _("Days"), _("Total")], rows)


def _intensity(before: str, result: Rain, timezone: str, sensor: Sensor) -> Component:
    rows = []
    for each in result.intensity:
        length_ms = each.minutes * MINUTE_MS
        begins = door(format_time(each.time, timezone), int(each.time), int(each.time) + length_ms)
        rows.append([length_text(length_ms), value_text(each.max, sensor), begins])
    return listed(before + _("Greatest intensity"), [_("Duration"), _("Amount"), _("Begins")], rows)


def _levels(before: str, result: Rain, sensor: Sensor) -> Component:
    rows = [
        [
            format_number(each.years),
            value_text(each.level, sensor),
            f"{value_text(each.low, sensor)} – {value_text(each.high, sensor)}",
        ]
        for each in result.return_levels
    ]
    more = "" if rows else _("These need {years} years of which nearly all readings are there.").format(years=LEAST_YEARS)
    return listed(before + _("Return levels"), [_("Years"), _("Level"), _("90 % interval")], rows, more)
