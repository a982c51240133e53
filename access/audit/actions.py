"""What the audit log tells, and how long it is kept at least. Imports nothing, for ``--help``."""

from __future__ import annotations

from typing import Final, Literal, get_args

Action = Literal[
    "load",
    "export",
    "embed_made",
    "embed_revoked",
    "embed_viewed",
    "view_saved",
    "view_removed",
    "formula_saved",
    "formula_removed",
    "schedule_added",
    "schedule_removed",
    "report_sent",
    "alarm_added",
    "alarm_removed",
    "alarm_fired",
    "alarm_resolved",
    "alarm_acknowledged",
    "alarm_sent",
    "note_added",
    "note_changed",
    "note_removed",
    "notes_imported",
    "decision_made",
    "decision_undone",
    "decisions_imported",
    "limits_changed",
    "refused",
    "login",
    "logout",
    "password",
    "session_ended",
    "unlocked",
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
    "imported",
    "import_undone",
    "deleted",
    "rejected_replayed",
    "rejected_removed",
]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

LEAST_AGE_DAYS: Final = 30  # younger entries cannot be pruned
