"""Plan a run in the background: compare, write down every item and every call, change nothing at the provider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.models import Call, Contact, Phonebook, Run, RunItem
from contactsync.models.bulk import few_collections, lean
from contactsync.models.listed import among_ids, have_counted
from contactsync.models.reasons import reason
from contactsync.sync import leases, shutdown
from contactsync.sync.chunks import CONTACT, Later, in_chunks, remote_ids_of
from contactsync.sync.connect import AccountStopped, AuthFailed, Misconfigured, ProviderError, batch_size, reason_of
from contactsync.sync.decide import Decision, Judge, Step
from contactsync.sync.draft import Draft, Superseded
from contactsync.sync.leases import State
from contactsync.sync.lifecycle import create_delete_run, create_pull_run, create_push_run, mark_for_readding
from contactsync.sync.line import Line
from contactsync.sync.mapping import TO_BE_CREATED, Places, places_of
from contactsync.sync.policy import InternalError, rest_after
from contactsync.sync.reconcile_plan import plan_reconcile
from contactsync.sync.remote import Finder, RemoteIndex, read_contacts, tag_of
from contactsync.sync.removal import plan_removal
from contactsync.sync.setup_plan import PlanImpossible, plan_setup
from providers.types import Operation, RemotePhonebook

__all__ = ["create_delete_run", "create_pull_run", "create_push_run", "mark_for_readding", "plan"]

NO_PHONEBOOK = gettext_noop("The phonebook of this run does not exist any more.")


def plan(run_id: int) -> None:
    """Plan the run if nobody else does. It ends planned, or paused (account), or failed, with the reason; or it waits
    for the provider, still to be planned, and the sweep comes back to it.

    May be called again after a crash: it starts anew and throws the half-made plan away.
    """
    owner = leases.new_owner()
    run = leases.claim(run_id, owner, states={State.PLANNING}, to=State.PLANNING)
    if run is None:
        return
    if run.phonebook is None and not needs_no_phonebook(run):
        _give_up(run, owner, State.FAILED, reason(NO_PHONEBOOK))
        return
    draft = Draft(run, run.phonebook or Phonebook(account=run.account), owner=owner)
    try:
        with few_collections(), Line(run.account, pulse=draft.heartbeat) as line:
            PLANS[Run.Kind(run.kind)](draft, line)
    except Superseded:
        return
    except shutdown.Ending:
        leases.hand_back(run, owner, until=timezone.now())
    except PlanImpossible as error:
        _give_up(run, owner, State.FAILED, error.why)
    except ProviderError as error:
        _after_read(run, owner, error)
    except Exception as error:
        _give_up(run, owner, State.FAILED, reason_of(InternalError(type(error).__name__)))
        raise
    else:
        leases.end(run, owner, State.PLANNED, plan=draft.summary(), plan_hash=draft.hash(), counts={}, error={})
        have_counted(RunItem, Call, new=draft.contacts)


def needs_no_phonebook(run: Run) -> bool:
    """Whether the run is about the account: it brings a phonebook in, or removes an option."""
    return run.kind == Run.Kind.BRING_IN or run.plan.get("what") == "option"


def _after_read(run: Run, owner: str, error: ProviderError) -> None:
    """Wait when the provider wants that; a person mends an account; else there is no plan."""
    if (rest := rest_after(error)) is not None:
        leases.hand_back(run, owner, until=timezone.now() + rest, error=reason_of(error))
        return
    needs_person = isinstance(error, AccountStopped | AuthFailed | Misconfigured)
    _give_up(run, owner, State.PAUSED if needs_person else State.FAILED, reason_of(error))


def _give_up(run: Run, owner: str, state: str, why: dict[str, object]) -> None:
    try:
        with transaction.atomic():
            leases.end(run, owner, state, counts={}, error=why)
    except IntegrityError:  # another run of this phonebook is active, and only one may be paused
        leases.end(run, owner, State.FAILED, counts={}, error=why, finished_at=timezone.now())


def _plan_push(draft: Draft, line: Line) -> None:
    phonebook = draft.phonebook
    draft.start_anew(keep_items=False)
    setup = plan_setup(draft, line)
    remote = read_contacts(line, _at(phonebook, setup.book)) if setup.book else RemoteIndex()
    limit = line.capabilities.max_contacts_per_phonebook
    judge = Judge(
        provider=type(line.provider),
        places=_with_stand_ins(places_of(phonebook), setup.options_to_create),
        remote=remote,
        taken_ids=remote_ids_of(phonebook),
        room=None if limit is None else limit - len(remote),
        tag=tag_of(phonebook, line),
    )
    updates, deletes = Later(), Later()
    have_counted(Contact)
    for contacts in in_chunks(phonebook):
        decisions = [(contact, judge.decide(contact)) for contact in contacts]
        later = {Step.UPDATE: updates, Step.DELETE: deletes}
        for contact, decision in decisions:
            if decision.step in later:
                later[decision.step].add(contact)
        draft.contacts += sum(decision.step is not Step.REMOVE for _contact, decision in decisions)
        draft.add_creates(
            [(contact, decision) for contact, decision in decisions if decision.step is Step.CREATE],
            size=batch_size(draft.run.account),
        )
        draft.add_others([pair for pair in decisions if pair[1].step in {Step.ADOPT, Step.CANNOT}])
        draft.keep_books([pair for pair in decisions if pair[1].step not in later])
        draft.heartbeat()
    draft.flush_creates()
    for pairs in _decide_again(updates, judge, Step.UPDATE, draft):
        draft.add_updates(pairs)
    for pairs in _decide_again(deletes, judge, Step.DELETE, draft):
        draft.add_deletes(pairs, size=line.capabilities.max_delete_batch)


def _decide_again(later: Later, judge: Judge, step: Step, draft: Draft) -> Iterator[list[tuple[Contact, Decision]]]:
    """The same decisions once more, chunk by chunk, so that not all changes need to be in memory at once.

    Whose step is another one now stays in the plan, as not possible.
    """
    for phones in later.in_chunks():
        contacts = lean(Contact.objects.filter(pk__in=among_ids(phones)).order_by("pk"), CONTACT)
        pairs = [(contact, judge.decide(contact)) for contact in contacts]
        same = [pair for pair in pairs if pair[1].step is step]
        kept = {contact.pk for contact, _decision in same}
        draft.add_dropped({pk: phone for pk, phone in phones.items() if pk not in kept})
        yield same
        draft.heartbeat()


def _plan_delete(draft: Draft, line: Line) -> None:
    draft.start_anew(keep_items=True)
    if not line.capabilities.can(Operation.DELETE_CONTACTS):
        raise PlanImpossible(reason(line.capabilities.why_not(Operation.DELETE_CONTACTS)))
    unsure = draft.items().filter(remote_id="", contact__sync_state=Contact.SyncState.UNKNOWN)
    phones = list(unsure.values_list("phone", flat=True))
    if phones and draft.phonebook.remote_id:
        for phone, found in Finder(line, draft.phonebook).find(phones).items():
            draft.items().filter(phone=phone).update(remote_id=found.remote_id)
    if phones:
        draft.not_found(draft.items().filter(remote_id="").values_list("contact_id", flat=True))
    draft.add_delete_calls(size=line.capabilities.max_delete_batch)


def _at(phonebook: Phonebook, book: RemotePhonebook) -> Phonebook:
    """The phonebook as if it were linked to this book already."""
    return Phonebook(pk=phonebook.pk, account=phonebook.account, title=phonebook.title, remote_id=book.remote_id)


def _with_stand_ins(places: Places, to_create: set[str]) -> Places:
    """Options that are gone at the provider get a stand-in key like those that never were there."""
    return replace(
        places,
        options=tuple(
            replace(place, key=f"{TO_BE_CREATED}{place.option_id}") if place.option_id in to_create else place
            for place in places.options
        ),
    )


PLANS = {
    Run.Kind.PUSH: _plan_push,
    Run.Kind.DELETE: _plan_delete,
    Run.Kind.RECONCILE: plan_reconcile,
    Run.Kind.REMOVE: plan_removal,
}
