"""Suppression and deletion win over what was frozen: who is to be left out since."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from contactsync.campaigns.counts import add_to_summary
from contactsync.campaigns.summary import rows_by_exclusion
from contactsync.models import Campaign, Contact, Recipient, Suppression


def _suppressed() -> Q:
    return Q(Exists(Suppression.objects.filter(phone=OuterRef("phone"))))


def _deleted() -> Q:
    """The contact is marked as deleted, or its row is gone. A stranger never had one."""
    marked = Contact.objects.filter(deleted_at__isnull=False, pk=OuterRef("contact_id"))
    return Q(Exists(marked)) | Q(contact=None, is_stranger=False)


def to_leave_out(people: QuerySet[Recipient]) -> QuerySet[Recipient]:
    """Those of `people` whose number was suppressed, or whose contact was deleted, after the freeze."""
    return people.filter(_suppressed() | _deleted())


def leave_out(campaign: Campaign, people: QuerySet[Recipient]) -> int:
    """Exclude them, the equation still true. Returns how many. Inside the caller's transaction."""
    changes: dict[str, Any] = {"state": Recipient.State.EXCLUDED, "call": None, "error": {}}
    left_out = people.filter(_suppressed()).update(exclusion=Recipient.Exclusion.SUPPRESSED, **changes)
    left_out += people.filter(_deleted()).update(exclusion=Recipient.Exclusion.DELETED, **changes)
    if left_out:
        excluded = rows_by_exclusion(campaign)
        add_to_summary(campaign, recipients=excluded.pop("", 0), excluded=excluded)
    return left_out
