"""Removing alarms within a transaction of the caller's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select

from access.audit.log import write_entry
from access.tables import alarm_event, alarm_message, alarm_rule, alarm_state


def delete_alarms(connection: Connection, which: ColumnElement[bool]) -> int:
    """Delete the rules that a condition names with what is known of them, mails that were not sent
    included, and tell the audit log of each; return how many there were.
    """
    rows = connection.execute(select(alarm_rule).where(which).order_by(alarm_rule.c.id).with_for_update()).all()
    for row in rows:
        connection.execute(delete(alarm_rule).where(alarm_rule.c.id == row.id))
        for table in (alarm_state, alarm_event, alarm_message):
            connection.execute(delete(table).where(table.c.rule == row.id))
        write_entry(connection, "alarm_removed", alarm_subject(row._asdict()))
    return len(rows)


def alarm_subject(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit log says of a row of ``alarm_rule``."""
    told = {name: values[name] for name in ("owner", "name", "sensor", "quiet")}
    lists = {name: json.loads(values[name]) for name in ("stations", "recipients")}
    return {"alarm": values["id"], **told, **lists, "holds": json.loads(values["holds"])}
