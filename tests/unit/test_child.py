import pytest
from sqlalchemy.exc import OperationalError

from errors import LedgerUnavailable, StaleAttempt
from jobs.job import Progress
from jobs.worker.child import PUBLISH_EVERY_S, WRITE_PAUSE_S, PeakMemory, ThrottledReport, persist


def progress(tiles):
    return Progress(tiles / 10, tiles, 10, tiles, 10)


class Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


def test_progress_is_published_four_times_a_second_first_and_last_always():
    published, clock = [], Clock()
    report = ThrottledReport(published.append, clock)
    for tiles in range(11):  # 11 reports in 1 s
        report(progress(tiles))
        clock.now_s += 0.1
    report.flush()
    # every 0.25 s falls on every third tenth
    assert [one.tiles_done for one in published] == [0, 3, 6, 9, 10]
    assert 1 / PUBLISH_EVERY_S == 4


def test_nothing_is_published_twice():
    published = []
    report = ThrottledReport(published.append, Clock())
    report(progress(1))
    report.flush()
    assert len(published) == 1


def test_a_ledger_that_does_not_answer_loses_progress_but_not_the_job():
    def publish(_):
        raise OperationalError("UPDATE job", {}, Exception("gone"))

    ThrottledReport(publish, Clock())(progress(1))


def test_a_stale_attempt_is_stopped_by_its_report():
    def publish(_):
        raise StaleAttempt

    with pytest.raises(StaleAttempt):
        ThrottledReport(publish, Clock())(progress(1))


def test_memory_counts_private_pages_apart():
    memory = PeakMemory()
    before_mb = memory.metrics()["private_memory_mb"]
    block = b"x" * 50_000_000
    memory.sample()
    metrics = memory.metrics()
    assert len(block) / 1e6 <= metrics["private_memory_mb"] - before_mb + 5
    assert metrics["peak_memory_mb"] >= metrics["private_memory_mb"]


class Restarting:
    """A ledger that answers after ``failures`` tries,
    and a clock that passes only while one sleeps.
    """

    def __init__(self, failures, error=None):
        self.failures, self.calls, self.slept = failures, 0, []
        self.error = error or OperationalError("UPDATE job", {}, Exception("starting up"))

    def write(self):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return "written"

    def persist(self, patience_s):
        return persist(self.write, patience_s, sleep=self.slept.append, clock=lambda: sum(self.slept))


@pytest.mark.parametrize("error", [None, LedgerUnavailable()])
def test_an_attempt_waits_while_the_ledger_restarts_whatever_it_asks(error):
    ledger = Restarting(failures=3, error=error)
    assert ledger.persist(patience_s=60) == "written"
    assert (ledger.calls, ledger.slept) == (4, [WRITE_PAUSE_S] * 3)


def test_a_ledger_that_stays_away_ends_the_attempt():
    ledger = Restarting(failures=10**6)
    with pytest.raises(OperationalError):
        ledger.persist(patience_s=30)
    assert sum(ledger.slept) == 30


def test_a_stale_attempt_is_not_written_again():
    def write():
        raise StaleAttempt

    with pytest.raises(StaleAttempt):
        persist(write, 60, sleep=lambda _: pytest.fail("must not wait"))
