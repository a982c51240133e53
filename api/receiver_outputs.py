"""What the receiver answers, as the older dashboard does."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.outputs import _Out


class Accepted(_Out):
    """The delivery is on the disk."""

    status: Literal["accepted"]
    message: str
    data_count: Annotated[int, Field(description="Items of the request.")]
    queue: Literal["scada-processing", "scada-large-datasets"]
    response_time_ms: float
    estimated_processing_time: str
    note: str


class Refused(_Out):
    """Nothing was kept."""

    status: Literal["error"]
    message: str
    errors: Annotated[dict[str, list[str]], Field(description="What is wrong by field, such as DataArray.0.temperature.")]
