"""What every callback needs, made once a process by the application factory and passed in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from access.identity import Identity
from access.seen import seen_by
from access.store import AccessStore
from config import Settings
from data.site import Site
from errors import RiwayatError
from jobs.ledger import Ledger


@dataclass(frozen=True)
class Services:
    """Settings, the data layer, the ledger of jobs, who may see what, who is asking, and a way to wake the worker.

    ``identify`` answers for the request in hand and raises NotAuthenticated or NotPermitted; ``time_view`` measures a view.
    """

    settings: Settings
    site: Site
    ledger: Ledger
    access: AccessStore
    identify: Callable[[], Identity]
    wake: Callable[[], None]
    time_view: Callable[[str], AbstractContextManager[object]] = lambda _view: nullcontext()

    def seen(self) -> Site:
        """The site as whoever is asking sees it; what lists and names things is asked of this one."""
        return seen_by(self.site, self.identify().rights)

    def note(self, error: RiwayatError, **where: Any) -> None:
        """Tell the audit log of an error that a callback shows, if it is a refusal."""
        self.access.audit.note(error, **where)
