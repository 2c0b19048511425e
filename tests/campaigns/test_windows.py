"""Callbell: free text within 24 hours of the person's last message, else a template, and that only with consent."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from contactsync.campaigns import dispatch, lifecycle, reports
from contactsync.models import Call, Campaign, Contact, ProviderAccount, Recipient
from contactsync.sync.accounts import check_account
from contactsync.sync.connect import Operation
from providers.sandbox import SandboxServer
from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import approve, campaign_to, excluded, link, prepare, send
from tests.factories import make_contact

CALLBELL = COMPANIES[3]
WROTE, SILENT, AGREED, UNPUSHED = CALLBELL.phones(4)
State = Campaign.State
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def account(db: None, sandbox: SandboxServer) -> ProviderAccount:
    return check_account(CALLBELL.account(sandbox))


@pytest.fixture
def welcome(account):
    """“Ciao {{1}}, grazie per l'iscrizione!”"""
    return next(row["remote_id"] for row in account.templates if row["title"] == "welcome")


@pytest.fixture
def book(account, sandbox):
    """One who wrote just now, two who never did (one of them agreed), and one who is not at the provider."""
    book = CALLBELL.book(account, sandbox, [WROTE])
    state = sandbox.state("callbell")
    for phone in (SILENT, AGREED):
        contact = state.add_contact(phone, "Sara", tags=[book.title])
        link(make_contact(book, phone, first_name=f"N{phone[-2:]}"), contact.uuid)
    make_contact(book, UNPUSHED, first_name="N13")
    Contact.objects.filter(phone=AGREED).update(consented_at=timezone.now(), consent_source="form")
    return book


@pytest.fixture
def got(sandbox):
    state = sandbox.state("callbell")
    return lambda: {phone: texts for phone in (WROTE, SILENT, AGREED, UNPUSHED) if (texts := state.messages_to(phone))}


def test_without_a_template_only_those_who_wrote_lately_get_the_text(account, book, user, got):
    campaign = campaign_to(account, book, message="Ciao!")
    send(campaign, user)
    assert got() == {WROTE: ["Ciao!"]}
    assert excluded(campaign) == dict.fromkeys([SILENT, AGREED, UNPUSHED], "needs_template")
    assert "24 hours" in Recipient.objects.get(phone=SILENT).error_text
    assert campaign.state == State.SENT
    assert reports.equation(campaign).balances


def test_with_a_template_the_others_get_it_if_they_agreed(account, book, user, got, welcome):
    values = {"1": "{first_name}"}
    campaign = campaign_to(account, book, message="Ciao!", template=welcome, template_values=values)
    send(campaign, user)
    assert got() == {WROTE: ["Ciao!"], AGREED: [f"Ciao N{AGREED[-2:]}, grazie per l'iscrizione!"]}
    assert excluded(campaign) == dict.fromkeys([SILENT, UNPUSHED], "no_consent")
    assert "consent" in Recipient.objects.get(phone=SILENT).error_text
    assert Recipient.objects.get(phone=WROTE).template_values is None
    assert campaign.state == State.SENT
    assert set(Call.objects.values_list("operation", flat=True)) == {
        Operation.SEND_TO_NUMBERS,
        Operation.SEND_TEMPLATE,
    }


def test_without_a_text_everybody_who_agreed_gets_the_template(account, book, user, got, welcome, sandbox):
    campaign = campaign_to(account, book, message="", template=welcome, template_values={"1": "{first_name}"})
    asked = len(sandbox.requests)
    prepare(campaign, user)
    assert len(sandbox.requests) == asked  # when somebody wrote does not matter
    send(campaign, user)
    assert set(got()) == {AGREED}
    assert excluded(campaign)[WROTE] == "no_consent"


def test_when_somebody_wrote_is_asked_once_and_kept(account, book, user, sandbox):
    campaign = prepare(campaign_to(account, book, message="Ciao!"), user)
    assert Contact.objects.get(phone=WROTE).last_received_at is not None
    lifecycle.back_to_draft(campaign)
    asked = len(sandbox.requests_to("GET /contacts/"))
    prepare(campaign, user)
    paths = [request.path for request in sandbox.requests_to("GET /contacts/")[asked:]]
    assert not any(Contact.objects.get(phone=WROTE).remote_id in path for path in paths)
    assert len(paths) == 2  # the silent ones; nobody is asked about who is not there


def test_a_window_that_closed_meanwhile_leaves_the_person_out(account, book, user, got, sandbox):
    campaign = prepare(campaign_to(account, book, message="Ciao!"), user)
    run = approve(campaign, user)
    later = timezone.now() + 25 * HOUR
    sandbox.advance(25 * 3600)
    with time_machine.travel(later):
        dispatch.execute(run.pk)
    campaign.refresh_from_db()
    assert got() == {}
    assert excluded(campaign)[WROTE] == "needs_template"
    assert reports.equation(campaign).balances


def test_a_window_that_closed_meanwhile_makes_it_the_template(account, book, user, got, sandbox, welcome):
    Contact.objects.filter(phone=WROTE).update(consented_at=timezone.now())
    values = {"1": "{first_name}"}
    campaign = prepare(campaign_to(account, book, message="Ciao!", template=welcome, template_values=values), user)
    assert Recipient.objects.get(phone=WROTE).text == "Ciao!"
    run = approve(campaign, user)
    sandbox.advance(25 * 3600)
    with time_machine.travel(timezone.now() + 25 * HOUR):
        dispatch.execute(run.pk)
    text = f"Ciao N{WROTE[-2:]}, grazie per l'iscrizione!"
    assert got()[WROTE] == [text]
    person = Recipient.objects.get(phone=WROTE)
    assert (person.state, person.text) == (Recipient.State.ACCEPTED, text)
    assert person.template_values == {"1": f"N{WROTE[-2:]}"}


def test_a_window_that_opened_anew_meanwhile_is_seen(account, book, user, got, sandbox):
    run = approve(prepare(campaign_to(account, book, message="Ciao!"), user), user)
    sandbox.advance(25 * 3600)
    sandbox.state("callbell").receive(WROTE, "Ancora io", makes_contact=False)
    with time_machine.travel(timezone.now() + 25 * HOUR):
        dispatch.execute(run.pk)
    assert got() == {WROTE: ["Ciao!"]}


def test_consent_taken_back_meanwhile_counts(account, book, user, got, welcome):
    campaign = campaign_to(account, book, message="", template=welcome, template_values={"1": "{first_name}"})
    run = approve(prepare(campaign, user), user)
    Contact.objects.filter(phone=AGREED).update(consented_at=None)
    dispatch.execute(run.pk)
    assert got() == {}
    assert excluded(campaign)[AGREED] == "no_consent"


def test_a_value_the_template_lacks_leaves_the_person_out(account, book, user, got, welcome):
    values = {"1": "{company}"}
    campaign = campaign_to(account, book, message="Ciao!", template=welcome, template_values=values)
    send(campaign, user)
    assert got() == {WROTE: ["Ciao!"]}
    assert excluded(campaign)[AGREED] == "incomplete"


def test_refused_credentials_while_asking_stop_the_preparation(account, book, sandbox, user):
    campaign = campaign_to(account, book, message="Ciao!")
    lifecycle.begin_prepare(campaign, user=user)
    sandbox.use_key("another-key-0123456789012345678901")
    from contactsync.campaigns import audience

    audience.freeze(campaign.pk)
    campaign.refresh_from_db()
    account.refresh_from_db()
    assert (campaign.state, account.state) == (State.FAILED, ProviderAccount.State.REFUSED)
