"""A decision and the job that applies it to its months: for page, API and command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.exc import SQLAlchemyError

from access.decisions.deciding import decide, undo
from access.decisions.decision_checks import reviewed_span
from access.decisions.made_decision import MadeDecision
from access.grants import Purpose
from access.identity import Identity
from access.store import AccessStore
from data.decision import Decision
from data.overlay import with_derived
from data.request import HistoryRequest
from data.site import Site
from data.time.epoch import EARLIEST_MS, LATEST_MS
from data.time.months import month_start_ms, months_between
from errors import RiwayatError
from jobs.job import Job
from jobs.ledger.ledger import Ledger
from jobs.start import start_job

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Decided:
    """A decision that was made or undone, and the job that applies it; None where none could be
    started: then the next load of its months does.
    """

    made: MadeDecision
    job: Job | None


@dataclass(frozen=True)
class Reviewing:
    """What deciding needs; ``wake`` wakes a worker."""

    site: Site
    ledger: Ledger
    access: AccessStore
    identity: Identity
    wake: Callable[[], None]

    def decide(self, draft: Decision, reason: str = "", *, seen: int | None = None) -> Decided:
        """Decide, and start the job; raises as :func:`access.decisions.deciding.decide`."""
        return self._applied(decide(self.access, self.site, self.identity, draft, reason, seen=seen))

    def undo(self, number: int, *, seen: int | None = None) -> Decided:
        """Undo, and start the job; raises as :func:`access.decisions.deciding.undo`."""
        return self._applied(undo(self.access, self.identity, number, seen=seen))

    def _applied(self, made: MadeDecision) -> Decided:
        """What is decided stays decided, also where nothing can be loaded now."""
        try:
            job = start_job(self.site, self.ledger, self.identity, self._loaded(made), self.wake, anew=True, must_flag=True)
        except (RiwayatError, SQLAlchemyError) as exc:
            log.warning("no job applies a decision", decision=made.decision.number, reason=str(exc))
            return Decided(made, None)
        return Decided(made, job)

    def _loaded(self, made: MadeDecision) -> HistoryRequest:
        """Return the request that applies a decision: whole months where these are granted, so that
        one job applies many decisions of a month, with derived sensors that are made of it.
        """
        exact = reviewed_span(made.decision)
        months = months_between(exact.start_ms, exact.end_ms)
        start_ms, end_ms = month_start_ms(months[0]), month_start_ms(months[-1] + 1)
        if start_ms < EARLIEST_MS or end_ms > LATEST_MS:
            return exact
        whole = replace(exact, start_ms=start_ms, end_ms=end_ms)
        wanted = (with_derived(self.site, whole), whole)
        return next((each for each in wanted if self.identity.rights.allows(each, Purpose.LOAD)), exact)
