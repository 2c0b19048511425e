"""What campaigns use: one call carries one text to numbers, phonebooks or contacts, and an unclear one is never repeated."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from contactsync.models import Call, Phonebook, ProviderAccount, Run
from contactsync.sync import sends
from contactsync.sync.line import Line
from contactsync.sync.policy import Verdict
from providers.exceptions import Unsupported
from providers.sandbox import SandboxServer
from providers.types import ChosenContacts, SendState, WholePhonebooks
from tests.factories import make_contact, make_phonebook
from tests.sync.conftest import push

pytestmark = pytest.mark.django_db
SENDER = "+983000505"
NUMBERS = ["+989120000001", "+989120000002"]


@pytest.fixture
def phonebook(account: ProviderAccount) -> Phonebook:
    book = make_phonebook(account)
    for phone in NUMBERS:
        make_contact(book, phone)
    push(book)
    book.refresh_from_db()
    return book


def make_call(account: ProviderAccount, target: dict[str, Any], operation: str = "send_to_numbers") -> Call:
    run, _ = Run.objects.get_or_create(kind=Run.Kind.SEND, account=account, state=Run.State.RUNNING)
    return Call.objects.create(run=run, sequence=run.calls.count() + 1, operation=operation, target=target)


def send(account: ProviderAccount, call: Call, **fields: Any) -> sends.Performed[Any]:
    return sends.send_call(call, account=account, sender=SENDER, text="سلام", owner="me", **fields)


def test_numbers_get_the_text_once(sandbox: SandboxServer, account: ProviderAccount) -> None:
    call = make_call(account, {"numbers": NUMBERS})
    performed = send(account, call)
    assert performed.is_done
    assert [sandbox.state("ippanel").messages_to(phone) for phone in NUMBERS] == [["سلام"], ["سلام"]]
    assert call.references == [str(next(iter(sandbox.state("ippanel").sends)))]


def test_phonebooks_and_chosen_contacts_are_named_as_the_target_says(
    sandbox: SandboxServer, account: ProviderAccount, phonebook: Phonebook
) -> None:
    contact = phonebook.contacts.get(phone=NUMBERS[0])
    target = {
        "targets": [
            {"type": "all", "phonebook_ids": [phonebook.remote_id], "start": 2, "size": 1},
            {"type": "detail", "phonebook_id": phonebook.remote_id, "number_ids": [contact.remote_id]},
        ]
    }
    assert send(account, make_call(account, target, "send_to_phonebook")).is_done
    assert [sandbox.state("ippanel").messages_to(phone) for phone in NUMBERS] == [["سلام"], ["سلام"]]
    message = sends.outbound_message(target, sender=SENDER, text="x", reference="r")
    whole, chosen = message.targets
    assert isinstance(whole, WholePhonebooks)
    assert (whole.books[0].remote_id, whole.start, whole.size) == (phonebook.remote_id, 2, 1)
    assert isinstance(chosen, ChosenContacts)
    assert chosen.contact_ids == (contact.remote_id,)


@pytest.mark.parametrize("kind", ["reset_after", "hang", "status_500", "truncated", "html", "empty", "status_429"])
def test_a_send_without_a_clear_answer_is_unknown_and_made_once(
    sandbox: SandboxServer, account: ProviderAccount, kind: str
) -> None:
    fault = sandbox.fault(kind, "POST /api/send$", times=0)
    call = make_call(account, {"numbers": NUMBERS})
    assert send(account, call).verdict is Verdict.UNKNOWN
    assert call.state == Call.State.UNKNOWN
    assert fault.hits == 1
    assert send(account, call).verdict is Verdict.TAKEN
    assert fault.hits == 1


def test_a_send_that_provably_did_not_leave_is_tried_again(account: ProviderAccount, waits: list[float]) -> None:
    account.base_url = "http://127.0.0.1:1/v1"
    account.save()
    call = make_call(account, {"numbers": NUMBERS})
    assert send(account, call).verdict is Verdict.RETRY
    call.refresh_from_db()
    assert (call.state, call.attempts) == (Call.State.PLANNED, 5)
    assert waits == [0.5, 1, 2, 4]


def test_a_refused_send_says_why(sandbox: SandboxServer, account: ProviderAccount) -> None:
    call = make_call(account, {"numbers": NUMBERS})
    performed = sends.send_call(call, account=account, sender="+98999999999", text="x", owner="me")
    assert performed.verdict is Verdict.FAIL_ITEM
    assert call.state == Call.State.REFUSED
    assert call.error_text


def test_a_scheduled_send_can_be_cancelled(sandbox: SandboxServer, account: ProviderAccount) -> None:
    call = make_call(account, {"numbers": NUMBERS})
    assert send(account, call, send_at=timezone.now() + dt.timedelta(hours=1)).is_done
    (reference,) = call.references
    cancelling = make_call(account, {"reference": reference}, "cancel_send")
    assert sends.cancel(cancelling, account=account, owner="me").is_done
    assert sends.send_report(account, reference).state is SendState.CANCELLED


def test_reports_come_by_reference(sandbox: SandboxServer, account: ProviderAccount) -> None:
    call = make_call(account, {"numbers": NUMBERS})
    send(account, call)
    sandbox.advance(3600)
    with Line(account) as line:
        assert sends.send_report(account, call.references[0], line=line).state is SendState.SENT
        reports = sends.fold_recipients(
            line, call.references[0], lambda chunks: [row for rows in chunks for row in rows]
        )
    assert sorted(report.phone for report in reports) == NUMBERS


def test_a_lost_send_is_found_by_sender_and_text(sandbox: SandboxServer, account: ProviderAccount) -> None:
    sandbox.fault("reset_after", "POST /api/send$")
    since = timezone.now() - dt.timedelta(minutes=1)
    send(account, make_call(account, {"numbers": NUMBERS}))
    found = sends.find_sends(account, sender=SENDER, text="سلام", since=since)
    assert len(found) == 1


def test_the_order_and_the_size_of_a_book_are_the_provider_s(
    sandbox: SandboxServer, account: ProviderAccount, phonebook: Phonebook
) -> None:
    state = sandbox.state("ippanel")
    assert [phone for _, phone in sends.remote_ids_in_order(account, phonebook)] == NUMBERS
    assert sends.phonebook_count(account, phonebook) == 2
    state.add_contact(state.phonebook(phonebook.title), "+989120000003")
    assert sends.phonebook_count(account, phonebook) == 3
    sandbox.reset()
    assert sends.phonebook_count(account, phonebook) is None


def test_a_book_that_was_never_pushed_is_nowhere(sandbox: SandboxServer, account: ProviderAccount) -> None:
    book = make_phonebook(account)
    assert sends.phonebook_count(account, book) is None
    assert sends.remote_ids_in_order(account, book) == []
    assert not sandbox.requests


def test_the_price_is_for_one_message(account: ProviderAccount) -> None:
    price = sends.estimate(account, SENDER, "سلام", number=NUMBERS[0])
    assert price.currency == "IRR"
    assert 0 < price.low <= price.high


def test_problems_are_told_without_a_call(sandbox: SandboxServer, account: ProviderAccount) -> None:
    assert sends.number_problem(account, NUMBERS[0]) == {}
    assert "+49" in str(sends.number_problem(account, "+4915112345678"))
    target = {"numbers": NUMBERS}
    assert sends.message_problem(account, target, sender=SENDER, text="سلام") == {}
    assert sends.message_problem(account, target, sender=SENDER, text="x" * 1401)["message"]
    soon = timezone.now() + dt.timedelta(minutes=1)
    assert "5 minutes" in sends.message_problem(account, target, sender=SENDER, text="x", send_at=soon)["message"]
    assert not sandbox.requests


def test_a_read_is_asked_again_after_a_passing_failure(
    sandbox: SandboxServer, account: ProviderAccount, waits: list[float]
) -> None:
    sandbox.fault("status_500", "POST /api/send/calculate-price", times=2)
    sends.estimate(account, SENDER, "x", number=NUMBERS[0])
    assert sum(waits) == 0.5 + 1


def test_what_is_not_supported_is_refused_before_any_call(
    sandbox: SandboxServer, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    from providers.backends.ippanel.account import AccountCalls
    from providers.base import Provider

    monkeypatch.setattr(AccountCalls, "estimate_price", Provider.estimate_price)
    with pytest.raises(Unsupported):
        sends.estimate(account, SENDER, "x", number=NUMBERS[0])
    assert not sandbox.requests
