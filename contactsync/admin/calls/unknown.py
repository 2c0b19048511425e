"""Unknown outcomes: every call whose outcome is not known, what the providers show of it, and what a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync import work
from contactsync.admin.calls import unknown_search
from contactsync.admin.common import as_id, may, person, say
from contactsync.admin.progress import Progress
from contactsync.admin.search import looked_through
from contactsync.admin.tables import Table
from contactsync.admin.words import operation_label
from contactsync.campaigns import evidence
from contactsync.models import Call, Campaign, Evidence, ProviderAccount, Recipient
from contactsync.models.transitions import StepRefused, TransitionRefused
from contactsync.sync.connect import SENDS

Proposal = Evidence.Proposal
SHOWN_ROWS = 5  # of what the provider shows, per call
SEARCHED = "searched_since"  # in the address: the mark of a search that was asked for


def address() -> str:
    """Address of the page."""
    return reverse("admin:unknown")


def page(site: Any, request: HttpRequest) -> TemplateResponse:
    """All unknown calls the person may see, filtered, with what was found."""
    _require_seeing(request)
    request.current_app = site.name
    table = _table(request)
    calls: list[Call] = list(table.page.object_list)
    texts = _texts(calls)
    may_send, may_push = may(request.user, "send_campaign"), may(request.user, "push_phonebook")
    mine = _decidable(request, table.rows)
    context = {
        "title": _("Unknown outcomes"),
        "table": table,
        "lines": [
            _line(call, may_send if call.operation in SENDS else may_push, text=texts.get(call.pk, ""))
            for call in calls
        ],
        "proposed": _proposed(mine),
        "may_search": may_send or may_push,
        "may_decide": may_send or may_push,
        "unsearched": table.rows.filter(evidence=None).count(),
        "address": f"?{request.GET.urlencode()}" if request.GET else "",
        "searching": searching if (searching := _searching(request)).running else None,
    }
    return TemplateResponse(request, "admin/contactsync/unknown.html", {**site.each_context(request), **context})


def search(request: HttpRequest) -> HttpResponse:
    """Search the providers of the calls that are shown, in the background."""
    _require_seeing(request)
    if not (may(request.user, "send_campaign") or may(request.user, "push_phonebook")):
        raise PermissionDenied
    accounts = sorted(set(_table(request).rows.order_by().values_list("run__account", flat=True)))
    try:
        work.search_unknown_calls(accounts)
    except StepRefused as refused:
        say(request, str(refused), level=messages.ERROR)
        return _back(request)
    return _back(request, **{SEARCHED: unknown_search.mark(accounts)})


def progress(request: HttpRequest) -> HttpResponse:
    """How far the search has come that was asked for on this page."""
    _require_seeing(request)
    return _searching(request).answer()


def _searching(request: HttpRequest) -> Progress:
    return unknown_search.of_search(request.GET.get(SEARCHED, ""))


def decide(request: HttpRequest) -> HttpResponse:
    """One call: it was sent, or not."""
    _require_seeing(request)
    decision = request.POST.get("decision", "")
    call = Call.objects.filter(pk=as_id(request.POST.get("call", ""))).first()
    if call is None or decision not in {Proposal.SENT, Proposal.NOT_SENT}:
        raise Http404
    if not may(request.user, "send_campaign" if call.operation in SENDS else "push_phonebook"):
        raise PermissionDenied
    if decision == Proposal.NOT_SENT and not is_sure(request, call):
        return _back(request)
    try:
        evidence.decide(call, sent=decision == Proposal.SENT, user=person(request))
    except TransitionRefused:
        say(request, _("This call was decided meanwhile, so nothing was done."), level=messages.WARNING)
    else:
        say(request, _recorded(1, decision))
    return _back(request)


def is_sure(request: HttpRequest, call: Call) -> bool:
    """Whether “not sent” may be recorded. Where the provider shows otherwise, the person is told, and has to say so twice."""
    found: Evidence | None = getattr(call, "evidence", None)
    if found is None or not found.speaks_for_a_send or request.POST.get("sure") == "yes":
        return True
    say(
        request,
        _(
            "Nothing was recorded: the provider shows messages to these people, who would get them twice. Tick the box to insist."
        ),
        level=messages.WARNING,
    )
    return False


def apply(request: HttpRequest) -> HttpResponse:
    """All calls that are shown, as their evidence proposes; only evidence that the person has seen counts."""
    _require_seeing(request)
    proposal, until = request.POST.get("proposal", ""), parse_datetime(request.POST.get("seen", "") or "-")
    if proposal not in {Proposal.SENT, Proposal.NOT_SENT} or until is None:
        raise Http404
    if not (may(request.user, "send_campaign") or may(request.user, "push_phonebook")):
        raise PermissionDenied
    seen = _decidable(request, _table(request).rows).filter(evidence__searched_at__lte=until)
    number = evidence.apply(seen.order_by("pk"), proposal, user=person(request))
    say(request, _recorded(number, proposal), level=messages.SUCCESS if number else messages.WARNING)
    return _back(request)


def _require_seeing(request: HttpRequest) -> None:
    if not may(request.user, "view_call"):
        raise PermissionDenied


def _table(request: HttpRequest) -> Table:
    unknown = looked_through(Call.objects.all(), Q(state=Call.State.UNKNOWN)).order_by()
    calls = unknown.select_related("run__account", "run__campaign", "run__phonebook", "evidence")
    accounts = ProviderAccount.objects.filter(pk__in=unknown.values("run__account"))
    campaigns = Campaign.objects.filter(pk__in=unknown.values("run__campaign")).order_by("-pk")
    operations = sorted(set(unknown.values_list("operation", flat=True)))
    return Table(
        request,
        calls.order_by("-started_at", "-pk"),
        filters={
            "run__account": (_("Account"), [(row.pk, row.name) for row in accounts.order_by("name")]),
            "run__campaign": (_("Campaign"), [(row.pk, row.title) for row in campaigns[:200]]),
            "operation": (_("What"), [(name, operation_label(name)) for name in operations]),
            "evidence__proposal": (_("Proposal"), Proposal.choices),
        },
    )


def _decidable(request: HttpRequest, calls: QuerySet[Call]) -> QuerySet[Call]:
    """Those of the calls that the person may decide about."""
    allowed = Q(pk__in=[])
    if may(request.user, "send_campaign"):
        allowed |= Q(operation__in=[operation.value for operation in SENDS])
    if may(request.user, "push_phonebook"):
        allowed |= ~Q(operation__in=[operation.value for operation in SENDS])
    return calls.filter(allowed)


def _proposed(calls: QuerySet[Call]) -> list[tuple[str, int, int, str]]:
    """(proposal, how many calls, how many people, when the last of them was searched), where there is something to apply."""
    rows = calls.order_by().values_list("evidence__proposal").annotate(Count("pk"))
    found = {proposal: count for proposal, count in rows if proposal in {Proposal.SENT, Proposal.NOT_SENT}}
    answer = []
    for proposal in (Proposal.SENT, Proposal.NOT_SENT):
        if proposal in found:
            of_it = calls.filter(evidence__proposal=proposal).order_by("-evidence__searched_at")
            people = sum(of_it.order_by().values_list("item_count", flat=True))
            latest = of_it.values_list("evidence__searched_at", flat=True)[0]
            answer.append((proposal.value, found[proposal], people, latest.isoformat()))
    return answer


def _line(call: Call, may_decide: bool, *, text: str) -> dict[str, Any]:
    found: Evidence | None = getattr(call, "evidence", None)
    rows = _first(found.rows) if found else []
    return {
        "call": call,
        "is_send": call.operation in SENDS,
        "evidence": found,
        "rows": [{**row, "at": parse_datetime(row["at"]) if row["at"] else None} for row in rows],
        "more": max(0, len(found.rows) - SHOWN_ROWS) if found else 0,
        "own_text": text if any(row["text"] for row in rows) else "",
        "may_decide": may_decide,
    }


def _texts(calls: Sequence[Call]) -> dict[int, str]:
    """What these calls were to say, by their id, to be held against what the provider shows."""
    first = Recipient.objects.filter(call=OuterRef("pk")).order_by("pk").values("text")[:1]
    rows = Call.objects.filter(pk__in=[call.pk for call in calls]).values_list("pk", Subquery(first))
    texts = {pk: text or "" for pk, text in rows}
    return texts | {call.pk: str(call.target["keyworded"]) for call in calls if call.target.get("keyworded")}


def _first(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that speak for something first."""
    return sorted(rows, key=lambda row: (not row["is_it"], -(row["matched"] or 0)))[:SHOWN_ROWS]


def _recorded(number: int, proposal: str) -> str:
    if not number:
        return _("Nothing was decided: none of the calls shown has this proposal any more.")
    if proposal == Proposal.SENT:
        text = ngettext(
            "Recorded for %(count)d call: it was carried out.",
            "Recorded for %(count)d calls: they were carried out.",
            number,
        )
    else:
        text = ngettext(
            "Recorded for %(count)d call: it was not carried out. Continue the campaign to send to its recipients.",
            "Recorded for %(count)d calls: they were not carried out. Continue the campaign to send to their recipients.",
            number,
        )
    return text % {"count": number}


def _back(request: HttpRequest, **more: str) -> HttpResponseRedirect:
    query = request.GET.copy()
    query.pop(SEARCHED, None)
    query.update(more)
    return HttpResponseRedirect(f"{address()}?{query.urlencode()}" if query else address())
