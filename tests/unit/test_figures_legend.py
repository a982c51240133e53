"""The names in a legend: as much as there is room for, and never two series under one name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.catalogue import load_catalogue
from figures.legend import legend_names, shortened
from tests.unit.views import line

CATALOGUE = load_catalogue()
PHONE_PX = 298.0  # of a plot on a screen of 390 px: 38 letters
NORTH, SOUTH = "Stasiun Meteorologi Soekarno-Hatta Landas Utara", "Stasiun Meteorologi Soekarno-Hatta Landas Selatan"


def names(*stations: str, sensors: tuple[str, ...] = ("temperature",), width_px: float = PHONE_PX) -> list[str]:
    series = [line([0], [1], station=station, sensor=sensor) for sensor in sensors for station in stations]
    return list(legend_names(series, CATALOGUE, width_px).values())


def test_names_that_have_room_are_whole() -> None:
    assert names("EWR", "JFK") == ["EWR · Air temperature", "JFK · Air temperature"]


def test_on_a_phone_the_words_that_all_stations_begin_with_are_left_out() -> None:
    assert names(NORTH, SOUTH, sensors=("temperature", "humidity")) == [
        *("…Utara · Air temperature", "…Selatan · Air temperature"),
        *("…Utara · Relative humidity", "…Selatan · Relative humidity"),
    ]


def test_stations_that_differ_in_the_middle_only_begin_where_they_differ() -> None:
    first, second = (f"Pos Utara {number} Stasiun Klimatologi Kelas I" for number in (1, 2))
    assert names(first, second, "EWR") == [
        *("…1 Stasiun…i Kelas I · Air temperature", "…2 Stasiun…i Kelas I · Air temperature"),
        "EWR · Air temperature",
    ]


@pytest.mark.parametrize(("width_px", "letters"), [(1200.0, 64), (PHONE_PX, 38), (50.0, 24)])
def test_one_long_name_leaves_out_its_middle_and_keeps_the_sensor(width_px: float, letters: int) -> None:
    (name,) = names("x" * 124, width_px=width_px)
    assert len(name) == letters
    assert name.startswith("xx")
    assert "…" in name
    assert name.endswith("Air temperature" if letters > 30 else "ature")


ALIKE = st.builds(
    "{} {} {}".format, st.sampled_from(["Stasiun Klimatologi", "Pos", ""]), st.text("ab …", max_size=3), st.just("Kelas I Utara")
)


@given(st.lists(ALIKE, min_size=1, max_size=6, unique=True), st.integers(8, 20))
def test_different_names_stay_different_however_short(whole: list[str], room: int) -> None:
    assert len(set(shortened(dict(zip(whole, whole, strict=True)), room).values())) == len(whole)
