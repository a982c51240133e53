"""Pictures as jobs: a figure that the web process has made and kept is drawn by Chromium in the
child, and kept beside it (docs/decisions/0046).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from access.identity import Identity
from data.export.shelf import FIGURE_FILE
from data.request import HistoryRequest
from data.site import Site
from errors import Conflict, DiskFull, RiwayatError, disk_errors
from jobs.chromium import render, require_chromium
from jobs.job import Job, Metrics, Progress
from jobs.ledger.ledger import Ledger
from jobs.policy import PICTURE
from jobs.start import log_job, submit_job

_SOFTWARE: Final = ("plotly", "kaleido")  # what a picture depends on besides its figure


def picture_tag(figure: Mapping[str, Any], language: str) -> str:
    """Return the tag of a figure's pictures: differs with the figure, the language of its months,
    and what draws it. It is their ``ETag``.
    """
    told = f"{[version(name) for name in _SOFTWARE]} {language} {_text(figure)}"
    return hashlib.sha256(told.encode()).hexdigest()[:40]


def picture_inquiry(tag: str, kind: str, language: str) -> str:
    """Return what a job is told of the picture that it draws."""
    return json.dumps({"picture": tag, "format": kind, "language": language})


def drawn_by(job: Job) -> tuple[str, str]:
    """Return tag and format of the picture that a job draws."""
    told = json.loads(job.inquiry or "{}")
    return told["picture"], told["format"]


def start_picture(
    site: Site,
    ledger: Ledger,
    identity: Identity,
    request: HistoryRequest,
    figure: Mapping[str, Any],
    kind: str,
    language: str,
    wake: Callable[[], None],
) -> Job:
    """Return the identity's new job that draws a figure of a request, which they were granted;
    the figure is kept for it.

    Raises:
        Conflict: there is no Chromium.
        QueueFull: there is no room for another job, of this user or of all.
    """
    require_chromium(site.settings)
    tag = picture_tag(figure, language)
    _keep(site, tag, _text(figure).encode())
    job = submit_job(site, ledger, identity, request, PICTURE, 0, inquiry=picture_inquiry(tag, kind, language))
    log_job("picture submitted", job)
    wake()
    return job


def draw_picture(site: Site, inquiry: str, draft: str, report: Callable[[Progress], None]) -> Metrics:
    """Make a picture be there; returns metrics. ``inquiry`` is :func:`picture_inquiry`, ``draft`` a
    name that no other attempt has. To be called in a child: it starts threads and a browser.

    Metrics: ``bytes`` of the file, ``reused`` (1: it was there already), ``seconds_drawing``.

    Raises:
        Conflict: its figure is no longer kept, or there is no Chromium.
        PictureFailed: Chromium does not start, or cannot draw it; to be tried again.
        DiskFull: nothing is left behind.
        RiwayatError: the file cannot be written for another reason.
    """
    told, began, where = json.loads(inquiry), time.monotonic(), site.settings.tiles_path
    tag, kind = told["picture"], told["format"]
    report(Progress(0.1, 0, 0, 0, 0))
    full = DiskFull("The disk is full, so the picture cannot be written to {path}; make room, then retry.", path=where)
    try:
        with disk_errors(full, lambda why: RiwayatError("The picture cannot be written to {path}: {why}.", path=where, why=why)):
            found = site.shelf.find(tag, kind)
            reused = found is not None
            found = found or _draw(site, tag, kind, told["language"], draft)
            size = found.stat().st_size
    finally:
        site.shelf.prune(keep=tag)
    report(Progress(1.0, 0, 0, 0, 0, seconds_left=0.0))
    return {"bytes": size, "reused": int(reused), "seconds_drawing": round(time.monotonic() - began, 3)}


def _draw(site: Site, tag: str, kind: str, language: str, draft: str) -> Path:
    figure = site.shelf.find(tag, FIGURE_FILE)
    if figure is None:
        raise Conflict("What was to be drawn is no longer kept. Ask for the picture again.")
    drawn = render(site.settings, json.loads(figure.read_bytes()), kind, language, draft)
    with site.shelf.draft(draft) as path:
        path.write_bytes(drawn)
        return site.shelf.put(path, tag, kind)


def _keep(site: Site, tag: str, text: bytes) -> None:
    """Keep a figure until its job runs; an older copy begins its time anew."""
    with site.shelf.draft(f"figure-{tag}-{time.monotonic_ns()}") as path:
        path.write_bytes(text)
        site.shelf.put(path, tag, FIGURE_FILE)


def _text(figure: Mapping[str, Any]) -> str:
    return json.dumps(figure, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
