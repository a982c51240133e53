"""A response body whose permission is checked again while it is sent,
and that is broken off when it was revoked.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from errors import LedgerUnavailable, RiwayatError

CHECK_S: Final = 1.0  # rights are asked so often at most
AWAY_S: Final = 30.0  # a database that is away for a moment ends no download
SLICE_BYTES: Final = 1 << 20  # a slow reader of a large piece is asked about within it

log = structlog.get_logger(__name__)

Pieces = Iterable[bytes]


class RevocableStream(Iterator[bytes]):
    """Pieces of a body, cut into slices; before one goes out,
    ``permit`` raises when it may not any more.

    ``refused`` is told of that error and how many bytes went out. Then the connection is broken
    off: a body that ends in order looks whole. ``clock_s`` is monotonic.

    Raises:
        ConnectionResetError: for the server, which closes the
            connection without the end of the body.
    """

    def __init__(
        self,
        pieces: Pieces,
        permit: Callable[[], object],
        refused: Callable[[RiwayatError, int], object],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pieces = pieces
        self._slices = _sliced(pieces)
        self._permit = permit
        self._refused = refused
        self._clock_s = clock_s
        self._asked_s = self._answered_s = clock_s()  # the caller has asked just now
        self._sent_bytes = 0

    def __next__(self) -> bytes:
        piece = next(self._slices)  # may take its time, so that rights are asked after it
        if self._clock_s() - self._asked_s >= CHECK_S:
            self._check_rights()
        self._sent_bytes += len(piece)
        return piece

    def close(self) -> None:
        """Close what the pieces come from."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()

    def _check_rights(self) -> None:
        try:
            self._permit()
        except (SQLAlchemyError, LedgerUnavailable) as error:
            self._tolerate_outage(error)
        except RiwayatError as error:
            self._refused(error, self._sent_bytes)
            raise ConnectionResetError(errno.ECONNRESET, error.message) from error
        else:
            self._answered_s = self._clock_s()
        self._asked_s = self._clock_s()

    def _tolerate_outage(self, error: Exception) -> None:
        """Go on while the database of rights is away, but for ``AWAY_S`` only."""
        if self._clock_s() - self._answered_s >= AWAY_S:
            log.error("a download is broken off, for nobody can say whether it is still permitted", error=str(error))
            raise ConnectionResetError(errno.ECONNRESET, "it is not known whether this is still permitted") from error


def _sliced(pieces: Pieces) -> Iterator[bytes]:
    for piece in pieces:
        for begin in range(0, len(piece), SLICE_BYTES):
            yield piece[begin : begin + SLICE_BYTES]
