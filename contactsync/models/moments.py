"""What rows say about time to come, and a clock that was set back.

A lease, or a moment before which nothing shall be done, is written by the clock of this machine. When that clock was
wrong and is put right, or jumps back, what was written before lies hours ahead: nobody would work on those rows for
so long, and nobody would be told. Such a moment is known by being further ahead than any can be set.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

logger = logging.getLogger(__name__)

SLACK = dt.timedelta(minutes=2)  # the clocks of several machines differ a little


def bring_nearer(rows: QuerySet[Any], field: str, *, longest: dt.timedelta, to: dt.timedelta | None = None) -> int:
    """Set moments of `rows` that lie further ahead than `longest` to `to` from now (None: no moment at all). Returns how many.

    Leases are given their whole length again, so that a worker who is alive loses nothing.
    """
    now = timezone.now()
    ahead = rows.filter(**{f"{field}__gt": now + longest + SLACK})
    if not ahead.exists():  # so that nothing is locked for nothing
        return 0
    changed = ahead.update(**{field: None if to is None else now + to})
    logger.warning(
        "The clock was set back: in %s rows of %s, “%s” lay further ahead than it can be set, and was brought nearer.",
        changed,
        rows.model._meta.label,
        field,
    )
    return changed
