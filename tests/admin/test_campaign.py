"""The campaign form: templates, messages that the provider fills in, and what a provider cannot do."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.utils import timezone

from contactsync.models import Campaign, Contact, ProviderAccount
from contactsync.sync.accounts import check_account
from contactsync.sync.mapping import payload_of, places_of, record_of
from providers.sandbox import SandboxServer
from tests.admin.flow_rows import address, client_of
from tests.admin.flow_rows import text_of as html_of
from tests.admin.test_campaigns_screens import ADD, form
from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import link, prepare, send, sent_bodies
from tests.factories import make_account, make_contact, make_option, make_phonebook, make_user

IPPANEL, ATOM, _LOX24, CALLBELL = COMPANIES
AGREED, SILENT = CALLBELL.phones(2)

pytestmark = pytest.mark.django_db


@pytest.fixture
def callbell(sandbox: SandboxServer) -> ProviderAccount:
    return check_account(CALLBELL.account(sandbox))


def text_of(response: Any) -> str:
    return html.unescape(html_of(response))


def welcome_of(account: ProviderAccount) -> str:
    return next(row["remote_id"] for row in account.templates if row["title"] == "welcome")


def test_a_template_chosen_in_the_form_is_sent_with_its_values(callbell: Any, sandbox: Any) -> None:
    book = CALLBELL.book(callbell, sandbox, [AGREED, SILENT])
    Contact.objects.filter(phone=AGREED).update(consented_at=timezone.now(), consent_source="form")
    client, template = client_of("Marketing"), welcome_of(callbell)
    page = client.post(ADD, form(callbell, {"phonebook": book.pk}, message="", template=template), follow=True)
    assert "Now write what the template's variables say." in text_of(page)
    assert "Value of “1”" in text_of(page)
    assert "wrote within the last 24 hours" in text_of(page)
    assert 'name="is_keyworded"' not in text_of(page)
    campaign = Campaign.objects.get()
    data = form(callbell, message="", template=template, value_0="{first_name}")
    client.post(address(campaign), data)
    campaign.refresh_from_db()
    assert (campaign.template, campaign.template_values) == (template, {"1": "{first_name}"})
    prepare(campaign)
    assert "No consent on record:" in text_of(client.get(address(campaign)))
    send(campaign, make_user())
    got = {phone: CALLBELL.messages_to(sandbox, phone) for phone in (AGREED, SILENT)}
    assert got == {AGREED: [f"Ciao N{AGREED[-2:]}, grazie per l'iscrizione!"], SILENT: []}


def test_values_of_a_template_go_with_it(callbell: Any) -> None:
    campaign = Campaign.objects.create(
        title="a", account=callbell, template=welcome_of(callbell), template_values={"1": "x"}
    )
    client_of("Marketing").post(address(campaign), form(callbell, template="", value_0="x"))
    campaign.refresh_from_db()
    assert (campaign.template, campaign.template_values) == ("", {})


def test_a_template_that_is_not_listed_any_more_keeps_its_values(callbell: Any) -> None:
    campaign = Campaign.objects.create(title="a", account=callbell, template="gone", template_values={"1": "x"})
    client = client_of("Marketing")
    assert "gone (cannot be used any more)" in text_of(client.get(address(campaign)))
    client.post(address(campaign), form(callbell, template="gone"))
    campaign.refresh_from_db()
    assert (campaign.title, campaign.template, campaign.template_values) == ("Yalda", "gone", {"1": "x"})


def test_somebody_who_may_only_look_sees_the_template_of_a_draft(callbell: Any) -> None:
    campaign = Campaign.objects.create(title="a", account=callbell, template=welcome_of(callbell))
    page = client_of(may=("view_campaign",)).get(address(campaign))
    assert welcome_of(callbell) in text_of(page)


def test_a_message_is_filled_in_by_ippanel(sandbox: SandboxServer) -> None:
    account = IPPANEL.account(sandbox)
    state = sandbox.state("ippanel")
    city = make_option(account, "City", remote_key=str(state.add_option("City", "string").id))
    there = state.add_phonebook("Book", option_ids=[int(city.remote_key)])
    book = make_phonebook(account, title="Book", remote_id=str(there.id), options=(city,))
    contact = make_contact(book, "+989120000001", options={str(city.pk): "Shiraz"})
    link(contact, str(state.add_contact(there, contact.phone, options={city.remote_key: "Shiraz"}).id))
    contact.pushed_payload = payload_of(record_of(contact, places=places_of(book)))
    contact.save()
    client_of("Marketing").post(ADD, form(account, {"phonebook": book.pk}, message="In {City}.", is_keyworded="on"))
    campaign = Campaign.objects.get()
    assert campaign.is_keyworded
    page = client_of("Marketing").get(address(campaign))
    assert re.search(r'name="is_keyworded"[^>]*checked', text_of(page))
    send(campaign, make_user())
    (body,) = sent_bodies(sandbox)
    assert (body["sending_type"], body["message"]) == ("keyword_phonebook", f"In {{ex_{city.remote_key}}}.")


@pytest.mark.parametrize(
    ("fields", "target", "said"),
    [
        ({"template": True}, {}, "Atom Telecom has no templates."),
        ({"is_keyworded": "on"}, {}, "Atom Telecom fills nothing into a text; that is done here."),
        ({}, {"start": 1, "size": 5}, "have no fixed order"),
    ],
)
def test_what_atom_cannot_do_is_refused_beside_the_field(
    callbell: Any, sandbox: Any, fields: dict[str, Any], target: dict[str, Any], said: str
) -> None:
    atom = ATOM.account(sandbox)
    if "template" in fields:
        fields = {"template": welcome_of(callbell)}
    data = form(atom, {"phonebook": make_phonebook(atom).pk, **target}, **fields)
    assert said in text_of(client_of("Marketing").post(ADD, data))
    assert not Campaign.objects.exists()


def test_a_template_is_not_filled_in_by_the_provider_too(sandbox: SandboxServer) -> None:
    row = {"remote_id": "abc", "title": "Code", "text": "%code%", "variables": ["code"], "is_usable": True}
    account = make_account(templates=[{**row, "raw_state": "active"}])
    data = form(account, {"phonebook": make_phonebook(account).pk}, template="abc", is_keyworded="on")
    assert "Choose either the template" in text_of(client_of("Marketing").post(ADD, data))
