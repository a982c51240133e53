"""Where log lines go: standard error, one event a line, so that standard output stays readable by machines."""

from __future__ import annotations

import logging
import sys

import structlog

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(level: str = "info") -> None:
    """Send structlog's events and the standard library's records of at least ``level`` to standard error.

    On a terminal the lines are coloured text; otherwise each is one JSON object with time (UTC), level and event.
    """
    terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    shape: list[structlog.typing.Processor] = [structlog.dev.set_exc_info] if terminal else [structlog.processors.format_exc_info]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *shape,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # asked anew: standard error may be redirected later
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        stream=sys.stderr, level=max(_LEVELS[level], logging.WARNING), format="%(levelname)s %(name)s: %(message)s"
    )
