"""Which calls carry a campaign: several texts at once, texts that the provider fills in, templates."""

from __future__ import annotations

import json

import pytest

from contactsync.campaigns import audience, dispatch, lifecycle, reports, templates
from contactsync.campaigns.problems import CampaignProblem, problems
from contactsync.models import Call, Campaign, Contact, Recipient, Suppression
from contactsync.models.reasons import describe
from contactsync.sync.accounts import check_account, refresh_templates
from contactsync.sync.connect import Operation
from contactsync.sync.mapping import payload_of, places_of, record_of
from providers.sandbox.ippanel.records import Pattern
from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import approve, campaign_to, excluded, prepare, received, send, sent_bodies, states
from tests.factories import make_contact, make_option, make_phonebook

State = Campaign.State


def refusal(campaign: Campaign) -> str:
    """Why the campaign cannot be prepared."""
    try:
        lifecycle.begin_prepare(campaign, user=None)
    except CampaignProblem as problem:
        return problem.describe()
    audience.freeze(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state == State.FAILED
    return campaign.error_text


class TestSeveralTextsInACall:
    def test_two_hundred_and_fifty_texts_take_three_calls(self, account, user, sandbox):
        book = make_phonebook(account)
        phones = [f"+98912{number:07d}" for number in range(250)]
        for number, phone in enumerate(phones):
            make_contact(book, phone, first_name=f"n{number}")
        campaign = campaign_to(account, book, message="Hi {first_name}")
        send(campaign, user)
        assert [len(body["params"]) for body in sent_bodies(sandbox)] == [100, 100, 50]
        assert {body["sending_type"] for body in sent_bodies(sandbox)} == {"peer_to_peer"}
        assert received(sandbox) == {phone: [f"Hi n{number}"] for number, phone in enumerate(phones)}
        assert set(Call.objects.values_list("operation", flat=True)) == {Operation.SEND_TEXTS}

    def test_people_with_the_same_text_are_one_element(self, account, user, sandbox):
        book = make_phonebook(account)
        for number, name in enumerate("aabbb"):
            make_contact(book, f"+98912000000{number}", first_name=name)
        send(campaign_to(account, book, message="Hi {first_name}"), user)
        (body,) = sent_bodies(sandbox)
        assert [len(element["recipients"]) for element in body["params"]] == [2, 3]

    def test_a_call_carries_no_more_numbers_than_the_provider_takes(self, account, user, sandbox):
        book = make_phonebook(account)
        Contact.objects.bulk_create(
            Contact(phonebook=book, phone=f"+98912{number:07d}", first_name=f"n{number // 600}", payload_hash="x")
            for number in range(1500)
        )
        send(campaign_to(account, book, message="Hi {first_name}"), user)
        sizes = [[len(element["recipients"]) for element in body["params"]] for body in sent_bodies(sandbox)]
        assert sizes == [[600, 400], [200, 300]]

    def test_somebody_suppressed_meanwhile_is_taken_out_of_it(self, account, user, sandbox):
        book = make_phonebook(account)
        for number, name in enumerate("abc"):
            make_contact(book, f"+98912000000{number}", first_name=name)
        campaign = prepare(campaign_to(account, book, message="Hi {first_name}"), user)
        run = approve(campaign, user)
        Suppression.objects.create(phone="+989120000001")
        dispatch.execute(run.pk)
        assert received(sandbox) == {"+989120000000": ["Hi a"], "+989120000002": ["Hi c"]}
        assert excluded(campaign) == {"+989120000001": "suppressed"}
        campaign.refresh_from_db()
        assert campaign.state == State.SENT
        assert campaign.summary["sent"]["balances"]

    def test_after_a_refusal_the_rest_goes_text_by_text_so_that_one_does_not_stop_the_others(
        self, account, user, sandbox
    ):
        book = make_phonebook(account)
        for number, name in enumerate("abc"):
            make_contact(book, f"+98912000000{number}", first_name=name)
        campaign = campaign_to(account, book, message="Hi {first_name}")
        prepare(campaign, user)
        sandbox.fault("status_422", "POST /api/send$")
        send(campaign, user)
        assert campaign.state == State.ATTENTION
        assert received(sandbox) == {}
        run = lifecycle.resume(campaign, user=user)
        sandbox.fault("status_422", "POST /api/send$")
        dispatch.execute(run.pk)
        assert received(sandbox) == {"+989120000001": ["Hi b"], "+989120000002": ["Hi c"]}
        assert states(campaign)["+989120000000"] == Recipient.State.REFUSED

    def test_the_report_finds_everybody_by_number_whatever_ids_came_back(self, account, user, sandbox):
        book = make_phonebook(account)
        for phone, name in (("+989120000001", "a"), ("+989120000099", "b"), ("+989120000098", "c")):
            make_contact(book, phone, first_name=name)
        campaign = campaign_to(account, book, message="Hi {first_name}")
        send(campaign, user)
        assert len(Call.objects.get().references) == 3
        sandbox.advance(3600)
        reports.pull(campaign.pk)
        campaign.refresh_from_db()
        assert campaign.summary["report"]["final"]
        assert dict(Recipient.objects.values_list("phone", "delivery")) == {
            "+989120000001": "delivered",
            "+989120000099": "undelivered",
            "+989120000098": "blocked",
        }
        assert len(set(Recipient.objects.values_list("reference", flat=True))) == 3


class TestFilledInByTheProvider:
    PHONES = {"+989120000001": "Tehran", "+989120000002": "Shiraz"}

    @pytest.fixture
    def city(self, account, sandbox):
        there = sandbox.state("ippanel").add_option("City", "string")
        return make_option(account, "City", remote_key=str(there.id))

    @pytest.fixture
    def book(self, account, sandbox, city):
        state = sandbox.state("ippanel")
        there = state.add_phonebook("Book", option_ids=[int(city.remote_key)])
        book = make_phonebook(account, title="Book", remote_id=str(there.id), options=(city,))
        for phone, name in self.PHONES.items():
            contact = make_contact(book, phone, options={str(city.pk): name})
            contact.remote_id = str(state.add_contact(there, phone, options={city.remote_key: name}).id)
            contact.pushed_payload = payload_of(record_of(contact, places=places_of(book)))
            contact.pushed_hash = contact.fingerprint()
            contact.sync_state = Contact.SyncState.SYNCED
            contact.save()
        return book

    @pytest.fixture
    def campaign(self, account, book):
        return campaign_to(account, book, message="In {City}.", is_keyworded=True)

    def test_one_call_and_exactly_the_texts_that_were_shown(self, campaign, user, sandbox, city):
        prepare(campaign, user)
        shown = dict(Recipient.objects.values_list("phone", "text"))
        assert shown == {phone: f"In {name}." for phone, name in self.PHONES.items()}
        send(campaign, user)
        (body,) = sent_bodies(sandbox)
        assert (body["sending_type"], body["message"]) == ("keyword_phonebook", f"In {{ex_{city.remote_key}}}.")
        assert received(sandbox) == {phone: [text] for phone, text in shown.items()}
        assert campaign.state == State.SENT
        assert "fills in" in describe(campaign.summary["calls"][0])

    @pytest.mark.parametrize(
        ("message", "words"),
        [
            ("Hi {first_name}", "{first_name}"),
            ("In {City|town}", "{City|…}"),
            ("Nothing", "no placeholder"),
        ],
    )
    def test_what_the_provider_has_no_place_for_is_refused(self, campaign, message, words):
        campaign.message = message
        campaign.save()
        assert words in refusal(campaign)

    def test_chosen_contacts_are_refused(self, account, book):
        chosen = campaign_to(account, (book, list(book.contacts.all())), message="In {City}.", is_keyworded=True)
        assert "whole phonebooks" in refusal(chosen)

    def test_a_value_that_was_not_pushed_is_refused(self, campaign, city):
        contact = Contact.objects.get(phone="+989120000002")
        contact.options = {str(city.pk): "Isfahan"}
        contact.save()
        assert "present values of 1" in refusal(campaign)

    def test_somebody_left_out_makes_it_impossible(self, campaign):
        Suppression.objects.create(phone="+989120000001")
        assert "other people" in refusal(campaign)

    def test_a_value_changed_meanwhile_holds_the_call_back_and_the_texts_shown_can_go(
        self, campaign, user, sandbox, city
    ):
        run = approve(prepare(campaign, user), user)
        contact = Contact.objects.get(phone="+989120000002")
        contact.options = {str(city.pk): "Isfahan"}
        contact.save()
        dispatch.execute(run.pk)
        assert received(sandbox) == {}
        campaign.refresh_from_db()
        assert campaign.state == State.ATTENTION
        assert "have changed" in campaign.error_text
        dispatch.execute(lifecycle.resume(campaign, user=user).pk)
        assert received(sandbox) == {phone: [f"In {name}."] for phone, name in self.PHONES.items()}

    def test_another_provider_does_not_offer_it(self, sandbox, user):
        atom = COMPANIES[1].account(sandbox)
        book = make_phonebook(atom, remote_id="1")
        make_contact(book, "+61491570006")
        campaign = campaign_to(atom, book, message="{first_name}", is_keyworded=True)
        assert "Atom Telecom fills nothing" in refusal(campaign)


class TestTemplateOfIPPanel:
    @pytest.fixture
    def campaign(self, account, sandbox):
        sandbox.state("ippanel").patterns["abc"] = Pattern(
            "abc", "سلام %name%، کد %code%", {"name": "string", "code": "integer"}
        )
        check_account(account)
        book = make_phonebook(account)
        make_contact(book, "+989120000001", first_name="Sara")
        make_contact(book, "+989120000002", first_name="Ali")
        make_contact(book, "+989120000003")
        values = {"name": "{first_name}", "code": "17"}
        return campaign_to(account, book, message="", template="abc", template_values=values)

    def test_everybody_gets_it_with_their_values(self, campaign, user, sandbox):
        send(campaign, user)
        assert received(sandbox) == {
            "+989120000001": ["سلام Sara، کد 17"],
            "+989120000002": ["سلام Ali، کد 17"],
        }
        assert excluded(campaign) == {"+989120000003": "incomplete"}
        assert campaign.state == State.SENT
        assert Recipient.objects.get(phone="+989120000001").template_values == {"name": "Sara", "code": "17"}
        assert {body["sending_type"] for body in sent_bodies(sandbox)} == {"pattern"}

    def test_a_variable_without_a_value_is_a_problem(self, campaign):
        campaign.template_values = {"name": "{nobody}"}
        found = " ".join(describe(problem) for problem in problems(campaign))
        assert "“code”" in found
        assert "{nobody}" in found

    def test_a_template_that_is_not_there_or_not_approved_is_a_problem(self, campaign, account):
        campaign.template = "xyz"
        assert "xyz" in refusal(campaign)
        account.templates = [{**row, "is_usable": False, "raw_state": "pending"} for row in account.templates]
        account.save()
        campaign = Campaign.objects.get(pk=campaign.pk)
        assert "pending" in refusal(campaign)
        assert templates.usable_templates(account) == []

    def test_they_can_be_read_anew(self, campaign, account, sandbox):
        sandbox.state("ippanel").patterns["def"] = Pattern("def", "%x%", {"x": "string"})
        refresh_templates(account)
        account.refresh_from_db()
        assert "def" in {template.remote_id for template in templates.usable_templates(account)}
        assert templates.variables_of(account, "def") == ("x",)

    def test_a_value_that_looks_like_a_variable_stays_as_it_is(self, campaign, user, sandbox):
        Contact.objects.filter(phone="+989120000001").update(first_name="%code%")
        prepare(campaign, user)
        assert Recipient.objects.get(phone="+989120000001").text == "سلام %code%، کد 17"


def test_the_same_campaign_again_is_warned_of(account, user):
    book = make_phonebook(account)
    make_contact(book, "+989120000001")
    first = campaign_to(account, book, title="First")
    prepare(first, user)
    assert "twin" not in first.summary
    second = prepare(campaign_to(account, book, title="Second"), user)
    assert second.summary["twin"] == {"campaign": first.pk, "title": "First", "state": State.PREPARED}
    assert "“First”" in describe(second.summary["warnings"][0])
    lifecycle.back_to_draft(second)
    send(first, user)
    prepare(second, user)
    assert "sent before" in describe(second.summary["warnings"][0])
    other = prepare(campaign_to(account, book, title="Other", message="another text"), user)
    assert "twin" not in other.summary


def test_missing_names_are_listed_in_the_readers_language(account, user):
    book = make_phonebook(account)
    make_contact(book, "+989120000001")
    campaign = campaign_to(account, book, message="{first_name} {last_name} {company}")
    prepare(campaign, user)
    (person,) = Recipient.objects.all()
    assert "first_name, last_name, company" in person.error_text
    assert json.dumps(person.error)
    assert states(campaign) == {}
