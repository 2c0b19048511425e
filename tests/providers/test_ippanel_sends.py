"""IPPanel: what is sent, what is refused, and what is reported."""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext
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
from providers.sandbox.ippanel.records import Pattern
from providers.types import (
    BookRef,
    ChosenContacts,
    DeliveryState,
    SendState,
    TemplateUse,
    TextForNumbers,
    WholePhonebooks,
)

from .ippanel import BOOK, SENDER, answer, message, refusal
from .servers import Recorder


def texts(*each: str) -> tuple[TextForNumbers, ...]:
    return tuple(TextForNumbers((f"+98912000{number:04d}",), text) for number, text in enumerate(each))


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
        ({"targets": (WholePhonebooks((BOOK,) * 100),), "is_keyworded": True}, None),
        ({"targets": (WholePhonebooks((BOOK,) * 101),), "is_keyworded": True}, "101 parts"),
        ({"targets": (WholePhonebooks((BOOK,), start=1, size=5),), "is_keyworded": True}, "whole phonebooks only"),
        ({"targets": (ChosenContacts(BOOK, ("5",)),), "is_keyworded": True}, "whole phonebooks only"),
        ({"targets": (WholePhonebooks((BookRef(""),)),), "is_keyworded": True}, "empty or not at IPPanel"),
        ({"text": "", "texts": texts("a", "b")}, None),
        ({"text": "", "texts": texts("a", " ")}, "message is empty"),
        ({"text": "", "texts": texts("a", "x" * 1401)}, "1401 characters"),
        ({"text": "", "texts": texts(*(str(number) for number in range(100)))}, None),
        ({"text": "", "texts": texts(*(str(number) for number in range(101)))}, "101 different texts"),
        ({"text": "", "texts": (TextForNumbers(("+989120000001",) * 501, "a"),) * 2}, "1002 numbers"),
        ({"text": "", "texts": (TextForNumbers((), "a"),)}, "for nobody"),
        ({"text": "", "texts": (TextForNumbers(("+49170123456",), "a"),)}, "+49170123456"),
        ({"text": "", "texts": texts("a"), "numbers": ("+989120000001",)}, "not to both"),
        ({"text": "", "numbers": ("+989120000001",), "template": TemplateUse("abc")}, None),
        ({"numbers": ("+989120000001", "+989120000002"), "template": TemplateUse("abc")}, "not to 2"),
        ({"targets": (WholePhonebooks((BOOK,)),), "template": TemplateUse("abc")}, "not to 0"),
        ({"numbers": ("+989120000001",), "template": TemplateUse("")}, "Choose one"),
        ({"numbers": ("+989120000001",), "template": TemplateUse("abc", {"code": " "})}, "“code” has no value"),
        ({"numbers": ("+49170123456",), "template": TemplateUse("abc")}, "+49170123456"),
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


def test_a_repeated_send_of_any_kind_is_unknown(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    option = state.add_option("City")
    book = state.add_phonebook("Newsletter", option_ids=[option.id])
    state.add_contact(book, "+989120000001", options={str(option.id): "Tehran"})
    state.patterns["abc"] = Pattern("abc", "Code %code%", {"code": "integer"})
    sends = [
        message(text="", texts=texts("a", "b")),
        message(
            text=f"سلام {{ex_{option.id}}}", targets=(WholePhonebooks((BookRef(str(book.id)),)),), is_keyworded=True
        ),
        message(numbers=("+989120000001",), template=TemplateUse("abc", {"code": "17"})),
    ]
    for each in sends:
        ippanel.send(each)
        with pytest.raises(OutcomeUnknown, match="40 seconds"):
            ippanel.send(each)
    assert state.messages_to("+989120000001") == ["b", "سلام Tehran", "Code 17"]


def test_each_text_of_a_send_has_an_id_of_its_own_to_report_and_cancel(
    ippanel: IPPanel, sandbox: SandboxServer
) -> None:
    send_at = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
    references = ippanel.send(message(text="", texts=texts("a", "b"), send_at=send_at)).references
    assert [ippanel.report(reference).text for reference in references] == ["a", "b"]
    ippanel.cancel_send(references[0])
    assert [ippanel.report(reference).state for reference in references] == [SendState.CANCELLED, SendState.QUEUED]


def test_a_text_with_placeholders_is_found_as_what_it_has_become(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    option = state.add_option("City")
    book = state.add_phonebook("Newsletter", option_ids=[option.id])
    for number, city in enumerate(("Tehran", "Shiraz\n(centre)", "Tehran", "")):
        state.add_contact(book, f"+98912000000{number}", options={str(option.id): city} if city else {})
    since = dt.datetime.now(dt.UTC)
    text = f"In {ippanel.keyword(str(option.id))}."
    to_all = (WholePhonebooks((BookRef(str(book.id)),)),)
    references = ippanel.send(message(text=text, targets=to_all, is_keyworded=True)).references
    ippanel.send(message(text="In Tehran!", numbers=("+989120000009",)))
    found = {report.reference: report.text for report in ippanel.find_sends(sender=SENDER, text=text, since=since)}
    assert found == dict(zip(references, ("In Tehran.", "In Shiraz\n(centre).", "In ."), strict=True))
    assert [state.messages_to(f"+98912000000{number}") for number in range(4)] == [
        ["In Tehran."],
        ["In Shiraz\n(centre)."],
        ["In Tehran."],
        ["In ."],
    ]


def test_a_placeholder_of_an_option_the_phonebook_lacks_is_refused_with_the_providers_words(
    ippanel: IPPanel, sandbox: SandboxServer
) -> None:
    state = sandbox.state("ippanel")
    book = state.add_phonebook("Newsletter")
    state.add_contact(book, "+989120000001")
    to_all = (WholePhonebooks((BookRef(str(book.id)),)),)
    with pytest.raises(Rejected) as caught:
        ippanel.send(message(text="{ex_701}", targets=to_all, is_keyworded=True))
    assert "message" in caught.value.fields
    gone = (WholePhonebooks((BookRef("999999"),)),)
    with pytest.raises(NotFound):
        ippanel.send(message(targets=gone, is_keyworded=True))


@pytest.mark.parametrize(
    ("code", "values", "error"),
    [
        ("abc", {"code": "17"}, None),
        ("abc", {"code": "seventeen"}, Rejected),
        ("abc", {}, Rejected),
        ("abc", {"code": "17", "more": "x"}, Rejected),
        ("waiting", {}, NotFound),
        ("nothing", {}, NotFound),
    ],
)
def test_a_template_needs_all_its_values_and_an_active_pattern(
    ippanel: IPPanel, sandbox: SandboxServer, code: str, values: dict[str, str], error: type[Exception] | None
) -> None:
    state = sandbox.state("ippanel")
    state.patterns["abc"] = Pattern("abc", "Code %code%", {"code": "integer"})
    state.patterns["waiting"] = Pattern("waiting", "Hello", status="pending")
    send = message(numbers=("+989120000001",), template=TemplateUse(code, values))
    with pytest.raises(error) if error else nullcontext():
        ippanel.send(send)
    assert state.messages_to("+989120000001") == ([] if error else ["Code 17"])


def test_messages_from_people_come_oldest_first_and_only_what_is_new(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    made = [state.receive("+989120000001", f"سلام {number}") for number in range(205)]
    rows = list(ippanel.list_inbox())
    assert [row.text for row in rows] == [f"سلام {number}" for number in range(205)]
    assert (rows[0].phone, rows[0].to) == ("+989120000001", SENDER)
    assert rows[0].received_at == dt.datetime.fromtimestamp(made[0].time, dt.UTC)
    assert len(sandbox.requests) == 3
    assert [row.text for row in ippanel.list_inbox(after=rows[202].remote_id)] == ["سلام 203", "سلام 204"]
    assert list(ippanel.list_inbox(after=rows[-1].remote_id)) == []


def test_a_message_that_comes_in_while_pages_are_read_is_told_once(scripted: IPPanel, recorder: Recorder) -> None:
    def rows(*ids: int) -> list[dict[str, object]]:
        return [
            {"messages_inbox_id": number, "from": "989120000001", "number": SENDER, "message": "x", "time": 1748779200}
            for number in ids
        ]

    recorder.will_answer(answer(rows(*range(20, 10, -1))))
    recorder.will_answer(answer(rows(11, *range(10, 1, -1))))
    recorder.will_answer(answer(rows(2, 1)))
    found = list(scripted.list_inbox())
    assert [row.remote_id for row in found] == [str(number) for number in range(1, 21)]
    assert found[0].phone == "+989120000001"


@pytest.mark.parametrize("row", [{"time": None}, {"messages_inbox_id": None}, {"messages_inbox_id": "x"}])
def test_a_message_from_somebody_without_id_or_time_is_not_understood(
    scripted: IPPanel, recorder: Recorder, row: dict[str, object]
) -> None:
    good = {"messages_inbox_id": 1, "from": "+989120000001", "message": "x", "time": 1748779200}
    recorder.will_answer(answer([{**good, **row}]))
    with pytest.raises(OutcomeUnknown):
        list(scripted.list_inbox())


def test_a_send_that_our_own_pace_holds_back_was_not_sent(ippanel: IPPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    def held_back(*args: object, **kwargs: object) -> None:
        raise Throttled("Held back.", status=None, retry_after=1.0)

    monkeypatch.setattr(ippanel.http, "request", held_back)
    with pytest.raises(Throttled):
        ippanel.send(message(numbers=("+989120000001",)))
