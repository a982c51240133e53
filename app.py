"""The door: ``python app.py`` is web and worker together; ``app:server`` is for gunicorn;
``create_app`` makes it.
"""

from __future__ import annotations

from typing import Any

from access.addresses import refuse_open_door
from application import create_app
from config import load_settings
from logs import configure_logs
from serve import main

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """Make ``server`` for gunicorn (``gunicorn app:server``) when it is first asked for."""
    if name != "server":
        raise AttributeError(name)
    settings = load_settings()
    configure_logs(settings.log_level)
    refuse_open_door(settings, [settings.host])
    globals()["server"] = create_app(settings).server
    return globals()["server"]


if __name__ == "__main__":
    main()
