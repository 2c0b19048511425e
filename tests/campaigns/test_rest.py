"""A provider that wants fewer requests makes a campaign wait, not pause: nobody has to do anything."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from contactsync.admin import progress
from contactsync.campaigns import audience, dispatch, lifecycle
from contactsync.campaigns.patience import ATTEMPTS
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.sync import sends
from contactsync.sync.policy import LONGEST_PAUSE
from contactsync.sync.sweep import expired_runs
from providers.exceptions import Throttled
from tests.campaigns.conftest import approve, campaign_to, prepare, received, sent_bodies
from tests.factories import make_contact, make_phonebook

ALI, SARA = "+989120000001", "+989120000002"
BOOKS = "GET /api/phonebooks/list-new"

pytestmark = pytest.mark.django_db(transaction=True)


def go(run: Run, campaign: Campaign) -> None:
    dispatch.execute(run.pk)
    run.refresh_from_db()
    campaign.refresh_from_db()


def let_the_time_pass(run: Run) -> None:
    past = timezone.now() - dt.timedelta(seconds=1)
    Run.objects.filter(pk=run.pk).update(lease_until=past)
    run.calls.exclude(not_before=None).update(not_before=past)


def seconds_until(moment: dt.datetime | None) -> float:
    assert moment is not None
    return (moment - timezone.now()).total_seconds()


@pytest.mark.parametrize(("asked", "waited"), [(600, 600), (None, LONGEST_PAUSE)])
def test_a_look_before_the_call_that_is_held_back_waits_and_goes_on(account, user, pushed, sandbox, asked, waited):
    campaign = prepare(campaign_to(account, pushed(ALI, SARA)), user)
    run = approve(campaign, user)
    fault = sandbox.fault("status_429", BOOKS, times=0, **({"seconds": asked} if asked else {}))
    go(run, campaign)
    assert (run.state, campaign.state) == ("running", "sending")
    assert run.lease_owner == ""
    assert waited - 30 < seconds_until(run.lease_until) <= waited
    assert fault.hits
    rest = progress.rest_of_campaign(campaign)
    assert rest.why
    assert rest.until == run.lease_until
    assert sent_bodies(sandbox) == []

    sandbox.faults.clear()
    let_the_time_pass(run)
    assert expired_runs() == [run.pk]
    go(run, campaign)
    assert (run.state, campaign.state) == ("finished", "sent")
    assert run.error == {}
    assert progress.rest_of_campaign(campaign) is None
    assert sorted(received(sandbox)) == [ALI, SARA]


def test_any_other_failure_of_the_look_still_asks_a_person(account, user, pushed, sandbox):
    campaign = prepare(campaign_to(account, pushed(ALI, SARA)), user)
    run = approve(campaign, user)
    sandbox.fault("status_500", BOOKS, times=0)
    go(run, campaign)
    assert (run.state, campaign.state) == ("paused", "paused")


def test_a_request_that_our_own_pace_holds_back_is_no_attempt(account, user, monkeypatch):
    book = make_phonebook(account)
    make_contact(book, ALI)
    campaign = prepare(campaign_to(account, book), user)
    run = approve(campaign, user)
    run.calls.update(attempts=10 * ATTEMPTS)

    def crowded(provider, message):
        raise Throttled("Held back for %(seconds)s seconds.", params={"seconds": 61}, status=None, retry_after=61.0)

    monkeypatch.setattr("providers.backends.ippanel.IPPanel.send", crowded)
    go(run, campaign)
    call = run.calls.get()
    assert (run.state, campaign.state, call.state) == ("running", "sending", "planned")
    assert run.lease_until == call.not_before
    assert "61" in run.error_text

    monkeypatch.undo()
    monkeypatch.setattr("contactsync.sync.line.wait", lambda seconds: None)
    let_the_time_pass(run)
    go(run, campaign)
    assert campaign.state == Campaign.State.SENT


def test_what_waits_can_be_stopped_at_once(account, user, pushed, sandbox):
    campaign = prepare(campaign_to(account, pushed(ALI, SARA)), user)
    run = approve(campaign, user)
    sandbox.fault("status_429", BOOKS, times=0, seconds=600)
    go(run, campaign)
    lifecycle.stop(campaign)
    run.refresh_from_db()
    assert (run.state, campaign.state) == ("stopped", "stopped")
    assert set(Recipient.objects.values_list("state", flat=True)) == {"not_sent"}
    assert run.counts["balances"]


def test_what_waits_beside_a_call_on_the_wire_is_stopped_by_the_worker(account, user, pushed, sandbox):
    campaign = prepare(campaign_to(account, pushed(ALI, SARA)), user)
    run = approve(campaign, user)
    sandbox.fault("status_429", BOOKS, times=0, seconds=600)
    go(run, campaign)
    Call.objects.filter(run=run).update(state=Call.State.ON_WIRE, lease_until=timezone.now() + dt.timedelta(minutes=5))
    lifecycle.stop(campaign)
    run.refresh_from_db()
    assert (run.state, campaign.state) == ("stopping", "stopping")


def test_the_preparation_waits_too(account, user, pushed, monkeypatch):
    campaign = campaign_to(account, (pushed(ALI, SARA), 1, 1))  # a slice needs the provider's order

    def blocked(*args, **kwargs):
        raise Throttled("Too many requests.", retry_after=600.0)

    with monkeypatch.context() as patch:
        patch.setattr(sends, "remote_ids_in_order", blocked)
        lifecycle.begin_prepare(campaign, user=user)
        audience.freeze(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PREPARING
    assert 590 < seconds_until(campaign.lease_until) <= 600
    assert progress.rest_of_campaign(campaign).why == "Too many requests."
    assert audience.abandoned() == []

    Campaign.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert audience.abandoned() == [campaign.pk]
    audience.freeze(campaign.pk)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.error) == (Campaign.State.PREPARED, {})
