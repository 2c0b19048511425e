"""Every screen. Imported once the apps of Django have registered theirs, so that ours can take their places."""

from __future__ import annotations

from django.contrib import admin
from django_tasks_db.models import DBTaskResult

from contactsync.admin import (
    accounts,
    callbacks,
    calls,
    campaigns,
    contacts,
    imports,
    options,
    people,
    phonebooks,
    recipients,
    replies,
    runs,
    saved_mappings,
    suppression,
)

# A task is only a wake-up call. What becomes of the work stands on the pages of imports, runs and campaigns.
admin.site.unregister(DBTaskResult)

__all__ = [
    "accounts",
    "callbacks",
    "calls",
    "campaigns",
    "contacts",
    "imports",
    "options",
    "people",
    "phonebooks",
    "recipients",
    "replies",
    "runs",
    "saved_mappings",
    "suppression",
]
