"""How far long work has come: for the bar on the page, and for the script that moves it."""

from __future__ import annotations

from contactsync.admin.progress.bar import Progress, time_left
from contactsync.admin.progress.campaigns import (
    cancel_mark,
    of_campaign,
    of_cancellation,
    of_report,
    of_waiting,
    report_mark,
    rest_of_campaign,
)
from contactsync.admin.progress.counts import RUN_BUSY
from contactsync.admin.progress.imports import UNDO_BUSY, of_import, of_undo
from contactsync.admin.progress.runs import of_run, rest_of_run

__all__ = [
    "RUN_BUSY",
    "UNDO_BUSY",
    "Progress",
    "cancel_mark",
    "of_campaign",
    "of_cancellation",
    "of_import",
    "of_report",
    "of_run",
    "of_undo",
    "of_waiting",
    "report_mark",
    "rest_of_campaign",
    "rest_of_run",
    "time_left",
]
