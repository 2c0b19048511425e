"""The verdict on a row by itself. `settle` compares it with what is in the phonebook."""

from __future__ import annotations

from contactsync.imports import issues
from contactsync.imports.cells import readers
from contactsync.imports.judged import Judged
from contactsync.imports.plan import Fixed, Plan
from contactsync.imports.read import Row, has_content
from contactsync.text import undefused


def judge(row: Row, plan: Plan) -> Judged:
    """The verdict on a row by itself, with all its problems."""
    judged, cells = Judged(row), row.cells
    if len(cells) > plan.width and any(map(has_content, cells[plan.width :])):
        judged.reject(issues.EXTRA_CELLS, params={"cells": len(cells), "columns": plan.width})
    for index, read in readers(plan):
        raw = cells[index] if index < len(cells) else ""
        read(judged, undefused(raw) if raw.startswith(("'", "=")) else raw)
    if plan.fixed:
        _add_fixed(judged, plan.fixed)
    return judged


def _add_fixed(judged: Judged, fixed: Fixed) -> None:
    """What is the same for all rows. It goes to other fields than the columns do, save that tags add up."""
    judged.fields |= fixed.fields
    judged.options |= fixed.options
    judged.keeps_consent = judged.keeps_consent or fixed.keeps_consent
    if fixed.tags:
        judged.adds_tags = judged.adds_tags or "tags" not in judged.fields
        judged.fields["tags"] = list(dict.fromkeys([*judged.fields.get("tags", ()), *fixed.tags]))
