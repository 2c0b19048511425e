"""Every model of the app, by the file of its subject."""

from __future__ import annotations

from contactsync.models.accounts import ProviderAccount, RequestPace
from contactsync.models.campaigns import Campaign, CampaignTarget, Recipient
from contactsync.models.contacts import Contact
from contactsync.models.evidence import Evidence
from contactsync.models.former import FormerContact
from contactsync.models.guard import Clearance, DatabaseMark
from contactsync.models.import_rows import ImportChange, ImportCorrection, ImportIssue
from contactsync.models.imports import ImportJob
from contactsync.models.inbound import Callback, InboundMessage
from contactsync.models.ledger import Call, Run
from contactsync.models.phonebooks import CustomOption, Phonebook, PhonebookOption
from contactsync.models.previews import ImportChunk, ImportPreview
from contactsync.models.run_items import RunItem
from contactsync.models.saved_mappings import SavedMapping
from contactsync.models.suppression import Suppression
from contactsync.models.undo import ImportUndo, ImportUndoChange

__all__ = [
    "Call",
    "Callback",
    "Campaign",
    "CampaignTarget",
    "Clearance",
    "Contact",
    "CustomOption",
    "DatabaseMark",
    "Evidence",
    "FormerContact",
    "ImportChange",
    "ImportChunk",
    "ImportCorrection",
    "ImportIssue",
    "ImportJob",
    "ImportPreview",
    "ImportUndo",
    "ImportUndoChange",
    "InboundMessage",
    "Phonebook",
    "PhonebookOption",
    "ProviderAccount",
    "Recipient",
    "RequestPace",
    "Run",
    "RunItem",
    "SavedMapping",
    "Suppression",
]
