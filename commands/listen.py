"""``listen mqtt``: take in a broker's messages, until told to stop."""

from __future__ import annotations

from typing import Annotated, Literal

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(listen)


def listen(kind: Annotated[Literal["mqtt"], typer.Argument(metavar="mqtt")]) -> None:
    """Take in messages of the MQTT broker that RIWAYAT_MQTT describes. manage.py receive stores
    them.
    """
    import signal
    import threading

    from config import load_settings
    from jobs.listening import TopicListener
    from logs import configure_logs

    del kind  # the only one there is
    settings = load_settings()
    configure_logs(settings.log_level)
    stopping = threading.Event()
    listener = TopicListener(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    listener.run(stopping)
