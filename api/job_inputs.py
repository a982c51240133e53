"""What goes into the API of jobs: which history to load, and which jobs to list."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from api.inputs import GivenQuery, GivenSelection, GivenTime, Switch
from jobs.job import Status

MOST_JOBS = 200  # of one page of the list


class NewJob(GivenSelection):
    """A history to load: stations × sensors × [start, end)."""

    start: GivenTime
    end: Annotated[GivenTime, Field(examples=["2013-08-01"])]
    timezone: Annotated[
        str | None,
        StringConstraints(max_length=64),
        Field(
            description="IANA name of the zone of the request; default: the stations' own where they share one, or the site's."
        ),
    ] = None


class JobsQuery(GivenQuery):
    """Which jobs."""

    status: Annotated[Status | None, Field(description="Only jobs of this status.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_JOBS, description="At most so many.")] = 50
    before: Annotated[str | None, Field(description="Only jobs that are older than the job of this id.")] = None
    all: Annotated[Switch, Field(description="Everybody's jobs; administrators only.")] = False
