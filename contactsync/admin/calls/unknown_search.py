"""Progress of a search for calls with an unknown outcome, for the bar on their page, which reloads when it has ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from contactsync.admin.common import as_id
from contactsync.admin.progress import Progress
from contactsync.campaigns import evidence

SILENT = dt.timedelta(minutes=10)  # without anything found; then the page waits no longer


def mark(accounts: Iterable[int]) -> str:
    """When the search was asked for, and in which accounts."""
    return "-".join([str(timezone.now().timestamp()), *map(str, accounts)])


def of_search(marked: str) -> Progress:
    """Calls looked for since then, of those that one search looks for."""
    moment, *accounts = marked.split("-")
    over = Progress(state="searched", label="", running=False)
    ids = [as_id(account) for account in accounts]
    if None in ids:
        return over
    try:
        asked_at = dt.datetime.fromtimestamp(float(moment), tz=dt.UTC)
    except (ValueError, OverflowError, OSError):
        return over
    calls = evidence.unknown_calls().filter(run__account__in=ids)
    since = Q(evidence__searched_at__gte=asked_at)
    rows = (
        calls.order_by().values_list("run__account").annotate(unknown=Count("pk"), searched=Count("pk", filter=since))
    )
    counts = [(min(unknown, evidence.SEARCHED_AT_ONCE), searched) for _account, unknown, searched in rows]
    total = sum(most for most, _searched in counts)
    done = sum(min(most, searched) for most, searched in counts)
    latest = calls.filter(since).aggregate(latest=Max("evidence__searched_at"))["latest"] or asked_at
    if done >= total or timezone.now() - latest > SILENT:
        return over
    label = _("The providers are being searched.")
    return Progress(state="searching", label=label, running=True, done=done, total=total)
