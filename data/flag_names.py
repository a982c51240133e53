"""What the tiles of flags call a rule, and how they say who decided that a reading is flagged."""

from __future__ import annotations

from typing import Final

from data.arrays import Floats, Integers

# Rules that flag readings. Tiles keep the place of a name in FLAG_NAMES, so new ones go last there.
FLAG_RULES: Final = ("climate", "step", "spike", "stuck", "variation", "dark", "sun")
BY_HAND: Final = "hand"
FLAG_NAMES: Final = (
    *FLAG_RULES,
    BY_HAND,
    *("source", "range"),  # which tiles of readings tell, unless a person calls them suspect
    *("gap", "silent", "irregular", "frozen", "dew_point", "gust", "no_speed", "dry_rain"),
    *("neighbours", "twin", "par_ratio"),
    "inputs",
)
"""``hand``: flagged by a person for no rule; after it rules whose events a person confirmed.
``inputs``: of a derived series, made of readings that are flagged.
"""

_PLACES: Final = 256  # more than there will be names


def packed(place: Integers, decision: Integers) -> Floats:
    """Return as one number what flagged a reading: a place in FLAG_NAMES, and the number of the
    decision that said so, 0 where none did. Exact for decisions up to 2^44.
    """
    return (place + _PLACES * decision).astype("float64")


def unpacked(values: Floats) -> tuple[Integers, Integers]:
    """Return places and decisions; the inverse of :func:`packed`."""
    whole = values.astype("int64")
    return whole % _PLACES, whole // _PLACES
