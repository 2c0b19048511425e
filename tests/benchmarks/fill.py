"""A large database for benchmarks: one phonebook of any size with its import, push, plan, comparison and campaign."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from contactsync.campaigns.counts import add_to_summary, equation
from contactsync.campaigns.summary import extremes
from contactsync.fingerprint import contact_fingerprint
from contactsync.models import (
    Call,
    Campaign,
    CampaignTarget,
    Contact,
    ImportChange,
    ImportIssue,
    ImportJob,
    InboundMessage,
    Phonebook,
    ProviderAccount,
    Recipient,
    Run,
    RunItem,
    Suppression,
)
from contactsync.models.bulk import Inserter, next_ids, time_ordered_uuids

AT_ONCE = 20_000
IN_A_CALL = 100
FIRST = [
    "Ali", "Sara", "Reza", "Maryam", "Hossein", "Zahra", "Mehdi", "Fatemeh", "John",
    "Anna", "علی", "سارا", "رضا", "مریم", "حسین", "زهرا", "مهدی", "فاطمه",
]  # fmt: skip
LAST = [
    "Ahmadi", "Hosseini", "Karimi", "Rahimi", "Moradi", "Smith", "Müller", "Rossi",
    "Tavakoli", "Ebrahimi", "احمدی", "حسینی", "کریمی", "رحیمی", "مرادی",
]  # fmt: skip
STATES = ["synced"] * 90 + ["new"] * 4 + ["changed"] * 3 + ["failed", "unknown", "missing"]
REFUSED = {"message": "The provider does not take this number."}


def phone(number: int) -> str:
    """The number of the contact with this number in the phonebook: each once, in no order."""
    return f"+98{9_100_000_000 + number * 6_364_137 % 100_000_007}"


def is_filled() -> bool:
    return Phonebook.objects.filter(title="Everybody").exists()


def fill(contacts: int, *, planned: int, say: Callable[[str], None] = print) -> None:
    """Write everything; of the plan and the comparison `planned` items."""
    from tests.factories import make_account, make_option, make_phonebook

    account = make_account(name="IPPanel", key=None)
    options = (make_option(account, "City"), make_option(account, "Birthday", kind="date"))
    book = make_phonebook(account, title="Everybody", options=options, remote_id="1")
    for number in range(30):
        make_phonebook(account, title=f"List {number}")
    first = _contacts(book, contacts, [str(option.pk) for option in options])
    say(f"{contacts} contacts")
    _import(book, first, contacts)
    say("import")
    _pushed(book, first, contacts)
    say("push")
    _planned(book, first, planned)
    _compared(book, first, planned)
    say("plan and comparison")
    _campaign(account, book, first, contacts)
    say("campaign")
    _written(account, contacts)
    _rejected(book, contacts)
    say("suppression list, replies and a file that was rejected")


def _chunks(total: int) -> Iterator[range]:
    for start in range(0, total, AT_ONCE):
        with transaction.atomic():
            yield range(start, min(start + AT_ONCE, total))


def _contacts(book: Phonebook, total: int, options: Sequence[str]) -> int:
    dice = random.Random(7)
    now = timezone.now()
    names = [
        "uuid", "phone", "first_name", "last_name", "options", "remote_id", "sync_state", "payload_hash", "pushed_hash",
        "pushed_payload", "sync_error", "deleted_at",
    ]  # fmt: skip
    inserter = Inserter(Contact, names, shared={"phonebook": book.pk, "created_at": now, "updated_at": now})
    for numbers in _chunks(total):
        rows = []
        for number, uuid in zip(numbers, time_ordered_uuids(len(numbers)), strict=True):
            first, last, state = dice.choice(FIRST), dice.choice(LAST), dice.choice(STATES)
            values = {options[0]: f"City {number % 500}"}
            told = dict.fromkeys(("prefix", "company", "email", "assigned_user", "note"), "")
            digest = contact_fingerprint(
                phone=phone(number), first_name=first, last_name=last, tags=(), options=values, **told
            )
            is_there = state not in {"new"}
            payload = {"phone": phone(number), "first_name": first, "last_name": last, "options": values}
            why = REFUSED if state in {"failed"} or (state == "new" and number % 5 == 0) else {}
            rows.append(
                (
                    uuid, phone(number), first, last, values, f"r{number}" if is_there else "", state, digest,
                    digest if state == "synced" else "", payload if is_there else None, why,
                    now if number % 200 == 0 else None,
                )
            )  # fmt: skip
        inserter.insert(rows)
    first_row = Contact.objects.filter(phonebook=book).order_by("pk").values_list("pk", flat=True)[0]
    return int(first_row)


def _import(book: Phonebook, first: int, total: int) -> None:
    job = ImportJob.objects.create(
        phonebook=book, file_name="everybody.csv", state=ImportJob.State.APPLIED, total_rows=total,
        counts={"created": total}, finished_at=timezone.now(),
    )  # fmt: skip
    inserter = Inserter(ImportChange, ["contact", "row", "line"], shared={"job": job.pk, "kind": "created"})
    for numbers in _chunks(total):
        inserter.insert([(first + number, number + 1, number + 2) for number in numbers])


def _written(account: ProviderAccount, total: int) -> None:
    """A reply of everybody, and everybody's number on the suppression list."""
    now = timezone.now()
    listed = Inserter(Suppression, ["phone", "reason"], shared={"source": "import", "since": now})
    shared = {"account": account.pk, "received_at": now, "created_at": now}
    replies = Inserter(InboundMessage, ["remote_id", "phone", "text"], shared=shared)
    for numbers in _chunks(total):
        listed.insert([(phone(number), f"list {number % 100}") for number in numbers])
        replies.insert([(f"m{number}", phone(number), f"Thank you {number}") for number in numbers])


def _rejected(book: Phonebook, total: int) -> None:
    """A file of which every row is wrong, as one with the columns mistaken."""
    checked = {"rows": total, "rejected": total, "codes": {"phone_invalid": total}}
    job = ImportJob.objects.create(phonebook=book, file_name="wrong.csv", state="checked", checked_counts=checked)
    shared = {"job": job.pk, "column": "Phone", "severity": "rejected", "code": "phone_invalid"}
    inserter = Inserter(ImportIssue, ["row", "line", "value", "cells"], shared=shared)
    for numbers in _chunks(total):
        inserter.insert([(number + 1, number + 2, f"0912{number}", ["0912", "Ali"]) for number in numbers])


def _run(book: Phonebook, kind: str, state: str, **fields: Any) -> Run:
    return Run.objects.create(kind=kind, state=state, phonebook=book, account=book.account, **fields)


def _calls(run: Run, total: int, operation: str, state: str) -> list[int]:
    """The ids of calls that carry so many contacts."""
    number = -(-total // IN_A_CALL)
    moment = timezone.now() if state != Call.State.PLANNED else None
    shared = {
        "run": run.pk, "operation": operation, "state": state, "item_count": IN_A_CALL, "seconds": 0.1,
        "request_line": "POST https://edge.ippanel.com/v1/api/phonebooks", "request_excerpt": '{"numbers": []}' * 60,
        "response_excerpt": '{"data": []}' * 60, "started_at": moment, "finished_at": moment,
        "status": 200 if moment else None, "attempts": 1 if moment else 0,
    }  # fmt: skip
    with transaction.atomic():
        ids = list(next_ids(Call, number))
        rows = zip(ids, time_ordered_uuids(number), range(1, number + 1), strict=True)
        Inserter(Call, ["id", "uuid", "sequence"], shared=shared).insert(rows)
    return ids


def _pushed(book: Phonebook, first: int, total: int) -> None:
    counts = {
        "planned": total,
        "done": total,
        "failed": 0,
        "unknown": 0,
        "not_attempted": 0,
        "pending": 0,
        "contacts": total,
    }
    run = _run(
        book, Run.Kind.PUSH, Run.State.FINISHED, plan={"create": total, "contacts": total, "calls": total // IN_A_CALL},
        counts={**counts, "balances": True}, plan_hash="x", started_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip
    calls = _calls(run, total, "create_contacts", Call.State.ACCEPTED)
    names = ["contact", "phone", "remote_id", "changes", "call"]
    inserter = Inserter(RunItem, names, shared={"run": run.pk, "operation": "create", "state": "done"})
    for numbers in _chunks(total):
        inserter.insert(
            (
                first + number, phone(number), f"r{number}",
                {"phone": ["", phone(number)], "first_name": ["", FIRST[number % len(FIRST)]]}, calls[number // IN_A_CALL],
            )
            for number in numbers
        )  # fmt: skip


def _planned(book: Phonebook, first: int, total: int) -> None:
    """A plan with updates, and with contacts that cannot be pushed."""
    impossible = total // 10
    plan = {"update": total - impossible, "cannot": impossible, "contacts": total, "calls": total - impossible}
    run = _run(book, Run.Kind.PUSH, Run.State.PLANNED, plan=plan, plan_hash="x")
    names = ["contact", "phone", "operation", "changes", "error"]
    inserter = Inserter(RunItem, names, shared={"run": run.pk})
    changes = {"first_name": ["Ali", "علی"], "option:City": ["City 1", "City 2"]}
    for numbers in _chunks(total):
        inserter.insert(
            (first + number, phone(number), "cannot" if number % 10 == 0 else "update", changes,
             REFUSED if number % 10 == 0 else {})
            for number in numbers
        )  # fmt: skip


def _compared(book: Phonebook, first: int, total: int) -> None:
    counts = {"contacts": total, "planned": total, "done": total, "different": total, "balances": True}
    run = _run(book, Run.Kind.PULL, Run.State.FINISHED, counts=counts, finished_at=timezone.now())
    inserter = Inserter(
        RunItem, ["contact", "phone", "changes"], shared={"run": run.pk, "operation": "different", "theirs": {}}
    )
    for numbers in _chunks(total):
        inserter.insert((first + number, phone(number), {"first_name": ["Ali", "علی"]}) for number in numbers)


def _campaign(account: ProviderAccount, book: Phonebook, first: int, total: int) -> None:
    campaign = Campaign.objects.create(
        account=account, title="To everybody", message="Hello", state=Campaign.State.SENT,
        summary={"considered": total, "recipients": total, "duplicate": 0, "excluded": {}, "balances": True},
        prepared_at=timezone.now(), finished_at=timezone.now(), reported_at=timezone.now(),
    )  # fmt: skip
    target = CampaignTarget.objects.create(campaign=campaign, phonebook=book)
    run = _run(book, Run.Kind.SEND, Run.State.FINISHED, campaign=campaign, started_at=timezone.now())
    calls = _calls(run, total, "send", Call.State.ACCEPTED)
    shared = {"campaign": campaign.pk, "target": target.pk, "text": "Hello", "parts": 1, "state": "accepted"}
    inserter = Inserter(Recipient, ["uuid", "contact", "phone", "name", "call", "delivery"], shared=shared)
    for numbers in _chunks(total):
        uuids = time_ordered_uuids(len(numbers))
        inserter.insert(
            (uuid, first + number, phone(number), FIRST[number % len(FIRST)], calls[number // IN_A_CALL],
             "delivered" if number % 20 else "undelivered")
            for number, uuid in zip(numbers, uuids, strict=True)
        )  # fmt: skip
    _ended(campaign, run)


def _ended(campaign: Campaign, run: Run) -> None:
    """What is kept of a campaign when it is prepared, when it has been sent, and when its report has been read."""
    sent = equation(campaign).as_counts
    told = campaign.recipients.order_by().values_list("delivery").annotate(Count("pk"))
    add_to_summary(campaign, sent=sent, report={"states": dict(told), "final": True}, examples=extremes(campaign))
    Run.objects.filter(pk=run.pk).update(counts=sent)
