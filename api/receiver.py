"""``POST /api/aws/receiver``: observations as station gateways post them to the older dashboard,
answered in its words.
"""

from __future__ import annotations

import time
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from flask import Response, jsonify, request
from pydantic import ValidationError

from api.arriving import Inbox, refuse_other_stations
from api.jobs import ApiServices
from api.operations import Answer, Api
from api.receiver_inputs import MOST_ERRORS, ReceiverBody, ReceiverItem, receiver_errors
from api.receiver_outputs import Accepted, Refused
from data.inbox.items import Values, arrivals_of_items, times_of

_LARGE: Final = 5_000  # items; its name for the queue of more
_SENSORS: Final = frozenset(ReceiverItem.model_fields) - {"station", "time"}
_MOST_NAMED: Final = 20
_ROWS_A_SECOND: Final = 20_000  # that are stored, for an estimate


def add_receiver_route(api: Api, services: ApiServices, inbox: Inbox) -> None:
    """Add the route."""
    answers = {202: Answer("Kept on the disk; stored soon after.", Accepted), 422: Answer("What is wrong, by field.", Refused)}

    @api.post("/api/aws/receiver", answers, 429, 507, scope="ingest", takes={"application/json": ReceiverBody})
    def receive_observations() -> Response:
        """Store observations of stations.

        What was answered with 202 is kept, whatever happens; sending it again changes nothing. An
        item sets the sensors that it names; null removes a value. Sensors that the catalogue lacks
        are left out and told in ``note``; keys that begin with an underscore are ignored.
        """
        began = time.perf_counter()
        try:
            body = ReceiverBody.model_validate_json(request.get_data(cache=False))
        except ValidationError as exc:
            return _refused(receiver_errors(exc))
        items = body.items
        stations = [item.station for item in items]
        refuse_other_stations(services.identify(), dict.fromkeys(stations))
        times, wrong = times_of([item.time for item in items], stations, ZoneInfo(services.settings.timezone))
        errors = {
            f"DataArray.{row}._terminalTime": [f"The DataArray.{row}._terminalTime field must be a valid date."]
            for row in wrong[:MOST_ERRORS].tolist()
        }
        unknown = inbox.unknown({name for item in items for name in (item.model_extra or {}) if not name.startswith("_")})
        values = [_values(row, item, unknown, errors) for row, item in enumerate(items)]
        if errors:
            return _refused(errors)
        inbox.accept(services.identify(), arrivals_of_items(stations, np.asarray(times, np.int64), values))
        return _accepted(len(items), unknown, began)


def _values(row: int, item: ReceiverItem, unknown: list[str], errors: dict[str, list[str]]) -> Values:
    """Return what an item says of sensors; adds to ``errors`` what is no number."""
    found: dict[str, float | None] = {name: vars(item)[name] for name in item.model_fields_set & _SENSORS}
    for name, value in (item.model_extra or {}).items():
        if name.startswith("_") or name in unknown:
            continue
        number = _number(value)
        if number is None and value is not None:
            if len(errors) < MOST_ERRORS:
                field = f"DataArray.{row}.{name}"
                errors[field] = [f"The {field} field must be a number."]
            continue
        found[name] = number
    return found


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if np.isfinite(number) else None


def _accepted(count: int, unknown: list[str], began: float) -> Response:
    note = "Sending the same observations again changes nothing."
    if unknown:
        named = ", ".join(name[:40] for name in unknown[:_MOST_NAMED])
        note = f"Not in the catalogue, so left out: {named}{', …' if len(unknown) > _MOST_NAMED else ''}. {note}"
    answer = jsonify(
        status="accepted",
        message="Data accepted and queued for processing.",
        data_count=count,
        queue="scada-large-datasets" if count >= _LARGE else "scada-processing",
        response_time_ms=round((time.perf_counter() - began) * 1000, 2),
        estimated_processing_time=f"{max(1, round(count / _ROWS_A_SECOND))} seconds",
        note=note,
    )
    answer.status_code = 202
    return answer


def _refused(errors: dict[str, list[str]]) -> Response:
    answer = jsonify(status="error", message="Data validation failed", errors=errors)
    answer.status_code = 422
    return answer
