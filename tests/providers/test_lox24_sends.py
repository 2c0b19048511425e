"""LOX24: sends, their reports, finding them again, cancelling them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from providers.backends.lox24 import Lox24, forms
from providers.exceptions import InsufficientFunds, NotFound, OutcomeUnknown, ProviderError, Rejected, Unsupported
from providers.sandbox import SandboxServer
from providers.types import (
    BookRef,
    ChosenContacts,
    DeliveryState,
    SendState,
    WholePhonebooks,
)

from .lox24 import BOOK, SENDER, UUID, collection, message
from .servers import Recorder

ONE = ("+4915200000001",)
TWO = (*ONE, "+4915200000002")


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def problem(**fields: Any) -> ProviderError | None:
    return Lox24.problem_with_message(message(**fields), now=now())


# Before any call


@pytest.mark.parametrize("sender", ["ACME", "ACME 24", "+491520000000", "491520000000000", "12345"])
def test_a_sender_of_the_documented_pattern_is_taken(sender: str) -> None:
    assert problem(sender=sender, numbers=ONE) is None


@pytest.mark.parametrize("sender", ["", "Zu lang fuer das", "ÄRZTE", "A-B", "+0152", "+4915200000000001", "٤٩١٥٢"])
def test_any_other_sender_is_refused(sender: str) -> None:
    assert isinstance(problem(sender=sender, numbers=ONE), Rejected)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "for nobody"),
        ({"numbers": ONE, "targets": (WholePhonebooks((BOOK,)),)}, "not to both"),
        ({"numbers": ONE * 1001}, "1001 numbers"),
        ({"numbers": ("0152",)}, "international form"),
        ({"numbers": ONE, "text": " "}, "empty"),
        ({"numbers": ONE, "text": "x" * 1786}, "1785 at most"),
        ({"targets": (ChosenContacts(BOOK, ("1",)),)}, "whole groups only"),
        ({"targets": (WholePhonebooks((BOOK,), start=2),)}, "whole groups only"),
        ({"targets": (WholePhonebooks((BookRef(""),)),)}, "not at LOX24 yet"),
        ({"targets": (WholePhonebooks((BOOK,)),) * 101}, "101 phonebooks"),
    ],
)
def test_what_would_be_refused_is_told_without_a_call(fields: dict[str, Any], words: str) -> None:
    found = problem(**fields)
    assert found is not None
    assert words in found.reason


def test_placeholders_are_never_guessed(scripted_lox24: Lox24, recorder: Recorder) -> None:
    with pytest.raises(Unsupported, match="documents no placeholders"):
        scripted_lox24.send(message(targets=(WholePhonebooks((BOOK,)),), is_keyworded=True))
    with pytest.raises(Unsupported):
        scripted_lox24.keyword("a")
    assert recorder.asked == []


# Reports


def test_everybody_of_a_bulk_is_told_page_after_page(sandbox: SandboxServer, lox24: Lox24) -> None:
    state = sandbox.state("lox24")
    state.page_size = 2
    group = state.add_group("Newsletter")
    for ending in ("01", "02", "97", "98", "99"):
        state.add_phone(group, f"+4915200000{ending}")
    state.outcomes["+491520000002"] = (3000, 0)
    reference = lox24.send(message(targets=(WholePhonebooks((BOOK,)),))).references[0]
    sandbox.advance(3600)
    assert {row.phone[-2:]: (row.state, row.raw_state) for row in lox24.recipient_reports(reference)} == {
        "01": (DeliveryState.DELIVERED, "100/1"),
        "02": (DeliveryState.FAILED, "3000/0"),
        "97": (DeliveryState.UNDELIVERED, "100/8"),
        "98": (DeliveryState.BLOCKED, "208/0"),
        "99": (DeliveryState.UNDELIVERED, "100/16"),
    }


def test_a_single_sms_is_reported_with_its_recipient_and_price(sandbox: SandboxServer, lox24: Lox24) -> None:
    reference = lox24.send(message(numbers=ONE)).references[0]
    assert reference.startswith("sms:")
    waiting = lox24.report(reference)
    assert (waiting.state, waiting.recipients, str(waiting.cost)) == (SendState.QUEUED, 1, "0.075")
    sandbox.advance(3600)
    report = lox24.report(reference)
    assert report.people == tuple(lox24.recipient_reports(reference))
    assert report.people is not None
    assert [(row.phone, row.state, row.parts) for row in report.people] == [(ONE[0], DeliveryState.DELIVERED, 1)]
    assert report.sent_at is not None
    assert report.our_reference == "call-1"


@pytest.mark.parametrize("reference", ["", UUID, "sms:", "bulk:", f"other:{UUID}", "sms:../../me", "bulk:a b c d e f"])
def test_what_was_never_a_reference_of_ours_is_not_asked_for(
    scripted_lox24: Lox24, recorder: Recorder, reference: str
) -> None:
    for ask in (
        lambda: scripted_lox24.report(reference),
        lambda: list(scripted_lox24.recipient_reports(reference)),
        lambda: scripted_lox24.cancel_send(reference),
    ):
        with pytest.raises(NotFound):
            ask()
    assert recorder.asked == []


def test_a_bulk_that_is_not_processed_yet_does_not_say_that_it_is_for_nobody(
    sandbox: SandboxServer, lox24: Lox24
) -> None:
    state = sandbox.state("lox24")
    state.add_phone(state.add_group("Newsletter"), ONE[0])
    state.add_group("Nobody")
    full, empty = (
        lox24.send(message(targets=(WholePhonebooks((BookRef(str(group)),)),))).references[0] for group in (7001, 7002)
    )
    assert [lox24.report(one).recipients for one in (full, empty)] == [None, 0]
    assert list(lox24.recipient_reports(full)) == []
    sandbox.advance(3600)
    assert [lox24.report(one).recipients for one in (full, empty)] == [1, 0]
    assert lox24.report(empty).state is SendState.FAILED


def test_whoever_unsubscribed_gets_nothing_more(sandbox: SandboxServer, lox24: Lox24) -> None:
    state = sandbox.state("lox24")
    state.add_phone(state.add_group("Newsletter"), ONE[0])
    state.unsubscribe(ONE[0])
    assert [(row.phone, row.is_opt_out) for row in lox24.list_suppressed()] == [(ONE[0], True)]
    reference = lox24.send(message(numbers=ONE)).references[0]
    sandbox.advance(3600)
    assert [row.state for row in lox24.recipient_reports(reference)] == [DeliveryState.BLOCKED]


# Cancelling


def in_an_hour() -> dt.datetime:
    return now() + dt.timedelta(hours=1)


@pytest.mark.parametrize("numbers", [ONE, TWO])
def test_a_scheduled_send_is_cancelled_alone(sandbox: SandboxServer, lox24: Lox24, numbers: tuple[str, ...]) -> None:
    kept = lox24.send(message(numbers=numbers, send_at=in_an_hour())).references[0]
    gone = lox24.send(message(numbers=numbers, send_at=in_an_hour())).references[0]
    lox24.cancel_send(gone)
    sandbox.advance(2 * 3600)
    assert lox24.report(gone).state is SendState.CANCELLED
    made = {DeliveryState.CANCELLED} if len(numbers) == 1 else set()  # those of a bulk only when it is processed
    assert {row.state for row in lox24.recipient_reports(gone)} == made
    assert {row.state for row in lox24.recipient_reports(kept)} == {DeliveryState.DELIVERED}


@pytest.mark.parametrize("numbers", [ONE, TWO])
def test_what_has_gone_out_is_not_cancelled(sandbox: SandboxServer, lox24: Lox24, numbers: tuple[str, ...]) -> None:
    reference = lox24.send(message(numbers=numbers)).references[0]
    sandbox.advance(3600)
    with pytest.raises(Rejected):
        lox24.cancel_send(reference)


def test_cancelling_many_is_refused_without_uuids(scripted_lox24: Lox24, recorder: Recorder) -> None:
    for uuids in ([], [""], [UUID, " "]):
        with pytest.raises(ValueError, match="never called without"):
            scripted_lox24._cancel_sms(uuids)
    assert recorder.asked == []


def test_cancelling_one_names_it_and_deletes_nothing(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer({"canceled_sms_count": 1})
    scripted_lox24.cancel_send(f"sms:{UUID}")
    asked = recorder.last
    assert (asked.method, asked.path, asked.params) == ("POST", "/sms/ops/batch_cancel", {"uuid[]": UUID})
    assert asked.body == b""


def test_a_bulk_that_is_processed_already_was_not_cancelled(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer({"uuid": UUID, "status_code": 10})
    with pytest.raises(Rejected, match="cancelled nothing"):
        scripted_lox24.cancel_send(f"bulk:{UUID}")
    assert (recorder.last.method, recorder.last.path) == ("PUT", f"/bulks/{UUID}/cancel")


# Finding a send again after a lost answer


@pytest.mark.parametrize("numbers", [ONE, TWO])
@pytest.mark.parametrize("quirks", [set(), {"no_source"}])
def test_a_send_whose_answer_was_lost_is_found_by_our_mark(
    sandbox: SandboxServer, lox24: Lox24, numbers: tuple[str, ...], quirks: set[str]
) -> None:
    sandbox.state("lox24").quirks = quirks
    since = now()
    path = "POST /sms$" if len(numbers) == 1 else "POST /bulks$"
    sandbox.fault("reset_after", path)
    with pytest.raises(OutcomeUnknown):
        lox24.send(message(numbers=numbers, reference="lost"))
    found = list(lox24.find_sends(sender=SENDER, text="Hallo", since=since, reference="lost"))
    assert len(found) == 1
    is_marked = len(numbers) == 1 or not quirks
    assert found[0].our_reference == ("lost" if is_marked else "")
    sandbox.advance(3600)
    assert lox24.report(found[0].reference).recipients == len(numbers)


@pytest.mark.parametrize("numbers", [ONE, TWO])
def test_a_sender_that_was_replaced_there_does_not_hide_our_mark(
    sandbox: SandboxServer, lox24: Lox24, numbers: tuple[str, ...]
) -> None:
    """In calls, a sender that is no number is replaced by LOX24's own."""
    since = now()
    lox24.send(message(numbers=numbers, reference="ours"))
    state = sandbox.state("lox24")
    for there in (*state.bulks.values(), *state.sms.values()):
        there.sender_id = "+49891234567"
    found = list(lox24.find_sends(sender=SENDER, text="Hallo", since=since, reference="ours"))
    assert [report.our_reference for report in found] == ["ours"]


@pytest.mark.parametrize("numbers", [ONE, TWO])
def test_the_same_text_sent_by_another_call_is_not_taken_for_ours(
    sandbox: SandboxServer, lox24: Lox24, numbers: tuple[str, ...]
) -> None:
    since = now()
    lox24.send(message(numbers=numbers, reference="another"))
    assert list(lox24.find_sends(sender=SENDER, text="Hallo", since=since, reference="lost")) == []
    assert len(list(lox24.find_sends(sender=SENDER, text="Hallo", since=since))) == 1


@pytest.mark.parametrize("numbers", [ONE, TWO])
def test_where_texts_are_removed_the_mark_alone_finds_it(
    sandbox: SandboxServer, lox24: Lox24, numbers: tuple[str, ...]
) -> None:
    since = now()
    sandbox.state("lox24").is_text_deleted = True
    lox24.send(message(numbers=numbers, reference="ours"))
    assert len(list(lox24.find_sends(sender=SENDER, text="Hallo", since=since, reference="ours"))) == 1
    assert list(lox24.find_sends(sender=SENDER, text="Hallo", since=since)) == []


def test_filters_that_a_provider_ignores_change_nothing(scripted_lox24: Lox24, recorder: Recorder) -> None:
    since = now()
    stamp = int(since.timestamp())
    base = {"uuid": UUID, "phone": ONE[0], "status_code": 0, "sender_id": SENDER, "text": "Hallo", "created_at": stamp}
    others = [{**base, **other} for other in (
        {"sender_id": "OTHER"}, {"text": "Hallo du"}, {"created_at": stamp - 60}, {"created_at": None},
        {"bulk_id": UUID}, {"is_dryrun": True}, {"source": forms.marker("another")},
    )]  # fmt: skip
    for number, other in enumerate(others):
        other["uuid"] = f"{number:08d}-other"
    ours = {**base, "source": forms.marker("ours")}
    view = {"@id": "/"}
    recorder.will_answer(collection(*others, ours, view=view))
    recorder.will_answer(collection(*others, view=view))
    found = list(scripted_lox24.find_sends(sender=SENDER, text="Hallo", since=since, reference="ours"))
    assert [report.reference for report in found] == [f"sms:{UUID}"]
    assert [(asked.path, asked.params) for asked in recorder.asked] == [
        ("/sms", {"callback_data": "ours", "page": "1"}),
        ("/bulks", {"_order[created_at]": "desc", "page": "1"}),
    ]


def test_bulks_are_read_from_the_newest_back_to_the_time_asked_for(sandbox: SandboxServer, lox24: Lox24) -> None:
    sandbox.state("lox24").page_size = 2
    for _ in range(5):
        lox24.send(message(numbers=TWO, reference="earlier"))
    sandbox.advance(60)
    since = now() + dt.timedelta(seconds=60)
    sent = [lox24.send(message(numbers=TWO, reference=f"call-{number}")).references[0] for number in range(3)]
    found = lox24.find_sends(sender=SENDER, text="Hallo", since=since)
    assert sorted(report.reference for report in found) == sorted(sent)
    assert len(sandbox.requests_to("GET /bulks")) == 2


@pytest.mark.parametrize(
    ("ages", "pages"),
    [([0, -10], 1), ([-10], 1), ([-10, 0], 2), ([-20, -10], 2), ([0, None], 2), ([None, -10], 2), ([20, 10, 0], 2)],
)
def test_pages_are_read_on_unless_the_rows_come_newest_first_and_are_old(
    scripted_lox24: Lox24, recorder: Recorder, ages: list[int | None], pages: int
) -> None:
    since = now()
    stamp = int(since.timestamp())
    base = {"phone": ONE[0], "status_code": 0, "sender_id": SENDER, "text": "Hallo"}
    rows = [
        {**base, "uuid": f"{number:08d}-one", "created_at": None if age is None else stamp + age}
        for number, age in enumerate(ages)
    ]
    recorder.will_answer(collection(view={"@id": "/"}))
    recorder.will_answer(collection(*rows, view={"hydra:next": "/bulks?page=2"}))
    recorder.will_answer(collection(view={"@id": "/"}))
    list(scripted_lox24.find_sends(sender=SENDER, text="Hallo", since=since))
    assert len([asked for asked in recorder.asked if asked.path == "/bulks"]) == pages


# Money


def test_no_money_is_told_before_anything_goes_out(sandbox: SandboxServer, lox24: Lox24) -> None:
    sandbox.state("lox24").balance = 0.1
    with pytest.raises(InsufficientFunds):
        lox24.send(message(numbers=TWO))
    assert sandbox.state("lox24").bulks == {}
    lox24.send(message(numbers=ONE))
    assert str(lox24.balance().amount) == "0.025"


def test_a_price_is_that_of_the_parts(lox24: Lox24) -> None:
    price = lox24.estimate_price(sender=SENDER, text="x" * 161, number=ONE[0])
    assert (str(price.low), price.currency, price.parts) == ("0.15", "EUR", 2)
