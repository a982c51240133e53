"""What a key or a token may be used for. Needs no library, so that ``--help`` is quick."""

from __future__ import annotations

from typing import Final, Literal

Scope = Literal["load", "read", "export", "embed", "review", "admin"]

SCOPES: Final[tuple[Scope, ...]] = ("read", "load", "export", "embed", "review", "admin")
ALL_SCOPES: Final[frozenset[Scope]] = frozenset(SCOPES)
DEFAULT_SCOPES: Final[tuple[Scope, ...]] = ("read", "load", "export")  # of a key
