"""Where log lines go: standard error, one event a line,
so that standard output stays readable by machines.

What is bound with ``structlog.contextvars`` stands in every line of that request or job:
the id of the job, above all.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog

from escaping import show_names
from redaction import hide_secrets

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(level: str = "info") -> None:
    """Send structlog's events and the standard library's records of at
    least ``level`` to standard error.

    On a terminal the lines are coloured text; otherwise each is one JSON object with time (UTC),
    level and event.
    """
    structlog.configure(
        processors=[*_shared(), *_shaping(), _renderer()],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        # asked anew: standard error may be redirected later
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.setLevel(_least_of_others(level))
    if not any(isinstance(handler, LineHandler) for handler in root.handlers):
        root.addHandler(LineHandler())


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes the standard library's records as lines like ours, to today's standard error."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(_formatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        self.stream = sys.stderr
        super().emit(record)


def standard_library_logs(level: str = "info") -> dict[str, Any]:
    """A configuration of the standard library's logging that writes lines like ours;
    gunicorn wants it in this form.

    Other packages say warnings only; gunicorn says when it starts, stops and replaces a worker,
    but no request, of which the proxy keeps a log.
    """
    ours = {"level": logging.getLevelName(_LEVELS[level]), "handlers": ["line"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"line": {"()": LineHandler}},
        "root": {"level": logging.getLevelName(_least_of_others(level)), "handlers": ["line"]},
        "loggers": {"gunicorn.error": ours, "gunicorn.access": ours | {"level": "CRITICAL"}},
    }


def _least_of_others(level: str) -> int:
    return max(_LEVELS[level], logging.WARNING)


def _formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_shaping(), _renderer()],
    )


def _shared() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _shaping() -> list[structlog.typing.Processor]:
    shaped: list[structlog.typing.Processor] = [structlog.dev.set_exc_info, structlog.processors.format_exc_info, hide_secrets]
    # JSON writes what is not ASCII as \\u202e itself
    return [*shaped, show_names] if sys.stderr.isatty() else shaped


def _renderer() -> structlog.typing.Processor:
    # without the local variables that structlog would show: keys and passwords are among them
    if sys.stderr.isatty():
        return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer()
