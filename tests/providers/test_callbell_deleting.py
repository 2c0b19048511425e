"""Callbell: who is taken out of a phonebook loses its tag, and is destroyed only where that was the last one."""

from __future__ import annotations

from typing import Any

import pytest

from providers.backends.callbell import Callbell
from providers.exceptions import OutcomeUnknown, Rejected
from providers.sandbox import SandboxServer
from providers.types import AccountConfig, BookRef
from tests.factories import SANDBOX_KEY

from .callbell import BOOK, UUID, contact
from .servers import Recorder

PHONE = "+391110000001"
PATH = f"/contacts/{UUID}"


class CountingPacer:
    """Lets every request leave and counts them."""

    def __init__(self) -> None:
        self.asked = 0

    def wait(self) -> None:
        self.asked += 1

    def blocked(self, seconds: float) -> None: ...


def asked(recorder: Recorder) -> list[str]:
    return [f"{row.method} {row.path}" for row in recorder.asked]


@pytest.mark.parametrize("tag", ["Newsletter", "newsletter"])
def test_who_has_other_tags_only_loses_this_one(callbell: Callbell, sandbox: SandboxServer, tag: str) -> None:
    held = sandbox.state("callbell").add_contact(PHONE, "Sara", tags=["VIP", tag, "Callback"], note="kept")
    for _ in range(2):
        callbell.delete_contacts(BOOK, [held.uuid])
    assert [(row.method, row.json) for row in sandbox.changing_requests] == [("PATCH", {"tags": ["VIP", "Callback"]})]
    assert (held.name, held.tags, held.note) == ("Sara", ["VIP", "Callback"], "kept")
    assert held.uuid in sandbox.state("callbell").contacts
    assert list(callbell.list_contacts(BOOK)) == []


@pytest.mark.parametrize("tags", [["Newsletter"], ["newsletter"], ["NEWSLETTER", "newsletter"]])
def test_who_has_only_this_tag_is_destroyed_whatever_its_capitals(
    callbell: Callbell, sandbox: SandboxServer, tags: list[str]
) -> None:
    held = sandbox.state("callbell").add_contact(PHONE, tags=tags)
    callbell.delete_contacts(BOOK, [held.uuid])
    assert [row.method for row in sandbox.changing_requests] == ["DELETE"]
    assert sandbox.state("callbell").contacts == {}


@pytest.mark.parametrize("tags", [[], ["VIP"], ["Newsletters"]])
def test_nothing_is_sent_about_somebody_who_does_not_have_the_tag(
    callbell: Callbell, sandbox: SandboxServer, tags: list[str]
) -> None:
    held = sandbox.state("callbell").add_contact(PHONE, tags=tags)
    callbell.delete_contacts(BOOK, [held.uuid])
    assert sandbox.changing_requests == []
    assert held.tags == tags


def test_a_tag_that_stays_is_refused_with_what_to_do_and_nobody_is_destroyed(
    callbell: Callbell, sandbox: SandboxServer
) -> None:
    sandbox.state("callbell").quirks.add("updates_merge")
    held = sandbox.state("callbell").add_contact(PHONE, tags=["Newsletter", "VIP"])
    with pytest.raises(Rejected, match="dashboard") as caught:
        callbell.delete_contacts(BOOK, [held.uuid])
    assert caught.value.params == {"tag": "Newsletter"}
    assert [row.method for row in sandbox.requests] == ["GET", "PATCH", "GET"]
    assert held.tags == ["Newsletter", "VIP"]


def untold() -> dict[str, Any]:
    """A contact whose tags the answer leaves out."""
    return {name: value for name, value in contact().items() if name != "tags"}


@pytest.mark.parametrize(
    "told", [{"contact": [contact(tags=["Newsletter", "VIP"])]}, {"contact": []}, {"contact": [untold()]}]
)
def test_an_answer_that_does_not_prove_it_is_followed_by_one_more_look(
    scripted_callbell: Callbell, recorder: Recorder, told: object
) -> None:
    for body in ({"contact": [contact(tags="Newsletter, VIP")]}, told, {"contact": [contact(tags=["VIP"])]}):
        recorder.will_answer(body)
    scripted_callbell.delete_contacts(BOOK, [UUID])
    assert asked(recorder) == [f"GET {PATH}", f"PATCH {PATH}", f"GET {PATH}"]
    assert recorder.asked[1].json == {"tags": ["VIP"]}


@pytest.mark.parametrize("requests", [1, 2, 3])
def test_who_is_gone_by_then_is_done(scripted_callbell: Callbell, recorder: Recorder, requests: int) -> None:
    for _ in range(requests - 1):
        recorder.will_answer({"contact": [contact(tags=["Newsletter", "VIP"])]})
    recorder.will_answer({"error": "not found"}, status=404)
    scripted_callbell.delete_contacts(BOOK, [UUID])
    assert len(recorder.asked) == requests


@pytest.mark.parametrize(
    "body", [{}, {"contact": ["x"]}, {"contact": [{"uuid": UUID, "tags": 5}]}, {"contact": [untold()]}]
)
def test_who_cannot_be_read_is_neither_changed_nor_destroyed(
    scripted_callbell: Callbell, recorder: Recorder, body: object
) -> None:
    recorder.will_answer(body)
    with pytest.raises(OutcomeUnknown):
        scripted_callbell.delete_contacts(BOOK, [UUID])
    assert asked(recorder) == [f"GET {PATH}"]


@pytest.mark.parametrize("tag", ["", "  ", "Milano, Roma"])
def test_without_a_tag_that_can_be_one_nobody_is_touched(callbell: Callbell, sandbox: SandboxServer, tag: str) -> None:
    with pytest.raises(Rejected):
        callbell.delete_contacts(BookRef(tag), [UUID])
    assert sandbox.requests == []


@pytest.mark.parametrize("kind", ["status_500", "hang", "reset_after", "reset_before", "truncated"])
@pytest.mark.parametrize("is_carried_out", [True, False])
def test_a_lost_answer_is_unknown_and_repeating_it_ends_the_same(
    callbell: Callbell, sandbox: SandboxServer, kind: str, is_carried_out: bool
) -> None:
    held = sandbox.state("callbell").add_contact(PHONE, tags=["Newsletter", "VIP"])
    sandbox.fault(kind, "PATCH /contacts", processed=is_carried_out, seconds=20.0 if kind == "hang" else 0.0)
    with pytest.raises(OutcomeUnknown):
        callbell.delete_contacts(BOOK, [held.uuid])
    callbell.delete_contacts(BOOK, [held.uuid])
    assert held.tags == ["VIP"]
    assert held.uuid in sandbox.state("callbell").contacts


def test_leave_is_asked_for_each_request(sandbox: SandboxServer) -> None:
    state, pacer = sandbox.state("callbell"), CountingPacer()
    held = state.add_contact(PHONE, tags=["Newsletter", "VIP"])
    account = AccountConfig(
        slug="callbell", credentials={"api_key": SANDBOX_KEY}, base_url=sandbox.url("callbell"), pacer=pacer
    )
    with Callbell(account) as client:
        client.delete_contacts(BOOK, [held.uuid])
        assert pacer.asked == len(sandbox.requests) == 2
