"""A company with an account at the sandbox, and what its campaigns need."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from contactsync.campaigns import audience, dispatch, lifecycle
from contactsync.models import Campaign, CampaignTarget, Contact, Phonebook, ProviderAccount, Recipient, Run
from contactsync.sync import line
from contactsync.sync.connect import Operation
from providers.backends.ippanel import IPPanel
from providers.sandbox import SandboxServer
from tests.factories import make_account, make_campaign, make_contact, make_phonebook, make_user, numbers


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts pass at once."""
    monkeypatch.setattr(line, "wait", lambda seconds: None)


@pytest.fixture
def one_text_per_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at a provider that takes one text per call: a personalised campaign makes many calls."""
    limits = IPPanel.capabilities
    without = dataclasses.replace(limits, operations=limits.operations - {Operation.SEND_TEXTS})
    monkeypatch.setattr(IPPanel, "capabilities", without)


@pytest.fixture
def account(db: None, sandbox: SandboxServer) -> ProviderAccount:
    return make_account(base_url=sandbox.url("ippanel"), settings={"read_timeout": 1})


@pytest.fixture
def user(db: None) -> User:
    return make_user()


@pytest.fixture
def pushed(account: ProviderAccount, sandbox: SandboxServer) -> Callable[..., Phonebook]:
    """A phonebook that the provider holds exactly as we do, with these numbers."""

    def push(*phones: str, title: str = "", **fields: Any) -> Phonebook:
        title = title or f"phonebook {next(numbers)}"
        state = sandbox.state("ippanel")
        there = state.add_phonebook(title)
        book = make_phonebook(account, title=title, remote_id=str(there.id))
        for phone in phones:
            remote_id = str(state.add_contact(there, phone).id)
            link(make_contact(book, phone, **fields), remote_id)
        return book

    return push


def link(contact: Contact, remote_id: str) -> Contact:
    """Make a contact look as it does after a push."""
    contact.remote_id = remote_id
    contact.pushed_payload = {"phone": contact.phone}
    contact.pushed_hash = contact.fingerprint()
    contact.sync_state = Contact.SyncState.SYNCED
    contact.pushed_at = timezone.now()
    contact.save()
    return contact


def campaign_to(account: ProviderAccount, *targets: Any, **fields: Any) -> Campaign:
    """A campaign to phonebooks, to (phonebook, contacts), or to (phonebook, start, size)."""
    campaign = make_campaign(account, **fields)
    for target in targets:
        match target:
            case Phonebook():
                CampaignTarget.objects.create(campaign=campaign, phonebook=target)
            case (book, list() as contacts):
                row = CampaignTarget.objects.create(campaign=campaign, phonebook=book, type=CampaignTarget.Type.DETAIL)
                row.contacts.set(contacts)
            case (book, start, size):
                CampaignTarget.objects.create(campaign=campaign, phonebook=book, start=start, size=size)
    return campaign


def prepare(campaign: Campaign, user: User | None = None) -> Campaign:
    lifecycle.begin_prepare(campaign, user=user)
    audience.freeze(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PREPARED, campaign.error_text
    assert campaign.summary["balances"]
    return campaign


def approve(campaign: Campaign, user: User) -> Run:
    return lifecycle.begin_send(campaign, user=user, audience_hash=campaign.audience_hash)


def send(campaign: Campaign, user: User) -> Run:
    """Prepare, approve and carry out."""
    if campaign.state == Campaign.State.DRAFT:
        prepare(campaign, user)
    run = approve(campaign, user)
    dispatch.execute(run.pk)
    run.refresh_from_db()
    campaign.refresh_from_db()
    return run


def states(campaign: Campaign) -> dict[str, str]:
    """Number -> state, for those who are not left out."""
    rows = Recipient.objects.filter(campaign=campaign).exclude(state=Recipient.State.EXCLUDED)
    return dict(rows.values_list("phone", "state"))


def excluded(campaign: Campaign) -> dict[str, str]:
    """Number -> why it is left out."""
    rows = Recipient.objects.filter(campaign=campaign, state=Recipient.State.EXCLUDED)
    return dict(rows.values_list("phone", "exclusion"))


def sent_bodies(sandbox: SandboxServer) -> list[Any]:
    """The bodies of all sends that reached the provider, in order."""
    return [json.loads(request.body) for request in sandbox.requests_to("POST /api/send$")]


def received(sandbox: SandboxServer) -> dict[str, list[str]]:
    """Number -> every text the provider accepted for it."""
    got: dict[str, list[str]] = {}
    for accepted in sandbox.state("ippanel").sends.values():
        for message in accepted.messages:
            got.setdefault(message.recipient, []).append(message.text)
    return got
