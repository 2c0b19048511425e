"""What has changed since the freeze, looked at right before each call: whoever gets the message is who was shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.db.models.fields.json import KT
from django.utils.translation import gettext_noop

from contactsync.campaigns import keyworded
from contactsync.campaigns.left_out import leave_out, to_leave_out
from contactsync.campaigns.sources import CHUNK, RemoteBook
from contactsync.campaigns.windows import look_again, to_look_at
from contactsync.models import Call, Campaign, Contact, Phonebook, Recipient, Run
from contactsync.models.listed import with_one_of, within
from contactsync.models.reasons import reason
from contactsync.sync import sends
from contactsync.sync.connect import NotFound, Operation, capabilities
from contactsync.sync.line import Line


def glance(run: Run, calls: Sequence[Call]) -> tuple[set[int], set[int]]:
    """Of these planned calls, those that `look` has to ask the provider about, and others that it has to look at, by id.

    The rest may go as they are. A few queries for all of them.
    """
    people = Recipient.objects.filter(call__in=[call.pk for call in calls], state=Recipient.State.PLANNED)
    others = set(to_leave_out(people).order_by().values_list("call_id", flat=True).distinct())
    asked, by_window = to_look_at(run, calls)
    for call in calls:
        if any(part["type"] == "all" for part in call.target.get("targets", ())):
            asked.add(call.pk)
        elif "targets" in call.target:
            others.add(call.pk)
    return asked, (others | by_window) - asked


def look(run: Run, call: Call, line: Line) -> dict[str, Any]:
    """Why this call is not to be made; empty when it may go.

    People to be left out since the freeze are taken out of it, and those whose contact id has come to mean
    somebody else move to a later call by number. Only a call to whole phonebooks cannot be changed.
    """
    people = Recipient.objects.filter(call=call, state=Recipient.State.PLANNED)
    some_left_out = to_leave_out(people).exists()
    parts = call.target.get("targets", ())
    if any(part["type"] == "all" for part in parts):
        chosen = [id_ for part in parts for id_ in part.get("number_ids", ())]
        if some_left_out or (chosen and _moved(people.filter(remote_id__in=chosen))):
            return _CHANGED_BESIDE_WHOLE
        return _has_changed(call, line) or _is_filled_in_otherwise(run, call, people)
    by_id = call.operation == Operation.SEND_TO_PHONEBOOK
    to_rebuild = some_left_out or (by_id and _moved(people))
    if to_rebuild and (problem := _rebuild(run, call, people, by_id=by_id)):
        return problem
    return {} if look_again(run, call, line) else _NOBODY_LEFT


_CHANGED_BESIDE_WHOLE = reason(
    gettext_noop(
        "Since the campaign was prepared, people of this phonebook were suppressed, deleted or given another number, "
        "so the call to everybody in it was not made. Press “Continue” to send to the others."
    )
)
_NOBODY_LEFT = reason(gettext_noop("Nobody is left in this call: its people are left out, or sent to by number."))


def _has_changed(call: Call, line: Line) -> dict[str, Any]:
    """Why a call to whole phonebooks would reach others than those it was shown for; empty when it would not."""
    books: dict[str, RemoteBook] = {}
    for remote_id, counted in call.target.get("counted", {}).items():
        book = Phonebook.objects.filter(account=line.account, remote_id=remote_id).first()
        now = sends.phonebook_count(line.account, book, line=line) if book else None
        if book is None or (now is not None and now != counted):  # not every provider counts
            return reason(
                gettext_noop(
                    "The phonebook “%(title)s” has changed at the provider since the campaign was prepared "
                    "(%(before)s contacts then, %(now)s now), so this call was not made. Press “Continue” to send to the people "
                    "that were shown, or prepare a new campaign."
                ),
                title=book.title if book else remote_id,
                before=counted,
                now="?" if now is None else now,
            )
        books[remote_id] = _book_now(line, book)
        for part in call.target.get("frozen", ()):
            if part["phonebook_id"] == remote_id and part["digest"] != books[remote_id].digest(
                part.get("start"), part.get("size")
            ):
                return reason(
                    gettext_noop(
                        "The phonebook “%(title)s” holds other people at the provider than when the campaign was "
                        "prepared, so this call was not made. Press “Continue” to send to the people that were shown, or "
                        "prepare a new campaign."
                    ),
                    title=book.title,
                )
    return {}


def _book_now(line: Line, book: Phonebook) -> RemoteBook:
    try:
        return RemoteBook.of(sends.remote_ids_in_order(line.account, book, line=line))
    except NotFound:
        return RemoteBook([])


def _is_filled_in_otherwise(run: Run, call: Call, people: QuerySet[Recipient]) -> dict[str, Any]:
    """Why the provider would fill in other texts than those that were shown; empty when it would not, or fills in nothing."""
    if call.operation != Operation.SEND_KEYWORDS:
        return {}
    campaign = Campaign.objects.select_related("account").get(runs=run)
    for target in campaign.targets.select_related("phonebook__account").filter(pk__in=people.values("target")):
        try:
            wrong = keyworded.differing(people.filter(target=target), campaign, target.phonebook)
        except KeyError:  # an option was taken from the phonebook
            wrong = people.filter(target=target).count()
        if wrong:
            return reason(_VALUES_CHANGED, title=target.phonebook.title, people=wrong)
    return {}


_VALUES_CHANGED = gettext_noop(
    "Since the campaign was prepared, values of people in “%(title)s” have changed (%(people)s), so the provider would "
    "write something else than was shown and this call was not made. Press “Continue” to send what was shown, or prepare a new "
    "campaign."
)


def _moved(people: QuerySet[Recipient]) -> list[int]:
    """Recipients whose contact id at the provider belongs to another number now, or is not there any more."""
    rows = list(people.values_list("pk", "phone", "remote_id", "target__phonebook_id", "contact__remote_id"))
    moved = []
    for first in range(0, len(rows), CHUNK):
        chunk = rows[first : first + CHUNK]
        books = {book for _, _, _, book, _ in chunk}
        known = Contact.objects.filter(with_one_of(Contact, "remote_id", [id_ for _, _, id_, _, _ in chunk]))
        contacts = within(known, "phonebook_id", *books).annotate(pushed_phone=KT("pushed_payload__phone"))
        held = {
            (book, id_): "" if state == Contact.SyncState.MISSING else pushed or phone
            for book, id_, state, pushed, phone in contacts.values_list(
                "phonebook_id", "remote_id", "sync_state", "pushed_phone", "phone"
            )
        }
        moved += [
            pk
            for pk, phone, id_, book, own_id in chunk
            if held.get((book, id_), phone) != phone or (own_id and own_id != id_)
        ]
    return moved


def _rebuild(run: Run, call: Call, people: QuerySet[Recipient], *, by_id: bool) -> dict[str, Any]:
    """Make the call again from whom it is still for. Does nothing to a call that is not planned any more."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(runs=run)
        planned = Call.objects.filter(pk=call.pk, state=Call.State.PLANNED)
        if not planned.select_for_update().exists():
            return {}
        leave_out(campaign, people)
        if by_id:
            _send_by_number(run, Recipient.objects.filter(pk__in=_moved(people)))
        call.item_count = people.count()
        if not call.item_count:
            planned.update(item_count=0)
            return _NOBODY_LEFT
        call.target = _target_of(call, people, by_id=by_id)
        planned.update(target=call.target, item_count=call.item_count)
    return {}


def _send_by_number(run: Run, moved: QuerySet[Recipient]) -> None:
    """Plan them at the end of the run."""
    rows = list(moved.order_by("pk").values_list("pk", "phone"))
    last = run.calls.aggregate(last=Max("sequence"))["last"] or 0
    most = capabilities(run.account).max_numbers_per_send
    for nth, first in enumerate(range(0, len(rows), most), start=1):
        chunk = rows[first : first + most]
        later = Call.objects.create(
            run=run,
            sequence=last + nth,
            operation=Operation.SEND_TO_NUMBERS,
            target={"numbers": [phone for _, phone in chunk]},
            item_count=len(chunk),
        )
        Recipient.objects.filter(pk__in=[pk for pk, _ in chunk]).update(call=later, remote_id="")


def _target_of(call: Call, people: QuerySet[Recipient], *, by_id: bool) -> dict[str, Any]:
    if not by_id:
        return _by_number(call, set(people.values_list("phone", flat=True)))
    kept = set(people.values_list("target__phonebook__remote_id", "remote_id"))
    parts = []
    for part in call.target["targets"]:
        ids = [id_ for id_ in part["number_ids"] if (part["phonebook_id"], id_) in kept]
        if ids:
            parts.append({**part, "number_ids": ids})
    return {"targets": parts}


def _by_number(call: Call, kept: set[str]) -> dict[str, Any]:
    """The call's target with these numbers only."""
    if "texts" not in call.target:
        return {**call.target, "numbers": [phone for phone in call.target["numbers"] if phone in kept]}
    texts = [{**one, "numbers": [phone for phone in one["numbers"] if phone in kept]} for one in call.target["texts"]]
    return {"texts": [one for one in texts if one["numbers"]]}
