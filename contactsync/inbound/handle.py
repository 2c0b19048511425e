"""What follows from callbacks. A callback is a hint: what it says of a message or a contact is asked of the provider first.

Each is taken by one worker for a while, in one short transaction; a worker that dies leaves it due again. What
cannot be asked now is asked later, with growing pauses, and is given up with the reason in the end: the reports that are
read anyway tell the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns import reports
from contactsync.campaigns.resolve import open_again, resolve_by_callback, search_unknown
from contactsync.inbound.find import calls_meant
from contactsync.models import Call, Callback, Contact, ProviderAccount
from contactsync.models.moments import bring_nearer
from contactsync.models.reasons import reason
from contactsync.sync.callbacks import CallbackEventKind, has_contact
from contactsync.sync.connect import Operation, ProviderError, Throttled, reason_of
from contactsync.sync.decide import GONE
from contactsync.sync.line import Line

State = Callback.State

AT_ONCE = 100
ASKED_EVERY = dt.timedelta(minutes=1)  # however long workers are busy with something else
KEPT_FOR = dt.timedelta(days=90)  # far longer than any provider goes on telling the same
FORGOTTEN_AT_ONCE = 500
LEASE = dt.timedelta(minutes=10)
MOST_ATTEMPTS = 8
FIRST_PAUSE = 30.0  # seconds, doubled with every attempt: the last one is made after about an hour
LONGEST_PAUSE = dt.timedelta(hours=2)
OPEN = [Call.State.PLANNED, Call.State.ON_WIRE]

NO_SEND = gettext_noop("No send of this account has this reference.")
TOO_EARLY = gettext_noop("The send it is about is not over yet.")
NOT_PROVEN = gettext_noop(
    "The outcome of this send is not known, and neither the callback nor the provider proves it. A person decides on the page of the call."
)
SENT_AGAIN = gettext_noop(
    "This send was recorded as not sent, and its people were sent to again or are being sent to, so they may get it twice."
)
NO_CONTACT = gettext_noop("No contact here has this id.")
STILL_THERE = gettext_noop("The provider still has the contact.")
BROKEN = gettext_noop("It was tried %(count)s times, and no worker came to the end of it. The log tells why.")
NOT_READ = gettext_noop("This provider cannot be asked about a single contact; the next pull tells.")


def waiting() -> QuerySet[Callback]:
    """The callbacks that may be processed now."""
    return Callback.objects.filter(Q(not_before=None) | Q(not_before__lt=timezone.now()), state=State.RECEIVED)


def accounts_with_work() -> list[int]:
    """Accounts that have callbacks nobody works on."""
    return list(waiting().values_list("account", flat=True).order_by("account").distinct())


def claim_accounts() -> list[int]:
    """Of the accounts with work, those for which this caller is to wake a worker: each is given to one caller only, and not at once again."""
    now = timezone.now()
    bring_nearer(Callback.objects.filter(state=State.RECEIVED), "not_before", longest=LONGEST_PAUSE, to=LEASE)
    rested = Q(callbacks_asked_at=None) | Q(callbacks_asked_at__lt=now - ASKED_EVERY)
    rested |= Q(callbacks_asked_at__gt=now + ASKED_EVERY)  # then the clock was set back
    accounts = ProviderAccount.objects.filter(rested)
    return [pk for pk in accounts_with_work() if accounts.filter(pk=pk).update(callbacks_asked_at=now)]


def forget_old() -> int:
    """Delete some of those that came long ago. Returns how many. Looks at the first rows only, so it costs nothing to call often."""
    first = Callback.objects.order_by("pk").values_list("pk", "received_at")[:FORGOTTEN_AT_ONCE]
    past = timezone.now() - KEPT_FOR
    old = [pk for pk, received_at in first if received_at < past]
    count, _by_model = Callback.objects.filter(pk__in=old).exclude(state=State.RECEIVED).delete() if old else (0, {})
    return count


def handle(account_id: int) -> None:
    """Work on everything that waits for this account. Never raises for a provider's error: it stands in the row."""
    account = ProviderAccount.objects.get(pk=account_id)
    _give_up(account)
    while told := _claim(account):
        _deliveries(account, [row for row in told if row.kind == CallbackEventKind.DELIVERY])
        _deletions(account, [row for row in told if row.kind == CallbackEventKind.CONTACT_DELETED])


def _claim(account: ProviderAccount) -> list[Callback]:
    with transaction.atomic(durable=True):
        rows = waiting().filter(account=account).order_by("pk")
        rows = rows.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        told = list(rows[:AT_ONCE])
        mine = Callback.objects.filter(pk__in=[row.pk for row in told])
        mine.update(attempts=F("attempts") + 1, not_before=timezone.now() + LEASE)
    for row in told:
        row.attempts += 1
    return told


def _give_up(account: ProviderAccount) -> None:
    """Give up on events that have crashed several workers, so that they do not crash the next one."""
    broken = waiting().filter(account=account, attempts__gte=MOST_ATTEMPTS)
    broken.update(
        state=State.FAILED, error=reason(BROKEN, count=MOST_ATTEMPTS), handled_at=timezone.now(), not_before=None
    )


# Messages


def _deliveries(account: ProviderAccount, told: Sequence[Callback]) -> None:
    meant = calls_meant(account, told)
    by_call: dict[int, list[Callback]] = {}
    for row in told:
        if row.pk in meant:
            by_call.setdefault(meant[row.pk].pk, []).append(row)
        elif row.attempts == 1:
            _later([row], reason(NO_SEND))  # it may be faster than the answer to the send
        else:
            _close([row], State.IGNORED, reason(NO_SEND))
    calls = {call.pk: call for call in meant.values()}
    accepted = [call for call in calls.values() if _is_accepted(call, by_call[call.pk])]
    failed = reports.pull_calls(accepted)
    for call in accepted:
        if error := failed.get(call.pk):
            _later(by_call[call.pk], reason_of(error), error=error)
        else:
            _close(by_call[call.pk], State.DONE)


def _is_accepted(call: Call, rows: Sequence[Callback]) -> bool:
    """Whether the report of the call can be asked for; if not, what was told of it waits or ends here."""
    is_named = any(row.our_reference == str(call.uuid) for row in rows)
    if call.state == Call.State.NOT_SENT and is_named and not open_again(call):
        _close(rows, State.IGNORED, reason(SENT_AGAIN))
        return False
    if call.state in OPEN:
        _later(rows, reason(TOO_EARLY))
    elif call.state == Call.State.UNKNOWN:
        try:
            _prove(call, rows)
        except ProviderError as error:
            _later(rows, reason_of(error), error=error)
            return False
        if call.state == Call.State.UNKNOWN:
            _close(rows, State.IGNORED, reason(NOT_PROVEN))
    elif call.state != Call.State.ACCEPTED:
        _close(rows, State.IGNORED, reason(NO_SEND))
    return call.state == Call.State.ACCEPTED


def _prove(call: Call, rows: Sequence[Callback]) -> None:
    """Accept a send of unknown outcome on the provider's signed word, or when it shows it with our reference. Raises `ProviderError`."""
    proof = next((row for row in rows if row.is_proven and row.our_reference == str(call.uuid)), None)
    if proof is not None:
        resolve_by_callback(call.uuid, proof.reference)
    elif call.run.campaign is not None:
        with Line(call.run.account) as line:
            search_unknown(call.run.campaign, line)
    call.refresh_from_db()


# Contacts


def _deletions(account: ProviderAccount, told: Sequence[Callback]) -> None:
    for row in told:
        try:
            _deletion(account, row)
        except ProviderError as error:
            _later([row], reason_of(error), error=error)


def _deletion(account: ProviderAccount, row: Callback) -> None:
    ours = Contact.objects.present().filter(phonebook__account=account, remote_id=row.contact_remote_id)
    ours = ours.exclude(sync_state=Contact.SyncState.MISSING)
    if not row.contact_remote_id or not ours.exists():
        return _close([row], State.IGNORED, reason(NO_CONTACT))
    with Line(account) as line:
        if not line.capabilities.can(Operation.READ_CONTACT):
            return _close([row], State.IGNORED, reason(NOT_READ))
        if has_contact(line, row.contact_remote_id):
            return _close([row], State.IGNORED, reason(STILL_THERE))
    ours.update(sync_state=Contact.SyncState.MISSING, sync_error=reason(GONE))
    return _close([row], State.DONE)


# Ends


def _close(rows: Sequence[Callback], state: str, why: dict[str, Any] | None = None) -> None:
    Callback.objects.filter(pk__in=[row.pk for row in rows], state=State.RECEIVED).update(
        state=state, error=why or {}, handled_at=timezone.now(), not_before=None
    )


def _later(rows: Sequence[Callback], why: dict[str, Any], *, error: ProviderError | None = None) -> None:
    """Wait, at least as long as the provider asked for; given up after `MOST_ATTEMPTS`."""
    asked_for = error.retry_after if isinstance(error, Throttled) and error.retry_after else 0.0
    for row in rows:
        if row.attempts >= MOST_ATTEMPTS:
            _close([row], State.FAILED, why)
            continue
        pause = max(asked_for, FIRST_PAUSE * 2 ** (row.attempts - 1))
        Callback.objects.filter(pk=row.pk, state=State.RECEIVED).update(
            not_before=timezone.now() + dt.timedelta(seconds=pause), error=why
        )
