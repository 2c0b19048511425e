"""The server itself: loopback only, keep-alive, redaction, the page."""

from __future__ import annotations

import http.client
import re
import socket

import pytest

from providers.sandbox import SandboxServer
from tests.factories import SANDBOX_KEY
from tests.sandbox_fixtures import SandboxClient, noting_violations

CHECK = "/ippanel/v1/api/acl/auth/check_token"


@pytest.mark.parametrize("host", ["0.0.0.0", "localhost", "::1", "192.168.1.5", ""])  # noqa: S104 - refused
def test_any_other_bind_address_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only"):
        SandboxServer(key="k", host=host)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        SandboxServer(key="")


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1.example.org", "169.254.169.254:80", "", "[::", "0.0.0.0"])  # noqa: S104
def test_a_host_header_that_is_not_loopback_is_refused(client_of_sandbox: SandboxClient, host: str) -> None:
    for path in ("/", CHECK, "/_sandbox/requests"):
        reply = client_of_sandbox.raw("GET", path, Host=host, Authorization=SANDBOX_KEY)
        assert reply.status == 403
    assert client_of_sandbox.sandbox.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:99"])
def test_loopback_names_are_accepted_in_the_host_header(client_of_sandbox: SandboxClient, host: str) -> None:
    assert client_of_sandbox.raw("GET", "/", Host=host).status == 200


@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://localhost.example.org"])
def test_a_web_page_from_elsewhere_cannot_reach_it(client_of_sandbox: SandboxClient, origin: str) -> None:
    reply = client_of_sandbox.raw("POST", "/_sandbox/reset", b"{}", Origin=origin, Content_Type="application/json")
    assert reply.status == 403


def test_many_requests_use_one_connection(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.call("GET", "/api/number/numbers")
    first = client_of_sandbox.connection.sock
    for _ in range(5):
        assert client_of_sandbox.call("GET", "/api/number/numbers").status == 200
    assert client_of_sandbox.connection.sock is first


def test_a_client_may_ask_to_close(client_of_sandbox: SandboxClient) -> None:
    reply = client_of_sandbox.raw("GET", "/", Connection="close")
    assert reply.headers["Connection"] == "close"


def test_a_body_of_unknown_length_is_refused(sandbox: SandboxServer) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as raw:
        raw.sendall(f"POST {CHECK} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 411")


@pytest.mark.parametrize("length", ["-1", "x", "１"])
def test_a_content_length_that_is_no_number_is_refused(sandbox: SandboxServer, length: str) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as raw:
        raw.sendall(f"POST {CHECK} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 411")


def test_what_breaks_off_in_the_middle_is_not_carried_out(sandbox: SandboxServer) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as raw:
        head = f"POST {CHECK} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n"
        raw.sendall(head.encode() + b'{"title": "A')
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(100) == b""
    assert sandbox.requests == []


def test_an_unknown_provider_is_404_with_the_known_ones(client_of_sandbox: SandboxClient) -> None:
    reply = client_of_sandbox.raw("GET", "/nobody/v1/api")
    assert (reply.status, reply.json["providers"]) == (404, sorted(client_of_sandbox.sandbox.dialects))


def test_requests_are_recorded_without_the_key(client_of_sandbox: SandboxClient) -> None:
    body = f'{{"title": "{SANDBOX_KEY}"}}'.encode()
    headers = {"Authorization": SANDBOX_KEY, "X_Other": f"key {SANDBOX_KEY}", "Content_Type": "application/json"}
    client_of_sandbox.raw("POST", f"/ippanel/v1/api/phonebooks?apikey={SANDBOX_KEY}", body, **headers)
    (recorded,) = client_of_sandbox.sandbox.requests
    assert SANDBOX_KEY not in repr(recorded)
    assert SANDBOX_KEY not in repr(recorded.as_dict())
    assert recorded.headers["authorization"] == "[redacted]"
    assert recorded.json == {"title": "[redacted]"}
    assert (recorded.method, recorded.path, recorded.status) == ("POST", "/v1/api/phonebooks", 422)


def test_a_wrong_key_is_recorded_without_it_too(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.call("POST", "/api/acl/auth/check_token", key="another-secret")
    assert "another-secret" not in repr(client_of_sandbox.sandbox.requests)


def test_only_routes_that_write_or_send_count_as_changing(client_of_sandbox: SandboxClient) -> None:
    call = client_of_sandbox.call
    call("POST", "/api/acl/auth/check_token")
    call("POST", "/api/report/new_list", {})
    call("POST", "/api/send/calculate-price", {"number": "+983000505", "message": "x"})
    call("GET", "/api/phonebooks/list-new")
    assert client_of_sandbox.sandbox.changing_requests == []
    call("POST", "/api/phonebooks", {})
    call("POST", "/api/send", {})
    assert [request.path for request in client_of_sandbox.sandbox.changing_requests] == [
        "/v1/api/phonebooks",
        "/v1/api/send",
    ]


def test_requests_can_be_picked_like_faults(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.call("POST", "/api/send", {})
    client_of_sandbox.call("POST", "/api/send/cancel", {})
    sandbox = client_of_sandbox.sandbox
    assert len(sandbox.requests_to("POST /api/send")) == 2
    assert len(sandbox.requests_to("POST /api/send$")) == 1
    assert len(sandbox.requests_to("/v1/api/send/cancel")) == 1
    assert sandbox.requests_to("GET /api/send") == []
    assert sandbox.requests_to("/api/send", provider="other") == []


def test_a_reset_forgets_everything(client_of_sandbox: SandboxClient) -> None:
    sandbox = client_of_sandbox.sandbox
    client_of_sandbox.call("POST", "/api/phonebooks", {"title": "Old"})
    sandbox.use_key("another")
    sandbox.settings.maturity = 0
    sandbox.latency = 0.001
    sandbox.advance(1000)
    sandbox.fault("status_500")
    sandbox.reset()
    assert sandbox.state("ippanel").phonebooks == {}
    assert sandbox.requests == []
    assert (sandbox.settings.key, sandbox.settings.maturity, sandbox.latency) == (SANDBOX_KEY, 10.0, 0.0)
    assert sandbox.clock.offset == 0
    assert client_of_sandbox.call("POST", "/api/acl/auth/check_token").status == 200


def test_the_key_can_be_changed(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.sandbox.use_key("the-new-one")
    assert client_of_sandbox.call("POST", "/api/acl/auth/check_token", key=SANDBOX_KEY).status == 401
    assert client_of_sandbox.call("POST", "/api/acl/auth/check_token", key="the-new-one").status == 200


def test_the_page_escapes_and_runs_nothing(client_of_sandbox: SandboxClient) -> None:
    state = client_of_sandbox.sandbox.state("ippanel")
    option = state.add_option('<b>"سن"</b>', "int")
    book = state.add_phonebook("<script>alert(1)</script>", option_ids=[option.id])
    state.add_contact(book, "+989120000001", name="<img src=x onerror=y>", options={str(option.id): "15"})
    client_of_sandbox.call("GET", "/api/phonebooks/list-new?title=%3Cscript%3E")
    reply = client_of_sandbox.raw("GET", "/")
    assert reply.status == 200
    assert not re.search(r"<(script|img|b|link|iframe|a)\b", reply.text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in reply.text
    assert "+989120000001" in reply.text
    assert ": 15" in reply.text
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert 'dir="auto"' in reply.text


def test_the_page_shows_sends_and_requests_and_no_key(client_of_sandbox: SandboxClient) -> None:
    sandbox = client_of_sandbox.sandbox
    body = {
        "sending_type": "webservice",
        "from_number": "+983000505",
        "message": "سلام",
        "params": {"recipients": ["+989120000001", "+989120000099", "+989120000098"]},
    }
    assert client_of_sandbox.call("POST", "/api/send", body).status == 200
    sandbox.advance(60)
    text = client_of_sandbox.raw("GET", "/").text
    for expected in ("سلام", "delivered", "not delivered", "blacklisted", "POST /v1/api/send", "6 finish"):
        assert expected in text
    assert SANDBOX_KEY not in text


def test_an_empty_page_says_so(client_of_sandbox: SandboxClient) -> None:
    assert "Nothing here yet." in client_of_sandbox.raw("GET", "/").text


def test_stopping_ends_idle_connections_at_once() -> None:
    server = SandboxServer(key="k").start()
    idle = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    idle.request("GET", "/")
    idle.getresponse().read()
    server.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)
    idle.close()


def test_what_was_asked_against_a_document_is_noted_also_across_a_reset(client_of_sandbox: SandboxClient) -> None:
    sandbox = client_of_sandbox.sandbox
    with noting_violations(sandbox) as noted:
        client_of_sandbox.call("POST", "/api/phonebooks", {"title": "Old", "nonsense": 1})
        sandbox.reset()
        client_of_sandbox.call("POST", "/api/phonebooks", {"title": "New"})
        assert len(noted) == 1
        client_of_sandbox.call("POST", "/api/phonebooks", {"title": "New", "nonsense": 2})
    assert [slug for slug, _violation in noted] == ["ippanel", "ippanel"]
    assert sandbox.requests == []
