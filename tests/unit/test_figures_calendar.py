"""The calendar's picture and list: numbers as answered, doors as long as their days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pytest

from analysis.answer import Moment
from analysis.calendar import Calendar, Day, Gap, Hours
from analysis.clock_hours import clock_hours
from figures.analyses.calendar_shown import shares
from figures.colour_scales import WHOLE, share_scale
from figures.template import style_of
from i18n import set_language
from layouts.analyses import calendar as lists
from tests.unit.answers import CATALOGUE, ODD_NAMES, ZONE, answer, at, drawn, numbers, subject, words

HOUR = 3_600_000


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")


def calendar(first: str, number: int, *gaps: Gap, gaps_in_all: int | None = None) -> Calendar:
    """Days from a date on: a reading more each day of 24, day 3 without any."""
    begin = date.fromisoformat(first)
    days = [Day(str(begin + timedelta(n)), n, 24, 10.0 + n, float(n), 20.0 + n, 0.5 * n) for n in range(number)]
    if number > 3:
        days[3] = Day(days[3].date, 0, 24, np.nan, np.nan, np.nan, None)
    return Calendar(tuple(days), gaps, len(gaps) if gaps_in_all is None else gaps_in_all, 0)


@pytest.mark.parametrize(("show", "second"), [("completeness", 1 / 24), ("mean", 11.0), ("max", 21.0), ("min", 1.0)])
def test_a_cell_is_the_number_of_its_day(show, second):
    made = answer("calendar", "2024-02-28", "2024-03-06", subject(calendar("2024-02-28", 7)))
    days, *nothing = drawn(made, show=show)["data"]
    cells = numbers(days["z"])
    assert cells.shape == (2, 31)
    assert cells[0, 28] == second  # 29 February is the second day
    assert np.isfinite(cells).sum() == (7 if show == "completeness" else 6)  # day 4 has no reading, so no mean
    assert [np.argwhere(numbers(each["z"]) == 0).tolist() for each in nothing] == ([] if show == "completeness" else [[[1, 1]]])


def test_a_day_is_a_door_to_itself_also_where_the_clocks_change():
    made = answer("calendar", "2024-03-09", "2024-03-12", subject(calendar("2024-03-09", 3)))
    (days,) = drawn(made)["data"]
    doors = numbers(days["customdata"])[0]
    assert doors[8:11].tolist() == [
        [at("2024-03-09"), at("2024-03-10"), 0, 24],
        [at("2024-03-10"), at("2024-03-11"), 1, 24],
        [at("2024-03-11"), at("2024-03-12"), 2, 24],
    ]
    assert doors[9][1] - doors[9][0] == 23 * HOUR
    assert np.isnan(doors[20]).all()
    assert days["y"] == ["Mar 2024"]
    assert days["hovertemplate"].startswith("<b>%{x} %{y}</b><br>%{customdata[2]:,d} of %{customdata[3]:,d} readings")


@pytest.mark.parametrize(
    ("show", "sensor", "why"),
    [
        ("total", "temperature", "Only what is summed"),
        ("mean", "rainfall", "A sum has a total"),
        ("max", "wind_direction", "A direction has a mean"),
    ],
)
def test_what_does_not_apply_is_said_in_place_of_the_picture(show, sensor, why):
    made = answer("calendar", "2024-01-01", "2024-01-03", subject(calendar("2024-01-01", 2), sensor=sensor))
    picture = drawn(made, show=show)
    assert picture["data"] == []
    assert why in words(picture)


def test_no_reading_and_no_series_say_so():
    nothing = Calendar((Day("2024-01-01", 0, 24, np.nan, np.nan, np.nan, None),), (), 0, 0)
    assert "No data" in words(drawn(answer("calendar", "2024-01-01", "2024-01-02", subject(nothing))))
    assert "No data" in words(drawn(answer("calendar", "2024-01-01", "2024-01-02")))


def test_more_series_than_fit_are_said_and_a_century_is_as_high_as_a_browser_paints():
    many = [subject(calendar("2024-01-01", 2), str(number)) for number in range(15)]
    assert "12 of 15 plots drawn" in words(drawn(answer("calendar", "2024-01-01", "2024-01-03", *many)))
    long = answer("calendar", "1920-01-01", "2020-01-01", subject(calendar("1920-01-01", 36525)))
    assert drawn(long)["layout"]["height"] < 8200


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("width", [1000, 330])
def test_odd_names_stay_names_in_each_theme_and_language(theme, language, width):
    set_language(language)
    made = answer("calendar", "2024-01-01", "2024-01-03", *(subject(calendar("2024-01-01", 2), name) for name in ODD_NAMES))
    text = words(drawn(made, theme=theme, width_px=width, show="mean"))
    assert "<b>&lt;b&gt;</b>" in text
    assert "%{y}" not in text
    assert "\u202e" not in text


def test_the_longest_gaps_are_listed_with_room_around_them():
    start = at("2024-01-01")
    gaps = [Gap(Moment(start + n * 100 * HOUR), Moment(start + (n * 100 + 1 + n) * HOUR), n) for n in range(1, 61)]
    made = answer("calendar", "2024-01-01", "2024-12-01", subject(calendar("2024-01-01", 335, *gaps, gaps_in_all=70)))
    found = lists.details(made, CATALOGUE)
    section = found.children[0]
    rows = section.children[1].children[1].children
    assert len(rows) == 50
    button = rows[0].children[0].children
    longest = gaps[-1]
    assert int(getattr(button, "data-from")) < longest.from_ < longest.to_ < int(getattr(button, "data-to"))
    assert section.children[2].children.startswith("20 shorter gaps are not listed")
    assert lists.details(answer("calendar", "2024-01-01", "2024-01-03", subject(calendar("2024-01-01", 2))), CATALOGUE) is None
    assert [control.default for control in lists.controls()] == ["completeness", "day"]


# -- hours -----------------------------------------------------------------------------------------


def hourly(start: str, end: str) -> Calendar:
    """Six readings an hour; each hour's mean is its number in the window, the fourth has none."""
    clock = clock_hours(at(start), at(end), ZONE)
    cells = [np.full((clock.days, 24), np.nan) for _ in range(6)]
    rows, expected, mean, *_others = cells
    rows[clock.at], expected[clock.at], mean[clock.at] = 6, 6, np.arange(len(clock.hour))
    place = tuple(each[3] for each in clock.at)
    rows[place], mean[place] = 0, np.nan
    return Calendar((), (), 0, 0, Hours(("2024-03-09",) * clock.days, *cells))


def test_an_hour_is_a_cell_of_its_day_and_leads_to_that_day():
    made = answer("calendar", "2024-03-09", "2024-03-12", subject(hourly("2024-03-09", "2024-03-12")), by="hour")
    hours, nothing = drawn(made, show="mean")["data"]
    cells, told = numbers(hours["z"]), numbers(hours["customdata"])
    assert (cells.shape, told.shape) == ((24, 3), (24, 3, 4))
    assert cells[:5, 0].tolist()[:3] == [0, 1, 2]
    assert np.isnan(cells[3, 0])
    assert (cells[1, 1], cells[3, 1]) == (25, 26)
    assert np.isnan(cells[2, 1])  # which the clock leaves out on the 10th
    assert told[12, 1].tolist() == [at("2024-03-10"), at("2024-03-11"), 6, 6]
    assert np.argwhere(numbers(nothing["z"]) == 0).tolist() == [[3, 0]]
    assert "%{customdata[2]:,d} of %{customdata[3]:,d} readings" in nothing["hovertemplate"]


@pytest.mark.parametrize(("width", "end", "strips"), [(900, "2020-12-31", 1), (900, "2025-01-01", 5), (330, "2020-12-31", 4)])
def test_hours_of_years_stand_in_strips_that_have_room_for_each_day(width, end, strips):
    made = answer("calendar", "2020-01-01", end, subject(hourly("2020-01-01", end)), by="hour")
    picture = drawn(made, show="mean", width_px=width)
    hours = [trace for trace in picture["data"] if trace["zmax"] > 1]
    assert len(hours) == strips
    found = np.concatenate([numbers(trace["z"]) for trace in hours], axis=1)
    whole = clock_hours(at("2020-01-01"), at(end), ZONE)
    assert np.isfinite(found).sum() == len(whole.hour) - 1  # each hour once
    axes = [axis for name, axis in picture["layout"].items() if name.startswith("xaxis")]
    days = [(axis["range"][1] - axis["range"][0]) / (24 * HOUR) for axis in axes]
    assert width / max(days) >= 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colour_bar_shows_the_colour_of_whole_days_as_wide_as_its_label(theme):
    scale = share_scale(style_of(theme))
    (steps, whole), nearly = scale[-2], scale[-3]
    assert (scale[-1], nearly[0]) == ([1, whole], steps)
    assert nearly[1] != whole
    assert 1 - steps > 0.1  # of the bar
    values = shares(np.array([0.0, 3.0, 23.0, 24.0, 25.0, 1.0]), np.array([24.0, 24.0, 24.0, 24.0, 24.0, 0.0]))
    assert values[:3].tolist() == [0, 3 / 24, 23 / 24]
    assert values[3:5].tolist() == [WHOLE, WHOLE]
    assert np.isnan(values[5])


def test_hours_of_many_series_are_drawn_as_far_as_a_page_holds_them():
    year = subject(hourly("2020-01-01", "2024-01-01"))
    picture = drawn(answer("calendar", "2020-01-01", "2024-01-01", *[year] * 5, by="hour"), show="mean")
    assert "2 of 5 plots drawn" in words(picture)
    total = drawn(
        answer("calendar", "2024-03-09", "2024-03-12", subject(hourly("2024-03-09", "2024-03-12")), by="hour"), show="total"
    )
    assert total["data"] == []
    assert "Only what is summed" in words(total)
