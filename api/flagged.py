"""Why readings of a job's window are flagged, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from flask import Response, jsonify
from pydantic import Field

from analysis.question import check_asked
from api.data import asked_window, refuse_part
from api.inputs import FlagsThatCount
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.outputs import Time, _Out
from api.window_inputs import WindowQuery
from data.decision import DecisionKind
from data.flag_choice import USUAL_FLAGS
from data.range_rows import open_observations
from data.sensor import Sensor
from data.time.months import iso_utc, iso_utc_or_none
from data.view.flagged_stretches import FlaggedStretch, flagged_stretches
from errors import TooLarge
from figures.job_window import JobWindow

MOST_READINGS: Final = 5_000_000  # that are read for an answer: 20 ms a million
MOST_STRETCHES: Final = 1_000  # of a series that are listed


class FlaggedQuery(WindowQuery):
    """A window, and which flags of rules count."""

    flags: FlagsThatCount = USUAL_FLAGS


class FlagDecision(_Out):
    """The decision that says so."""

    number: int
    kind: DecisionKind


class FlaggedRows(_Out):
    """Readings that are flagged for the same reason."""

    rule: Annotated[str, Field(description="Of docs/quality.md; hand: by a person, for no rule.")]
    severity: Literal["hard", "suspect"]
    left_out: Annotated[bool, Field(description="Of line, statistics and analyses, by the choice of flags.")]
    start: Annotated[Time, Field(alias="from", description="Stamp of the first reading in the window.")]
    end: Annotated[Time, Field(alias="to", description="Stamp of the last one, included.")]
    rows: int
    least: float
    greatest: float
    limit: Annotated[float | None, Field(description="That they break; null where there is none, or it is not known.")]
    unit: Annotated[str, Field(description="Of the limit.")]
    since: Annotated[Time | None, Field(description="Stamp with which they begin, also before the window; null: not known.")]
    decision: FlagDecision | None


class FlaggedSeries(_Out):
    """A series and its stretches, by time."""

    station: str
    sensor: str
    unit: str
    stretches: list[FlaggedRows]
    stretches_in_all: int


class Flagged(_Out):
    """Why readings of a window are flagged."""

    job: str
    start: Annotated[Time, Field(alias="from")]
    end: Annotated[Time, Field(alias="to")]
    unchecked: Annotated[list[str], Field(description="Months (UTC) whose flags of rules are not made.")]
    series: list[FlaggedSeries]


def add_flagged_routes(api: Api, services: ApiServices) -> None:
    """``/api/jobs/ID/flags``."""

    @api.get(
        "/api/jobs/<job_id>/flags",
        {200: Answer("Stretches of flagged readings.", Flagged)},
        400,
        404,
        409,
        413,
        scope="read",
        query=FlaggedQuery,
    )
    def get_flagged(job_id: str, query: FlaggedQuery) -> Response:
        """Say of flagged readings of a window by which rule, which limit, since when and by whom.

        A window of five million readings at most is answered, and of each series up to a thousand
        stretches.
        """
        asked = asked_window(services, job_id, query)
        check_asked(asked.site, asked.job.request.timezone)
        refuse_part(asked.site, asked.job)
        _refuse_too_many(asked)
        series = [_series(asked, station, name) for station, name in asked.job.request.series]
        start, end = map(iso_utc, asked.span)
        return jsonify({"job": asked.job.id, "from": start, "to": end, "unchecked": asked.unchecked(), "series": series})


def _refuse_too_many(asked: JobWindow) -> None:
    request = asked.job.request
    rows = sum(open_observations(asked.site, request, *key, asked.span).rows for key in request.series)
    if rows > MOST_READINGS:
        raise TooLarge(
            "This window holds {rows} readings, of which {most} are looked at at once. Choose a shorter window.",
            field="from",
            rows=f"{rows:,}",
            most=f"{MOST_READINGS:,}",
        )


def _series(asked: JobWindow, station: str, name: str) -> dict[str, Any]:
    sensor, found = asked.site.catalogue[name], flagged_stretches(asked.site, asked.job.request, station, name, asked.span)
    listed = [_stretch(each, sensor) for each in found[:MOST_STRETCHES]]
    return {"station": station, "sensor": name, "unit": sensor.unit, "stretches": listed, "stretches_in_all": len(found)}


def _stretch(each: FlaggedStretch, sensor: Sensor) -> dict[str, Any]:
    reason = each.reason
    return {
        "rule": reason.rule,
        "severity": "hard" if reason.hard else "suspect",
        "left_out": each.left_out,
        "from": iso_utc(each.start_ms),
        "to": iso_utc(each.end_ms),
        "rows": each.rows,
        "least": each.least,
        "greatest": each.greatest,
        "limit": reason.limit,
        "unit": "h" if reason.rule == "stuck" else sensor.unit,
        "since": iso_utc_or_none(reason.since_ms),
        "decision": reason.decision and {"number": reason.decision, "kind": reason.kind},
    }
