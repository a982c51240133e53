"""``migrate``, ``setup`` and ``doctor``: from a fresh clone to a site that shows data, and what to do when it does not."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated

import typer

from errors import ConfigurationError

if TYPE_CHECKING:
    from config import Settings

LARGEST_PORT = 65535


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(migrate)
    app.command()(setup)


def migrate() -> None:
    """Bring the databases' schema up to date."""
    from config import load_settings

    bring_up_to_date(load_settings())
    typer.echo("The databases are up to date.", err=True)


def setup(
    for_run: Annotated[bool, typer.Option("--for-run", help="Also see that the site's port is free.")] = False,
) -> None:
    """Make the databases and, if there is no observation yet, bring in the bundled sample."""
    from config import load_settings

    settings = load_settings()
    if for_run:
        require_free_port(settings.host, settings.port)
    bring_up_to_date(settings)


def bring_up_to_date(settings: Settings) -> None:
    """Migrate the database of jobs and that of observations; makes them where they are SQLite files."""
    from data.catalogue import load_catalogue
    from data.engine import make_engine, migrate_observations
    from jobs.ledger import migrate_jobs

    settings.prepare()
    observations, jobs = make_engine(settings.history_url), make_engine(settings.jobs_url)
    try:
        migrate_observations(observations, load_catalogue(settings.sensors))
        migrate_jobs(jobs)
    finally:
        observations.dispose()
        jobs.dispose()


def require_free_port(host: str, port: int) -> None:
    """Raises ConfigurationError, with another port to try, when something listens on (host, port) already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise ConfigurationError(
                "Cannot listen on {host}, port {port}: {why}. Choose another, for example RIWAYAT_PORT={other} make run.",
                host=host,
                port=port,
                why=exc.strerror or exc,
                other=port + 1 if port < LARGEST_PORT else port - 1,
            ) from exc
