"""What is sent to a page's callbacks, looked at before Dash does, which would make an error of the server of any nonsense.

What the values mean is the callbacks' own to doubt; this is only about shape and kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from flask import Flask, request

from errors import InvalidRequest

_LISTS: Final = ("inputs", "state")

Callbacks = Callable[[], Mapping[str, Mapping[str, Any]]]
OfItsKind = Callable[[object, object], bool]


def refuse_nonsense(server: Flask, path: str, callbacks: Callbacks, of_its_kind: OfItsKind) -> None:
    """Put a hook before the route ``path`` of a Dash application.

    ``callbacks`` are its own, by what they change; ``of_its_kind`` says of a component's id and a value whether it may have it.
    """

    def check() -> None:
        if request.method != "POST" or request.path != path:
            return
        body = _body()
        if not is_callback(body, callbacks()) or not all(of_its_kind(*each) for each in _values(body)):
            raise InvalidRequest("This is no callback of this page; reload the page.")

    server.before_request(check)


def is_callback(body: object, callbacks: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a body asks for one of the callbacks, with as many inputs and states as it takes."""
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
        and (_is_part(outputs) or (isinstance(outputs, list) and _are_parts(outputs, len(outputs))))
    )


def _values(body: Any) -> Iterator[tuple[object, object]]:
    """Id and value of each component of a callback's body; those of patterns are clicks."""
    for name in _LISTS:
        for each in body.get(name, []):
            if isinstance(each, dict):
                yield each["id"], each.get("value")


def _body() -> object:
    """Dash reads the same one again; nothing is parsed twice."""
    try:
        return request.get_json()
    except RecursionError as exc:
        raise InvalidRequest("The body is not JSON.") from exc


def _are_parts(found: object, count: int) -> bool:
    """Whether it is a list of so many components, or of lists of them where a callback listens to a pattern."""
    return (
        isinstance(found, list)
        and len(found) == count
        and all(_is_part(each) or (isinstance(each, list) and all(map(_is_part, each))) for each in found)
    )


def _is_part(found: object) -> bool:
    """Whether it names a property of a component."""
    return isinstance(found, dict) and isinstance(found.get("id"), (str, dict)) and isinstance(found.get("property"), str)
