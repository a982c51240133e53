from __future__ import annotations

import numpy as np
import pytest

from data.catalogue import load_catalogue
from data.cells.units import UnitError, conversion, temperature_kind, udunits


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


@pytest.mark.parametrize(
    ("unit", "written", "kind"),
    [
        ("degC", "degree_Celsius", "on_scale"), ("degF", "degree_Fahrenheit", "on_scale"), ("K", "K", "on_scale"),
        ("delta_degC", "degree_Celsius", "difference"), ("K/km", "K km-1", "difference"), ("percent", "percent", None),
        ("hPa", "hPa", None), ("m/s", "m s-1", None), ("km/h", "km hour-1", None), ("W/m^2", "W m-2", None),
        ("umol/m^2/s", "umol m-2 s-1", None), ("mph", "mph", None), ("dimensionless", "1", None), ("degree", "degree", None),
    ],
)  # fmt: skip
def test_units_are_written_as_udunits_reads_them(unit, written, kind):
    assert (udunits(unit), temperature_kind(unit)) == (written, kind)


@pytest.mark.parametrize("unit", ["nonsense", "m**0.5"])
def test_a_unit_that_udunits_lacks_is_refused(unit):
    with pytest.raises(UnitError):
        udunits(unit)


@pytest.mark.parametrize(
    ("target", "one", "units"),
    [
        ("degC", 1.0, ["℃", "oC", "ºC", "° C", "Celsius", "DegC", "deg. C"]),
        ("hPa", 1.0, ["mBar", "MB", "HPA", "millibars"]),
        ("hPa", 33.86388640341, ["in Hg", "inHg", "In. Hg", "inches of mercury"]),
        ("hPa", 1.33322387415, ["mm Hg", "mmHg", "torr"]),
        ("m/s", 1852 / 3600, ["Knots", "kts", "KT"]),
        ("m/s", 1.0, ["m s-1", "m s^-1", "m.s-1", "m·s⁻¹", "m s**-1", "ms-1", "M/S"]),
        ("m/s", 1 / 3.6, ["km h-1", "KM/H", "kph"]),
        ("mm", 1.0, ["kg m-2", "kg/m²", "kg m**-2", "L/m²", "Mm", "MM"]),
        ("(mm) / hour", 3600.0, ["kg m-2 s-1", "mm s-1"]),
        ("W/m^2", 1.0, ["Wm-2", "W m-2", "W m⁻²", "W·m^-2", "W/m**2", "w/sqm"]),
        ("umol/m^2/s", 1.0, ["µmol m-2 s-1", "μmol m⁻² s⁻¹", "umol/(m2·s)", "µE m-2 s-1"]),
    ],
)
def test_units_as_loggers_write_them(target, one, units):
    for unit in units:
        steps = np.diff(conversion(unit, target)(np.array([1.0, 2.0])))
        assert steps[0] == pytest.approx(one, rel=1e-12), unit


@pytest.mark.parametrize(
    ("unit", "target", "scale", "value", "expected"),
    [
        ("degC", "degC", 0.1, 58, 5.8),
        ("degC", "degC", 0.1, -12, -1.2),
        ("hPa", "hPa", 0.1, 10104, 1010.4),
        ("degF", "degC", 0.1, 320, 0.0),  # 32.0 degF
        ("inch", "mm", 0.01, 7, 1.778),
        ("m/s", "m/s", 2, 1.5, 3.0),
        ("degC", "degC", -1, 5, -5.0),
    ],
)
def test_a_scale_is_a_fraction_so_that_tenths_are_exact(unit, target, scale, value, expected):
    assert conversion(unit, target, scale)(np.array([float(value)])).tolist() == [expected]


def test_a_unit_with_a_number_says_what_to_write():
    with pytest.raises(UnitError, match=r"scale = 0\.1"):
        conversion("0.1 degC", "degC")


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
