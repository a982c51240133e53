"""The ledger on every database that is supported."""

import time

import pytest
from sqlalchemy import update

from data.database.engine import make_engine
from data.request import HistoryRequest
from errors import Conflict, JobNotFound, SourceUnavailable, StaleAttempt
from jobs.job import JobError, Progress, Status, WorkerInfo
from jobs.ledger import tables
from jobs.ledger.ledger import Ledger, migrate_jobs
from jobs.policy import HISTORY, WORKBOOK
from tests.processes import clean_forks

WORKER = WorkerInfo("w-1", "host", 1, ("history",), 2, 0, 0)
RETRYABLE = JobError.of(SourceUnavailable())
FATAL = JobError.of(ValueError("no"))
HALF = Progress(0.5, 1, 2, 3, 4)


def request_for(station="aws-1", start_ms=0):
    return HistoryRequest((station,), ("temperature",), start_ms, start_ms + 1000)


@pytest.fixture
def ledger(migrated_url):
    engine = make_engine(migrated_url)
    yield Ledger(engine)
    engine.dispose()


def claim(ledger, worker_id="w-1", **how):
    return ledger.claim(worker_id, ["history"], **how)


def wait_for(condition, deadline_s=60):
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def run_out(ledger, job):
    """As if the worker had been silent for longer than the lease."""
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.job).where(tables.job.c.id == job.id).values(lease_until_ms=tables.now_ms() - 1))


def test_migrating_twice_changes_nothing(ledger):
    job = ledger.submit("siti", request_for())
    migrate_jobs(ledger.engine)
    assert ledger.get(job.id) == job


def test_a_job_comes_back_as_it_was_submitted(ledger):
    request = HistoryRequest(("Pos µ-1/β", "b"), ("rainfall",), -5, 10, "1h", "Asia/Jakarta")
    job = ledger.submit("siti", request, rows_estimate=7, tries=2, timeout_s=1.5)
    assert ledger.get(job.id) == job
    assert (job.request, job.owner, job.status) == (request, "siti", Status.QUEUED)
    assert (job.rows_estimate, job.tries, job.timeout_s, job.attempt, job.failures) == (7, 2, 1.5, 0, 0)
    assert abs(job.created_ms - time.time() * 1000) < 5000  # the database's clock, in ms


def test_a_job_is_told_whole_too_by_a_database_that_returns_no_row_that_it_inserts(ledger, monkeypatch):
    monkeypatch.setattr(ledger.engine.dialect, "insert_returning", False)  # as MySQL
    for job in (ledger.submit("siti", request_for(), by_page=True), ledger.record_completed("siti", request_for(), {})):
        assert ledger.get(job.id) == job


def test_ids_cannot_be_guessed_and_are_no_options(ledger):
    ids = {ledger.submit("siti", request_for(start_ms=start)).id for start in range(50)}
    assert len(ids) == 50
    assert all(len(one) >= 16 and one.isalnum() and one[0].isalpha() for one in ids)


def test_an_equal_active_request_of_one_owner_is_one_job(ledger):
    job = ledger.submit("siti", request_for())
    assert ledger.submit("siti", request_for()).id == job.id
    assert claim(ledger).id == job.id
    assert ledger.submit("siti", request_for()).id == job.id  # running, too
    assert ledger.submit("Siti", request_for()).id != job.id  # another user
    ledger.complete(job.id, 1, {})
    assert ledger.submit("siti", request_for()).id != job.id  # the old one has ended


def test_the_latest_job_of_a_kind_is_found_whatever_became_of_it_and_kinds_never_join(ledger):
    request = request_for("stasiun É")
    history = ledger.submit("siti", request)
    assert ledger.latest("siti", WORKBOOK, request) is None
    first = ledger.submit("siti", request, kind=WORKBOOK)
    assert first.id != history.id
    assert ledger.submit("siti", request, kind=WORKBOOK).id == first.id
    ledger.cancel(first.id)
    assert ledger.latest("siti", WORKBOOK, request).status is Status.CANCELLED
    second = ledger.submit("siti", request, kind=WORKBOOK)
    assert ledger.latest("siti", WORKBOOK, request).id == second.id
    assert ledger.latest("Siti", WORKBOOK, request) is None
    assert ledger.latest("siti", WORKBOOK, request_for("stasiun e")) is None
    assert ledger.latest("siti", HISTORY, request).id == history.id


def test_jobs_are_claimed_in_the_order_of_arrival(ledger):
    jobs = [ledger.submit("siti", request_for(start_ms=start)) for start in range(5)]
    assert [ledger.position(job) for job in jobs] == [1, 2, 3, 4, 5]
    assert [claim(ledger).id for _ in jobs] == [job.id for job in jobs]
    assert claim(ledger) is None
    assert ledger.position(ledger.get(jobs[0].id)) is None


def test_a_worker_claims_only_from_its_queues(ledger):
    other = ledger.submit("siti", request_for(), queue="other")
    mine = ledger.submit("siti", request_for(start_ms=1))
    assert ledger.position(mine) == 1
    assert claim(ledger).id == mine.id
    assert claim(ledger) is None
    assert ledger.claim("w-1", ["history", "other"]).id == other.id


def test_one_job_may_be_claimed_by_name(ledger):
    ledger.submit("siti", request_for())
    second = ledger.submit("siti", request_for(start_ms=1))
    assert claim(ledger, only=second.id).id == second.id
    assert claim(ledger, only=second.id) is None


def test_a_claim_begins_an_attempt(ledger):
    job = ledger.submit("siti", request_for())
    claimed = claim(ledger)
    assert (claimed.status, claimed.attempt) == (Status.RUNNING, 1)
    assert claimed.started_ms >= job.created_ms
    assert claimed.version > job.version


def test_progress_and_every_change_raise_the_version(ledger):
    versions = [ledger.submit("siti", request_for()).version]
    job = claim(ledger)
    versions.append(job.version)
    ledger.report(job.id, 1, HALF)
    assert ledger.get(job.id).progress == HALF
    versions.append(ledger.get(job.id).version)
    ledger.complete(job.id, 1, {"rows": 3, "seconds": 0.5})
    done = ledger.get(job.id)
    versions.append(done.version)
    assert versions == sorted(set(versions))
    assert (done.status, done.metrics) == (Status.COMPLETED, {"rows": 3, "seconds": 0.5})
    assert done.finished_ms >= done.started_ms


@pytest.mark.parametrize("write", ["report", "complete", "fail", "requeue"])
@pytest.mark.parametrize("reason", ["cancelled", "taken over"])
def test_a_stale_attempt_is_refused(ledger, write, reason):
    job = ledger.submit("siti", request_for())
    claim(ledger)
    if reason == "cancelled":
        ledger.cancel(job.id)
    else:
        ledger.requeue(job.id, 1)
        assert claim(ledger, "w-2").attempt == 2
    before = ledger.get(job.id)
    arguments = {"report": (HALF,), "complete": ({},), "fail": (FATAL,), "requeue": ()}[write]
    with pytest.raises(StaleAttempt):
        getattr(ledger, write)(job.id, 1, *arguments, **({"jitter": 0.0} if write == "fail" else {}))
    assert ledger.get(job.id) == before


def test_a_failed_attempt_waits_and_is_tried_again_until_no_try_is_left(ledger):
    job = ledger.submit("siti", request_for(), tries=2)
    claim(ledger)
    ledger.fail(job.id, 1, RETRYABLE, jitter=0.0)
    waiting = ledger.get(job.id)
    assert (waiting.status, waiting.failures, waiting.error) == (Status.QUEUED, 1, RETRYABLE)
    assert waiting.not_before_ms > waiting.created_ms
    assert claim(ledger) is None  # the back-off of 1 s is not over
    taken = []
    wait_for(lambda: taken.append(claim(ledger)) or taken[-1])
    assert taken[-1].attempt == 2
    ledger.fail(job.id, 2, RETRYABLE, jitter=0.0)
    failed = ledger.get(job.id)
    assert (failed.status, failed.failures, failed.error) == (Status.FAILED, 2, RETRYABLE)


def test_an_error_that_cannot_pass_fails_at_once(ledger):
    job = ledger.submit("siti", request_for())
    claim(ledger)
    ledger.fail(job.id, 1, FATAL, jitter=0.0)
    assert ledger.get(job.id).status is Status.FAILED


def test_giving_a_job_back_costs_no_try_and_no_place(ledger):
    first, second = (ledger.submit("siti", request_for(start_ms=start), tries=1) for start in (0, 1))
    claim(ledger)
    ledger.requeue(first.id, 1)
    assert (ledger.get(first.id).failures, ledger.position(ledger.get(first.id))) == (0, 1)
    assert ledger.position(ledger.get(second.id)) == 2
    assert claim(ledger).attempt == 2


def test_success_after_a_failure_forgets_the_error(ledger):
    job = ledger.submit("siti", request_for())
    claim(ledger)
    ledger.fail(job.id, 1, RETRYABLE, jitter=1.0)
    wait_for(lambda: claim(ledger))
    ledger.complete(job.id, 2, {})
    assert ledger.get(job.id).error is None


def test_cancel_and_retry_follow_the_states(ledger):
    job = ledger.submit("siti", request_for())
    with pytest.raises(Conflict):
        ledger.retry(job.id)
    assert ledger.cancel(job.id).status is Status.CANCELLED
    with pytest.raises(Conflict):
        ledger.cancel(job.id)
    again = ledger.retry(job.id)
    assert (again.status, again.failures, again.finished_ms) == (Status.QUEUED, 0, None)
    claim(ledger)
    with pytest.raises(Conflict):
        ledger.retry(job.id)  # it runs
    ledger.complete(job.id, 1, {})
    for act in (ledger.cancel, ledger.retry):
        with pytest.raises(Conflict):
            act(job.id)


def test_a_retried_job_goes_to_the_end_of_the_line(ledger):
    first, second = (ledger.submit("siti", request_for(start_ms=start)) for start in (0, 1))
    ledger.cancel(first.id)
    wait_for(lambda: time.time() * 1000 > second.created_ms + 5)
    assert ledger.position(ledger.retry(first.id)) == 2
    assert [claim(ledger).id, claim(ledger).id] == [second.id, first.id]


def test_retry_does_not_make_a_second_job_of_an_equal_one(ledger):
    old = ledger.submit("siti", request_for())
    ledger.cancel(old.id)
    ledger.submit("siti", request_for())
    with pytest.raises(Conflict, match="same load"):
        ledger.retry(old.id)
    assert ledger.get(old.id).status is Status.CANCELLED


@pytest.mark.parametrize("act", ["get", "cancel", "retry"])
@pytest.mark.parametrize("job_id", ["", "nope", "x" * 5000, "'; DROP TABLE job; --"])
def test_what_is_no_job_is_not_found(ledger, act, job_id):
    with pytest.raises(JobNotFound):
        getattr(ledger, act)(job_id)


def test_statuses_are_told_of_latest_attempts_only(ledger):
    jobs = [ledger.submit("siti", request_for(start_ms=start)) for start in range(4)]
    for _ in jobs[:3]:
        claim(ledger)
    ledger.cancel(jobs[1].id)
    asked = {jobs[0].id: 1, jobs[1].id: 1, jobs[2].id: 2, jobs[3].id: 0}
    expected = {jobs[0].id: Status.RUNNING, jobs[1].id: Status.CANCELLED, jobs[3].id: Status.QUEUED}
    assert ledger.attempt_statuses(asked) == expected
    assert ledger.attempt_statuses({}) == {}


def test_only_a_lease_that_has_run_out_is_expired(ledger):
    jobs = [ledger.submit("siti", request_for(start_ms=start)) for start in range(2)]
    for _ in jobs:
        claim(ledger)
    assert ledger.expired() == []
    run_out(ledger, jobs[0])
    assert [(lease.job_id, lease.attempt) for lease in ledger.expired()] == [(jobs[0].id, 1)]


@pytest.mark.parametrize("sign", ["heartbeat", "report"])
def test_a_sign_of_life_renews_the_lease(ledger, sign):
    job = ledger.submit("siti", request_for())
    claim(ledger)
    run_out(ledger, job)
    if sign == "heartbeat":
        ledger.heartbeat(WORKER, {job.id: 1})
    else:
        ledger.report(job.id, 1, HALF)
    assert ledger.expired() == []


def test_a_report_never_shortens_a_long_lease(migrated_url):
    engine = make_engine(migrated_url)
    ledger = Ledger(engine, lease_ms=-1)  # every ordinary lease has run out at once
    job = ledger.submit("siti", request_for())
    claim(ledger, lease_ms=60_000)
    ledger.report(job.id, 1, HALF)
    assert ledger.expired() == []
    engine.dispose()


def test_only_workers_that_gave_a_sign_of_life_are_alive(ledger):
    assert ledger.workers() == ()
    assert ledger.heartbeat(WORKER) is False
    (alive,) = ledger.workers()
    assert (alive.id, alive.pid, alive.queues, alive.slots) == ("w-1", 1, ("history",), 2)
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.worker).values(seen_ms=tables.now_ms() - 10_500))
    assert ledger.workers() == ()
    ledger.heartbeat(WORKER)
    assert len(ledger.workers()) == 1
    ledger.leave("w-1")
    assert ledger.workers() == ()


def test_a_worker_hears_that_it_is_to_restart(ledger):
    ledger.heartbeat(WORKER)
    assert ledger.ask_restart() == 1
    assert ledger.heartbeat(WORKER) is True


def test_lists_are_newest_first_filtered_and_paged(ledger):
    jobs = [ledger.submit("siti" if start % 2 else "budi", request_for(start_ms=start)) for start in range(6)]
    ids = [job.id for job in jobs][::-1]
    assert [job.id for job in ledger.jobs()] == ids
    assert [job.id for job in ledger.jobs("siti")] == ids[::2]
    assert [job.id for job in ledger.jobs(limit=2)] == ids[:2]
    assert [job.id for job in ledger.jobs(limit=2, before=ids[1])] == ids[2:4]
    ledger.cancel(ids[3])
    assert [job.id for job in ledger.jobs(status=Status.CANCELLED)] == [ids[3]]
    assert ledger.counts() == {"history": {Status.QUEUED: 5, Status.CANCELLED: 1}}
    assert ledger.waiting(["history"]) == 5


def test_owners_differ_by_case(ledger):
    ledger.submit("Bob", request_for())
    assert ledger.jobs("bob") == []


def test_a_job_that_needed_no_work_is_completed_from_the_start(ledger):
    job = ledger.record_completed("siti", request_for(), {"rows": 5})
    assert (job.status, job.metrics) == (Status.COMPLETED, {"rows": 5})
    assert job.finished_ms is not None
    assert claim(ledger) is None


def test_a_page_that_asked_lately_watches_the_job(ledger):
    job = ledger.submit("siti", request_for())
    assert not ledger.watched(job.id)
    assert ledger.followed(job.id, "page-1") == (job, True)
    for _ in range(3):
        ledger.note_page(job.id, "page-1")
    assert ledger.followed(job.id, "page-1") == (job, False)
    assert ledger.followed(job.id, "page-2") == (job, True)
    assert ledger.watched(job.id)
    assert not ledger.watched(job.id, except_page="page-1")
    ledger.note_page(job.id, "page-2")
    assert ledger.watched(job.id, except_page="page-1")
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.job_page).values(seen_ms=tables.now_ms() - 10_500))
    assert not ledger.watched(job.id)
    assert ledger.followed(job.id, "page-1") == (job, True)
    ledger.note_page(job.id, "page-1")
    assert ledger.watched(job.id)


def test_a_job_is_of_a_page_until_anybody_else_asks_for_it(ledger):
    job = ledger.submit("siti", request_for(), by_page=True)
    assert ledger.is_of_page(job.id)
    assert not ledger.watched(job.id)
    assert ledger.submit("siti", request_for(), by_page=True).id == job.id
    assert ledger.is_of_page(job.id)
    assert ledger.submit("siti", request_for()).id == job.id
    assert not ledger.is_of_page(job.id)
    assert ledger.submit("siti", request_for(), by_page=True).id == job.id
    assert not ledger.is_of_page(job.id)
    for by_page in (True, False):
        ledger.cancel(job.id)
        ledger.retry(job.id, by_page=by_page)
        assert ledger.is_of_page(job.id) == by_page


def test_that_a_job_is_of_a_page_is_known_as_long_as_the_job(ledger):
    job = ledger.submit("siti", request_for(), by_page=True)
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.job_page).values(seen_ms=1))
    # which forgets old pages
    ledger.heartbeat(WorkerInfo("another", "here", 1, ("history",), 1, 0, 0))
    assert ledger.is_of_page(job.id)
    ledger.cancel(job.id)
    assert ledger.prune(older_than_s=-60) == 1
    assert not ledger.is_of_page(job.id)


def test_prune_forgets_only_what_ended_long_ago(ledger):
    old, new, active = (ledger.submit("siti", request_for(start_ms=start)) for start in range(3))
    ledger.cancel(old.id)
    ledger.cancel(new.id)
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.job).where(tables.job.c.id == old.id).values(finished_ms=tables.now_ms() - 61_000))
    assert ledger.prune(older_than_s=60) == 1
    assert {job.id for job in ledger.jobs()} == {new.id, active.id}


def _claim_all(url, worker_id, taken):
    ledger = Ledger(make_engine(url))
    while (job := ledger.claim(worker_id, ["history"])) is not None:
        taken.put((worker_id, job.id))
        ledger.complete(job.id, job.attempt, {})
    taken.put((worker_id, None))
    ledger.engine.dispose()


def _submit_one(url, ids):
    ledger = Ledger(make_engine(url))
    ids.put(ledger.submit("siti", request_for()).id)
    ledger.engine.dispose()


@pytest.mark.process
def test_of_many_workers_exactly_one_gets_each_job(ledger, migrated_url):
    expected = {ledger.submit("siti", request_for(start_ms=start)).id for start in range(60)}
    ledger.engine.dispose()
    server = clean_forks()
    taken = server.Queue()
    workers = [server.Process(target=_claim_all, args=(migrated_url, f"w-{number}", taken)) for number in range(3)]
    for worker in workers:
        worker.start()
    claims, ended = [], 0
    while ended < len(workers):
        _, job_id = taken.get(timeout=60)
        ended += job_id is None
        claims += [] if job_id is None else [job_id]
    for worker in workers:
        worker.join(30)
    assert sorted(claims) == sorted(expected)


def test_who_knows_of_a_change_joins_an_equal_job_that_waits_and_never_one_that_runs(ledger):
    waits = ledger.submit("a", request_for(), anew=True)
    assert ledger.submit("a", request_for(), anew=True).id == waits.id
    assert claim(ledger).id == waits.id
    assert ledger.submit("a", request_for()).id == waits.id
    second = ledger.submit("a", request_for(), anew=True)
    assert second.id != waits.id
    assert ledger.submit("a", request_for(), anew=True).id == second.id
    assert claim(ledger).id == second.id
    third = ledger.submit("a", request_for(), anew=True)
    assert third.id not in (waits.id, second.id)
    assert third.request == waits.request


@pytest.mark.process
def test_equal_requests_at_the_same_time_are_one_job(ledger, migrated_url):
    ledger.engine.dispose()
    server = clean_forks()
    ids = server.Queue()
    pages = [server.Process(target=_submit_one, args=(migrated_url, ids)) for _ in range(4)]
    for page in pages:
        page.start()
    found = {ids.get(timeout=60) for _ in pages}
    for page in pages:
        page.join(30)
    assert len(found) == 1
    assert len(ledger.jobs()) == 1


def test_speeds_are_of_latest_loads_that_read_enough_at_their_first_attempt(ledger):
    def load(number, rows, tiles=9, attempts=1):
        made = ledger.submit("sari", request_for(start_ms=number), rows_estimate=rows)
        for attempt in range(1, attempts + 1):
            claim(ledger)
            if attempt < attempts:
                ledger.requeue(made.id, attempt)
        with ledger.engine.begin() as connection:  # it takes two seconds
            begun = tables.job.c.started_ms - 2_000
            connection.execute(update(tables.job).where(tables.job.c.id == made.id).values(started_ms=begun))
        ledger.complete(made.id, attempts, {"tiles_read": tiles})

    assert ledger.load_speeds(20) == []
    load(1, 200_000)
    load(2, 49_999)
    load(3, 900_000, tiles=0)  # flags alone
    load(4, 900_000, attempts=2)
    ledger.record_completed("sari", request_for(), {"tiles_read": 0})
    load(5, 400_000)
    assert ledger.load_speeds(20) == pytest.approx([200_000, 100_000], rel=0.4)  # the clock of a busy machine
    assert len(ledger.load_speeds(1)) == 1
