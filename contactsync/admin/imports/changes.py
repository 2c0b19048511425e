"""What an import would change, or has changed, field by field; and what is not as it was when the file was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from contactsync.admin.contacts.fields import Changed, changed_by, shown
from contactsync.admin.search import by_number
from contactsync.admin.tables import Table
from contactsync.admin.words import field_label
from contactsync.imports.agree import MOST_LINES, describe_kind, difference_of
from contactsync.imports.issues import sentence
from contactsync.models import Contact, CustomOption, ImportChange, ImportJob, ImportPreview
from contactsync.templatetags.contactsync import number

#: before the names of this table in the address
PREFIX = "change-"
LONGEST_LINE = 9


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file, and what it does to its contact."""

    line: int
    phone: str
    changes: list[Changed]
    comes_back: bool


@dataclass(frozen=True, slots=True)
class Rejection:
    """One reason why rows are rejected."""

    code: str
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What the real run has found otherwise than the check, in words."""

    kinds: list[str]
    lines: list[int]
    has_more: bool


def of_check(request: HttpRequest, job: ImportJob) -> dict[str, Any]:
    """What the checked page shows of the changes, and of what is rejected."""
    fields, codes = (_by_count(job.checked_counts.get(name, {})) for name in ("fields", "codes"))
    found: dict[str, Any] = {
        "rejections": [Rejection(code, Truncator(sentence(code)).chars(60), count) for code, count in codes]
    }
    if not job.checked_counts.get("updated"):
        return found
    titles = _titles(job)
    labelled = [(_label(name, titles), count) for name, count in fields]
    table = Table(request, job.previews.all(), search=_search_previews, prefix=PREFIX)
    lines = [_line(row, titles) for row in table.page.object_list]
    return found | {"changes": table, "changed_fields": labelled, "change_lines": lines}


def of_result(request: HttpRequest, job: ImportJob) -> dict[str, Any]:
    """What the result page shows of the changes, and of what was not as checked."""
    found: dict[str, Any] = {"difference": difference_in_words(job)}
    if job.counts and job.compared_until is not None:
        found["not_compared_from"] = job.compared_until + 1
    if not job.counts.get("updated"):
        return found
    titles = _titles(job)
    rows = job.changes.filter(kind=ImportChange.Kind.UPDATED).order_by("row")
    table = Table(request, rows, search=partial(_search_changes, job), prefix=PREFIX)
    page = list(table.page.object_list)
    there = Contact.objects.in_bulk({row.contact_id for row in page})
    lines = [
        Line(
            row.line,
            there[row.contact_id].phone if row.contact_id in there else "",
            changed_by(row, titles),
            "deleted_at" in ((row.before or {}).get("set") or {}),
        )
        for row in page
    ]
    return found | {"changes": table, "change_lines": lines}


def difference_in_words(job: ImportJob) -> Difference | None:
    """Why the import stopped before rows that are not as they were checked; None when that is not why it stands still."""
    found = difference_of(job)
    if not found:
        return None
    kinds: dict[str, int] = found["kinds"]
    words = [describe_kind(kind, count, number(count)) for kind, count in kinds.items()]
    return Difference(words, [line for line, _kind in found["lines"]], sum(kinds.values()) > MOST_LINES)


def _by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _titles(job: ImportJob) -> dict[str, str]:
    options = CustomOption.objects.filter(account=job.book.account_id).values_list("pk", "title")
    return {str(pk): title for pk, title in options}


def _label(name: str, titles: Mapping[str, str]) -> str:
    if name == "deleted_at":
        return _("deleted before, there again")
    return titles.get(name[7:], name[7:]) if name.startswith("option:") else field_label(name, {})


def _line(row: ImportPreview, titles: Mapping[str, str]) -> Line:
    changes = [
        Changed(_label(name, titles), shown(before), shown(after))
        for name, (before, after) in row.changes.items()
        if name != "deleted_at"
    ]
    return Line(row.line, row.phone, changes, "deleted_at" in row.changes)


def _is_line(words: str) -> bool:
    return words.isascii() and words.isdigit() and len(words) <= LONGEST_LINE


def _search_previews(rows: QuerySet[ImportPreview], words: str) -> QuerySet[ImportPreview]:
    if _is_line(words) and (exact := rows.filter(line=int(words))).exists():
        return exact
    numbers = by_number(rows, words)
    return rows.filter(changes__icontains=words) if numbers is None else numbers


def _search_changes(job: ImportJob, rows: QuerySet[ImportChange], words: str) -> QuerySet[ImportChange]:
    line = Q(line=int(words)) if _is_line(words) else Q(pk__in=[])
    contacts = by_number(Contact.objects.filter(phonebook=job.phonebook_id), words)
    return rows.filter(line if contacts is None else line | Q(contact__in=contacts.values("pk")))
