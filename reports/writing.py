"""The job of a report: load what it lacks, make it, keep it on the shelf."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from access.decisions.decision_list import DecisionFilter, visible_decisions
from access.decisions.made_decision import MadeDecision
from access.grants import Purpose
from access.identity import Identity
from access.notes.note_table import MOST_READ
from access.notes.noted import Noted, noted
from access.restricted_site import restricted_site_for
from access.store import AccessStore
from analysis.codec import code_digest
from config import VERSION
from data.export.formats import export_tag
from data.request import HistoryRequest
from data.site import Site
from errors import DiskFull, RiwayatError, RowsChanged, disk_errors
from i18n import current_language, format_time, set_language
from jobs.attempt_in_hand import AttemptInHand
from jobs.job import Job, Metrics, Progress
from jobs.kinds.history import load_history
from reports.collecting import collect
from reports.delivery import deliver
from reports.earlier_years import load_earlier
from reports.html import html_page
from reports.inquiry import ReportFormat, ReportInquiry
from reports.last_days import OF_EARLIER_DAYS, with_last_days
from reports.material import Material
from reports.printing import print_page
from reports.workbook import write_report_workbook

_LOADED: Final = 0.5  # the part of the work that is done when all readings are there
_COLLECTED: Final = 0.9
_PRINT_S: Final = 240.0
_CODE: Final = Path(__file__).parent

Scaled = Callable[[Progress], None]


def write_report(hand: AttemptInHand) -> Metrics:
    """Make the report of a job be there; returns metrics.

    Metrics: ``bytes`` of the file, ``reused`` (1: an earlier attempt had made it),
    ``earlier_years`` that it is compared with, ``seconds_writing``.

    Raises:
        NoData: there are no readings in the period.
        NotPermitted: only whole steps may be seen.
        RowsChanged: a load wrote tiles of the period meanwhile; to be tried again.
        ConfigurationError, PrintFailed: as reports/printing.py.
        DiskFull: nothing is left behind.
        RiwayatError: the file cannot be written for another reason.
    """
    where = hand.site.settings.tiles_path
    full = DiskFull("The disk is full, so the report cannot be written to {path}; make room, then retry.", path=where)
    with disk_errors(full, lambda why: RiwayatError("The report cannot be written to {path}: {why}.", path=where, why=why)):
        return _write(hand)


def _write(hand: AttemptInHand) -> Metrics:
    began = time.monotonic()
    inquiry, shelf = ReportInquiry.from_json(hand.job.inquiry or ""), hand.site.shelf
    found = report_of_job(hand.site, hand.job)
    reused, years = found is not None, 0
    try:
        if found is None:
            reaching = _reaching(hand.seen, hand.owner, hand.job.request, inquiry)
            load_history(hand.site, reaching, _scaled(hand.report, 0.0, _LOADED / 2), hand.seen)
            earlier = load_earlier(hand, inquiry.definition, inquiry.named_period, _scaled(hand.report, _LOADED / 2, _LOADED))
            found, years = _made(hand, inquiry, earlier), len(earlier)
        size = found.stat().st_size
        if inquiry.schedule:
            with in_language(inquiry.definition.language):
                deliver(hand, inquiry, found)
    finally:
        shelf.prune(keep="" if found is None else found.stem)
    hand.report(Progress(1.0, 0, 0, 0, 0, seconds_left=0.0))
    seconds = round(time.monotonic() - began, 3)
    return {"bytes": size, "reused": int(reused), "earlier_years": years, "seconds_writing": seconds}


def _made(hand: AttemptInHand, inquiry: ReportInquiry, earlier: Mapping[int, HistoryRequest]) -> Path:
    """Make the file, unless its readings change meanwhile."""
    material, request = _material(hand, inquiry, earlier), hand.job.request
    tag = report_tag(hand.site, hand.access, hand.owner, request, inquiry)
    with hand.site.shelf.draft(hand.draft) as draft:
        with in_language(inquiry.definition.language):
            _write_file(hand, material, inquiry.format, draft)
        if report_tag(hand.site, hand.access, hand.owner, request, inquiry) != tag:
            raise RowsChanged
        return hand.site.shelf.put(draft, f"{hand.job.id}-{tag}", inquiry.format)


def report_of_job(site: Site, job: Job) -> Path | None:
    """Return the file that a job of a report has made; None where it is not there (any more)."""
    return site.shelf.find_of_job(job.id, ReportInquiry.from_json(job.inquiry or "").format)


def fresh_report(site: Site, access: AccessStore, identity: Identity, job: Job) -> Path | None:
    """Return the file that a job has made of readings, decisions and notes as they are now; None
    where it is not there.
    """
    inquiry = ReportInquiry.from_json(job.inquiry or "")
    return site.shelf.find(f"{job.id}-{report_tag(site, access, identity, job.request, inquiry)}", inquiry.format)


def report_tag(site: Site, access: AccessStore, identity: Identity, request: HistoryRequest, inquiry: ReportInquiry) -> str:
    """Return what differs when the report may, but for earlier years: question, tiles, catalogue,
    what people decided, set and noted, and the code that makes it. 32 hexadecimal digits.
    """
    seen, span = _seen(site, identity, request, inquiry), (request.start_ms, request.end_ms)
    digest = hashlib.blake2b(f"{VERSION} {code_digest()} {_own_digest()} {site.settings.institution}".encode(), digest_size=16)
    digest.update(inquiry.to_json().encode())
    digest.update(export_tag(seen, _reaching(seen, identity, request, inquiry), *span, "report").encode())
    for name in request.stations:
        digest.update(repr(seen.catalogue.stations.get(name)).encode())
        digest.update(repr([seen.limits(name, sensor) for sensor in request.sensors]).encode())
    digest.update(repr((_noted(seen, access, identity, request), _decisions(access, identity, request))).encode())
    return digest.hexdigest()


def _seen(site: Site, identity: Identity, request: HistoryRequest, inquiry: ReportInquiry) -> Site:
    seen = restricted_site_for(site, identity.rights, request, Purpose.EXPORT)
    return replace(seen, flags=inquiry.definition.flags)


def _reaching(seen: Site, identity: Identity, request: HistoryRequest, inquiry: ReportInquiry) -> HistoryRequest:
    return with_last_days(request, inquiry.definition, inquiry.named_period, seen.catalogue, identity.rights)


def _noted(site: Site, access: AccessStore, identity: Identity, request: HistoryRequest) -> Noted:
    return noted(access, site.catalogue, identity, request, site.settings.timezone, Purpose.EXPORT, limit=MOST_READ)


def _decisions(access: AccessStore, identity: Identity, request: HistoryRequest) -> tuple[MadeDecision, ...]:
    wanted = DecisionFilter(request.stations, request.sensors, request.start_ms, request.end_ms, undone=False)
    return tuple(visible_decisions(access, identity.rights, wanted))


def _material(hand: AttemptInHand, inquiry: ReportInquiry, earlier: Mapping[int, HistoryRequest]) -> Material:
    request, spans = hand.job.request, {year: (each.start_ms, each.end_ms) for year, each in earlier.items()}
    seen, period = _seen(hand.site, hand.owner, request, inquiry), inquiry.named_period
    known, decided = _noted(seen, hand.access, hand.owner, request), _decisions(hand.access, hand.owner, request)
    reaching = {request.end_ms: _reaching(seen, hand.owner, request, inquiry).end_ms}
    for each in earlier.values():
        of_days = with_last_days(each, inquiry.definition, period, seen.catalogue, hand.owner.rights, OF_EARLIER_DAYS)
        reaching[each.end_ms] = of_days.end_ms
    return Material(seen, inquiry.definition, period, request, spans, known, decided, reaching)


def _write_file(hand: AttemptInHand, material: Material, form: ReportFormat, draft: Path) -> None:
    """Write the file of a format to ``draft``, alone in its folder."""

    def told(station: str, place: int, number: int) -> None:
        hand.report(Progress(_LOADED + (_COLLECTED - _LOADED) * place / number, 0, 0, 0, 0, station))

    document = collect(material, format_time(round(time.time()) * 1000, material.definition.timezone), told)
    if form == "xlsx":
        write_report_workbook(document, draft)
        return
    page = draft if form == "html" else draft.with_suffix(".html")
    with page.open("w", encoding="utf-8") as file:
        file.writelines(html_page(document))
    if form == "pdf":
        print_page(hand.site.settings, page, draft, hand.draft, min(_PRINT_S, hand.job.timeout_s))


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Make a language the current one for a while."""
    before = current_language()
    set_language(language)
    try:
        yield
    finally:
        set_language(before)


@cache
def _own_digest() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(_CODE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _scaled(report: Scaled, first: float, last: float) -> Scaled:
    """Publish the progress of a part of the work as that of the whole."""
    return lambda now: report(replace(now, fraction=first + (last - first) * now.fraction, seconds_left=None))
