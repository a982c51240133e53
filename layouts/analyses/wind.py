"""Controls of the wind rose, and its frequency table."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from analysis.answer import Answer, SubjectAnswer
from analysis.other_rose import OtherRose
from analysis.registry import SPEEDS
from analysis.wind import Wind
from data.catalogue import Catalogue
from data.request import HistoryRequest
from escaping import visible
from figures.analyses.wind import compass_points
from figures.roses import class_names, other_class_names
from i18n import THIN_SPACE, current_language, format_number, ngettext
from i18n import gettext as _
from layouts.controls import Control, list_row, listed
from layouts.statistics import NOTHING, value_text


def label() -> str:
    """Return the name of its tab."""
    return _("Wind")


def controls() -> tuple[Control, ...]:
    """Return the controls of the rose, in the current language."""
    parts = {"none": _("Whole range"), "season": _("Season"), "month": _("Month"), "hour": _("Hour"), "year": _("Year")}
    return (
        Control("by", _("A rose for"), parts),
        Control("of", _("Rose of"), loaded=_others, folded=True),
        Control("classes", _("Speed classes"), hint=_("upper limits, such as 2, 4, 6")),
        Control("calm", _("Calm below"), hint=_("in the unit of speed")),
    )


def _others(request: HistoryRequest, catalogue: Catalogue) -> dict[str, str]:
    """Sensors whose readings may be told by the wind's direction, after the speed itself."""
    there = (catalogue[name] for name in catalogue.ordered(request.sensors) if name in catalogue)
    others = [sensor for sensor in there if not sensor.is_direction and sensor.unit_code not in SPEEDS]
    return {"": _("wind speed"), **{sensor.name: sensor.label(current_language()) for sensor in others}}


def details(answer: Answer, catalogue: Catalogue) -> Component | None:
    """Return numbers of each station's wind, and how often it blows from each sector in each
    class.
    """
    there = [subject for subject in answer.subjects if subject.result.rows]
    if not there:
        return None
    heads = [
        *(_("Station"), _("Readings"), _("Without partner"), _("Calm"), _("Prevailing"), _("Constancy")),
        *(_("Mean direction"), _("Mean speed"), _("Greatest speed"), _("Weibull shape"), _("Weibull scale")),
    ]
    numbers = listed(_("Wind in numbers"), heads, [_numbers(subject, catalogue) for subject in there], _of_tens(there))
    others = [_other(subject, subject.result.other, catalogue) for subject in there if subject.result.other is not None]
    return html.Div([list_row([*others, numbers]), *(_frequencies(subject) for subject in there)])


def _of_tens(there: Sequence[SubjectAnswer]) -> str:
    """Return why some sectors look fuller than they are; empty where directions are fine enough."""
    names = [visible(subject.station) for subject in there if subject.result.whole_tens]
    words = _(
        "{stations}: directions are whole tens of degrees. N, E, S and W hold three of them, other sectors two."
        " Prevailing allows for it, the rose does not."
    )
    return words.format(stations=", ".join(names)) if names else ""


def _numbers(subject: SubjectAnswer, catalogue: Catalogue) -> list[str]:
    result: Wind = subject.result
    speed, direction = (catalogue[name] for name in subject.sensors)
    weibull = result.weibull
    return [
        visible(subject.station),
        format_number(result.rows),
        format_number(result.unpaired),
        _percent(result.calm, result.rows),
        NOTHING if result.prevailing is None else compass_points()[result.sectors.index(result.prevailing)],
        NOTHING if result.constancy != result.constancy else f"{format_number(result.constancy)}{THIN_SPACE}%",
        _or_nothing(result.mean_direction, value_text(result.mean_direction, direction)),
        _or_nothing(result.mean, value_text(result.mean, speed)),
        _or_nothing(result.max, value_text(result.max, speed)),
        NOTHING if weibull is None else format_number(weibull["shape"], 2),
        NOTHING if weibull is None else value_text(weibull["scale"], speed),
    ]


def _or_nothing(value: float, text: str) -> str:
    return NOTHING if value != value else text


def _frequencies(subject: SubjectAnswer) -> Component:
    """A row a sector, a column a class, in percent of all readings; calms in a row of their own."""
    result: Wind = subject.result
    rows = [
        [point, *(_percent(count, result.rows) for count in counts), _percent(sum(counts), result.rows)]
        for point, counts in zip(compass_points(), result.counts.tolist(), strict=True)
    ]
    classes = result.counts.sum(axis=0).tolist()
    rows.append([_("Calm"), *[""] * len(classes), _percent(result.calm, result.rows)])
    rows.append([_("All"), *(_percent(count, result.rows) for count in classes), _percent(result.rows, result.rows)])
    title = _("{station}: frequency by sector and speed in {unit}")
    return listed(
        title.format(station=visible(subject.station), unit=subject.units[0]), [_("From"), *class_names(result), _("All")], rows
    )


def _other(subject: SubjectAnswer, other: OtherRose, catalogue: Catalogue) -> Component:
    """A row a sector: how often, how much, the share of each class in percent of all readings."""
    sensor = catalogue[other.sensor]
    counts = [*other.counts.tolist(), other.calm.tolist()]
    columns = zip([*compass_points(), _("Calm")], counts, [*other.mean.tolist(), other.calm_mean], strict=True)
    rows = [
        [
            point,
            format_number(sum(row)),
            _or_nothing(mean, value_text(mean, sensor)),
            *(_percent(count, max(other.rows, 1)) for count in row),
        ]
        for point, row, mean in columns
    ]
    title = _("{station}: {sensor} by wind direction").format(
        station=visible(subject.station), sensor=sensor.label(current_language())
    )
    words = ngettext(
        "{number} reading of wind has no value of it.", "{number} readings of wind have no value of it.", other.unpaired
    )
    more = words.format(number=format_number(other.unpaired))
    heads = [_("From"), _("Readings"), _("Mean"), *(f"{name} {other.unit}" for name in other_class_names(other))]
    return listed(title, heads, rows, more if other.unpaired else "")


def _percent(count: int, rows: int) -> str:
    return f"{format_number(100 * count / rows, 1)}{THIN_SPACE}%"
