"""What the columns of a file seem to be: sensors, units, codes for missing values, running totals;
for first guesses.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.catalogue import Catalogue, Sensor
from data.cells.numerals import parse_number
from data.cells.sensor_synonyms import meaning
from data.cells.units import UnitError, conversion

_POINTS = ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"]
_ENGLISH = {point: number * 22.5 for number, point in enumerate(_POINTS)}
# Points of the compass, by language; O is east in German and Dutch, west in French and Spanish,
# so that is said.
_COMPASSES = {
    "English": _ENGLISH,
    "Indonesian": dict(
        zip(["U", "TL", "T", "TG", "S", "BD", "B", "BL"], (0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0), strict=True)
    ),
    "German, with O for east": {point.replace("E", "O"): degrees for point, degrees in _ENGLISH.items()},
}
_KNOWN_POINTS = {point for points in _COMPASSES.values() for point in points}
_NO_VALUE = {
    "na", "n/a", "null", "none", "m", "-", "--", "---", "missing", "unavailable", "unknown", "nil",
    "*", "x", "vrb", "var", "calm",
}  # fmt: skip
_TRACE = {"t", "tr", "trace"}
_CODE = re.compile(r"-?(?:9{2,6}|8888|6999|7999|32767|32768)(?:\.[09]+)?|-9+(?:\.[09]+)?")
# Where a name tells no unit: what values of these would be, by their median.
_BY_SIZE = {
    "temperature": ((45.0, 130.0, "degF"), (200.0, 330.0, "K")),
    "pressure": (
        (20.0, 32.5, "inHg"), (50.0, 110.0, "kPa"), (600.0, 790.0, "mmHg"), (50_000.0, 110_000.0, "Pa"),
    ),
    "humidity": ((0.05, 1.0, "fraction"),),
}  # fmt: skip
_WITH_UNIT = re.compile(r"([+-]?[\d.,]+)\s*([^\d\s.,].*)")
_FACTOR = re.compile(r"(0?\.1|0?\.01|1/10|1/100|10|100)(?:s| ?[x*])?\s*(?:of )?\s*(\D.*)")
_FACTORS = {"1/10": 0.1, "1/100": 0.01}
_BEYOND = 0.05
_A_DAY = re.compile(r"daily|today|day|harian|hari|tag\b|dag|24h|dia|jour", re.I)
_RUNNING = re.compile(
    r"total|cumul|accum|akumul|summe|som\b|year|yearly|jahr|jaar|season|counter|raincounter|\bsum\b|since", re.I
)
_RATE = re.compile(r"rate|intens", re.I)
_SUB_HOUR = re.compile(r"hourly|event|week|month|stunde|woche|monat|1h|24 ?h", re.I)


@dataclass(frozen=True)
class ColumnGuess:
    """A column of values: its keys as a profile has them, and what a person should look at."""

    column: str
    sensor: str
    keys: Mapping[str, Any]
    notes: tuple[str, ...]


def guess_decimal(cells: Sequence[str], delimiter: str) -> tuple[str, str | None, tuple[str, ...]]:
    """Return the decimal sign, the thousands sign, and what is unclear about them."""
    commas = [cell for cell in cells if re.fullmatch(r"[+-]?\d*,\d+", cell)]
    points = [cell for cell in cells if re.fullmatch(r"[+-]?\d*\.\d+", cell)]
    if any(re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+\.\d+", cell) for cell in cells):
        return ".", ",", ()
    if delimiter == "," or not commas:
        return ".", None, ()
    if any(re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+", cell) for cell in cells):
        return ",", ".", ()
    if points and all(re.fullmatch(r"[+-]?[1-9]\d{0,2}\.\d{3}", cell) for cell in points):
        return ",", ".", (f"{points[0]} is taken for a whole number, as other cells have a decimal comma",)
    return ",", None, (("some cells have a decimal comma, others a decimal point",) if points else ())


def guess_values(
    columns: Mapping[str, Sequence[str]], units: Mapping[str, str], catalogue: Catalogue, decimal: str, thousands: str | None
) -> tuple[list[ColumnGuess], dict[str, str]]:
    """The columns to read, one a sensor, and why others that have a name of a sensor are not."""
    wanted: dict[str, list[str]] = {}
    for name in columns:
        named = meaning(name)
        if named is not None and named.sensor in catalogue:
            wanted.setdefault(named.sensor, []).append(name)
    chosen: list[ColumnGuess] = []
    left: dict[str, str] = {}
    for sensor, names in wanted.items():
        ranked = sorted(names, key=_rain_rank) if catalogue[sensor].aggregation == "sum" else names
        readable = [name for name in ranked if _mostly_numbers(columns[name], decimal, thousands)]
        for name in ranked:
            if name not in readable:
                left[name] = f"{sensor}? its cells are no numbers"
            elif name != readable[0]:
                left[name] = f"{sensor}, too"
        if readable:
            chosen.append(
                _guess(readable[0], columns[readable[0]], catalogue[sensor], units.get(readable[0]), decimal, thousands)
            )
    chosen = _of_one_country(chosen)
    return sorted(chosen, key=lambda each: list(columns).index(each.column)), left


def _of_one_country(chosen: Sequence[ColumnGuess]) -> list[ColumnGuess]:
    """Read miles and inches where the file also has °F or inches of mercury."""
    if not any(each.keys.get("unit") in {"degF", "inHg"} for each in chosen):
        return list(chosen)
    found = []
    for each in chosen:
        unit = {"wind_speed": "mph", "rainfall": "inch"}.get(each.sensor)
        if unit is not None and any("tells no unit" in note for note in each.notes):
            notes = (f"unsure: the file tells no unit; taken for {unit} as others are not metric", *each.notes[1:])
            found.append(ColumnGuess(each.column, each.sensor, {**each.keys, "unit": unit}, notes))
        else:
            found.append(each)
    return found


def _rain_rank(name: str) -> int:
    """Rain of the interval before a running total, and a rate last."""
    ranks = ((_RATE, 4), (_SUB_HOUR, 3), (_A_DAY, 1), (_RUNNING, 2))
    return next((rank for words, rank in ranks if words.search(name)), 0)


def _mostly_numbers(cells: Sequence[str], decimal: str, thousands: str | None) -> bool:
    told = [cell for cell in cells if cell and cell.lower() not in _NO_VALUE]
    words = [cell for cell in told if cell.upper() in _KNOWN_POINTS or cell.lower() in _TRACE]
    numbers = [cell for cell in told if _number(_WITH_UNIT.sub(r"\1", cell), decimal, thousands) is not None]
    return not told or (len(numbers) + len(words)) * 2 >= len(told)


def _number(cell: str, decimal: str, thousands: str | None) -> float | None:
    return parse_number(cell.replace(thousands or "\0", "").replace(decimal, "."))


def _guess(
    name: str, cells: Sequence[str], sensor: Sensor, written: str | None, decimal: str, thousands: str | None
) -> ColumnGuess:
    notes: list[str] = []
    keys: dict[str, Any] = {"sensor": sensor.name}
    if any(_WITH_UNIT.fullmatch(cell) and _converts(_WITH_UNIT.sub(r"\2", cell), sensor.unit_code) for cell in cells):
        keys["unit_in_cell"] = True
        cells = [_WITH_UNIT.sub(r"\1", cell) for cell in cells]
    values = np.array([_number(cell, decimal, thousands) if cell else math.nan for cell in cells], np.float64)
    if "unit_in_cell" not in keys:
        named = meaning(name)
        _unit(keys, notes, sensor, [*([written] if written else []), *(named.units if named else ())], values)
    missing = _missing(cells, values, sensor, keys)
    if missing:
        keys["missing"] = missing
        codes = [code for code in missing if parse_number(code) is not None]
        notes += [f"{', '.join(codes)} taken for missing"] if codes else []
    words = _words(notes, cells, sensor)
    if words:
        keys["words"] = words
    _check_range(keys, notes, sensor, values[[cell not in missing for cell in cells]])
    if sensor.aggregation == "sum":
        _counting(keys, notes, name, values)
    return ColumnGuess(name, sensor.name, keys, tuple(notes))


def _unit(keys: dict[str, Any], notes: list[str], sensor: Sensor, units: Sequence[str], values: np.ndarray[Any, Any]) -> None:
    """The unit that is written, if it is one of the sensor;
    else one by the size of the values, which is said.
    """
    for unit in units:
        factor = _FACTOR.fullmatch(unit)
        if factor and _converts(factor.group(2), sensor.unit_code):
            keys["unit"] = factor.group(2)
            keys["scale"] = _FACTORS.get(factor.group(1)) or float(factor.group(1))
            return
        if _converts(unit, sensor.unit_code):
            keys["unit"] = unit
            return
        if _converts(unit, f"({sensor.unit_code}) / hour"):
            keys["unit"], keys["counts"] = unit, "rate"
            notes.append("a rate: stored is rate times interval; step_s sets the interval")
            return
    known = values[np.isfinite(values)]
    middle = float(np.median(known)) if len(known) else math.nan
    likely = next((unit for least, most, unit in _BY_SIZE.get(sensor.name, ()) if least <= middle <= most), None)
    keys["unit"] = likely or sensor.unit_code
    if not units and sensor.unit_code in {"percent", "degree"} and not likely:
        return
    told = f"{', '.join(units)} is no unit of it" if units else "the file tells no unit"
    notes.append(f"unsure: {told}; taken for {keys['unit']}" + (" by the size of the values" if likely else ""))


def _check_range(keys: Mapping[str, Any], notes: list[str], sensor: Sensor, values: np.ndarray[Any, Any]) -> None:
    """Say where values do not look like this sensor in this unit."""
    known = values[np.isfinite(values)]
    if "unit" not in keys or keys.get("counts") == "rate" or not len(known):
        return
    converted = conversion(str(keys["unit"]), sensor.unit_code, keys.get("scale", 1.0))(known)
    beyond = float(np.mean((converted < sensor.valid_min) | (converted > sensor.valid_max)))
    if beyond > _BEYOND and "counts" not in keys:
        notes.append(f"unsure: {beyond:.0%} of the values are out of the valid range; is it this sensor, unit and scale?")


def _converts(unit: str, target: str) -> bool:
    try:
        conversion(unit, target)
    except UnitError:
        return False
    return True


def _missing(cells: Sequence[str], values: np.ndarray[Any, Any], sensor: Sensor, keys: Mapping[str, Any]) -> list[str]:
    """Words and codes that mean "no value": a code only where as a measurement it
    would be out of the valid range.
    """
    words = dict.fromkeys(cell for cell in cells if cell.lower() in _NO_VALUE)
    if keys.get("counts") == "rate" or "unit" not in keys:
        return list(words)
    convert = conversion(str(keys["unit"]), sensor.unit_code, keys.get("scale", 1.0))
    codes: dict[str, None] = {}
    for cell, value in zip(cells, convert(values).tolist(), strict=True):
        if _CODE.fullmatch(cell) and not sensor.valid_min <= value <= sensor.valid_max:
            codes.setdefault(cell)
    return [*words, *codes]


def _words(notes: list[str], cells: Sequence[str], sensor: Sensor) -> dict[str, float]:
    """Words that stand for a value: points of the compass, a trace of rain."""
    if sensor.aggregation == "sum":
        return dict.fromkeys((cell for cell in cells if cell.lower() in _TRACE), 0.0)
    points = {cell.upper() for cell in cells if cell.upper() in _KNOWN_POINTS}
    if sensor.aggregation != "direction" or not points:
        return {}
    language = next((name for name, known in _COMPASSES.items() if points <= set(known)), "English")
    if language != "English":
        notes.append(f"unsure: points of the compass taken for {language}")
    return _COMPASSES[language]


def _counting(keys: dict[str, Any], notes: list[str], name: str, values: np.ndarray[Any, Any]) -> None:
    """Return whether rain is per interval or a running total, which hardly ever falls."""
    if "counts" in keys:
        return
    known = values[np.isfinite(values)]
    steps = np.diff(known)
    rises, falls = int(np.sum(steps > 0)), int(np.sum(steps < 0))
    if rises >= 3 and falls * 10 <= rises:
        keys["counts"] = "day_total" if _A_DAY.search(name) else "since_reset"
        notes.append('a running total, as it seems: it hardly ever falls; else counts = "interval"')
    elif _A_DAY.search(name) or _RUNNING.search(name):
        keys["counts"] = "day_total" if _A_DAY.search(name) else "since_reset"
        notes.append('unsure: its name is that of a running total; else counts = "interval"')
    elif _SUB_HOUR.search(name):
        notes.append("unsure: is this the rain of each row's own interval?")
