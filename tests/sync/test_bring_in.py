"""A whole phonebook comes in from each provider, with its options; what is not told is not claimed."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from contactsync.models import Contact, Phonebook, Run, Suppression
from contactsync.sync import bring_in, executor
from contactsync.sync.lifecycle import RunRefused
from providers.sandbox import SandboxServer
from tests.factories import make_phonebook
from tests.sync.conftest import carry_out, expire_leases, plan_push
from tests.sync.sides import SIDES, Lox24Side, Side, ours

pytestmark = pytest.mark.django_db
TITLE = "Clienti Italia"


@pytest.fixture(params=sorted(SIDES))
def side(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Side:
    return SIDES[request.param](sandbox)


@pytest.fixture
def lox24(sandbox: SandboxServer) -> Lox24Side:
    return Lox24Side(sandbox)


def fill(side: Side, contacts: int = 3) -> None:
    side.make_book(TITLE)
    for number in range(contacts):
        side.add(TITLE, side.phone(number), f"First{number} Last{number}", f"City {number}")


def brought(side: Side) -> Run:
    account = side.account()
    offered = next(book for book in bring_in.remote_phonebooks(account) if book.title == TITLE)
    assert not offered.is_here
    return carry_out(bring_in.create_bring_in_run(account, offered.remote_id, offered.title))


def test_phonebook_options_and_contacts_come_in_and_are_in_step(side: Side) -> None:
    fill(side)
    run = brought(side)
    assert run.state == Run.State.FINISHED, (run.error_text, list(run.items.values("phone", "error")))
    assert (run.counts["planned"], run.counts["done"], run.counts["balances"]) == (3, 3, True)
    book = Phonebook.objects.get(title=TITLE)
    assert run.phonebook == book
    city = book.options.get()
    there = {phone: (name, city if side.tells_options else "") for phone, (name, city) in side.people(TITLE).items()}
    assert ours(book, city) == there
    wanted = Contact.SyncState.SYNCED if side.tells_options else Contact.SyncState.UNKNOWN
    assert set(book.contacts.values_list("sync_state", flat=True)) == {wanted}
    assert not side.sandbox.changing_requests
    plan = plan_push(book).plan
    assert (plan["create"], plan["update"], plan["delete"], plan["cannot"]) == (0, 0, 0, 0)


def test_what_is_here_is_marked_and_not_brought_in_again(side: Side) -> None:
    fill(side, 1)
    run = brought(side)
    (offered,) = [book for book in bring_in.remote_phonebooks(run.account) if book.title == TITLE]
    assert offered.is_here
    with pytest.raises(RunRefused, match="here already"):
        bring_in.create_bring_in_run(run.account, offered.remote_id, TITLE)


def test_one_of_the_same_title_is_not_mixed_up_with_it(side: Side) -> None:
    make_phonebook(side.account(), title=TITLE)
    account = Phonebook.objects.get().account
    with pytest.raises(RunRefused, match="not linked"):
        bring_in.create_bring_in_run(account, "7001", TITLE)


def test_numbers_that_are_none_and_second_ones_are_listed_and_counted(lox24: Lox24Side) -> None:
    fill(lox24, 2)
    lox24.add(TITLE, "+49", "No Number")
    lox24.add(TITLE, lox24.phone(1), "Second One")
    run = brought(lox24)
    assert (run.state, run.counts["done"], run.counts["failed"]) == (Run.State.ATTENTION, 2, 2)
    assert run.counts["balances"]
    words = {item.phone: item.error_text for item in run.items.all()}
    assert "no valid phone number" in words["+49"]
    assert "more than once" in words[lox24.phone(1)]


def test_who_unsubscribed_there_is_suppressed_here(lox24: Lox24Side) -> None:
    fill(lox24, 2)
    lox24.state.unsubscribe(lox24.phone(1))
    brought(lox24)
    assert Suppression.objects.get().phone == lox24.phone(1)


def test_labels_that_are_our_words_become_fields_and_others_options(lox24: Lox24Side) -> None:
    lox24.state.add_group(TITLE, labels={"a": "Firma", "b": "نام", "c": "company"})
    group = lox24.state.group(TITLE)
    lox24.state.add_phone(group, lox24.phone(1), columns={"a": "x", "b": "Sara", "c": "Acme", "e": "extra"})
    brought(lox24)
    book = Phonebook.objects.get(title=TITLE)
    places = {str(row): row.slot for row in book.option_places.all()}
    assert places == {"Firma": "a", "first name": "b", "company": "c", "Field e": "e"}
    contact = book.contacts.get()
    assert (contact.first_name, contact.company) == ("Sara", "Acme")
    assert sorted(contact.options.values()) == ["extra", "x"]


def test_a_place_without_a_label_gets_a_title_in_the_language_of_who_asked(lox24: Lox24Side) -> None:
    lox24.state.add_group(TITLE, labels={})
    lox24.state.add_phone(lox24.state.group(TITLE), lox24.phone(1), columns={"c": "extra"})
    account = lox24.account()
    offered = next(book for book in bring_in.remote_phonebooks(account) if book.title == TITLE)
    with override("fa"):
        run = bring_in.create_bring_in_run(account, offered.remote_id, offered.title)
    carry_out(run)  # as a worker does it, in the language of the installation
    assert [option.title for option in Phonebook.objects.get(title=TITLE).options.all()] == ["فیلد c"]


def test_one_that_is_gone_when_the_worker_comes_ends_with_the_reason(lox24: Lox24Side) -> None:
    run = carry_out(bring_in.create_bring_in_run(lox24.account(), "999", TITLE))
    assert run.state == Run.State.FAILED
    assert TITLE in run.error_text
    assert not Phonebook.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_the_next_worker_goes_on(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(side, 5)
    account = side.account()
    offered = next(book for book in bring_in.remote_phonebooks(account) if book.title == TITLE)
    run = bring_in.create_bring_in_run(account, offered.remote_id, TITLE)
    monkeypatch.setattr(bring_in, "AT_ONCE", 2)
    chunks: list[int] = []
    bring = bring_in._bring_chunk

    class Killed(BaseException):
        pass

    def die_in_the_third(*args: object) -> None:
        chunks.append(1)
        if len(chunks) == 3:
            raise Killed
        bring(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bring_in, "_bring_chunk", die_in_the_third)
    with pytest.raises(Killed):
        executor.execute(run.pk)
    assert Contact.objects.count() == 4
    expire_leases()
    run = carry_out(run)
    assert run.state == Run.State.FINISHED, run.error_text
    assert (run.counts["done"], run.counts["balances"], Phonebook.objects.count()) == (5, True, 1)


def test_kinds_and_choices_come_with_their_values(sandbox: SandboxServer) -> None:
    side = SIDES["callbell"](sandbox)
    fields = {"Size": "M", "Interests": ["Pane", "Vino"], "Birthday": "1992-10-08", "Points": "42"}
    side.state.add_contact(side.phone(1), "Sara Example", tags=[TITLE], custom_fields=fields, note="called")
    run = brought(side)
    assert run.state == Run.State.FINISHED, run.error_text
    book = Phonebook.objects.get(title=TITLE)
    kinds = dict(book.options.values_list("title", "kind"))
    assert kinds == {"Size": "choice", "Interests": "multiple", "Birthday": "date", "Points": "integer"}
    contact = book.contacts.get()
    assert sorted(contact.options.values()) == ["1992-10-08", "42", "M", "Pane; Vino"]
    assert (contact.note, contact.sync_state) == ("called", Contact.SyncState.SYNCED)
    assert {"M", "Pane", "Vino"} <= {choice for option in book.options.all() for choice in option.choices}
