"""How the reader wants Trend drawn: axes, panels. Read from texts of the address, all untrusted."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from data.catalogue import Catalogue, Sensor
from data.view.records import LENGTHS, HistoryView, Smoothing, SmoothingKind
from figures.extents import extent
from figures.words import in_order, length_adjective
from i18n import current_language
from i18n import gettext as _

PanelRule = Literal["unit", "own", "shared", "pair"]
# as the address names them
FLAGS: Final = "flags"  # of every view: which flags of rules count
TREND_OPTIONS: Final = ("y", "log", "panel", "smooth", "smooth_by", "above", "below", "only", "stats", FLAGS)
ALL: Final = "all"  # of ``only``: every sensor, however many series there are
MOST_UNASKED: Final = 40  # series that are drawn without asking which
KINDS: Final[tuple[Literal["above", "below"], ...]] = ("above", "below")
MOST_PROBLEMS: Final = 8  # that are told
MOST_OWN_PANELS: Final = 12  # beyond, they are too low to read and slow to draw

_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?"
_LIMITS: Final = re.compile(rf"\s*({_NUMBER})?\s*(?:\.\.|…)\s*({_NUMBER})?\s*")


@dataclass(frozen=True)
class AxisLimits:
    """Ends of a y axis in the sensor's unit; None is where the readings end."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Threshold:
    """A value of a sensor, in its unit, above or below which readings are counted."""

    sensor: str
    kind: Literal["above", "below"]
    value: float


@dataclass(frozen=True)
class TrendOptions:
    """``limits`` and ``logarithmic`` are by sensor and hold for all of its panel.

    ``panel`` is whose panels are: ``unit``, of all series of a unit; ``own``, of each series;
    ``shared``, of each series, with one scale a unit; ``pair``, of two units, one of them with its
    axis at the right.
    """

    limits: Mapping[str, AxisLimits] = field(default_factory=dict)
    logarithmic: frozenset[str] = frozenset()
    panel: PanelRule = "unit"
    thresholds: tuple[Threshold, ...] = ()


AUTOMATIC: Final = TrendOptions()
NO_LIMITS: Final = AxisLimits()


@dataclass(frozen=True)
class ReadOptions:
    """Options that can be drawn, and a sentence about each that cannot."""

    options: TrendOptions
    problems: tuple[str, ...] = ()


def read_trend_options(texts: Mapping[str, str], catalogue: Catalogue, view: HistoryView) -> ReadOptions:
    """Return what texts such as ``y=temperature:10..40,humidity:0..100``, ``log=pm10`` and
    ``panel=own`` mean for a view; of two values for one sensor the last. What they cannot mean is
    left out and told; what is of a sensor that only other views have, without a word.
    """
    problems: list[str] = []
    drawn = {one.sensor: catalogue[one.sensor] for one in in_order(view.series, catalogue)}
    texts = {name: _without(text, catalogue.sensors.keys() - drawn.keys()) for name, text in texts.items()}
    limits = dict(_limits(texts.get("y", ""), drawn, problems))
    logarithmic = frozenset(_logarithmic(texts.get("log", ""), drawn, limits, view, problems))
    panel = _panel(texts.get("panel", "unit"), view, problems)
    if (only := texts.get("only", "")) not in ("", ALL):
        list(_known(only, drawn, problems))
    found = {(each.sensor, kind): each for kind in KINDS for each in _thresholds(texts.get(kind, ""), kind, drawn, problems)}
    return ReadOptions(TrendOptions(limits, logarithmic, panel, tuple(found.values())), tuple(problems[:MOST_PROBLEMS]))


def read_smoothing(texts: Mapping[str, str]) -> tuple[Smoothing | None, tuple[str, ...]]:
    """Return what ``smooth=7d`` and ``smooth_by=median`` mean, and sentences about what they
    cannot mean.
    """
    length, kind = texts.get("smooth", ""), texts.get("smooth_by", "mean")
    if not length:
        return None, ()
    if length not in LENGTHS:
        words = _('Cannot smooth over "{text}"; choose one of {known}.')
        return None, (words.format(text=length, known=", ".join(LENGTHS)),)
    if kind not in get_args(SmoothingKind):
        words = _('Cannot smooth by "{text}"; choose mean or median.')
        return Smoothing(length), (words.format(text=kind),)
    return Smoothing(length, kind), ()  # type: ignore[arg-type]  # one of them


def smoothing_problems(view: HistoryView, smoothing: Smoothing | None) -> tuple[str, ...]:
    """Return why lines of a view are not smoothed though they should be, in sentences."""
    if smoothing is None or not view.total_rows:
        return ()
    lines = [one.smooth for one in view.series if one.smooth is not None]
    if not lines:
        return (_("Only lines can be smoothed, and this chart has none."),)
    length = length_adjective(smoothing.length)
    sentences = {
        "finer": _("A {length} running value is finer than this picture shows; zoom in.").format(length=length),
        "many": _("Running medians of so many readings take too long. Choose the mean, or zoom in."),
        "floor": _("Running values need all readings, and you have access to whole steps only."),
    }
    refused = {line.refused for line in lines}
    return tuple(sentence for why, sentence in sentences.items() if why in refused)


def has_line(threshold: Threshold, view: HistoryView) -> bool:
    """Return whether a line is drawn: not where bars are sums of readings, of each of which the
    threshold is.
    """
    return all(one.kind != "bars" or one.bucket == "raw" for one in view.series if one.sensor == threshold.sensor)


def threshold_problems(thresholds: tuple[Threshold, ...], view: HistoryView, catalogue: Catalogue) -> tuple[str, ...]:
    """Return which thresholds have no line, and why, in sentences."""
    words = _("{sensor} is drawn as sums here, so the threshold of single readings has no line.")
    left_out = [one for one in thresholds if not has_line(one, view)]
    return tuple(words.format(sensor=_label(catalogue[one.sensor])) for one in left_out)


def entries(text: str) -> Iterator[tuple[str, str]]:
    """Yield sensor and value of each part of ``temperature:10..40,rainfall:0..5``."""
    for part in text.split(","):
        name, _sign, value = part.partition(":")
        if name.strip():
            yield name.strip(), value.strip()


def _without(text: str, sensors: Set[str]) -> str:
    return ",".join(part for part in text.split(",") if part.partition(":")[0].strip() not in sensors)


def _known(text: str, drawn: Mapping[str, Sensor], problems: list[str]) -> Iterator[tuple[Sensor, str]]:
    for name, value in dict(entries(text)).items():
        if name in drawn:
            yield drawn[name], value
        else:
            words = _("{sensor} is not in this chart; it has {known}.")
            problems.append(words.format(sensor=name, known=", ".join(drawn)))


def _limits(text: str, drawn: Mapping[str, Sensor], problems: list[str]) -> Iterator[tuple[str, AxisLimits]]:
    for sensor, value in _known(text, drawn, problems):
        found = _LIMITS.fullmatch(value)
        ends = [float(end) if end else None for end in (found[1], found[2])] if found else [None, None]
        if found is None or ends == [None, None] or any(end is not None and not math.isfinite(end) for end in ends):
            words = _('Cannot read "{text}" as limits of {sensor}. Write the lowest and the highest value, such as 10..40.')
            problems.append(words.format(text=value, sensor=_label(sensor)))
        elif sensor.is_direction:
            problems.append(_("{sensor} always shows the whole circle.").format(sensor=_label(sensor)))
        elif None not in ends and ends[0] >= ends[1]:  # type: ignore[operator]
            words = _("{sensor}: the lower limit must be below the upper one, such as 10..40.")
            problems.append(words.format(sensor=_label(sensor)))
        else:
            yield sensor.name, AxisLimits(*ends)


def _logarithmic(
    text: str, drawn: Mapping[str, Sensor], limits: dict[str, AxisLimits], view: HistoryView, problems: list[str]
) -> Iterator[str]:
    """Sensors whose axis can be logarithmic: all that is drawn of its unit is above 0."""
    for sensor, _value in _known(text, drawn, problems):
        beside = {name for name, other in drawn.items() if (other.unit, other.aggregation) == (sensor.unit, sensor.aggregation)}
        if sensor.is_direction or any(extent(one)[0] <= 0 for one in view.series if one.sensor in beside):
            words = _("{sensor} has values of 0 or below here, so its axis is not logarithmic.")
            problems.append(words.format(sensor=_label(sensor)))
            continue
        for name in beside & limits.keys():
            if any(end is not None and end <= 0 for end in (limits[name].low, limits[name].high)):
                words = _("{sensor}: limits of a logarithmic axis must be above 0.")
                problems.append(words.format(sensor=_label(drawn[name])))
                del limits[name]
        yield sensor.name


def _thresholds(
    text: str, kind: Literal["above", "below"], drawn: Mapping[str, Sensor], problems: list[str]
) -> Iterator[Threshold]:
    for sensor, value in _known(text, drawn, problems):
        number = float(value) if re.fullmatch(_NUMBER, value) else math.nan
        if sensor.is_direction:
            problems.append(_("{sensor} has no threshold: directions are neither high nor low.").format(sensor=_label(sensor)))
        elif not math.isfinite(number):
            words = _('Cannot read "{text}" as a threshold of {sensor}. Write a number, such as 35.')
            problems.append(words.format(text=value, sensor=_label(sensor)))
        else:
            yield Threshold(sensor.name, kind, number)


def _panel(text: str, view: HistoryView, problems: list[str]) -> PanelRule:
    if text not in get_args(PanelRule):
        words = _('There are no panels "{text}"; choose one of {known}.')
        problems.append(words.format(text=text, known=", ".join(get_args(PanelRule))))
        return "unit"
    if text in ("own", "shared") and len(view.series) > MOST_OWN_PANELS:
        words = _("Up to {most} series can have their own panel; here are {number}.")
        problems.append(words.format(most=MOST_OWN_PANELS, number=len(view.series)))
        return "unit"
    found: PanelRule = text  # type: ignore[assignment]  # one of them
    return found


def _label(sensor: Sensor) -> str:
    return sensor.label(current_language())
