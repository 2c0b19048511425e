"""What the provider can prove of a send whose answer was lost, and what stays with a person."""

from __future__ import annotations

import dataclasses
import uuid

import pytest

from contactsync.campaigns import due, reports, resolve
from contactsync.models import Call, Campaign, Recipient
from contactsync.sync.connect import Operation
from providers.backends.atomtelecom import AtomTelecom
from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import campaign_to, prepare, send

IPPANEL, ATOM, LOX24, CALLBELL = COMPANIES
State = Campaign.State


def lost(company, sandbox, user, *, people: int = 1, kind: str = "reset_after", path: str = "") -> Campaign:
    """A campaign of which the answer to the send was lost."""
    account = company.account(sandbox)
    book = company.book(account, sandbox, company.phones(people))
    campaign = prepare(campaign_to(account, book, message="Sale"), user)
    sandbox.fault(kind, path or company.send_path)
    send(campaign, user)
    assert campaign.state == State.ATTENTION
    return campaign


def pulled(campaign: Campaign) -> Campaign:
    reports.pull(campaign.pk)
    campaign.refresh_from_db()
    return campaign


@pytest.mark.parametrize(("people", "path"), [(1, "POST /bulks$"), (3, "POST /bulks$")], ids=["one", "some"])
def test_what_shows_our_reference_is_accepted_by_itself(user, sandbox, db, people, path):
    campaign = lost(LOX24, sandbox, user, people=people, path=path)
    assert list(due.due_reports()) == [campaign.pk]
    pulled(campaign)
    assert (campaign.state, campaign.error_text) == (State.SENT, "")
    call = Call.objects.get()
    assert call.state == Call.State.ACCEPTED
    assert call.references
    assert "with our reference" in call.error_text
    assert set(Recipient.objects.values_list("state", flat=True)) == {Recipient.State.ACCEPTED}
    sandbox.advance(3600)
    assert pulled(campaign).summary["report"]["final"]


def test_what_is_not_found_waits_for_a_person(user, sandbox, db):
    campaign = pulled(lost(LOX24, sandbox, user, kind="reset_before", path="POST /bulks$"))
    assert campaign.state == State.ATTENTION
    call = Call.objects.get()
    assert call.state == Call.State.UNKNOWN
    assert "shows no send" in call.error_text
    first = call.error
    pulled(campaign)
    call.refresh_from_db()
    assert call.error == first  # said once, not nested


def test_what_is_never_found_keeps_no_other_from_being_looked_for(user, sandbox, db, monkeypatch):
    monkeypatch.setattr(resolve, "SEARCHED_AT_ONCE", 1)
    account = LOX24.account(sandbox)
    account.settings["concurrency"] = 1
    account.save()
    campaign = prepare(
        campaign_to(account, LOX24.book(account, sandbox, LOX24.phones(2)), message="{first_name}"), user
    )
    sandbox.fault("reset_before", LOX24.send_path)
    sandbox.fault("reset_after", LOX24.send_path)
    send(campaign, user)
    pulled(campaign)
    pulled(campaign)
    never, arrived = Call.objects.order_by("pk")
    assert (never.state, arrived.state) == (Call.State.UNKNOWN, Call.State.ACCEPTED)
    assert arrived.references


def test_a_send_that_only_looks_like_it_is_shown_to_the_person(user, sandbox, db):
    campaign = pulled(lost(IPPANEL, sandbox, user))
    assert campaign.state == State.ATTENTION
    call = Call.objects.get()
    assert call.state == Call.State.UNKNOWN
    (there,) = sandbox.state("ippanel").sends
    assert str(there) in call.error_text


@pytest.mark.parametrize("company", [ATOM, CALLBELL], ids=["atomtelecom", "callbell"])
def test_where_nothing_can_be_searched_a_person_decides(company, user, sandbox, db):
    campaign = lost(company, sandbox, user)
    assert due.due_reports() == {}
    asked = len(sandbox.requests)
    pulled(campaign)
    assert len(sandbox.requests) == asked
    assert Call.objects.get().state == Call.State.UNKNOWN


def test_a_proven_call_back_decides(user, sandbox, db):
    campaign = lost(CALLBELL, sandbox, user)
    call = Call.objects.get()
    (sent,) = sandbox.state("callbell").sends
    assert not reports.resolve_by_callback(uuid.uuid4(), sent)
    assert reports.resolve_by_callback(call.uuid, sent)
    assert not reports.resolve_by_callback(call.uuid, sent)  # it is decided
    campaign.refresh_from_db()
    call.refresh_from_db()
    assert (campaign.state, call.state, call.references) == (State.SENT, Call.State.ACCEPTED, [sent])
    sandbox.advance(3600)
    reports.pull_call(call)
    campaign.refresh_from_db()
    assert campaign.summary["report"]["final"]


def test_one_call_can_be_read_by_itself(user, sandbox, db):
    account = ATOM.account(sandbox)
    campaign = campaign_to(account, ATOM.book(account, sandbox, ATOM.phones(3)), message="Sale")
    send(campaign, user)
    sandbox.advance(3600)
    first, *_ = Call.objects.order_by("pk")
    reports.pull_call(first)
    assert Recipient.objects.get(call=first).delivery == Recipient.Delivery.DELIVERED
    assert Recipient.objects.filter(delivery="").count() == 2
    campaign.refresh_from_db()
    assert not campaign.summary["report"]["final"]
    assert campaign.summary["report"]["states"] == {"delivered": 1, "none": 2}


def test_several_calls_say_what_went_wrong_each(user, sandbox, db):
    account = ATOM.account(sandbox)
    send(campaign_to(account, ATOM.book(account, sandbox, ATOM.phones(2)), message="Sale"), user)
    sandbox.advance(3600)
    broken, fine = Call.objects.order_by("pk")
    Call.objects.filter(pk=broken.pk).update(references=["nothing-like-it"])
    broken.refresh_from_db()
    assert set(reports.pull_calls([broken, fine])) == {broken.pk}
    assert Recipient.objects.get(call=fine).delivery == Recipient.Delivery.DELIVERED


def test_a_send_the_provider_does_not_know_does_not_hold_up_the_others(user, sandbox, db):
    account = ATOM.account(sandbox)
    campaign = campaign_to(account, ATOM.book(account, sandbox, ATOM.phones(3)), message="Sale")
    send(campaign, user)
    sandbox.advance(3600)
    first, *_ = Call.objects.order_by("pk")
    Call.objects.filter(pk=first.pk).update(references=["nothing-like-it"])
    report = pulled(campaign).summary["report"]
    assert report["error"]
    assert not report["final"]
    assert report["states"] == {"delivered": 2, "none": 1}
    assert due.pause_now(campaign) is not None


def test_the_address_for_call_backs_goes_along_with_every_send(user, sandbox, db):
    account = ATOM.account(sandbox)
    send(campaign_to(account, ATOM.book(account, sandbox, ATOM.phones(1)), message="Sale"), user)
    (request,) = sandbox.requests_to("POST /api/sms/send")
    address = f"/callbacks/{account.callback_key}/{Call.objects.get().uuid}/"
    assert address in request.body.decode()


def test_a_provider_without_reports_is_not_asked_for_any(user, sandbox, db, monkeypatch):
    account = ATOM.account(sandbox)
    limits = AtomTelecom.capabilities
    without = dataclasses.replace(limits, operations=limits.operations - {Operation.READ_REPORT})
    monkeypatch.setattr(AtomTelecom, "capabilities", without)
    campaign = campaign_to(account, ATOM.book(account, sandbox, ATOM.phones(1)), message="Sale")
    send(campaign, user)
    assert due.due_reports() == {}
    asked = len(sandbox.requests)
    assert not pulled(campaign).summary["report"]["error"]
    assert len(sandbox.requests) == asked
