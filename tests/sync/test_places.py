"""Where options and fields go at the provider: proposed, warned of, saved, and shown in the plan of a push."""

from __future__ import annotations

import dataclasses

import pytest

from contactsync.models import Phonebook, PhonebookOption, ProviderAccount, Run
from contactsync.models.reasons import describe
from contactsync.sync import lifecycle
from contactsync.sync.places import PlacePlan, PlacesRefused, propose, save
from providers import registry
from providers.types import Capabilities, OptionKind
from tests.factories import make_account, make_campaign, make_contact, make_option, make_phonebook
from tests.sync.conftest import carry_out, plan_push, push
from tests.sync.fake_provider import CAPABILITIES, FakeProvider

pytestmark = pytest.mark.django_db

COLUMNS = dataclasses.replace(
    CAPABILITIES,
    option_kinds=frozenset(OptionKind),
    slots=("a", "b", "c", "d", "e"),
    has_name=False,
    has_separate_names=False,
    has_company=False,
    max_title=50,
    max_option_label=50,
    max_option_chars=10,
)
CUSTOM = dataclasses.replace(
    COLUMNS, slots=("company", "custom_1", "custom_2", "custom_3", "custom_4"), has_name=True, has_separate_names=True
)
NAMED = dataclasses.replace(COLUMNS, option_identity="name", slots=(), has_name=True)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, db: None) -> ProviderAccount:
    monkeypatch.setitem(registry.BACKENDS, "fake", "tests.sync.fake_provider.FakeProvider")
    FakeProvider.reset(COLUMNS)
    return make_account(provider="fake")


def places(plan: PlacePlan) -> dict[str, str]:
    return {row.title: row.slot for row in plan.rows}


def left_out(plan: PlacePlan) -> dict[str, list[str]]:
    return {row.title: [describe(why) for why in row.warnings] for row in plan.left_out}


def book_with(account: ProviderAccount, count: int) -> Phonebook:
    return make_phonebook(account, options=tuple(make_option(account, f"option {number}") for number in range(count)))


def test_names_come_first_then_options_then_other_fields(account: ProviderAccount) -> None:
    book = book_with(account, 2)
    make_contact(book, first_name="Sara", last_name="Example", company="Acme")
    plan = propose(book)
    assert places(plan) == {"first name": "a", "last name": "b", "option 0": "c", "option 1": "d", "company": "e"}
    assert plan.free == ()
    assert plan.is_proposal
    assert not PhonebookOption.objects.exclude(slot="").exists()


def test_names_share_one_place_when_there_are_too_few(account: ProviderAccount) -> None:
    book = book_with(account, 4)
    make_contact(book, first_name="Sara", last_name="Example")
    assert places(propose(book)) == {
        "full name": "a", "option 0": "b", "option 1": "c", "option 2": "d", "option 3": "e",
    }  # fmt: skip


def test_a_field_nobody_has_takes_no_place(account: ProviderAccount) -> None:
    book = book_with(account, 1)
    make_contact(book)
    plan = propose(book)
    assert (places(plan), plan.free) == ({"option 0": "a"}, ("b", "c", "d", "e"))


def test_an_empty_phonebook_keeps_places_for_names_where_they_fit(account: ProviderAccount) -> None:
    assert places(propose(book_with(account, 3))) == {
        "first name": "a", "last name": "b", "option 0": "c", "option 1": "d", "option 2": "e",
    }  # fmt: skip
    assert set(places(propose(book_with_more(account)))) == {"x 0", "x 1", "x 2", "x 3"}


def book_with_more(account: ProviderAccount) -> Phonebook:
    return make_phonebook(account, options=tuple(make_option(account, f"x {number}") for number in range(4)))


def test_the_company_goes_to_the_place_of_its_name(account: ProviderAccount) -> None:
    FakeProvider.reset(CUSTOM)
    book = book_with(account, 5)
    contact = make_contact(book, first_name="Sara")
    assert places(propose(book))["option 4"] == "company"
    contact.company = "Acme"
    contact.save()
    plan = propose(book)
    assert places(plan)["company"] == "company"
    assert list(left_out(plan)) == ["option 4"]


def test_what_does_not_fit_is_named_and_refused_until_somebody_chooses(account: ProviderAccount) -> None:
    book = book_with(account, 6)
    assert list(left_out(propose(book))) == ["option 5"]
    run = plan_push(book)
    assert run.state == Run.State.FAILED
    assert "“option 5”" in run.error_text
    sources = {row.source: row.slot for row in propose(book).rows}
    save(book, {**sources, propose(book).left_out[0].source: ""})
    run = plan_push(book)
    assert run.state == Run.State.PLANNED, run.error_text
    assert [row["title"] for row in run.plan["left_out"]] == ["option 5"]
    assert left_out(propose(book)) == {"option 5": ["It stays here and is not told to the provider."]}


def test_the_first_plan_saves_what_it_shows_and_later_plans_change_nothing(account: ProviderAccount) -> None:
    book = book_with(account, 1)
    make_contact(book, first_name="Sara")
    run = plan_push(book)
    assert {row["title"]: row["slot"] for row in run.plan["places"]} == {"first name": "a", "option 0": "b"}
    make_contact(book, company="Acme")
    run = plan_push(book)
    assert {row["slot"] for row in run.plan["places"]} == {"a", "b"}
    assert [row["title"] for row in run.plan["left_out"]] == ["company"]
    assert places(propose(book))["company"] == "c"


def test_values_in_places_arrive_there_and_freed_places_are_emptied(account: ProviderAccount) -> None:
    book = book_with(account, 1)
    contact = make_contact(book, first_name="Sara", options={str(book.options.get().pk): "Rome"})
    push(book)
    book.refresh_from_db()
    contact.refresh_from_db()
    there = FakeProvider.contacts[book.remote_id]
    assert {key: value.value for key, value in there[contact.remote_id].options.items()} == {"a": "Sara", "b": "Rome"}
    save(book, {f"option:{book.options.get().pk}": "c"})
    run = push(book)
    assert run.plan["update"] == 1
    assert {key: value.value for key, value in there[contact.remote_id].options.items()} == {
        "a": "Sara", "b": "", "c": "Rome",
    }  # fmt: skip
    assert push(book).plan["calls"] == 0


def test_too_long_values_labels_and_titles_are_counted_and_warned_of(account: ProviderAccount) -> None:
    option = make_option(account, "o" * 60)
    book = make_phonebook(account, options=(option,), title="t" * 60)
    for value in ("x" * 11, "x" * 12, "fits"):
        make_contact(book, options={str(option.pk): value})
    plan = propose(book)
    (row,) = plan.rows
    assert [describe(why).split(":")[0][:40] for why in row.warnings] == [
        "The provider's labels have at most 50 ch",
        "2 contacts have a value longer than the ",
    ]
    assert "50" in describe(plan.warnings[0])


def test_names_of_the_provider_are_the_titles_unless_one_is_entered(account: ProviderAccount) -> None:
    FakeProvider.reset(NAMED)
    book = book_with(account, 1)
    make_contact(book, company="Acme")
    plan = propose(book)
    assert places(plan) == {"option 0": "option 0"}
    assert "enter the name of a custom field" in left_out(plan)["company"][0]
    save(book, {"field:company": "Firma"})
    assert places(propose(book)) == {"option 0": "option 0", "company": "Firma"}
    save(book, {"field:company": ""})
    assert list(left_out(propose(book))) == ["company"]


def test_campaigns_that_name_what_is_not_there_are_listed(account: ProviderAccount) -> None:
    book = book_with(account, 1)
    fine = make_campaign(account, message="{first_name} {option 0}")
    broken = make_campaign(account, message="{Option 0} {city} {city|there}")
    sent = make_campaign(account, message="{city}", state="sent")
    for campaign in (fine, broken, sent):
        campaign.targets.create(phonebook=book)
    assert propose(book).broken == ((broken, ("city",)),)
    save(book, {f"option:{book.options.get().pk}": ""})
    fine.is_keyworded = True
    fine.save()
    assert [campaign for campaign, _names in propose(book).broken] == [fine, broken]


@pytest.mark.parametrize(
    ("slots", "words"),
    [
        ({"option": "z"}, "no place “z”"),
        ({"option": "a", "field:company": "a"}, "cannot both"),
        ({"field:shoe": "a"}, "no field"),
        ({"option:999999": "a"}, "does not exist"),
    ],
)
def test_impossible_places_are_refused_and_change_nothing(
    account: ProviderAccount, slots: dict[str, str], words: str
) -> None:
    book = book_with(account, 1)
    named = {(f"option:{book.options.get().pk}" if key == "option" else key): slot for key, slot in slots.items()}
    with pytest.raises(PlacesRefused, match=words):
        save(book, named)
    assert not PhonebookOption.objects.exclude(slot="").exists()


def test_two_sources_may_change_places_and_plans_made_before_are_thrown_away(account: ProviderAccount) -> None:
    book = book_with(account, 2)
    make_contact(book)
    one, two = (f"option:{option.pk}" for option in book.options.order_by("pk"))
    run = plan_push(book)
    save(book, {one: "b", two: "a"})
    run.refresh_from_db()
    assert run.state == Run.State.DISCARDED
    assert places(propose(book)) == {"option 0": "b", "option 1": "a"}
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING)
    with pytest.raises(PlacesRefused, match="works on this phonebook"):
        save(book, {one: "a", two: "b"})


def test_a_field_with_a_place_of_its_own_takes_no_other(account: ProviderAccount) -> None:
    FakeProvider.reset(CUSTOM)
    with pytest.raises(PlacesRefused, match="of its own"):
        save(book_with(account, 0), {"field:full_name": "custom_1"})


def test_a_value_that_is_too_long_is_refused_with_its_field_and_the_limit(account: ProviderAccount) -> None:
    book = book_with(account, 1)
    make_contact(book, options={str(book.options.get().pk): "x" * 11})
    make_contact(book, options={str(book.options.get().pk): "x" * 10})
    run = plan_push(book)
    assert (run.plan["cannot"], run.plan["create"]) == (1, 1)
    assert run.items.get(operation="cannot").error_text == (
        "“option 0” has 11 characters, and the provider takes at most 10."
    )


@pytest.mark.parametrize("limits", [COLUMNS, NAMED], ids=["slots", "names"])
def test_nothing_goes_to_another_place_than_the_plan_has_shown(account: ProviderAccount, limits: Capabilities) -> None:
    FakeProvider.reset(limits)
    book = book_with(account, 1)
    make_contact(book, options={str(book.options.get().pk): "Rome"})
    run = plan_push(book)
    book.option_places.update(slot="e")
    lifecycle.approve(run)
    run = carry_out(run)
    assert run.state == Run.State.FAILED
    assert "Other options or places were chosen" in run.error_text
    assert not FakeProvider.calls
