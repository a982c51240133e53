"""Sines and cosines of many angles: from a table where they are whole degrees, as of most vanes."""

from __future__ import annotations

from typing import Final

import numpy as np

from analysis.bins import slices
from data.arrays import Floats

_CIRCLE: Final = 360
_SIN: Final = np.sin(np.deg2rad(np.arange(_CIRCLE + 1.0)))
_COS: Final = np.cos(np.deg2rad(np.arange(_CIRCLE + 1.0)))


def sines(angles: Floats) -> tuple[Floats, Floats]:
    """Return sine and cosine of angles in degrees, f8[n] each."""
    sin, cos = np.empty_like(angles), np.empty_like(angles)
    for part in slices(len(angles)):
        sin[part], cos[part] = _sines(angles[part])
    return sin, cos


def _sines(angles: Floats) -> tuple[Floats, Floats]:
    if angles.min() >= 0 and angles.max() <= _CIRCLE:  # flagged ones may be anything
        degrees = angles.astype(np.int64)
        if (degrees == angles).all():
            return _SIN.take(degrees), _COS.take(degrees)
    radians = np.deg2rad(angles)
    return np.sin(radians), np.cos(radians)
