"""``POST /api/observations``: observations of programs, as JSON, CSV or Parquet."""

from __future__ import annotations

import tempfile
from datetime import tzinfo
from pathlib import Path
from typing import Final

import numpy as np
from flask import Response, jsonify, request
from pydantic import ValidationError

from api.arriving import Inbox
from api.jobs import ApiServices
from api.observation_inputs import NewObservations
from api.observation_outputs import ObservationReceipt
from api.operations import Answer, Api
from data.inbox.arrivals import Arrivals
from data.inbox.files import SentFile, read_sent_file
from data.inbox.items import arrivals_of_items, times_of
from data.ingest.file_plan import ImportOptions
from data.time.zones import zone_of
from errors import ImportRejected, InvalidRequest, UnknownSensor

_JSON: Final = "application/json"
_ENDINGS: Final = {"text/csv": ".csv", "application/vnd.apache.parquet": ".parquet"}


def add_observation_route(api: Api, services: ApiServices, inbox: Inbox) -> None:
    """Add the route."""
    answers = {202: Answer("Kept on the disk; stored soon after.", ObservationReceipt)}
    takes = {_JSON: NewObservations, **dict.fromkeys(_ENDINGS)}

    @api.post("/api/observations", answers, 400, 422, 429, 507, scope="ingest", takes=takes)
    def create_observations() -> Response:
        """Store observations.

        JSON, or a file as manage.py import reads it without a profile: CSV or Parquet with the
        columns timestamp_utc, station and sensors. What was answered with 202 is kept, whatever
        happens; sending it again changes nothing. Where anything is wrong nothing is kept.
        """
        if request.mimetype == _JSON:
            sent = SentFile(_of_json(services, inbox), (), {})
        else:
            sent = _of_file(services, _ENDINGS[request.mimetype])
        inbox.accept(services.identify(), sent.arrivals)
        answer = jsonify(accepted=len(sent.arrivals), left_out=sent.left_out, rejected=sent.rejected)
        answer.status_code = 202
        return answer


def _of_json(services: ApiServices, inbox: Inbox) -> Arrivals:
    try:
        body = NewObservations.model_validate_json(request.get_data(cache=False))
    except ValidationError as exc:
        first = exc.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or None
        raise InvalidRequest(
            "The field {name} is not valid: {reason}.", field=place, name=place or "", reason=first["msg"][:200]
        ) from exc
    items = body.observations
    values = [item.__pydantic_extra__ for item in items]
    if unknown := inbox.unknown({name for item in values for name in item}):
        known = ", ".join(sensor.name for sensor in services.site.catalogue.measured)
        raise UnknownSensor(
            "There is no measured sensor {sensor}; there are {known}.", field="observations", sensor=repr(unknown[0]), known=known
        )
    stations = [item.station for item in items]
    zone = _zone(body.timezone or services.settings.timezone)
    times, wrong = times_of([item.time for item in items], stations, zone)
    if len(wrong):
        place = f"observations.{wrong[0]}.time"
        raise InvalidRequest(
            "The field {name} is not a time such as 2019-03-31T14:30:00Z, or a time that clocks skipped: {text}.",
            field=place,
            name=place,
            text=repr(items[int(wrong[0])].time),
        )
    return arrivals_of_items(stations, np.asarray(times, np.int64), values)


def _zone(name: str) -> tzinfo:
    try:
        return zone_of(name)
    except ValueError as exc:
        raise InvalidRequest(
            "There is no time zone {name}; use one such as Asia/Jakarta.", field="timezone", name=repr(name)
        ) from exc


def _of_file(services: ApiServices, ending: str) -> SentFile:
    with tempfile.TemporaryDirectory(prefix="riwayat-") as folder:
        path = Path(folder) / f"body{ending}"
        path.write_bytes(request.get_data(cache=False))
        try:
            return read_sent_file(path, services.site.catalogue, ImportOptions(site_timezone=services.settings.timezone))
        except ImportRejected as exc:
            raise ImportRejected(exc.message.replace(str(path), "body")) from exc
