"""When the inventory of a mapped table may be behind it: asked of small tables of our own, by
whoever plans a load. Nothing here reads a mapped table, nor imports what does.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, update

from data.database.tables import month_inventory as months_table
from data.database.tables import source_month
from data.range_rows import months_looked_at, stamped_months, stations_looked_at
from data.request import HistoryRequest
from data.site import Site
from data.time.epoch import MINUTE_MS, epoch_ms
from data.time.months import month_of, month_start_ms

SYNC_AGAIN_MS: Final = 5_000  # open months are not synced more often


def sync_is_due(site: Site, request: HistoryRequest, now_ms: int | None = None) -> bool:
    """Return whether a mapped table may hold what the inventory does not know.
    Reads small tables of our own only.
    """
    if (source := site.mapped) is None:
        return False
    from data.source_sync_tables import last_sync  # with all that reads mapped tables

    now, last = epoch_ms() if now_ms is None else now_ms, last_sync(site)
    if last is None:
        return True
    grows = stamped_months(site.catalogue, request)[-1] >= month_of(open_from_ms(site, now))
    if grows and now - last.synced_ms >= SYNC_AGAIN_MS:
        return True
    minutes = source.mapping.check_minutes
    if minutes is None:
        return False
    since_ms = last.synced_ms if last.marks else _checked_ms(site, request)
    return since_ms is not None and now - since_ms >= minutes * MINUTE_MS


def reload(site: Site, request: HistoryRequest) -> int:
    """Make the tiles of a request stale, whatever the table says; return of how many months.
    The next load reads them again.
    """
    columns = months_table.c
    changed = {"generation": columns.generation + 1, "appended_since": columns.generation + 1}
    statement = update(months_table).where(*months_rows(site, request, columns)).values(changed)

    def write() -> int:
        with site.engine.begin() as connection:
            return connection.execute(statement).rowcount

    return site.run_query(write)


def months_rows(site: Site, request: HistoryRequest, columns: Any) -> tuple[ColumnElement[bool], ...]:
    """Conditions of a table's rows that are of the stations and months that a request looks at."""
    months = months_looked_at(site.catalogue, request)
    here = (columns.source == site.source_id, columns.station.in_(stations_looked_at(site.catalogue, request)))
    return (*here, columns.month.between(months[0], months[-1]))


def open_from_ms(site: Site, now_ms: int) -> int:
    """Return the start (ms UTC) of the months that still grow:
    the current one, or the last known one where that is earlier.
    """
    lasts = [station.last_ms for station in site.inventory.whole.stations() if station.last_ms is not None]
    return month_start_ms(month_of(min([now_ms, *([max(lasts)] if lasts else [])])))


def _checked_ms(site: Site, request: HistoryRequest) -> int | None:
    """Return when (ms UTC) the least recently compared month of a request was compared;
    None when none was ever read.
    """
    columns = source_month.c
    query = select(func.min(columns.checked)).where(*months_rows(site, request, columns))

    def ask() -> int | None:
        with site.engine.connect() as connection:
            found: int | None = connection.scalar(query)
        return found

    return site.run_query(ask)
