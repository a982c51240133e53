"""The grids of the administrators' page: their columns and their words.
What they show comes from callbacks/admin_rows.py.
"""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

import dash_ag_grid as dag

from access.audit.actions import Action
from i18n import gettext as _
from layouts.jobs_grid import grid, sorted_column

Kind = Literal["user", "group", "grant", "key", "embed"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
AUDIT: Final = "audit"


def grid_id(kind: str) -> str:
    """The id of a tab's grid."""
    return f"admin-{kind}-grid"


def admin_grid(kind: str) -> dag.AgGrid:
    """The grid of a tab, still empty."""
    return grid(grid_id(kind), columns()[kind], no_rows()[kind], is_log=kind == AUDIT, more="admin-grid")


def no_rows() -> dict[str, str]:
    """What an empty grid says."""
    return {
        "user": _("No user yet"),
        "group": _("No group yet"),
        "grant": _("No grants yet: only administrators see data"),
        "key": _("No key yet"),
        "embed": _("No embedded chart yet"),
        "audit": _("No entry"),
    }


def columns() -> dict[str, list[dict[str, Any]]]:
    """Columns by tab, the ones that matter on a phone first."""
    return {
        "user": [
            _text("name", _("User"), flex=2, minWidth=130),
            _text("state", _("State"), width=150),
            _text("groups", _("Groups"), flex=2, minWidth=140),
            sorted_column("password", _("Password set"), width=150),
            sorted_column("created", _("Created"), width=150),
        ],
        "group": [
            _text("name", _("Group"), flex=1, minWidth=130),
            {"field": "count", "headerName": _("Members"), "width": 110, "type": "rightAligned"},
            _text("members", _("Who"), flex=3, minWidth=200),
        ],
        "grant": [
            _text("subject", _("Granted to"), flex=2, minWidth=140),
            _text("stations", _("Stations"), flex=2, minWidth=120),
            _text("sensors", _("Sensors"), flex=2, minWidth=120),
            _text("range", _("Range"), flex=2, minWidth=130),
            _text("limits", _("Limits"), flex=2, minWidth=150),
            _text("may", _("May"), width=200),
            _text("note", _("Note"), flex=2, minWidth=120),
        ],
        "key": [
            _text("owner", _("Owner"), width=130),
            _text("label", _("For"), flex=2, minWidth=140),
            _text("state", _("State"), width=110),
            _text("scopes", _("Scopes"), width=170),
            sorted_column("used", _("Last used"), width=160),
            sorted_column("expires", _("Ends"), width=150),
            sorted_column("created", _("Created"), width=150),
        ],
        "embed": [
            _text("owner", _("Owner"), width=130),
            _text("label", _("Chart"), flex=2, minWidth=180),
            _text("state", _("State"), width=110),
            _text("origin", _("Shown on"), flex=2, minWidth=180),
            _text("range", _("Range"), width=190),
            sorted_column("expires", _("Ends"), width=150),
            sorted_column("created", _("Created"), width=150),
        ],
        "audit": _audit_columns(),
    }


def _audit_columns() -> list[dict[str, Any]]:
    return [
        _text("time", _("Time"), width=216),
        _text("actor", _("Who"), width=110),
        _text("action", _("What"), width=170, cellClassRules={"audit-refused": "isRefused(params)"}),
        _text("subject", _("About"), flex=3, minWidth=280, wrapText=True, autoHeight=True),
        _text("via", _("Via"), width=130),
        _text("address", _("Address"), width=130),
    ]


def action_names() -> dict[Action, str]:
    """What each action of the audit log is called."""
    return {
        "load": _("Load"),
        "export": _("Export"),
        "embed_made": _("Chart embedded"),
        "embed_revoked": _("Embedded chart revoked"),
        "embed_viewed": _("Embedded chart viewed"),
        "view_saved": _("View saved"),
        "formula_saved": _("Formula saved"),
        "formula_removed": _("Formula removed"),
        "schedule_added": _("Schedule added"),
        "schedule_removed": _("Schedule removed"),
        "report_sent": _("Report sent"),
        "alarm_added": _("Alarm added"),
        "alarm_changed": _("Alarm changed"),
        "alarm_removed": _("Alarm removed"),
        "alarm_fired": _("Alarm fired"),
        "alarm_resolved": _("Alarm over"),
        "alarm_acknowledged": _("Alarm acknowledged"),
        "alarm_sent": _("Mail about alarms sent"),
        "note_added": _("Note added"),
        "note_changed": _("Note changed"),
        "note_removed": _("Note removed"),
        "notes_imported": _("Notes imported"),
        "view_removed": _("Saved view removed"),
        "decision_made": _("Decision made"),
        "decision_undone": _("Decision undone"),
        "decisions_imported": _("Decisions imported"),
        "limits_changed": _("Limits changed"),
        "refused": _("Refused"),
        "login": _("Signed in"),
        "logout": _("Signed out"),
        "password": _("Password changed"),
        "session_ended": _("Session ended"),
        "unlocked": _("Wait lifted"),
        "key_made": _("Key created"),
        "key_used": _("Key first used"),
        "key_revoked": _("Key revoked"),
        "user_added": _("User added"),
        "user_changed": _("User changed"),
        "user_removed": _("User removed"),
        "group_joined": _("Joined a group"),
        "group_left": _("Left a group"),
        "grant_added": _("Grant added"),
        "grant_removed": _("Grant removed"),
        "rejected_replayed": _("Rejected item replayed"),
        "rejected_removed": _("Rejected item removed"),
        "pruned": _("Old entries removed"),
    }


def _text(field: str, name: str, **more: Any) -> dict[str, Any]:
    return {"field": field, "headerName": name, "tooltipField": field, **more}
