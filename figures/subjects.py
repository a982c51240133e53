"""What an answer's pictures and lists call its subjects and their parts, and the windows that
lead to them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.events import Event
from data.arrays import Integers
from data.catalogue import Catalogue, Sensor
from data.time.buckets import BY_NAME, bucket_edges
from data.time.epoch import MINUTE_MS
from data.time.zones import ZoneOffsets, zone_of
from escaping import visible
from figures.legend import LETTER_PX, shortened
from figures.words import verbatim
from i18n import THIN_SPACE, current_language, format_number, short_months

MOST_SUBJECTS: Final = 12  # plots of a picture
HOVER: Final = "%{customdata[2]}<extra></extra>"  # of points whose third piece of custom data is all their words
_TITLE_LETTER_PX: Final = 7.0
_LEAST_LETTERS: Final = 12


def subjects_in_order(answer: Answer, catalogue: Catalogue) -> Answer:
    """Return an answer with the sensors of each station in the order of the catalogue, as Trend
    and the statistics have them; stations stay as they are.
    """
    stations = list(dict.fromkeys(subject.station for subject in answer.subjects))
    places = {name: place for place, name in enumerate(catalogue.ordered({each.sensors[0] for each in answer.subjects}))}
    ordered = sorted(answer.subjects, key=lambda each: (stations.index(each.station), places[each.sensors[0]]))
    return replace(answer, subjects=tuple(ordered))


def subject_label(subject: SubjectAnswer, catalogue: Catalogue) -> str:
    """Return a subject's name as a page shows it: ``JFK · Air temperature``."""
    sensors = (catalogue[name].label(current_language()) for name in subject.sensors)
    return f"{visible(subject.station)} · {', '.join(sensors)}"


def subject_title(subject: SubjectAnswer, catalogue: Catalogue, more: str = "", width_px: float = math.inf) -> str:
    """Return a subject's name as Plotly shows it, with what is drawn of it (plain text) where
    ``width_px`` has room; a longer name is cut with an ellipsis.
    """
    sensors = ", ".join(catalogue[name].label(current_language()) for name in subject.sensors)
    station, rest = visible(subject.station), f" · {sensors}"
    if more and len(f"{station}{rest} · {more}") * _TITLE_LETTER_PX <= width_px:
        rest += f" · {more}"
    letters = width_px / _TITLE_LETTER_PX
    if len(station) + len(rest) > letters:
        rest = _cut(rest, max(letters - len(station), letters / 2))
        station = _cut(station, letters - len(rest))
    return f"<b>{verbatim(station)}</b>{verbatim(rest)}"


def station_names(subjects: Sequence[SubjectAnswer], width_px: float) -> list[str]:
    """Return a name of each subject's station as a plot of ``width_px`` has room for it, as Plotly
    shows it verbatim.
    """
    whole = {str(place): visible(subject.station) for place, subject in enumerate(subjects)}
    room = max(_LEAST_LETTERS, int(width_px / LETTER_PX))
    return [verbatim(text) for text in shortened(whole, room).values()] if whole else []


def part_name(by: str, name: str) -> str:
    """Return how a part of the year or day is called: ``Dec–Feb``, ``Jan``, ``07:00``, ``2013``."""
    if by == "season":
        first = {"DJF": 12, "MAM": 3, "JJA": 6, "SON": 9}[name]
        return f"{short_months()[first - 1]}–{short_months()[(first + 1) % 12]}"
    if by == "month":
        return short_months()[int(name) - 1]
    return f"{name}:00" if by == "hour" else name


def sensor_of(subject: SubjectAnswer, catalogue: Catalogue) -> Sensor:
    """Return the sensor of a subject of one series."""
    return catalogue[subject.sensors[0]]


def number_with_unit(value: float, sensor: Sensor) -> str:
    """Return a value with its unit as Plotly shows it."""
    return f"{format_number(value, sensor.decimals)}{THIN_SPACE}{verbatim(sensor.unit)}"


def signed_number(value: float, sensor: Sensor) -> str:
    """Return a difference with its sign and unit (plain text): ``+1.3 °C``."""
    text = f"{format_number(value, sensor.decimals)}{THIN_SPACE}{sensor.unit}"
    return f"+{text}" if value > 0 and any(digit in "123456789" for digit in text) else text


def period_doors(answer: Answer, bucket: str, sensor: Sensor) -> tuple[np.ndarray, Integers]:
    """Return the periods (``1d``, ``1mo``) of an answer's window, as its analysis has them.

    The first is the date datetime64[D][n] on which each begins as the sensor counts days, the
    second its window [from, to) i8[n][2] in ms UTC.
    """
    edges = bucket_edges(BY_NAME[bucket], answer.start_ms, answer.end_ms, answer.timezone, sensor.day_start_min)
    wall = ZoneOffsets(zone_of(answer.timezone), int(edges[0]), int(edges[-1])).to_wall(edges[:-1])
    dates = (wall - sensor.day_start_min * MINUTE_MS).astype("datetime64[ms]").astype("datetime64[D]")
    return dates, np.column_stack([edges[:-1], edges[1:]])


def event_window(event: Event) -> tuple[int, int]:
    """Return an event's window with as much around it as shows it among other readings, int ms
    UTC: half of its length, or six of its readings where that is more.
    """
    length = event.to_ - event.from_
    room = max(length // 2, 6 * length // max(event.rows, 1), MINUTE_MS)
    return int(event.from_ - room), int(event.to_ + room)


def _cut(text: str, letters: float) -> str:
    return text if len(text) <= letters else text[: max(1, int(letters) - 1)].rstrip() + "…"
