"""Removing schedules within a transaction of the caller's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select

from access.audit.log import write_entry
from access.tables import report_run, report_schedule


def delete_schedules(connection: Connection, which: ColumnElement[bool]) -> int:
    """Delete the schedules that a condition names, with what is known of their periods, and tell
    the audit log of each; return how many there were.
    """
    rows = connection.execute(select(report_schedule).where(which).order_by(report_schedule.c.id)).all()
    for row in rows:
        connection.execute(delete(report_schedule).where(report_schedule.c.id == row.id))
        connection.execute(delete(report_run).where(report_run.c.schedule == row.id))
        write_entry(connection, "schedule_removed", schedule_subject(row._asdict()))
    return len(rows)


def schedule_subject(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit log says of a row of ``report_schedule``."""
    told = {name: values[name] for name in ("owner", "name", "every", "format", "folder")}
    return {"schedule": values["id"], **told, "recipients": json.loads(values["recipients"])}
