"""What the audit log tells, and how long it is kept at least. Imports nothing, so that ``--help`` need not wait."""

from __future__ import annotations

from typing import Final, Literal, get_args

Action = Literal[
    "load",
    "export",
    "embed_made",
    "embed_revoked",
    "embed_viewed",
    "refused",
    "login",
    "logout",
    "password",
    "key_made",
    "key_used",
    "key_revoked",
    "user_added",
    "user_changed",
    "user_removed",
    "group_joined",
    "group_left",
    "grant_added",
    "grant_removed",
    "pruned",
]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

LEAST_AGE_DAYS: Final = 30  # younger entries cannot be pruned
