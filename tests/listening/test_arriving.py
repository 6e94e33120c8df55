"""Where a request ends, however its bytes are cut."""

from __future__ import annotations

import pytest
from gunicorn.config import Config
from gunicorn.http import RequestParser
from gunicorn.http.errors import ParseException
from hypothesis import given
from hypothesis import strategies as st

from explainer.errors import HeadTooLarge, MalformedRequest, RequestRefused, TooLarge
from explainer.listening.arriving import OVERHEAD, Arrival
from explainer.listening.limits import Limits

SMALL = Limits(head_bytes=400, body_bytes=100)
GET = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n!\r\n00\r\nX-Trailer: yes\r\n\r\n"
)


def arrived(data: bytes, limits: Limits = SMALL) -> Arrival:
    arrival = Arrival(limits)
    arrival.feed(data)
    return arrival


@given(st.lists(st.sampled_from([GET, POST, CHUNKED]), min_size=1, max_size=4), st.data())
def test_requests_come_out_as_they_went_in_however_they_are_cut(requests: list[bytes], data: st.DataObject) -> None:
    """A stream cut anywhere gives the same requests, each as soon as its last byte has come and not before."""
    stream = b"".join(requests)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    arrival, taken, come = Arrival(SMALL), [], 0
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        come += end - start
        arrival.feed(stream[start:end])
        while arrival.whole:
            taken.append(arrival.take())
            arrival.feed(b"")
        assert len(b"".join(taken)) <= come
        assert len(taken) == sum(len(b"".join(requests[: i + 1])) <= come for i in range(len(requests)))
    assert taken == requests


HEADERS = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 4",
            b"content-length:4",
            b"Content-Length: 4 ",
            b"Content-Length:\t4",
            b"Content-Length : 4",
            b" Content-Length: 4",
            b"Content_Length: 4",
            b"X-Content-Length: 4",
            b"Content-Length: +4",
            b"Content-Length: 4, 4",
            b"Content-Length: \xb2",
            b"Content-Length: 0x4",
            b"Content-Length: -1",
            b"Content-Length:",
            b"X: a\nContent-Length: 4",
            b"X: a\rContent-Length: 4",
            b"Transfer-Encoding: chunked",
            b"transfer-encoding: CHUNKED",
            b"Transfer-Encoding: identity",
            b"Transfer-Encoding: gzip, chunked",
            b"Transfer-Encoding: chunked, chunked",
            b"Transfer-Encoding: xchunked",
            b"Transfer-Encoding:\x0bchunked",
            b"Host: here",
            b"Connection: keep-alive",
            b"Expect: 100-continue",
            b"Expect: 200-ok",
        ]
    ),
    max_size=3,
)
BODIES = st.sampled_from(
    [b"", b"hell", b"0\r\n\r\n", b"4\r\nhell\r\n0\r\n\r\n", b"1 \r\nh\r\n0\r\n\r\n", b"4\r\nhellXX0\r\n\r\n"]
)


@given(HEADERS, BODIES)
def test_gunicorns_parser_reads_exactly_what_was_taken_for_the_request(headers: list[bytes], body: bytes) -> None:
    """No request can be smuggled: the parser refuses what was handed on, or needs all of it and nothing more."""
    stream = b"\r\n".join([b"POST /a HTTP/1.1", *headers, b"", b""]) + body + GET
    arrival = Arrival(SMALL)
    try:
        arrival.feed(stream)
        if not arrival.whole:
            return
        request = arrival.take()
    except RequestRefused:
        return
    parser = RequestParser(Config(), [request], ("127.0.0.1", 1))
    try:
        message = next(parser)
        while message.body.read(1024):
            pass
    except (ParseException, OSError):
        return
    assert parser.unreader.buf.getvalue() == b""
    assert parser.unreader.chunk() == b""
    assert request + bytes(arrival.buffer) == stream or b"xpect" in stream
    assert getattr(message.body.reader, "length", 0) in (0, None)


def test_empty_lines_before_a_request_are_nothing() -> None:
    """Line ends that some clients send after a body do not begin a request."""
    arrival = arrived(b"\r\n\r")
    assert not arrived(b"\r\n").begun
    arrival.feed(b"\n" + GET)
    assert arrival.take() == GET


def test_expect_is_taken_out_once_it_was_answered() -> None:
    """The parser never sees `Expect: 100-continue`, so the client is told to go on once only."""
    arrival = arrived(POST.replace(b"Host: here", b"Expect: 100-Continue"))
    assert arrival.expects_continue
    assert arrival.take() == POST.replace(b"Host: here\r\n", b"")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 500, HeadTooLarge),
        (b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 500 + b"\r\n\r\n", HeadTooLarge),
        (POST.replace(b": 5", b": 101"), TooLarge),
        (POST.replace(b": 5", b": 1" + b"0" * 30), MalformedRequest),
        (POST.replace(b": 5", b": five"), MalformedRequest),
        (POST.replace(b"Host: here", b"Content-Length: 5"), MalformedRequest),
        (POST.replace(b"Host: here", b"Transfer-Encoding: chunked"), MalformedRequest),
        (CHUNKED.replace(b": chunked", b": gzip, chunked"), MalformedRequest),
        (CHUNKED.replace(b"5\r\n", b"zz\r\n"), MalformedRequest),
        (CHUNKED[:-10].replace(b"5\r\n", b"0" * 2000), MalformedRequest),
        (CHUNKED.replace(b"5\r\n", b"%x\r\n" % (OVERHEAD + 101)), TooLarge),
        (CHUNKED[:-2] + b"Y: " + b"a" * 500, HeadTooLarge),
    ],
)
def test_what_cannot_be_read_to_its_end_is_refused_at_once(data: bytes, kind: type[RequestRefused]) -> None:
    """Too long heads and bodies, and lengths that can be read two ways, are refused when they are seen."""
    with pytest.raises(RequestRefused) as caught:
        arrived(data)
    assert type(caught.value) is kind


def test_a_body_claims_its_room_before_it_comes() -> None:
    """A stated length counts in full at once; of a chunked body that is large already the most is assumed."""
    limits = Limits(body_bytes=1000, small_bytes=10)
    head = POST.partition(b"hello")[0].replace(b": 5", b": 900")
    assert arrived(head, limits).claim == len(head) + 900
    assert arrived(CHUNKED[:60], limits).claim == 1000
