"""The one exception tree of Riwayat.

Every error that a user may meet is a :class:`RiwayatError`. Its ``template`` is the English sentence (a gettext
message id) with named ``{fields}``; ``params`` fill them. A template says what was wrong, where, and what to do.
``code`` is stable and goes to the API and the ledger; ``retryable`` tells the queue whether trying again may help.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar


class RiwayatError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, template: str | None = None, *, field: str | None = None, **params: Any) -> None:
        self.template = template or (self.__doc__ or self.code).strip().splitlines()[0]
        self.params = params
        self.field = field
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The English sentence with its parameters filled in."""
        return self.template.format(**self.params) if self.params else self.template


class ConfigurationError(RiwayatError):
    """A setting is wrong."""

    code = "configuration"


class InvalidRequest(RiwayatError):
    """The request is not valid."""

    code = "invalid_request"
    http_status = 400


class UnknownStation(InvalidRequest):
    """There is no such station."""

    code = "unknown_station"


class UnknownSensor(InvalidRequest):
    """There is no such sensor."""

    code = "unknown_sensor"


class NoData(InvalidRequest):
    """There is no data in this range."""

    code = "no_data"


class TooLarge(InvalidRequest):
    """This is more than can be answered at once."""

    code = "too_large"
    http_status = 413


class UnsupportedMedia(InvalidRequest):
    """Send JSON, with Content-Type: application/json."""

    code = "unsupported_media_type"
    http_status = 415


class NotAuthenticated(RiwayatError):
    """Please sign in."""

    code = "not_authenticated"
    http_status = 401


class EmbedInvalid(NotAuthenticated):
    """The link of this chart is not right; ask its owner for a new one."""

    code = "embed_invalid"


class EmbedExpired(NotAuthenticated):
    """The link of this chart has expired; ask its owner for a new one."""

    code = "embed_expired"


class EmbedRevoked(NotAuthenticated):
    """This chart is no longer shared; ask its owner."""

    code = "embed_revoked"


class NotPermitted(RiwayatError):
    """You have no permission for this."""

    code = "not_permitted"
    http_status = 403


class WrongPassword(NotAuthenticated):
    """Name or password is wrong."""

    code = "wrong_password"


class InvalidKey(NotAuthenticated):
    """This key or token is not valid."""

    code = "invalid_key"


class TooManyAttempts(RiwayatError):
    """Too many attempts; try again later."""

    code = "too_many_attempts"
    http_status = 429

    def __init__(self, template: str | None = None, *, field: str | None = None, wait_s: int = 1, **params: Any) -> None:
        super().__init__(template, field=field, **params)
        self.wait_s = wait_s


class TooManyRequests(TooManyAttempts):
    """Too many requests."""

    code = "too_many_requests"


class OutOfScope(NotPermitted):
    """The key is not for this."""

    code = "scope"


class EmbedNotPermitted(NotPermitted):
    """Whoever shared this chart may no longer show it; ask its owner."""

    code = "embed_not_permitted"


class CrossSite(NotPermitted):
    """A page of another site may not do this."""

    code = "cross_site"


class NotFound(RiwayatError):
    """There is no such thing here."""

    code = "not_found"
    http_status = 404


class JobNotFound(NotFound):
    """There is no such job."""

    code = "job_not_found"


class Conflict(RiwayatError):
    """The state forbids this."""

    code = "conflict"
    http_status = 409


class StaleAttempt(Conflict):
    """Another attempt at this job has begun; this one must stop."""

    code = "stale_attempt"


class QueueFull(RiwayatError):
    """The queue is full; try again later."""

    code = "queue_full"
    http_status = 429


class NoWorker(RiwayatError):
    """No worker is running, so nothing can be loaded now."""

    code = "no_worker"
    http_status = 503
    retryable = True


class TooManyListeners(RiwayatError):
    """Too many event streams are open; ask for the job itself from time to time instead."""

    code = "too_many_listeners"
    http_status = 503


class LedgerUnavailable(RiwayatError):
    """The database does not answer; try again later."""

    code = "unavailable"
    http_status = 503
    retryable = True


class SourceError(RiwayatError):
    """The database could not be read."""

    code = "source"


class SourceUnavailable(SourceError):
    """The database does not answer."""

    code = "source_unavailable"
    http_status = 503
    retryable = True


class SourceMismatch(SourceError):
    """The table does not look as it was described."""

    code = "source_mismatch"


class JobTimeout(RiwayatError):
    """The job took longer than it may."""

    code = "timeout"
    retryable = True


class JobDied(RiwayatError):
    """The process of the job ended without a word."""

    code = "died"
    retryable = True


class DiskFull(RiwayatError):
    """The disk of the tiles is full."""

    code = "disk_full"
    http_status = 507


class TileDamaged(RiwayatError):
    """A tile on disk is damaged."""

    code = "tile_damaged"
    retryable = True


class RowsChanged(RiwayatError):
    """The rows changed while they were written to a file."""

    code = "rows_changed"
    retryable = True


class ImportRejected(RiwayatError):
    """The file cannot be imported."""

    code = "import_rejected"
    http_status = 422


def os_error_sentence(error: OSError) -> str:
    """What the system refused, and for which file."""
    where = f"{os.fspath(error.filename)!s} cannot be used" if error.filename else "The system refuses something"
    return f"{where}: {error.strerror or error}."
