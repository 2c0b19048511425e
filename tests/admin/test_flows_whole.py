"""A push and a campaign from button to report: real pages, the real worker, the sandbox over a real socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contactsync.models import Call, Campaign, Contact, Phonebook, Recipient, Run
from providers.sandbox import SandboxServer
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import make_account, make_campaign, make_contact, make_option, make_phonebook

pytestmark = pytest.mark.django_db(transaction=True)

Work = Callable[[], None]


@pytest.fixture
def book(sandbox: SandboxServer, transactional_db: None) -> Phonebook:
    account = make_account(base_url=sandbox.url("ippanel"))
    option = make_option(account, "City")
    phonebook = make_phonebook(account, title="Customers", options=(option,))
    for number in range(3):
        make_contact(
            phonebook, f"+98912111000{number}", first_name=f"Sara {number}", options={str(option.pk): "Shiraz"}
        )
    return phonebook


def push(client: Any, book: Phonebook, work: Work) -> Run:
    client.post(address(book, "push"))
    work()
    run = Run.objects.latest("pk")
    client.post(address(run, "approve"), {"plan_hash": run.plan_hash})
    work()
    run.refresh_from_db()
    return run


def test_a_push_from_the_button_to_the_equation(book: Phonebook, run_tasks: Work) -> None:
    client = client_of("Marketing")
    client.post(address(book, "push"))
    run = Run.objects.get()
    assert "being planned" in text_of(client.get(address(run)))
    run_tasks()
    text = text_of(client.get(address(run)))
    assert "Approve: create 3" in text
    assert "City" in text
    client.post(address(run, "approve"), {"plan_hash": Run.objects.get().plan_hash})
    run_tasks()
    text = text_of(client.get(address(run)))
    assert 'data-balance="yes"' in text
    assert "<b>3</b> done" in text
    assert set(Contact.objects.values_list("sync_state", flat=True)) == {"synced"}


def test_a_second_push_of_the_same_has_nothing_to_approve(book: Phonebook, run_tasks: Work) -> None:
    client = client_of("Marketing")
    push(client, book, run_tasks)
    client.post(address(book, "push"))
    run_tasks()
    run = Run.objects.latest("pk")
    text = text_of(client.get(address(run)))
    assert "Everything is in step already" in text
    assert "/approve/" not in text


def test_a_refused_key_pauses_the_run_and_it_goes_on_afterwards(
    book: Phonebook, run_tasks: Work, sandbox: SandboxServer
) -> None:
    client = client_of("Marketing")
    client.post(address(book, "push"))
    run_tasks()
    run = Run.objects.get()
    sandbox.fault("status_401", times=0)
    client.post(address(run, "approve"), {"plan_hash": run.plan_hash})
    run_tasks()
    text = text_of(client.get(address(run)))
    assert "Paused." in text
    assert "Continue" in text


def test_a_campaign_from_the_draft_to_the_report(book: Phonebook, run_tasks: Work, sandbox: SandboxServer) -> None:
    lead = client_of("Marketing lead")
    push(lead, book, run_tasks)
    campaign = make_campaign(book.account, message="سلام {first_name}")
    campaign.targets.create(phonebook=book)

    lead.post(address(campaign, "prepare"))
    assert "being put together" in text_of(lead.get(address(campaign)))
    run_tasks()
    campaign.refresh_from_db()
    text = text_of(lead.get(address(campaign)))
    assert "Send to 3 people" in text
    assert "سلام Sara 0" in text

    for _ in range(2):
        lead.post(address(campaign, "send"), {"audience_hash": campaign.audience_hash})
    run_tasks()
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.SENT
    assert Run.objects.filter(kind=Run.Kind.SEND).count() == 1
    sends = sandbox.requests_to("POST /api/send$")
    assert len(sends) == Call.objects.filter(run__kind=Run.Kind.SEND).count()

    sandbox.advance(3600)
    lead.post(address(campaign, "refresh"))
    run_tasks()
    page = lead.get(address(campaign))
    assert sum(share.count for share in page.context["shares"]) == 3
    assert not Recipient.objects.filter(campaign=campaign, delivery="").exists()
    assert 'data-balance="yes"' in text_of(page)
