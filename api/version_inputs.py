"""What a version is asked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.inputs import MOST_NAMES, GivenQuery, Name


class VersionQuery(GivenQuery):
    """Which stations."""

    station: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, description="May be repeated.", examples=[["JFK"]])]
