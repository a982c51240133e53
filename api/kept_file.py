"""A file of the shelf (data/export/shelf.py) as an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flask import Response, send_file

CACHE: Final = "private, no-cache"  # may be kept by who fetched it, and is asked for again


def kept_file(path: Path | None, content_type: str, name: str, tag: str | None = None) -> Response | None:
    """Return a file as a download called ``name``; None where there is none (any more).

    ``tag`` is its ETag; by default one of its size and the time when it was written.
    """
    if path is None:
        return None
    try:
        sent = send_file(path, content_type, as_attachment=True, download_name=name, etag=tag or True, max_age=0)
    except FileNotFoundError:  # its time was over in this very moment
        return None
    sent.headers["Cache-Control"] = CACHE
    return sent


def unchanged(tag: str) -> Response:
    """Return 304: who asks has what this tag is of."""
    answer = Response(status=304)
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = CACHE
    return answer
