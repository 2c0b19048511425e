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
from tests.admin.campaign_forms import ADD, form
from tests.admin.flow_rows import address, client_of
from tests.admin.flow_rows import text_of as html_of
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
    assert "Now fill in the template's variables." in text_of(page)
    assert "Value of “1”" in text_of(page)
    assert "wrote within the last 24 hours" in text_of(page)
    assert 'name="is_keyworded"' not in text_of(page)
    campaign = Campaign.objects.get()
    data = form(callbell, message="", template=template, value_1="{first_name}")
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
    client_of("Marketing").post(address(campaign), form(callbell, template="", value_1="x"))
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


# Templates read anew


def refresh_url(account: ProviderAccount) -> str:
    return f"/admin/contactsync/campaign/account/{account.pk}/templates/"


def test_templates_are_read_anew_and_what_changed_is_said(callbell: ProviderAccount) -> None:
    count, gone = len(callbell.templates), {**callbell.templates[0], "remote_id": "old", "title": "summer"}
    welcome = {**next(row for row in callbell.templates if row["title"] == "welcome"), "text": "Hello"}
    callbell.templates = [welcome, gone]
    callbell.save()
    answer = client_of("Marketing").post(refresh_url(callbell)).json()
    assert answer["ok"]
    assert answer["text"].startswith(f"{count} templates were read.")
    assert "Changed: welcome." in answer["text"]
    assert "summer" in answer["text"].split("No longer there:")[1]
    assert any(welcome["remote_id"] in str(group) for group in answer["choices"])
    callbell.refresh_from_db()
    assert {row["title"] for row in callbell.templates} >= {"welcome"}
    assert "Nothing has changed." in client_of("Marketing", username="b").post(refresh_url(callbell)).json()["text"]


def test_templates_that_cannot_be_read_stay_and_the_reason_is_said(sandbox: SandboxServer) -> None:
    callbell = check_account(CALLBELL.account(sandbox))
    kept = callbell.templates
    callbell.base_url = "http://127.0.0.1:9"
    callbell.save()
    answer = client_of("Marketing").post(refresh_url(callbell)).json()
    assert not answer["ok"]
    assert "The templates could not be read:" in answer["text"]
    callbell.refresh_from_db()
    assert callbell.templates == kept
    lox = _LOX24.account(sandbox)
    assert "LOX24 has no templates." in client_of("Marketing", username="b").post(refresh_url(lox)).json()["text"]


def test_refreshing_templates_is_for_writers_and_by_post(callbell: ProviderAccount) -> None:
    assert client_of("Marketing").get(refresh_url(callbell)).status_code == 405
    assert client_of(may=("view_campaign",)).post(refresh_url(callbell)).status_code == 403


def test_a_value_stays_with_its_variable_when_the_provider_lists_them_in_another_order() -> None:
    row = {"remote_id": "abc", "title": "Code", "text": "%name% %code%", "is_usable": True, "raw_state": "active"}
    account = make_account(templates=[{**row, "variables": ["name", "code"]}])
    campaign = Campaign.objects.create(title="a", account=account, template="abc")
    ProviderAccount.objects.update(templates=[{**row, "variables": ["code", "name"]}])
    data = form(account, template="abc", value_name="{first_name}", value_code="17")
    client_of("Marketing").post(address(campaign), data)
    campaign.refresh_from_db()
    assert campaign.template_values == {"name": "{first_name}", "code": "17"}


def test_a_variable_of_any_name_has_an_input_of_its_own() -> None:
    row = {"remote_id": "abc", "title": "Code", "text": "", "is_usable": True, "raw_state": "active"}
    account = make_account(templates=[{**row, "variables": ["نام خریدار", "a b"]}])
    campaign = Campaign.objects.create(title="a", account=account, template="abc")
    client = client_of("Marketing")
    names = re.findall(r'name="(value_[^"]*)"', text_of(client.get(address(campaign))))
    client.post(address(campaign), form(account, template="abc", **dict(zip(names, ("x", "y"), strict=True))))
    campaign.refresh_from_db()
    assert campaign.template_values == {"نام خریدار": "x", "a b": "y"}


def test_numbers_of_another_template_say_nothing_of_this_one() -> None:
    row = {"title": "Code", "text": "{{1}}", "is_usable": True, "raw_state": "active", "variables": ["1", "name"]}
    account = make_account(templates=[{**row, "remote_id": "abc"}, {**row, "remote_id": "def"}])
    values = {"1": "x", "name": "y"}
    campaign = Campaign.objects.create(title="a", account=account, template="abc", template_values=values)
    client_of("Marketing").post(address(campaign), form(account, template="def", value_1="x", value_name="y"))
    campaign.refresh_from_db()
    assert (campaign.template, campaign.template_values) == ("def", {"name": "y"})
