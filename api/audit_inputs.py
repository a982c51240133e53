"""What goes into the API of the audit log."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from access.audit.actions import ACTIONS
from api.inputs import GivenQuery, Name

MOST_ENTRIES = 1_000  # of one page of the audit log


class AuditQuery(GivenQuery):
    """Which entries of the audit log, and as what."""

    actor: Annotated[Name | None, Field(description="Only what this user did, or embed:ID.")] = None
    action: Annotated[str | None, Field(json_schema_extra={"enum": list(ACTIONS)}, description="Only what was this.")] = None
    start: Annotated[
        str | None,
        StringConstraints(max_length=64),
        Field(alias="from", description="From this time on: ISO 8601, without an offset in the site's zone."),
    ] = None
    end: Annotated[str | None, StringConstraints(max_length=64), Field(alias="to", description="Before this time: as from.")] = (
        None
    )
    limit: Annotated[int, Field(ge=1, le=MOST_ENTRIES, description="At most so many; a file has all.")] = 100
    before: Annotated[int | None, Field(ge=0, lt=2**63, description="Only entries older than the one of this number.")] = None
    format: Annotated[Literal["json", "csv"], Field(description="A page as JSON, or all entries as a file.")] = "json"
