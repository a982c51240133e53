"""What comes out of the routes of rejected items, as the document shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.outputs import Time, _Out


class RejectedAnswer(_Out):
    """Something that arrived and could not be taken."""

    id: str
    source: Annotated[str, Field(description="The file or topic that it came from.")]
    since: Time
    why: str
    header: Annotated[str, Field(description="The lines that name its columns, of a message that was no JSON empty.")]
    lines: Annotated[str, Field(description="What came, from its beginning.")]
    bytes: Annotated[int, Field(description="How long all of it is.")]


class RejectedList(_Out):
    """Rejected items, the newest first."""

    rejected: list[RejectedAnswer]
    count: Annotated[int, Field(description="How many there are.")]


class ReplayReceipt(_Out):
    """What became of an item."""

    observations: Annotated[int, Field(description="How many are on the disk now, and stored soon after.")]
    left: Annotated[int, Field(description="Items that are left of it, with what still cannot be read.")]
