"""Names of users and groups: what can be one at all, and what no user may be called."""

from __future__ import annotations

import re
import secrets
from typing import Final

from errors import InvalidRequest

LOCAL_USER: Final = "local"  # this machine's own: the user of AUTH=none, and whoever gives commands
EMBED_OWNER: Final = "embed:"  # the beginning of the names under which embedded charts load
# the beginning of the names that removed users' jobs, keys and charts have from then on
_REMOVED: Final = "removed:"

_OF_REMOVED: Final = re.compile(rf"{_REMOVED}[0-9a-f]{{8}}:")

_LONGEST: Final = 255
_LONGEST_LEFT: Final = _LONGEST - len(f"{_REMOVED}01234567:")  # what a removed user's name is cut to


def is_usable(name: str) -> bool:
    """Return whether a name can be a user's or a group's:
    printable, without space around it, at most 255 characters.
    """
    return 0 < len(name) <= _LONGEST and name.isprintable() and name == name.strip()


def is_reserved(name: str) -> bool:
    """Return whether a name is the site's own, so that no user who signs in may have it."""
    return name == LOCAL_USER or name.startswith((EMBED_OWNER, _REMOVED))


def name_of_removed(name: str) -> str:
    """Return the name that replaces a removed user's in what they leave; nobody can have it."""
    return f"{_REMOVED}{secrets.token_hex(4)}:{name}"[:_LONGEST]


def name_before_removal(name: str) -> str:
    """Return a name as it was before its user was removed, to compare authors by: the same for a
    user and for the removed one; of a very long name its beginning.
    """
    found = _OF_REMOVED.match(name)
    return name[found.end() if found else 0 :][:_LONGEST_LEFT]


def check_name(name: str) -> str:
    """The name, if a user or a group may be called so.

    Raises:
        InvalidRequest: saying what a name may be.
    """
    if not is_usable(name):
        raise InvalidRequest(
            "{name} is not a valid name; use 1 to {longest} printable characters, without a space at either end.",
            field="name",
            name=repr(name[: _LONGEST + 1]),
            longest=_LONGEST,
        )
    if is_reserved(name):
        raise InvalidRequest("The name {name} is reserved; use another one.", field="name", name=name)
    return name
