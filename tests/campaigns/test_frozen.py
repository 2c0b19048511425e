"""A worker that is frozen after it has claimed a call, and goes on when the call is not its own any more."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from contactsync.campaigns import dispatch, lifecycle, reports
from contactsync.campaigns.resolve import resolve_unknown
from contactsync.models import Call
from contactsync.sync import ledger, sweep
from providers import deadline
from tests.campaigns.conftest import approve, campaign_to, prepare, received, states
from tests.factories import make_contact, make_phonebook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("one_text_per_call")]
ALI, SARA, REZA = "+989120000001", "+989120000002", "+989120000003"
LONG = dt.timedelta(minutes=11)


@pytest.fixture
def campaign(account, user):
    account.settings |= {"concurrency": 1}
    account.save()
    book = make_phonebook(account)
    for phone in (ALI, SARA, REZA):
        make_contact(book, phone, first_name=phone[-4:])
    return prepare(campaign_to(account, book, message="{first_name}"), user)


@pytest.fixture(params=["wall", "since_boot"])
def pass_time(request, monkeypatch):
    """Eleven minutes go by at once. This process learns of it from one of its clocks only."""

    def jump():
        now, read = timezone.now, getattr(deadline, request.param)
        monkeypatch.setattr(timezone, "now", lambda: now() + LONG)
        monkeypatch.setattr(deadline, request.param, lambda: read() + LONG.total_seconds())

    return jump


def freeze_once(monkeypatch, meanwhile):
    """The second call is on record as on the wire, and its worker stops for a while."""
    make, passages = ledger.make, []

    def frozen(*args):
        passages.append(None)
        if len(passages) == 2:
            meanwhile(args[0])
        return make(*args)

    monkeypatch.setattr(ledger, "make", frozen)


def test_what_a_person_has_decided_and_sent_meanwhile_is_not_sent_again(
    campaign, user, sandbox, monkeypatch, pass_time
):
    run = approve(campaign, user)

    def meanwhile(call):
        pass_time()
        for run_id in sweep.expired_runs():
            dispatch.execute(run_id)
        call = Call.objects.get(pk=call.pk)
        assert call.state == Call.State.UNKNOWN
        resolve_unknown(call, sent=False, user=user)
        campaign.refresh_from_db()
        dispatch.execute(lifecycle.resume(campaign, user=user).pk)

    freeze_once(monkeypatch, meanwhile)
    dispatch.execute(run.pk)
    campaign.refresh_from_db()
    assert {phone: len(texts) for phone, texts in received(sandbox).items()} == {ALI: 1, SARA: 1, REZA: 1}
    assert set(states(campaign).values()) == {"accepted"}
    assert reports.equation(campaign).balances
    (decided,) = run.calls.filter(state=Call.State.NOT_SENT)
    assert "was held up for so long" in decided.error_text


def test_what_the_sweep_has_called_unknown_stays_so_and_says_that_nothing_was_sent(
    campaign, user, sandbox, monkeypatch, pass_time
):
    run = approve(campaign, user)

    def meanwhile(call):
        pass_time()
        assert sweep.expired_runs() == [run.pk]

    freeze_once(monkeypatch, meanwhile)
    dispatch.execute(run.pk)
    campaign.refresh_from_db()
    (unknown,) = run.calls.filter(state=Call.State.UNKNOWN)
    assert "Nothing was sent" in unknown.error_text
    assert sorted(states(campaign).values()) == ["accepted", "accepted", "unknown"]
    assert len(received(sandbox)) == 2
    assert reports.equation(campaign).balances


def test_a_call_that_nobody_took_over_is_claimed_anew_and_sent_once(campaign, user, sandbox, monkeypatch, pass_time):
    run = approve(campaign, user)
    freeze_once(monkeypatch, lambda call: pass_time())
    dispatch.execute(run.pk)
    campaign.refresh_from_db()
    assert sorted(run.calls.values_list("state", "attempts")) == [("accepted", 1), ("accepted", 1), ("accepted", 2)]
    assert [len(texts) for texts in received(sandbox).values()] == [1, 1, 1]
    assert campaign.state == "sent"
