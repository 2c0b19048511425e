"""IPPanel: what is sent, what is refused, and what is reported."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from providers.backends.ippanel import IPPanel
from providers.exceptions import (
    NotFound,
    OutcomeUnknown,
    Rejected,
    Throttled,
)
from providers.sandbox import SandboxServer
from providers.types import (
    BookRef,
    ChosenContacts,
    DeliveryState,
    SendState,
    WholePhonebooks,
)

from .ippanel import BOOK, SENDER, answer, message, refusal
from .servers import Recorder


def test_the_forty_second_rule_leaves_a_send_unknown(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    ippanel.send(message(numbers=("+989120000001",)))
    with pytest.raises(OutcomeUnknown, match="40 seconds") as caught:
        ippanel.send(message(numbers=("+989120000001",)))
    assert caught.value.status == 429
    assert sandbox.state("ippanel").messages_to("+989120000001") == ["سلام"]


def test_429_is_a_wait_everywhere_else(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    sandbox.fault("status_429", seconds=2)
    with pytest.raises(Throttled):
        ippanel.cancel_send("1148300000")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"numbers": ("+989120000001",)}, None),
        ({"numbers": ("+989120000001",), "sender": "3000505"}, "must be a number with +98"),
        ({"numbers": ("+989120000001",), "sender": ""}, "must be a number with +98"),
        ({"numbers": ("+989120000001",), "text": " \n"}, "empty"),
        ({"numbers": ("+989120000001",), "text": "x" * 1400}, None),
        ({"numbers": ("+989120000001",), "text": "x" * 1401}, "1401 characters"),
        ({"numbers": ("+989120000001", "+49170123456")}, "+49170123456"),
        ({"numbers": ("+989120000001",) * 1001}, "1001 numbers"),
        ({}, "for nobody"),
        ({"numbers": ("+989120000001",), "targets": (WholePhonebooks((BOOK,)),)}, "not to both"),
        ({"targets": (WholePhonebooks((BOOK,)),) * 100}, None),
        ({"targets": (WholePhonebooks((BOOK,)),) * 101}, "101 parts"),
        ({"targets": (WholePhonebooks(()),)}, "empty or not at IPPanel"),
        ({"targets": (WholePhonebooks((BookRef(""),)),)}, "empty or not at IPPanel"),
        ({"targets": (ChosenContacts(BOOK, ()),)}, "empty or not at IPPanel"),
        ({"targets": (ChosenContacts(BOOK, ("5", "")),)}, "empty or not at IPPanel"),
        ({"targets": (WholePhonebooks((BOOK,), start=0),)}, "1 or more"),
        ({"targets": (WholePhonebooks((BOOK,), start=1, size=0),)}, "1 or more"),
    ],
)
def test_a_send_ippanel_would_refuse_is_told_and_stopped_without_a_call(
    scripted: IPPanel, recorder: Recorder, fields: dict[str, Any], words: str | None
) -> None:
    problem = IPPanel.problem_with_message(message(**fields), now=dt.datetime.now(dt.UTC))
    assert (problem is None) == (words is None)
    if words is not None:
        assert words in str(problem)
        with pytest.raises(Rejected):
            scripted.send(message(**fields))
        assert recorder.asked == []


@pytest.mark.parametrize(
    ("state_id", "state"),
    [
        (0, SendState.QUEUED),
        (1, SendState.QUEUED),
        (2, SendState.SENDING),
        (3, SendState.FAILED),
        (4, SendState.FAILED),
        (5, SendState.QUEUED),
        (6, SendState.SENT),
        (7, SendState.CANCELLED),
        (8, SendState.FAILED),
        (9, SendState.FAILED),
        ("6", SendState.SENT),
        (10, SendState.UNRECOGNISED),
        (None, SendState.UNRECOGNISED),
    ],
)
def test_the_state_of_a_send_is_its_number(
    scripted: IPPanel, recorder: Recorder, state_id: object, state: SendState
) -> None:
    row = {
        "messages_outbox_id": "1123594208",
        "number": SENDER,
        "message": "سلام",
        "state_id": state_id,
        "status": "ارسال شده",
        "rcpts_count": "2",
        "cost": 3800.5,
        "time_send": "1748779200",
        "reject_comment": None,
    }
    recorder.will_answer(answer(row))
    report = scripted.report("1123594208")
    assert (report.reference, report.state, report.label) == ("1123594208", state, "ارسال شده")
    assert (report.recipients, report.cost, report.reason) == (2, Decimal("3800.5"), "")
    assert report.sent_at == dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("time_send", ["", None, "0", "soon", "2025-06-01 12:00:00"])
def test_a_time_that_is_none_is_left_out(scripted: IPPanel, recorder: Recorder, time_send: object) -> None:
    recorder.will_answer(answer({"messages_outbox_id": 1123594208, "state_id": 1, "time_send": time_send}))
    report = scripted.report("1123594208")
    assert (report.reference, report.sent_at, report.cost, report.recipients) == ("1123594208", None, None, None)


@pytest.mark.parametrize("data", [None, [], {}])
def test_no_report_is_not_found(scripted: IPPanel, recorder: Recorder, data: object) -> None:
    recorder.will_answer(answer(data))
    with pytest.raises(NotFound, match="1123594208"):
        scripted.report("1123594208")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("0", DeliveryState.SENT),
        ("1", DeliveryState.SENT),
        ("2", DeliveryState.DELIVERED),
        ("3", DeliveryState.UNDELIVERED),
        ("4", DeliveryState.BLOCKED),
        (2, DeliveryState.DELIVERED),
        ("", DeliveryState.QUEUED),
        (None, DeliveryState.QUEUED),
        ("17", DeliveryState.UNRECOGNISED),
    ],
)
def test_the_state_of_a_recipient_is_its_number(
    scripted: IPPanel, recorder: Recorder, status: object, state: DeliveryState
) -> None:
    row = {"recipient": "+989120000001", "message": "سلام", "msg_parts": "1", "message_status": status}
    recorder.will_answer(answer([row], last_page=1))
    report = next(scripted.recipient_reports("1"))
    assert (report.phone, report.state, report.parts) == ("+989120000001", state, 1)


def test_recipients_end_as_the_sandbox_has_it(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    numbers = ("+989120000001", "+989120000099", "+989120000098")
    reference = ippanel.send(message(numbers=numbers)).references[0]
    assert {row.state for row in ippanel.recipient_reports(reference)} == {DeliveryState.QUEUED}
    sandbox.advance(60)
    assert [row.state for row in ippanel.recipient_reports(reference)] == [
        DeliveryState.DELIVERED,
        DeliveryState.UNDELIVERED,
        DeliveryState.BLOCKED,
    ]


def test_recipients_are_asked_in_smaller_pages_where_large_ones_are_refused(
    scripted: IPPanel, recorder: Recorder
) -> None:
    rows = [{"recipient": f"+98912000{number:04d}", "message_status": "2"} for number in range(100)]
    recorder.will_answer(refusal(), status=422)
    recorder.will_answer(answer(rows))
    recorder.will_answer(answer(rows[:5]))
    assert len(list(scripted.recipient_reports("1"))) == 105
    assert [(asked.params["page"], asked.params["per_page"]) for asked in recorder.asked] == [
        ("1", "1000"),
        ("1", "100"),
        ("2", "100"),
    ]


def test_recipients_nobody_knows_are_refused_after_every_size(scripted: IPPanel, recorder: Recorder) -> None:
    for _ in range(3):
        recorder.will_answer(refusal(), status=422)
    with pytest.raises(Rejected):
        list(scripted.recipient_reports("1"))
    assert len(recorder.asked) == 3


def test_evidence_for_a_send_is_compared_by_sender_text_and_time(scripted: IPPanel, recorder: Recorder) -> None:
    since = dt.datetime(2025, 6, 1, 12, 0, 0, 900_000, dt.UTC)
    at = int(since.timestamp())

    def row(reference: int, **fields: object) -> dict[str, object]:
        ours = {
            "messages_outbox_id": str(reference),
            "number": SENDER,
            "message": "سلام",
            "state_id": 1,
            "time": str(at),
        }
        return {**ours, **fields}

    rows = [
        row(1),
        row(2, number="3000505", time=str(at + 60)),
        row(3, number="+9810001234"),
        row(4, message="سلام دوستان"),
        row(5, message="سلام "),
        row(6, time=str(at - 1)),
        row(7, time="", time_send=str(at + 5)),
        row(8, time=None),
    ]
    recorder.will_answer(answer(rows, last_page=1))
    found = scripted.find_sends(sender=SENDER, text="سلام", since=since)
    assert [report.reference for report in found] == ["1", "2", "7"]


def test_a_rejected_text_ends_as_failed(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    reference = ippanel.send(message(text="#reject", numbers=("+989120000001",))).references[0]
    sandbox.advance(60)
    assert ippanel.report(reference).state is SendState.FAILED
