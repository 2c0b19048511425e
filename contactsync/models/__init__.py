"""Every model of the app, by the file of its subject."""

from __future__ import annotations

from contactsync.models.accounts import ProviderAccount, RequestPace
from contactsync.models.campaigns import Campaign, CampaignTarget, Recipient
from contactsync.models.imports import ImportChange, ImportIssue, ImportJob
from contactsync.models.inbound import Callback, InboundMessage
from contactsync.models.ledger import Call, Run, RunItem
from contactsync.models.phonebooks import Contact, CustomOption, Phonebook, PhonebookOption, Suppression

__all__ = [
    "Call",
    "Callback",
    "Campaign",
    "CampaignTarget",
    "Contact",
    "CustomOption",
    "ImportChange",
    "ImportIssue",
    "ImportJob",
    "InboundMessage",
    "Phonebook",
    "PhonebookOption",
    "ProviderAccount",
    "Recipient",
    "RequestPace",
    "Run",
    "RunItem",
    "Suppression",
]
