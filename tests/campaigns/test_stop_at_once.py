"""A stop is felt while a worker waits: for its turn, or between two attempts."""

from __future__ import annotations

import pytest

from contactsync.campaigns import dispatch, lifecycle
from contactsync.models import Call, Campaign, Recipient, Suppression
from contactsync.sync import line, pace
from providers.exceptions import Throttled
from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import approve, campaign_to, prepare, received
from tests.factories import make_contact, make_phonebook
from tests.meanwhile import HAND_BACK, LOOK_AT_ACCOUNT, just_before

pytestmark = pytest.mark.django_db(transaction=True)
IPPANEL, ATOM, LOX24, CALLBELL = COMPANIES
ALI, SARA, REZA = "+989121110001", "+989121110002", "+989121110003"


@pytest.fixture
def campaign(account, user, one_text_per_call):
    account.settings |= {"requests_per_second": 1}
    account.save()
    book = make_phonebook(account)
    for phone in (ALI, SARA, REZA):
        make_contact(book, phone, first_name=phone[-4:])
    return prepare(campaign_to(account, book, message="{first_name}"), user)


@pytest.fixture
def holds(monkeypatch, campaign):
    """How long workers hold themselves at once. During the second hold a person stops the campaign."""
    clock, holds = [pace.now()], []

    def hold(seconds):
        holds.append(seconds)
        clock[0] += seconds
        if len(holds) == 2:
            lifecycle.stop(Campaign.objects.get(pk=campaign.pk))

    monkeypatch.setattr(pace, "now", lambda: clock[0])
    monkeypatch.setattr(pace, "hold", hold)
    return holds


def test_a_request_that_waits_for_its_turn_does_not_leave_any_more(campaign, user, sandbox, holds):
    run = approve(campaign, user)
    dispatch.execute(run.pk)
    campaign.refresh_from_db()
    run.refresh_from_db()
    assert max(holds[:2]) <= pace.LOOK_EVERY <= 1  # what comes after is the look at the credit, once all is settled
    assert (run.state, campaign.state) == ("stopped", "stopped")
    states = set(campaign.recipients.values_list("state", flat=True))
    assert states == {Recipient.State.NOT_SENT}
    assert received(sandbox) == {}
    assert not run.calls.filter(state__in=[Call.State.ON_WIRE, Call.State.UNKNOWN]).exists()


def test_between_two_attempts_a_stop_is_felt_within_a_second(account, user, sandbox, monkeypatch):
    book = make_phonebook(account)
    make_contact(book, ALI)
    campaign = prepare(campaign_to(account, book), user)
    waits = []

    def wait(seconds):
        waits.append(seconds)
        lifecycle.stop(Campaign.objects.get(pk=campaign.pk))

    monkeypatch.setattr(line, "wait", wait)
    run = approve(campaign, user)

    def crowded(provider, message):
        raise Throttled("Held back.", status=None, retry_after=20.0)

    monkeypatch.setattr("providers.backends.ippanel.IPPanel.send", crowded)
    dispatch.execute(run.pk)
    campaign.refresh_from_db()
    assert sum(waits) <= 1
    assert received(sandbox) == {}


def test_a_stop_in_the_moment_a_call_is_put_on_the_wire_keeps_it_here(campaign, user, sandbox):
    campaign.account.settings = {"concurrency": 1}
    campaign.account.save()
    run = approve(campaign, user)
    with just_before(LOOK_AT_ACCOUNT, lambda: lifecycle.stop(Campaign.objects.get(pk=campaign.pk)), nth=2):
        dispatch.execute(run.pk)
    campaign.refresh_from_db()
    run.refresh_from_db()
    assert (run.state, campaign.state) == ("stopped", "stopped")
    assert received(sandbox) == {}
    assert set(campaign.recipients.values_list("state", flat=True)) == {Recipient.State.NOT_SENT}


def test_a_stop_in_the_moment_a_campaign_is_left_to_rest_does_not_wait_for_the_rest_to_end(campaign, user, sandbox):
    run = approve(campaign, user)
    pace.DatabasePacer(f"account:{campaign.account_id}", per_second=1).blocked(600)
    with just_before(HAND_BACK, lambda: lifecycle.stop(Campaign.objects.get(pk=campaign.pk))):
        dispatch.execute(run.pk)
    campaign.refresh_from_db()
    run.refresh_from_db()
    assert (run.state, campaign.state, run.lease_owner) == ("stopped", "stopped", "")
    assert set(campaign.recipients.values_list("state", flat=True)) == {Recipient.State.NOT_SENT}


@pytest.mark.parametrize("concurrency", [1, 3])
def test_who_opts_out_while_a_call_waits_to_be_tried_again_gets_nothing(user, sandbox, monkeypatch, concurrency):
    account = LOX24.account(sandbox)
    account.settings |= {"concurrency": concurrency}
    account.save()
    phones = LOX24.phones(2)
    campaign = prepare(campaign_to(account, LOX24.book(account, sandbox, phones), message="{first_name}"), user)
    run = approve(campaign, user)
    sandbox.fault("status_429", LOX24.send_path, times=2, seconds=1)
    monkeypatch.setattr(line, "wait", lambda seconds: Suppression.objects.get_or_create(phone=phones[0]))
    dispatch.execute(run.pk)
    campaign.refresh_from_db()
    assert [len(LOX24.messages_to(sandbox, phone)) for phone in phones] == [0, 1]
    assert (campaign.state, campaign.summary["recipients"]) == ("sent", 1)
    assert set(run.calls.values_list("state", "item_count")) == {("not_sent", 0), ("accepted", 1)}
