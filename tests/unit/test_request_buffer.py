"""Where a request ends, however its bytes come."""

from __future__ import annotations

import pytest

from api.servers.request_buffer import MOST_BODY_BYTES, MOST_HEAD_BYTES, RequestBuffer

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-length:  5 \r\n\r\nhello"
EMPTY = b"POST /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n5;a=b\r\n0\r\n\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n"
TRAILERS = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nDigest: x\r\n\r\n"
AFTER_AN_EMPTY_LINE = b"\r\n" + GET


@pytest.mark.parametrize("text", [GET, POST, EMPTY, CHUNKED, TRAILERS, AFTER_AN_EMPTY_LINE])
@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_a_request_is_whole_with_its_last_byte_and_not_before(text, step):
    arrival = RequestBuffer()
    for begin in range(0, len(text) - 1, step):
        arrival.add(text[begin : min(begin + step, len(text) - 1)])
        assert not arrival.is_whole, text[: begin + step]
    arrival.add(text[-1:])
    assert arrival.is_whole
    assert not arrival.is_torn
    assert not arrival.is_broken


@pytest.mark.parametrize("first", [GET, POST, EMPTY, CHUNKED, TRAILERS])
def test_what_comes_behind_a_request_is_left_for_the_next(first):
    arrival = RequestBuffer(first + POST[:20])
    assert arrival.is_whole
    assert arrival.cut() == (first, POST[:20])
    second = RequestBuffer(POST[:20])
    assert not second.is_whole
    second.add(POST[20:])
    assert second.is_whole


@pytest.mark.parametrize(
    "text",
    [
        b"POST /a HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY_BYTES + 1),
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % (MOST_BODY_BYTES + 1),
    ],
)
def test_a_body_that_is_too_long_for_the_site_is_not_waited_for_and_nothing_may_follow_it(text):
    arrival = RequestBuffer(text)
    assert arrival.is_whole
    assert arrival.is_torn


def test_a_head_without_end_is_too_long():
    arrival = RequestBuffer(b"GET / HTTP/1.1\r\n")
    assert not arrival.too_long
    arrival.add(b"a: b\r\n" * (MOST_HEAD_BYTES // 6))
    assert not arrival.is_whole
    assert arrival.too_long


@pytest.mark.parametrize("chunks", [b"x\r\n", b"5 hello\r\n", b"000000001\r\na\r\n0\r\n\r\n", b"2\r\nab0\r\n\r\n"])
def test_chunks_that_are_none_are_not_waited_for(chunks):
    for text in (chunks, TRAILERS.partition(b"\r\n\r\n")[2][:6] + chunks):
        arrival = RequestBuffer(b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + text)
        assert arrival.is_whole
        assert arrival.is_broken


@pytest.mark.parametrize(("behind", "waits"), [(b"", True), (b"hello", False)])
def test_a_client_that_waits_for_leave_to_send_its_body_is_known(behind, waits):
    arrival = RequestBuffer(b"POST /a HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n" + behind)
    assert arrival.expects_continue is waits
