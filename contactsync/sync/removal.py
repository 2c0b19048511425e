"""Take a phonebook or an option away at the provider: planned, shown, approved, then unlinked here.

What is here stays: contacts become ones that were never pushed, an option stays on its phonebooks without going there.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.models import Call, Campaign, CampaignTarget, Contact, CustomOption, Phonebook, PhonebookOption, Run
from contactsync.models.option_text import OptionText
from contactsync.models.reasons import describe, reason
from contactsync.sync.connect import NotFound, Operation, Provider, capabilities
from contactsync.sync.draft import Draft
from contactsync.sync.former import remove_contacts
from contactsync.sync.leases import State, waiting
from contactsync.sync.ledger import Performed
from contactsync.sync.lifecycle import RunRefused
from contactsync.sync.line import Line
from contactsync.sync.policy import Verdict
from contactsync.sync.prepare import fresh, insist, unsettled
from contactsync.sync.remote import find_phonebook
from contactsync.sync.setup_plan import PlanImpossible
from contactsync.sync.worker import Halt, Worker
from providers.types import BookRef

NOT_LINKED = gettext_noop("It is not at the provider, so there is nothing to remove there.")
WORKED_ON = gettext_noop("Another run works on this phonebook. Wait until it has ended, or stop it, then try again.")
CAMPAIGN_WAITS = gettext_noop("The campaign “%(campaign)s” goes to this phonebook. Send or cancel it first.")
BOOK_MEANING = gettext_noop(
    "The phonebook is deleted at the provider for good, with all contacts in it. Here it stays with its contacts, as if never pushed."
)
OPTION_MEANING = gettext_noop(
    "The option is deleted at the provider for good, with the values of all contacts. Here it stays with its values, and is not told any more."
)
LINKED_OTHERWISE = gettext_noop("It is linked to something else at the provider since the plan was made. Plan again.")

BUSY_RUNS = [State.QUEUED, State.RUNNING, State.STOPPING, State.PAUSED]
BUSY_CAMPAIGNS = [
    Campaign.State.PREPARED, Campaign.State.WAITING, Campaign.State.SENDING, Campaign.State.STOPPING,
    Campaign.State.PAUSED, Campaign.State.SCHEDULED,
]  # fmt: skip


def why_not_removable(thing: Phonebook | CustomOption, *, by: Run | None = None) -> dict[str, Any]:
    """Why it cannot be removed at the provider now, as a reason to store; empty when it can. `by` is the run that would do it."""
    operation = Operation.DELETE_PHONEBOOK if isinstance(thing, Phonebook) else Operation.DELETE_OPTION
    limits = capabilities(thing.account)
    if not limits.can(operation):
        return reason(limits.why_not(operation))
    if not _remote_key(thing):
        return reason(NOT_LINKED)
    books = [thing.pk] if isinstance(thing, Phonebook) else list(thing.phonebooks.values_list("pk", flat=True))
    working = Run.objects.filter(phonebook__in=books, state__in=BUSY_RUNS).exclude(kind=Run.Kind.SEND)
    if working.exclude(pk__in=[] if by is None else [by.pk]).exists():
        return reason(WORKED_ON)
    targets = CampaignTarget.objects.filter(phonebook__in=books)
    campaign = Campaign.objects.filter(pk__in=targets.values("campaign"), state__in=BUSY_CAMPAIGNS).first()
    return reason(CAMPAIGN_WAITS, campaign=campaign.title) if campaign else {}


def _remote_key(thing: Phonebook | CustomOption) -> str:
    return thing.remote_id if isinstance(thing, Phonebook) else thing.remote_key


def create_phonebook_removal(phonebook: Phonebook, user: User | None = None) -> Run:
    """A run that is to be planned: delete the phonebook at the provider. Raises `RunRefused` with `why_not_removable`."""
    return _create(phonebook, user, phonebook=phonebook)


def create_option_removal(option: CustomOption, user: User | None = None) -> Run:
    """A run that is to be planned: delete the option at the provider. Raises `RunRefused` with `why_not_removable`."""
    return _create(option, user, phonebook=None)


def _create(thing: Phonebook | CustomOption, user: User | None, *, phonebook: Phonebook | None) -> Run:
    if why := why_not_removable(thing):
        raise RunRefused(describe(why))
    what = "option" if phonebook is None else "phonebook"
    return Run.objects.create(
        kind=Run.Kind.REMOVE,
        account=thing.account,
        phonebook=phonebook,
        plan={"what": what, what: thing.pk, "title": thing.title},
        created_by=user,
        **waiting(),
    )


def plan_removal(draft: Draft, line: Line) -> None:
    """One call, and what it means. Raises `PlanImpossible`."""
    draft.start_anew(keep_items=False)
    thing = _thing(draft.run)
    if thing is None:
        raise PlanImpossible(reason(NOT_LINKED))
    if why := why_not_removable(thing):
        raise PlanImpossible(why)
    what: dict[str, Any] = {name: draft.run.plan[name] for name in ("what", draft.run.plan["what"])}
    target = {**what, "title": thing.title, "remote_id": _remote_key(thing)}
    if isinstance(thing, Phonebook):
        book = find_phonebook(line, thing)
        there = book.count if book is not None else 0
        meaning: dict[str, Any] = {
            "meaning": reason(BOOK_MEANING),
            "contacts_there": there,
            "contacts_here": thing.contacts.count(),
        }
        draft.add_call(Operation.DELETE_PHONEBOOK, target)
    else:
        books = thing.phonebooks.order_by("title")
        with_value = Contact.objects.present().filter(phonebook__in=books).alias(value=OptionText(thing.pk))
        meaning = {
            "meaning": reason(OPTION_MEANING),
            "phonebooks": list(books.values_list("title", flat=True)),
            "contacts_here": with_value.filter(value__gt="").count(),
        }
        draft.add_call(Operation.DELETE_OPTION, target)
    draft.extra = {**what, "title": thing.title, **meaning}


def _thing(run: Run) -> Phonebook | CustomOption | None:
    if run.plan["what"] == "phonebook":
        return run.phonebook
    return CustomOption.objects.filter(pk=run.plan["option"]).select_related("account").first()


def remove(worker: Worker) -> None:
    """Make the call, and unlink here with its outcome. An unknown outcome is looked up, then repeated. Raises `Halt`."""
    is_book = worker.run.plan["what"] == "phonebook"
    operation = Operation.DELETE_PHONEBOOK if is_book else Operation.DELETE_OPTION
    call = next(iter(unsettled(worker, operation)), None)
    if call is None:
        return
    thing = _thing(worker.run)
    if thing is None or _remote_key(thing) != call.target["remote_id"]:
        worker.drop_call(call, reason(LINKED_OTHERWISE))
        raise Halt(State.FAILED, reason(LINKED_OTHERWISE))
    while True:
        if call.state == Call.State.UNKNOWN:
            if not _is_there(worker, call.target["remote_id"], thing):
                with transaction.atomic():
                    unknown = Call.objects.filter(pk=call.pk, state=Call.State.UNKNOWN)
                    unknown.update(state=Call.State.ACCEPTED, error={}, finished_at=timezone.now())
                    unlink(thing)
                return
            call = fresh(worker, call)
        if why := why_not_removable(thing, by=worker.run):
            raise Halt(State.PAUSED, why)
        performed = worker.perform(
            call, _deletion(thing), on_outcome=lambda done: unlink(thing) if _is_gone(done) else None
        )
        if _is_gone(performed):
            return
        if performed.verdict is not Verdict.UNKNOWN:
            insist(performed)
            return
        call.refresh_from_db()


def _is_gone(performed: Performed[None]) -> bool:
    """It was deleted by this call, or somebody else was faster."""
    return performed.is_done or isinstance(performed.error, NotFound)


def _deletion(thing: Phonebook | CustomOption) -> Any:
    key, title = _remote_key(thing), thing.title

    def delete(provider: Provider) -> None:
        if isinstance(thing, Phonebook):
            provider.delete_phonebooks([BookRef(key, title)])
        else:
            provider.delete_options([key])

    return delete


def _is_there(worker: Worker, remote_id: str, thing: Phonebook | CustomOption) -> bool:
    if isinstance(thing, Phonebook):
        return find_phonebook(worker.line, thing) is not None
    options = worker.line.read(lambda provider: list(provider.list_options(titles=[thing.title])))
    return any(option.remote_id == remote_id for option in options)


def unlink(thing: Phonebook | CustomOption) -> None:
    """It is not at the provider any more: nothing here is linked to it, and what waited for its deletion there is gone."""
    if isinstance(thing, CustomOption):
        CustomOption.objects.filter(pk=thing.pk).update(remote_key="")
        PhonebookOption.objects.filter(option=thing).update(stays_here=True)
        return
    remove_contacts(Contact.objects.filter(phonebook=thing, deleted_at__isnull=False))
    thing.contacts.update(
        remote_id="",
        sync_state=Contact.SyncState.NEW,
        pushed_hash="",
        pushed_payload=None,
        sync_error={},
        pushed_at=None,
    )
    Phonebook.objects.filter(pk=thing.pk).update(remote_id="", pushed_payload=None, pushed_at=None)
