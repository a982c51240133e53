"""What a key or a token may be used for. Needs no library, so that ``--help`` is quick."""

from __future__ import annotations

from typing import Final, Literal

Scope = Literal["load", "read", "export", "embed", "review", "admin", "ingest"]

SCOPES: Final[tuple[Scope, ...]] = ("read", "load", "export", "embed", "review", "admin")
# of users, their sessions and keys; observations come with another kind (access/ingest_keys.py)
ALL_SCOPES: Final[frozenset[Scope]] = frozenset(SCOPES)
DEFAULT_SCOPES: Final[tuple[Scope, ...]] = ("read", "load", "export")  # of a key
