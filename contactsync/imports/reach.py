"""Whom numbers concern that are to get no more messages: contacts by phonebook, people still waiting by campaign."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from contactsync.imports.settle import Outcome, Verdict
from contactsync.models import Campaign, Contact, Recipient
from contactsync.models.listed import among

State = Campaign.State
#: campaigns that may still send to those who wait; whom the provider holds already is out of our hands
OPEN = frozenset(
    {
        State.PREPARING, State.PREPARED, State.WAITING, State.SENDING, State.STOPPING, State.STOPPED, State.PAUSED,
        State.ATTENTION,
    }
)  # fmt: skip


class Reach:
    """Adds up, chunk by chunk. Two look-ups by index each, whatever the number of contacts."""

    def __init__(self) -> None:
        self._books: Counter[int] = Counter()
        self._campaigns: Counter[int] = Counter()

    def add(self, verdicts: Sequence[Verdict]) -> None:
        """Those of the rows that bring a new number."""
        numbers = [verdict.judged.phone for verdict in verdicts if verdict.outcome is Outcome.CREATED]
        if not numbers:
            return
        contacts = Contact.objects.filter(phone__in=among(numbers), deleted_at=None).order_by()
        self._books.update(contacts.values_list("phonebook_id", flat=True))
        people = Recipient.objects.filter(phone__in=among(numbers), state=Recipient.State.PLANNED).order_by()
        self._campaigns.update(people.filter(campaign__state__in=OPEN).values_list("campaign_id", flat=True))

    def as_json(self) -> dict[str, Any]:
        """How the counts of an import keep it: `books` and `campaigns`, id -> number of contacts or people."""
        return {
            name: {str(key): count for key, count in counted.items()}
            for name, counted in (("books", self._books), ("campaigns", self._campaigns))
        }
