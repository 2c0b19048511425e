"""The calls that will carry a campaign: planned from the frozen recipients, each recipient in exactly one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from contactsync.campaigns.problems import CampaignProblem, frozen_sender
from contactsync.campaigns.sources import CHUNK
from contactsync.models import Call, Campaign, CampaignTarget, Recipient, Run
from contactsync.models.reasons import reason
from contactsync.models.transitions import transition
from contactsync.placeholders import placeholders
from contactsync.sync import sends
from contactsync.sync.connect import Capabilities, Operation, capabilities


@dataclass(frozen=True, slots=True)
class WholeTarget:
    """The provider's rows of a target are exactly its recipients, in a phonebook that held `count` contacts then.

    `digest` is that of the rows (`RemoteBook.digest`).
    """

    count: int
    digest: str


@dataclass(slots=True)
class Packet:
    """One call to be: parts of phonebooks, or numbers, for recipients who all get one text."""

    text: str
    parts: list[dict[str, Any]] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)  # phonebook at the provider -> contacts in it when planned
    frozen: list[dict[str, Any]] = field(default_factory=list)  # the digest of each whole part when planned
    numbers: list[str] = field(default_factory=list)
    recipients: list[int] = field(default_factory=list)  # ids; empty with `whole`
    whole: list[int] = field(default_factory=list)  # targets all of whose recipients go here
    item_count: int = 0

    @property
    def operation(self) -> Operation:
        return Operation.SEND_TO_PHONEBOOK if self.parts else Operation.SEND_TO_NUMBERS

    @property
    def target(self) -> dict[str, Any]:
        if self.numbers:
            return {"numbers": self.numbers}
        looked_at = {"counted": self.counted, "frozen": self.frozen} if self.counted else {}
        return {"targets": self.parts, **looked_at}


def create_run(campaign: Campaign, *, audience_hash: str, created_by: User | None = None) -> Run:
    """A send of this campaign, planned and waiting for a person's word."""
    scheduled_for = campaign.scheduled_for.isoformat() if campaign.scheduled_for else ""
    return Run.objects.create(
        kind=Run.Kind.SEND,
        account_id=campaign.account_id,
        campaign=campaign,
        state=Run.State.PLANNED,
        plan={"sender": frozen_sender(campaign), "send_at": scheduled_for},
        plan_hash=audience_hash,
        created_by=created_by,
    )


def discard_plan(campaign: Campaign) -> None:
    """Drop a run that was planned and never approved; its calls will never be made."""
    for run in Run.objects.filter(campaign=campaign, kind=Run.Kind.SEND, state=Run.State.PLANNED):
        transition(run, Run.State.DISCARDED, table=Run.TRANSITIONS, finished_at=timezone.now())
        Call.objects.filter(run=run, state=Call.State.PLANNED).update(state=Call.State.NOT_SENT)


def plan_calls(run: Run, *, whole: Mapping[int, WholeTarget] | None = None) -> dict[str, Any]:
    """Create the planned calls for every recipient who waits, inside the caller's transaction.

    A target in `whole` is sent to as a whole (or as the slice it is); other recipients of a text
    without placeholders by their contact ids where those are known; everybody else by number, text
    by text. Returns what is shown of it. Raises `CampaignProblem` when the provider would refuse a call.
    """
    campaign = run.campaign
    if campaign is None:
        raise ValueError("This run sends no campaign.")
    planner = _Planner(run, campaign, capabilities(campaign.account))
    if not placeholders(campaign.message) and planner.limits.can(Operation.SEND_TO_PHONEBOOK):
        planner.save(planner.phonebook_packets(whole or {}))
    planner.save(planner.number_packets())
    return {"call_count": planner.sequence, "calls": planner.lines()}


class _Planner:
    def __init__(self, run: Run, campaign: Campaign, limits: Capabilities) -> None:
        self.run = run
        self.campaign = campaign
        self.limits = limits
        self.sequence = 0
        self.people: dict[tuple[str, str], int] = {}  # (how, phonebook title) -> people
        self.send_at = campaign.scheduled_for

    @property
    def waiting(self) -> QuerySet[Recipient]:
        return Recipient.objects.filter(campaign=self.campaign, state=Recipient.State.PLANNED, call=None)

    def save(self, packets: Iterator[Packet]) -> None:
        """Write the calls, many at a time, and give each recipient its call."""
        while batch := list(islice(packets, 500)):
            rows = Call.objects.bulk_create([self._call(packet) for packet in batch])
            singles = []
            for call, packet in zip(rows, batch, strict=True):
                if len(packet.recipients) == 1:
                    singles.append(Recipient(pk=packet.recipients[0], call=call))
                elif packet.recipients:
                    Recipient.objects.filter(pk__in=packet.recipients).update(call=call)
                if packet.whole:
                    self.waiting.filter(target__in=packet.whole).update(call=call)
            Recipient.objects.bulk_update(singles, ["call"], batch_size=CHUNK)

    def _call(self, packet: Packet) -> Call:
        sender = self.run.plan["sender"]
        problem = sends.message_problem(
            self.campaign.account, packet.target, sender=sender, text=packet.text, send_at=self.send_at
        )
        if problem:
            raise CampaignProblem([problem])
        self.sequence += 1
        return Call(
            run=self.run,
            sequence=self.sequence,
            operation=packet.operation,
            target=packet.target,
            item_count=packet.item_count,
        )

    def phonebook_packets(self, whole: Mapping[int, WholeTarget]) -> Iterator[Packet]:
        """Calls to phonebooks: as many parts in one as fit, but no more people than a call may carry, a whole phonebook aside."""
        packet = Packet(self.campaign.message)
        for target, part, recipients, people in self._parts(whole):
            full = len(packet.parts) >= self.limits.max_targets_per_send
            if packet.parts and (full or packet.item_count + people > self.limits.max_numbers_per_send):
                yield packet
                packet = Packet(self.campaign.message)
            packet.parts.append(part)
            packet.item_count += people
            packet.recipients += recipients
            if not recipients:
                packet.whole.append(target.pk)
                packet.counted[target.phonebook.remote_id] = whole[target.pk].count
                packet.frozen.append(
                    {
                        "phonebook_id": target.phonebook.remote_id,
                        "start": target.start,
                        "size": target.size,
                        "digest": whole[target.pk].digest,
                    }
                )
        if packet.parts:
            yield packet

    def _parts(
        self, whole: Mapping[int, WholeTarget]
    ) -> Iterator[tuple[CampaignTarget, dict[str, Any], list[int], int]]:
        """(target, its part as the API has it, recipients, people); no recipients listed: all of the target."""
        for target in self.campaign.targets.select_related("phonebook").order_by("pk"):
            book = target.phonebook
            if target.pk in whole:
                people = self.waiting.filter(target=target).count()
                self._count("whole" if target.start is None and target.size is None else "slice", book.title, people)
                yield target, _all_part(target), [], people
            elif book.remote_id:
                for chunk in self._chosen(target):
                    self._count("chosen", book.title, len(chunk))
                    part = {"type": "detail", "phonebook_id": book.remote_id, "number_ids": [id_ for _, id_ in chunk]}
                    yield target, part, [pk for pk, _ in chunk], len(chunk)

    def _chosen(self, target: CampaignTarget) -> Iterator[list[tuple[int, str]]]:
        """(recipient, contact id at the provider) in chunks, by key: the rows are written to meanwhile."""
        rows = self.waiting.filter(target=target).exclude(remote_id="").order_by("pk").values_list("pk", "remote_id")
        last = 0
        while chunk := list(rows.filter(pk__gt=last)[: self.limits.max_numbers_per_send]):
            yield chunk
            last = chunk[-1][0]

    def number_packets(self) -> Iterator[Packet]:
        """Calls to numbers, text by text. No index has this order, so the rows are sorted before the first is read and written to."""
        rows = self.waiting.order_by("text", "pk").values_list("text", "pk", "phone").iterator(chunk_size=CHUNK)
        for text, group in groupby(rows, key=lambda row: row[0]):
            while chunk := list(islice(group, self.limits.max_numbers_per_send)):
                self._count("numbers", "", len(chunk))
                yield Packet(
                    text,
                    numbers=[phone for _, _, phone in chunk],
                    recipients=[pk for _, pk, _ in chunk],
                    item_count=len(chunk),
                )

    def _count(self, how: str, title: str, people: int) -> None:
        self.people[how, title] = self.people.get((how, title), 0) + people

    def lines(self) -> list[dict[str, Any]]:
        """How the people are reached, a line per way and phonebook, for `describe()`."""
        return [
            reason(_LINES[how], people=people, **({"title": title} if title else {}))
            for (how, title), people in self.people.items()
        ]


_LINES = {
    "whole": gettext_noop("Everybody in the phonebook “%(title)s” at the provider: %(people)s"),
    "slice": gettext_noop("Rows of the phonebook “%(title)s” at the provider: %(people)s"),
    "chosen": gettext_noop("Contacts of the phonebook “%(title)s”, one by one: %(people)s"),
    "numbers": gettext_noop("By phone number: %(people)s"),
}


def _all_part(target: CampaignTarget) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "all", "phonebook_ids": [target.phonebook.remote_id]}
    if target.start is not None:
        part["start"] = target.start
    if target.size is not None:
        part["size"] = target.size
    return part
