"""How many contacts phonebooks hold, and how many of them are in step."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Q

from contactsync.models import Contact

SyncState = Contact.SyncState
CANNOT = "cannot"
#: what the columns and cards count
GROUPS = {
    "synced": (SyncState.SYNCED,),
    "waiting": tuple(Contact.WAITING),
    "failed": (SyncState.FAILED, SyncState.UNKNOWN, SyncState.MISSING),
}


def contact_counts(books: Iterable[int] | None = None) -> dict[int, dict[str, int]]:
    """Contacts of phonebooks (all when None) by state; beside the states "total", and "cannot" of those waiting.

    All less the deleted: both are read from an index alone, which counting the present ones is not.
    """
    rows = Contact.objects.order_by()
    if books is not None:
        rows = rows.filter(phonebook__in=list(books))
    counts: dict[int, dict[str, int]] = {}
    for sign, some in ((1, rows), (-1, rows.filter(deleted_at__isnull=False))):
        for book, state, count in some.values_list("phonebook", "sync_state").annotate(count=Count("*")):
            found = counts.setdefault(book, {"total": 0})
            found[state] = found.get(state, 0) + sign * count
            found["total"] += sign * count
    impossible = Contact.objects.present().order_by().filter(~Q(sync_error={}), sync_state__in=Contact.WAITING)
    if books is not None:
        impossible = impossible.filter(phonebook__in=list(books))
    for book, count in impossible.values_list("phonebook").annotate(count=Count("*")):
        counts.setdefault(book, {"total": 0})[CANNOT] = count
    return counts


def grouped(counts: dict[str, int]) -> dict[str, int]:
    """Total, in step, waiting, failed, and those that cannot be pushed as they are: a person has to correct them first."""
    found = {name: sum(counts.get(state, 0) for state in states) for name, states in GROUPS.items()}
    cannot = counts.get(CANNOT, 0)
    return {"total": counts.get("total", 0), **found, "waiting": found["waiting"] - cannot, "cannot": cannot}
