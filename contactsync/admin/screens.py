"""Every screen. Imported once the apps of Django have registered theirs, so that ours can take their places."""

from __future__ import annotations

from django.contrib import admin
from django_tasks_db.models import DBTaskResult

from contactsync.admin import people, replies, suppression
from contactsync.admin.accounts import callbacks
from contactsync.admin.accounts import screen as accounts
from contactsync.admin.calls import screen as calls
from contactsync.admin.campaigns import recipients
from contactsync.admin.campaigns import screen as campaigns
from contactsync.admin.contacts import screen as contacts
from contactsync.admin.imports import saved_mappings
from contactsync.admin.imports import screen as imports
from contactsync.admin.phonebooks import options
from contactsync.admin.phonebooks import screen as phonebooks
from contactsync.admin.runs import screen as runs

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
