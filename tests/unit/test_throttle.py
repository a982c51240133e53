"""How attempts to sign in are slowed down; the clock is the test's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import diskcache
import pytest
from hypothesis import given
from hypothesis import strategies as some

from access.throttle import FORGOTTEN_S, LONGEST_WAIT_S, Attempts, of_address, of_name, wait_s
from errors import TooManyAttempts

NOON_S = 1_800_000_000.0


@dataclass
class Clock:
    now_s: float = NOON_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def attempts(tmp_path: Path, clock: Clock) -> Iterator[Attempts]:
    with diskcache.Cache(str(tmp_path / "logins")) as cache:
        yield Attempts(cache, clock)


def fails(attempts: Attempts, *subjects, times: int = 1) -> None:
    for _ in range(times):
        attempts.begin(subjects)


def must_wait(attempts: Attempts, *subjects) -> int:
    with pytest.raises(TooManyAttempts) as refused:
        attempts.begin(subjects)
    return refused.value.wait_s


@pytest.mark.parametrize(("failures", "waits"), [(0, 0), (4, 0), (5, 5), (6, 10), (7, 20), (12, 640), (13, 900), (10**6, 900)])
def test_each_failure_beyond_the_free_ones_doubles_the_wait(failures, waits):
    assert wait_s(failures, free=5) == waits


@given(some.integers(0, 10**9), some.integers(0, 100))
def test_no_wait_is_shorter_than_the_one_before_or_longer_than_the_longest(failures, free):
    assert 0 <= wait_s(failures, free) <= wait_s(failures + 1, free) <= LONGEST_WAIT_S


def test_the_sixth_attempt_at_a_name_waits_and_is_told_how_long(attempts, clock):
    sari = of_name("sari")
    fails(attempts, sari, times=5)
    assert must_wait(attempts, sari) in (5, 6)
    clock.now_s += 4.5
    assert must_wait(attempts, sari) == 1
    clock.now_s += 1
    fails(attempts, sari)
    assert must_wait(attempts, sari) in (10, 11)


def test_attempts_that_were_told_to_wait_do_not_make_the_wait_longer(attempts, clock):
    sari = of_name("sari")
    fails(attempts, sari, times=5)
    for _ in range(50):
        must_wait(attempts, sari)
    clock.now_s += 5.1
    fails(attempts, sari)


def test_another_name_from_another_address_does_not_wait(attempts):
    fails(attempts, of_name("sari"), of_address("192.0.2.1"), times=5)
    must_wait(attempts, of_name("sari"), of_address("192.0.2.2"))
    attempts.begin((of_name("budi"), of_address("192.0.2.1")))


def test_an_address_that_tries_many_names_waits(attempts):
    for number in range(20):
        attempts.begin((of_name(f"user {number}"), of_address("192.0.2.1")))
    must_wait(attempts, of_name("another"), of_address("192.0.2.1"))
    attempts.begin((of_name("another"), of_address("192.0.2.2")))


def test_a_success_forgets_the_failures_of_the_name(attempts):
    sari = of_name("sari")
    fails(attempts, sari, times=5)
    attempts.succeeded((sari,))
    fails(attempts, sari, times=5)
    must_wait(attempts, sari)


def test_an_own_account_buys_no_attempts_at_others(attempts):
    here = of_address("192.0.2.1")
    for number in range(20):
        fails(attempts, of_name(f"victim {number}"), here)
        if number < 19:
            own = (of_name("attacker"), here)
            attempts.begin(own)
            attempts.succeeded(own)
    must_wait(attempts, of_name("attacker"), here)


def test_a_success_makes_nobody_wait_and_ends_no_wait_of_its_address(attempts, clock):
    here, own = of_address("192.0.2.1"), of_name("sari")
    for number in range(20):
        fails(attempts, of_name(f"victim {number}"), here)
    clock.now_s += 5.1  # the wait of the twentieth
    for _ in range(3):
        attempts.begin((own, here))
        attempts.succeeded((own, here))  # and the next of the same office signs in at once
    fails(attempts, of_name("another"), here)
    assert must_wait(attempts, of_name("another 2"), here) in (10, 11)
    clock.now_s += 5
    assert must_wait(attempts, own, here) in (5, 6)  # also who would be right


def test_a_whole_site_of_ipv6_is_one_address_and_ipv4_in_its_clothes_is_ipv4():
    assert of_address("2001:db8:1:2::1") == of_address("2001:db8:1:2:ffff::9")
    assert of_address("2001:db8:1:2::1") != of_address("2001:db8:1:3::1")
    assert of_address("::ffff:192.0.2.1") == of_address("192.0.2.1")


def test_failures_are_forgotten_after_an_hour_of_quiet(attempts, clock):
    sari = of_name("sari")
    fails(attempts, sari, times=5)
    clock.now_s += FORGOTTEN_S + 1
    fails(attempts, sari, times=5)


def test_a_clock_that_was_set_back_locks_nobody_out(attempts, clock):
    sari = of_name("sari")
    fails(attempts, sari, times=5)
    clock.now_s -= 86_400
    fails(attempts, sari)


def test_many_attempts_at_once_count_as_many(tmp_path, clock):
    """Each thread has a cache of its own, as each web process has."""
    folder = str(tmp_path / "logins")

    def attempt(_number: int) -> bool:
        with diskcache.Cache(folder, timeout=30) as cache:
            try:
                Attempts(cache, clock).begin((of_name("sari"),))
            except TooManyAttempts:
                return False
            return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(40))) == 5


def test_nobody_counts_between_the_look_at_a_count_and_its_change(tmp_path, clock):
    folder = str(tmp_path / "logins")
    came_between = []

    class Slow(diskcache.Cache):
        def get(self, *arguments, **named):
            found = super().get(*arguments, **named)
            try:
                other.set(of_name("sari").text, f"4 {NOON_S}")
                came_between.append(True)
            except diskcache.Timeout:
                came_between.append(False)
            return found

    with diskcache.Cache(folder, timeout=0.05) as other, Slow(folder) as cache:  # two web processes
        Attempts(cache, clock).begin((of_name("sari"),))
    assert came_between == [False]


def test_the_key_of_a_name_does_not_tell_it():
    assert "rahasia" not in of_name("rahasia").text
    assert of_name("Sari") != of_name("sari")
