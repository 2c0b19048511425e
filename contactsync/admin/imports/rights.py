"""Who may do what with an import: into a phonebook by the rights on imports, onto the suppression list by those on the list."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from contactsync.admin.common import may
from contactsync.models import ImportJob

Kind = ImportJob.Kind
#: kind of import -> what a person wants -> permission of the app; an undo takes numbers off the list
RIGHTS: dict[str, dict[str, str]] = {
    Kind.CONTACTS: {
        "view": "view_importjob",
        "add": "add_importjob",
        "undo": "undo_importjob",
        "export": "export_importjob",
    },
    Kind.SUPPRESSION: {
        "view": "view_suppression",
        "add": "add_suppression",
        "undo": "delete_suppression",
        "export": "view_suppression",
    },
}


def may_with(user: Any, what: str, job: ImportJob) -> bool:
    """Whether the person may do this with the import: "view", "add" (take it to its end), "undo" or "export"."""
    return may(user, RIGHTS[job.kind][what])


def require_with(request: HttpRequest, what: str, job: ImportJob) -> None:
    """Answer 403 unless the person may."""
    if not may_with(request.user, what, job):
        raise PermissionDenied


def kinds_seen_by(user: Any) -> list[str]:
    """The kinds of imports the person may look at."""
    return [kind for kind, rights in RIGHTS.items() if may(user, rights["view"])]
