"""The transport against networks that fail in every way."""

from __future__ import annotations

import datetime as dt
import gzip
import socket
import ssl
import threading
from pathlib import Path

import pytest

from providers import deadline, wire
from providers import transport as transport_module
from providers.deadline import Deadline
from providers.exceptions import (
    NotSent,
    OutcomeUnknown,
    ProviderError,
)
from providers.types import Exchange

from . import servers
from .asking import KEY, UNKNOWN, ask, speaking
from .servers import RawServer, answering, http, raw

# The request never left


def test_a_refused_connection_was_not_sent() -> None:
    with pytest.raises(NotSent, match=r"127\.0\.0\.1 refused the connection"):
        ask(f"http://127.0.0.1:{servers.free_port()}")


def test_a_name_that_does_not_exist_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(NotSent, match=r"api\.example\.com could not be found"):
        ask("https://api.example.com")


def test_a_connection_that_takes_too_long_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*args: object, **kwargs: object) -> None:
        raise TimeoutError

    monkeypatch.setattr("urllib3.util.connection.create_connection", slow)
    with pytest.raises(NotSent, match="did not accept the connection in time"):
        ask("http://127.0.0.1:9")


def test_a_server_without_tls_was_not_sent() -> None:
    def plain(server: RawServer, connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(http({}, status=400))

    with RawServer(plain) as server, pytest.raises(NotSent, match="No secure connection"):
        ask(server.url("https"))


def test_a_certificate_nobody_signed_was_not_sent(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))

    def behave(server: RawServer, connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            server.read_request(secure)

    with RawServer(behave) as server:
        with pytest.raises(NotSent, match="No secure connection"):
            ask(server.url("https"))
        assert server.requests == []


def test_a_handshake_that_hangs_was_not_sent_although_it_looks_like_a_read_timeout() -> None:
    with RawServer(servers.silent) as server, pytest.raises(NotSent):
        ask(server.url("https"), connect_timeout=0.2)


def test_a_proxy_that_refuses_was_not_sent_and_never_saw_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(raw(http(status=403))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url())
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(NotSent):
            ask("https://api.example.com")
        assert proxy.requests[0].startswith(b"CONNECT api.example.com:443")
        assert KEY.encode() not in b"".join(proxy.requests)


def jump(monkeypatch: pytest.MonkeyPatch, clock: str) -> None:
    """This process goes on two minutes later, by one of its clocks."""
    read = getattr(deadline, clock)
    monkeypatch.setattr(deadline, clock, lambda: read() + 120.0)


@pytest.mark.parametrize("clock", ["wall", "since_boot"])
def test_a_process_that_was_frozen_until_the_connection_was_there_sends_nothing(
    clock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = wire._Connection.connect

    def slow(self: wire._Connection) -> None:
        connect(self)
        jump(monkeypatch, clock)

    monkeypatch.setattr(wire._Connection, "connect", slow)
    with RawServer(answering(http({}))) as server, speaking(server.url()) as transport:
        with wire.leaving_before(Deadline.after(60.0)), pytest.raises(NotSent, match="was held up for so long"):
            transport.request("POST", "/api/send", body={})
        assert [request for request in server.requests if request] == []


def test_nor_does_a_kept_connection_take_what_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(answering(http({}), http({}))) as server, speaking(server.url()) as transport:
        with wire.leaving_before(Deadline.after(60.0)):
            transport.request("POST", "/api/send", body={})
            jump(monkeypatch, "since_boot")
            with pytest.raises(NotSent):
                transport.request("POST", "/api/send", body={})
        transport.request("POST", "/api/send", body={})  # where nobody has set a deadline, there is none
        assert len(server.requests) == 2


def test_the_rest_of_a_request_is_not_sent_after_a_freeze_and_its_outcome_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    depart, pieces = wire._depart, []

    def slow() -> None:
        if pieces:
            jump(monkeypatch, "since_boot")
        pieces.append(1)
        depart()

    def listen(server: RawServer, connection: socket.socket) -> None:
        while piece := connection.recv(65_536):
            server.requests.append(piece)

    monkeypatch.setattr(wire, "_depart", slow)
    with RawServer(listen) as server, speaking(server.url()) as transport:
        with wire.leaving_before(Deadline.after(60.0)), pytest.raises(OutcomeUnknown):
            transport.request("POST", "/api/send", body={"text": "Hello"})
        assert b"Hello" not in b"".join(server.requests)
    assert len(pieces) == 2


# The request may have been carried out


@pytest.mark.parametrize("behaviour", UNKNOWN.values(), ids=UNKNOWN)
def test_when_in_doubt_the_outcome_is_unknown_and_nothing_is_repeated(behaviour: servers.Behaviour) -> None:
    seen: list[Exchange] = []
    with RawServer(behaviour) as server:
        with pytest.raises(OutcomeUnknown, match="not known whether the request was carried out"):
            ask(server.url(), observer=seen.append, read_timeout=0.15)
        assert server.connections == 1
        assert len(server.requests) <= 1
    assert len(seen) == 1


@pytest.mark.parametrize("behaviour", servers.TRICKLES.values(), ids=servers.TRICKLES)
def test_an_answer_that_keeps_trickling_in_is_given_up(behaviour: servers.Behaviour) -> None:
    answers: list[ProviderError] = []
    with RawServer(behaviour) as server:
        asking = threading.Thread(target=lambda: answers.append(failure_of(server.url())), daemon=True)
        asking.start()
        asking.join(timeout=5)
        assert not asking.is_alive(), "it would wait for ever"
    assert isinstance(answers[0], OutcomeUnknown)


def failure_of(url: str) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(url, read_timeout=0.05)
    return caught.value


def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    big = http(b"[" + b" " * 3_000_000 + b"]")
    with RawServer(raw(big)) as server, pytest.raises(OutcomeUnknown, match="larger than 1 MB"):
        ask(server.url(), largest_answer=2**20)


def test_a_small_answer_that_unpacks_to_a_huge_one_is_not_read_to_its_end() -> None:
    bomb = http(gzip.compress(b" " * 20_000_000), head="Content-Encoding: gzip")
    with RawServer(raw(bomb)) as server, pytest.raises(OutcomeUnknown, match="larger than 1 MB"):
        ask(server.url(), largest_answer=2**20)


# Connections kept open


def test_a_connection_is_used_again() -> None:
    with RawServer(answering(http({}), http({}))) as server, speaking(server.url()) as transport:
        transport.request("GET", "/")
        transport.request("GET", "/")
        assert server.connections == 1


def test_a_connection_the_server_closed_between_requests_is_replaced_without_a_doubt() -> None:
    with RawServer(answering(http({}))) as server, speaking(server.url()) as transport:
        for turn in range(1, 4):
            transport.request("POST", "/", body={})
            servers.wait_until(lambda turn=turn: server.closed == turn)
        assert len(server.requests) == 3


def test_a_connection_that_rested_too_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "IDLE_SECONDS", -1.0)
    with RawServer(answering(http({}), http({}))) as server, speaking(server.url()) as transport:
        transport.request("GET", "/")
        transport.request("GET", "/")
        assert server.connections == 2


def test_a_kept_connection_that_breaks_during_a_request_is_in_doubt() -> None:
    def answer_once_then_swallow(server: RawServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(http({}))
        server.read_request(connection)

    with RawServer(answer_once_then_swallow) as server, speaking(server.url()) as transport:
        transport.request("POST", "/", body={})
        with pytest.raises(OutcomeUnknown):
            transport.request("POST", "/", body={})
        assert len(server.requests) == 2


def test_a_transport_goes_on_after_a_failure() -> None:
    behaviours = (servers.reset_after_reading, raw(http("<p>", head="Content-Type: text/html")), raw(http({"a": 1})))
    with RawServer(*behaviours) as server, speaking(server.url()) as transport:
        for _ in range(2):
            with pytest.raises(OutcomeUnknown):
                transport.request("GET", "/")
        assert transport.request("GET", "/").data == {"a": 1}


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(encoding))
    return path


def test_a_port_on_which_nobody_listens_stays_free_of_others() -> None:
    port = servers.free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.1", port))
