"""Whatever a person fills in goes out: every field that a provider's document has for a contact, from one full contact."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from contactsync.models import Contact, CustomOption, Phonebook, PhonebookOption, ProviderAccount
from contactsync.models.fields import Credentials
from contactsync.sync import planner
from providers.sandbox import SandboxServer
from providers.sandbox.wire import RecordedRequest
from tests.factories import SANDBOX_KEY, make_account, make_contact, make_option, make_phonebook
from tests.sync.conftest import carry_out, push

pytestmark = pytest.mark.django_db


def account_at(sandbox: SandboxServer, provider: str, **credentials: str) -> ProviderAccount:
    return make_account(
        provider=provider, base_url=sandbox.url(provider), credentials=Credentials.seal({**credentials})
    )


def book_of(account: ProviderAccount, *options: tuple[str, str, str], **fields: str) -> Phonebook:
    """A phonebook whose options (title, kind, place) and fields have their places."""
    book = make_phonebook(account, title="Newsletter")
    for title, kind, place in options:
        option = make_option(account, title, kind=CustomOption.Kind(kind))
        PhonebookOption.objects.create(phonebook=book, option=option, slot=place)
    for name, place in fields.items():
        PhonebookOption.objects.create(phonebook=book, field=name, slot=place)
    return book


def somebody(book: Phonebook, phone: str, *values: str, **fields: Any) -> Contact:
    """A contact with a value for each option of the phonebook."""
    options = [str(place.option_id) for place in book.option_places.exclude(option=None).order_by("pk")]
    return make_contact(book, phone, options=dict(zip(options, values, strict=True)), **fields)


def sent(sandbox: SandboxServer, path: str) -> list[Any]:
    found: list[RecordedRequest] = sandbox.requests_to(path)
    return [request.json for request in found]


def test_ippanel_gets_number_prefix_name_email_and_options_of_every_kind(sandbox: SandboxServer) -> None:
    account = account_at(sandbox, "ippanel", api_key=SANDBOX_KEY)
    book = book_of(account, ("Points", "integer", ""), ("Birthday", "date", ""), ("City", "text", ""))
    filled = {"prefix": "آقای", "first_name": "حسن", "email": "hasan@example.org"}
    contact = somebody(book, "+989121236547", "15", "1992-10-08", "تهران", **filled)
    push(book)
    state = sandbox.state("ippanel")
    points, birthday, city = (str(key) for key in state.phonebook("Newsletter").option_ids)
    expected = {
        "number": "+989121236547",
        "pre": "آقای",
        "name": "حسن",
        "email": "hasan@example.org",
        "options": {points: "15", birthday: "1992/10/08", city: "تهران"},
        "phonebook_id": str(state.phonebook("Newsletter").id),
    }
    assert sent(sandbox, "POST /api/phonebooks/numbers/add-list-new") == [{"list": [expected]}]
    contact.refresh_from_db()
    contact.last_name = "نمونه"
    contact.save()
    push(book)
    changed = {**expected, "name": "حسن نمونه", "options": {**expected["options"], birthday: "1992-10-08"}}
    assert sent(sandbox, "PUT /api/phonebooks/numbers/update-new/") == [changed]
    (there,) = state.contacts_of(state.phonebook("Newsletter"))
    assert {
        "number": there.number,
        "pre": there.pre,
        "name": there.name,
        "email": there.email,
        "options": there.options,
        "phonebook_id": str(there.phonebook_id),
    } == changed


def test_atom_gets_names_company_and_all_custom_fields_in_all_four_calls(sandbox: SandboxServer) -> None:
    account = account_at(sandbox, "atomtelecom", token=SANDBOX_KEY)
    slots = [(f"Field {number}", "text", f"custom_{number}") for number in range(1, 5)]
    book = book_of(account, *slots, company="company")
    filled = {"first_name": "Sara", "last_name": "Example", "company": "Acme"}
    contact = somebody(book, "+61491570006", "VIP", "b", "c", "d", **filled)
    push(book)
    body = {
        "group_id": sandbox.state("atomtelecom").book("Newsletter").id,
        "phone_number": "61491570006",
        **filled,
        **{"custom_1": "VIP", "custom_2": "b", "custom_3": "c", "custom_4": "d"},
    }
    assert sent(sandbox, "POST /api/contact/new") == [body]
    contact.refresh_from_db()
    remote_id = int(contact.remote_id)
    changed = {
        "group_id": body["group_id"],
        "phone_number": "61491570016",
        **{"first_name": "Sarah", "last_name": "Beispiel", "company": "Acme Pty"},
        **{"custom_1": "w", "custom_2": "x", "custom_3": "y", "custom_4": "z"},
    }
    assert set(changed) == set(body)
    contact.phone, contact.first_name, contact.last_name = "+61491570016", "Sarah", "Beispiel"
    contact.company = "Acme Pty"
    contact.options = dict(zip(contact.options, ("w", "x", "y", "z"), strict=True))
    contact.save()
    push(book)
    assert sent(sandbox, "POST /api/contact/edit") == [{"id": remote_id, **changed}]
    there = sandbox.state("atomtelecom").contacts[remote_id]
    assert dataclasses.asdict(there) == {"id": remote_id, **changed}
    carry_out(planner.create_pull_run(book))  # reads what the list does not tell
    assert {"id": str(remote_id)} in sent(sandbox, "POST /api/contact/detail")
    contact.refresh_from_db()
    assert contact.sync_state == Contact.SyncState.SYNCED  # all nine fields came back as they are here
    Contact.objects.filter(pk=contact.pk).update(deleted_at=contact.created_at)
    push(book)
    assert sent(sandbox, "POST /api/contact/delete") == [{"id": remote_id}]


def test_lox24_gets_all_five_columns_and_our_reference(sandbox: SandboxServer) -> None:
    account = account_at(sandbox, "lox24", client_id="41007", api_key=SANDBOX_KEY)
    options = (("City", "text", "c"), ("Points", "integer", "d"), ("Birthday", "date", "e"))
    book = book_of(account, *options, first_name="a", last_name="b")
    contact = somebody(book, "+4915200000001", "Köln", "7", "1992-10-08", first_name="Sara", last_name="Beispiel")
    push(book)
    columns = {"a": "Sara", "b": "Beispiel", "c": "Köln", "d": "7", "e": "1992-10-08"}
    expected = {"phone": "+4915200000001", **columns, "callback_data": str(contact.uuid)}
    assert len(expected["callback_data"]) == 36
    group = sandbox.state("lox24").group("Newsletter").id
    assert sent(sandbox, f"POST /groups/{group}/phones/batch") == [[expected]]
    contact.refresh_from_db()
    there = sandbox.state("lox24").phones[int(contact.remote_id)]
    assert (there.phone, there.columns, there.callback_data) == ("+4915200000001", columns, str(contact.uuid))
    contact.first_name = "Sarah"
    contact.save()
    push(book)
    assert sent(sandbox, f"PUT /phones/{contact.remote_id}") == [{**expected, "a": "Sarah"}]


def test_lox24_gets_null_in_columns_that_are_empty(sandbox: SandboxServer) -> None:
    account = account_at(sandbox, "lox24", client_id="41007", api_key=SANDBOX_KEY)
    book = book_of(account, ("City", "text", "c"), first_name="a", last_name="b")
    contact = somebody(book, "+4915200000001", "", first_name="Sara")
    push(book)
    contact.refresh_from_db()
    there = sandbox.state("lox24").phones[int(contact.remote_id)]
    assert {name: value for name, value in there.columns.items() if value} == {"a": "Sara"}


def test_callbell_gets_source_tags_custom_fields_assigned_user_and_note(sandbox: SandboxServer) -> None:
    account = account_at(sandbox, "callbell", api_key=SANDBOX_KEY)
    book = book_of(account, ("City", "text", ""), ("Birthday", "date", ""))
    filled = {"first_name": "Sara", "last_name": "Example", "tags": ["VIP"], "note": "Likes bread"}
    contact = somebody(book, "+391110000001", "Roma", "1992-10-08", assigned_user="agent@example.org", **filled)
    push(book)
    (body,) = sent(sandbox, "POST /contacts$")
    assert {name: body[name] for name in ("source", "identifier", "name", "assigned_user", "note")} == {
        "source": "whatsapp",
        "identifier": "391110000001",
        "name": "Sara Example",
        "assigned_user": "agent@example.org",
        "note": "Likes bread",
    }
    assert sorted(body["tags"]) == ["Newsletter", "VIP"]
    assert body["custom_fields"] == {"City": "Roma", "Birthday": "1992-10-08"}
    assert body["bot_status"] == "bot_end"
    contact.refresh_from_db()
    assert contact.sync_state == Contact.SyncState.SYNCED
    there = sandbox.state("callbell").contacts[contact.remote_id]
    assert (there.source, there.phone, there.name) == ("whatsapp", "391110000001", "Sara Example")
    assert sorted(there.tags) == ["Newsletter", "VIP"]
    assert there.custom_fields == {"City": "Roma", "Birthday": "1992-10-08"}
    assert (there.assigned_user, there.note, there.bot_status) == ("agent@example.org", "Likes bread", "bot_end")
