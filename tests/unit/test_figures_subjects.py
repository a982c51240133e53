"""In which order a picture and its lists have the subjects of an answer."""

from __future__ import annotations

from analysis.answer import SubjectAnswer
from figures.subjects import subjects_in_order
from tests.unit.answers import CATALOGUE, answer


def test_sensors_of_a_station_are_in_the_order_of_the_catalogue_and_stations_as_they_were():
    made = [SubjectAnswer(station, (sensor,), ("",), 1, None) for station in "ba" for sensor in ("rainfall", "temperature")]
    found = subjects_in_order(answer("cycle", "2024-01-01", "2025-01-01", *made), CATALOGUE)
    expected = [("b", "temperature"), ("b", "rainfall"), ("a", "temperature"), ("a", "rainfall")]
    assert [(each.station, *each.sensors) for each in found.subjects] == expected
