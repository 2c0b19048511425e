"""The same phonebook through every provider: pushed, changed, pushed again, pulled, with as few calls as that needs.

That none of them was against the provider's document is looked at by the sandbox's own fixture, as in every test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone

from contactsync.models import Contact, CustomOption, Phonebook, PhonebookOption, ProviderAccount, Run, RunItem
from contactsync.models.fields import Credentials
from contactsync.sync import planner
from providers import registry
from providers.sandbox import SandboxServer
from tests.factories import SANDBOX_KEY, make_account, make_contact, make_option, make_phonebook
from tests.sync.conftest import carry_out, push

pytestmark = pytest.mark.django_db

PEOPLE, CHANGED, GONE = 2_000, 100, 50
TITLE = "Newsletter"
Held = dict[str, tuple[str, ...]]  # by number: names, then the values of the options


@dataclass(frozen=True)
class Case:
    """What differs: forms of numbers, places of options and fields, and how to look at what the provider holds."""

    slug: str
    phone: str  # with a place for the number of the person
    held: Callable[[Any], Held]
    credentials: Mapping[str, str]
    options: tuple[tuple[str, str, str], ...] = ()  # title, kind, place
    fields: Mapping[str, str] = field(default_factory=dict)  # field, place


def held_by_ippanel(state: Any) -> Held:
    city, points = state.phonebook(TITLE).option_ids
    return {
        row.number: (row.name, row.options.get(str(city), ""), row.options.get(str(points), ""))
        for row in state.contacts_of(state.phonebook(TITLE))
    }


def held_by_atom(state: Any) -> Held:
    return {
        f"+{row.phone_number.removeprefix('+')}": (f"{row.first_name} {row.last_name}", row.custom_1, row.custom_2)
        for row in state.contacts_of(state.book(TITLE))
    }


def held_by_lox24(state: Any) -> Held:
    return {
        row.phone: (f"{row.columns['a']} {row.columns['b']}", row.columns["c"] or "", row.columns["d"] or "")
        for row in state.phones_of(state.group(TITLE))
    }


def held_by_callbell(state: Any) -> Held:
    return {
        f"+{row.phone}": (row.name, row.custom_fields.get("City", ""), str(row.custom_fields.get("Points", "")))
        for row in state.contacts_with(TITLE)
    }


CASES = {
    case.slug: case
    for case in (
        Case(
            "ippanel",
            "+98912{:07d}",
            held_by_ippanel,
            {"api_key": SANDBOX_KEY},
            options=(("City", "text", ""), ("Points", "integer", "")),
        ),
        Case(
            "atomtelecom",
            "+6149{:07d}",
            held_by_atom,
            {"token": SANDBOX_KEY},
            options=(("City", "text", "custom_1"), ("Points", "text", "custom_2")),
        ),
        Case(
            "lox24",
            "+49151{:08d}",
            held_by_lox24,
            {"client_id": "41007", "api_key": SANDBOX_KEY},
            options=(("City", "text", "c"), ("Points", "integer", "d")),
            fields={"first_name": "a", "last_name": "b"},
        ),
        Case(
            "callbell",
            "+39351{:07d}",
            held_by_callbell,
            {"api_key": SANDBOX_KEY},
            options=(("City", "text", ""), ("Points", "integer", "")),
        ),
    )
}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def account(sandbox: SandboxServer, case: Case, db: None) -> ProviderAccount:
    credentials = Credentials.seal(dict(case.credentials))
    return make_account(
        provider=case.slug,
        base_url=sandbox.url(case.slug),
        credentials=credentials,
        settings={"connect_timeout": 5, "read_timeout": 20},
    )


@pytest.fixture
def phonebook(account: ProviderAccount, case: Case) -> Phonebook:
    book = make_phonebook(account, title=TITLE)
    options = []
    for title, kind, place in case.options:
        options.append(make_option(account, title, kind=CustomOption.Kind(kind)))
        PhonebookOption.objects.create(phonebook=book, option=options[-1], slot=place)
    for name, place in case.fields.items():
        PhonebookOption.objects.create(phonebook=book, field=name, slot=place)
    city, points = (str(option.pk) for option in options)
    for number in range(PEOPLE):
        values = {city: f"City {number % 7}", points: str(number)}
        make_contact(book, case.phone.format(number), first_name="Sara", last_name=f"No {number}", options=values)
    return book


def wanted(book: Phonebook) -> Held:
    """What ought to be there."""
    city, points = (str(pk) for pk in CustomOption.objects.order_by("pk").values_list("pk", flat=True))
    return {
        row.phone: (row.full_name, row.options.get(city, ""), row.options.get(points, ""))
        for row in Contact.objects.present().filter(phonebook=book)
    }


def change_some(book: Phonebook) -> None:
    """Everybody of the first ones gets another name and city; the last ones are deleted here."""
    rows = list(book.contacts.order_by("pk"))
    city = str(CustomOption.objects.order_by("pk")[0].pk)
    for row in rows[:CHANGED]:
        row.last_name = f"{row.last_name} the younger"
        row.options = {**row.options, city: "Elsewhere"}
        row.save()
    Contact.objects.filter(pk__in=[row.pk for row in rows[-GONE:]]).update(deleted_at=timezone.now())


def test_two_thousand_are_pushed_some_changed_some_deleted_and_both_sides_agree(
    sandbox: SandboxServer, case: Case, phonebook: Phonebook
) -> None:
    state = sandbox.state(case.slug)
    first = push(phonebook)
    assert (first.state, first.counts["balances"]) == (Run.State.FINISHED, True), first.counts
    assert case.held(state) == wanted(phonebook)
    change_some(phonebook)
    before = sandbox.requests[-1].number
    second = push(phonebook)
    assert (second.state, second.counts["balances"]) == (Run.State.FINISHED, True), second.counts
    assert (second.plan["create"], second.plan["update"], second.plan["delete"]) == (0, CHANGED, GONE)
    assert case.held(state) == wanted(phonebook)
    assert len(wanted(phonebook)) == PEOPLE - GONE
    changing = [row for row in sandbox.changing_requests if row.number > before]
    deletions = -(-GONE // registry.backend(case.slug).capabilities.max_delete_batch)
    assert len(changing) == CHANGED + deletions
    assert second.items.filter(state=RunItem.State.DONE).count() == CHANGED + GONE
    phonebook.refresh_from_db()
    pulled = carry_out(planner.create_pull_run(phonebook))
    assert (pulled.state, pulled.counts["present"]) == (Run.State.FINISHED, PEOPLE - GONE)
    assert set(phonebook.contacts.values_list("sync_state", flat=True)) == {Contact.SyncState.SYNCED}
    assert len([row for row in sandbox.changing_requests if row.number > before]) == len(changing)
