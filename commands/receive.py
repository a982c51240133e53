"""``receive``: store what has arrived, until told to stop."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(receive)


def receive(
    stop_when_empty: Annotated[bool, typer.Option("--stop-when-empty", help="End when nothing waits.")] = False,
) -> None:
    """Store observations that gateways have sent. One process a folder of data; serve.py starts
    it where RIWAYAT_INGEST_KEYS is set.
    """
    import signal
    import threading

    from config import load_settings
    from jobs.receiving import Receiver
    from logs import configure_logs

    settings = load_settings()
    configure_logs(settings.log_level)
    stopping = threading.Event()
    receiver = Receiver(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    receiver.run(stopping, stop_when_empty=stop_when_empty)
