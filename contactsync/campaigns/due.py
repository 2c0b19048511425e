"""Which delivery reports should be read again by now."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from contactsync.models import Campaign, Recipient
from contactsync.sync.connect import Operation, provider_choices, provider_class

State = Campaign.State

#: Until this long after the messages went out, a report is read this often; after the last one nobody asks any more.
PACE = (
    (dt.timedelta(minutes=10), dt.timedelta(seconds=30)),
    (dt.timedelta(hours=2), dt.timedelta(minutes=5)),
    (dt.timedelta(hours=72), dt.timedelta(hours=1)),
)
UNANSWERED = dt.timedelta(minutes=10)  # how long a worker that was woken for a report may take before another is

_HANDED_OVER = (State.SENT, State.SCHEDULED, State.ATTENTION, State.STOPPED, State.PAUSED, State.CANCELLED)


def claim_due_reports() -> list[int]:
    """Of the due reports, those for which this caller is to wake a worker: each is given to one caller only."""
    now = timezone.now()
    return [
        pk
        for pk, asked_at in due_reports().items()
        if Campaign.objects.filter(pk=pk, report_asked_at=asked_at).update(report_asked_at=now)
    ]


# A scheduled campaign is handed over long before its messages go out.
_HANDED_OVER_AT = Coalesce("finished_at", "started_at", "created_at")
_WENT_OUT_AT = Greatest(_HANDED_OVER_AT, Coalesce("scheduled_for", _HANDED_OVER_AT))


def pause_now(campaign: Campaign) -> dt.timedelta | None:
    """How often the campaign's report is read at its age; None when nobody asks any more."""
    aged = Campaign.objects.annotate(went_out_at=_WENT_OUT_AT)
    age = timezone.now() - aged.values_list("went_out_at", flat=True).get(pk=campaign.pk)
    return next((pause for until, pause in PACE if age < until), None)


def _providers(operation: Operation) -> list[str]:
    """Those that can be asked for this."""
    return [slug for slug, _ in provider_choices() if provider_class(slug).capabilities.can(operation)]


def due_reports() -> dict[int, dt.datetime | None]:
    """Campaigns of which the provider has something, whose report is not final, and which were not asked about for a while:
    id -> when somebody was woken for it last."""
    now = timezone.now()
    last_age, first_pause = PACE[-1][0], PACE[0][1]
    due = Q()
    for age, pause in PACE:
        rested = Q(reported_at=None) | Q(reported_at__lt=now - pause)
        due |= Q(went_out_at__gt=now - age) & rested & (Q(report_asked_at=None) | Q(report_asked_at__lt=now - pause))
    due |= Q(reported_at__gt=now + first_pause) | Q(report_asked_at__gt=now + first_pause)  # the clock was set back
    # One pull reads so many reports at most; the rest does not wait as long.
    due |= Q(went_out_at__gt=now - last_age, summary__report__left__gt=0, reported_at__lt=now - first_pause)
    answered = Q(report_asked_at=None) | Q(reported_at__gte=F("report_asked_at"))
    answered |= Q(report_asked_at__lt=now - UNANSWERED) | Q(report_asked_at__gt=now + first_pause)
    begun = Q(scheduled_for=None) | Q(scheduled_for__lt=now)
    people = Recipient.objects.filter(campaign=OuterRef("pk"))
    accepted = Exists(people.filter(state=Recipient.State.ACCEPTED))
    reported = begun & Q(accepted, account__provider__in=_providers(Operation.READ_REPORT))
    # Looked for where the provider can be searched, also before the time.
    unknown = Exists(people.filter(state=Recipient.State.UNKNOWN)) & Q(
        account__provider__in=_providers(Operation.FIND_SENDS)
    )
    aged = Campaign.objects.annotate(went_out_at=_WENT_OUT_AT)
    waiting = aged.filter(due, answered, reported | unknown, state__in=_HANDED_OVER)
    rows = waiting.values_list("pk", "report_asked_at", "summary")
    return {pk: asked_at for pk, asked_at, summary in rows if not (summary.get("report") or {}).get("final")}
