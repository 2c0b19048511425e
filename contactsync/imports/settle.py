"""The final verdict on a row: what `judge` found, compared with what is in the phonebook. For the dry run and the real run alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contactsync.imports import issues
from contactsync.imports.consent import is_same
from contactsync.imports.issues import Problem
from contactsync.imports.judged import Judged
from contactsync.imports.tags import tags_after
from contactsync.models import Contact, ImportJob

Mode = ImportJob.Mode


class Outcome(StrEnum):
    """What becomes of a row. Every row gets exactly one."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(slots=True)
class Verdict:
    """What is to be done with a row. `changes` are the fields of its contact that differ.

    `there` is the id of a suppressed number that an earlier file had brought.
    """

    judged: Judged
    outcome: Outcome
    contact: Contact | None
    changes: dict[str, Any]
    problems: list[Problem]
    suppressed: bool
    there: int = 0


def settle(
    rows: Iterable[Judged],
    *,
    contacts: Mapping[str, Contact],
    suppressed: Collection[str],
    same: Collection[str] = frozenset(),
    mode: str = Mode.ADD_AND_UPDATE,
) -> list[Verdict]:
    """The final verdict on each row.

    `contacts` (by phone) and `suppressed` hold at least what concerns these rows, `same` the numbers whose contacts
    are known to stay as they are (`apply.compare`); those need not be among the contacts.
    """
    may_skip = mode != Mode.ADD_AND_UPDATE
    verdicts = []
    for judged in rows:
        phone = judged.phone
        contact, is_same = contacts.get(phone), phone in same
        if judged.rejected or judged.same_as_line:
            verdicts.append(left_out(judged))
        elif may_skip and (why := _why_skipped(mode, contact, is_same)):
            verdicts.append(_skipped(judged, why))
        else:
            verdicts.append(_settle(judged, contact, is_same, phone in suppressed))
    return verdicts


def _why_skipped(mode: str, contact: Contact | None, is_same: bool) -> str:
    """The code of what keeps a row from being used; a contact that was deleted here counts as not there."""
    is_deleted = contact is not None and contact.deleted_at is not None
    is_there = is_same or (contact is not None and not is_deleted)
    if mode == Mode.ADD_ONLY and is_there:
        return issues.SKIPPED_THERE
    if mode == Mode.UPDATE_ONLY and not is_there:
        return issues.SKIPPED_DELETED if is_deleted else issues.SKIPPED_MISSING
    return ""


def _skipped(judged: Judged, code: str) -> Verdict:
    why = Problem(severity=issues.SKIPPED, code=code, value=judged.phone)
    return Verdict(judged, Outcome.SKIPPED, None, {}, [why], suppressed=False)


def left_out(judged: Judged) -> Verdict:
    """The verdict on a row that is rejected, or that repeats a number of the file."""
    if judged.rejected:
        refusals = [problem for problem in judged.problems if problem.severity == issues.REJECTED]
        return Verdict(judged, Outcome.REJECTED, None, {}, refusals, suppressed=False)
    again = Problem(
        severity=issues.DUPLICATE, code=issues.DUPLICATE_IN_FILE, value=judged.phone,
        params={"line": judged.same_as_line},
    )  # fmt: skip
    return Verdict(judged, Outcome.DUPLICATE, None, {}, [again], suppressed=False)


def _settle(judged: Judged, contact: Contact | None, unchanged: bool, is_suppressed: bool) -> Verdict:
    problems = judged.problems
    if is_suppressed:
        problems = [*problems, Problem(severity=issues.WARNING, code=issues.SUPPRESSED, value=judged.phone)]
    if unchanged:
        return Verdict(judged, Outcome.UNCHANGED, None, {}, problems, is_suppressed)
    if contact is None:
        return Verdict(judged, Outcome.CREATED, None, {}, problems, is_suppressed)
    changes = _changes(judged, contact)
    outcome = Outcome.UPDATED if changes else Outcome.UNCHANGED
    return Verdict(judged, outcome, contact, changes, problems, is_suppressed)


def _changes(judged: Judged, contact: Contact) -> dict[str, Any]:
    fields = judged.fields
    if "tags" in fields and (fields["tags"] != contact.tags or judged.adds_tags):
        fields = {**fields, "tags": tags_after(contact.tags, fields["tags"], adds=judged.adds_tags)}
    changes = {name: value for name, value in fields.items() if getattr(contact, name) != value}
    if "consented_at" in changes and (
        (judged.keeps_consent and contact.consented_at) or is_same(contact.consented_at, changes["consented_at"])
    ):
        del changes["consented_at"]
    options = {**contact.options, **judged.options}
    for option_id in judged.cleared:
        options.pop(option_id, None)
    if options != contact.options:
        changes["options"] = options
    if contact.deleted_at is not None:
        changes["deleted_at"] = None
    return changes
