"""Contacts that are at the provider already: linked, changed, deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contactsync.models import Call, RunItem
from contactsync.models.reasons import reason
from contactsync.sync import settle
from contactsync.sync.chunks import CHUNK
from contactsync.sync.connect import NotFound, Operation, Provider, ProviderError, reason_of
from contactsync.sync.creates import usable_items
from contactsync.sync.decide import GONE
from contactsync.sync.drift import leave_what_changed_there
from contactsync.sync.jobs import Job
from contactsync.sync.ledger import Performed
from contactsync.sync.mapping import places_of
from contactsync.sync.policy import Verdict
from contactsync.sync.remote import book_of
from contactsync.sync.together import perform_all
from contactsync.sync.worker import Worker
from providers.types import BookRef, ContactRecord, ItemOutcome, ItemResult


def adopt_contacts(worker: Worker) -> None:
    """Link contacts that are at the provider exactly as they are here. Makes no call."""
    places = places_of(worker.phonebook)
    adopts = worker.items(operation=RunItem.Operation.ADOPT)
    while items := list(adopts.select_related("contact").order_by("pk")[:CHUNK]):
        worker.keep()
        good = settle.usable(items)
        settle.done({item.pk: item.remote_id for item in good}, good, settle.records_of(good, places))


def update_contacts(worker: Worker) -> None:
    """Carry out all planned updates, including those of contacts that a create found there."""
    places = places_of(worker.phonebook)
    book = book_of(worker.phonebook)
    leave_what_changed_there(worker, places)

    def prepare(calls: Sequence[Call]) -> list[Job]:
        jobs = []
        for call, items in usable_items(worker, calls):
            record = settle.records_of(items[:1], places)[items[0].pk]
            jobs.append(Job(call, _update(book, items[0].remote_id, record), (items[0], record)))
        return jobs

    perform_all(worker, Operation.UPDATE_CONTACT, prepare, _keep_updates)
    _close_left_behind(worker, Operation.UPDATE_CONTACT)


def _update(book: BookRef, remote_id: str, record: ContactRecord) -> Callable[[Provider], ItemResult]:
    return lambda provider: provider.update_contact(book, remote_id, record)


def _keep_updates(outcomes: Sequence[tuple[Job, Performed[ItemResult]]]) -> None:
    ids: dict[int, str] = {}
    items: list[RunItem] = []
    records: dict[int, ContactRecord] = {}
    for job, performed in outcomes:
        item, record = job.about
        told = performed.value
        if told is None:
            _keep_error(item, performed)
        elif told.outcome is ItemOutcome.REFUSED:
            settle.failed([item], reason(told.message, **told.params))
        else:
            items.append(item)
            ids[item.pk], records[item.pk] = told.remote_id or item.remote_id, record
    settle.done(ids, items, records)


def _keep_error(item: RunItem, performed: Performed[ItemResult]) -> None:
    error = performed.error
    if error is None:
        return
    if performed.verdict is Verdict.FAIL_ITEM and isinstance(error, NotFound):
        settle.missing([item], reason(GONE))
    elif performed.verdict is Verdict.FAIL_ITEM:
        settle.failed([item], reason_of(error))
    elif performed.verdict is Verdict.UNKNOWN:
        settle.unknown([item], reason_of(error))


def delete_contacts(worker: Worker) -> None:
    """Delete at the provider what is marked as deleted here, then the rows here; nothing else is ever deleted."""
    deletes = worker.items(operation=RunItem.Operation.DELETE)
    # Not in the book when it was read for the plan, but put there by another run meanwhile: only a new plan can delete them.
    late = deletes.filter(call=None, contact__pushed_at__gte=worker.run.created_at)
    late.update(state=RunItem.State.NOT_ATTEMPTED, error=reason(settle.DELETE_LINKED_SINCE))
    while items := list(deletes.filter(call=None).select_related("contact").order_by("pk")[:CHUNK]):
        worker.keep()
        settle.removed(settle.usable(items))
    book = book_of(worker.phonebook)

    def prepare(calls: Sequence[Call]) -> list[Job]:
        return [
            Job(call, _deletion(book, [item.remote_id for item in items]), items)
            for call, items in usable_items(worker, calls)
        ]

    def keep(outcomes: Sequence[tuple[Job, Performed[None]]]) -> None:
        _keep_deletions(worker, outcomes)

    perform_all(worker, Operation.DELETE_CONTACTS, prepare, keep)
    _close_left_behind(worker, Operation.DELETE_CONTACTS)


def _deletion(book: BookRef, remote_ids: Sequence[str]) -> Callable[[Provider], None]:
    return lambda provider: provider.delete_contacts(book, remote_ids)


def _keep_deletions(worker: Worker, outcomes: Sequence[tuple[Job, Performed[None]]]) -> None:
    gone: list[RunItem] = []
    for job, performed in outcomes:
        error = performed.error
        if performed.is_done:
            gone += job.about
        elif error is not None and performed.verdict is Verdict.UNKNOWN:
            settle.unknown(job.about, reason_of(error))
        elif error is not None and performed.verdict is Verdict.FAIL_ITEM:
            _refused(worker, job.about, error)
    if gone:
        settle.removed(gone)


def _refused(worker: Worker, items: Sequence[RunItem], error: ProviderError) -> None:
    """A refused batch is tried one by one; a refused contact stays here, marked as deleted, until it is gone there."""
    if len(items) > 1:
        for item in items:
            worker.add_call(Operation.DELETE_CONTACTS, [item])
    else:
        settle.failed(items, reason_of(error), mark_contacts=False)


def _close_left_behind(worker: Worker, operation: Operation) -> None:
    """Items whose call ended while no worker was there to say so: their outcome is the call's."""
    left = worker.items().filter(call__operation=operation.value).exclude(call__state__in=_OPEN)
    for item in left.select_related("contact", "call"):
        settle.unknown([item], item.call.error if item.call is not None else {})


_OPEN = [Call.State.PLANNED, Call.State.ON_WIRE]
