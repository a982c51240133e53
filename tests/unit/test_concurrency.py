"""ConcurrencyLimit of downloads and of requests in hand."""

from __future__ import annotations

import gc
import threading
from contextlib import suppress

import pytest
from flask import Response

from access.identity import Identity
from api.concurrency import ConcurrencyLimit, limit_key
from errors import Busy, TooManyRequests


def test_an_asker_gets_so_many_and_all_together_so_many():
    limit = ConcurrencyLimit(each=2, in_all=3)
    given = [limit.acquire("sari"), limit.acquire("sari")]
    with pytest.raises(TooManyRequests) as refused:
        limit.acquire("sari")
    assert (refused.value.http_status, refused.value.wait_s) == (429, 5)
    limit.acquire("budi")
    with pytest.raises(Busy) as busy:
        limit.acquire("wati")
    assert busy.value.http_status == 503
    given[0]()
    given[0]()  # once is enough, and twice gives no second slot
    limit.acquire("wati")
    with pytest.raises(Busy):
        limit.acquire("budi")


def test_a_slot_is_free_again_when_its_answer_is_sent_or_nobody_has_it_any_more():
    limit = ConcurrencyLimit(each=1, in_all=1)
    for end in (Response.close, lambda answer: None):
        answer = Response("x")
        limit.hold("sari", answer)
        with pytest.raises(TooManyRequests):
            limit.acquire("sari")
        end(answer)
        del answer
        gc.collect()
        limit.acquire("sari")()


class Collected(ConcurrencyLimit):
    """Garbage is collected in the midst of a `take`, as may happen wherever something is made."""

    def _counted(self, times, now_s):
        gc.collect()
        return super()._counted(times, now_s)


def test_an_answer_that_is_collected_while_a_slot_is_taken_gives_its_own_back():
    limit = Collected(each=1, in_all=1)
    answer = Response("x")
    answer.self = answer  # so that the collector ends it, and nothing before
    limit.hold("sari", answer)
    del answer

    def take() -> None:
        with suppress(TooManyRequests):
            limit.acquire("sari")

    taking = threading.Thread(target=take, daemon=True)
    taking.start()
    taking.join(10)
    assert not taking.is_alive()
    limit.acquire("budi")


def test_what_is_quick_takes_no_slot_of_those_that_are_slow():
    now_s = [0.0]
    limit = ConcurrencyLimit(each=2, in_all=100, grace_s=1, clock_s=lambda: now_s[0])
    for _ in range(20):
        limit.acquire("sari")
    now_s[0] = 0.9
    limit.acquire("sari")
    now_s[0] = 1.0
    with pytest.raises(TooManyRequests):
        limit.acquire("sari")
    limit.acquire("budi")


def test_who_looks_at_charts_counts_by_who_made_them_and_apart_from_that_user():
    viewers = [limit_key(Identity(f"embed:{number}", via="embed", maker="sari")) for number in range(2)]
    assert viewers[0] == viewers[1] != limit_key(Identity("sari"))
    assert limit_key(Identity("sari", via="key")) == limit_key(Identity("sari", via="proxy"))
