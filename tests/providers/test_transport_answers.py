"""What the transport makes of complete answers, of addresses and of waiting."""

from __future__ import annotations

import datetime as dt
import gzip
from decimal import Decimal
from typing import Any

import pytest

from providers import transport as transport_module
from providers.answers import Answer, retry_after
from providers.exceptions import (
    AuthFailed,
    InsufficientFunds,
    Misconfigured,
    NotFound,
    NotSent,
    ProviderError,
    Rejected,
    Throttled,
)
from providers.transport import Transport

from .asking import KEY, ask, speaking
from .servers import RawServer, answering, http, raw


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/plain", "application/problem+json", "x"])
def test_json_is_read_whatever_it_is_called(content_type: str) -> None:
    with RawServer(raw(http({"data": "سلام"}, head=f"Content-Type: {content_type}"))) as server:
        assert ask(server.url()).data == {"data": "سلام"}


def test_packed_and_chunked_answers_are_read() -> None:
    packed = gzip.compress(b'{"a": 1}')
    chunked = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    with RawServer(raw(chunked % (len(packed), packed))) as server:
        assert ask(server.url()).data == {"a": 1}


def test_amounts_keep_every_digit() -> None:
    with RawServer(raw(http('{"credit": 1520300.2500000000001}'))) as server:
        assert ask(server.url()).data["credit"] == Decimal("1520300.2500000000001")


def test_204_needs_no_body() -> None:
    with RawServer(raw(http(status=204))) as server:
        assert ask(server.url()).data is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (401, AuthFailed),
        (402, InsufficientFunds),
        (403, AuthFailed),
        (404, NotFound),
        (405, Rejected),
        (409, Rejected),
        (413, Rejected),
        (422, Rejected),
        (429, Throttled),
    ],
)
def test_a_status_decides_which_error_it_is(status: int, error: type[ProviderError]) -> None:
    with (
        RawServer(raw(http({"message": "not like this", "code": 17}, status=status))) as server,
        pytest.raises(error, match="not like this") as caught,
    ):
        ask(server.url())
    assert type(caught.value) is error
    assert caught.value.status == status
    assert caught.value.code == "17"


@pytest.mark.parametrize("status", [400, 401, 402, 404, 422, 429])
def test_a_refusal_without_words_is_still_a_sentence(status: int) -> None:
    with RawServer(raw(http({}, status=status))) as server, pytest.raises(ProviderError, match=f"HTTP {status}"):
        ask(server.url())


def test_a_closed_door_without_words_speaks_of_the_key_and_the_address() -> None:
    with (
        RawServer(raw(http("<h1>Forbidden</h1>", status=403))) as server,
        pytest.raises(AuthFailed, match="which addresses may use it"),
    ):
        ask(server.url())


def test_a_page_that_is_not_there_and_no_api_means_a_wrong_address() -> None:
    with (
        RawServer(raw(http("<h1>Not here</h1>", status=404))) as server,
        pytest.raises(Misconfigured, match="Correct the API address"),
    ):
        ask(server.url())


def test_a_providers_long_words_are_cut_and_brought_to_one_line() -> None:
    words = "line\nbreak\x00 " + "x" * 2000
    with RawServer(raw(http({"message": words}, status=422))) as server, pytest.raises(Rejected) as caught:
        ask(server.url())
    kept = caught.value.params["words"]
    assert isinstance(kept, str)
    assert kept.startswith("line break x")
    assert len(kept) == 500


def test_a_backend_can_say_what_a_status_means() -> None:
    class Strange(Transport):
        def refusal(self, answer: Answer, complaint: Any) -> ProviderError:
            return InsufficientFunds("No money: %(words)s.", params={"words": complaint.words}, status=answer.status)

        def shortfall(self, answer: Answer) -> ProviderError | None:
            return Rejected("The flag says no.") if answer.data.get("status") != "success" else None

    behaviour = answering(http({"error": "empty"}, status=418), http({"status": "error"}), http({"status": "success"}))
    with RawServer(behaviour) as server:
        transport = Strange(server.url(), headers={"Authorization": KEY}, secrets=(KEY,))
        with pytest.raises(InsufficientFunds, match="No money: empty"):
            transport.request("GET", "/")
        with pytest.raises(Rejected, match="flag"):
            transport.request("GET", "/")
        assert transport.request("GET", "/").data == {"status": "success"}
        transport.close()


# Retry-After and pauses


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("999999999999", 3600.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:30 -0000", 30.0),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("۵", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=dt.datetime(2015, 10, 21, 7, 28, tzinfo=dt.UTC)) == seconds


def test_throttling_carries_the_wait() -> None:
    with RawServer(raw(http({}, status=429, head="Retry-After: 3"))) as server, pytest.raises(Throttled) as caught:
        ask(server.url())
    assert caught.value.retry_after == 3.0


def test_requests_keep_their_distance_except_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr(transport_module.time, "sleep", naps.append)
    monkeypatch.setattr("urllib3.util.connection.create_connection", refuse)
    for url in ("http://127.0.0.1:9", "https://api.example.com"):
        with speaking(url, pause=5.0) as transport:
            for _ in range(2):
                with pytest.raises(NotSent):
                    transport.request("GET", "/")
    assert len(naps) == 1
    assert 4 < naps[0] <= 5


def refuse(*args: object, **kwargs: object) -> None:
    raise ConnectionRefusedError


# The address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "edge.example.com",
        "ftp://edge.example.com",
        "https://",
        "https://user:hunter2@edge.example.com",
        "https://edge.example.com/?apikey=1",
        "https://edge.example.com/#x",
        "https://edge.example.com:port",
        "https://[::1",
        "https://edge example.com",
        "http://edge.example.com",
        "http://10.0.0.1",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_at_once(address: str) -> None:
    with pytest.raises(Misconfigured) as caught, speaking(address):
        pass
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://localhost:1", "http://[::1]:1", "http://127.0.0.1:1/", "https://a.example/v1/"]
)
def test_https_and_this_machine_are_fine(address: str) -> None:
    with speaking(address) as transport:
        assert transport.base_url == address.rstrip("/")
