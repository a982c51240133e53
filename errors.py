"""The one exception tree of Riwayat.

Every error that a user may meet is a :class:`RiwayatError`. Its ``template`` is the English
sentence (a gettext message id) with named ``{fields}``; ``params`` fill them. A template says what
was wrong, where, and what to do. Each kind says in its class statement in what it differs from its
base: ``code`` is stable and goes to the API and the ledger; ``retryable`` tells the queue whether
trying again may help.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from escaping import visible


def shown_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """What fills a sentence; names in it are shown, whatever is in them."""
    return {name: visible(value, keep="\n") if isinstance(value, str) else value for name, value in params.items()}


class RiwayatError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init_subclass__(cls, *, code: str, http_status: int | None = None, retryable: bool | None = None) -> None:
        """Take what a kind of error differs in; the rest is as of the kind that it belongs to."""
        super().__init_subclass__()
        cls.code = code
        cls.http_status = cls.http_status if http_status is None else http_status
        cls.retryable = cls.retryable if retryable is None else retryable

    def __init__(self, template: str | None = None, *, field: str | None = None, **params: Any) -> None:
        self.template = template or (self.__doc__ or self.code).strip().splitlines()[0]
        self.params = params
        self.field = field
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The English sentence with its parameters filled in."""
        return self.template.format(**shown_params(self.params)) if self.params else self.template


class ConfigurationError(RiwayatError, code="configuration"):
    """A setting is wrong."""


class InvalidRequest(RiwayatError, code="invalid_request", http_status=400):
    """The request is not valid."""


class UnknownStation(InvalidRequest, code="unknown_station"):
    """There is no such station."""


class UnknownSensor(InvalidRequest, code="unknown_sensor"):
    """There is no such sensor."""


class InvalidFormula(InvalidRequest, code="invalid_formula"):
    """The formula is not valid."""


class NoData(InvalidRequest, code="no_data"):
    """There is no data in this range."""


class NotLoaded(InvalidRequest, code="not_loaded"):
    """This needs readings that are not loaded."""

    def __init__(self, template: str | None = None, *, start_ms: int = 0, **params: Any) -> None:
        """Take from when on it would have to be loaded, int ms UTC."""
        super().__init__(template, **params)
        self.start_ms = start_ms


class TooLarge(InvalidRequest, code="too_large", http_status=413):
    """This is too much for one request."""


class UnknownHost(InvalidRequest, code="unknown_host"):
    """This site is not known by that host name."""


class UnsupportedMedia(InvalidRequest, code="unsupported_media_type", http_status=415):
    """Send JSON, with Content-Type: application/json."""


class NotAuthenticated(RiwayatError, code="not_authenticated", http_status=401):
    """Please sign in."""


class EmbedInvalid(NotAuthenticated, code="embed_invalid"):
    """The link to this chart is invalid; ask its owner for a new one."""


class EmbedExpired(NotAuthenticated, code="embed_expired"):
    """The link of this chart has expired; ask its owner for a new one."""


class EmbedRevoked(NotAuthenticated, code="embed_revoked"):
    """This chart is no longer shared; ask its owner."""


class NotPermitted(RiwayatError, code="not_permitted", http_status=403):
    """You do not have permission for this."""


class WrongPassword(NotAuthenticated, code="wrong_password"):
    """Name or password is wrong."""


class InvalidKey(NotAuthenticated, code="invalid_key"):
    """This key or token is not valid."""


class TooManyAttempts(RiwayatError, code="too_many_attempts", http_status=429):
    """Too many attempts; try again later."""

    def __init__(self, template: str | None = None, *, field: str | None = None, wait_s: int = 1, **params: Any) -> None:
        super().__init__(template, field=field, **params)
        self.wait_s = wait_s


class TooManyRequests(TooManyAttempts, code="too_many_requests"):
    """Too many requests."""


class OutOfScope(NotPermitted, code="scope"):
    """This key lacks the required scope."""


class ConfirmPassword(NotPermitted, code="confirm_password"):
    """Enter your password again to continue."""


class EmbedNotPermitted(NotPermitted, code="embed_not_permitted"):
    """The owner of this chart no longer has the right to share it."""


class CrossSite(NotPermitted, code="cross_site"):
    """Requests from other sites are not allowed."""


class NotFound(RiwayatError, code="not_found", http_status=404):
    """Not found."""


class JobNotFound(NotFound, code="job_not_found"):
    """There is no such job."""


class Conflict(RiwayatError, code="conflict", http_status=409):
    """Not possible in the current state."""


class DecidedMeanwhile(Conflict, code="decided_meanwhile"):
    """Others have decided about these readings meanwhile. Look at their decisions first."""

    def __init__(self, template: str | None = None, *, newer: Sequence[Any] = (), **params: Any) -> None:
        """Take these decisions, by number (of access/decisions/)."""
        super().__init__(template, **params)
        self.newer = tuple(newer)


class StaleAttempt(Conflict, code="stale_attempt"):
    """Another attempt at this job has started, so this one stops."""


class QueueFull(RiwayatError, code="queue_full", http_status=429):
    """The queue is full; try again later."""


class InboxFull(TooManyAttempts, code="inbox_full"):
    """More has arrived than can be stored at the moment. Send it again in a few seconds."""

    def __init__(self, template: str | None = None, *, wait_s: int = 5, **params: Any) -> None:
        super().__init__(template, wait_s=wait_s, **params)


class NoWorker(RiwayatError, code="no_worker", http_status=503, retryable=True):
    """No worker is running, so nothing can be loaded now."""


class TooManyListeners(RiwayatError, code="too_many_listeners", http_status=503):
    """Too many event streams are open. Poll the job instead."""


class Busy(RiwayatError, code="busy", http_status=503, retryable=True):
    """Too many downloads at the moment. Try again in a few seconds."""


class StillLoading(RiwayatError, code="loading", http_status=503, retryable=True):
    """These readings are being loaded. Ask for the same again in a few seconds."""


class LedgerUnavailable(RiwayatError, code="unavailable", http_status=503, retryable=True):
    """The database does not answer; try again later."""


class SourceError(RiwayatError, code="source"):
    """The database could not be read."""


class SourceUnavailable(SourceError, code="source_unavailable", http_status=503, retryable=True):
    """The database does not answer."""


class SourceMismatch(SourceError, code="source_mismatch"):
    """The table does not match its description."""


class JobTimeout(RiwayatError, code="timeout", retryable=True):
    """The load exceeded its time limit."""


class JobDied(RiwayatError, code="died", retryable=True):
    """The process running this load crashed."""


class DiskFull(RiwayatError, code="disk_full", http_status=507):
    """The disk of the tiles is full."""

    @staticmethod
    def is_meant_by(error: OSError) -> bool:
        """Return whether the disk, the user's part of it, or what one file may have is full."""
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StorageUnavailable(RiwayatError, code="storage_unavailable", http_status=503, retryable=True):
    """The object storage does not answer. Try again in a moment."""


class TileDamaged(RiwayatError, code="tile_damaged", retryable=True):
    """A tile on disk is damaged."""


class TilesRemoved(RiwayatError, code="tiles_removed", retryable=True):
    """This load's tiles were removed while it ran; RIWAYAT_TILE_BUDGET_GB may be too small."""


class PictureFailed(RiwayatError, code="picture", retryable=True):
    """The picture could not be drawn: {why}."""


class MailFailed(RiwayatError, code="mail_failed", retryable=True):
    """The mail server did not take the mail."""


class PrintFailed(RiwayatError, code="print_failed", retryable=True):
    """The report could not be printed."""


class RowsChanged(RiwayatError, code="rows_changed", retryable=True):
    """The rows changed while they were written to a file."""


class ImportRejected(RiwayatError, code="import_rejected", http_status=422):
    """The file cannot be imported."""


@contextmanager
def disk_errors(full: DiskFull, failed: Callable[[str], RiwayatError]) -> Iterator[None]:
    """Raise an OSError of what is done meanwhile as ``full`` where there is no room, and as
    ``failed``, which is told why, where it says anything else.
    """
    try:
        yield
    except OSError as exc:
        raise (full if DiskFull.is_meant_by(exc) else failed(exc.strerror or str(exc))) from exc


def os_error_sentence(error: OSError) -> str:
    """What the system refused, and for which file."""
    where = f"{os.fspath(error.filename)!s} cannot be used" if error.filename else "The system refuses something"
    return f"{where}: {error.strerror or error}."
