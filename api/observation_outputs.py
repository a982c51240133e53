"""What is answered to observations that programs send."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.outputs import _Out


class ObservationReceipt(_Out):
    """The observations are on the disk, and are stored soon after."""

    accepted: Annotated[int, Field(description="Observations of the request.")]
    left_out: Annotated[list[str], Field(description="Columns of a file that are no sensors of the catalogue.")]
    rejected: Annotated[dict[str, int], Field(description="Rows of a file that cannot be stored, by reason.")]
