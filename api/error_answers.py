"""The one shape of errors, as ``Error`` of api/outputs.py has it: code, message, field."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from flask import Response, jsonify
from werkzeug.exceptions import HTTPException

from errors import RiwayatError
from i18n import translate_error

RETRY_AFTER_S: Final = 5  # when a queue is full or a database is away


def error_json(error: RiwayatError, timezone: str | None = None) -> Response:
    """The one shape of errors; times in their sentences are shown in ``timezone``."""
    body = jsonify(error={"code": error.code, "message": translate_error(error, timezone), "field": error.field})
    body.status_code = error.http_status
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        body.headers["WWW-Authenticate"] = "Bearer"  # no browser asks for a password by this
    return say_when_again(body, error)


def say_when_again(answer: Response, error: RiwayatError) -> Response:
    """Say when to ask again, where that may help."""
    if error.http_status in (429, 503):
        answer.headers["Retry-After"] = str(getattr(error, "wait_s", RETRY_AFTER_S))
    return answer


def http_error_json(error: HTTPException) -> Response:
    """The same shape for what Flask itself refuses."""
    body = jsonify(error={"code": (error.name or "error").lower().replace(" ", "_"), "message": error.description, "field": None})
    body.status_code = error.code or 500
    for name, value in error.get_headers():
        if name != "Content-Type":
            body.headers[name] = value  # Allow, Retry-After
    return body
