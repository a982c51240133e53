"""Names for the arrays that go from room to room; docstrings say what one holds, in which shape."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def differ(some: Floats, others: Floats) -> Bools:
    """Return where two arrays of one shape are not the same; NaN is the same as NaN."""
    found: Bools = ~((some == others) | (np.isnan(some) & np.isnan(others)))
    return found
