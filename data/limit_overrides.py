"""Limits of quality control that people have set over those of the catalogue
(docs/decisions/0045).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from data.quality_limits import QualityLimits

NOTHING_SET = QualityLimits()


@dataclass(frozen=True)
class LimitOverrides:
    """What is set of a series: ``sensor`` for its sensor at all stations, ``station`` for this one.
    Only the fields that are set in them count; one that is set to None switches its rule off.
    """

    sensor: QualityLimits = field(default=NOTHING_SET)
    station: QualityLimits = field(default=NOTHING_SET)


AS_CATALOGUE = LimitOverrides()
SetLimits = Callable[[str, str], LimitOverrides]
"""Returns what is set of a station's sensor."""


def no_set_limits(station: str, sensor: str) -> LimitOverrides:
    """Know nothing that is set."""
    del station, sensor
    return AS_CATALOGUE
