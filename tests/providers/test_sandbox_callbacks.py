"""The sandbox's calls back, its rates, and the thread that watches the clock."""

from __future__ import annotations

import pytest

from providers.sandbox import SandboxServer
from providers.sandbox.__main__ import parse
from providers.sandbox.callbacks import Callbacks
from providers.sandbox.limits import Window
from tests.sandbox_fixtures import SandboxClient

from .servers import Recorder, free_port


def test_calls_back_are_made_in_order_and_can_be_waited_for(recorder: Recorder) -> None:
    callbacks = Callbacks()
    for number in range(3):
        recorder.will_answer({})
        callbacks.deliver(f"{recorder.url}/hook?n={number}", b"{}", {"Content-Type": "application/json"})
    callbacks.join()
    assert [(asked.method, asked.path, asked.query) for asked in recorder.asked] == [
        ("POST", "/hook", f"n={number}") for number in range(3)
    ]
    assert recorder.last.headers["Content-Type"] == "application/json"
    assert [call.status for call in callbacks.delivered] == [200] * 3


@pytest.mark.parametrize(
    "url", ["https://example.org/x", "http://192.0.2.1/", "ftp://127.0.0.1/", "nonsense", "http://["]
)
def test_nothing_but_this_machine_is_called(url: str) -> None:
    callbacks = Callbacks()
    callbacks.deliver(url)
    callbacks.join()
    assert callbacks.delivered[0].status is None
    assert callbacks.delivered[0].problem


def test_nobody_listening_is_told_and_the_next_call_is_made(recorder: Recorder) -> None:
    callbacks = Callbacks()
    recorder.will_answer({})
    callbacks.deliver(f"http://127.0.0.1:{free_port()}/")
    callbacks.deliver(recorder.url)
    callbacks.join()
    assert [call.status for call in callbacks.delivered] == [None, 200]


def test_what_was_cleared_is_forgotten(recorder: Recorder) -> None:
    callbacks = Callbacks()
    recorder.will_answer({})
    callbacks.deliver(recorder.url)
    callbacks.join()
    callbacks.clear()
    assert callbacks.delivered == []


def test_a_rate_lets_so_many_through_and_says_when_the_next_fits() -> None:
    window = Window(2, 1.0)
    assert [window.take(at) for at in (10.0, 10.25)] == [0.0, 0.0]
    assert window.take(10.5) == 0.5
    assert window.take(11.0) == 0.0
    assert window.take(11.0) == 0.25


def test_limits_are_off_unless_asked_for_and_off_again_after_a_reset(sandbox: SandboxServer) -> None:
    assert not sandbox.settings.limits
    sandbox.settings.limits = True
    sandbox.reset()
    assert not sandbox.settings.limits
    assert parse(["--port", "0", "--limits"]).limits
    assert not parse(["--port", "0"]).limits


def test_a_dialect_without_messages_from_people_says_so(client_of_sandbox: SandboxClient) -> None:
    for control in ("inbound", "portal"):
        reply = client_of_sandbox.raw("POST", f"/_sandbox/{control}/ippanel", b"{}", Content_Type="application/json")
        assert reply.status == 400
        assert "ippanel" in reply.json["error"]
