"""How often the readings of a window cross the thresholds of Trend: what Events says, at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from analysis.answer import Answer
from analysis.question import Question, ask
from analysis.registry import find
from errors import Conflict, RiwayatError, TooLarge
from figures.job_window import JobWindow
from figures.trend_options import Threshold
from i18n import translate_error
from jobs.services import Services


def counted(
    services: Services, window: JobWindow, thresholds: tuple[Threshold, ...], *, flagged: bool, whole: bool
) -> tuple[list[tuple[Threshold, Answer]], tuple[str, ...]]:
    """Return what the analysis of events says of each threshold, and sentences about those of
    which it cannot say anything at once. ``whole`` says that all of the window is loaded.
    """
    found: list[tuple[Threshold, Answer]] = []
    problems: dict[str, None] = {}
    analysis = find("events")
    left = analysis.at_once
    for threshold in thresholds:
        try:
            if not whole:
                raise Conflict("Events are counted when all of this window is loaded.")
            question = _question(window, threshold.sensor, flagged=flagged)
            texts: Mapping[str, Any] = {threshold.kind: threshold.value}
            options = analysis.options(texts)
            left -= analysis.readings(question, options)
            if left < 0:
                raise TooLarge("Too many readings to count events here; the view Events does it.")
            found.append((threshold, analysis.answer(question, options)))
        except RiwayatError as error:
            services.note(error)
            problems[translate_error(error, services.settings.timezone)] = None
    return found, tuple(problems)


def _question(window: JobWindow, sensor: str, *, flagged: bool) -> Question:
    request = replace(window.job.request, sensors=(sensor,), resolution="raw")
    return ask(window.site, request, window.span, include_flagged=flagged)
