"""Pushes with something of everything to do, and the sameness of both sides at their end."""

from __future__ import annotations

from django.utils import timezone

from contactsync.models import Call, Contact, CustomOption, Phonebook, ProviderAccount, Run
from contactsync.sync import lifecycle
from contactsync.sync.connect import provider_class
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import plan_push, push
from tests.sync.sides import Side, ours

WORKED_ON = {Run.State.QUEUED, Run.State.RUNNING, Run.State.STOPPING}


def busy_account(side: Side, **settings: int) -> ProviderAccount:
    """Several small calls at a time, and time enough for their answers on a busy machine."""
    account = side.account()
    wanted = {"connect_timeout": 30, "read_timeout": 60, "concurrency": 3, "batch_size": 2, **settings}
    known = {field.name for field in provider_class(side.slug).setting_fields}
    account.settings = {name: value for name, value in wanted.items() if name in known}
    account.save()
    make_option(account, "City")
    return account


def planned_push(side: Side, account: ProviderAccount, first: int, *, people: int = 24) -> Run:
    """To change, to delete, to add, to take over, and one whom somebody else adds after the plan was made.

    Their numbers are those from `first` on.
    """
    title, city = f"book {first}", account.options.get()
    side.prepare(title)
    book = make_phonebook(account, title=title, options=(city,))

    def contact(number: int) -> Contact:
        options = {str(city.pk): f"City {number}"}
        return make_contact(book, side.phone(first + number), first_name="Sara", last_name="Here", options=options)

    for number in range(6):
        contact(number)
    assert push(book).state == Run.State.FINISHED
    for row in book.contacts.order_by("pk")[:3]:
        row.first_name = "Changed"
        row.save()
    book.contacts.filter(phone__in=[side.phone(first + number) for number in (3, 4)]).update(deleted_at=timezone.now())
    for number in range(6, people):
        contact(number)
    for number in (6, 7):
        side.add(title, side.phone(first + number), "Somebody Else")
    run = plan_push(Phonebook.objects.get(pk=book.pk))
    assert run.state == Run.State.PLANNED, run.error_text
    side.add(title, side.phone(first + 8), "By Then")
    return run


def approved_push(side: Side, account: ProviderAccount, first: int, *, people: int = 24) -> Run:
    return lifecycle.approve(planned_push(side, account, first, people=people))


def is_over(run: Run) -> bool:
    run.refresh_from_db()
    return run.state not in WORKED_ON


def assert_in_step(side: Side, run: Run) -> None:
    """What is there is what is here: every number once, with its fields; and the run says so."""
    book = run.phonebook
    assert book is not None
    book.refresh_from_db()
    city: CustomOption = book.account.options.get()
    assert side.people(book.title) == ours(book, city)
    told = run.state, run.error_text, list(run.items.exclude(state="done").values("phone", "state", "error"))
    assert run.state == Run.State.FINISHED, told
    assert run.counts["balances"]
    assert run.counts["done"] == run.counts["planned"]
    assert run.counts["deleted"] == 2
    assert set(book.contacts.values_list("sync_state", flat=True)) == {Contact.SyncState.SYNCED}
    assert not run.calls.filter(state__in=[Call.State.ON_WIRE, Call.State.PLANNED, Call.State.UNKNOWN]).exists()
