"""What kinds of values a page's components have. A page sends no other; whoever writes a request by hand may.

Only the kind is looked at here: whose job it is, and what is granted, is asked where the value is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from layouts import ids
from layouts.form import PRESETS


def is_text(value: object) -> bool:
    """Text that can be written down: JSON may hold halves of characters, which no database takes."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def are_names(value: object) -> bool:
    """A list of texts."""
    return isinstance(value, list) and all(map(is_text, value))


def is_number(value: object) -> bool:
    """A finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_object(value: object) -> bool:
    """A JSON object."""
    return isinstance(value, dict)


KINDS: Final[Mapping[str, Callable[[object], bool]]] = {
    ids.STATION: are_names,
    ids.SENSOR: are_names,
    ids.RANGE_START: is_text,
    ids.RANGE_END: is_text,
    ids.RANGE_PRESET: lambda value: value in ("", *PRESETS),
    ids.RESOLUTION: is_text,
    ids.URL: is_text,
    ids.JOB_ID: is_text,
    ids.POLL_ID: is_text,
    ids.CHART_WIDTH: is_number,
    ids.JOBS_PRESS: is_object,
}


def is_of_its_kind(component: object, value: object) -> bool:
    """Whether a component of that id may have the value; nothing at all is a value of each."""
    kind = KINDS.get(component) if isinstance(component, str) else None
    return value is None or kind is None or kind(value)
