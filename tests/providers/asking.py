"""Asks a transport, and the ways in which an answer can be lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from providers.answers import Answer
from providers.transport import Transport

from . import servers
from .servers import http, raw

KEY = "s3cret/key+for==tests"


@contextmanager
def speaking(url: str, **options: Any) -> Iterator[Transport]:
    options = {"connect_timeout": 1.0, "read_timeout": 5.0, **options}
    transport = Transport(url, headers={"Authorization": KEY}, secrets=(KEY,), **options)
    try:
        yield transport
    finally:
        transport.close()


def ask(url: str, method: str = "POST", **options: Any) -> Answer:
    with speaking(url, **options) as transport:
        return transport.request(method, "/api/thing", body={"text": "سلام"} if method == "POST" else None)


UNKNOWN: dict[str, servers.Behaviour] = {
    "hangs": servers.hanging,
    "resets while reading": servers.reset_while_reading,
    "resets after reading": servers.reset_after_reading,
    "closes after reading": servers.closing_after_reading,
    "speaks no http": raw(b"220 mail.example.com ESMTP\r\n"),
    "never ends": servers.trickling,
    "cut in the body": raw(http({"data": [1, 2, 3]}, length=500)),
    "cut in a chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"),
    "cut between chunks": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
    "cut json": raw(http('{"data": {"ids": [1')),
    "html": raw(http("<!DOCTYPE html><h1>Welcome</h1>", head="Content-Type: text/html")),
    "html called json": raw(http("<!DOCTYPE html><h1>Welcome</h1>")),
    "empty": raw(http(b"")),
    "a bare word": raw(http('"ok"')),
    "not a number": raw(http('{"credit": NaN}')),
    "broken utf-8": raw(http(b'{"name": "\xff\xfe\xfd"}')),
    "nested without end": raw(http("[" * 200_000)),
    "broken gzip": raw(http(b"not gzip at all", head="Content-Encoding: gzip")),
    "500": raw(http({"message": "broken"}, status=500)),
    "502 in html": raw(http("<h1>Bad gateway</h1>", status=502)),
    "503 with a date to come back": raw(http({}, status=503, head="Retry-After: 5")),
    "408": raw(http({}, status=408)),
    "see other": raw(http({}, status=303, head="Location: /elsewhere")),
}
