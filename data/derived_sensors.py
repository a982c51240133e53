"""Derived sensors of the catalogue: what their formulas are made of, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from data.formula import CheckedFormula, Measured, Reference, check_units, parse, with_numbers
from data.sensor import FormulaInput, Sensor
from data.station_metadata import StationMetadata
from errors import InvalidFormula

CONSTANTS: Final = {"latitude": "degree", "longitude": "degree", "elevation": "m"}  # of a station, and their units


def made_of(sensor: Sensor, stamp: str | None, known: Mapping[str, Sensor], *, of_first: bool = False) -> Sensor:
    """Return a derived sensor with what its formula reads, and how far it looks back; ``stamp``:
    what the catalogue says of its own; ``of_first``: that of the first input.

    Raises:
        InvalidFormula: it cannot be read, a sensor is not there or derived itself, or the stamp is
            none of theirs.
    """
    formula = parse(sensor.formula)
    constants = tuple(each.sensor for each in formula.references if _is_constant(each, known))
    read = [each for each in formula.references if not _is_constant(each, known)]
    inputs = tuple(FormulaInput(_measured(each, known), each.station) for each in read)
    if not inputs:
        raise InvalidFormula("The formula names no sensor, so it has no readings.")
    stamps = [inputs[0].sensor.stamp] if of_first else sorted({each.sensor.stamp for each in inputs})
    if stamp is None and len(stamps) > 1:
        raise InvalidFormula(
            '{names} are stamped at different ends of their intervals; say with stamp = "start" or stamp = "end" '
            "which one the result has.",
            names=", ".join(each.reference.shown for each in inputs),
        )
    if stamp is not None and stamp not in stamps:
        raise InvalidFormula('its inputs have the stamp "{stamp}"; leave stamp out.', stamp=stamps[0])
    # Of a formula that names a station for each sensor, the first is the one that has the result.
    station = inputs[0].station if all(each.station for each in inputs) else None
    made = replace(sensor, inputs=inputs, constants=constants, back_ms=formula.back_ms, station=station)
    return replace(made, stamp=stamp or stamps[0])


def checked_formula(sensor: Sensor) -> CheckedFormula:
    """Return the formula of a derived sensor, with its unit checked.

    Raises:
        InvalidFormula: units do not fit; says where.
    """
    units = {each.reference: Measured(each.sensor.unit_code, each.sensor.is_direction) for each in sensor.inputs}
    units |= {Reference(name): Measured(CONSTANTS[name]) for name in sensor.constants}
    checked = check_units(parse(sensor.formula), units)
    checked.require_unit(sensor.unit_code)
    return checked


def station_formula(sensor: Sensor, checked: CheckedFormula, station: StationMetadata | None) -> CheckedFormula:
    """Return a checked formula with the numbers of a station in place of its constants."""
    numbers = {Reference(name): (getattr(station, name), CONSTANTS[name]) for name in sensor.constants}
    return with_numbers(checked, numbers) if numbers else checked


def positions(stations: Mapping[str, StationMetadata]) -> str:
    """Return where stations stand, for the fingerprint of what is computed from it."""
    return ";".join(f"{name}:{each.latitude},{each.longitude},{each.elevation}" for name, each in sorted(stations.items()))


def _is_constant(reference: Reference, known: Mapping[str, Sensor]) -> bool:
    return reference.station is None and reference.sensor in CONSTANTS and reference.sensor not in known


def _measured(reference: Reference, known: Mapping[str, Sensor]) -> Sensor:
    name = reference.sensor
    if name in CONSTANTS and name not in known:
        raise InvalidFormula(
            "{sensor}: a formula can take only where its own station stands; write {name}.", sensor=reference.shown, name=name
        )
    if name not in known:
        there = ", ".join(each.name for each in known.values() if not each.formula)
        raise InvalidFormula("There is no sensor {sensor}; there is {known}.", sensor=name, known=there)
    if known[name].formula:
        raise InvalidFormula("{sensor} has a formula itself; write what it is made of in its place.", sensor=name)
    return known[name]


def formula_line(text: str, name: str) -> int:
    """Return the line of a formula in the text of a catalogue, counted from 1; of its table where
    it is written in another way.
    """
    number, found = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("["):
            if found:
                break
            found = number if re.fullmatch(rf"\s*\[\s*formulas\s*\.\s*[\"']?{name}[\"']?\s*\]\s*(#.*)?", line) else 0
        elif found and re.match(r"\s*formula\s*=", line):
            return number
    return found or number
