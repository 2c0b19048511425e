"""What follows from callbacks: nothing is believed that the provider does not say when asked."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from contactsync.campaigns import evidence, lifecycle
from contactsync.campaigns.resolve import open_again, resolve_unknown
from contactsync.campaigns.settle import settle_again
from contactsync.inbound import handle
from contactsync.models import Call, Callback, Campaign, Contact, Evidence, ProviderAccount, Recipient
from contactsync.sync.callbacks import subscribe
from contactsync.sync.connect import Throttled
from contactsync.tasks import sweep
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_phonebook, make_user
from tests.inbound.conftest import sent

AccountAt = Callable[..., ProviderAccount]
State = Callback.State
AUSTRALIAN, GERMAN, ITALIAN = "+61491570006", "+4915112345678", "+393331234567"
SECRET = "whsec_0123456789abcdef0123456789abcdef"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(live_server: Any, settings: Any) -> None:
    """The site really listens, where the sandbox calls it."""
    settings.SITE_URL = live_server.url.replace("localhost", "127.0.0.1")  # Callbell takes no localhost


def told(account: ProviderAccount, **fields: Any) -> Callback:
    """A callback that waits."""
    return Callback.objects.create(**{"account": account, "key": uuid.uuid4().hex, "kind": "delivery", **fields})


def after_handling(row: Callback) -> Callback:
    handle.handle(row.account_id)
    row.refresh_from_db()
    return row


def make_due() -> None:
    Callback.objects.exclude(not_before=None).update(not_before=timezone.now() - dt.timedelta(seconds=1))


# As it goes


def test_atom_calls_the_site_about_a_message_and_its_recipient_is_delivered(
    site: None, sandbox: SandboxServer, account_at: AccountAt, run_tasks: Callable[[], None]
) -> None:
    account = account_at("atomtelecom")
    call = sent(account, AUSTRALIAN)
    sandbox.advance(20)
    sandbox.settings.callbacks.join()
    assert [delivered.status for delivered in sandbox.settings.callbacks.delivered] == [200]
    row = Callback.objects.get()
    assert (row.our_reference, row.raw_state, row.state) == (str(call.uuid), "Delivered", State.RECEIVED)
    run_tasks()
    row.refresh_from_db()
    assert (row.state, row.error, row.attempts) == (State.DONE, {}, 1)
    assert Recipient.objects.get().delivery == Recipient.Delivery.DELIVERED


def test_lox24_calls_the_site_about_a_message_of_a_bulk(
    site: None, sandbox: SandboxServer, account_at: AccountAt, run_tasks: Callable[[], None]
) -> None:
    from contactsync.sync.callback_address import callback_url

    account = account_at("lox24")
    sandbox.dialects["lox24"].set_up({"callback_urls": [callback_url(account)], "inbound_url": callback_url(account)})
    sent(account, GERMAN)
    sandbox.advance(40)
    sandbox.settings.callbacks.join()
    assert {delivered.status for delivered in sandbox.settings.callbacks.delivered} == {200}
    assert Callback.objects.filter(state=State.RECEIVED).exists()
    run_tasks()
    assert set(Callback.objects.values_list("state", flat=True)) == {State.DONE}
    assert Recipient.objects.get().delivery == Recipient.Delivery.DELIVERED
    sandbox.dialects["lox24"].receive({"from": GERMAN, "text": "Abmelden"})
    sandbox.settings.callbacks.join()
    assert account.replies.get().is_opt_out


def test_callbell_calls_the_site_signed_once_it_is_subscribed(
    site: None, sandbox: SandboxServer, account_at: AccountAt, run_tasks: Callable[[], None]
) -> None:
    account = account_at("callbell", credentials={"callback_secret": SECRET})
    sandbox.state("callbell").secret = SECRET
    subscribe(account)
    account.refresh_from_db()
    assert account.callback_subscribed_at
    sandbox.dialects["callbell"].receive({"from": ITALIAN, "message": "Ciao"})
    sandbox.settings.callbacks.join()
    assert {delivered.status for delivered in sandbox.settings.callbacks.delivered} == {200}
    assert Callback.objects.filter(kind="inbound", is_proven=True).exists()
    assert account.replies.get().text == "Ciao"
    run_tasks()
    assert not Callback.objects.filter(state__in=[State.RECEIVED, State.FAILED]).exists()


# Messages


def test_what_is_told_of_a_message_is_asked_and_not_believed(sandbox: SandboxServer, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    call = sent(account, AUSTRALIAN)
    row = after_handling(told(account, our_reference=str(call.uuid), raw_state="Delivered"))
    assert row.state == State.DONE
    assert Recipient.objects.get().delivery == Recipient.Delivery.QUEUED


def test_many_events_of_one_send_are_one_question(sandbox: SandboxServer, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    call = sent(account, AUSTRALIAN)
    rows = [told(account, our_reference=str(call.uuid)) for _ in range(5)]
    before = len(sandbox.requests)
    after_handling(rows[0])
    assert len(sandbox.requests) == before + 1
    assert set(Callback.objects.values_list("state", flat=True)) == {State.DONE}


@pytest.mark.parametrize("way", ["call", "recipient", "contact", "provider"])
def test_the_send_is_found_by_our_reference_or_by_theirs(
    sandbox: SandboxServer, account_at: AccountAt, way: str
) -> None:
    account = account_at("lox24")
    call = sent(account, GERMAN)
    contact = make_contact(make_phonebook(account), GERMAN)
    Recipient.objects.update(contact=contact)
    references = {
        "call": {"our_reference": str(call.uuid)},
        "recipient": {"our_reference": str(Recipient.objects.get().uuid)},
        "contact": {"our_reference": str(contact.uuid)},
        "provider": {"reference": call.references[0]},
    }
    assert after_handling(told(account, **references[way])).state == State.DONE


def test_a_send_of_another_account_is_not_meant(sandbox: SandboxServer, account_at: AccountAt) -> None:
    call = sent(account_at("atomtelecom"), AUSTRALIAN)
    before = len(sandbox.requests)
    row = told(account_at("atomtelecom"), our_reference=str(call.uuid), attempts=1)
    assert after_handling(row).state == State.IGNORED
    assert len(sandbox.requests) == before


def test_an_unknown_reference_is_waited_for_once_and_then_ignored(account_at: AccountAt) -> None:
    row = after_handling(told(account_at("atomtelecom"), our_reference="nobody", reference="nothing"))
    assert row.state == State.RECEIVED
    assert row.not_before > timezone.now()
    make_due()
    row = after_handling(row)
    assert row.state == State.IGNORED
    assert "reference" in row.error_text


def test_an_event_that_is_faster_than_the_answer_waits_for_it(sandbox: SandboxServer, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    call = sent(account, AUSTRALIAN, state=Call.State.ON_WIRE)
    row = after_handling(told(account, our_reference=str(call.uuid)))
    assert (row.state, row.attempts) == (State.RECEIVED, 1)
    Call.objects.update(state=Call.State.ACCEPTED)
    make_due()
    assert after_handling(row).state == State.DONE


def make_unknown(call: Call) -> None:
    """As if the answer to the send had been lost."""
    Call.objects.filter(pk=call.pk).update(state=Call.State.UNKNOWN, references=[], started_at=timezone.now())
    Recipient.objects.filter(call=call).update(state=Recipient.State.UNKNOWN)


def test_an_unsigned_event_decides_no_unknown_send(sandbox: SandboxServer, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    call = sent(account, AUSTRALIAN)
    make_unknown(call)
    row = after_handling(told(account, our_reference=str(call.uuid)))
    assert row.state == State.IGNORED
    call.refresh_from_db()
    assert call.state == Call.State.UNKNOWN


def test_a_signed_event_with_our_reference_accepts_an_unknown_send(
    sandbox: SandboxServer, account_at: AccountAt
) -> None:
    account = account_at("callbell", default_sender=next(iter(sandbox.state("callbell").channels)))
    sandbox.dialects["callbell"].receive({"from": ITALIAN, "message": "Ciao"})  # free text needs that
    call = sent(account, ITALIAN)
    reference = call.references[0]
    make_unknown(call)
    row = after_handling(told(account, our_reference=str(call.uuid), reference=reference, is_proven=True))
    assert row.state == State.DONE, row.error_text
    call.refresh_from_db()
    assert (call.state, call.references) == (Call.State.ACCEPTED, [reference])
    assert Recipient.objects.get().state == Recipient.State.ACCEPTED


def test_an_unsigned_event_makes_us_look_where_the_provider_can_be_searched(
    sandbox: SandboxServer, account_at: AccountAt
) -> None:
    account = account_at("lox24")
    call = sent(account, GERMAN)
    make_unknown(call)
    row = after_handling(told(account, our_reference=str(call.uuid)))
    assert row.state == State.DONE, row.error_text
    call.refresh_from_db()
    assert call.state == Call.State.ACCEPTED


def make_not_sent(call: Call, user: User) -> None:
    """As if the answer had been lost, and somebody had decided wrongly."""
    make_unknown(call)
    call.refresh_from_db()
    resolve_unknown(call, sent=False, user=user)


def test_what_a_person_called_not_sent_is_open_again_when_the_provider_speaks_of_it(
    sandbox: SandboxServer, account_at: AccountAt
) -> None:
    account = account_at("atomtelecom")
    call = sent(account, AUSTRALIAN)
    make_not_sent(call, make_user())
    row = after_handling(told(account, our_reference=str(call.uuid), raw_state="Delivered"))
    call.refresh_from_db()
    assert (row.state, call.state) == (State.IGNORED, Call.State.UNKNOWN)
    assert "decided: it was not sent" in call.error_text
    assert "open again" in call.error_text
    assert Recipient.objects.get().state == Recipient.State.UNKNOWN
    assert Campaign.objects.get().state == Campaign.State.ATTENTION


def test_and_is_accepted_when_that_is_proven(sandbox: SandboxServer, account_at: AccountAt) -> None:
    account = account_at("callbell", default_sender=next(iter(sandbox.state("callbell").channels)))
    sandbox.dialects["callbell"].receive({"from": ITALIAN, "message": "Ciao"})
    call = sent(account, ITALIAN)
    reference = call.references[0]
    make_not_sent(call, make_user())
    row = after_handling(told(account, our_reference=str(call.uuid), reference=reference, is_proven=True))
    call.refresh_from_db()
    assert (row.state, call.state, call.references) == (State.DONE, Call.State.ACCEPTED, [reference])
    assert Recipient.objects.get().state == Recipient.State.ACCEPTED


def test_a_campaign_closed_as_cancelled_because_nothing_went_out_is_open_again_and_handed_over_once_it_is_proven(
    sandbox: SandboxServer, account_at: AccountAt
) -> None:
    account = account_at("callbell", default_sender=next(iter(sandbox.state("callbell").channels)))
    sandbox.dialects["callbell"].receive({"from": ITALIAN, "message": "Ciao"})
    call, user = sent(account, ITALIAN), make_user()
    Campaign.objects.update(summary={"considered": 1, "recipients": 1})
    reference = call.references[0]
    make_unknown(call)
    settle_again(call.run)
    resolve_unknown(Call.objects.get(), sent=False, user=user)
    assert lifecycle.leave_unsent(Campaign.objects.get(), user=user).state == Campaign.State.CANCELLED
    assert open_again(call)
    campaign = Campaign.objects.get()
    assert (campaign.state, campaign.summary["sent"]["unknown"]) == (Campaign.State.ATTENTION, 1)
    assert "outcome is not known" in campaign.error_text
    after_handling(told(account, our_reference=str(call.uuid), reference=reference, is_proven=True))
    campaign.refresh_from_db()
    assert (campaign.state, campaign.error) == (Campaign.State.SENT, {})
    assert Recipient.objects.get().state == Recipient.State.ACCEPTED


def test_when_its_people_were_sent_to_again_it_is_said(sandbox: SandboxServer, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    call = sent(account, AUSTRALIAN)
    make_not_sent(call, make_user())
    Recipient.objects.update(call=None, state=Recipient.State.PLANNED)  # as going on with the rest does
    row = after_handling(told(account, our_reference=str(call.uuid), raw_state="Delivered"))
    call.refresh_from_db()
    assert (row.state, call.state) == (State.IGNORED, Call.State.NOT_SENT)
    assert "get it twice" in row.error_text


def test_what_the_provider_has_told_of_a_send_is_evidence_where_nothing_can_be_searched(
    site: None, sandbox: SandboxServer, account_at: AccountAt, run_tasks: Callable[[], None]
) -> None:
    account = account_at("atomtelecom")
    call = sent(account, AUSTRALIAN)
    make_unknown(call)
    evidence.search_account(account.pk)
    assert Evidence.objects.get().proposal == Evidence.Proposal.CANNOT_TELL
    sandbox.advance(20)
    sandbox.settings.callbacks.join()
    run_tasks()
    call.refresh_from_db()
    assert call.state == Call.State.UNKNOWN
    evidence.search_account(account.pk)
    found = Evidence.objects.get()
    assert (found.proposal, found.references, found.speaks_for_a_send) == (Evidence.Proposal.SENT, [], True)
    assert "Delivered" in found.why_text


# Contacts


@pytest.fixture
def linked(sandbox: SandboxServer, account_at: AccountAt) -> Contact:
    """A contact that Callbell has too."""
    account = account_at("callbell")
    from contactsync.sync.connect import open_provider
    from providers.types import BookRef, ContactRecord

    with open_provider(account) as provider:
        tag = sandbox.state("callbell").tags[0]
        record = ContactRecord("r", ITALIAN, first_name="Sara")
        created = provider.create_contacts(BookRef(tag, tag), [record]).items[0]
    assert created.remote_id, created
    return make_contact(make_phonebook(account), ITALIAN, remote_id=created.remote_id, sync_state="synced")


def deleted(contact: Contact) -> Callback:
    return told(contact.phonebook.account, kind="contact_deleted", contact_remote_id=contact.remote_id)


def test_a_contact_that_is_gone_at_the_provider_is_marked_and_stays_here(
    sandbox: SandboxServer, linked: Contact
) -> None:
    sandbox.state("callbell").contacts.clear()
    assert after_handling(deleted(linked)).state == State.DONE
    linked.refresh_from_db()
    assert (linked.sync_state, linked.deleted_at) == (Contact.SyncState.MISSING, None)
    assert linked.sync_error_text


def test_a_contact_that_is_still_there_is_left_alone(linked: Contact) -> None:
    before = linked.sync_state
    row = after_handling(deleted(linked))
    assert row.state == State.IGNORED
    assert "still" in row.error_text
    linked.refresh_from_db()
    assert linked.sync_state == before


def test_nobody_is_asked_about_a_contact_that_is_not_ours_or_was_deleted_here(
    sandbox: SandboxServer, linked: Contact
) -> None:
    Contact.objects.update(deleted_at=timezone.now())
    before = len(sandbox.requests)
    assert after_handling(deleted(linked)).state == State.IGNORED
    assert len(sandbox.requests) == before


# Trouble


def test_a_question_that_does_not_get_through_is_asked_again_later(
    linked: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> bool:
        raise Throttled("Not now.", retry_after=3000)

    monkeypatch.setattr(handle, "has_contact", refuse)
    before = timezone.now()
    row = after_handling(deleted(linked))
    assert row.state == State.RECEIVED
    assert row.not_before > before + dt.timedelta(seconds=2999)
    assert row.error_text == "Not now."


def test_it_is_given_up_in_the_end_with_the_reason(sandbox: SandboxServer, linked: Contact) -> None:
    row = deleted(linked)
    Callback.objects.update(attempts=handle.MOST_ATTEMPTS - 1)
    sandbox.fault("status_500", times=20)
    row = after_handling(row)
    assert (row.state, row.attempts) == (State.FAILED, handle.MOST_ATTEMPTS)
    assert "500" in row.error_text


def test_what_a_killed_worker_had_taken_is_taken_up_again(
    sandbox: SandboxServer, account_at: AccountAt, run_tasks: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = account_at("atomtelecom")
    row = told(account, our_reference=str(sent(account, AUSTRALIAN).uuid))

    class Killed(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(handle, "_deliveries", killed)
        with pytest.raises(Killed):
            handle.handle(account.pk)
    assert handle.accounts_with_work() == []
    make_due()
    assert handle.accounts_with_work() == [account.pk]
    sweep()
    run_tasks()
    row.refresh_from_db()
    assert (row.state, row.attempts) == (State.DONE, 2)


def test_a_call_back_whose_task_was_lost_is_swept_up(
    account_at: AccountAt, client: Client, run_tasks: Callable[[], None]
) -> None:
    account = account_at("atomtelecom")
    told(account, our_reference="nobody", attempts=1)
    assert not DBTaskResult.objects.exists()
    assert [sweep(), sweep()] == [1, 0]  # one wake-up call is enough for a while
    run_tasks()
    assert Callback.objects.get().state == State.IGNORED


def test_two_workers_ask_about_the_same_call_backs_once(sandbox: SandboxServer, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    calls = [sent(account, f"+6149157000{number}") for number in range(3)]
    for call in calls:
        told(account, our_reference=str(call.uuid))
    before = len(sandbox.requests)
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait(timeout=10)
        handle.handle(account.pk)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert len(sandbox.requests) == before + 3
    assert set(Callback.objects.values_list("state", "attempts")) == {(State.DONE, 1)}


def test_what_came_long_ago_is_forgotten_but_not_what_still_waits(account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    old = timezone.now() - handle.KEPT_FOR - dt.timedelta(days=1)
    for state in (State.DONE, State.IGNORED, State.FAILED, State.RECEIVED):
        Callback.objects.filter(pk=told(account, state=state).pk).update(received_at=old, not_before=timezone.now())
    recent = told(account, state=State.DONE)
    sweep()
    assert set(Callback.objects.exclude(pk=recent.pk).values_list("state", flat=True)) == {State.RECEIVED}
    assert Callback.objects.filter(pk=recent.pk).exists()


def test_a_report_that_cannot_be_read_now_is_read_later(sandbox: SandboxServer, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    row = told(account, our_reference=str(sent(account, AUSTRALIAN).uuid))
    sandbox.fault("status_500", times=20)
    row = after_handling(row)
    assert (row.state, row.attempts) == (State.RECEIVED, 1)
    assert row.error_text
    sandbox.faults.clear()
    make_due()
    row = after_handling(row)
    assert (row.state, row.error) == (State.DONE, {})


def test_what_every_worker_broke_down_with_is_given_up_untried(sandbox: SandboxServer, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    row = told(account, our_reference=str(sent(account, AUSTRALIAN).uuid), attempts=handle.MOST_ATTEMPTS)
    before = len(sandbox.requests)
    row = after_handling(row)
    assert row.state == State.FAILED
    assert "The log tells why" in row.error_text
    assert len(sandbox.requests) == before


def test_call_backs_of_a_stopped_account_wait_without_a_request(sandbox: SandboxServer, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    row = told(account, our_reference=str(sent(account, AUSTRALIAN).uuid))
    ProviderAccount.objects.update(state=ProviderAccount.State.REFUSED)
    before = len(sandbox.requests)
    assert after_handling(row).state == State.RECEIVED
    assert len(sandbox.requests) == before
