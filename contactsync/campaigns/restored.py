"""After a restored backup: what the logbook says has left is nobody's to send again, and a person's word lets calls out."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contactsync.campaigns.calls import plan_calls
from contactsync.models import Call, Campaign, Clearance, ProviderAccount, Recipient, Run
from contactsync.models.reasons import describe, reason
from contactsync.models.transitions import StepRefused
from contactsync.sync import guard, sends
from contactsync.sync.connect import SENDS, Operation, ProviderError, SendReport, capabilities, error_text

LEFT = gettext_noop(
    "The log of this machine says that this call left at %(time)s; the database was restored to an earlier state and does "
    "not know its outcome. It is not sent again by itself."
)
RUN_LEFT = gettext_noop(
    "Calls of it left after the backup that was restored: %(calls)s. Their outcome is not known here. Decide about them, "
    "then continue with those who were not written to."
)
PERHAPS_LEFT = gettext_noop(
    "A campaign with this number and title was sent after the backup that was restored: calls: %(calls)s, the last at "
    "%(time)s. Look in the provider's panel before you send it again."
)
EARLIER = dt.timedelta(minutes=1)  # clocks differ
MOST_SHOWN = 200  # sends of one account
LONGEST_ASK = 30.0  # seconds
TOOK_TOO_LONG = gettext_noop("The providers took too long, so this one was not asked to the end. Ask once more.")
#: runs that would go on
_OPEN = frozenset({Run.State.PLANNED, Run.State.QUEUED, Run.State.RUNNING, Run.State.PAUSED})
_SENDABLE = frozenset({Campaign.State.PREPARED, Campaign.State.WAITING, Campaign.State.SENDING, Campaign.State.PAUSED})


@dataclass(slots=True)
class Lost:
    """What left of one campaign or phonebook after the backup."""

    account: str
    about: str
    is_send: bool
    run: Run | None  # None: this database does not have it
    campaign: Campaign | None
    entries: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def calls(self) -> int:
        return len(self._latest)

    @property
    def items(self) -> int:
        return sum(int(entry.get("items", 0)) for entry in self._latest.values())

    @property
    def _latest(self) -> dict[str, Mapping[str, Any]]:
        """By call: one that was asked to come back later has left more than once."""
        return {entry["call"]: entry for entry in self.entries}

    @property
    def is_one_minute(self) -> bool:
        """Whether its first and last call are shown with the same time."""
        return self.first.replace(second=0, microsecond=0) == self.last.replace(second=0, microsecond=0)

    @property
    def is_open(self) -> bool:
        """Whether the run would go on, so that it is paused by the word of a person."""
        return self.run is not None and self.run.state in _OPEN

    @property
    def first(self) -> dt.datetime:
        return _time(self.entries[0])

    @property
    def last(self) -> dt.datetime:
        return _time(self.entries[-1])


def lost_work(entries: Iterable[Mapping[str, Any]]) -> list[Lost]:
    """The calls that left after the backup, by the run they were of; sends first."""
    entries = list(entries)
    runs = {
        str(run.uuid): run
        for run in Run.objects.filter(uuid__in={entry["run"] for entry in entries}).select_related("campaign")
    }
    groups: dict[str, Lost] = {}
    for entry in entries:
        run = runs.get(entry["run"])
        if entry["run"] not in groups:
            is_send = entry["operation"] in SENDS
            campaign = run.campaign if run else _same_campaign(entry)
            groups[entry["run"]] = Lost(entry["account"], entry["about"], is_send, run, campaign)
        groups[entry["run"]].entries.append(entry)
    return sorted(groups.values(), key=lambda lost: not lost.is_send)


def sendable() -> list[Campaign]:
    """Campaigns that this database would let out: those to look for where no log says what has left."""
    return list(Campaign.objects.filter(state__in=_SENDABLE).select_related("account").order_by("-id")[:100])


@dataclass(frozen=True, slots=True)
class Shown:
    """What one account's provider shows since the backup, or why it does not."""

    account: ProviderAccount
    sends: list[SendReport]
    why_not: str = ""


class TookTooLong(ProviderError):
    """A person waits for the page."""

    def __init__(self) -> None:
        super().__init__(TOOK_TOO_LONG)


def ask_providers(since: dt.datetime) -> list[Shown]:
    """What each account's provider took since then, as far as it can be asked. Reads only; a person waits for it, so
    that after `LONGEST_ASK` seconds nothing more is asked."""
    give_up_at = time.monotonic() + LONGEST_ASK

    def pulse() -> None:
        if time.monotonic() >= give_up_at:
            raise TookTooLong

    return [_ask(account, since, pulse) for account in ProviderAccount.objects.order_by("name")]


def _ask(account: ProviderAccount, since: dt.datetime, pulse: Callable[[], None]) -> Shown:
    try:
        limits = capabilities(account)
        if not limits.can(Operation.FIND_SENDS):
            return Shown(account, [], describe(reason(limits.why_not(Operation.FIND_SENDS))))
        pulse()
        return Shown(account, sends.sends_since(account, since - EARLIER, most=MOST_SHOWN, pulse=pulse))
    except ProviderError as error:
        return Shown(account, [], error_text(error))


def lost_since(found: guard.Finding) -> dt.datetime | None:
    """From when on this database may miss calls; None when it knows of none at all."""
    calls = found.lost.get("calls") or []
    if calls:
        return _time(calls[0])
    latest = Call.objects.exclude(started_at=None).order_by("-started_at").values_list("started_at", flat=True)
    return latest.first()


def allow_again(*, by: str, note: str = "") -> Clearance:
    """A person has compared: calls may leave again, but for those that the logbook says have left; these are of unknown outcome.

    Their campaigns and runs are paused. Raises `StepRefused` when nothing is held back or something has to be mended
    first, and `guard.HeldBack` when the logbook cannot be begun anew.
    """
    found = guard.finding()
    if found is None:
        raise StepRefused(_("Nothing is held back: calls may go out."))
    if not found.clearable:
        raise StepRefused(describe(found.why))
    with transaction.atomic():
        for lost in lost_work(found.lost.get("calls", ())):
            _keep_back(lost)
        clearance = guard.clear(found, by=by, note=note)
    guard.begin_anew()
    return clearance


def _keep_back(lost: Lost) -> None:
    if lost.run is None:
        if lost.campaign is not None:
            why = reason(PERHAPS_LEFT, calls=lost.calls, time=guard.moment(lost.last))
            Campaign.objects.filter(pk=lost.campaign.pk).update(error=why)
        return
    run, times = lost.run, {entry["call"]: _time(entry) for entry in lost.entries}
    planned = Call.objects.filter(run=run, state=Call.State.PLANNED)
    known = set(map(str, Call.objects.filter(run=run, uuid__in=times).values_list("uuid", flat=True)))
    if known != set(times):  # planned anew after the backup, so that nobody can say which of these have left
        if run.campaign is not None and not run.calls.exists():
            plan_calls(run)
        times = {str(uuid): lost.first for uuid in planned.values_list("uuid", flat=True)}
    repeatable = capabilities(run.account).safe_to_repeat
    for call in planned.filter(uuid__in=times):
        if call.operation not in repeatable:
            _set_open(call, times[str(call.uuid)])
    if run.state in _OPEN and lost.is_send:
        why = reason(RUN_LEFT, calls=lost.calls)
        release: dict[str, Any] = {"lease_owner": "", "lease_until": None, "error": why}
        Run.objects.filter(pk=run.pk, state__in=_OPEN).update(state=Run.State.PAUSED, **release)
        Campaign.objects.filter(runs=run, state__in=_SENDABLE).update(state=Campaign.State.PAUSED, error=why)


def _set_open(call: Call, left_at: dt.datetime) -> None:
    """It may have been carried out. A send waits for a decision; anything else is looked for by the next worker of its run."""
    why = reason(LEFT, time=guard.moment(left_at))
    Call.objects.filter(pk=call.pk, state=Call.State.PLANNED).update(
        state=Call.State.UNKNOWN, started_at=left_at, finished_at=left_at, attempts=call.attempts + 1, error=why
    )
    Recipient.objects.filter(call=call, state=Recipient.State.PLANNED).update(state=Recipient.State.UNKNOWN, error=why)


def _same_campaign(entry: Mapping[str, Any]) -> Campaign | None:
    """The campaign of this number, if it is the same one: a number may be given anew after a restore."""
    number = int(entry.get("campaign") or 0)
    return Campaign.objects.filter(pk=number, title=entry["about"], created_at__lte=_time(entry)).first()


def _time(entry: Mapping[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(entry["at"])
