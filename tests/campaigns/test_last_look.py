"""What changed between the word to send and the call: whoever gets the message is who was shown, and still wants it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import OperationalError
from django.utils import timezone

from contactsync import tasks, work
from contactsync.campaigns import cancel, dispatch, due, lifecycle, reports
from contactsync.campaigns.audience import audience_hash
from contactsync.campaigns.lease import CampaignLease, LeaseLost
from contactsync.campaigns.problems import CampaignProblem
from contactsync.campaigns.settle import settle
from contactsync.models import Call, Campaign, Contact, ProviderAccount, Recipient, Run, Suppression
from contactsync.sync import executor, leases, ledger, planner, sends
from contactsync.sync import lifecycle as runs
from tests.campaigns.conftest import (
    approve,
    campaign_to,
    excluded,
    link,
    prepare,
    received,
    send,
    sent_bodies,
    states,
)
from tests.factories import make_contact, make_phonebook

ALI, SARA, REZA, MINA = "+989120000001", "+989120000002", "+989120000003", "+989120000004"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("one_text_per_call")]


def go(run: Run, campaign: Campaign) -> None:
    dispatch.execute(run.pk)
    run.refresh_from_db()
    campaign.refresh_from_db()


def resume(campaign: Campaign, user) -> Run:
    run = lifecycle.resume(campaign, user=user)
    go(run, campaign)
    return run


def let_leases_run_out() -> None:
    past = timezone.now() - dt.timedelta(hours=1)
    Call.objects.filter(lease_until__isnull=False).update(lease_until=past)
    Run.objects.filter(lease_until__isnull=False).update(lease_until=past)


def push(book, user) -> None:
    run = runs.create_push_run(book, user=user)
    planner.plan(run.pk)
    run.refresh_from_db()
    runs.approve(run, user=user)
    executor.execute(run.pk)


@pytest.fixture
def two_texts(account):
    """Two people, two texts, two calls by number."""
    book = make_phonebook(account)
    make_contact(book, ALI, first_name="a")
    make_contact(book, SARA, first_name="b")
    return book


def replace_ali_by_mina(book, sandbox) -> None:
    state = sandbox.state("ippanel")
    state.delete_contacts({int(Contact.objects.get(phone=ALI).remote_id)})
    mina = state.add_contact(state.phonebooks[int(book.remote_id)], MINA)
    link(make_contact(book, MINA), str(mina.id))


class TestTheProviderSPhonebook:
    def test_somebody_exchanged_for_another_is_noticed_though_the_count_is_the_same(
        self, account, user, sandbox, pushed
    ):
        book = pushed(ALI, SARA)
        campaign = prepare(campaign_to(account, book), user)
        replace_ali_by_mina(book, sandbox)
        Suppression.objects.create(phone=MINA)
        run = approve(campaign, user)
        go(run, campaign)
        assert sent_bodies(sandbox) == []
        assert campaign.state == Campaign.State.ATTENTION
        assert "other people" in campaign.error_text
        resume(campaign, user)
        assert set(received(sandbox)) == {ALI, SARA}

    def test_a_slice_goes_only_when_its_rows_are_the_ones_shown(self, account, user, sandbox, pushed):
        book = pushed(ALI, SARA, REZA)
        campaign = prepare(campaign_to(account, (book, 1, 2)), user)
        frozen = set(states(campaign))
        state = sandbox.state("ippanel")
        gone = Contact.objects.get(phone=min(frozen))
        state.delete_contacts({int(gone.remote_id)})
        state.add_contact(state.phonebooks[int(book.remote_id)], MINA)
        go(approve(campaign, user), campaign)
        assert sent_bodies(sandbox) == []
        resume(campaign, user)
        assert set(received(sandbox)) == frozen

    def test_an_unchanged_slice_is_sent_with_start_and_size(self, account, user, sandbox, pushed):
        book = pushed(ALI, SARA, REZA)
        campaign = campaign_to(account, (book, 1, 2))
        send(campaign, user)
        (body,) = sent_bodies(sandbox)
        assert (body["params"][0]["start"], body["params"][0]["size"]) == ("1", "2")
        assert set(received(sandbox)) == set(states(campaign))

    def test_the_lease_is_kept_while_the_phonebook_is_read(self, account, user, pushed, monkeypatch):
        monkeypatch.setattr(sends, "ROWS_PER_PULSE", 1)
        renewed = []
        original = CampaignLease.renew
        monkeypatch.setattr(CampaignLease, "renew", lambda self, **told: (renewed.append(1), original(self, **told))[1])
        prepare(campaign_to(account, pushed(ALI, SARA, REZA)), user)
        assert len(renewed) >= 3 + 3


class TestContactIds:
    def test_an_id_that_now_has_another_number_is_not_sent_to(self, account, user, sandbox, pushed):
        book = pushed(ALI, SARA, REZA)
        chosen = list(Contact.objects.filter(phone__in=[ALI, SARA]))
        campaign = prepare(campaign_to(account, (book, chosen)), user)
        ali = Contact.objects.get(phone=ALI)
        ali.phone = MINA
        ali.save()
        push(book, user)
        run = approve(campaign, user)
        go(run, campaign)
        assert set(received(sandbox)) == {ALI, SARA}
        assert campaign.state == Campaign.State.SENT
        assert run.counts["balances"]
        assert [call.item_count for call in run.calls.order_by("sequence")] == [1, 1]

    def test_nor_is_one_whose_number_was_changed_at_the_provider(self, account, user, sandbox, pushed):
        book = pushed(ALI, SARA, REZA)
        campaign = prepare(campaign_to(account, (book, list(Contact.objects.filter(phone__in=[ALI, SARA])))), user)
        run = approve(campaign, user)
        Contact.objects.filter(phone=ALI).update(pushed_payload={"phone": MINA})  # as a comparison has read it
        go(run, campaign)
        by_id, by_number = run.calls.order_by("sequence")
        assert (by_id.item_count, by_number.target) == (1, {"numbers": [ALI]})
        assert set(received(sandbox)) == {ALI, SARA}

    def test_who_is_missing_at_the_provider_is_sent_to_by_number(self, account, user, sandbox, pushed):
        book = pushed(ALI, SARA)
        ali = Contact.objects.get(phone=ALI)
        sandbox.state("ippanel").delete_contacts({int(ali.remote_id)})
        Contact.objects.filter(pk=ali.pk).update(sync_state=Contact.SyncState.MISSING)
        campaign = campaign_to(account, (book, list(Contact.objects.all())))
        send(campaign, user)
        assert set(received(sandbox)) == {ALI, SARA}
        assert campaign.state == Campaign.State.SENT

    def test_people_of_a_refused_call_by_ids_can_be_sent_to_by_number(self, account, user, sandbox, pushed):
        book = pushed(ALI, SARA)
        campaign = campaign_to(account, (book, list(Contact.objects.all())))
        sandbox.fault("status_422", "POST /api/send$", times=1)
        send(campaign, user)
        assert campaign.state == Campaign.State.ATTENTION
        resume(campaign, user)
        assert campaign.state == Campaign.State.SENT
        assert set(received(sandbox)) == {ALI, SARA}


class TestPeopleToBeLeftOut:
    def test_a_number_suppressed_after_the_word_to_send_gets_nothing(self, account, user, sandbox):
        book = make_phonebook(account)
        make_contact(book, ALI)
        make_contact(book, SARA)
        campaign = prepare(campaign_to(account, book), user)
        run = approve(campaign, user)
        Suppression.objects.create(phone=ALI)
        go(run, campaign)
        assert set(received(sandbox)) == {SARA}
        assert excluded(campaign) == {ALI: "suppressed"}
        assert (campaign.state, run.state) == ("sent", "finished")
        assert reports.equation(campaign).balances

    def test_a_call_of_which_nobody_is_left_is_not_made(self, account, user, sandbox, two_texts):
        campaign = prepare(campaign_to(account, two_texts, message="{first_name}"), user)
        run = approve(campaign, user)
        Contact.objects.filter(phone=ALI).update(deleted_at=timezone.now())
        go(run, campaign)
        assert set(received(sandbox)) == {SARA}
        assert excluded(campaign) == {ALI: "deleted"}
        assert (campaign.state, run.state) == ("sent", "finished")

    def test_a_call_to_everybody_is_left_out_and_the_others_get_it_after_resume(self, account, user, sandbox, pushed):
        campaign = prepare(campaign_to(account, pushed(ALI, SARA)), user)
        run = approve(campaign, user)
        Suppression.objects.create(phone=ALI)
        go(run, campaign)
        assert sent_bodies(sandbox) == []
        assert "Continue" in campaign.error_text
        resume(campaign, user)
        assert set(received(sandbox)) == {SARA}
        assert campaign.state == Campaign.State.SENT

    def test_a_contact_whose_row_is_gone_counts_as_deleted(self, account, user):
        book = make_phonebook(account)
        make_contact(book, ALI)
        make_contact(book, SARA)
        campaign = prepare(campaign_to(account, book), user)
        Contact.objects.filter(phone=ALI).delete()
        with pytest.raises(CampaignProblem, match="deleted"):
            approve(campaign, user)

    def test_somebody_only_the_provider_knows_does_not(self, account, user, sandbox, pushed):
        book = pushed(ALI, SARA)
        Contact.objects.filter(phone=SARA).delete()
        campaign = campaign_to(account, (book, 1, 2))
        send(campaign, user)
        assert set(received(sandbox)) == {ALI, SARA}


class TestTakingBack:
    @pytest.fixture
    def later(self):
        return timezone.now() + dt.timedelta(hours=9)

    def test_a_send_accepted_on_a_person_s_word_is_not_called_cancelled(self, account, user, sandbox, two_texts, later):
        campaign = prepare(campaign_to(account, two_texts, message="سلام", scheduled_for=later), user)
        sandbox.fault("reset_after", "POST /api/send$")
        run = send(campaign, user)
        reports.resolve_unknown(run.calls.get(), sent=True, user=user)
        campaign.refresh_from_db()
        with pytest.raises(CampaignProblem, match="panel"):
            cancel.cancel(campaign)
        assert campaign.state == Campaign.State.SCHEDULED
        assert not Recipient.objects.filter(delivery="cancelled").exists()

    def test_what_is_known_is_cancelled_while_something_unknown_waits(self, account, user, sandbox, two_texts, later):
        campaign = prepare(campaign_to(account, two_texts, message="{first_name}", scheduled_for=later), user)
        sandbox.fault("reset_after", "POST /api/send$", times=1)
        run = send(campaign, user)
        assert campaign.state == Campaign.State.ATTENTION
        work.cancel_campaign(campaign)
        with pytest.raises(CampaignProblem, match="not known"):
            cancel.cancel(campaign)
        assert campaign.state == Campaign.State.ATTENTION
        assert Recipient.objects.filter(delivery="cancelled").count() == 1
        reports.resolve_unknown(run.calls.get(state="unknown"), sent=False, user=user)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.CANCELLED


class TestRecords:
    def test_an_outcome_that_could_not_be_written_is_unknown_and_not_lost(self, account, user, monkeypatch, two_texts):
        campaign = prepare(campaign_to(account, two_texts), user)
        run = approve(campaign, user)

        def locked(*args):
            raise OperationalError("database is locked")

        with monkeypatch.context() as patch:
            patch.setitem(vars(ledger), "_record", locked)
            with pytest.raises(OperationalError):
                dispatch.execute(run.pk)
        campaign.refresh_from_db()
        assert (campaign.state, run.calls.get().state) == ("attention", "unknown")
        reports.resolve_unknown(run.calls.get(), sent=True, user=user)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.SENT

    def test_a_call_of_a_dead_worker_is_decided_though_its_run_was_stopped(self, account, user, two_texts):
        campaign = prepare(campaign_to(account, two_texts), user)
        run = approve(campaign, user)
        call = run.calls.get()
        people = Recipient.objects.filter(call=call)
        ledger.claim(call, leases.new_owner(), on_claim=lambda: people.update(state="on_wire"))
        lifecycle.stop(campaign)
        let_leases_run_out()
        tasks.sweep()
        campaign.refresh_from_db()
        call.refresh_from_db()
        assert (campaign.state, call.state) == ("attention", "unknown")

    def test_the_sender_that_was_shown_is_kept_by_the_rest(self, account, user, sandbox, two_texts):
        campaign = prepare(campaign_to(account, two_texts), user)
        approve(campaign, user)
        lifecycle.stop(campaign)
        shown = campaign.summary["sender"]
        ProviderAccount.objects.update(default_sender="+983000777")
        campaign = Campaign.objects.get()
        resume(campaign, user)
        assert sent_bodies(sandbox)[-1]["from_number"] == shown
        assert Campaign.objects.get().summary["sender"] == shown

    def test_a_worker_that_lost_the_run_settles_nothing(self, account, user, two_texts):
        campaign = prepare(campaign_to(account, two_texts), user)
        run = approve(campaign, user)
        with pytest.raises(LeaseLost):
            settle(run, owner="somebody else")
        run.refresh_from_db()
        assert run.state == Run.State.QUEUED

    def test_sending_at_once_keeps_a_time_that_is_still_to_come(self, account, user, two_texts):
        later = timezone.now() + dt.timedelta(hours=9)
        campaign = prepare(campaign_to(account, two_texts, scheduled_for=later), user)
        approve(campaign, user)
        lifecycle.stop(campaign)
        lifecycle.resume(campaign, user=user, at_once=True)
        assert Campaign.objects.get().scheduled_for == later

    def test_the_hash_of_what_was_approved_does_not_change_with_the_account(self, account, user, two_texts):
        campaign = prepare(campaign_to(account, two_texts), user)
        ProviderAccount.objects.update(default_sender="+983000777")
        assert audience_hash(Campaign.objects.get()) == campaign.audience_hash


class TestLeavingItSo:
    def test_the_rest_stays_unsent(self, account, user, sandbox, two_texts):
        campaign = prepare(campaign_to(account, two_texts, message="{first_name}"), user)
        sandbox.fault("status_422", "POST /api/send$", times=1)
        send(campaign, user)
        assert campaign.state == Campaign.State.ATTENTION
        work.leave_unsent(campaign, user=user)
        assert Campaign.objects.get().state == Campaign.State.SENT
        assert sorted(states(campaign).values()) == ["accepted", "refused"]
        assert Campaign.objects.get().summary["left_so_by"] == user.get_username()

    def test_of_which_nothing_went_out_is_cancelled(self, account, user, two_texts):
        campaign = prepare(campaign_to(account, two_texts), user)
        approve(campaign, user)
        lifecycle.stop(campaign)
        lifecycle.leave_unsent(campaign, user=user)
        assert Campaign.objects.get().state == Campaign.State.CANCELLED

    def test_not_while_an_outcome_is_unknown(self, account, user, sandbox, two_texts):
        campaign = prepare(campaign_to(account, two_texts), user)
        sandbox.fault("reset_after", "POST /api/send$")
        send(campaign, user)
        with pytest.raises(CampaignProblem, match="decide first"):
            lifecycle.leave_unsent(campaign, user=user)
        assert Campaign.objects.get().state == Campaign.State.ATTENTION


class TestReports:
    def test_a_number_nobody_handed_over_needs_a_person(self, account, user, sandbox, two_texts):
        campaign = prepare(campaign_to(account, two_texts), user)
        send(campaign, user)
        moved = Recipient.objects.get(phone=ALI)
        Recipient.objects.filter(pk=moved.pk).update(phone=MINA)
        sandbox.advance(30)
        reports.pull(campaign.pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.ATTENTION
        assert "1" in campaign.error_text
        lifecycle.leave_unsent(campaign, user=user)
        reports.pull(campaign.pk)
        assert Campaign.objects.get().state == Campaign.State.SENT

    def test_a_report_in_which_nothing_can_change_is_not_read_again(self, account, user, sandbox, two_texts):
        campaign = prepare(campaign_to(account, two_texts), user)
        send(campaign, user)
        sandbox.advance(30)
        reports.pull(campaign.pk)
        first = Campaign.objects.get().summary["report"]
        before = len(sandbox.requests)
        reports.pull(campaign.pk)
        assert len(sandbox.requests) == before
        assert Campaign.objects.get().summary["report"] == first

    def test_a_campaign_scheduled_long_ahead_is_asked_about_once_its_time_has_come(self, account, user, two_texts):
        now = timezone.now()
        campaign = prepare(campaign_to(account, two_texts, scheduled_for=now + dt.timedelta(days=7)), user)
        send(campaign, user)
        assert due.due_reports() == {}
        Campaign.objects.update(scheduled_for=now - dt.timedelta(minutes=1), finished_at=now - dt.timedelta(days=7))
        assert list(due.due_reports()) == [campaign.pk]

    @pytest.mark.parametrize("state", ["stopped", "paused", "cancelled"])
    def test_what_was_accepted_before_an_end_is_asked_about_too(self, account, user, two_texts, state):
        campaign = prepare(campaign_to(account, two_texts), user)
        send(campaign, user)
        Campaign.objects.update(state=state)
        assert list(due.due_reports()) == [campaign.pk]

    def test_one_worker_at_a_time_is_woken(self, account, user, two_texts):
        campaign = prepare(campaign_to(account, two_texts), user)
        send(campaign, user)
        assert due.claim_due_reports() == [campaign.pk]
        assert due.claim_due_reports() == []
