"""What the rows of a file would change, field by field: kept by the check, for people to look at and the real run to agree with."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from contactsync.imports.issues import REJECTED
from contactsync.imports.settle import Outcome, Verdict
from contactsync.models import Contact, ImportJob, ImportPreview
from contactsync.models.bulk import Inserter

#: rows in one DELETE, so that nobody waits long for the database
AT_ONCE = 5000
#: field, or `option:<id>` -> before and after, as JSON has them
Changes = dict[str, list[Any]]


def changes_of(contact: Contact, changes: Mapping[str, Any]) -> Changes:
    """What these changes do to the contact."""
    found: Changes = {}
    for name, value in changes.items():
        if name == "options":
            before = contact.options
            for key in {**before, **value}:  # what the row empties is in the first only
                if before.get(key) != value.get(key):
                    found[f"option:{key}"] = [before.get(key), value.get(key)]
        else:
            found[name] = [_plain(getattr(contact, name)), _plain(value)]
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def write_previews(job: ImportJob, verdicts: Sequence[Verdict]) -> Counter[str]:
    """Keep what the rows would change. Returns how often each field is among it."""
    fields: Counter[str] = Counter()
    rows = []
    for verdict in verdicts:
        if verdict.outcome is Outcome.UPDATED and verdict.contact:
            changes = changes_of(verdict.contact, verdict.changes)
            fields.update(changes.keys())
            row, phone = verdict.judged.row, verdict.judged.phone
            rows.append((row.number, row.line, phone, json.dumps(changes, ensure_ascii=False)))
    Inserter(ImportPreview, ("row", "line", "phone", "changes"), shared={"job": job.pk}).insert(rows)
    return fields


def rejections(verdicts: Sequence[Verdict]) -> Counter[str]:
    """How often each reason is among those why rows are rejected."""
    return Counter(
        problem.code
        for verdict in verdicts
        if verdict.outcome is Outcome.REJECTED
        for problem in verdict.problems
        if problem.severity == REJECTED
    )


def drop_previews(job_id: int) -> None:
    """Delete what the check kept of each row, a part at a time. May be called again."""
    kept = ImportPreview.objects.filter(job_id=job_id)
    while ids := list(kept.order_by("row").values_list("pk", flat=True)[:AT_ONCE]):
        ImportPreview.objects.filter(job_id=job_id, pk__range=(min(ids), max(ids))).delete()
