"""Who gets a campaign, and who does not."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contactsync.campaigns import audience, lifecycle, sources
from contactsync.campaigns.problems import CampaignProblem
from contactsync.models import Call, Campaign, Contact, PhonebookOption, Recipient, Run, Suppression
from contactsync.models.reasons import describe
from contactsync.models.transitions import TransitionRefused
from tests.campaigns.conftest import campaign_to, excluded, link, prepare, states
from tests.factories import make_account, make_contact, make_option, make_phonebook

ALI, SARA, REZA = "+989120000001", "+989120000002", "+989120000003"


def test_a_number_in_two_phonebooks_gets_one_message(account):
    one, two = make_phonebook(account), make_phonebook(account)
    for book in (one, two):
        make_contact(book, ALI)
    make_contact(two, SARA)
    campaign = prepare(campaign_to(account, one, two))
    assert states(campaign) == {ALI: "planned", SARA: "planned"}
    assert campaign.summary["considered"] == 3
    assert campaign.summary["duplicate"] == 1
    assert Recipient.objects.get(campaign=campaign, phone=ALI).target.phonebook == one


def test_the_same_phonebook_as_two_targets_counts_everybody_twice_and_sends_once(account):
    book = make_phonebook(account)
    contact = make_contact(book, ALI)
    campaign = prepare(campaign_to(account, book, (book, [contact])))
    assert states(campaign) == {ALI: "planned"}
    assert (campaign.summary["considered"], campaign.summary["duplicate"]) == (2, 1)


def test_suppressed_numbers_are_left_out_and_told_apart(account):
    book = make_phonebook(account)
    for phone in (ALI, SARA, REZA):
        make_contact(book, phone)
    Suppression.objects.create(phone=ALI)
    Suppression.objects.create(phone=SARA, source=Suppression.Source.PROVIDER)
    campaign = prepare(campaign_to(account, book))
    assert excluded(campaign) == {ALI: "suppressed", SARA: "opted_out"}
    assert states(campaign) == {REZA: "planned"}
    assert campaign.summary["excluded"] == {"suppressed": 1, "opted_out": 1}


def test_deleted_contacts_are_never_in_an_audience(account, pushed):
    book = pushed(ALI, SARA, REZA)
    Contact.objects.filter(phone=ALI).update(deleted_at=timezone.now())
    chosen = list(Contact.objects.filter(phonebook=book))
    for target in (book, (book, chosen), (book, 1, 3)):
        campaign = prepare(campaign_to(account, target))
        assert set(states(campaign)) == {SARA, REZA}
        assert campaign.summary["considered"] == 2


def test_a_contact_without_a_value_for_a_placeholder_is_left_out_by_name(account):
    book = make_phonebook(account)
    make_contact(book, ALI, first_name="علی")
    make_contact(book, SARA)
    campaign = prepare(campaign_to(account, book, message="سلام {first_name}"))
    assert excluded(campaign) == {SARA: "incomplete"}
    assert Recipient.objects.get(campaign=campaign, phone=ALI).text == "سلام علی"
    assert Recipient.objects.get(campaign=campaign, phone=SARA).error_text == "No value for: first_name."


def test_an_option_of_one_phonebook_is_missing_in_the_other(account):
    option = make_option(account, "امتیاز", "integer")
    with_option, without = make_phonebook(account, options=(option,)), make_phonebook(account)
    make_contact(with_option, ALI, options={str(option.pk): "15"})
    make_contact(without, SARA)
    campaign = prepare(campaign_to(account, with_option, without, message="امتیاز شما {امتیاز}"))
    assert Recipient.objects.get(campaign=campaign, phone=ALI).text == "امتیاز شما 15"
    assert excluded(campaign) == {SARA: "incomplete"}


def test_a_text_that_grows_beyond_the_limit_is_left_out_with_its_length(account):
    book = make_phonebook(account)
    make_contact(book, ALI, company="x" * 150)
    make_contact(book, SARA, company="x")
    campaign = prepare(campaign_to(account, book, message="{company}" * 10))
    assert excluded(campaign) == {ALI: "too_long"}
    row = Recipient.objects.get(campaign=campaign, phone=ALI)
    assert row.text == "x" * 1500
    assert "1500" in describe(row.error)


def test_a_number_the_provider_cannot_reach_is_left_out(account):
    book = make_phonebook(account)
    make_contact(book, "+493012345678")
    make_contact(book, ALI)
    campaign = prepare(campaign_to(account, book))
    assert excluded(campaign) == {"+493012345678": "unreachable"}
    assert "+493012345678" in Recipient.objects.get(exclusion="unreachable").error_text


def test_parts_are_counted_per_recipient(account):
    book = make_phonebook(account)
    make_contact(book, ALI, first_name="علی")
    make_contact(book, SARA, first_name="س" * 80)
    campaign = prepare(campaign_to(account, book, message="{first_name}"))
    assert dict(Recipient.objects.filter(campaign=campaign).values_list("phone", "parts")) == {ALI: 1, SARA: 2}
    assert [campaign.summary[name] for name in ("parts", "parts_min", "parts_max")] == [3, 1, 2]


def test_the_price_is_a_range_for_everybody(account):
    book = make_phonebook(account)
    make_contact(book, ALI, first_name="علی")
    make_contact(book, SARA, first_name="س" * 80)
    campaign = prepare(campaign_to(account, book, message="{first_name}"))
    assert campaign.summary["price_low"] == str(3 * 1900)
    assert campaign.summary["price_high"] == str(3 * 2050)
    assert campaign.summary["currency"] == "IRR"
    assert campaign.summary["warnings"] == []


def test_a_balance_below_the_estimate_is_said_before_sending(account, sandbox):
    sandbox.state("ippanel").credit = 100.0
    book = make_phonebook(account)
    make_contact(book, ALI)
    campaign = prepare(campaign_to(account, book))
    (warning,) = campaign.summary["warnings"]
    assert "lower than the estimate" in describe(warning)
    account.refresh_from_db()
    assert account.balance == 100


def test_without_a_price_the_campaign_can_be_prepared_all_the_same(account, sandbox):
    sandbox.fault("status_422", "POST /api/send/calculate-price")
    book = make_phonebook(account)
    make_contact(book, ALI)
    campaign = prepare(campaign_to(account, book))
    assert "price_low" not in campaign.summary
    assert "could not be asked" in describe(campaign.summary["warnings"][0])


def test_a_refused_key_fails_the_preparation_in_plain_words(account, sandbox):
    book = make_phonebook(account)
    make_contact(book, ALI)
    campaign = campaign_to(account, book)
    lifecycle.begin_prepare(campaign, user=None)
    sandbox.use_key("another-key-0123456789012345678901")
    audience.freeze(campaign.pk)
    campaign.refresh_from_db()
    account.refresh_from_db()
    assert campaign.state == Campaign.State.FAILED
    assert campaign.error_text
    assert account.state == account.State.REFUSED
    assert len(sandbox.requests) == 1


class TestRemoteIds:
    def test_a_phonebook_that_is_the_audience_is_sent_to_as_a_whole(self, account, pushed):
        campaign = prepare(campaign_to(account, pushed(ALI, SARA)))
        (call,) = Call.objects.filter(run__campaign=campaign)
        (part,) = call.target["targets"]
        assert part["type"] == "all"
        assert call.item_count == 2
        assert list(Recipient.objects.values_list("call", flat=True)) == [call.pk, call.pk]

    def test_with_somebody_left_out_the_others_are_chosen_by_id(self, account, pushed):
        Suppression.objects.create(phone=ALI)
        book = pushed(ALI, SARA)
        campaign = prepare(campaign_to(account, book))
        (call,) = Call.objects.filter(run__campaign=campaign)
        (part,) = call.target["targets"]
        assert part == {
            "type": "detail",
            "phonebook_id": book.remote_id,
            "number_ids": [Contact.objects.get(phone=SARA).remote_id],
        }

    def test_somebody_only_the_provider_knows_is_not_sent_to(self, account, pushed, sandbox):
        book = pushed(ALI)
        state = sandbox.state("ippanel")
        state.add_contact(state.phonebooks[int(book.remote_id)], REZA)
        campaign = prepare(campaign_to(account, book))
        assert set(states(campaign)) == {ALI}
        (call,) = Call.objects.filter(run__campaign=campaign)
        assert call.target["targets"][0]["type"] == "detail"

    def test_a_contact_not_yet_pushed_is_reached_by_number(self, account, pushed):
        book = pushed(ALI)
        make_contact(book, SARA)
        campaign = prepare(campaign_to(account, book))
        by_ids, by_number = Call.objects.filter(run__campaign=campaign).order_by("sequence")
        assert by_ids.target["targets"][0]["type"] == "detail"
        assert by_number.target == {"numbers": [SARA]}

    def test_a_phonebook_never_pushed_is_reached_by_numbers(self, account):
        book = make_phonebook(account)
        make_contact(book, ALI)
        make_contact(book, SARA)
        campaign = prepare(campaign_to(account, book))
        (call,) = Call.objects.filter(run__campaign=campaign)
        assert call.target == {"numbers": [ALI, SARA]}

    def test_an_id_whose_number_was_edited_here_is_not_used(self, account, pushed):
        book = pushed(ALI, SARA)
        contact = Contact.objects.get(phone=ALI)
        contact.phone = REZA
        contact.save()
        campaign = prepare(campaign_to(account, (book, list(Contact.objects.all()))))
        assert dict(Recipient.objects.filter(campaign=campaign).values_list("phone", "remote_id")) == {
            REZA: "",
            SARA: Contact.objects.get(phone=SARA).remote_id,
        }

    def test_a_slice_takes_the_provider_s_order(self, account, pushed, sandbox):
        book = pushed()
        state = sandbox.state("ippanel")
        there = state.phonebooks[int(book.remote_id)]
        for phone in (REZA, ALI, SARA):
            link(make_contact(book, phone), str(state.add_contact(there, phone).id))
        campaign = prepare(campaign_to(account, (book, 2, 2)))
        assert set(states(campaign)) == {ALI, SARA}
        (call,) = Call.objects.filter(run__campaign=campaign)
        assert call.target["targets"] == [{"type": "all", "phonebook_ids": [book.remote_id], "start": 2, "size": 2}]

    def test_a_slice_beyond_the_end_has_nobody(self, account, pushed):
        campaign = prepare(campaign_to(account, (pushed(ALI), 5, 2)))
        assert states(campaign) == {}
        assert campaign.summary["considered"] == 0

    def test_a_slice_may_hold_somebody_only_the_provider_knows(self, account, pushed, sandbox):
        book = pushed(ALI)
        state = sandbox.state("ippanel")
        state.add_contact(state.phonebooks[int(book.remote_id)], REZA)
        campaign = prepare(campaign_to(account, (book, 1, 2), message="سلام {first_name|دوست}"))
        row = Recipient.objects.get(campaign=campaign, phone=REZA)
        assert (row.contact, row.text) == (None, "سلام دوست")

    def test_a_phonebook_that_cannot_be_read_is_reached_by_the_ids_known(self, account, pushed, sandbox):
        book = pushed(ALI)
        sandbox.fault("status_422", "GET /api/phonebooks/numbers/contact-list")
        campaign = prepare(campaign_to(account, book))
        (call,) = Call.objects.filter(run__campaign=campaign)
        assert call.target["targets"][0]["type"] == "detail"

    def test_a_slice_of_a_phonebook_that_cannot_be_read_is_not_prepared(self, account, pushed, sandbox):
        campaign = campaign_to(account, (pushed(ALI), 1, 1))
        lifecycle.begin_prepare(campaign, user=None)
        sandbox.fault("status_422", "GET /api/phonebooks/numbers/contact-list")
        audience.freeze(campaign.pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.FAILED


class TestProblems:
    def refused(self, campaign) -> str:
        with pytest.raises(CampaignProblem) as caught:
            lifecycle.begin_prepare(campaign, user=None)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.DRAFT
        return caught.value.describe()

    def test_everything_wrong_is_said_at_once(self, account):
        account.default_sender = ""
        account.save()
        said = self.refused(campaign_to(account, message=" "))
        assert "no sender" in said
        assert "nobody" in said
        assert "empty" in said

    def test_a_placeholder_no_phonebook_knows(self, account):
        assert "{city}" in self.refused(campaign_to(account, make_phonebook(account), message="{city|x}"))

    def test_a_phonebook_of_another_account(self, account):
        assert "another account" in self.refused(campaign_to(account, make_phonebook()))

    def test_a_slice_of_a_phonebook_never_pushed(self, account):
        assert "never pushed" in self.refused(campaign_to(account, (make_phonebook(account), 1, 2)))

    def test_chosen_contacts_of_nobody_or_of_another_phonebook(self, account):
        book, other = make_phonebook(account), make_phonebook(account)
        assert "No contact" in self.refused(campaign_to(account, (book, [])))
        assert "another phonebook" in self.refused(campaign_to(account, (book, [make_contact(other)])))

    def test_an_account_that_may_not_send_or_is_stopped(self, db):
        blocked = make_account(can_send=False)
        assert "blocked sending" in self.refused(campaign_to(blocked, make_phonebook(blocked)))
        stopped = make_account(state="refused")
        assert "stopped" in self.refused(campaign_to(stopped, make_phonebook(stopped)))

    @pytest.mark.parametrize(("minutes", "said"), [(-1, "too near"), (4, "too near"), (60 * 24 * 120, "too far")])
    def test_a_time_the_provider_does_not_take(self, account, minutes, said):
        when = timezone.now() + timezone.timedelta(minutes=minutes)
        assert said in self.refused(campaign_to(account, make_phonebook(account), scheduled_for=when))

    def test_a_sender_the_provider_did_not_name_is_a_warning(self, account):
        account.senders = [{"value": "+9810001234", "label": ""}]
        account.save()
        book = make_phonebook(account)
        make_contact(book, ALI)
        campaign = prepare(campaign_to(account, book))
        assert "+983000505" in describe(campaign.summary["warnings"][0])


class TestAgain:
    def test_preparing_again_starts_from_nothing(self, account):
        book = make_phonebook(account)
        make_contact(book, ALI)
        campaign = prepare(campaign_to(account, book))
        first = campaign.audience_hash
        lifecycle.back_to_draft(campaign)
        assert not Recipient.objects.exists()
        assert list(Run.objects.values_list("state", flat=True)) == ["discarded"]
        assert list(Call.objects.values_list("state", flat=True)) == ["not_sent"]
        assert prepare(campaign).audience_hash == first
        make_contact(book, SARA)
        lifecycle.back_to_draft(campaign)
        assert prepare(campaign).audience_hash != first

    def test_the_hash_stands_for_sender_time_numbers_and_texts(self, account):
        book = make_phonebook(account)
        make_contact(book, ALI)
        campaign = campaign_to(account, book)
        seen = {prepare(campaign).audience_hash}
        for field, value in (("message", "سلام!"), ("sender", "+9810001234")):
            lifecycle.back_to_draft(campaign)
            setattr(campaign, field, value)
            campaign.save()
            seen.add(prepare(campaign).audience_hash)
        assert len(seen) == 3

    def test_a_freeze_that_was_killed_is_done_again_from_nothing(self, account, monkeypatch):
        book = make_phonebook(account)
        for phone in (ALI, SARA, REZA):
            make_contact(book, phone)
        campaign = campaign_to(account, book)
        lifecycle.begin_prepare(campaign, user=None)

        class Killed(BaseException):
            pass

        def kill(*args, **kwargs):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(audience, "_finish", kill)
            with pytest.raises(Killed):
                audience.freeze(campaign.pk)
        assert Recipient.objects.count() == 3
        assert audience.abandoned() == []
        audience.freeze(campaign.pk)  # somebody else still holds it
        assert Campaign.objects.get().state == Campaign.State.PREPARING
        Campaign.objects.update(lease_until=timezone.now() - timezone.timedelta(seconds=1))
        assert audience.abandoned() == [campaign.pk]
        audience.freeze(campaign.pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.PREPARED
        assert campaign.summary["recipients"] == Recipient.objects.count() == 3

    def test_a_freeze_tells_on_its_way_how_many_contacts_it_has_looked_at(self, account, monkeypatch):
        book = make_phonebook(account)
        for phone in (ALI, SARA, REZA):
            make_contact(book, phone)
        campaign = campaign_to(account, book)
        lifecycle.begin_prepare(campaign, user=None)
        told, insert = [], audience.rows.insert

        def look(*args):
            told.append(Campaign.objects.get().summary["looked_at"])
            return insert(*args)

        monkeypatch.setattr(sources, "CHUNK", 1)
        monkeypatch.setattr(audience.rows, "insert", look)
        audience.freeze(campaign.pk)
        assert told == [0, 1, 2]
        assert "looked_at" not in Campaign.objects.get().summary

    def test_taking_the_campaign_back_ends_a_freeze_in_the_middle(self, account, monkeypatch):
        book = make_phonebook(account)
        make_contact(book, ALI)
        campaign = campaign_to(account, book)
        lifecycle.begin_prepare(campaign, user=None)
        original = audience._freeze_target

        def take_back(*args, **kwargs):
            planned = original(*args, **kwargs)
            lifecycle.back_to_draft(Campaign.objects.get(pk=campaign.pk))
            return planned

        monkeypatch.setattr(audience, "_freeze_target", take_back)
        audience.freeze(campaign.pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.DRAFT
        assert not Recipient.objects.exists()
        assert not Run.objects.exists()

    def test_an_error_of_our_own_fails_the_preparation_and_is_not_hidden(self, account, monkeypatch):
        book = make_phonebook(account)
        make_contact(book, ALI)
        campaign = campaign_to(account, book)
        lifecycle.begin_prepare(campaign, user=None)
        monkeypatch.setattr(audience.summary, "figures", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            audience.freeze(campaign.pk)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.FAILED
        assert "internal error" in campaign.error_text

    def test_a_campaign_of_which_something_went_out_cannot_become_a_draft(self, account):
        book = make_phonebook(account)
        make_contact(book, ALI)
        campaign = prepare(campaign_to(account, book))
        Recipient.objects.update(state=Recipient.State.UNKNOWN)
        with pytest.raises(TransitionRefused):
            lifecycle.back_to_draft(campaign)
        assert Campaign.objects.get().state == Campaign.State.PREPARED


@pytest.mark.parametrize("message", ["سلام", "سلام {first_name|دوست}"])
def test_there_is_no_query_per_recipient(account, message):
    def queries(people: int) -> int:
        book = make_phonebook(account)
        Contact.objects.bulk_create(
            Contact(phonebook=book, phone=f"+98913{book.pk % 1000:03d}{index:04d}", payload_hash="x")
            for index in range(people)
        )
        campaign = campaign_to(account, book, message=message)
        lifecycle.begin_prepare(campaign, user=None)
        with CaptureQueriesContext(connection) as caught:
            audience.freeze(campaign.pk)
        return len(caught)

    few, many = queries(10), queries(900)
    assert many - few < 20  # SQLite takes the rows of one INSERT in portions


def test_options_of_the_phonebook_are_those_of_its_own_places(account):
    option = make_option(account, "شهر")
    book = make_phonebook(account)
    PhonebookOption.objects.create(phonebook=book, option=option)
    make_contact(book, ALI, options={str(option.pk): "تهران"})
    campaign = prepare(campaign_to(account, book, message="شهر: {شهر}"))
    assert Recipient.objects.get(campaign=campaign).text == "شهر: تهران"
