"""New contacts go out in batches; what a batch did not tell is read back, and what is not there is tried one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from django.db import transaction
from django.db.models import Min, Q
from django.utils.translation import gettext_noop

from contactsync.models import Call, RunItem
from contactsync.models.reasons import reason
from contactsync.sync import settle
from contactsync.sync.bulk import save_fields
from contactsync.sync.chunks import CHUNK, items_with_contacts
from contactsync.sync.connect import NotFound, Operation, Provider, reason_of
from contactsync.sync.jobs import Job
from contactsync.sync.leases import State
from contactsync.sync.ledger import Performed
from contactsync.sync.mapping import Places, is_proven, places_of
from contactsync.sync.policy import Verdict
from contactsync.sync.prepare import NOT_THERE
from contactsync.sync.remote import Finder, book_of, read_contacts
from contactsync.sync.together import perform_all
from contactsync.sync.worker import Halt, Worker
from providers.types import BatchResult, BookRef, ContactRecord, ItemOutcome, RemoteContact

CREATE = RunItem.Operation.CREATE
#: how far the provider's clock may be behind ours when asking for what was created since
CLOCK_MARGIN = dt.timedelta(minutes=10)

NOTHING_LEFT = gettext_noop("None of the call's contacts is as it was planned, so it was not made.")
NOT_SHOWN = gettext_noop(
    "The provider answered without saying what became of this contact, and does not show it. Push again later."
)


def create_contacts(worker: Worker) -> None:
    """Carry out all planned creates of the run. Raises `Halt`."""
    places = places_of(worker.phonebook)
    read_back(worker)
    _leave_out_who_came_since(worker)
    while _create_planned(worker, places):
        read_back(worker)  # which may plan more


def _leave_out_who_came_since(worker: Worker) -> None:
    """Where a number may be there twice, the book is read once more: the plan may be hours old, and others add people too."""
    planned = worker.items(operation=CREATE).filter(call__state=Call.State.PLANNED)
    if Operation.CREATE_CONTACTS in worker.limits.safe_to_repeat or not planned.exists():
        return
    there = read_contacts(worker.line, worker.phonebook).by_phone
    last = 0
    while there and (keys := list(planned.filter(pk__gt=last).order_by("pk").values_list("pk", "phone")[:CHUNK])):
        last = keys[-1][0]
        worker.keep()
        those = [pk for pk, phone in keys if phone in there]
        came = settle.usable(planned.filter(pk__in=those).select_related("contact").order_by("pk")) if those else []
        _update_later(worker, {item.pk: there[item.phone].remote_id for item in came}, came)


def _create_planned(worker: Worker, places: Places) -> bool:
    """Make the calls that are planned. False when there was none."""
    book = book_of(worker.phonebook)

    def prepare(calls: Sequence[Call]) -> list[Job]:
        jobs = []
        for call, items in usable_items(worker, calls):
            records = settle.records_of(items, places)
            about = {item.pk: (item, records[item.pk]) for item in items}
            jobs.append(Job(call, _creation(book, list(records.values())), about))
        return jobs

    def keep(outcomes: Sequence[tuple[Job, Performed[BatchResult]]]) -> None:
        _keep(worker, outcomes)

    return perform_all(worker, Operation.CREATE_CONTACTS, prepare, keep, _insist_on_the_book)


def _insist_on_the_book(performed: Performed[BatchResult]) -> None:
    if isinstance(performed.error, NotFound):  # the book itself: every other call would meet the same
        raise Halt(State.FAILED, reason_of(performed.error))


def usable_items(worker: Worker, calls: Sequence[Call]) -> Iterator[tuple[Call, list[RunItem]]]:
    """The items of these calls that are still as the plan has shown them; a call that has none left is dropped."""
    # Not by the run too: SQLite would look through all of its items for every group of calls.
    items = RunItem.objects.filter(call__in=calls, state=RunItem.State.PLANNED).order_by("pk")
    by_call: dict[int, list[RunItem]] = {}
    for item in settle.usable(items_with_contacts(items)):
        by_call.setdefault(item.call_id or 0, []).append(item)
    for call in calls:
        if call.pk in by_call:
            yield call, by_call[call.pk]
        else:
            worker.drop_call(call, reason(NOTHING_LEFT))


def _creation(book: BookRef, records: Sequence[ContactRecord]) -> Callable[[Provider], BatchResult]:
    def create(provider: Provider) -> BatchResult:
        result = provider.create_contacts(book, records)
        if len(result.items) != len(records):
            raise ValueError("one result per record is the contract")
        return result

    return create


def _keep(worker: Worker, outcomes: Sequence[tuple[Job, Performed[BatchResult]]]) -> None:
    """What the answers say for sure is settled; the rest carries its answer until it is read back."""
    made = [(job, performed.value) for job, performed in outcomes if performed.value is not None]
    if made:
        _keep_results(worker, made)
    for job, performed in outcomes:
        error = performed.error
        is_refused = performed.verdict is Verdict.FAIL_ITEM and not isinstance(error, NotFound)
        if error is not None and is_refused and len(job.about) == 1:
            settle.failed([item for item, _record in job.about.values()], reason_of(error))


def _keep_results(worker: Worker, made: Sequence[tuple[Job, BatchResult]]) -> None:
    ids: dict[int, str] = {}
    there: dict[int, str] = {}
    later: list[RunItem] = []
    items: list[RunItem] = []
    records: dict[int, ContactRecord] = {}
    for job, result in made:
        for (item, record), told in zip(job.about.values(), result.items, strict=True):
            items.append(item)
            records[item.pk] = record
            if told.outcome is ItemOutcome.DONE and told.remote_id:
                ids[item.pk] = told.remote_id
            elif told.outcome is ItemOutcome.EXISTED and told.remote_id:
                there[item.pk] = told.remote_id
            elif told.outcome is ItemOutcome.REFUSED:
                settle.failed([item], reason(told.message, **told.params))
            else:
                item.answer = told.outcome.value
                later.append(item)
    settle.done(ids, items, records)
    _update_later(worker, there, items)
    save_fields(later, ["answer"])


def read_back(worker: Worker) -> None:
    """Settle every item whose call was made without telling what became of it, also after a person's word that it was not made."""
    made = Q(call__state__in=[Call.State.ACCEPTED, Call.State.UNKNOWN, Call.State.REFUSED, Call.State.NOT_SENT])
    untold = worker.items(operation=CREATE).filter(made, call__operation=Operation.CREATE_CONTACTS.value)
    worker.let_arrive(worker.run.calls.filter(operation=Operation.CREATE_CONTACTS.value, state=Call.State.UNKNOWN))
    first = untold.aggregate(first=Min("call__started_at"))["first"]
    finder = Finder(worker.line, worker.phonebook, created_since=first - CLOCK_MARGIN if first else None)
    untold = untold.select_related("contact", "call").defer("call__request_excerpt", "call__response_excerpt")
    last = 0
    while items := list(untold.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = items[-1].pk
        worker.keep()
        _read_back(worker, items, finder.find([item.phone for item in items]))


@transaction.atomic
def _read_back(worker: Worker, items: list[RunItem], found: dict[str, RemoteContact]) -> None:
    """What was found about items and what it says about their calls, together: no later worker looks at a call that none waits for."""
    places = places_of(worker.phonebook)
    records = settle.records_of(items, places)
    proven = {
        item.pk: found[item.phone].remote_id
        for item in items
        if item.phone in found
        and item.pk in records
        and _is_as_wanted(worker, item, records[item.pk], found[item.phone])
    }
    settle.done(proven, items, records)
    there = {item.pk: found[item.phone].remote_id for item in items if item.phone in found and item.pk not in proven}
    _update_later(worker, there, items)
    _absent(worker, [item for item in items if item.phone not in found])
    _close_unknown_calls(worker, items, found)


def _update_later(worker: Worker, there: dict[int, str], items: Sequence[RunItem]) -> None:
    """Link those (item to remote id) that are there, and plan a call that makes them as they should be."""
    settle.orphaned(there, items)
    for item in settle.link(there, items):
        worker.add_call(Operation.UPDATE_CONTACT, [item])


def _is_as_wanted(worker: Worker, item: RunItem, record: ContactRecord, remote: RemoteContact) -> bool:
    """The provider said that it made this one, or it shows everything of it. Otherwise it is updated, which does no harm."""
    return item.answer == ItemOutcome.DONE or is_proven(record, remote, limits=worker.limits)


def _absent(worker: Worker, items: Sequence[RunItem]) -> None:
    """Sent and not there: refused among others, or never arrived. One by one it shows."""
    by_call: dict[int, list[RunItem]] = {}
    for item in items:
        by_call.setdefault(item.call_id or 0, []).append(item)
    for group in by_call.values():
        call = group[0].call
        if call is None:
            continue
        if call.state in {Call.State.UNKNOWN, Call.State.NOT_SENT}:  # looked for and not there: it may go out again
            worker.add_call(Operation.CREATE_CONTACTS, group)
        elif call.item_count > 1:
            for item in group:
                worker.add_call(Operation.CREATE_CONTACTS, [item])
        elif call.state == Call.State.REFUSED:
            settle.failed(group, call.error)
        else:
            settle.unknown(group, reason(NOT_SHOWN))


def _close_unknown_calls(worker: Worker, items: Sequence[RunItem], found: dict[str, RemoteContact]) -> None:
    arrived = {item.call_id for item in items if item.phone in found}
    for call in {item.call for item in items if item.call is not None and item.call.state == Call.State.UNKNOWN}:
        if call.pk in arrived:
            Call.objects.filter(pk=call.pk, state=Call.State.UNKNOWN).update(state=Call.State.ACCEPTED)
        else:
            worker.drop_call(call, reason(NOT_THERE))
