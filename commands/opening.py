"""What commands open and close again: accounts and grants, ledger, site, Riwayat's own table.

What a driver says meanwhile becomes a sentence: SourceUnavailable where a database does not answer,
SourceMismatch where it was never migrated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from config import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from access.store import AccessStore
    from data.catalogue import Catalogue
    from data.site import Site
    from jobs.ledger.ledger import Ledger


class _OnEngine(Protocol):
    @property
    def engine(self) -> Engine: ...


Store = TypeVar("Store", bound=_OnEngine)


def opened_access() -> AbstractContextManager[tuple[Settings, AccessStore]]:
    """Settings, and who may see what."""
    from access.store import open_access

    return _opened(open_access)


def opened_ledger() -> AbstractContextManager[tuple[Settings, Ledger]]:
    """Settings and the ledger of jobs."""
    from jobs.ledger.ledger import open_ledger

    return _opened(open_ledger)


def quiet_settings() -> Settings:
    """Return the settings of a command that shows what is done: the log tells of trouble only."""
    from logs import configure_logs

    settings = load_settings()
    if settings.log_level == "info":
        configure_logs("warning")
    return settings


@contextmanager
def opened_site(settings: Settings) -> Iterator[tuple[Site, Ledger]]:
    """The site and the ledger of its jobs: what a load through the queue needs."""
    from access.decisions.stored_decisions import StoredDecisions
    from access.formulas.formula_definitions import FormulaDefinitions
    from access.limits.stored_limits import StoredLimits
    from access.revision_look import RevisionLook
    from data.database.engine import explained
    from data.site import open_site
    from jobs.ledger.ledger import open_ledger

    ledger = open_ledger(settings)
    definitions, look = FormulaDefinitions(ledger.engine), RevisionLook(ledger.engine)
    decisions, limits = StoredDecisions(ledger.engine, look), StoredLimits(ledger.engine, look)
    site = open_site(settings, definitions=definitions, decisions=decisions, limits=limits)
    try:
        with explained(site.engine), explained(ledger.engine):
            yield site, ledger
    finally:
        site.engine.dispose()
        ledger.engine.dispose()


@contextmanager
def own_table() -> Iterator[tuple[Settings, Catalogue, Engine]]:
    """Settings, catalogue, and the engine of Riwayat's own table, which is brought up to date."""
    from data.catalogue import load_catalogue
    from data.database.engine import explained, make_engine, migrate_observations

    settings = load_settings()
    settings.prepare()
    catalogue, engine = load_catalogue(settings.sensors), make_engine(settings.history_url)
    try:
        migrate_observations(engine, catalogue)
        with explained(engine):
            yield settings, catalogue, engine
    finally:
        engine.dispose()


@contextmanager
def _opened(open_store: Callable[[Settings], Store]) -> Iterator[tuple[Settings, Store]]:
    from data.database.engine import explained

    settings = load_settings()
    store = open_store(settings)
    try:
        with explained(store.engine):
            yield settings, store
    finally:
        store.engine.dispose()
