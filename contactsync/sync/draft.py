"""The plan while it is being written: items, calls, counts and the hash over all of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.fingerprint import fingerprint
from contactsync.models import Call, Contact, Phonebook, Run, RunItem, bulk
from contactsync.models.bulk import Inserter, next_ids, time_ordered_uuids
from contactsync.models.reasons import reason
from contactsync.sync import leases, shutdown
from contactsync.sync.bulk import save_fields
from contactsync.sync.chunks import CHUNK
from contactsync.sync.database import one_of_many
from contactsync.sync.decide import GONE, Decision, Step
from contactsync.sync.former import remove_contacts
from contactsync.sync.places import PlaceRow
from providers.types import Operation

CHANGED_MEANWHILE = gettext_noop("The contact was changed while the plan was being made. Push again.")
APPROVED = [Run.State.QUEUED, Run.State.RUNNING, Run.State.STOPPING, Run.State.STOPPED, Run.State.PAUSED]
Pair = tuple[Contact, Decision]
ITEM = ["contact", "phone", "remote_id", "operation", "theirs", "changes", "payload_hash", "call", "error"]


class Superseded(Exception):
    """The run was discarded or taken over while it was being planned."""


class Draft:
    """Writes items and calls in bulk. Everything lies in the run's own rows, so a half-made plan harms nobody."""

    def __init__(self, run: Run, phonebook: Phonebook, *, owner: str) -> None:
        self.run = run
        self.owner = owner
        self.phonebook = phonebook
        self.phonebook_step = ""
        self.began = timezone.now()
        self.contacts = 0  # as read, not as sorted: the parts of the plan must add up to it
        self.counts: Counter[str] = Counter()
        self.options: dict[str, list[str]] = {"options": [], "options_found": [], "options_renamed": []}
        self.extra: dict[str, Any] = {}  # what only some kinds of runs say in their plan
        self.places: dict[str, list[dict[str, Any]]] = {"places": [], "left_out": []}
        self._digest = hashlib.sha256()
        self._sequence = 0
        self._creates: list[Pair] = []
        self._create_size = 1

    def start_anew(self, *, keep_items: bool) -> None:
        """Throw away what an earlier attempt at planning has left."""
        if keep_items:
            self.items().update(call=None)
        else:
            self.items().delete()
        self.run.calls.all().delete()

    def items(self) -> QuerySet[RunItem]:
        return RunItem.objects.filter(run=self.run)

    def heartbeat(self) -> None:
        """Keep the lease, and tell how far the plan is. Raises `Superseded` when the run is not ours to plan any more, and `shutdown.Ending`."""
        shutdown.end_if_asked()
        if not leases.keep(self.run, self.owner, counts={"compared": self.contacts}):
            raise Superseded

    def note_option(self, list_name: str, title: str) -> None:
        self.options[list_name].append(title)

    def note_places(self, rows: Iterable[PlaceRow], left_out: Iterable[PlaceRow]) -> None:
        """What goes where at the provider, and what does not go there, for the plan's page."""
        self.places = {
            "places": [
                {"source": row.source, "title": row.title, "slot": row.slot, "warnings": list(row.warnings)}
                for row in rows
            ],
            "left_out": [
                {"source": row.source, "title": row.title, "warnings": list(row.warnings)} for row in left_out
            ],
        }

    def add_call(self, operation: Operation, target: dict[str, Any]) -> Call:
        call = self.new_call(operation, 0, target)
        call.save()
        self.note("call", operation, fingerprint(target))
        return call

    def new_call(self, operation: Operation, item_count: int, target: dict[str, Any] | None = None) -> Call:
        """The next call of the plan, not saved yet."""
        self._sequence += 1
        return Call(
            run=self.run,
            sequence=self._sequence,
            operation=operation.value,
            item_count=item_count,
            target=target or {"phonebook": self.phonebook.pk, "title": self.phonebook.title},
        )

    def _row(self, pair: Pair, call: int | None = None) -> tuple[Any, ...]:
        """One item, in the order of `ITEM`."""
        contact, decision = pair
        step = decision.step.value
        self.counts[step] += 1
        if decision.step is Step.DELETE:
            self.count_loss(decision.changes)
        self.note(step, contact.phone, contact.payload_hash)
        return (
            contact.pk,
            contact.phone,
            decision.remote_id,
            step,
            decision.theirs,
            decision.changes,
            contact.payload_hash,
            call,
            decision.why,
        )

    def count_loss(self, changes: Mapping[str, Any]) -> None:
        """Whether a deletion takes away one tag of several or destroys the contact, where that is known (see `Judge.loss`)."""
        if "tags" in changes:
            name = "loses_tag" if changes["tags"][1] else "destroyed"
            self.extra[name] = self.extra.get(name, 0) + 1

    def _write_items(self, rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        with transaction.atomic(savepoint=False):
            Inserter(RunItem, ITEM, shared={"run": self.run.pk}).insert(rows)

    def note(self, *words: str) -> None:
        """Let the plan's hash depend on this."""
        self._digest.update("\x1f".join(words).encode() + b"\x1e")

    def add_creates(self, pairs: Iterable[Pair], *, size: int) -> None:
        """Creates in calls of `size`; the last, smaller one waits for `flush_creates`."""
        self._create_size = size
        self._creates.extend(pairs)
        full = len(self._creates) - len(self._creates) % size
        self._write_batches(Operation.CREATE_CONTACTS, self._creates[:full], size)
        del self._creates[:full]

    def flush_creates(self) -> None:
        self._write_batches(Operation.CREATE_CONTACTS, self._creates, self._create_size)
        self._creates = []

    def add_updates(self, pairs: Sequence[Pair]) -> None:
        self._write_batches(Operation.UPDATE_CONTACT, pairs, 1)

    def add_deletes(self, pairs: Sequence[Pair], *, size: int) -> None:
        """Deletes in calls of `size`; what is gone at the provider already needs no call."""
        gone = [pair for pair in pairs if pair[1].is_gone]
        self.not_found([contact.pk for contact, _decision in gone])
        self.add_others(gone)
        self._write_batches(Operation.DELETE_CONTACTS, [pair for pair in pairs if not pair[1].is_gone], size)

    def add_others(self, pairs: Iterable[Pair]) -> None:
        """Items that need no call."""
        self._write_items([self._row(pair) for pair in pairs])

    def not_found(self, pks: Iterable[int]) -> None:
        """Contacts of which it was not known whether they are at the provider, and which were looked for in vain."""
        Contact.objects.filter(pk__in=pks, remote_id="", sync_state=Contact.SyncState.UNKNOWN).update(
            sync_state=Contact.SyncState.NEW, sync_error={}
        )

    def add_dropped(self, phones: Mapping[int, str]) -> None:
        """Contacts (key to number) whose step was another one, or that were gone, when it was to be written down."""
        why = reason(CHANGED_MEANWHILE)
        there = Contact.objects.in_bulk(phones)
        pairs = [
            (there.get(pk) or Contact(phonebook=self.phonebook, phone=phone), Decision(Step.CANNOT, why=why))
            for pk, phone in phones.items()
        ]
        self.add_others(pairs)

    def _write_batches(self, operation: Operation, pairs: Sequence[Pair], size: int) -> None:
        if not pairs:
            return
        batches = [pairs[start : start + size] for start in range(0, len(pairs), size)]
        with one_of_many():
            calls = self.write_calls(operation, [len(batch) for batch in batches])
            self._write_items(
                [self._row(pair, call) for call, batch in zip(calls, batches, strict=True) for pair in batch]
            )

    def write_calls(self, operation: Operation, item_counts: Sequence[int]) -> Sequence[int]:
        """The next calls of the plan, each for so many items; within a transaction. Returns their ids."""
        ids = next_ids(Call, len(item_counts))
        first = self._sequence + 1
        self._sequence += len(item_counts)
        rows = zip(ids, time_ordered_uuids(len(ids)), range(first, self._sequence + 1), item_counts, strict=True)
        target = {"phonebook": self.phonebook.pk, "title": self.phonebook.title}
        shared = {"run": self.run.pk, "operation": operation.value, "target": target}
        Inserter(Call, ["id", "uuid", "sequence", "item_count"], shared=shared).insert(rows)
        return ids

    def add_delete_calls(self, *, size: int) -> None:
        """Calls for the items of a delete run, which exist from the start."""
        self.contacts = self.items().count()
        last = 0
        many = size * max(1, CHUNK // size)
        known = self.items().exclude(remote_id="").order_by("pk").values_list("pk", flat=True)
        while pks := list(known.filter(pk__gt=last)[:many]):
            last = pks[-1]
            with transaction.atomic():
                batches = [pks[start : start + size] for start in range(0, len(pks), size)]
                calls = self.write_calls(Operation.DELETE_CONTACTS, [len(batch) for batch in batches])
                update = [(pk, call) for call, batch in zip(calls, batches, strict=True) for pk in batch]
                bulk.update_rows(RunItem, ["call"], update)
            self.heartbeat()
        for phone, remote_id in self.items().order_by("pk").values_list("phone", "remote_id").iterator():
            self.counts[Step.DELETE.value] += 1
            self.note(Step.DELETE.value, phone, remote_id)

    def keep_books(self, pairs: Iterable[Pair]) -> None:
        """Our own rows after a comparison that asks for nothing: unchanged, gone, impossible, or deleted and never known there."""
        unchanged: dict[int, str] = {}
        gone: list[int] = []
        remove: list[int] = []
        impossible: list[Contact] = []
        for contact, decision in pairs:
            if decision.step is Step.UNCHANGED:
                self.counts["unchanged"] += 1
                self.note("unchanged", contact.phone)
                if contact.sync_state != Contact.SyncState.SYNCED or contact.pushed_hash != contact.payload_hash:
                    unchanged[contact.pk] = contact.payload_hash
            elif decision.step is Step.REMOVE:
                remove.append(contact.pk)
            elif decision.is_gone:
                gone.append(contact.pk)
            elif decision.step is Step.CANNOT and contact.sync_error != decision.why:
                contact.sync_error = decision.why
                impossible.append(contact)
        # By hash as well: a row that was edited in this moment is not in step.
        Contact.objects.filter(pk__in=unchanged, payload_hash__in=set(unchanged.values())).update(
            sync_state=Contact.SyncState.SYNCED, pushed_hash=F("payload_hash"), sync_error={}
        )
        save_fields(impossible, ["sync_error"])
        # Whom another run has put there since the book was read is not missing in it.
        missing = Contact.objects.filter(pk__in=gone).exclude(pushed_at__gte=self.began)
        missing.update(sync_state=Contact.SyncState.MISSING, sync_error=reason(GONE))
        # A run that is under way may be about to learn the provider's id of one of them.
        busy = RunItem.objects.filter(contact__in=remove, state=RunItem.State.PLANNED, run__state__in=APPROVED)
        never_there = Contact.objects.filter(pk__in=remove, remote_id="", deleted_at__isnull=False)
        self.counts["removed"] += remove_contacts(never_there.exclude(pk__in=busy.values("contact_id")))

    def summary(self) -> dict[str, Any]:
        """What the plan's page shows."""
        steps = [Step.CREATE, Step.UPDATE, Step.DELETE, Step.ADOPT, Step.CANNOT, Step.UNCHANGED]
        counts = {step.value: self.counts[step.value] for step in steps}
        return {
            **counts,
            "contacts": self.contacts,
            "removed": self.counts["removed"],
            **self.extra,
            "phonebook": self.phonebook_step,
            "calls": self._sequence,
            **self.options,
            **self.places,
        }

    def hash(self) -> str:
        """The same for the same plan, whatever the keys of its rows."""
        return fingerprint([self.summary(), self._digest.hexdigest()])
