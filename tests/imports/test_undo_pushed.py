"""An undo and the provider: what was pushed meanwhile is taken back there by the next push, over a real socket."""

from __future__ import annotations

import pytest

from contactsync.models import Contact, Phonebook, ProviderAccount
from providers.sandbox import SandboxServer
from tests.factories import make_contact, make_phonebook
from tests.imports.files import HEADER, imported
from tests.imports.undoing import parts, redone, rows_of, undone
from tests.sync.conftest import account, assert_in_step, plan_push, push, waits  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
FILE = HEADER + "09121234561,Ali,Rezaei,\n09121234562,Sara,Karimi,\n"


@pytest.fixture
def phonebook(account: ProviderAccount) -> Phonebook:  # noqa: F811 - the fixture
    book = make_phonebook(account, title="Customers")
    make_contact(book, "+989121234561", first_name="before")
    push(book)
    return book


def test_an_import_that_was_pushed_is_undone_at_the_provider_by_the_next_push(
    sandbox: SandboxServer, phonebook: Phonebook
) -> None:
    phonebook.refresh_from_db()
    job = imported(phonebook, FILE)
    push(phonebook)
    assert_in_step(sandbox, phonebook)
    found = undone(job)
    assert parts(found, "actions") == {"marked": 1, "restored": 1}
    plan = plan_push(phonebook).plan
    assert (plan["update"], plan["delete"], plan["create"]) == (1, 1, 0)


def test_after_that_push_the_provider_has_what_it_had_before(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    phonebook.refresh_from_db()
    job = imported(phonebook, FILE)
    push(phonebook)
    found = undone(job)
    push(phonebook)
    assert list(Contact.objects.values_list("first_name", "sync_state")) == [("before", "synced")]
    assert_in_step(sandbox, phonebook)
    redone(found)
    assert parts(found, "redone") == {"done": 2}
    push(phonebook)
    assert sorted(Contact.objects.values_list("first_name", "sync_state")) == [("Ali", "synced"), ("Sara", "synced")]
    assert_in_step(sandbox, phonebook)


def test_an_undo_before_the_push_leaves_nothing_to_push(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    phonebook.refresh_from_db()
    before = rows_of(phonebook)
    job = imported(phonebook, FILE)
    undone(job)
    assert rows_of(phonebook) == before
    plan = plan_push(phonebook).plan
    assert (plan["update"], plan["delete"], plan["create"], plan["unchanged"]) == (0, 0, 0, 1)
