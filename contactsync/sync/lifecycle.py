"""What people do with runs: make, approve, resume, stop, discard. Nothing here speaks to a provider or enqueues."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contactsync.models import Contact, Phonebook, Run, RunItem
from contactsync.models.bulk import Inserter
from contactsync.models.reasons import describe, reason
from contactsync.models.transitions import StepRefused, TransitionRefused
from contactsync.models.transitions import transition as move
from contactsync.sync import guard
from contactsync.sync.chunks import CHUNK
from contactsync.sync.leases import waiting

State = Run.State
#: kinds of runs that are planned and shown before anything is done
PLANNED_KINDS = frozenset({Run.Kind.PUSH, Run.Kind.DELETE, Run.Kind.RECONCILE, Run.Kind.REMOVE})


class RunRefused(StepRefused):
    """The run cannot be made or moved now; the text says why, in the active language."""


def create_push_run(phonebook: Phonebook, *, user: User | None = None) -> Run:
    """A run that is to be planned: make the provider's book as this one is. Replaces a plan that nobody approved."""
    replace_plans(phonebook)
    return Run.objects.create(
        kind=Run.Kind.PUSH, account=phonebook.account, phonebook=phonebook, created_by=user, **waiting()
    )


def create_delete_run(contacts: Any, *, user: User | None = None) -> Run:
    """A run that is to be planned: delete these contacts of one phonebook, at the provider and then here.

    Nothing is marked or deleted before it is approved. Raises `RunRefused` for none, or for several phonebooks.
    """
    contacts = contacts.order_by("pk")
    books = list(Phonebook.objects.filter(pk__in=contacts.order_by().values("phonebook_id")).distinct()[:2])
    if len(books) != 1:
        raise RunRefused(
            _("Choose contacts of one phonebook.") if books else _("There is no contact to delete in this choice.")
        )
    (phonebook,) = books
    with transaction.atomic():
        run = Run.objects.create(
            kind=Run.Kind.DELETE, account=phonebook.account, phonebook=phonebook, created_by=user, **waiting()
        )
        shared = {"run": run.pk, "operation": RunItem.Operation.DELETE}
        inserter = Inserter(RunItem, ["contact", "phone", "remote_id"], shared=shared)
        rows = contacts.values_list("pk", "phone", "remote_id").iterator(chunk_size=CHUNK)
        while some := list(islice(rows, CHUNK)):
            inserter.insert(some)
    return run


def create_pull_run(phonebook: Phonebook, *, user: User | None = None) -> Run:
    """A run that reads the provider's state of a phonebook. It changes nothing there, so it needs no plan and is queued at once.

    Raises `RunRefused` while another run works on the phonebook.
    """
    return _one_at_a_time(
        lambda: Run.objects.create(
            kind=Run.Kind.PULL,
            account=phonebook.account,
            phonebook=phonebook,
            created_by=user,
            state=State.QUEUED,
            **waiting(),
        )
    )


def mark_for_readding(contacts: Any) -> int:
    """Let the next push add contacts again that are gone at the provider, and try again what it refused. Returns how many.

    A refused contact that is at the provider keeps its link: without it the next push would add a second one.
    """
    states = Contact.SyncState
    present = Contact.objects.filter(pk__in=contacts.order_by().values("pk"), deleted_at=None)
    again: dict[str, Any] = {"pushed_hash": "", "sync_error": {}}
    with transaction.atomic():
        refused = present.filter(sync_state=states.FAILED).exclude(remote_id="")
        marked = refused.update(sync_state=states.CHANGED, **again)
        absent = present.filter(Q(sync_state=states.MISSING) | Q(sync_state=states.FAILED, remote_id=""))
        marked += absent.update(sync_state=states.NEW, remote_id="", pushed_payload=None, **again)
    return int(marked)


def approve(run: Run, *, user: User | None = None) -> Run:
    """Let the planned run be carried out. Raises `RunRefused` when it is not planned, another run works on the phonebook, or no call may leave."""
    _insist_on_leaving(run)
    with transaction.atomic():
        _move(run, State.QUEUED, frm={State.PLANNED}, approved_by=user, **waiting())
        if run.kind == Run.Kind.DELETE:
            chosen = RunItem.objects.filter(run=run, operation=RunItem.Operation.DELETE).values("contact_id")
            Contact.objects.filter(pk__in=chosen, deleted_at=None).update(deleted_at=timezone.now())
    return run


def resume(run: Run) -> Run:
    """Go on where a paused or stopped run ended; a run that paused while it was planned is planned again."""
    if run.state == State.PAUSED and _is_unplanned(run):
        return _move(run, State.PLANNING, frm={State.PAUSED}, error={}, **waiting())
    _insist_on_leaving(run)
    seen = {"plan": {**run.plan, "resumed": True}} if run.state == State.PAUSED else {}
    return _move(run, State.QUEUED, frm={State.PAUSED, State.STOPPED}, error={}, **seen, **waiting())


def _insist_on_leaving(run: Run) -> None:
    """A pull only reads, so it may go on whatever is held back."""
    if run.kind in PLANNED_KINDS and (why := guard.why_held_back()):
        raise RunRefused(describe(why))


def stop(run: Run) -> Run:
    """Ask the run to stop after the call on the wire. A run that nobody works on stops at once; one that has no plan yet is discarded."""
    if run.state == State.PAUSED and _is_unplanned(run):
        return discard(run)
    if run.state == State.PAUSED:
        return _move(run, State.STOPPED, frm={State.PAUSED}, finished_at=timezone.now())
    _move(run, State.STOPPING, frm={State.QUEUED, State.RUNNING})
    run.refresh_from_db(fields=["lease_owner"])
    if not run.lease_owner:
        _move(run, State.STOPPED, frm={State.STOPPING}, finished_at=timezone.now(), lease_until=None)
    return run


def discard(run: Run) -> Run:
    """Throw a plan away, or close a run that failed; what such a run has done stays done."""
    frm = {State.PLANNED, State.PLANNING, State.FAILED} | ({State.PAUSED} if _is_unplanned(run) else set())
    return _move(run, State.DISCARDED, frm=frm, finished_at=timezone.now())


def acknowledge(run: Run, *, user: User | None) -> Run:
    """Close a run that ended with something a person had to look at; who has looked stays in its plan.

    Its items and counts stay as they are. Raises `RunRefused` when it asks for no decision, and for a send,
    whose calls are decided one by one.
    """
    if run.kind == Run.Kind.SEND:
        raise RunRefused(_("The calls of a send are decided one by one, on the page of its campaign."))
    seen_by = user.get_username() if user is not None else ""
    return _move(run, State.FINISHED, frm={State.ATTENTION}, plan={**run.plan, "acknowledged_by": seen_by})


def _is_unplanned(run: Run) -> bool:
    """Whether the run paused before its plan was whole, so that it has done nothing yet."""
    return run.kind in PLANNED_KINDS and not run.plan_hash


def replace_plans(phonebook: Phonebook) -> None:
    """Throw away plans of pushes that nobody approved, because a newer one is made or what they were made for has changed."""
    Run.objects.filter(kind=Run.Kind.PUSH, phonebook=phonebook, state__in=[State.PLANNING, State.PLANNED]).update(
        state=State.DISCARDED,
        finished_at=timezone.now(),
        error=reason(gettext_noop("A newer plan was made for this phonebook.")),
    )


def _move(run: Run, to: str, *, frm: set[Any], **changes: Any) -> Run:
    table = {to: frozenset(frm) & Run.TRANSITIONS[State(to)]}
    try:
        return _one_at_a_time(lambda: move(run, to, table=table, **changes))
    except RunRefused:
        raise
    except TransitionRefused as refused:
        run.refresh_from_db(fields=["state"])
        raise RunRefused(
            _("Run %(run)s is “%(state)s” now, so this is not possible. Reload the page.")
            % {"run": run.pk, "state": run.get_state_display()}
        ) from refused


def _one_at_a_time(action: Any) -> Run:
    try:
        with transaction.atomic():
            run: Run = action()
            return run
    except IntegrityError as error:
        raise RunRefused(
            _("Another run works on this phonebook. Wait until it has ended, or stop it, then try again.")
        ) from error
