"""What files call sensors: by their names, and users' formulas by what their users call them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count
from typing import Final

from data.catalogue import Catalogue
from data.file_columns import OWN_COLUMNS
from data.user_formula import is_formula_name

_UNSAFE: Final = re.compile(r"\W+")
_NAMELESS: Final = "formula"  # of which no letter or digit is left


def export_names(catalogue: Catalogue, sensors: Iterable[str]) -> list[str]:
    """Return the names of some sensors in a file, all different: letters, digits and ``_``.

    A formula's is its label, which is numbered where a sensor, another column or another formula
    has that name: an import of the file must not take it for that.
    """
    found: dict[str, str] = {}
    taken = {*OWN_COLUMNS, *catalogue.sensors}
    for name in sensors:
        found[name] = _free(catalogue[name].label("en"), taken) if is_formula_name(name) else name
        taken.add(found[name])
    return list(found.values())


def _free(label: str, taken: set[str]) -> str:
    plain = _UNSAFE.sub("_", label).strip("_") or _NAMELESS
    numbered = (f"{plain}_{number}" for number in count(2))
    return plain if plain not in taken else next(name for name in numbered if name not in taken)
