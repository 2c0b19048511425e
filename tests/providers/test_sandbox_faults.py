"""Failures on demand, seen from the client's side of the socket."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any

import pytest

from providers.sandbox import SandboxServer
from tests.sandbox_fixtures import SandboxClient

CREATE = "/api/phonebooks"


def titles(sandbox: SandboxServer) -> list[str]:
    return [book.title for book in sandbox.state("ippanel").phonebooks.values()]


def create(client: SandboxClient, title: str = "News") -> Any:
    return client.call("POST", CREATE, {"title": title})


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("status_401", 401, "400-1"), ("status_422", 422, "400-2"), ("status_429", 429, "429-1"), ("status_500", 500, "500-1")],
)  # fmt: skip
def test_a_status_comes_in_the_providers_form_and_nothing_is_done(
    client_of_sandbox: SandboxClient, kind: str, status: int, code: str
) -> None:
    fault = client_of_sandbox.sandbox.fault(kind)
    reply = create(client_of_sandbox)
    assert reply.status == status
    assert reply.json["data"] is None
    assert (reply.json["meta"]["status"], reply.json["meta"]["message_code"]) == (False, code)
    assert "Retry-After" not in reply.headers
    assert titles(client_of_sandbox.sandbox) == []
    assert fault.hits == 1
    assert create(client_of_sandbox).status == 200


def test_429_can_carry_retry_after(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.sandbox.fault("status_429", seconds=3)
    assert create(client_of_sandbox).headers["Retry-After"] == "3"


def test_500_can_come_after_the_work_is_done(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.sandbox.fault("status_500", processed=True)
    assert create(client_of_sandbox).status == 500
    assert titles(client_of_sandbox.sandbox) == ["News"]


@pytest.mark.parametrize(("kind", "kept"), [("reset_before", []), ("reset_after", ["News"])])
def test_a_reset_connection_is_a_reset(client_of_sandbox: SandboxClient, kind: str, kept: list[str]) -> None:
    client_of_sandbox.sandbox.fault(kind)
    with pytest.raises(ConnectionResetError):
        create(client_of_sandbox)
    assert titles(client_of_sandbox.sandbox) == kept
    (recorded,) = client_of_sandbox.sandbox.requests
    assert (recorded.status, recorded.fault) == (None, kind)


@pytest.mark.parametrize(("processed", "kept"), [(None, ["News"]), (True, ["News"]), (False, [])])
def test_a_hanging_request_gets_no_answer(
    client_of_sandbox: SandboxClient, processed: bool | None, kept: list[str]
) -> None:
    client_of_sandbox.sandbox.fault("hang", processed=processed)
    client_of_sandbox.connection.timeout = 0.2
    with pytest.raises(TimeoutError):
        create(client_of_sandbox)
    assert titles(client_of_sandbox.sandbox) == kept


def test_clearing_the_faults_lets_go_of_a_hanging_request(client_of_sandbox: SandboxClient) -> None:
    sandbox = client_of_sandbox.sandbox
    sandbox.fault("hang", times=0)
    caught: list[Exception] = []

    def ask() -> None:
        try:
            create(client_of_sandbox)
        except ConnectionError as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not sandbox.requests:
        thread.join(0.01)
    sandbox.faults.clear()
    thread.join(5)
    assert not thread.is_alive()
    assert len(caught) == 1


def test_a_hanging_request_ends_after_its_seconds(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.sandbox.fault("hang", seconds=0.05)
    with pytest.raises(ConnectionError):
        create(client_of_sandbox)


def test_a_truncated_answer_promises_more_than_it_sends(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.sandbox.fault("truncated")
    with pytest.raises(http.client.IncompleteRead):
        create(client_of_sandbox)
    assert titles(client_of_sandbox.sandbox) == ["News"]


def test_html_and_empty_answers_say_200_and_the_work_is_done(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.sandbox.fault("html")
    client_of_sandbox.sandbox.fault("empty")
    page, empty = create(client_of_sandbox, "A"), create(client_of_sandbox, "B")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<html>" in page.text
    assert (empty.status, empty.text) == (200, "")
    assert titles(client_of_sandbox.sandbox) == ["A", "B"]


def test_latency_delays_and_then_answers(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.sandbox.fault("latency", seconds=0.05)
    assert create(client_of_sandbox).status == 200
    (recorded,) = client_of_sandbox.sandbox.requests
    assert recorded.seconds >= 0.05


def test_latency_of_the_server_delays_every_answer(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.sandbox.latency = 0.03
    create(client_of_sandbox)
    create(client_of_sandbox)
    assert all(recorded.seconds >= 0.03 for recorded in client_of_sandbox.sandbox.requests)


def test_a_reset_of_the_sandbox_forgets_a_request_under_way(client_of_sandbox: SandboxClient) -> None:
    sandbox = client_of_sandbox.sandbox
    fault = sandbox.fault("latency", seconds=30)
    outcome: list[object] = []

    def ask() -> None:
        try:
            outcome.append(create(client_of_sandbox))
        except ConnectionError as error:
            outcome.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    while not fault.hits:
        thread.join(0.01)
    sandbox.reset()
    thread.join(5)
    assert isinstance(outcome[0], ConnectionError)
    assert titles(sandbox) == []


def test_skip_and_times_count_matching_requests_only(client_of_sandbox: SandboxClient) -> None:
    fault = client_of_sandbox.sandbox.fault("status_500", "POST /api/phonebooks$", skip=1, times=2)
    statuses = []
    for title in "ABCD":
        assert client_of_sandbox.call("GET", "/api/phonebooks/list-new").status == 200
        statuses.append(create(client_of_sandbox, title).status)
    assert statuses == [200, 500, 500, 200]
    assert fault.hits == 2
    assert client_of_sandbox.sandbox.faults.planned() == []


def test_times_zero_hits_until_cleared(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.sandbox.fault("status_500", times=0)
    assert [create(client_of_sandbox).status for _ in range(3)] == [500] * 3
    client_of_sandbox.sandbox.faults.clear()
    assert create(client_of_sandbox).status == 200


@pytest.mark.parametrize(
    ("path", "hit"),
    [
        ("", True),
        ("/api/phonebooks", True),
        ("/v1/api/phonebooks", True),
        ("POST /v1/api/phonebooks$", True),
        ("GET /api/phonebooks", False),
        ("/api/phonebook$", False),
        ("/api/send", False),
    ],
)
def test_a_fault_picks_its_requests_by_method_and_path(client_of_sandbox: SandboxClient, path: str, hit: bool) -> None:
    client_of_sandbox.sandbox.fault("status_500", path)
    assert (create(client_of_sandbox).status == 500) is hit


def test_a_fault_of_another_provider_does_not_hit(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.sandbox.fault("status_500", provider="somebody")
    assert create(client_of_sandbox).status == 200


# The control API


def control(client: SandboxClient, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    return client.raw(method, f"/_sandbox/{path}", data, Content_Type="application/json")


def test_faults_are_planned_listed_and_cleared_over_http(client_of_sandbox: SandboxClient) -> None:
    plan = {"provider": "ippanel", "path": "POST /api/send", "kind": "hang", "times": 2, "skip": 1, "seconds": 0.5}
    added = control(client_of_sandbox, "POST", "faults", {**plan, "processed": False})
    assert (added.status, added.json) == (201, {**plan, "processed": False, "hits": 0})
    assert control(client_of_sandbox, "GET", "faults").json == {"faults": [added.json]}
    assert control(client_of_sandbox, "DELETE", "faults").status == 200
    assert control(client_of_sandbox, "GET", "faults").json == {"faults": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "explode"},
        {"kind": "hang", "colour": "red"},
        {"kind": "hang", "times": -1},
        {"kind": "hang", "seconds": "1"},
        {"kind": "hang", "skip": True},
        {"kind": "hang", "processed": 1},
        {"kind": "hang", "provider": "nobody"},
        [],
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(client_of_sandbox: SandboxClient, body: Any) -> None:
    assert control(client_of_sandbox, "POST", "faults", body).status == 400
    assert client_of_sandbox.sandbox.faults.planned() == []


def test_the_clock_moves_forward_over_http(client_of_sandbox: SandboxClient) -> None:
    assert control(client_of_sandbox, "POST", "clock", {"advance": 90}).status == 200
    assert client_of_sandbox.sandbox.clock.offset == 90
    for wrong in ({"advance": -1}, {"advance": "9"}, {"advance": True}, {}):
        assert control(client_of_sandbox, "POST", "clock", wrong).status == 400
    with pytest.raises(ValueError, match="forward"):
        client_of_sandbox.sandbox.advance(-1)


def test_state_and_requests_are_told_over_http(client_of_sandbox: SandboxClient) -> None:
    create(client_of_sandbox)
    state = control(client_of_sandbox, "GET", "state/ippanel").json
    assert [book["title"] for book in state["phonebooks"]] == ["News"]
    (recorded,) = control(client_of_sandbox, "GET", "requests").json["requests"]
    assert (recorded["method"], recorded["path"], recorded["status"]) == ("POST", "/v1/api/phonebooks", 200)
    text = json.dumps([state, recorded])
    assert client_of_sandbox.sandbox.settings.key not in text


def test_a_reset_over_http_forgets_everything(client_of_sandbox: SandboxClient) -> None:
    create(client_of_sandbox)
    assert control(client_of_sandbox, "POST", "reset", {}).status == 200
    assert titles(client_of_sandbox.sandbox) == []


def test_writing_controls_need_json(client_of_sandbox: SandboxClient) -> None:
    create(client_of_sandbox)
    for path in ("reset", "faults", "clock"):
        assert client_of_sandbox.raw("POST", f"/_sandbox/{path}", b"{}", Content_Type="text/plain").status == 400
    assert client_of_sandbox.raw("POST", "/_sandbox/faults", b"{", Content_Type="application/json").status == 400
    assert titles(client_of_sandbox.sandbox) == ["News"]


@pytest.mark.parametrize("target", ["", "state/nobody", "state", "nothing"])
def test_an_unknown_control_is_404(client_of_sandbox: SandboxClient, target: str) -> None:
    assert control(client_of_sandbox, "GET", target).status == 404
