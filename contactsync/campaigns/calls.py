"""The calls that will carry a campaign: planned from the frozen recipients, each recipient in exactly one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.packets import Packer, Packet, WholeTarget
from contactsync.campaigns.problems import CampaignProblem, frozen_sender, is_scheduled_here
from contactsync.models import Call, Campaign, Recipient, Run
from contactsync.models.bulk import update_rows
from contactsync.models.reasons import reason
from contactsync.models.transitions import transition
from contactsync.placeholders import placeholders
from contactsync.sync import sends
from contactsync.sync.connect import Operation, capabilities

CALLS_AT_A_TIME = 500
PEOPLE_AT_A_TIME = 20_000


def create_run(campaign: Campaign, *, audience_hash: str, created_by: User | None = None) -> Run:
    """A send of this campaign, planned and waiting for a person's word.

    The plan says `send_at` when the provider keeps it for later, `begins_at` when this application does.
    """
    time = campaign.scheduled_for.isoformat() if campaign.scheduled_for else ""
    here = is_scheduled_here(campaign)
    return Run.objects.create(
        kind=Run.Kind.SEND,
        account_id=campaign.account_id,
        campaign=campaign,
        state=Run.State.PLANNED,
        plan={
            "sender": frozen_sender(campaign),
            "send_at": "" if here else time,
            "begins_at": time if here else "",
        },
        plan_hash=audience_hash,
        created_by=created_by,
    )


def sender_and_time(run: Run) -> tuple[str, dt.datetime | None]:
    """From whom the calls of a planned run are, and for when the provider is to keep them."""
    send_at = run.plan["send_at"]
    return run.plan["sender"], dt.datetime.fromisoformat(send_at) if send_at else None


def discard_plan(campaign: Campaign) -> None:
    """Drop a run that was planned and never approved; its calls will never be made."""
    for run in Run.objects.filter(campaign=campaign, kind=Run.Kind.SEND, state=Run.State.PLANNED):
        transition(run, Run.State.DISCARDED, table=Run.TRANSITIONS, finished_at=timezone.now())
        Call.objects.filter(run=run, state=Call.State.PLANNED).update(state=Call.State.NOT_SENT)


def plan_calls(
    run: Run, *, whole: Mapping[int, WholeTarget] | None = None, pulse: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Create the planned calls for every recipient who waits, inside the caller's transaction.

    Templates first, each to one person. A target in `whole` is sent to as a whole (or as the slice it is); other
    recipients of a text without placeholders by their contact ids where those are known and the provider takes them;
    everybody else by number, text by text, several texts in a call where the provider takes them. Returns what is
    shown of it. Raises `CampaignProblem` when the provider would refuse a call, and what `pulse` raises, which is felt
    from time to time.
    """
    campaign = run.campaign
    if campaign is None:
        raise ValueError("This run sends no campaign.")
    planner = _Planner(run, campaign, pulse)
    limits = capabilities(campaign.account)
    packer = Packer(campaign, limits, count=planner.count, is_one_by_one=run.plan.get("one_by_one", False))
    if campaign.template:
        planner.save(packer.templates())
    if sends_to_phonebooks(campaign):
        planner.save(packer.phonebooks(whole or {}))
    planner.save(packer.numbers())
    return {"call_count": planner.sequence, "calls": planner.lines()}


def sends_to_phonebooks(campaign: Campaign) -> bool:
    """Whether calls to phonebooks can carry this campaign: one text for everybody, or one the provider fills in."""
    limits = capabilities(campaign.account)
    if campaign.template:
        return False
    if campaign.is_keyworded:
        return limits.can(Operation.SEND_KEYWORDS)
    return limits.can(Operation.SEND_TO_PHONEBOOK) and not placeholders(campaign.message)


def _batches(packets: Iterator[Packet]) -> Iterator[list[Packet]]:
    """So many as are written at a time: many small calls, or few with many people."""
    batch: list[Packet] = []
    people = 0
    for packet in packets:
        batch.append(packet)
        people += len(packet.recipients)
        if len(batch) >= CALLS_AT_A_TIME or people >= PEOPLE_AT_A_TIME:
            yield batch
            batch, people = [], 0
    if batch:
        yield batch


class _Planner:
    def __init__(self, run: Run, campaign: Campaign, pulse: Callable[[], None]) -> None:
        self.run = run
        self.pulse = pulse
        self.campaign = campaign
        self.sequence = 0
        self.people: dict[tuple[str, str], int] = {}  # (how, phonebook title) -> people
        self.send_at = campaign.scheduled_for if run.plan["send_at"] else None

    def save(self, packets: Iterator[Packet]) -> None:
        """Write the calls, many at a time, and give each recipient its call."""
        waiting = Recipient.objects.filter(campaign=self.campaign, state=Recipient.State.PLANNED, call=None)
        for batch in _batches(packets):
            self.pulse()
            made = Call.objects.bulk_create([self._call(packet) for packet in batch])
            carried = []
            for call, packet in zip(made, batch, strict=True):
                carried += [(recipient, call.pk) for recipient in packet.recipients]
                if packet.whole:
                    waiting.filter(target__in=packet.whole).update(call=call)
            update_rows(Recipient, ["call"], carried)

    def _call(self, packet: Packet) -> Call:
        target, sender = packet.target, self.run.plan["sender"]
        problem = sends.message_problem(
            self.campaign.account, target, sender=sender, text=packet.message, send_at=self.send_at
        )
        if problem:
            raise CampaignProblem([problem])
        self.sequence += 1
        return Call(
            run=self.run,
            sequence=self.sequence,
            operation=sends.operation_of(target),
            target=target,
            item_count=packet.item_count,
        )

    def count(self, how: str, title: str, people: int) -> None:
        self.people[how, title] = self.people.get((how, title), 0) + people

    def lines(self) -> list[dict[str, Any]]:
        """How the people are reached, a line per way and phonebook, for `describe()`."""
        return [
            reason(_LINES[how], people=people, **({"title": title} if title else {}))
            for (how, title), people in self.people.items()
        ]


_LINES = {
    "whole": gettext_noop("Everybody in the phonebook “%(title)s” at the provider: %(people)s"),
    "keyworded": gettext_noop(
        "Everybody in the phonebook “%(title)s” at the provider, which fills in their values: %(people)s"
    ),
    "slice": gettext_noop("Rows of the phonebook “%(title)s” at the provider: %(people)s"),
    "chosen": gettext_noop("Contacts of the phonebook “%(title)s”, one by one: %(people)s"),
    "template": gettext_noop("With the template, one by one: %(people)s"),
    "numbers": gettext_noop("By phone number: %(people)s"),
}
