"""What derived sensors are made of, as far as it decides who may see them (access/grants.py)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from data.catalogue import Catalogue, Sensor


@dataclass(frozen=True)
class MadeOf:
    """What a derived sensor is made of: ``sensors`` of the station that it stands at (``station``;
    None: any), sensors of others, as (station, sensor), and how far its formula looks back.
    """

    sensors: tuple[str, ...]
    back_ms: int = 0
    elsewhere: tuple[tuple[str, str], ...] = ()
    station: str | None = None


def made_of(catalogue: Catalogue) -> Mapping[str, MadeOf]:
    """Return what the derived sensors of a catalogue are made of."""
    return _MadeOfCatalogue(catalogue)


class _MadeOfCatalogue(Mapping[str, MadeOf]):
    """What each derived sensor of a catalogue is made of, users' formulas too."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._found: dict[str, MadeOf] = {}

    def __getitem__(self, name: str) -> MadeOf:
        if name not in self._found:
            if name not in self._catalogue or not self._catalogue[name].formula:
                raise KeyError(name)
            self._found[name] = _made_of(self._catalogue[name])
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(each.name for each in self._catalogue.derived)

    def __len__(self) -> int:
        return len(self._catalogue.derived)


def _made_of(sensor: Sensor) -> MadeOf:
    own = tuple(each.sensor.name for each in sensor.inputs if each.station in (None, sensor.station))
    others = tuple((each.station, each.sensor.name) for each in sensor.inputs if each.station not in (None, sensor.station))
    return MadeOf(own, sensor.back_ms, others, sensor.station)
