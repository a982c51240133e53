from __future__ import annotations

import numpy as np
import pytest

from data.catalogue import load_catalogue
from data.ingest.units import UnitError, conversion


@pytest.mark.parametrize(
    ("unit", "target", "value", "expected"),
    [
        ("degF", "degC", 32, 0.0),
        ("degF", "degC", 212, 100.0),
        ("Deg C", "degC", -3.5, -3.5),
        ("K", "degC", 273.15, 0.0),
        ("kPa", "hPa", 97.1, 971.0),
        ("Pa", "hPa", 101739, 1017.39),
        ("mbar", "hPa", 1013.2, 1013.2),
        ("km/h", "m/s", 36, 10.0),
        ("mph", "m/s", 10, 4.4704),
        ("knots", "m/s", 900, 463.0),
        ("meters/second", "m/s", 0.978, 0.978),
        ("inch", "mm", 1, 25.4),
        ("in", "mm", 0.01, 0.254),
        ("%", "percent", 45.5, 45.5),
        ("fraction", "percent", 0.5, 50.0),
        ("degrees", "degree", 359, 359.0),
        ("umol/s/m^2", "umol/m^2/s", 1705, 1705.0),
        ("µmol/m²/s", "umol/m^2/s", 1705, 1705.0),
        ("W/m2", "W/m^2", 931, 931.0),
        ("W/m²", "W/m^2", 931, 931.0),
        ("in/hr", "(mm) / hour", 1, 25.4),
    ],
)
def test_units_as_files_spell_them_convert_without_noise(unit, target, value, expected):
    assert conversion(unit, target)(np.array([float(value)]))[0] == pytest.approx(expected, abs=1e-12, rel=1e-15)


def test_missing_values_stay_missing():
    assert np.isnan(conversion("degF", "degC")(np.array([np.nan]))).all()


@pytest.mark.parametrize("unit", ["blorp", "Volts per", "", "1 2", "m/", "()"])
def test_an_unreadable_unit_says_what_was_expected(unit):
    with pytest.raises(UnitError, match=r"expected something that converts to degC|it measures something else"):
        conversion(unit, "degC")


def test_another_quantity_is_refused():
    with pytest.raises(UnitError, match="mm cannot become degC"):
        conversion("mm", "degC")


def test_every_unit_of_the_catalogue_converts_to_itself():
    for sensor in load_catalogue():
        for unit in (sensor.unit, sensor.unit_code):
            assert conversion(unit, sensor.unit_code)(np.array([2.5])).tolist() == [2.5], sensor.name
