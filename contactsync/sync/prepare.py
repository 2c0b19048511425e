"""The first phase of a push: options and phonebook stand at the provider before any contact goes there."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.models import Call, CustomOption, Phonebook
from contactsync.models.reasons import reason
from contactsync.sync.connect import Operation, reason_of
from contactsync.sync.leases import State
from contactsync.sync.ledger import Performed
from contactsync.sync.places import saved_places
from contactsync.sync.policy import Verdict
from contactsync.sync.remote import book_of, find_phonebook, list_options, match_option
from contactsync.sync.setup_plan import wanted_options
from contactsync.sync.worker import Halt, Worker
from providers.types import OptionKind, OptionSpec, PhonebookSpec, RemoteOption, RemotePhonebook

THERE_ALREADY = gettext_noop("It is at the provider already, so it was not made again.")
NOT_THERE = gettext_noop("The provider does not have it, so the call had no effect.")
PLACES_CHANGED = gettext_noop(
    "Other options or places were chosen for the phonebook after the plan was made, so nothing more was done. Push again."
)
TITLE_CHANGED = gettext_noop(
    "“%(title)s” was given another title or was deleted after the plan was made, so nothing more was done. Push again."
)
NO_KEY = gettext_noop("The option “%(option)s” is not at the provider and not in the plan. Push again.")
NO_BOOK = gettext_noop("The phonebook is not at the provider and not in the plan. Push again.")


def prepare(worker: Worker) -> None:
    """Options, then the phonebook with them. Raises `Halt` when one of them is refused, or is not as the plan has shown it."""
    _check_places(worker)
    _check_titles(worker)
    _options(worker)
    _phonebook(worker)


def _check_places(worker: Worker) -> None:
    """Values go where the plan has shown it, or nowhere."""
    if "places" not in worker.run.plan:
        return
    has_ids = worker.limits.option_identity == "id"
    shown = {row["source"]: "" if has_ids else row["slot"] for row in worker.run.plan["places"]}
    if shown != saved_places(worker.phonebook):
        raise Halt(State.FAILED, reason(PLACES_CHANGED))


def _check_titles(worker: Worker) -> None:
    """What is made or renamed there gets the title that the plan has shown, or nothing is."""
    for call in worker.run.calls.filter(operation__in=_TITLED, state=Call.State.PLANNED).order_by("sequence"):
        title, option = worker.phonebook.title, call.target.get("option")
        if option is not None:
            title = CustomOption.objects.filter(pk=option).values_list("title", flat=True).first() or ""
        if title != call.target["title"]:
            raise Halt(State.FAILED, reason(TITLE_CHANGED, title=call.target["title"]))


_TITLED = [
    operation.value
    for operation in (
        Operation.CREATE_OPTION,
        Operation.RENAME_OPTION,
        Operation.CREATE_PHONEBOOK,
        Operation.UPDATE_PHONEBOOK,
    )
]


def unsettled(worker: Worker, operation: Operation) -> list[Call]:
    """Calls of the operation that are to be made, or whose outcome is not known."""
    states = [Call.State.PLANNED, Call.State.UNKNOWN]
    return list(worker.run.calls.filter(operation=operation.value, state__in=states).order_by("sequence"))


def _options(worker: Worker) -> None:
    for renaming in worker.planned_calls(Operation.RENAME_OPTION):
        key = CustomOption.objects.get(pk=renaming.target["option"]).remote_key
        title = renaming.target["title"]
        insist(worker.perform(renaming, lambda provider, key=key, title=title: provider.rename_option(key, title)))  # type: ignore[misc]
    if worker.limits.option_identity != "id":
        return
    calls = {call.target["option"]: call for call in unsettled(worker, Operation.CREATE_OPTION)}
    told = CustomOption.objects.filter(places__phonebook=worker.phonebook, places__stays_here=False)
    options = told.order_by("places__id")
    open_options = [option for option in options if not option.remote_key or option.pk in calls]
    if not open_options:
        return
    for option in open_options:
        if option.pk in calls:  # what is made, or was perhaps, has this title, whatever was entered meanwhile
            option.title = calls[option.pk].target["title"]
    worker.let_arrive(calls.values())
    there = list_options(worker.line, open_options)
    for option in open_options:
        found = match_option(option, there)
        call = calls.get(option.pk)
        if found is not None:
            _link_option(option, found)
            _settle_found(worker, call, found.remote_id)
        elif call is None:
            raise Halt(State.FAILED, reason(NO_KEY, option=option.title))
        else:
            _create_option(worker, option, call)


def _link_option(option: CustomOption, found: RemoteOption) -> None:
    CustomOption.objects.filter(pk=option.pk).update(remote_key=found.remote_id)
    option.remote_key = found.remote_id


def _create_option(worker: Worker, option: CustomOption, call: Call) -> None:
    """Looked for and not found: create it. After an unknown outcome it is looked for once more, then repeated as a new call."""
    spec = OptionSpec(title=option.title, kind=OptionKind(option.kind))
    call = fresh(worker, call)
    while True:
        performed = worker.perform(
            call,
            lambda provider: provider.create_option(spec),
            on_outcome=lambda done: _link_option(option, done.value) if done.value else None,
        )
        if performed.verdict is not Verdict.UNKNOWN:
            insist(performed)
            return
        worker.let_arrive([call])
        found = match_option(option, list_options(worker.line, [option]))
        if found is not None:
            _link_option(option, found)
            _settle_found(worker, call, found.remote_id)
            return
        call = fresh(worker, call)


def _phonebook(worker: Worker) -> None:
    phonebook = worker.phonebook
    creating = next(iter(unsettled(worker, Operation.CREATE_PHONEBOOK)), None)
    if creating is not None:
        phonebook.title = creating.target["title"]  # as above
    if creating is not None or not phonebook.remote_id:
        if creating is not None and phonebook.remote_id and find_phonebook(worker.line, phonebook) is None:
            _unlink_phonebook(phonebook)  # it is gone at the provider, which the plan has shown
        _ensure_phonebook(worker, creating)
    for call in worker.planned_calls(Operation.UPDATE_PHONEBOOK):
        _update_phonebook(worker, call)


def _unlink_phonebook(phonebook: Phonebook) -> None:
    Phonebook.objects.filter(pk=phonebook.pk).update(remote_id="", pushed_payload=None)
    phonebook.remote_id, phonebook.pushed_payload = "", None


def _ensure_phonebook(worker: Worker, call: Call | None) -> None:
    while True:
        worker.let_arrive([call] if call is not None else [])
        found = find_phonebook(worker.line, worker.phonebook)
        if found is not None:
            _link_phonebook(worker.phonebook, found)
            _settle_found(worker, call, found.remote_id)
            return
        if call is None:
            raise Halt(State.FAILED, reason(NO_BOOK))
        call = fresh(worker, call)
        spec = _spec(worker, None)
        performed = worker.perform(
            call,
            lambda provider, spec=spec: provider.create_phonebook(spec),  # type: ignore[misc]
            on_outcome=lambda done, spec=spec: _link_created(worker.phonebook, done, spec),  # type: ignore[misc]
        )
        if performed.verdict is not Verdict.UNKNOWN:
            insist(performed)
            return


def _link_created(phonebook: Phonebook, done: Performed[RemotePhonebook], spec: PhonebookSpec) -> None:
    if done.value is not None:
        _link_phonebook(phonebook, done.value)
        _keep_payload(phonebook, spec)


def _link_phonebook(phonebook: Phonebook, found: RemotePhonebook) -> None:
    Phonebook.objects.filter(pk=phonebook.pk).update(remote_id=found.remote_id)
    phonebook.remote_id = found.remote_id


def _keep_payload(phonebook: Phonebook, spec: PhonebookSpec) -> None:
    payload = {"title": spec.title, "options": dict(spec.options)}
    Phonebook.objects.filter(pk=phonebook.pk).update(pushed_payload=payload, pushed_at=timezone.now())
    phonebook.pushed_payload = payload


def _spec(worker: Worker, book: RemotePhonebook | None) -> PhonebookSpec:
    phonebook = worker.phonebook
    options = wanted_options(phonebook, worker.limits, book)
    return PhonebookSpec(title=phonebook.title, options=options, description=phonebook.description)


def _update_phonebook(worker: Worker, call: Call) -> None:
    book = find_phonebook(worker.line, worker.phonebook)
    if book is None:
        worker.drop_call(call, reason(NOT_THERE))
        raise Halt(State.FAILED, reason(NO_BOOK))
    spec = _spec(worker, book)
    ref = book_of(worker.phonebook)
    performed = worker.perform(
        call,
        lambda provider: provider.update_phonebook(ref, spec),
        on_outcome=lambda done: _keep_payload(worker.phonebook, spec) if done.is_done else None,
    )
    insist(performed)


def fresh(worker: Worker, call: Call) -> Call:
    """A planned call for the same purpose; a call of unknown outcome that proved to have had no effect is closed as not sent."""
    if call.state == Call.State.PLANNED:
        return call
    with transaction.atomic():
        worker.drop_call(call, reason(NOT_THERE))
        return worker.add_call(Operation(call.operation), target=call.target)


def _settle_found(worker: Worker, call: Call | None, remote_id: str) -> None:
    """The thing is there: a call of unknown outcome did it, a planned one is not needed."""
    if call is None:
        return
    if call.state == Call.State.UNKNOWN:
        Call.objects.filter(pk=call.pk, state=Call.State.UNKNOWN).update(
            state=Call.State.ACCEPTED, references=[remote_id], error={}, finished_at=timezone.now()
        )
    else:
        worker.drop_call(call, reason(THERE_ALREADY))


def insist(performed: Performed[Any]) -> None:
    """Without this call nothing after it makes sense."""
    if performed.verdict is Verdict.TAKEN:
        raise Halt(None)
    if performed.error is not None:
        raise Halt(State.FAILED, reason_of(performed.error))
