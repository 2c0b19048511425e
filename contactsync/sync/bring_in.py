"""Bring a whole phonebook in from a provider: what a customer who comes with contacts starts with.

`remote_phonebooks` offers, `create_bring_in_run` asks for it, `bring_in` does it in the background. Nothing is changed
at the provider. After a crash it goes on by the ids that are linked already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import get_language, gettext_noop, override
from django.utils.translation import gettext as _

from contactsync.models import Contact, Phonebook, ProviderAccount, Run, RunItem
from contactsync.models.listed import have_counted
from contactsync.models.reasons import reason
from contactsync.sync.brought_options import BroughtOptions
from contactsync.sync.chunks import remote_ids_of
from contactsync.sync.connect import Operation, capabilities
from contactsync.sync.details import Details
from contactsync.sync.leases import State, waiting
from contactsync.sync.lifecycle import RunRefused
from contactsync.sync.line import Line
from contactsync.sync.opt_outs import OptOuts
from contactsync.sync.reconcile_apply import adopt
from contactsync.sync.remote import RemoteIndex, read_contacts
from contactsync.sync.theirs import NO_NUMBER, number_of, told
from contactsync.sync.worker import Halt, Worker
from providers.types import RemoteContact, RemotePhonebook

AT_ONCE = 500  # contacts in one transaction; each is read by itself first where the list does not tell all

NOT_THERE = gettext_noop("The phonebook “%(title)s” is not at the provider (any more).")
HERE_ALREADY = gettext_noop("The phonebook “%(title)s” is here already. Pull its state instead.")
SECOND = gettext_noop("The number is there more than once; the other one was brought in.")

OPEN = [State.QUEUED, State.RUNNING, State.STOPPING, State.STOPPED, State.PAUSED]


@dataclass(frozen=True, slots=True)
class OfferedPhonebook:
    """A phonebook at the provider; `count` is None where the provider does not tell it."""

    remote_id: str
    title: str
    count: int | None
    is_here: bool


def remote_phonebooks(account: ProviderAccount) -> list[OfferedPhonebook]:
    """The phonebooks the provider lists, by title. Raises `ProviderError`."""
    with Line(account) as line:
        books = line.read(lambda provider: list(provider.list_phonebooks()))
    here = set(account.phonebooks.exclude(remote_id="").values_list("remote_id", flat=True))
    offered = [OfferedPhonebook(book.remote_id, book.title, book.count, book.remote_id in here) for book in books]
    return sorted(offered, key=lambda book: book.title.casefold())


def create_bring_in_run(account: ProviderAccount, remote_id: str, title: str, user: User | None = None) -> Run:
    """A run that makes phonebook, options and contacts here. It changes nothing there, so it is queued at once.

    Raises `RunRefused` when the phonebook is here already, or is being brought in.
    """
    limits = capabilities(account)
    if not limits.can(Operation.LIST_CONTACTS):
        raise RunRefused(_("The provider does not show its contacts, so they cannot be brought in."))
    if account.phonebooks.filter(remote_id=remote_id).exists():
        raise RunRefused(_(HERE_ALREADY) % {"title": title})
    if account.phonebooks.filter(title=title).exists():
        raise RunRefused(
            _("A phonebook “%(title)s” is here already, not linked to the provider. Push it, or rename it first.")
            % {"title": title}
        )
    if account.runs.filter(kind=Run.Kind.BRING_IN, state__in=OPEN, plan__remote_id=remote_id).exists():
        raise RunRefused(_("The phonebook “%(title)s” is being brought in already.") % {"title": title})
    return Run.objects.create(
        kind=Run.Kind.BRING_IN,
        account=account,
        plan={"remote_id": remote_id, "title": title, "language": get_language()},
        state=State.QUEUED,
        created_by=user,
        **waiting(),
    )


def make_phonebook(run: Run, line: Line) -> Phonebook:
    """The phonebook here that the run fills, linked. Raises `Halt` when there is none there, or one here already."""
    remote_id, title = run.plan["remote_id"], run.plan["title"]
    book = _find(line, remote_id)
    if book is None:
        raise Halt(State.FAILED, reason(NOT_THERE, title=title))
    try:
        with transaction.atomic():
            phonebook = Phonebook.objects.create(
                account=run.account,
                title=book.title[:200] or title,
                description=book.description[:255],
                remote_id=book.remote_id,
                pushed_payload={"title": book.title, "options": dict(book.option_labels)},
            )
            Run.objects.filter(pk=run.pk).update(phonebook=phonebook)
    except IntegrityError as error:
        raise Halt(State.FAILED, reason(HERE_ALREADY, title=book.title)) from error
    run.phonebook = phonebook
    return phonebook


def _find(line: Line, remote_id: str) -> RemotePhonebook | None:
    books = line.read(lambda provider: list(provider.list_phonebooks(remote_id=remote_id)))
    return next((book for book in books if book.remote_id == remote_id), None)


def bring_in(worker: Worker) -> None:
    """Fill the phonebook of the run; what has no title there gets one in the language of who asked. Raises `Halt`."""
    with override(worker.run.plan.get("language") or get_language()):
        _bring_in(worker)


def _bring_in(worker: Worker) -> None:
    phonebook = worker.phonebook
    book = _find(worker.line, phonebook.remote_id)
    if book is None:
        raise Halt(State.FAILED, reason(NOT_THERE, title=phonebook.title))
    there = book.count or 0
    remote = read_contacts(
        worker.line, phonebook, note=lambda read: worker.tell(read=read, there=max(there, read) if there else 0)
    )
    options = BroughtOptions(phonebook, book, worker.line)
    RunItem.objects.filter(run=worker.run).delete()  # of an earlier attempt
    linked = remote_ids_of(phonebook)
    details = Details(worker.line, most=None, keep=worker.keep)
    opt_outs = OptOuts()
    for found in remote.by_id.values():
        opt_outs.note(found)
    _keep_counts(worker.run, phonebook, remote)
    for chunk in _chunks(found for found in remote.by_id.values() if found.remote_id not in linked):
        _bring_chunk(worker, chunk, options, details, opt_outs)
        _keep_counts(worker.run, phonebook, remote)
        have_counted(Contact)
    have_counted(Contact, new=len(remote))
    opt_outs.read_list(worker.line)
    opt_outs.take_over()


def _chunks(contacts: Iterator[RemoteContact]) -> Iterator[Sequence[RemoteContact]]:
    while chunk := list(islice(contacts, AT_ONCE)):
        yield chunk


def _bring_chunk(
    worker: Worker, chunk: Sequence[RemoteContact], options: BroughtOptions, details: Details, opt_outs: OptOuts
) -> None:
    worker.keep()
    region = worker.run.account.default_region
    numbers = {found.remote_id: number_of({"phone": found.phone}, region) for found in chunk}
    there = Contact.objects.with_numbers(worker.phonebook.pk, {number for number in numbers.values() if number})
    here = set(there.values_list("phone", flat=True))
    rejected: list[RunItem] = []
    good: list[tuple[str, RemoteContact]] = []
    for found in chunk:
        number = numbers[found.remote_id]
        if not number or number in here:
            why = reason(SECOND) if number else reason(NO_NUMBER, number=found.phone)
            rejected.append(_rejected(worker.run, found, why))
        else:
            here.add(number)
            good.append((number, details.complete(found)))
    for _number, found in good:
        opt_outs.note(found)
    with transaction.atomic():
        taker = options.taker_for([found for _number, found in good])
        contacts = []
        for number, found in good:
            contact = Contact(phonebook=worker.phonebook, phone=number)
            adopt(taker, contact, told(found), found.remote_id)
            contacts.append(contact)
        Contact.objects.bulk_create(contacts)
        RunItem.objects.bulk_create(rejected)


def _rejected(run: Run, found: RemoteContact, why: dict[str, Any]) -> RunItem:
    return RunItem(
        run=run,
        phone=found.phone[:40],
        remote_id=found.remote_id,
        operation=RunItem.Operation.CANNOT,
        theirs=told(found),
        error=why,
    )


def _keep_counts(run: Run, phonebook: Phonebook, remote: RemoteIndex) -> None:
    """The sum: contacts there = brought in + not possible."""
    there = len(remote)
    done = phonebook.contacts.exclude(remote_id="").count()
    cannot = run.items.count()
    run.counts = {
        "planned": there,
        "done": done,
        "failed": cannot,
        "unknown": 0,
        "not_attempted": max(0, there - done - cannot),
        "contacts": there,
        "not_all_told": phonebook.contacts.filter(sync_state=Contact.SyncState.UNKNOWN).count(),
        "balances": there == done + cannot,
    }
    Run.objects.filter(pk=run.pk).update(counts=run.counts)
