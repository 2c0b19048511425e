"""Who goes into one call: recipients packed as full as the provider takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any

from django.db.models import QuerySet

from contactsync.campaigns.sources import CHUNK
from contactsync.models import Campaign, CampaignTarget, Recipient
from contactsync.sync.connect import Capabilities, Operation


@dataclass(frozen=True, slots=True)
class WholeTarget:
    """The provider's rows of a target are exactly its recipients, in a phonebook that held `count` contacts then.

    `digest` is that of the rows (`RemoteBook.digest`). `keyworded` is the text with the provider's own placeholders,
    where it is to fill them in.
    """

    count: int
    digest: str
    keyworded: str = ""


@dataclass(slots=True)
class Packet:
    """One call to be. Exactly one of `parts` (of phonebooks) and `texts` (text -> numbers) is filled."""

    text: str = ""
    parts: list[dict[str, Any]] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)  # phonebook at the provider -> contacts in it when planned
    frozen: list[dict[str, Any]] = field(default_factory=list)  # the digest of each whole part when planned
    keyworded: str = ""
    texts: dict[str, list[str]] = field(default_factory=dict)
    template: dict[str, Any] | None = None
    recipients: list[int] = field(default_factory=list)  # ids; empty with `whole`
    whole: list[int] = field(default_factory=list)  # targets all of whose recipients go here
    item_count: int = 0

    @property
    def target(self) -> dict[str, Any]:
        if self.parts:
            looked_at = {"counted": self.counted, "frozen": self.frozen} if self.counted else {}
            keyworded = {"keyworded": self.keyworded} if self.keyworded else {}
            return {"targets": self.parts, **looked_at, **keyworded}
        if len(self.texts) > 1:
            return {"texts": [{"numbers": numbers, "text": text} for text, numbers in self.texts.items()]}
        (numbers,) = self.texts.values()
        return {"numbers": numbers, **({"template": self.template} if self.template else {})}

    @property
    def message(self) -> str:
        """The text of the call where it has one."""
        return self.keyworded or self.text or (next(iter(self.texts)) if len(self.texts) == 1 else "")


class Packer:
    """Packs whoever waits for a call. `count` is told how many are reached in which way, and in which phonebook.

    With `is_one_by_one` every text has a call of its own.
    """

    def __init__(
        self,
        campaign: Campaign,
        limits: Capabilities,
        *,
        count: Callable[[str, str, int], None],
        is_one_by_one: bool = False,
    ) -> None:
        self.campaign = campaign
        self.limits = limits
        self.count = count
        packs_texts = limits.can(Operation.SEND_TEXTS) and not is_one_by_one
        self.most_texts = limits.max_texts_per_send if packs_texts else 1

    @property
    def waiting(self) -> QuerySet[Recipient]:
        return Recipient.objects.filter(campaign=self.campaign, state=Recipient.State.PLANNED, call=None)

    def phonebooks(self, whole: Mapping[int, WholeTarget]) -> Iterator[Packet]:
        """Calls to phonebooks: as many parts in one as fit, but no more people than a call may carry, a whole phonebook aside."""
        packet = Packet(self.campaign.message)
        for target, part, recipients, people in self._parts(whole):
            keyworded = whole[target.pk].keyworded if target.pk in whole else ""
            full = len(packet.parts) >= self.limits.max_targets_per_send or keyworded != packet.keyworded
            if packet.parts and (full or packet.item_count + people > self.limits.max_numbers_per_send):
                yield packet
                packet = Packet(self.campaign.message)
            packet.keyworded = keyworded
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
                self.count(_way(target, whole[target.pk]), book.title, people)
                yield target, _all_part(target), [], people
            elif book.remote_id and self.limits.sends_chosen and not self.campaign.is_keyworded:
                for chunk in self._chosen(target):
                    self.count("chosen", book.title, len(chunk))
                    part = {"type": "detail", "phonebook_id": book.remote_id, "number_ids": [id_ for _, id_ in chunk]}
                    yield target, part, [pk for pk, _ in chunk], len(chunk)

    def _chosen(self, target: CampaignTarget) -> Iterator[list[tuple[int, str]]]:
        """(recipient, contact id at the provider) in chunks, by key: the rows are written to meanwhile."""
        rows = self.waiting.filter(target=target).exclude(remote_id="").order_by("pk").values_list("pk", "remote_id")
        last = 0
        while chunk := list(rows.filter(pk__gt=last)[: self.limits.max_numbers_per_send]):
            yield chunk
            last = chunk[-1][0]

    def templates(self) -> Iterator[Packet]:
        """Calls with the campaign's template, each to one person. Consent is looked at again when the call is made."""
        people = self.waiting.filter(template_values__isnull=False).order_by("pk")
        rows = people.values_list("pk", "phone", "text", "template_values")
        last = 0
        while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):  # by key: the rows are written to meanwhile
            last = chunk[-1][0]
            self.count("template", "", len(chunk))
            for pk, phone, text, values in chunk:
                use = template_use(self.campaign, values or {})
                yield Packet(texts={text: [phone]}, template=use, recipients=[pk], item_count=1)

    def numbers(self) -> Iterator[Packet]:
        """Calls to numbers, several texts in one where the provider takes them.

        No index has this order, so the rows are sorted before the first is read and written to.
        """
        most = self.limits.max_numbers_per_send
        rows = self.waiting.order_by("text", "pk").values_list("text", "pk", "phone").iterator(chunk_size=CHUNK)
        packet = Packet()
        for text, group in groupby(rows, key=lambda row: row[0]):
            while chunk := list(islice(group, most - packet.item_count)):
                self.count("numbers", "", len(chunk))
                packet.texts[text] = [phone for _, _, phone in chunk]
                packet.recipients += [pk for _, pk, _ in chunk]
                packet.item_count += len(chunk)
                if packet.item_count >= most or len(packet.texts) >= self.most_texts:
                    yield packet
                    packet = Packet()
        if packet.item_count:
            yield packet


def template_use(campaign: Campaign, values: Mapping[str, str]) -> dict[str, Any]:
    """The template as a call's target has it; only for people who have been found to be allowed to get it."""
    return {"id": campaign.template, "values": dict(values), "has_consent": True}


def _way(target: CampaignTarget, whole: WholeTarget) -> str:
    if whole.keyworded:
        return "keyworded"
    return "whole" if target.start is None and target.size is None else "slice"


def _all_part(target: CampaignTarget) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "all", "phonebook_ids": [target.phonebook.remote_id]}
    if target.start is not None:
        part["start"] = target.start
    if target.size is not None:
        part["size"] = target.size
    return part
