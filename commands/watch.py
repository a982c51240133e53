"""``watch``: take in what loggers write into folders, until told to stop."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(watch)


def watch(
    folder: Annotated[str | None, typer.Argument(metavar="DIR", help="Folder; default: those of RIWAYAT_WATCH.")] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="A TOML file, or one that comes with Riwayat.")] = None,
    station: Annotated[str | None, typer.Option("--station", help="The station of all rows.")] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help="Zone of times without an offset.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
) -> None:
    """Take in lines that loggers append to files, and files that they drop. manage.py receive
    stores them. One process a folder of data.
    """
    import signal
    import threading

    from config import load_settings
    from errors import ConfigurationError
    from jobs.receiving import refuse_beside_source
    from jobs.watching import Watcher, watched_folder, watched_folders
    from logs import configure_logs

    settings = load_settings()
    configure_logs(settings.log_level)
    refuse_beside_source(settings, "manage.py watch")
    folders = (watched_folder(settings, folder, profile, station, timezone),) if folder else watched_folders(settings)
    if not folders:
        raise ConfigurationError("Name a folder, or set RIWAYAT_WATCH.")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    Watcher(settings, folders).run(stopping, once=once)
