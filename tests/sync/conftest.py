"""What the tests of the sync share: an account at the sandbox, a quick push, and no waiting."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from contactsync.models import Call, Contact, Phonebook, ProviderAccount, Run
from contactsync.sync import executor, lifecycle, line, planner
from providers.sandbox import SandboxServer
from tests.factories import make_account

FAST = {"connect_timeout": 1, "read_timeout": 1}


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits between attempts; what would have been waited is listed."""
    waited: list[float] = []
    monkeypatch.setattr(line, "wait", waited.append)
    return waited


@pytest.fixture
def account(sandbox: SandboxServer, db: None) -> ProviderAccount:
    """A ready account at the sandbox's IPPanel."""
    return make_account(base_url=sandbox.url("ippanel"), settings=dict(FAST))


def plan_push(phonebook: Phonebook) -> Run:
    run = planner.create_push_run(phonebook)
    planner.plan(run.pk)
    run.refresh_from_db()
    return run


def carry_out(run: Run) -> Run:
    executor.execute(run.pk)
    run.refresh_from_db()
    return run


def push(phonebook: Phonebook) -> Run:
    """Plan, approve, carry out."""
    run = plan_push(phonebook)
    assert run.state == Run.State.PLANNED, run.error
    lifecycle.approve(run)
    return carry_out(run)


def expire_leases() -> None:
    """As if more time had passed than any lease lasts."""
    past = timezone.now() - dt.timedelta(seconds=1)
    Run.objects.exclude(lease_until=None).update(lease_until=past)
    Call.objects.exclude(lease_until=None).update(lease_until=past)


def local_contacts(phonebook: Phonebook) -> dict[str, tuple[str, str, str]]:
    """What ought to be at the provider: number to prefix, name and e-mail."""
    return {
        contact.phone: (contact.prefix, contact.full_name, contact.email)
        for contact in Contact.objects.present().filter(phonebook=phonebook)
    }


def remote_contacts(sandbox: SandboxServer, title: str) -> dict[str, tuple[str, str, str]]:
    """What is at the provider in the same form; fails when a number is there twice."""
    state = sandbox.state("ippanel")
    contacts = state.contacts_of(state.phonebook(title))
    assert len({contact.number for contact in contacts}) == len(contacts)
    return {contact.number: (contact.pre, contact.name, contact.email) for contact in contacts}


def assert_in_step(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    """Both sides hold the same contacts, every id is right, and every contact says so."""
    assert remote_contacts(sandbox, phonebook.title) == local_contacts(phonebook)
    state = sandbox.state("ippanel")
    by_number = state.phonebook(phonebook.title).by_number
    for contact in Contact.objects.filter(phonebook=phonebook):
        assert contact.remote_id == str(by_number[contact.phone])
        assert contact.sync_state == Contact.SyncState.SYNCED
        assert contact.pushed_hash == contact.payload_hash
