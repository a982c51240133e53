"""What the routes of rejected items take."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from api.inputs import GivenBody, GivenQuery

MOST_CHARACTERS = 60_000  # of an item that is replayed while somebody waits


class RejectedQuery(GivenQuery):
    """How many rejected items."""

    limit: Annotated[int, Field(ge=1, le=1000, description="The newest, at most so many.")] = 100


class Replaying(GivenBody):
    """What is replayed."""

    lines: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=MOST_CHARACTERS)] | None,
        Field(description="In place of the item's own lines: mended ones; null: its own."),
    ] = None
