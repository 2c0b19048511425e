"""Rows and people for the tests of the screens of long work."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.urls import reverse

from contactsync.groups import ensure_groups
from contactsync.models import Call, Campaign, Contact, ImportIssue, ImportJob, Phonebook, Recipient, Run, RunItem
from tests.factories import make_account, make_campaign, make_contact, make_phonebook, make_user


def client_of(group: str = "", *, may: tuple[str, ...] = (), **fields: Any) -> Client:
    """A browser of somebody in this group, or with exactly these permissions."""
    if group and not Group.objects.filter(name=group).exists():  # emptied by a test with real transactions
        ensure_groups(apps, SimpleNamespace(connection=connection))
    user = make_user(group=group, **fields)
    for codename in may:
        user.user_permissions.add(Permission.objects.get(codename=codename, content_type__app_label="contactsync"))
    client = Client()
    client.force_login(user)
    return client


def address(row: Any, page: str = "change") -> str:
    return reverse(f"admin:contactsync_{row._meta.model_name}_{page}", args=[row.pk])


def text_of(response: Any) -> str:
    """What the page says, on one line, without the spaces of the template."""
    return " ".join(response.content.decode().split())


def make_job(phonebook: Phonebook | None = None, **fields: Any) -> ImportJob:
    return ImportJob.objects.create(
        **{
            "phonebook": phonebook or make_phonebook(),
            "file_name": "people.csv",
            "state": ImportJob.State.APPLIED,
            "total_rows": 5,
            "position": 5,
            "counts": {
                "rows": 5,
                "created": 2,
                "updated": 1,
                "unchanged": 0,
                "duplicate": 1,
                "rejected": 1,
                "warnings": 0,
                "suppressed": 0,
                "balances": True,
                "differs_from_check": False,
            },
            **fields,
        }
    )


def make_issue(job: ImportJob, line: int, **fields: Any) -> ImportIssue:
    return ImportIssue.objects.create(
        **{
            "job": job,
            "row": line - 1,
            "line": line,
            "severity": "rejected",
            "code": "phone_too_short",
            "column": "Mobile",
            "value": "0912",
            **fields,
        }
    )


def make_run(phonebook: Phonebook | None = None, *, items: int = 0, **fields: Any) -> Run:
    """A planned push that would create `items` contacts in one call."""
    book = phonebook or make_phonebook()
    run = Run.objects.create(
        **{
            "kind": Run.Kind.PUSH,
            "account": book.account,
            "phonebook": book,
            "state": Run.State.PLANNED,
            "plan": {"create": items, "update": 0, "delete": 0, "adopt": 0, "unchanged": 0, "cannot": 0, "calls": 1},
            "plan_hash": "a" * 64,
            **fields,
        }
    )
    if items:
        call = Call.objects.create(run=run, sequence=1, operation="create_contacts", item_count=items)
        for _ in range(items):
            contact = make_contact(book)
            RunItem.objects.create(run=run, contact=contact, phone=contact.phone, operation="create", call=call)
    return run


def make_prepared(people: int = 2, *, left_out: int = 0, **fields: Any) -> Campaign:
    """A prepared campaign with its frozen audience and its planned run, as `freeze` leaves it."""
    account = fields.pop("account", None) or make_account()
    book = make_phonebook(account)
    campaign = make_campaign(
        account,
        **{
            "state": Campaign.State.PREPARED,
            "audience_hash": "b" * 64,
            "summary": {
                "considered": people + left_out,
                "recipients": people,
                "duplicate": 0,
                "excluded": {"suppressed": left_out} if left_out else {},
                "balances": True,
                "parts": people,
                "parts_min": 1,
                "parts_max": 1,
                "sender": "+983000505",
                "warnings": [],
                "calls": [{"message": "By phone number: %(people)s", "params": {"people": people}}],
                "call_count": 1,
            },
            **fields,
        },
    )
    campaign.targets.create(phonebook=book)
    run = Run.objects.create(
        kind=Run.Kind.SEND, account=account, campaign=campaign, state=Run.State.PLANNED, plan_hash="b" * 64
    )
    call = Call.objects.create(run=run, sequence=1, operation="send_to_numbers", item_count=people)
    for _ in range(people):
        add_recipient(campaign, make_contact(book), call=call)
    for _ in range(left_out):
        add_recipient(campaign, make_contact(book), state="excluded", exclusion="suppressed")
    return campaign


def add_recipient(campaign: Campaign, contact: Contact, **fields: Any) -> Recipient:
    return Recipient.objects.create(
        **{
            "campaign": campaign,
            "contact": contact,
            "phone": contact.phone,
            "name": contact.full_name,
            "text": campaign.message,
            "parts": 1,
            **fields,
        }
    )


def make_unknown_send() -> Call:
    """A send whose outcome nobody knows, with two people in it."""
    campaign = make_prepared(2, state=Campaign.State.ATTENTION)
    run = campaign.runs.get()
    Run.objects.filter(pk=run.pk).update(state=Run.State.ATTENTION)
    call = run.calls.get()
    Call.objects.filter(pk=call.pk).update(state=Call.State.UNKNOWN, attempts=1)
    campaign.recipients.update(state=Recipient.State.UNKNOWN)
    call.refresh_from_db()
    return call
