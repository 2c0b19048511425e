"""What the pages of a file for the suppression list show beside those of any import: whom it concerns, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from contactsync.admin.common import link, may
from contactsync.models import Campaign, ImportJob, Phonebook

#: phonebooks and campaigns that are named, those with the most people first
NAMED = 10


@dataclass(frozen=True, slots=True)
class Share:
    """A phonebook or a campaign, and how many of its people the file concerns. `url` is empty for who may not open it."""

    title: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom the new numbers of a file concern, as the check found it."""

    contacts: int
    books: list[Share]
    books_total: int
    people: int
    campaigns: list[Share]
    campaigns_total: int


def concerned(request: HttpRequest, job: ImportJob) -> Concerned | None:
    """Whom it concerns; None for an import of contacts, or one that is not checked."""
    found: Mapping[str, Mapping[str, int]] = job.checked_counts.get("reach", {})
    if not found:
        return None
    books, campaigns = found["books"], found["campaigns"]
    return Concerned(
        contacts=sum(books.values()),
        books=_shares(Phonebook, books, may_open=may(request.user, "view_phonebook")),
        books_total=len(books),
        people=sum(campaigns.values()),
        campaigns=_shares(Campaign, campaigns, may_open=may(request.user, "view_campaign")),
        campaigns_total=len(campaigns),
    )


def _shares(model: Any, counts: Mapping[str, int], *, may_open: bool) -> list[Share]:
    largest = sorted(counts.items(), key=lambda pair: (-pair[1], int(pair[0])))[:NAMED]
    rows = model.objects.in_bulk([int(key) for key, _count in largest])
    return [
        Share(str(rows[int(key)]), count, link(rows[int(key)]) if may_open else "")
        for key, count in largest
        if int(key) in rows
    ]


def rules() -> list[str]:
    """What happens with numbers that are on the list already, in words."""
    return [_("Numbers that are on the list already stay as they are: the file only adds.")]
