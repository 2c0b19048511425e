"""Replies and callbacks on the screens, and the address of an account that providers call."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from contactsync.models import Callback, InboundMessage, ProviderAccount, RequestPace, Suppression
from contactsync.models.fields import Credentials
from contactsync.models.reasons import reason
from contactsync.sync.callback_address import callback_url
from providers.sandbox import SandboxServer
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import SANDBOX_KEY, make_account, make_contact, make_phonebook

pytestmark = pytest.mark.django_db(transaction=True)

REPLIES = reverse("admin:contactsync_inboundmessage_changelist")
CALLBACKS = reverse("admin:contactsync_callback_changelist")
KEEPS_REPLIES = "contactsync_inboundmessage_fetch"


def make_reply(
    account: ProviderAccount, phone: str = "+989120000001", text: str = "سلام", **fields: Any
) -> InboundMessage:
    number = InboundMessage.objects.count() + 1
    known = {"remote_id": str(number), "phone": phone, "text": text, "received_at": timezone.now()}
    return InboundMessage.objects.create(account=account, **{**known, **fields})


def make_callback(account: ProviderAccount, **fields: Any) -> Callback:
    return Callback.objects.create(
        **{"account": account, "key": "k", "kind": "delivery", "raw_state": "Delivered", **fields}
    )


@pytest.fixture
def callbell(sandbox: SandboxServer) -> ProviderAccount:
    return make_account(
        provider="callbell", base_url=sandbox.url("callbell"), credentials=Credentials.seal({"api_key": SANDBOX_KEY})
    )


# Replies


def test_replies_are_listed_with_what_they_say_and_the_rest_of_a_long_one_on_its_page() -> None:
    account = make_account()
    reply = make_reply(account, text="<b>لطفا</b>\n" + "بیشتر " * 100 + "پایان")
    contact = make_contact(make_phonebook(account), reply.phone, first_name="Sara")
    client = client_of("Marketing")
    page = text_of(client.get(REPLIES))
    assert "&lt;b&gt;لطفا&lt;/b&gt;" in page
    assert "پایان" not in page
    page = text_of(client.get(address(reply)))
    assert "&lt;b&gt;لطفا&lt;/b&gt;<br>بیشتر" in page
    assert "پایان" in page
    assert address(contact) in page
    assert 'name="_save"' not in page


@pytest.mark.parametrize(("wanted", "found"), [("0912 000 0002", {"+989120000002"}), ("gift", {"+989120000001"})])
def test_replies_are_found_by_number_and_by_word(wanted: str, found: set[str]) -> None:
    account = make_account()
    make_reply(account, "+989120000001", "Where is my gift?")
    make_reply(account, "+989120000002", "Yes")
    listed = client_of("Marketing").get(REPLIES, {"q": wanted}).context["cl"].queryset
    assert {reply.phone for reply in listed} == found


def test_replies_are_filtered_by_account_and_by_what_they_ask() -> None:
    one, two = make_account(), make_account()
    make_reply(one, "+989120000001", is_opt_out=True)
    make_reply(one, "+989120000002")
    make_reply(two, "+989120000003", is_opt_out=True)
    query = {"account__id__exact": one.pk, "is_opt_out__exact": "1"}
    listed = client_of("Marketing").get(REPLIES, query).context["cl"].queryset
    assert [reply.phone for reply in listed] == ["+989120000001"]


def test_numbers_of_replies_are_suppressed_after_a_question_with_the_reply_as_the_reason() -> None:
    account = make_account()
    replies = [make_reply(account, text="leave me alone"), make_reply(account, "Operator")]
    data = {"action": "suppress_numbers", "_selected_action": [reply.pk for reply in replies]}
    client = client_of("Marketing")
    page = text_of(client.post(REPLIES, data))
    assert "1 number goes on the suppression list" in page
    assert not Suppression.objects.exists()
    client.post(REPLIES, {**data, "confirmed": "yes"})
    row = Suppression.objects.get()
    assert (row.phone, row.reason, row.source) == ("+989120000001", "leave me alone", Suppression.Source.REPLY)


def test_replies_are_read_only_and_suppressing_needs_the_right_to() -> None:
    reply = make_reply(make_account())
    client = client_of(may=("view_inboundmessage",))
    assert client.get(REPLIES).status_code == 200
    client.post(REPLIES, {"action": "suppress_numbers", "_selected_action": [reply.pk], "confirmed": "yes"})
    assert not Suppression.objects.exists()
    assert client.post(address(reply), {"text": "x"}).status_code == 403
    assert client.get(reverse("admin:contactsync_inboundmessage_add")).status_code == 403
    assert client_of().get(REPLIES).status_code == 403


def test_replies_are_fetched_at_the_push_of_a_button(sandbox: SandboxServer, run_tasks: Any) -> None:
    account = make_account(base_url=sandbox.url("ippanel"))
    sandbox.dialects["ippanel"].receive({"from": "+989120000001", "message": "لغو۱۱"})
    client = client_of("Marketing")
    assert "Fetch replies now" in text_of(client.get(REPLIES))
    assert client.get(reverse(f"admin:{KEEPS_REPLIES}")).status_code == 405
    assert "are being fetched" in text_of(client.post(reverse(f"admin:{KEEPS_REPLIES}"), follow=True))
    run_tasks()
    assert account.replies.get().is_opt_out
    assert Suppression.objects.get().phone == "+989120000001"


def test_without_a_provider_that_keeps_replies_there_is_no_button(callbell: ProviderAccount) -> None:
    assert "Fetch replies now" not in text_of(client_of("Marketing").get(REPLIES))


# Callbacks


def test_call_backs_are_for_administrators() -> None:
    row = make_callback(make_account(), error=reason("No send of this account has this reference."), state="ignored")
    for group in ("Marketing", "Marketing lead"):
        assert client_of(group).get(CALLBACKS).status_code == 403
    client = client_of(is_superuser=True)
    assert "No send of this account has this reference." in text_of(client.get(CALLBACKS))
    page = text_of(client.get(address(row)))
    assert "Delivered" in page
    assert 'name="_save"' not in page


# The page of an account


def page_of(account: ProviderAccount, **fields: Any) -> str:
    return text_of(client_of(**{"is_superuser": True, **fields}).get(address(account)))


def test_the_page_of_an_account_gives_the_address_and_says_what_to_do_with_it(callbell: ProviderAccount) -> None:
    page = page_of(callbell)
    assert f'value="{callback_url(callbell)}"' in page
    assert 'readonly dir="ltr"' in page
    assert "Callbell calls one address per account" in page
    assert "No signature secret is entered" in page
    assert "Unsubscribe" not in page


def test_with_a_secret_nothing_is_missing(callbell: ProviderAccount) -> None:
    callbell.credentials = Credentials.seal({"api_key": SANDBOX_KEY, "callback_secret": "whsec_" + "x" * 32})
    callbell.save()
    page = page_of(callbell)
    assert "No signature secret is entered" not in page
    assert "whsec_" not in page


def test_the_page_of_an_account_says_when_the_provider_asked_for_a_pause(callbell: ProviderAccount) -> None:
    assert "asked for a pause" not in page_of(callbell)
    RequestPace.objects.create(key=f"account:{callbell.pk}", blocked_until=time.time() + 600)
    assert "asked for a pause" in page_of(callbell)


def test_whoever_may_not_change_the_account_does_not_see_its_address(callbell: ProviderAccount) -> None:
    client = client_of(may=("view_provideraccount",))
    assert callbell.callback_key not in text_of(client.get(address(callbell)))
    for step in ("subscribe", "unsubscribe", "rotate"):
        assert client.post(address(callbell, step), {"confirmed": "yes"}).status_code == 403


def test_a_provider_that_calls_nobody_has_no_address(sandbox: SandboxServer) -> None:
    account = make_account(base_url=sandbox.url("ippanel"))
    page = page_of(account)
    assert "This provider makes no calls." in page
    assert account.callback_key not in page


def test_a_site_that_is_not_reached_from_outside_says_so() -> None:
    account = make_account(provider="callbell", credentials=Credentials.seal({"api_key": SANDBOX_KEY}))
    page = page_of(account)
    assert "This site is open on this machine only" in page
    assert account.callback_key not in page


def test_subscribing_asks_first_and_is_in_the_history(callbell: ProviderAccount, sandbox: SandboxServer) -> None:
    client = client_of(is_superuser=True)
    page = text_of(client.post(address(callbell, "subscribe")))
    assert "that software will no longer be called" in page
    assert sandbox.state("callbell").webhook is None
    answer = client.post(address(callbell, "subscribe"), {"confirmed": "yes"}, follow=True)
    assert "The provider calls this site now." in text_of(answer)
    assert sandbox.state("callbell").webhook.url == callback_url(callbell)
    callbell.refresh_from_db()
    assert callbell.callback_subscribed_at
    history = client.get(reverse("admin:contactsync_provideraccount_history", args=[callbell.pk]))
    assert "Have the provider call this site" in text_of(history)
    client.post(address(callbell, "unsubscribe"), {"confirmed": "yes"})
    assert sandbox.state("callbell").webhook is None
    callbell.refresh_from_db()
    assert callbell.callback_subscribed_at is None


def test_a_refusal_of_the_provider_is_shown(callbell: ProviderAccount, sandbox: SandboxServer) -> None:
    sandbox.fault("status_422")
    client = client_of(is_superuser=True)
    answer = client.post(address(callbell, "subscribe"), {"confirmed": "yes"}, follow=True)
    assert "The provider refused this" in text_of(answer)
    callbell.refresh_from_db()
    assert callbell.callback_subscribed_at is None


def test_a_new_address_makes_the_old_one_unknown(callbell: ProviderAccount) -> None:
    before = callback_url(callbell)
    client = client_of(is_superuser=True)
    client.post(address(callbell, "rotate"))
    callbell.refresh_from_db()
    assert callback_url(callbell) == before
    client.post(address(callbell, "rotate"), {"confirmed": "yes"})
    callbell.refresh_from_db()
    assert callback_url(callbell) != before
    old, new = (url.removeprefix("http://127.0.0.1:8000") for url in (before, callback_url(callbell)))
    assert [client.post(path).status_code for path in (old, new)] == [404, 200]


def test_a_call_back_that_was_given_up_can_be_tried_again_once() -> None:
    account = make_account()
    row = make_callback(account, state="failed", attempts=8, error=reason("The provider did not answer."))
    boss = client_of(is_superuser=True)
    page = text_of(boss.get(address(row)))
    assert "It was given up. The provider did not answer." in page
    assert f"<h1>news of a message {row.pk}</h1>" in page
    assert boss.get(address(row, "again")).status_code == 405
    assert client_of("Marketing lead").post(address(row, "again")).status_code == 403
    boss.post(address(row, "again"))
    row.refresh_from_db()
    assert (row.state, row.attempts, row.not_before) == ("received", 0, None)
    assert "Try again" not in text_of(boss.get(address(row)))
    assert "Somebody else was faster" in text_of(boss.post(address(row, "again"), follow=True))
