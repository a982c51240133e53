"""An analysis as a job of a real worker."""

from __future__ import annotations

import pytest

from analysis.inquiry import Inquiry
from analysis.question import ask
from analysis.registry import find
from data.request import HistoryRequest
from jobs.job import Status
from jobs.kinds.kept_answer import kept_answer
from jobs.policy import ANALYSIS
from tests.processes import wait_until

pytestmark = pytest.mark.process

SUMMER_2013 = (1_370_044_800_000, 1_377_993_600_000)


def test_a_worker_keeps_the_very_answer_and_loads_nothing_for_it(running):
    request = HistoryRequest(("JFK",), ("temperature",), *SUMMER_2013)
    options = find("summary").options({})
    inquiry = Inquiry.of("summary", SUMMER_2013, options, flagged=False)

    def ended(job):
        wait_until(lambda: running.ledger.get(job.id).status.is_final, "the job to end")
        return running.ledger.get(job.id)

    without = ended(running.ledger.submit("local", request, kind=ANALYSIS, inquiry=inquiry.to_json()))
    assert (without.status, without.attempt) == (Status.FAILED, 1)
    assert "Load it again" in without.error.message
    assert ended(running.ledger.submit("local", request)).status is Status.COMPLETED
    done = ended(running.ledger.submit("local", request, kind=ANALYSIS, inquiry=inquiry.to_json()))
    assert (done.status, done.metrics["reused"]) == (Status.COMPLETED, 0)
    kept = kept_answer(running.site, request, inquiry)
    direct = find("summary").answer(ask(running.site, request, SUMMER_2013), options)
    assert kept is not None
    assert kept.as_json() == direct.as_json()
