"""Rejected items into the inbox, by the profile or mapping as it is now."""

from __future__ import annotations

from dataclasses import dataclass, replace

from config import Settings
from data.catalogue import Catalogue
from data.inbox.arrivals import joined_arrivals
from data.inbox.reading_again import read_again
from data.inbox.rejected_items import RejectedItem, RejectedItems
from errors import ImportRejected, NotFound
from jobs.receiving import open_spool
from jobs.worker.wake import wake


@dataclass(frozen=True)
class Replayed:
    """How many observations are in the inbox now, and how many items are left of what was one."""

    source: str
    observations: int
    left: int


def find_rejected(settings: Settings, item_id: str) -> RejectedItem:
    """Return a rejected item.

    Raises:
        NotFound: there is none.
    """
    found = RejectedItems(settings.inbox_path).find(item_id)
    if found is None:
        raise no_rejected_item(item_id)
    return found


def no_rejected_item(item_id: str) -> NotFound:
    """Return the error that there is no such item."""
    return NotFound("There is no rejected item {name}.", name=item_id[:40])


def replay(settings: Settings, catalogue: Catalogue, item_id: str, lines: str | None = None) -> Replayed:
    """Take what can be read of a rejected item, or of ``lines`` in place of its own. What still
    cannot be stays as items; where that is all of it, nothing changes.

    Raises:
        NotFound: there is none.
        ImportRejected: none of it can be read, with why.
        ConfigurationError: its profile or mapping is gone, or wrong.
        InboxFull, DiskFull, RiwayatError: as :meth:`data.inbox.spool.Spool.put`.
    """
    rejected = RejectedItems(settings.inbox_path)
    item = find_rejected(settings, item_id)
    mended = item if lines is None else replace(item, lines=lines.encode())
    arrivals, left = read_again(mended, catalogue, settings.timezone)
    some = [each for each in arrivals if len(each)]
    if left and not some:
        raise ImportRejected("It still cannot be read: {why}", why=left[0].why)
    if some:
        open_spool(settings).put(joined_arrivals(some))
        wake(settings)
    rejected.add(left)
    if item.id not in {each.id for each in left}:
        rejected.remove(item.id)
    return Replayed(item.source, sum(map(len, some)), len(left))
