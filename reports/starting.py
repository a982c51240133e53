"""Starting the job of a report."""

from __future__ import annotations

from collections.abc import Callable

from access.grants import Purpose
from access.identity import Identity
from access.restricted_site import require_permission
from data.flags_missing import rows_beside
from data.load_plan import plan
from data.site import Site
from jobs.job import Job
from jobs.ledger.ledger import Ledger
from jobs.policy import REPORT
from jobs.start import log_job, submit_job
from reports.earlier_years import MOST_READINGS, number_of_years
from reports.inquiry import ReportInquiry
from reports.printing import require_printer


def start_report(site: Site, ledger: Ledger, identity: Identity, inquiry: ReportInquiry, wake: Callable[[], None]) -> Job:
    """The identity's job that makes a report; an equal one that waits or runs is that job.

    Raises:
        NotPermitted: the identity may not export the whole period.
        UnknownStation, UnknownSensor, NoData: then no job is started.
        ConfigurationError: a PDF, and no browser is installed here.
        QueueFull: there is no room for another job, of this user or of all.
    """
    if inquiry.format == "pdf" and site.settings.queue == "local":  # else other hosts print
        require_printer(site.settings)
    request = inquiry.definition.request(inquiry.named_period.span)
    seen = require_permission(site, identity, request, Purpose.EXPORT)
    rows = _rows(seen, inquiry, plan(seen, request).rows_total) + rows_beside(site, request)
    job = submit_job(site, ledger, identity, request, REPORT, rows, inquiry=inquiry.to_json())
    log_job("report submitted", job)
    wake()
    return job


def _rows(seen: Site, inquiry: ReportInquiry, of_period: int) -> int:
    """How many readings are looked at, as if each earlier year had as many as the period; a few
    too many rather than a long job before people who wait for a chart.
    """
    years = number_of_years(seen, inquiry.definition, inquiry.named_period)
    return of_period + min(of_period * years, MOST_READINGS)
