import signal

import pytest

from errors import DiskFull, NoData, NotPermitted, QueueFull, SourceMismatch, UnknownSensor, UnknownStation
from jobs.job import TRANSITIONS, JobError, Progress, Status, sources_of
from jobs.policy import Limits, Shares, queue_of
from jobs.retry import backoff_ms, retry_delay_ms
from jobs.worker.attempt_errors import death_error, is_overdue, lost_error, timeout_error


@pytest.mark.parametrize(
    ("failures", "jitter", "expected_ms"),
    [
        (1, 0.0, 1_000),
        (2, 0.0, 2_000),
        (3, 0.0, 4_000),
        (6, 0.0, 32_000),
        (7, 0.0, 60_000),  # 64 s, cut
        (1_000_000, 0.0, 60_000),
        (1, 1.0, 750),  # 1000 × (1 − 0.25)
        (3, 0.5, 3_500),  # 4000 × (1 − 0.125)
    ],
)
def test_backoff_doubles_up_to_a_minute_and_chance_shortens_it(failures, jitter, expected_ms):
    assert backoff_ms(failures, jitter) == expected_ms


@pytest.mark.parametrize(
    ("failures", "tries", "retryable", "again"),
    [(1, 3, True, True), (2, 3, True, True), (3, 3, True, False), (4, 3, True, False), (1, 3, False, False), (1, 1, True, False)],
)
def test_a_job_is_tried_again_only_while_that_may_help(failures, tries, retryable, again):
    assert (retry_delay_ms(failures, tries, retryable, 0.0) is not None) == again


def test_an_attempt_is_overdue_at_its_limit():
    assert not is_overdue(9.999, 10)
    assert is_overdue(10, 10)


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [
        (1, "exit code 1"),
        (0, "without a result (exit code 0)"),
        (-signal.SIGKILL, "killed (SIGKILL); often the machine ran out of memory"),
        (-signal.SIGSEGV, "crashed (SIGSEGV)"),
        (-signal.SIGTERM, "stopped by a signal (SIGTERM)"),
        (-signal.SIGRTMIN - 3, f"signal {signal.SIGRTMIN + 3}"),
    ],
)
def test_a_death_is_told_in_plain_words_and_may_be_tried_again(exit_code, words):
    error = death_error(exit_code)
    assert words in error.message
    assert (error.code, error.retryable) == ("died", True)


def test_a_crash_under_a_memory_limit_may_have_been_its_doing():
    assert "more memory than its 500 MB" in death_error(-signal.SIGABRT, memory_mb=500).message
    assert "memory" not in death_error(-signal.SIGABRT).message


@pytest.mark.parametrize(("rows", "queue"), [(0, "history"), (99, "history"), (100, "history-large"), (10**12, "history-large")])
def test_the_estimate_decides_the_queue(rows, queue):
    assert queue_of(rows, large_rows=100) == queue


@pytest.mark.parametrize(
    ("shares", "active_of_user", "queued", "refused"),
    [
        (Shares(), 10**6, 10**6, False),
        (Shares(user_jobs=2), 1, 10**6, False),
        (Shares(user_jobs=2), 2, 0, True),
        (Shares(queued_jobs=5), 10**6, 4, False),
        (Shares(queued_jobs=5), 0, 5, True),
    ],
)
def test_shares_are_used_up_at_their_limits(shares, active_of_user, queued, refused):
    if not refused:
        shares.check(active_of_user=active_of_user, queued=queued)
        return
    with pytest.raises(QueueFull):
        shares.check(active_of_user=active_of_user, queued=queued)


@pytest.mark.parametrize("kind", [UnknownStation, UnknownSensor, NoData, NotPermitted, SourceMismatch, DiskFull])
def test_what_waiting_does_not_mend_is_not_tried_again(kind):
    assert not JobError.of(kind()).retryable


def test_timeout_and_lost_worker_may_be_tried_again():
    assert timeout_error(300).message == "The load exceeded the time limit of 300 s."
    assert timeout_error(0.5).retryable
    assert lost_error().retryable


@pytest.mark.parametrize(
    ("limits", "claimed", "worked_s", "empty", "reached"),
    [
        (Limits(), 10**6, 10**6, True, False),
        (Limits(max_jobs=2), 1, 0, True, False),
        (Limits(max_jobs=2), 2, 0, False, True),
        (Limits(max_seconds=5), 0, 4.9, True, False),
        (Limits(max_seconds=5), 0, 5, False, True),
        (Limits(stop_when_empty=True), 0, 0, False, False),
        (Limits(stop_when_empty=True), 0, 0, True, True),
    ],
)
def test_a_worker_ends_at_the_first_of_its_limits(limits, claimed, worked_s, empty, reached):
    assert limits.reached(claimed=claimed, worked_s=worked_s, empty=empty) is reached


def test_only_these_transitions_are_legal():
    legal = {(source.value, target.value) for source, targets in TRANSITIONS.items() for target in targets}
    assert legal == {
        ("queued", "running"),
        ("queued", "cancelled"),
        ("queued", "failed"),
        ("running", "completed"),
        ("running", "failed"),
        ("running", "cancelled"),
        ("running", "queued"),
        ("failed", "queued"),
        ("cancelled", "queued"),
    }
    assert set(sources_of(Status.QUEUED)) == {Status.RUNNING, Status.FAILED, Status.CANCELLED}


def test_an_unexpected_error_keeps_its_traceback_and_is_not_tried_again():
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError as exc:
        error = JobError.of(exc)
    assert error.message == "Something unexpected happened: ZeroDivisionError."
    assert "by nothing" in error.details
    assert not error.retryable


def test_details_hold_no_password():
    try:
        raise ValueError("redis://:hunter2@host")
    except ValueError as exc:
        error = JobError.of(exc)
    assert error.details.endswith("ValueError: redis://:…@host\n")


def test_error_and_progress_survive_json():
    error = JobError("source", "Bad {what}.", {"what": "ß–µ"}, True, "details")
    assert JobError.from_json(error.to_json()) == error
    progress = Progress(0.25, 1, 4, 10, 40, station="aws-1", month=24_230, seconds_left=1.5)
    assert Progress.from_json(progress.to_json()) == progress
