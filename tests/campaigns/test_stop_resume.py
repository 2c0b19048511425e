"""The kill switch, going on afterwards, and the decisions of people."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from contactsync.campaigns import dispatch, lifecycle, reports
from contactsync.campaigns.problems import CampaignProblem
from contactsync.campaigns.settle import settle_again
from contactsync.models import Call, Campaign, Contact, Recipient, Run, Suppression
from contactsync.models.reasons import describe
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import ledger, sweep
from tests.campaigns.conftest import approve, campaign_to, excluded, prepare, received, send, sent_bodies, states
from tests.factories import make_contact, make_phonebook
from tests.sync.test_killed import Killed

pytestmark = pytest.mark.usefixtures("one_text_per_call")

PHONES = [f"+98912000000{index}" for index in range(5)]


@pytest.fixture
def campaign(account, user):
    """Five people, five texts, five calls."""
    book = make_phonebook(account)
    for phone in PHONES:
        make_contact(book, phone, first_name=phone[-1])
    return prepare(campaign_to(account, book, message="{first_name}"), user)


@pytest.fixture
def stop_after(monkeypatch, campaign):
    """Somebody presses stop while the n-th call is on its way."""

    def arrange(calls: int) -> None:
        original, made = ledger.make, []

        def make_and_stop(*args, **kwargs):
            made.append(None)
            if len(made) == calls:
                lifecycle.stop(Campaign.objects.get(pk=campaign.pk))
            return original(*args, **kwargs)

        monkeypatch.setattr(ledger, "make", make_and_stop)

    return arrange


class TestStop:
    def test_the_call_on_its_way_is_finished_and_no_other_begun(self, campaign, user, sandbox, stop_after):
        stop_after(2)
        run = send(campaign, user)
        assert (run.state, campaign.state) == ("stopped", "stopped")
        assert len(sent_bodies(sandbox)) == 2
        counts = run.counts
        assert (counts["accepted"], counts["not_sent"], counts["planned"], counts["on_wire"]) == (2, 3, 0, 0)
        assert counts["balances"]
        assert sorted(run.calls.values_list("state", flat=True)) == ["accepted"] * 2 + ["not_sent"] * 3
        assert "stopped" in Recipient.objects.filter(state="not_sent").first().error_text

    def test_after_the_last_call_the_campaign_is_simply_sent(self, campaign, user, stop_after):
        stop_after(5)
        run = send(campaign, user)
        assert (run.state, campaign.state) == ("stopped", "sent")

    def test_with_an_unknown_outcome_a_person_has_to_decide(self, campaign, user, sandbox, stop_after):
        stop_after(1)
        sandbox.fault("status_500", "POST /api/send$")
        send(campaign, user)
        assert campaign.state == Campaign.State.ATTENTION
        assert sorted(states(campaign).values()) == ["not_sent"] * 4 + ["unknown"]

    def test_before_a_worker_came_nothing_is_sent(self, campaign, user, sandbox):
        run = approve(campaign, user)
        lifecycle.stop(campaign)
        assert campaign.state == Campaign.State.STOPPED
        dispatch.execute(run.pk)
        assert sent_bodies(sandbox) == []
        assert set(states(campaign).values()) == {"not_sent"}

    def test_a_paused_campaign_can_be_given_up(self, campaign, user, sandbox):
        sandbox.use_key("another-key-0123456789012345678901")
        run = send(campaign, user)
        assert campaign.state == Campaign.State.PAUSED
        lifecycle.stop(campaign)
        run.refresh_from_db()
        assert (run.state, campaign.state) == ("stopped", "stopped")
        assert set(states(campaign).values()) == {"not_sent"}

    def test_only_what_is_going_on_can_be_stopped(self, campaign, user):
        with pytest.raises(TransitionRefused):
            lifecycle.stop(campaign)
        send(campaign, user)
        with pytest.raises(TransitionRefused):
            lifecycle.stop(campaign)


class TestResume:
    def test_it_goes_on_with_those_not_sent_to(self, campaign, user, sandbox, stop_after):
        stop_after(2)
        first = send(campaign, user)
        second = lifecycle.resume(campaign, user=user)
        assert second.pk != first.pk
        dispatch.execute(second.pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.SENT
        assert received(sandbox) == {phone: [phone[-1]] for phone in PHONES}
        assert campaign.summary["sent"]["accepted"] == 5
        assert campaign.summary["sent"]["balances"]

    def test_never_with_the_unknown_ones(self, campaign, user, sandbox, stop_after):
        stop_after(2)
        sandbox.fault("reset_after", "POST /api/send$")
        send(campaign, user)
        dispatch.execute(lifecycle.resume(campaign, user=user).pk)
        campaign.refresh_from_db()
        assert sorted(states(campaign).values()) == ["accepted"] * 4 + ["unknown"]
        assert campaign.state == Campaign.State.ATTENTION
        assert all(len(texts) == 1 for texts in received(sandbox).values())

    def test_two_clicks_are_one_run(self, campaign, user, sandbox, stop_after):
        stop_after(2)
        send(campaign, user)
        other = Campaign.objects.get(pk=campaign.pk)
        lifecycle.resume(campaign, user=user)
        with pytest.raises(TransitionRefused):
            lifecycle.resume(other, user=user)
        assert Run.objects.filter(campaign=campaign).count() == 2

    @pytest.mark.parametrize("pause", ["stop", "key"])
    def test_people_suppressed_or_deleted_meanwhile_are_left_out(self, campaign, user, sandbox, stop_after, pause):
        if pause == "stop":
            stop_after(2)
            send(campaign, user)
        else:
            sandbox.fault("status_401", "POST /api/send$", skip=2)
            send(campaign, user)
            assert campaign.state == Campaign.State.PAUSED
            campaign.account.state = "ready"
            campaign.account.save()
        Suppression.objects.create(phone=PHONES[3])
        Contact.objects.filter(phone=PHONES[4]).update(deleted_at=timezone.now())
        dispatch.execute(lifecycle.resume(campaign, user=user).pk)
        campaign.refresh_from_db()
        assert set(received(sandbox)) == set(PHONES[:3])
        assert excluded(campaign) == {PHONES[3]: "suppressed", PHONES[4]: "deleted"}
        assert reports.equation(campaign).balances
        assert campaign.summary["recipients"] == 3
        assert campaign.state == Campaign.State.SENT

    def test_when_all_of_them_are_left_out_it_says_so_and_how_many(self, campaign, user, stop_after):
        stop_after(2)
        send(campaign, user)
        Suppression.objects.bulk_create([Suppression(phone=phone) for phone in PHONES[2:4]])
        Contact.objects.filter(phone=PHONES[4]).update(deleted_at=timezone.now())
        with pytest.raises(CampaignProblem) as raised:
            lifecycle.resume(campaign, user=user)
        (why,) = raised.value.reasons
        assert "suppressed or deleted since, so they are left out (people: 3)" in describe(why)
        assert (campaign.state, list(states(campaign).values()).count("not_sent")) == ("stopped", 3)

    def test_a_stopped_run_planned_anew_can_be_stopped_again(self, campaign, user, sandbox, stop_after):
        stop_after(2)
        send(campaign, user)
        lifecycle.resume(campaign, user=user)
        lifecycle.stop(campaign)
        assert sorted(states(campaign).values()) == ["accepted"] * 2 + ["not_sent"] * 3
        dispatch.execute(lifecycle.resume(campaign, user=user).pk)
        assert set(states(campaign).values()) == {"accepted"}

    def test_who_resumes_is_on_record(self, campaign, user, stop_after):
        stop_after(1)
        send(campaign, user)
        with pytest.raises(ValueError, match="on record"):
            lifecycle.resume(campaign, user=None)
        assert lifecycle.resume(campaign, user=None, command="resume").plan["approved_by"] == "resume"


class TestDecisions:
    @pytest.fixture
    def unknown(self, campaign, user, sandbox):
        """The first call has an unknown outcome, the others were accepted."""
        sandbox.fault("status_500", "POST /api/send$")
        send(campaign, user)
        return Call.objects.get(state=Call.State.UNKNOWN)

    def test_it_was_sent(self, campaign, user, unknown):
        reports.resolve_unknown(unknown, sent=True, user=user)
        campaign.refresh_from_db()
        assert set(states(campaign).values()) == {"accepted"}
        assert campaign.state == Campaign.State.SENT
        assert Run.objects.get().state == Run.State.FINISHED
        assert campaign.summary["sent"]["balances"]
        unknown.refresh_from_db()
        assert user.username in unknown.error_text

    def test_it_was_not_sent_and_can_be_resumed(self, campaign, user, sandbox, unknown):
        reports.resolve_unknown(unknown, sent=False, user=user)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.STOPPED
        dispatch.execute(lifecycle.resume(campaign, user=user).pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.SENT
        assert received(sandbox) == {phone: [phone[-1]] for phone in PHONES}

    def test_it_can_be_decided_once(self, user, unknown):
        reports.resolve_unknown(unknown, sent=True, user=user)
        with pytest.raises(TransitionRefused):
            reports.resolve_unknown(unknown, sent=False, user=user)
        assert Recipient.objects.filter(state="accepted").count() == 5

    @pytest.fixture
    def asleep(self, user, monkeypatch):
        """The first call's worker sleeps, with its answer, until another has finished and a person has decided wrongly."""
        make, slept = ledger.make, []

        def make_and_sleep(call, *args):
            performed = make(call, *args)
            if not slept:
                slept.append(call.pk)
                past = timezone.now() - dt.timedelta(hours=1)
                Call.objects.filter(pk=call.pk).update(lease_until=past)
                Run.objects.update(lease_until=past)
                sweep.recover_lost_calls(then=settle_again)
                dispatch.execute(call.run_id)
                reports.resolve_unknown(Call.objects.get(pk=call.pk), sent=False, user=user)
            return performed

        monkeypatch.setattr(ledger, "make", make_and_sleep)
        return slept

    def test_an_answer_that_comes_after_a_wrong_word_opens_it_again(self, campaign, user, sandbox, asleep):
        send(campaign, user)
        call = Call.objects.get(pk=asleep[0])
        assert (call.state, campaign.state) == (Call.State.UNKNOWN, Campaign.State.ATTENTION)
        assert "Answered late" in call.error_text
        assert sorted(states(campaign).values()) == ["accepted"] * 4 + ["unknown"]
        with pytest.raises(CampaignProblem, match="Nobody"):
            lifecycle.resume(campaign, user=user)
        assert received(sandbox) == {phone: [phone[-1]] for phone in PHONES}

    @pytest.mark.parametrize("step", [lifecycle.resume, lifecycle.leave_unsent])
    def test_and_does_so_at_the_next_step_when_the_worker_was_killed_with_it(
        self, campaign, user, sandbox, asleep, monkeypatch, step
    ):
        def die(*args):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(dispatch, "hear_late_answers", die)
            with pytest.raises(Killed):
                send(campaign, user)
        campaign.refresh_from_db()
        call = Call.objects.get(pk=asleep[0])
        assert (call.state, campaign.state) == (Call.State.NOT_SENT, Campaign.State.STOPPED)
        with pytest.raises(CampaignProblem):
            step(campaign, user=user)
        call.refresh_from_db()
        assert (call.state, campaign.state) == (Call.State.UNKNOWN, Campaign.State.ATTENTION)
        assert received(sandbox) == {phone: [phone[-1]] for phone in PHONES}

    def test_only_unknown_calls_are_decided(self, user, unknown):
        with pytest.raises(TransitionRefused):
            reports.resolve_unknown(Call.objects.filter(state="accepted").first(), sent=False, user=user)

    def test_with_another_one_open_the_campaign_still_waits(self, account, user, sandbox):
        book = make_phonebook(account)
        for phone in PHONES:
            make_contact(book, phone, first_name=phone[-1])
        campaign = prepare(campaign_to(account, book, message="{first_name}"), user)
        sandbox.fault("status_500", "POST /api/send$", times=2)
        send(campaign, user)
        calls = list(Call.objects.filter(state=Call.State.UNKNOWN))
        reports.resolve_unknown(calls[0], sent=True, user=user)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.ATTENTION
        reports.resolve_unknown(calls[1], sent=True, user=user)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.SENT

    def test_sums_that_do_not_add_up_are_never_green(self, account, user, sandbox):
        book = make_phonebook(account)
        make_contact(book, PHONES[0])
        campaign = prepare(campaign_to(account, book), user)
        campaign.summary["recipients"] = 2
        campaign.save()
        run = send(campaign, user)
        assert run.counts["balances"] is False
        assert (run.state, campaign.state) == ("attention", "attention")
        assert "do not add up" in campaign.error_text

    def test_a_campaign_that_is_prepared_wrongly_cannot_be_sent(self, campaign, user):
        campaign.summary["balances"] = False
        campaign.save()
        with pytest.raises(CampaignProblem, match="do not add up"):
            approve(campaign, user)
