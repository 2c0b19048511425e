"""Sending what was shown: once, on record, and told apart by outcome."""

from __future__ import annotations

import json
import threading

import pytest
from django.db import connections
from django.utils import timezone

from contactsync.campaigns import dispatch, lifecycle
from contactsync.campaigns.problems import CampaignProblem
from contactsync.models import Call, Campaign, Contact, ProviderAccount, Recipient, Run, Suppression
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import accounts
from contactsync.sync.connect import InsufficientFunds, provider_class
from tests.campaigns.conftest import approve, campaign_to, prepare, received, send, sent_bodies, states
from tests.factories import SANDBOX_KEY, make_contact, make_phonebook

ALI, SARA, REZA = "+989120000001", "+989120000002", "+989120000003"


pytestmark = pytest.mark.usefixtures("one_text_per_call")


@pytest.fixture
def book(account):
    book = make_phonebook(account)
    for phone in (ALI, SARA):
        make_contact(book, phone)
    return book


class TestTheWire:
    def test_a_slice_and_chosen_contacts_go_out_as_the_document_shows(self, account, user, pushed, sandbox):
        first, second = pushed(ALI, SARA, REZA), pushed("+989120000011", "+989120000012", "+989120000013")
        campaign = campaign_to(
            account, (first, 1, 2), (second, list(second.contacts.all())), message="تست", sender="+983000505"
        )
        send(campaign, user)
        assert sent_bodies(sandbox) == [
            {
                "sending_type": "phonebook",
                "from_number": "+983000505",
                "message": "تست",
                "params": [
                    {"phonebook_ids": [first.remote_id], "type": "all", "start": "1", "size": "2"},
                    {
                        "phonebook_id": second.remote_id,
                        "type": "detail",
                        "number_ids": list(second.contacts.values_list("remote_id", flat=True)),
                    },
                ],
            }
        ]
        assert set(received(sandbox)) == set(states(campaign))
        assert sandbox.state("ippanel").violations == []

    def test_a_whole_phonebook(self, account, user, pushed, sandbox):
        book = pushed(ALI, SARA)
        send(campaign_to(account, book), user)
        (body,) = sent_bodies(sandbox)
        assert body["params"] == [{"phonebook_ids": [book.remote_id], "type": "all"}]

    def test_numbers(self, account, user, book, sandbox):
        send(campaign_to(account, book), user)
        assert sent_bodies(sandbox) == [
            {
                "sending_type": "webservice",
                "from_number": "+983000505",
                "message": "سلام",
                "params": {"recipients": [ALI, SARA]},
            }
        ]

    def test_each_distinct_text_is_its_own_call(self, account, user, sandbox):
        book = make_phonebook(account)
        for phone, name in ((ALI, "علی"), (SARA, "سارا"), (REZA, "علی")):
            make_contact(book, phone, first_name=name)
        campaign = campaign_to(account, book, message="سلام {first_name}")
        run = send(campaign, user)
        assert received(sandbox) == {ALI: ["سلام علی"], SARA: ["سلام سارا"], REZA: ["سلام علی"]}
        assert run.calls.count() == 2

    def test_more_numbers_than_a_call_takes_are_several_calls(self, account, user, sandbox):
        book = make_phonebook(account)
        Contact.objects.bulk_create(
            Contact(phonebook=book, phone=f"+98913{index:07d}", payload_hash="x") for index in range(2300)
        )
        campaign = campaign_to(account, book)
        run = send(campaign, user)
        assert [len(body["params"]["recipients"]) for body in sent_bodies(sandbox)] == [1000, 1000, 300]
        assert campaign.state == Campaign.State.SENT
        assert run.counts["accepted"] == 2300
        assert all(len(texts) == 1 for texts in received(sandbox).values())


class TestOutcomes:
    def test_accepted(self, account, user, book):
        campaign = campaign_to(account, book)
        run = send(campaign, user)
        call = run.calls.get()
        assert (run.state, campaign.state, call.state) == ("finished", "sent", "accepted")
        assert states(campaign) == {ALI: "accepted", SARA: "accepted"}
        assert {row.reference for row in Recipient.objects.all()} == {call.references[0]}
        assert run.counts["balances"] is True
        assert campaign.summary["sent"]["accepted"] == 2
        assert campaign.finished_at

    def test_refused_with_the_provider_s_words(self, account, user, book, sandbox):
        campaign = prepare(campaign_to(account, book), user)
        sandbox.fault("status_422", "POST /api/send$")
        run = send(campaign, user)
        assert (run.state, campaign.state) == ("failed", "failed")
        assert set(states(campaign).values()) == {"refused"}
        assert "تکمیل گزینه پیام الزامی است" in Recipient.objects.first().error_text
        assert "تکمیل گزینه پیام الزامی است" in campaign.error_text
        assert received(sandbox) == {}

    def test_one_refused_call_leaves_the_others(self, account, user, sandbox):
        book = make_phonebook(account)
        make_contact(book, ALI, first_name="a")
        make_contact(book, SARA, first_name="b")
        campaign = prepare(campaign_to(account, book, message="{first_name}"), user)
        sandbox.fault("status_422", "POST /api/send$")
        send(campaign, user)
        assert sorted(states(campaign).values()) == ["accepted", "refused"]
        assert campaign.state == Campaign.State.ATTENTION
        assert "1" in campaign.error_text
        assert "تکمیل گزینه پیام الزامی است" in campaign.error_text
        assert campaign.summary["sent"]["balances"]

    @pytest.mark.parametrize(
        ("fault", "carried_out"),
        [
            ("status_500", False),
            ("status_429", False),
            ("reset_before", False),
            ("reset_after", True),
            ("truncated", True),
            ("html", True),
            ("empty", True),
        ],
    )
    def test_what_is_not_known_stays_unknown_and_is_never_sent_again(
        self, account, user, book, sandbox, fault, carried_out
    ):
        campaign = prepare(campaign_to(account, book), user)
        sandbox.fault(fault, "POST /api/send$")
        run = send(campaign, user)
        assert (run.state, campaign.state) == ("attention", "attention")
        assert set(states(campaign).values()) == {"unknown"}
        assert Recipient.objects.first().error_text
        dispatch.execute(run.pk)
        with pytest.raises(CampaignProblem, match="Nobody is left"):
            lifecycle.resume(campaign, user=user)
        assert len(sent_bodies(sandbox)) == 1
        assert len(received(sandbox)) == (2 if carried_out else 0)

    def test_a_time_out_after_the_provider_sent_is_unknown_and_not_repeated(self, account, user, book, sandbox):
        campaign = prepare(campaign_to(account, book), user)
        sandbox.fault("hang", "POST /api/send$", seconds=3)
        run = send(campaign, user)
        dispatch.execute(run.pk)
        assert set(states(campaign).values()) == {"unknown"}
        assert received(sandbox) == {ALI: ["سلام"], SARA: ["سلام"]}

    def test_a_provider_that_answers_nothing_is_asked_three_times_and_then_a_person(self, account, user, sandbox):
        book = make_phonebook(account)
        for index in range(5):
            make_contact(book, f"+98912000000{index}", first_name=str(index))
        campaign = prepare(campaign_to(account, book, message="{first_name}"), user)
        sandbox.fault("status_500", "POST /api/send$", times=0)
        run = send(campaign, user)
        assert (run.state, campaign.state) == ("paused", "paused")
        assert sorted(states(campaign).values()) == ["planned", "planned", "unknown", "unknown", "unknown"]
        sandbox.faults.clear()
        again = lifecycle.resume(campaign, user=user)
        dispatch.execute(again.pk)
        campaign.refresh_from_db()
        assert sorted(states(campaign).values()) == ["accepted", "accepted", "unknown", "unknown", "unknown"]
        assert campaign.state == Campaign.State.ATTENTION

    def test_a_refused_key_pauses_and_loses_nothing(self, account, user, book, sandbox):
        campaign = prepare(campaign_to(account, book), user)
        sandbox.use_key("another-key-0123456789012345678901")
        before = len(sandbox.requests)
        run = send(campaign, user)
        account.refresh_from_db()
        assert len(sandbox.requests) == before + 1
        assert account.state == ProviderAccount.State.REFUSED
        assert (run.state, campaign.state, run.calls.get().state) == ("paused", "paused", "planned")
        assert set(states(campaign).values()) == {"planned"}
        assert campaign.error_text
        with pytest.raises(CampaignProblem, match="stopped"):
            lifecycle.resume(campaign, user=user)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.PAUSED

        sandbox.use_key(SANDBOX_KEY)
        accounts.check_account(account)
        same = lifecycle.resume(campaign, user=user)
        assert same.pk == run.pk
        dispatch.execute(run.pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.SENT
        assert received(sandbox) == {ALI: ["سلام"], SARA: ["سلام"]}

    def test_without_credit_the_campaign_waits_for_money(self, account, user, book, monkeypatch, sandbox):
        campaign = prepare(campaign_to(account, book), user)

        def no_credit(self, message):
            raise InsufficientFunds("The credit does not suffice.")

        with monkeypatch.context() as patch:
            patch.setattr(provider_class("ippanel"), "send", no_credit)
            run = send(campaign, user)
        account.refresh_from_db()
        assert (run.state, campaign.state, account.state) == ("paused", "paused", "ready")
        assert campaign.error_text == "The credit does not suffice."
        assert set(states(campaign).values()) == {"planned"}
        dispatch.execute(lifecycle.resume(campaign, user=user).pk)
        assert set(received(sandbox)) == {ALI, SARA}

    def test_a_provider_out_of_reach_is_tried_again_and_then_left_to_a_person(self, account, user, book, sandbox):
        campaign = prepare(campaign_to(account, book), user)
        run = approve(campaign, user)
        ProviderAccount.objects.update(base_url="http://127.0.0.1:9/v1")
        dispatch.execute(run.pk)
        run.refresh_from_db()
        assert run.state == Run.State.RUNNING  # left to the sweep
        assert run.lease_owner == ""
        assert run.calls.get().state == Call.State.PLANNED
        assert set(states(campaign).values()) == {"planned"}
        Run.objects.update(lease_until=timezone.now())
        Call.objects.update(not_before=timezone.now())
        dispatch.execute(run.pk)
        run.refresh_from_db()
        campaign.refresh_from_db()
        assert (run.state, campaign.state) == ("paused", "paused")
        ProviderAccount.objects.update(base_url=sandbox.url("ippanel"))
        dispatch.execute(lifecycle.resume(campaign, user=user).pk)
        assert set(states(campaign).values()) == {"accepted"}


class TestOnceOnly:
    def test_confirming_twice_sends_once(self, account, user, book, sandbox):
        campaign = prepare(campaign_to(account, book), user)
        other = Campaign.objects.get(pk=campaign.pk)
        run = approve(campaign, user)
        with pytest.raises(TransitionRefused):
            approve(other, user)
        dispatch.execute(run.pk)
        assert received(sandbox) == {ALI: ["سلام"], SARA: ["سلام"]}
        assert Run.objects.count() == 1

    def test_executing_twice_makes_each_call_once(self, account, user, book, sandbox):
        campaign = campaign_to(account, book)
        run = send(campaign, user)
        dispatch.execute(run.pk)
        assert len(sent_bodies(sandbox)) == 1

    def test_only_what_was_shown_can_be_confirmed(self, account, user, book):
        campaign = prepare(campaign_to(account, book), user)
        for other in ("", "0" * 64):
            with pytest.raises(CampaignProblem, match="not the audience"):
                lifecycle.begin_send(campaign, user=user, audience_hash=other)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.PREPARED

    def test_who_sends_is_on_record(self, account, user, book):
        campaign = prepare(campaign_to(account, book), user)
        with pytest.raises(ValueError, match="on record"):
            lifecycle.begin_send(campaign, user=None, audience_hash=campaign.audience_hash)
        run = lifecycle.begin_send(campaign, user=None, audience_hash=campaign.audience_hash, command="send_campaign")
        assert run.plan["approved_by"] == "send_campaign"

    def test_the_user_is_on_record(self, account, user, book):
        campaign = campaign_to(account, book)
        run = send(campaign, user)
        assert (campaign.sent_by, run.approved_by, run.plan["approved_by"]) == (user, user, user.username)

    def test_nobody_to_send_to(self, account, user):
        campaign = prepare(campaign_to(account, make_phonebook(account)), user)
        with pytest.raises(CampaignProblem, match="Nobody"):
            approve(campaign, user)

    def test_a_number_suppressed_after_the_freeze_is_not_sent_to(self, account, user, book):
        campaign = prepare(campaign_to(account, book), user)
        Suppression.objects.create(phone=ALI)
        with pytest.raises(CampaignProblem, match="left out since"):
            approve(campaign, user)
        lifecycle.back_to_draft(campaign)
        send(campaign, user)
        assert states(campaign) == {SARA: "accepted"}

    def test_a_contact_deleted_after_the_freeze_is_not_sent_to(self, account, user, book):
        campaign = prepare(campaign_to(account, book), user)
        Contact.objects.filter(phone=ALI).update(deleted_at=timezone.now())
        with pytest.raises(CampaignProblem, match="left out since"):
            approve(campaign, user)

    def test_a_plan_that_was_discarded_cannot_be_confirmed(self, account, user, book):
        campaign = prepare(campaign_to(account, book), user)
        Run.objects.update(state=Run.State.DISCARDED)
        with pytest.raises(CampaignProblem, match="discarded"):
            approve(campaign, user)

    def test_a_run_that_nobody_approved_is_not_executed(self, account, user, book, sandbox):
        campaign = prepare(campaign_to(account, book), user)
        run = Run.objects.get(campaign=campaign)
        dispatch.execute(run.pk)
        Run.objects.update(state=Run.State.QUEUED)  # approved past the campaign
        dispatch.execute(run.pk)
        assert sent_bodies(sandbox) == []

    @pytest.mark.django_db(transaction=True)
    def test_two_workers_on_one_run_make_each_call_once(self, transactional_db, account, user, sandbox):
        book = make_phonebook(account)
        for index in range(6):
            make_contact(book, f"+98912000000{index}", first_name=str(index))
        campaign = prepare(campaign_to(account, book, message="{first_name}"), user)
        run = approve(campaign, user)
        together = threading.Barrier(2)

        def work() -> None:
            try:
                together.wait()
                dispatch.execute(run.pk)
            finally:
                connections.close_all()

        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert all(len(texts) == 1 for texts in received(sandbox).values())
        assert set(states(campaign).values()) == {"accepted"}
        assert len(sent_bodies(sandbox)) == 6


class TestAPhonebookThatChanged:
    def test_it_is_not_sent_to_and_the_reason_is_said(self, account, user, pushed, sandbox):
        book = pushed(ALI, SARA)
        campaign = prepare(campaign_to(account, book), user)
        state = sandbox.state("ippanel")
        state.add_contact(state.phonebooks[int(book.remote_id)], REZA)
        run = send(campaign, user)
        assert sent_bodies(sandbox) == []
        assert (run.state, campaign.state, run.calls.get().state) == ("attention", "attention", "not_sent")
        assert "has changed at the provider" in campaign.error_text
        assert set(states(campaign).values()) == {"not_sent"}

        again = lifecycle.resume(campaign, user=user)
        dispatch.execute(again.pk)
        campaign.refresh_from_db()
        assert set(received(sandbox)) == {ALI, SARA}
        (body,) = sent_bodies(sandbox)
        assert sorted(body["params"]["recipients"]) == [ALI, SARA]
        assert campaign.state == Campaign.State.SENT

    def test_when_it_cannot_be_counted_the_run_waits_for_a_person(self, account, user, pushed, sandbox):
        campaign = prepare(campaign_to(account, pushed(ALI)), user)
        sandbox.fault("status_422", "GET /api/phonebooks/list-new")
        run = send(campaign, user)
        assert (run.state, campaign.state) == ("paused", "paused")
        assert sent_bodies(sandbox) == []
        assert states(campaign) == {ALI: "planned"}


def test_an_error_of_our_own_leaves_the_rest_unsent_and_is_not_hidden(account, user, book, monkeypatch):
    campaign = prepare(campaign_to(account, book), user)
    run = approve(campaign, user)
    monkeypatch.setattr(dispatch, "look", lambda run, call, line: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        dispatch.execute(run.pk)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.ATTENTION
    assert "internal error" in campaign.error_text
    assert set(states(campaign).values()) == {"not_sent"}


def test_a_call_whose_recipients_changed_is_not_made(account, user, book, sandbox):
    campaign = prepare(campaign_to(account, book), user)
    run = approve(campaign, user)
    Recipient.objects.filter(phone=ALI).update(call=None)
    with pytest.raises(RuntimeError, match="planned for"):
        dispatch.execute(run.pk)
    assert sent_bodies(sandbox) == []


def test_the_key_is_nowhere_in_the_ledger(account, user, book):
    send(campaign_to(account, book), user)
    text = json.dumps(list(Call.objects.values("request_line", "request_excerpt", "response_excerpt", "error")))
    assert SANDBOX_KEY not in text


class TestTheBalance:
    def test_after_a_send_it_is_what_the_provider_says_now(self, account, book, user, sandbox):
        prepared = prepare(campaign_to(account, book), user)
        sandbox.state("ippanel").credit = 1234.0
        send(prepared, user)
        account.refresh_from_db()
        assert account.balance == 1234

    def test_a_balance_that_cannot_be_read_changes_nothing_about_the_send(self, account, book, user, sandbox):
        prepared = prepare(campaign_to(account, book), user)
        ProviderAccount.objects.update(balance=7)
        sandbox.fault("status_500", "GET /api/payment/credit/mine", times=9)
        send(prepared, user)
        account.refresh_from_db()
        assert prepared.state == Campaign.State.SENT
        assert account.balance == 7
