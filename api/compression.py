"""Compression of answers: scripts and style sheets once a process, all else each time."""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask, Request

from api.headers import is_file, page_path

_MOST_FILES = 200  # a page has about thirty
_TYPES = ["text/html", "text/css", "application/json", "application/javascript", "text/javascript", "image/svg+xml"]


class CompressedFiles:
    """Compressed bodies of files that do not change while the process lives, for Flask-Compress.

    It asks with ``<algorithm>;<key>``; an empty key means that the answer must not be kept.
    """

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """The body that was kept, if any."""
        return self._bodies.get(key)

    def set(self, key: str, body: bytes) -> None:
        """Keep a body, as long as there is room."""
        with self._lock:
            if not key.endswith(";") and len(self._bodies) < _MOST_FILES:
                self._bodies[key] = body


def configure_compression(server: Flask, prefix: str) -> None:
    """Settings of Flask-Compress, which Dash installs (``compress=True``)."""

    def key(asked: Request) -> str:
        mark = asked.args.get("m", "") if page_path(asked.path, prefix).startswith("assets/") else ""
        return f"{asked.path}?{mark}" if is_file(asked, prefix) else ""

    settings: dict[str, Any] = {
        "COMPRESS_MIMETYPES": _TYPES,
        "COMPRESS_ALGORITHM": ["br", "gzip"],
        "COMPRESS_BR_LEVEL": 4,
        "COMPRESS_LEVEL": 5,
        "COMPRESS_CACHE_BACKEND": CompressedFiles,
        "COMPRESS_CACHE_KEY": key,
    }
    server.config.update(settings)
