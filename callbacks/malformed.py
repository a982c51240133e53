"""Malformed bodies of callbacks, told apart from faults of ours when a callback has failed.

A request written by hand may have any shape, and values of any kind. What values mean is for the
callbacks to doubt; where one fails, or Dash before it, shape and kind are looked at here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from dash import Dash
from dash.exceptions import CallbackException
from flask import Flask, Response, request

from access.saved.saved_selection import PRESETS
from errors import InvalidRequest
from layouts import ids
from layouts.form import ZONES

_LISTS: Final = ("inputs", "state")


def refuse_malformed(server: Flask, apps: Mapping[str, Dash], refused: Callable[[InvalidRequest], Response]) -> None:
    """Answer ``refused`` where a callback failed because no page sends such a body; ``apps`` by the
    path of their callbacks. All other failures are faults of ours, and stay so.
    """

    def answer(error: Exception) -> Response:
        app = apps.get(request.path) if request.method == "POST" else None
        # itself it says so of a request for other outputs than the callback has
        if app is None or (type(error) is not CallbackException and is_well_formed(request.get_json(), app.callback_map)):
            raise error
        return refused(InvalidRequest("The page is out of date. Reload it."))

    server.register_error_handler(Exception, answer)


def is_well_formed(body: object, callbacks: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether a body asks for one of the callbacks, with values that a page may have."""
    return is_callback(body, callbacks) and all(is_valid(*each) for each in _values(body))


def is_callback(body: object, callbacks: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether a body asks for one of the callbacks, with all its inputs and states."""
    if not isinstance(body, dict) or not isinstance(body.get("output"), str):
        return False
    known = callbacks.get(body["output"])
    if known is None or "callback" not in known:  # those without run in the browser
        return False
    changed, outputs = body.get("changedPropIds", []), body.get("outputs", [])
    return (
        all(_are_parts(body.get(name, []), len(known[name])) for name in _LISTS)
        and isinstance(changed, list)
        and all(isinstance(each, str) for each in changed)
        and _are_outputs(outputs, body["output"])
    )


def _are_outputs(found: object, name: str) -> bool:
    """Return whether it is what a callback of that name gives; several are ``..a.x...b.y..``."""
    if name.startswith(".."):
        return _are_parts(found, len(name[2:-2].split("...")))
    return _is_part(found) or (isinstance(found, list) and _are_parts(found, len(found)))


def _values(body: Any) -> Iterator[tuple[object, object]]:
    """Id and value of each component of a callback's body; those of patterns are clicks."""
    for name in _LISTS:
        for each in body.get(name, []):
            if isinstance(each, dict):
                yield each["id"], each.get("value")


def _are_parts(found: object, count: int) -> bool:
    """Return whether it is a list of so many components, or of lists of them for a pattern."""
    return (
        isinstance(found, list)
        and len(found) == count
        and all(_is_part(each) or (isinstance(each, list) and all(map(_is_part, each))) for each in found)
    )


def _is_part(found: object) -> bool:
    """Whether it names a property of a component."""
    return isinstance(found, dict) and isinstance(found.get("id"), (str, dict)) and isinstance(found.get("property"), str)


def is_size(value: object) -> bool:
    """Return whether it is a width, or a width and the screen's pixels to one of it."""
    return is_number(value) or (isinstance(value, list) and len(value) == 2 and all(map(is_number, value)))


def is_text(value: object) -> bool:
    """Return whether it is text that a database takes: JSON may hold halves of characters."""
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


VALIDATORS: Final[Mapping[str, Callable[[object], bool]]] = {
    ids.STATION: are_names,
    ids.SENSOR: are_names,
    ids.RANGE_START: is_text,
    ids.RANGE_END: is_text,
    ids.RANGE_PRESET: lambda value: value in ("", *PRESETS),
    ids.RESOLUTION: is_text,
    ids.ZONE: lambda value: value in ZONES,
    ids.LINK: is_text,
    ids.JOB_ID: is_text,
    ids.POLL_ID: is_text,
    ids.CHART_WIDTH: is_size,
    ids.JOBS_PRESS: is_object,
}


def is_valid(component: object, value: object) -> bool:
    """Return whether a component of that id may have the value; None is valid for each."""
    validator = VALIDATORS.get(component) if isinstance(component, str) else None
    return value is None or validator is None or validator(value)
