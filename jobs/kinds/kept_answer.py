"""Answers of analyses that are too much for the web process: what their job's child does, and the
file that keeps one beside the tiles.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from analysis.answer import Answer
from analysis.codec import NoAnswer, code_digest, decode, encode
from analysis.inquiry import Inquiry
from analysis.question import ask
from analysis.registry import find
from data.export.formats import export_tag
from data.export.shelf import ANSWER_FILE
from data.limit_overrides import AS_CATALOGUE
from data.load_plan import all_present
from data.request import HistoryRequest
from data.site import Site
from data.time.months import month_of
from errors import Conflict, DiskFull, RiwayatError, RowsChanged, disk_errors
from jobs.job import Metrics, Progress
from jobs.kinds.row_rate import RowRate

_ANSWERED = 0.9  # the part of the work that is done when all readings are read once

log = structlog.get_logger(__name__)


def answer_tag(site: Site, request: HistoryRequest, inquiry: Inquiry) -> str:
    """The tag of an answer: differs with question, tiles, sensors, what the catalogue says of the
    stations, limits that people have set, and the code that answers.
    """
    stations: list[object] = [site.catalogue.stations.get(station) for station in request.stations]
    stations += [said for series in request.series if (said := site.limits(*series)) != AS_CATALOGUE]
    return export_tag(
        replace(site, flags=inquiry.flags), request, *inquiry.span, f"{code_digest()} {inquiry.to_json()} {stations!r}"
    )


def kept_answer(site: Site, request: HistoryRequest, inquiry: Inquiry) -> Answer | None:
    """The answer that a job has kept of the rows as they are now; None where there is none.

    Who asks must have been granted the request: ``site`` is the site as they see it. A file that
    is damaged is removed.
    """
    path = site.shelf.find(answer_tag(site, request, inquiry), ANSWER_FILE)
    if path is None:
        return None
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:  # its time was over in this very moment
        return None
    except NoAnswer as exc:
        log.warning("a kept answer is damaged", path=str(path), reason=str(exc))
        path.unlink(missing_ok=True)
        return None


def refuse_lost(site: Site, request: HistoryRequest) -> None:
    """Raise Conflict where tiles of a request are not there: an answer would lack readings."""
    if not all_present(site, request):
        raise Conflict("Parts of this result are no longer cached. Load it again.")


def write_answer(
    site: Site, request: HistoryRequest, inquiry: Inquiry, draft: str, report: Callable[[Progress], None]
) -> Metrics:
    """Make the answer of a question be kept; returns metrics. Reads tiles alone, loads nothing.
    ``draft`` is a name that no other attempt has.

    Metrics: ``rows`` (readings of the question), ``bytes`` of the file, ``reused`` (1: it was
    there already), ``seconds_answering``.

    Raises:
        Conflict: tiles of the request are not there.
        NotPermitted: only whole steps may be seen.
        RowsChanged: a load wrote tiles of the request meanwhile; to be tried again.
        TileDamaged: tiles of the request went meanwhile, or are damaged.
        DiskFull: nothing is left behind.
        RiwayatError: the file cannot be written for another reason.
    """
    site = replace(site, flags=inquiry.flags)
    tag, where = answer_tag(site, request, inquiry), site.settings.tiles_path
    full = DiskFull("The disk is full, so the answer cannot be kept in {path}; make room, then retry.", path=where)
    try:
        with disk_errors(full, lambda why: RiwayatError("The answer cannot be kept in {path}: {why}.", path=where, why=why)):
            return _write(site, request, inquiry, tag, draft, report)
    finally:
        site.shelf.prune(keep=tag)


def _write(
    site: Site, request: HistoryRequest, inquiry: Inquiry, tag: str, draft: str, report: Callable[[Progress], None]
) -> Metrics:
    began, shelf = time.monotonic(), site.shelf
    refuse_lost(site, request)
    progress = _Reading(report)
    analysis = find(inquiry.analysis)
    options = analysis.module.Options.model_validate(json.loads(inquiry.options))
    question = ask(site, request, inquiry.span, include_flagged=inquiry.flagged, told=progress.read)
    rows = {(each.station, each.sensor.name): each.series.rows for each in question.series}
    progress.expect(rows, inquiry.span)
    path = shelf.path(tag, ANSWER_FILE)
    reused = kept_answer(site, request, inquiry) is not None
    if not reused:
        answer = analysis.answer(question, options)
        with shelf.draft(draft) as file:
            file.write_bytes(encode(answer))
            if answer_tag(site, request, inquiry) != tag:
                raise RowsChanged
            path = shelf.put(file, tag, ANSWER_FILE)
    progress.end()
    size = _size(path)
    return {
        "rows": sum(rows.values()),
        "bytes": size,
        "reused": int(reused),
        "seconds_answering": round(time.monotonic() - began, 3),
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # removed in this very moment
        return 0


class _Reading:
    """Progress by the time up to which each series was read; a series that is read again adds
    nothing.
    """

    def __init__(self, report: Callable[[Progress], None]) -> None:
        self._report = report
        self._rows: dict[tuple[str, str], int] = {}
        self._span = (0, 1)
        self._until: dict[tuple[str, str], int] = {}
        self._rate = RowRate(time.monotonic())

    @property
    def _total(self) -> int:
        return sum(self._rows.values())

    def expect(self, rows: dict[tuple[str, str], int], span: tuple[int, int]) -> None:
        """Take note of how many readings each series has in a window (int ms UTC)."""
        self._rows, self._span = rows, span

    def read(self, station: str, sensor: str, moment: int) -> None:
        """Report that a series is read up to a moment, int ms UTC."""
        key, total = (station, sensor), max(1, self._total)
        self._until[key] = max(moment, self._until.get(key, moment))
        rows = round(sum(self._rows.get(one, 0) * self._share(until) for one, until in self._until.items()))
        self._rate.update(time.monotonic(), rows)
        left_s = self._rate.seconds_left(total - rows)
        self._report(Progress(_ANSWERED * rows / total, 0, 0, rows, total, station, month_of(moment), left_s))

    def end(self) -> None:
        """Report that the answer is kept."""
        self._report(Progress(1.0, 0, 0, self._total, self._total, seconds_left=0.0))

    def _share(self, until: int) -> float:
        start, end = self._span
        return min(1.0, max(0.0, (until - start) / (end - start)))
