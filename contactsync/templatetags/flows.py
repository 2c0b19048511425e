"""Stored reasons, issues and changes in words, for the pages of long work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import template

from contactsync.admin.words import field_label, operation_label
from contactsync.imports.issues import describe_issue
from contactsync.imports.read import has_content
from contactsync.models import ImportIssue
from contactsync.models.reasons import describe
from contactsync.sync import guard
from contactsync.templatetags.contactsync import listed, with_jalali
from contactsync.text import isolated

register = template.Library()
register.filter("in_words", describe)
register.filter("issue_text", describe_issue)
register.filter("operation", operation_label)


class Change(NamedTuple):
    """One field of a contact at the provider and here."""

    label: str
    old: str
    new: str


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return listed(value)
    return "" if value is None else with_jalali(str(value))


@register.simple_tag
def changes(stored: Mapping[str, Any], titles: Mapping[str, str]) -> list[Change]:
    """The changes of a run item; `titles` maps keys of custom options to their titles."""
    return [
        Change(field_label(name, titles), *(_shown(side) for side in pair))
        for name, pair in stored.items()
        if isinstance(pair, list | tuple) and len(pair) == 2
    ]


@register.filter
def rest_of_row(issue: ImportIssue) -> str:
    """What else stands in the row, so that people know whom it is about; kept with the first issue of a row only."""
    return " · ".join(isolated(cell) for cell in issue.cells if has_content(cell) and cell != issue.value)


@register.simple_tag
def held_back() -> str:
    """Why no call may leave now; empty when calls may."""
    return describe(guard.why_held_back())
