"""A sensor: what the catalogue says of a measured or derived quantity."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from data.formula import Reference
from data.quality_limits import QualityLimits
from data.station_metadata import StationMetadata

Aggregation = Literal["mean", "sum", "direction"]
Drawing = Literal["line", "bars", "dots"]


@dataclass(frozen=True)
class FormulaInput:
    """A measured sensor that a formula reads; ``station`` as it is written, None: the station of
    the result.
    """

    sensor: Sensor
    station: str | None = None

    @property
    def reference(self) -> Reference:
        """What the formula calls it."""
        return Reference(self.sensor.name, self.station)


@dataclass(frozen=True)
class Sensor:
    """A measured quantity of a station.

    ``labels`` are by language; ``unit`` is shown, ``unit_code`` is pint's;
    ``valid_min``/``valid_max`` in ``unit`` (inclusive); ``day_start_min`` minutes after local
    midnight; ``gap_ms`` a longer pause breaks the line (None: three times the usual step);
    ``origin`` says where a mapped source has the values from (data/source/mapped/mapping.py);
    ``quality`` what the catalogue says of its quality control (other limits make no tile stale);
    ``standard_name`` is the name of the quantity in the table of the CF conventions, empty where
    it is not said.

    A *derived* sensor has a ``formula`` of other sensors, its ``inputs``, and of what the catalogue
    says of its station, ``constants`` such as the elevation; it looks ``back_ms`` before a time at
    most. ``station``: the only one that it stands at, where its formula names a station for each
    input (docs/decisions/0032).
    """

    name: str
    labels: Mapping[str, str]
    unit: str
    unit_code: str
    valid_min: float
    valid_max: float
    aggregation: Aggregation
    drawing: Drawing
    color: str
    day_start_min: int = 0
    stamp: Literal["start", "end"] = "start"
    gap_ms: int | None = None
    decimals: int = 1
    origin: str = ""
    formula: str = ""
    inputs: tuple[FormulaInput, ...] = ()
    constants: tuple[str, ...] = ()
    back_ms: int = 0
    station: str | None = None
    quality: QualityLimits = field(default_factory=QualityLimits)
    standard_name: str = ""

    @property
    def other_stations(self) -> tuple[str, ...]:
        """The stations that its formula reads besides the one that it stands at, sorted."""
        named = {each.station for each in self.inputs if each.station is not None}
        return tuple(sorted(named - {self.station}))

    def may_stand_at(self, station: str) -> bool:
        """Return whether a station can have it: the one that it is bound to, else each that its
        formula does not name.
        """
        return station == self.station if self.station is not None else station not in self.other_stations

    def has_constants(self, station: StationMetadata | None) -> bool:
        """Return whether the catalogue says of a station all that its formula takes of it."""
        return not self.constants or all(getattr(station, name, None) is not None for name in self.constants)

    def label(self, language: str) -> str:
        """The label in a language, else in English, else the name."""
        return self.labels.get(language) or self.labels.get("en") or self.name

    @property
    def is_direction(self) -> bool:
        """Return whether it turns at north: 359 is next to 0, and there are no extremes."""
        return self.aggregation == "direction"

    @property
    def fingerprint(self) -> int:
        """32 bits of all that decides a tile's content: valid range, unit, aggregation, origin;
        of a derived sensor its formula and decimals, too, and its inputs' fingerprints. A change
        makes tiles stale.
        """
        text = f"{self.valid_min!r}|{self.valid_max!r}|{self.unit_code}|{self.aggregation}"
        text += f"|{self.origin}" if self.origin else ""
        if self.formula:
            inputs = ",".join(f"{each.reference.shown}:{each.sensor.fingerprint}" for each in self.inputs)
            text += f"|{self.formula}|{self.decimals}|{inputs}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "little")
