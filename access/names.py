"""Names of users and groups: what can be one at all, and what nobody may be called."""

from __future__ import annotations

from typing import Final

from errors import InvalidRequest

LOCAL_USER: Final = "local"  # this machine's own: the user of AUTH=none, and whoever gives commands
EMBED_OWNER: Final = "embed:"  # the beginning of the names under which embedded charts load

_LONGEST: Final = 255


def is_usable(name: str) -> bool:
    """Whether a name can be a user's or a group's: printable, without space around it, at most 255 characters."""
    return 0 < len(name) <= _LONGEST and name.isprintable() and name == name.strip()


def is_reserved(name: str) -> bool:
    """Whether a name is the site's own, so that nobody who signs in may have it."""
    return name == LOCAL_USER or name.startswith(EMBED_OWNER)


def check_name(name: str) -> str:
    """The name, if a user or a group may be called so.

    Raises:
        InvalidRequest: saying what a name may be.
    """
    if not is_usable(name):
        raise InvalidRequest(
            "{name} cannot be a name; use 1 to {longest} printable characters without space around them.",
            field="name",
            name=repr(name[: _LONGEST + 1]),
            longest=_LONGEST,
        )
    if is_reserved(name):
        raise InvalidRequest("The name {name} is the site's own; use another one.", field="name", name=name)
    return name
