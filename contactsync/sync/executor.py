"""Carry out an approved run: options, phonebook, new contacts, changes, deletions, and the sum at the end."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from contactsync.models import Call, Phonebook, Run
from contactsync.models.bulk import few_collections
from contactsync.models.reasons import reason
from contactsync.sync import leases, planner, pull, sweep
from contactsync.sync.bring_in import bring_in, make_phonebook
from contactsync.sync.changes import adopt_contacts, delete_contacts, update_contacts
from contactsync.sync.connect import ProviderError, reason_of
from contactsync.sync.creates import create_contacts
from contactsync.sync.equation import COUNTED, counts_of, is_clean
from contactsync.sync.leases import State
from contactsync.sync.line import Line
from contactsync.sync.policy import InternalError, rest_after
from contactsync.sync.prepare import prepare
from contactsync.sync.reconcile_apply import apply_here
from contactsync.sync.removal import remove
from contactsync.sync.worker import Halt, Worker

WORKABLE = {State.QUEUED, State.RUNNING}
KINDS = [kind for kind in Run.Kind if kind != Run.Kind.SEND]


def execute(run_id: int) -> None:
    """Work on the run until it ends or rests; does nothing when somebody else works on it.

    May be called at any time and after any crash: what is done is on record, and what was on the wire
    when a worker died is decided first.
    """
    if not Run.objects.filter(pk=run_id, kind__in=KINDS).exists():
        raise ValueError(f"Run {run_id} is a send, or there is none of this number.")
    sweep.finish_stopping(run_id)
    if Run.objects.filter(pk=run_id, state=State.PLANNING).exists():
        planner.plan(run_id)
        return
    owner = leases.new_owner()
    run = leases.claim(run_id, owner, states=WORKABLE, to=State.RUNNING)
    if run is None:
        return
    if run.phonebook is None and not planner.needs_no_phonebook(run):
        leases.end(run, owner, State.FAILED, error=reason(planner.NO_PHONEBOOK), finished_at=timezone.now())
        return
    sweep.recover_calls(run)
    try:
        with few_collections(), Line(run.account) as line:
            worker = Worker(run, _phonebook_of(run, line), line, owner=owner)
            line.pulse = worker.keep
            _phases(worker)
    except Halt as halt:
        _rest(run, owner, halt)
    except ProviderError as error:  # a read that did not get through, with all its patience
        _rest(run, owner, _after_read(error))
    except Exception as error:
        sweep.abandon_calls(run, owner)
        _rest(run, owner, Halt(State.FAILED, reason_of(InternalError(type(error).__name__))))
        raise
    else:
        _finish(run, owner)


def _phonebook_of(run: Run, line: Line) -> Phonebook:
    if run.phonebook is not None:
        return run.phonebook
    return make_phonebook(run, line) if run.kind == Run.Kind.BRING_IN else Phonebook(account=run.account)


def _phases(worker: Worker) -> None:
    kind = worker.run.kind
    if kind == Run.Kind.PULL:
        pull.pull(worker)
        return
    if kind == Run.Kind.BRING_IN:
        bring_in(worker)
        return
    if kind == Run.Kind.REMOVE:
        remove(worker)
        return
    if kind == Run.Kind.PUSH:
        prepare(worker)
        adopt_contacts(worker)
    if kind == Run.Kind.RECONCILE:
        apply_here(worker)
    if kind in {Run.Kind.PUSH, Run.Kind.RECONCILE}:
        create_contacts(worker)
        update_contacts(worker)
    delete_contacts(worker)


def _after_read(error: ProviderError) -> Halt:
    """Rest for as long as the provider asks for; after any other failure a person says when to go on."""
    if (rest := rest_after(error)) is not None:
        return Halt(None, reason_of(error), until=timezone.now() + rest)
    return Halt(State.PAUSED, reason_of(error))


def _rest(run: Run, owner: str, halt: Halt) -> None:
    counts = {"counts": counts_of(run)} if run.kind in COUNTED else {}
    if halt.state is None:
        if halt.until is None:  # it is somebody else's by now, and an answer that came late counts all the same
            run.refresh_from_db(fields=["state"])
            sweep.count_at_rest(run)
        elif not leases.hand_back(run, owner, until=halt.until, error=halt.why, **counts):
            _stop(run, owner, counts)
        return
    ended = {"finished_at": timezone.now()} if halt.state in {State.STOPPED, State.FAILED} else {}
    leases.end(run, owner, halt.state, error=halt.why, **counts, **ended)


def _finish(run: Run, owner: str) -> None:
    on_wire = run.calls.filter(state=Call.State.ON_WIRE).order_by("-lease_until").first()
    if on_wire is not None:  # another worker's, or a dead one's: whoever comes after its lease finishes
        if not leases.hand_back(run, owner, until=on_wire.lease_until or timezone.now()):
            _stop(run, owner, {})
        return
    if run.kind == Run.Kind.PUSH and run.phonebook is not None:
        Phonebook.objects.filter(pk=run.phonebook.pk).update(pushed_at=timezone.now())
    run.refresh_from_db(fields=["plan", "counts"])
    counts = counts_of(run) if run.kind in COUNTED else run.counts
    to = State.FINISHED if is_clean(counts) else State.ATTENTION
    if not leases.end(run, owner, to, counts=counts, error={}, finished_at=timezone.now()):
        # Asked to stop after the last call: then everything is done, and stopped only in name.
        _stop(run, owner, {"counts": counts})


def _stop(run: Run, owner: str, changes: dict[str, Any]) -> None:
    """It was asked to stop in the moment it was let go of. Nothing is written when it is not ours any more."""
    leases.end(run, owner, State.STOPPED, finished_at=timezone.now(), **changes)
