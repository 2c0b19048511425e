"""A large phonebook is compared from a temporary file, with the same outcome as from memory."""

from __future__ import annotations

import pytest

from contactsync.models import Contact, ProviderAccount, Run, RunItem
from contactsync.sync import lifecycle, planner, spill
from contactsync.sync.chunks import Later
from contactsync.sync.remote import RemoteIndex
from contactsync.sync.spill import Keys
from providers.types import RemoteContact
from tests.factories import make_phonebook
from tests.sync.conftest import carry_out, plan_push


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "MOST", 3)
    monkeypatch.setattr(spill, "AT_ONCE", 2)


CONTACTS = [
    RemoteContact("1", "+981", first_name="Ali", options={"7": "Tehran"}, tags=("a",)),
    RemoteContact("2", "+982"),
    RemoteContact("3", "+981", first_name="twin"),
    RemoteContact("4", "+984"),
    RemoteContact("5", "+985"),
    RemoteContact("2", "+982", first_name="told twice"),
]


def index() -> RemoteIndex:
    found = RemoteIndex()
    for contact in CONTACTS:
        found.add(contact)
    return found


def test_an_index_in_a_file_says_the_same_as_one_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    in_memory = index()
    monkeypatch.setattr(spill, "MOST", 3)
    in_file = index()
    assert isinstance(in_file.by_id, spill.RemoteContacts)
    assert len(in_file) == len(in_memory) == 5
    assert dict(in_file.by_id) == dict(in_memory.by_id)
    assert {phone: found.remote_id for phone, found in in_file.by_phone.items()} == {
        phone: found.remote_id for phone, found in in_memory.by_phone.items()
    }
    assert in_file.by_phone["+981"].first_name == "Ali"
    assert in_file.by_id["2"].first_name == "told twice"
    assert "9" not in in_file.by_id
    assert in_file.by_phone.get("+989") is None
    assert in_file.by_phone
    assert not RemoteIndex().by_phone


@pytest.mark.usefixtures("small_memory")
def test_a_set_of_keys_is_the_same_in_a_file() -> None:
    keys = Keys(str(number) for number in range(10))
    keys.add("5")
    assert "5" in keys
    assert "9" in keys
    assert "11" not in keys


def test_contacts_for_later_keep_their_numbers() -> None:
    later = Later()
    contacts = [Contact(pk=pk, phone=f"+4915{pk:07d}") for pk in (3, 1, 2)]
    for contact in contacts:
        later.add(contact)
    assert list(later.in_chunks()) == [{contact.pk: contact.phone for contact in contacts}]


@pytest.mark.usefixtures("small_memory")
@pytest.mark.django_db(transaction=True)
def test_push_and_pull_of_a_large_phonebook_end_as_those_of_a_small_one(account: ProviderAccount) -> None:
    phonebook = make_phonebook(account)
    for number in range(12):
        Contact.objects.create(phonebook=phonebook, phone=f"+98912000{number:04d}", first_name=f"No. {number}")
    for expected in ({"create": 12}, {"unchanged": 12}):
        run = plan_push(phonebook)
        assert {name: run.plan[name] for name in expected} == expected
        lifecycle.approve(run)
        carry_out(run)
        phonebook.refresh_from_db()
    Contact.objects.filter(phone__endswith="3").update(first_name="edited", payload_hash="other")
    run = carry_out(planner.create_pull_run(phonebook))
    assert run.state == Run.State.FINISHED
    assert run.counts["present"] == 12
    assert run.counts["balances"]
    assert [item.phone for item in run.items.filter(operation=RunItem.Operation.DIFFERENT)] == ["+989120000003"]
