import pytest

from jobs.ledger.leases import ExpiredLease, LeaseWatch
from jobs.policy import TIMES

LEASE = ExpiredLease("job", 1, 1000)


def test_a_lease_is_lost_only_when_its_worker_had_time_to_renew_it():
    watch = LeaseWatch(TIMES.certain_s)
    assert watch.lost([LEASE], 100.0) == []
    assert watch.lost([LEASE], 100.0 + TIMES.certain_s - 0.1) == []
    assert watch.lost([LEASE], 100.0 + TIMES.certain_s) == [LEASE]
    assert TIMES.certain_s > TIMES.heartbeat_s


@pytest.mark.parametrize("renewed", [LEASE._replace(lease_until_ms=1001), LEASE._replace(attempt=2)])
def test_a_lease_that_was_renewed_begins_anew(renewed):
    watch = LeaseWatch(TIMES.certain_s)
    watch.lost([LEASE], 100.0)
    assert watch.lost([renewed], 110.0) == []


def test_a_lease_that_was_good_in_between_begins_anew():
    watch = LeaseWatch(TIMES.certain_s)
    watch.lost([LEASE], 100.0)
    watch.lost([], 101.0)
    assert watch.lost([LEASE], 110.0) == []
