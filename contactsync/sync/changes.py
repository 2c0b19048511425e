"""Contacts that are at the provider already: linked, changed, deleted."""

from __future__ import annotations

from collections.abc import Sequence

from contactsync.models import Call, RunItem
from contactsync.models.reasons import reason
from contactsync.sync import settle
from contactsync.sync.chunks import CHUNK
from contactsync.sync.connect import NotFound, Operation, ProviderError, reason_of
from contactsync.sync.creates import NOTHING_LEFT
from contactsync.sync.decide import GONE
from contactsync.sync.ledger import Performed
from contactsync.sync.mapping import places_of
from contactsync.sync.policy import Verdict
from contactsync.sync.remote import book_of
from contactsync.sync.worker import Worker
from providers.types import ContactRecord, ItemOutcome, ItemResult


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
    for call in worker.planned_calls(Operation.UPDATE_CONTACT):
        items = settle.usable(worker.items().filter(call=call).select_related("contact"))
        if not items:
            worker.drop_call(call, reason(NOTHING_LEFT))
            continue
        _update(worker, call, items[0], settle.records_of(items, places)[items[0].pk])
    _close_left_behind(worker, Operation.UPDATE_CONTACT)


def _update(worker: Worker, call: Call, item: RunItem, record: ContactRecord) -> None:
    book = book_of(worker.phonebook)

    def keep(performed: Performed[ItemResult]) -> None:
        told = performed.value
        if told is None:
            _keep_error(item, performed)
        elif told.outcome is ItemOutcome.REFUSED:
            settle.failed([item], reason(told.message, **told.params))
        else:
            settle.done({item.pk: told.remote_id or item.remote_id}, [item], {item.pk: record})

    worker.perform(call, lambda provider: provider.update_contact(book, item.remote_id, record), on_outcome=keep)


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
    while items := list(deletes.filter(call=None).select_related("contact").order_by("pk")[:CHUNK]):
        worker.keep()
        settle.removed(settle.usable(items))
    for call in worker.planned_calls(Operation.DELETE_CONTACTS):
        items = settle.usable(worker.items().filter(call=call).select_related("contact").order_by("pk"))
        if not items:
            worker.drop_call(call, reason(NOTHING_LEFT))
            continue
        _delete(worker, call, items)
    _close_left_behind(worker, Operation.DELETE_CONTACTS)


def _delete(worker: Worker, call: Call, items: Sequence[RunItem]) -> None:
    book = book_of(worker.phonebook)
    remote_ids = [item.remote_id for item in items]

    def keep(performed: Performed[None]) -> None:
        error = performed.error
        if performed.is_done:
            settle.removed(items)
        elif error is not None and performed.verdict is Verdict.UNKNOWN:
            settle.unknown(items, reason_of(error))
        elif error is not None and performed.verdict is Verdict.FAIL_ITEM:
            _refused(worker, items, error)

    worker.perform(call, lambda provider: provider.delete_contacts(book, remote_ids), on_outcome=keep)


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
