"""What a freeze has read and decided, counted on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from contactsync.campaigns.rows import NewRecipient
from contactsync.phone import country_of


@dataclass(slots=True)
class PriceGroup:
    """How many people get a text of this size, with one of the texts and whom that is for."""

    parts: int
    text: str
    phone: str
    people: int = 0


@dataclass(slots=True)
class Tally:
    """What was read and decided, counted while it happens and compared with the rows at the end."""

    targets: int = 0
    considered: int = 0
    duplicate: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    recipients: int = 0
    #: everybody whose message has the same price: by encoding, SMS parts, and country where that matters
    prices: dict[tuple[str, int, str], PriceGroup] = field(default_factory=dict)
    by_country: bool = False
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def count(self, row: NewRecipient) -> None:
        if row.exclusion:
            self.excluded[row.exclusion] += 1
            return
        self.recipients += 1
        phone = row.candidate.phone
        key = (row.encoding, row.parts, country_of(phone) if self.by_country else "")
        if key not in self.prices:
            self.prices[key] = PriceGroup(row.parts, row.text, phone)
        self.prices[key].people += 1
