"""What processes of this host put into the inbox: they wait while it is full."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from data.inbox.arrivals import Arrivals, joined_arrivals
from data.inbox.rejected_items import RejectedItem, RejectedItems
from data.inbox.spool import Spool
from errors import RiwayatError

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Posting:
    """``wake`` tells who stores that there is something."""

    spool: Spool
    rejected: RejectedItems
    wake: Callable[[], None]

    def post(self, arrivals: Sequence[Arrivals], rejected: Sequence[RejectedItem], stopping: threading.Event) -> bool:
        """Keep observations and what could not be read; returns whether all of it is on the disk.
        While the inbox or the disk is full it waits, until ``stopping`` is set.
        """
        pause_s = _FIRST_PAUSE_S
        some = [each for each in arrivals if len(each)]
        while True:
            try:
                if some:
                    self.spool.put(joined_arrivals(some))
                    self.wake()
                break
            except RiwayatError as exc:
                log.error("what arrived cannot be kept yet; trying again", why=exc.message, seconds=pause_s)
                if stopping.wait(pause_s):
                    return False
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
        if dropped := self.rejected.add(rejected):
            log.error("too much was rejected; the oldest items were dropped", items=dropped)
        return True
