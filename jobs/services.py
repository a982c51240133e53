"""What the web process has, made once by the application factory and
passed to callbacks and routes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from access.identity import Identity
from access.logins import Logins
from access.restricted_site import restricted_site
from access.store import AccessStore
from config import Settings
from data.site import Site
from errors import RiwayatError
from jobs.authorized import authorized_job
from jobs.job import Job
from jobs.ledger.ledger import Ledger


@dataclass(frozen=True)
class Services:
    """Settings, the data layer, the ledger of jobs, who may see what, who is asking,
    and a way to wake the worker.

    ``identify`` answers for the request in hand and raises NotAuthenticated or NotPermitted;
    ``must_prove`` says whether whoever asks must give the password again before they change what
    administrators do; ``logins`` is there where passwords are (AUTH=login); ``time_view`` measures
    a view.
    """

    settings: Settings
    site: Site
    ledger: Ledger
    access: AccessStore
    identify: Callable[[], Identity]
    wake: Callable[[], None]
    time_view: Callable[[str], AbstractContextManager[object]] = lambda _view: nullcontext()
    must_prove: Callable[[], bool] = lambda: False
    logins: Logins | None = None

    @property
    def prefix(self) -> str:
        """Return the path that the site's addresses begin with; it begins and ends with ``/``."""
        return self.settings.url_prefix

    def seen(self) -> Site:
        """Return the site restricted to the identity that asks;
        what lists and names things is asked of this one.
        """
        return restricted_site(self.site, self.identify().rights)

    def job(self, job_id: object) -> Job:
        """Return a job that the one who asks may see.

        Raises:
            JobNotFound, NotPermitted: as :func:`jobs.authorized.authorized_job`.
        """
        return authorized_job(self.ledger, self.identify(), job_id)

    def path(self, job_id: str, what: str = "") -> str:
        """Return the path in the API of a job, or of what it gives."""
        return f"{self.prefix}api/jobs/{quote(job_id)}{'/' + what if what else ''}"

    def note(self, error: RiwayatError, **where: Any) -> None:
        """Tell the audit log of an error that is shown in a page, if it is a refusal."""
        self.access.audit.note(error, **where)
