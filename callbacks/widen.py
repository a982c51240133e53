"""Load from an earlier time on what a view lacks, and come back to that view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from access.identity import Identity
from access.restricted_site import widened_to_buckets
from callbacks.selection import Selection
from callbacks.submit import show_begun, start_load, was_pressed
from data.request import HistoryRequest
from data.time.epoch import EARLIEST_MS
from data.time.months import iso_utc
from data.view.window import clip_window
from errors import InvalidRequest
from jobs.authorized import authorized_job
from jobs.job import Job
from jobs.services import Services
from layouts import ids
from layouts.notices import Notice
from layouts.nowhere import widen_id


def register(app: Dash, services: Services) -> None:
    """Add the callback of the button; the address leads to the new job (callbacks/arrival.py)."""

    @app.callback(
        Output(ids.URL, "search", allow_duplicate=True),
        Output(ids.ALERT, "children", allow_duplicate=True),
        Input(widen_id(ALL), "n_clicks"),
        State(ids.JOB_ID, "data"),
        State(ids.CHART_DRAWN, "data"),
        prevent_initial_call=True,
    )
    def widen(_clicks: Sequence[int], job_id: Any, drawn: Any) -> tuple[Any, Any]:
        return widened(services, job_id, ctx.triggered_id["start"], drawn) if was_pressed() else (no_update, no_update)


def widened(services: Services, job_id: object, start: object, drawn: object) -> tuple[Any, Any]:
    """Return the query of the address and the alert after an attempt to load a job's request from
    ``start`` (ms UTC) on; ``drawn`` is what the page shows: job, window, view, options.
    """
    shown: dict[str, str] = {}

    def begin(identity: Identity) -> Job | Notice:
        job = authorized_job(services.ledger, identity, job_id)
        shown.update(_shown(job, drawn))
        return start_load(services, identity, widened_to_buckets(identity.rights, _from(job.request, start)))

    begun, _search, notice = show_begun(services, job_id, begin)
    return (no_update if begun is no_update else f"?{urlencode({'job': begun, **shown})}"), notice


def _from(request: HistoryRequest, start: object) -> HistoryRequest:
    if not isinstance(start, int) or isinstance(start, bool) or not EARLIEST_MS <= start < request.start_ms:
        raise InvalidRequest("There is no such range.", field="start")
    return replace(request, start_ms=start)


def _shown(job: Job, drawn: object) -> dict[str, str]:
    """What the address names of the window and the view that are drawn of a job."""
    known = drawn if isinstance(drawn, dict) and drawn.get("job") == job.id else {}
    start, end = clip_window(job.request, known.get("start"), known.get("end"))
    selection = Selection().with_view(known.get("view"), known.get("options"))
    return {"from": iso_utc(start), "to": iso_utc(end), "view": selection.view, **selection.options}
