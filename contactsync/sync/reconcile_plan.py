"""Plan a reconciliation: look again whether every decision still holds, and write down the calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from contactsync.models import Contact, RunItem, bulk
from contactsync.models.reasons import reason
from contactsync.sync.bulk import save_fields
from contactsync.sync.chunks import CHUNK, remote_ids_of
from contactsync.sync.connect import batch_size
from contactsync.sync.decide import GONE, Judge, Step
from contactsync.sync.draft import Draft
from contactsync.sync.line import Line
from contactsync.sync.mapping import places_of, record_of
from contactsync.sync.remote import find_phonebook, read_contacts, tag_of
from contactsync.sync.setup_plan import PlanImpossible
from contactsync.sync.theirs import told
from providers.types import Operation, RemoteContact

NO_BOOK = gettext_noop("The phonebook is not at the provider any more. Push it first.")
CHANGED_HERE = gettext_noop("The contact was changed here after the comparison. Compare again.")
CHANGED_THERE = gettext_noop("The contact was changed at the provider after the comparison. Compare again.")
GONE_HERE = gettext_noop("The contact was deleted here after the comparison. Compare again.")
GONE_THERE = gettext_noop("The contact is not at the provider any more. Compare again.")
HERE_BY_NOW = gettext_noop("The number is in the phonebook by now. Compare again.")
THERE_BY_NOW = gettext_noop("The contact is at the provider by now. Compare again.")

Decision = RunItem.Decision
Kind = RunItem.Operation
#: decisions that change something on this side only
HERE = frozenset({Decision.ADD_HERE, Decision.TAKE_THEIRS, Decision.DELETE_HERE, Decision.SUPPRESS})
ORIGIN = {
    Decision.KEEP_OURS: Kind.DIFFERENT,
    Decision.TAKE_THEIRS: Kind.DIFFERENT,
    Decision.ADD_THERE: Kind.ONLY_HERE,
    Decision.DELETE_HERE: Kind.ONLY_HERE,
    Decision.ADD_HERE: Kind.ONLY_THERE,
    Decision.DELETE_THERE: Kind.ONLY_THERE,
}


def plan_reconcile(draft: Draft, line: Line) -> None:
    """Every item becomes a local change, part of a call, or impossible with the reason. Raises `PlanImpossible`."""
    draft.start_anew(keep_items=True)
    phonebook = draft.phonebook
    if find_phonebook(line, phonebook) is None:
        raise PlanImpossible(reason(NO_BOOK))
    remote = read_contacts(line, phonebook)
    limit = line.capabilities.max_contacts_per_phonebook
    judge = Judge(
        provider=type(line.provider),
        places=places_of(phonebook),
        remote=remote,
        taken_ids=remote_ids_of(phonebook),
        room=None if limit is None else limit - len(remote),
        tag=tag_of(phonebook, line),
    )
    draft.extra = {"pull": draft.run.plan.get("pull"), "here": 0}
    calls = _Calls(draft, batch_size(draft.run.account), line.capabilities.max_delete_batch)
    last = 0
    while items := list(draft.items().filter(pk__gt=last).select_related("contact").order_by("pk")[:CHUNK]):
        last = items[-1].pk
        _plan_chunk(draft, judge, items, calls)
        draft.heartbeat()
    calls.flush()


def _plan_chunk(draft: Draft, judge: Judge, items: Sequence[RunItem], calls: _Calls) -> None:
    phones = [item.phone for item in items if item.decision == Decision.ADD_HERE]
    present, phonebook = Contact.objects.present(), draft.phonebook.pk
    here = set(present.with_numbers(phonebook, phones).values_list("phone", flat=True))
    ids = [item.remote_id for item in items if item.operation == Kind.ONLY_THERE]
    linked = set(present.with_remote_ids(phonebook, ids).values_list("remote_id", flat=True))
    for item in items:
        item.operation = ORIGIN.get(Decision(item.decision), Kind(item.operation))
        item.call, item.state = None, RunItem.State.PLANNED
        item.error = _why_not(item, judge, here | linked)
        draft.contacts += 1
        draft.note(item.decision, item.phone, item.remote_id, item.payload_hash)
        if item.error:
            item.operation = Kind.CANNOT
            draft.counts[Step.CANNOT.value] += 1
        elif item.decision in HERE:
            draft.extra["here"] += 1
        else:
            calls.add(item)
            if item.decision == Decision.DELETE_THERE:
                draft.count_loss(judge.loss(judge.remote.by_id[item.remote_id]))
    save_fields(items, ["operation", "call", "state", "error"])


def _why_not(item: RunItem, judge: Judge, here: set[str]) -> dict[str, Any]:
    """Why the decision does not hold any more; empty when it does."""
    if item.decision == Decision.SUPPRESS:
        return {}
    found = judge.remote.by_id.get(item.remote_id) if item.remote_id else None
    if item.operation == Kind.ONLY_THERE:
        if found is None:
            return reason(GONE_THERE)
        return reason(HERE_BY_NOW) if {item.phone, item.remote_id} & here else _if_changed(item, found)
    contact = item.contact
    if contact is None or contact.deleted_at is not None:
        return reason(GONE_HERE)
    if contact.payload_hash != item.payload_hash:
        return reason(CHANGED_HERE)
    if item.operation == Kind.ONLY_HERE:
        return _why_not_only_here(item, contact, judge)
    if found is None:
        return reason(GONE)
    if item.decision == Decision.TAKE_THEIRS:
        return _if_changed(item, found)
    return judge.refused(contact, record_of(contact, places=judge.places, whole=True))


def _why_not_only_here(item: RunItem, contact: Contact, judge: Judge) -> dict[str, Any]:
    if judge.find(contact) is not None:
        return reason(THERE_BY_NOW)
    if item.decision != Decision.ADD_THERE:
        return {}
    decision = judge.add(contact, record_of(contact, places=judge.places))
    return decision.why


def _if_changed(item: RunItem, found: RemoteContact) -> dict[str, Any]:
    """What the list tells now is compared with what the pull has kept; the rest cannot have been seen to change."""
    now = told(found)
    is_same = all(item.theirs.get(name) == value for name, value in now.items())
    return {} if is_same else reason(CHANGED_THERE)


class _Calls:
    """Gathers items into calls of the provider's sizes."""

    def __init__(self, draft: Draft, create_size: int, delete_size: int) -> None:
        self.draft = draft
        self.sizes = {
            Decision.KEEP_OURS: (Operation.UPDATE_CONTACT, Step.UPDATE, 1),
            Decision.ADD_THERE: (Operation.CREATE_CONTACTS, Step.CREATE, create_size),
            Decision.DELETE_THERE: (Operation.DELETE_CONTACTS, Step.DELETE, delete_size),
        }
        self.waiting: dict[str, list[int]] = {decision: [] for decision in self.sizes}

    def add(self, item: RunItem) -> None:
        _operation, step, _size = self.sizes[Decision(item.decision)]
        self.draft.counts[step.value] += 1
        if item.decision == Decision.KEEP_OURS:
            item.operation = Kind.UPDATE
        elif item.decision == Decision.ADD_THERE:
            item.operation = Kind.CREATE
        self.waiting[item.decision].append(item.pk)

    def flush(self) -> None:
        for decision, (operation, _step, size) in self.sizes.items():
            pks = self.waiting[decision]
            for start in range(0, len(pks), size * CHUNK):
                self._write(operation, pks[start : start + size * CHUNK], size)

    def _write(self, operation: Operation, pks: Sequence[int], size: int) -> None:
        batches = [pks[start : start + size] for start in range(0, len(pks), size)]
        with transaction.atomic():
            calls = self.draft.write_calls(operation, [len(batch) for batch in batches])
            bulk.update_rows(
                RunItem, ["call"], [(pk, call) for call, batch in zip(calls, batches, strict=True) for pk in batch]
            )
