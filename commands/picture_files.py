"""Pictures that commands write: of a history as Trend draws it, or of an analysis."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from commands.printing import say
from errors import RiwayatError

if TYPE_CHECKING:
    from analysis.answer import Answer
    from data.site import Site
    from figures.job_window import JobWindow
    from jobs.job import Job

PICTURES = ("png", "svg", "pdf", "html")


def picture_kind(site_settings: Any, out: Path | None) -> str | None:
    """Return which picture a file's name asks for; None where it asks for none.

    Raises:
        Conflict: it needs Chromium, and there is none; before anything is loaded.
    """
    from jobs.chromium import require_chromium

    kind = "" if out is None else out.suffix.lower().removeprefix(".")
    if out is None or kind not in PICTURES:
        return None
    if kind != "html":
        require_chromium(site_settings)
    return kind


def refuse_with_picture(**options: bool) -> None:
    """Raise BadParameter where an option is given that says nothing of a picture."""
    for name, given in options.items():
        if given:
            raise typer.BadParameter("is of files of rows, not of pictures", param_hint=f"--{name}")


def write_trend(site: Site, job: Job, out: Path, kind: str) -> None:
    """Write the picture of a job's whole range."""
    from layouts.framing import Frame, caption_of, framed_trend

    window, frame = _window(site, job), Frame(socket.gethostname(), sharp=kind == "png")
    figure = framed_trend(window, {}, frame, flagged=False)
    _write(site, figure, caption_of(window, "trend", frame).title, out, kind)


def write_answer_picture(site: Site, job: Job, answer: Answer, out: Path, kind: str) -> None:
    """Write the picture of what an analysis has found in a job's whole range."""
    from layouts.framing import Frame, caption_of, framed_answer

    window, frame = _window(site, job), Frame(socket.gethostname())
    figure = framed_answer(window, answer, {}, frame)
    _write(site, figure, caption_of(window, answer.analysis, frame).title, out, kind)


def refuse_without_picture(name: str) -> None:
    """Raise BadParameter where an analysis has no picture."""
    from layouts.views import drawn_analyses

    if name not in drawn_analyses():
        raise typer.BadParameter(f"{name} has no picture; write .csv or .json", param_hint="--out")


def _window(site: Site, job: Job) -> JobWindow:
    from access.grants import EVERYTHING
    from figures.job_window import JobWindow

    return JobWindow(site, job, (job.request.start_ms, job.request.end_ms), EVERYTHING)


def _write(site: Site, figure: dict[str, Any], title: str, out: Path, kind: str) -> None:
    from figures.standalone import standalone_html
    from i18n import current_language
    from jobs.chromium import render

    language = current_language()
    if kind == "html":
        made = standalone_html(figure, title, language)
    else:
        made = render(site.settings, figure, kind, language, secrets.token_hex(8))
    try:
        out.write_bytes(made)
    except OSError as exc:
        raise RiwayatError("{file} cannot be written: {why}.", file=out, why=exc.strerror or exc) from exc
    say(f"Wrote {out}.", err=True)
