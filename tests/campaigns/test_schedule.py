"""Campaigns the provider keeps until their time, and taking them back."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import time_machine
from django.utils import timezone

from contactsync.campaigns import dispatch, lifecycle, reports
from contactsync.campaigns.problems import CampaignProblem
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import ledger
from providers.backends.ippanel import IPPanel
from tests.campaigns.conftest import approve, campaign_to, prepare, send, sent_bodies, states
from tests.factories import make_contact, make_phonebook

ALI, SARA = "+989120000001", "+989120000002"
pytestmark = pytest.mark.usefixtures("one_text_per_call")

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def campaign(account, user):
    """Two people, two texts, two calls, in an hour."""
    book = make_phonebook(account)
    make_contact(book, ALI, first_name="a")
    make_contact(book, SARA, first_name="b")
    return campaign_to(account, book, message="{first_name}", scheduled_for=timezone.now() + HOUR)


def cancellations(sandbox):
    return [json.loads(request.body) for request in sandbox.requests_to("POST /api/send/cancel")]


def test_the_time_goes_to_the_provider_in_utc(campaign, user, sandbox):
    tehran = dt.timezone(dt.timedelta(hours=3, minutes=30))
    campaign.scheduled_for = (timezone.now() + HOUR).astimezone(tehran).replace(microsecond=0)
    campaign.save()
    send(campaign, user)
    wanted = campaign.scheduled_for.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    assert [body["send_time"] for body in sent_bodies(sandbox)] == [wanted, wanted]
    assert campaign.state == Campaign.State.SCHEDULED
    assert set(states(campaign).values()) == {"accepted"}


def test_after_its_time_the_report_makes_it_sent(campaign, user, sandbox):
    send(campaign, user)
    reports.pull(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.SCHEDULED
    assert set(Recipient.objects.values_list("delivery", flat=True)) == {"queued"}
    sandbox.advance(2 * 3600)
    reports.pull(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.SENT
    assert set(Recipient.objects.values_list("delivery", flat=True)) == {"delivered"}


class TestCancel:
    def test_every_send_is_cancelled_by_its_reference(self, campaign, user, sandbox):
        run = send(campaign, user)
        lifecycle.cancel(campaign)
        assert campaign.state == Campaign.State.CANCELLED
        references = [int(call.references[0]) for call in run.calls.filter(operation="send_to_numbers")]
        assert [body["message_outbox_id"] for body in cancellations(sandbox)] == references
        assert set(Recipient.objects.values_list("delivery", flat=True)) == {"cancelled"}
        assert all(kept.cancelled for kept in sandbox.state("ippanel").sends.values())
        assert reports.equation(campaign).balances
        assert run.calls.filter(operation="cancel_send", state="accepted").count() == 2

    def test_too_late_is_said_in_the_provider_s_words(self, campaign, user, sandbox):
        send(campaign, user)
        sandbox.advance(56 * 60)
        with pytest.raises(CampaignProblem) as caught:
            lifecycle.cancel(campaign)
        assert caught.value.messages
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.SCHEDULED
        assert campaign.error_text
        assert set(Recipient.objects.values_list("delivery", flat=True)) == {""}

    def test_what_was_cancelled_is_not_asked_for_again(self, campaign, user, sandbox):
        send(campaign, user)
        sandbox.fault("status_422", "POST /api/send/cancel", skip=1)
        with pytest.raises(CampaignProblem):
            lifecycle.cancel(campaign)
        assert sorted(Recipient.objects.values_list("delivery", flat=True)) == ["", "cancelled"]
        lifecycle.cancel(campaign)
        assert campaign.state == Campaign.State.CANCELLED
        assert len(cancellations(sandbox)) == 3

    def test_a_refused_key_is_said_and_nothing_is_lost(self, campaign, user, sandbox):
        send(campaign, user)
        sandbox.use_key("another-key-0123456789012345678901")
        with pytest.raises(CampaignProblem):
            lifecycle.cancel(campaign)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.SCHEDULED
        assert len(cancellations(sandbox)) == 1

    def test_what_was_cancelled_there_while_the_rest_was_to_go_on_ends_it(self, campaign, user, sandbox, monkeypatch):
        """Somebody stops it halfway, cancels in the provider's panel what is there, goes on all the same, and stops again."""
        make = ledger.make

        def make_and_stop(*args, **kwargs):
            lifecycle.stop(Campaign.objects.get())
            return make(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(ledger, "make", make_and_stop)
            send(campaign, user)
        assert sorted(states(campaign).values()) == ["accepted", "not_sent"]
        for there in sandbox.state("ippanel").sends.values():
            there.cancelled = True
        reports.pull(campaign.pk)
        run = lifecycle.resume(campaign, user=user)
        lifecycle.stop(campaign)
        run.refresh_from_db()
        assert (campaign.state, run.state) == (Campaign.State.CANCELLED, Run.State.STOPPED)
        assert reports.equation(campaign).balances

    def test_only_scheduled_campaigns(self, account, user, campaign):
        with pytest.raises(TransitionRefused):
            lifecycle.cancel(campaign)
        now = campaign_to(account, make_contact(make_phonebook(account)).phonebook)
        send(now, user)
        with pytest.raises(TransitionRefused):
            lifecycle.cancel(now)

    def test_the_part_that_was_accepted_before_a_stop(self, campaign, user, sandbox, monkeypatch):
        prepare(campaign, user)
        original = IPPanel.send

        def send_and_stop(provider, message):
            monkeypatch.setattr(IPPanel, "send", original)
            lifecycle.stop(Campaign.objects.get())
            return original(provider, message)

        monkeypatch.setattr(IPPanel, "send", send_and_stop)
        send(campaign, user)
        assert campaign.state == Campaign.State.STOPPED
        lifecycle.cancel(campaign)
        assert campaign.state == Campaign.State.CANCELLED
        assert sorted(states(campaign).values()) == ["accepted", "not_sent"]

    def test_a_cancellation_made_at_the_provider_is_read_from_the_report(self, campaign, user, sandbox):
        send(campaign, user)
        for kept in sandbox.state("ippanel").sends.values():
            kept.cancelled = True
        reports.pull(campaign.pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.CANCELLED
        assert set(Recipient.objects.values_list("delivery", flat=True)) == {"cancelled"}


class TestATimeThatPassed:
    def test_before_confirming_it_is_refused(self, campaign, user):
        prepare(campaign, user)
        with (
            time_machine.travel(timezone.now() + dt.timedelta(minutes=57)),
            pytest.raises(CampaignProblem, match="too near"),
        ):
            approve(campaign, user)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.PREPARED

    def test_while_it_waited_for_a_worker_nothing_is_sent_and_the_rest_can_go_at_once(self, campaign, user, sandbox):
        prepare(campaign, user)
        run = approve(campaign, user)
        with time_machine.travel(timezone.now() + 2 * HOUR):
            dispatch.execute(run.pk)
            campaign.refresh_from_db()
            assert campaign.state == Campaign.State.ATTENTION
            assert set(states(campaign).values()) == {"not_sent"}
            assert sent_bodies(sandbox) == []
            with pytest.raises(CampaignProblem, match="too near"):
                lifecycle.resume(campaign, user=user)
            dispatch.execute(lifecycle.resume(campaign, user=user, at_once=True).pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.SENT
        assert all("send_time" not in body for body in sent_bodies(sandbox))
        assert Call.objects.filter(state="accepted").count() == 2
