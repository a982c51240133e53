"""Everything of the data layer that one process needs, made once and passed on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from config import Settings
from data.catalogue import Catalogue, load_catalogue
from data.engine import make_engine, sqlite_path
from data.inventory import Inventory
from data.source import Source, own_source
from data.tiles import TileStore


@dataclass(frozen=True)
class Site:
    """Settings, sensors, the observations database, and what was made of it. Never carried across a fork while in use."""

    settings: Settings
    catalogue: Catalogue
    engine: Engine
    inventory: Inventory
    tiles: TileStore
    source: Source


def open_site(settings: Settings, *, session_name: str = "riwayat") -> Site:
    """The site of some settings; opens no connection and reads no tile until it is used.

    ``session_name`` is how a server shows its sessions and queries, so that another process can stop them. No statement
    takes longer than a job may.

    Raises:
        ConfigurationError: a wrong URL or catalogue.
    """
    catalogue = load_catalogue(settings.sensors)
    engine = make_engine(settings.history_url, application_name=session_name, statement_timeout_s=settings.job_timeout)
    # A job writes its progress while it reads. In one SQLite file that forbids the fast path.
    jobs, observations = sqlite_path(settings.jobs_url), sqlite_path(settings.history_url)
    one_file = jobs is not None and observations is not None and jobs.resolve() == observations.resolve()
    source = own_source(
        engine, catalogue, fast=not one_file, session_name=session_name, statement_timeout_s=settings.job_timeout
    )
    return Site(
        settings=settings,
        catalogue=catalogue,
        engine=engine,
        inventory=Inventory(engine, source.id),
        tiles=TileStore(settings.tiles_path, settings.tile_budget_bytes, mapped=settings.tile_mmap),
        source=source,
    )
