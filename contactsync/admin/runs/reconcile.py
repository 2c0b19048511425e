"""Compare and decide: what a pull has found to differ, and what a person wants done about each line."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync import work
from contactsync.admin.common import link, may, person, say
from contactsync.admin.flow import FlowAdmin, in_plain_words
from contactsync.admin.tables import Choice, Table
from contactsync.models import Phonebook, Run, RunItem
from contactsync.sync import reconcile
from contactsync.sync.connect import Capabilities, Misconfigured, capabilities

Operation = RunItem.Operation
Decision = RunItem.Decision
#: the groups of differences, in the order in which they are shown
GROUPS = (Operation.ONLY_HERE, Operation.ONLY_THERE, Operation.DIFFERENT, Operation.OPTED_OUT)
#: what fields of the form for single lines are called: the choice, and what was chosen when the page was shown
LINE, BEFORE = "line-", "before-"
#: for a whole group: take back what was decided
UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of difference: how many lines, and on how many of them nothing is decided yet."""

    name: str
    label: str
    count: int
    open: int


@dataclass(frozen=True, slots=True)
class Line:
    """One difference and what may be chosen for it."""

    item: RunItem
    name: str
    choices: list[Choice]


def is_ready(run: Run) -> bool:
    """Whether decisions can be made on this run: a pull of a phonebook that has come to its end."""
    ended = {Run.State.FINISHED, Run.State.ATTENTION}
    return run.kind == Run.Kind.PULL and run.state in ended and run.phonebook is not None


def url_of_last_pull(book: Phonebook) -> str:
    """Address of the comparison for the last finished pull of a phonebook; empty when there is none with differences."""
    ended = [Run.State.FINISHED, Run.State.ATTENTION]
    run = book.runs.filter(kind=Run.Kind.PULL, state__in=ended).order_by("-id").first()
    return link(run, "reconcile") if run is not None and run.items.exists() else ""


def groups_of(run: Run) -> list[Group]:
    """All four groups, the empty ones too."""
    undecided = Count("id", filter=Q(decision="", state=RunItem.State.PLANNED))
    rows = run.items.order_by().values_list("operation").annotate(count=Count("id"), open=undecided)
    counts = {operation: (count, waiting) for operation, count, waiting in rows}
    return [Group(each.value, capfirst(str(each.label)), *counts.get(each.value, (0, 0))) for each in GROUPS]


def choices_of(operation: str, limits: Capabilities | None, *, chosen: str = "", refused: bool = False) -> list[Choice]:
    """What may be decided, with “nothing yet” before it; empty where nothing can be. `refused`: it cannot be added here."""
    found = reconcile.choices(operation, limits) if limits else []
    fitting = [each for each in found if not (refused and each == Decision.ADD_HERE)]
    if not fitting:
        return []
    nothing = Choice("", _("not decided"), not chosen)
    return [nothing, *(Choice(each.value, str(each.label), each == chosen) for each in fitting)]


def _line(item: RunItem, limits: Capabilities | None) -> Line:
    is_open = item.state == RunItem.State.PLANNED
    choices = choices_of(item.operation, limits, chosen=item.decision, refused=bool(item.error)) if is_open else []
    theirs = item.theirs
    parts = (theirs.get("first_name"), theirs.get("last_name"))
    name = item.contact.full_name if item.contact else theirs.get("name") or " ".join(filter(None, parts))
    return Line(item, str(name or ""), choices)


def changed_lines(request: HttpRequest) -> dict[str, list[int]]:
    """Decision to the lines for which it was newly chosen; lines left as they were shown are not among them."""
    found: dict[str, list[int]] = defaultdict(list)
    for field, chosen in request.POST.items():
        number = field.removeprefix(LINE)
        is_line = field.startswith(LINE) and number.isdecimal() and len(number) <= 18
        if is_line and chosen != request.POST.get(f"{BEFORE}{number}", ""):
            found[str(chosen)].append(int(number))
    return found


def _limits(run: Run) -> tuple[Capabilities | None, str]:
    """What the provider of the run can do; or nothing, and why it is not known."""
    try:
        return capabilities(run.account), ""
    except Misconfigured as error:
        return None, error.reason


def context_of(request: HttpRequest, run: Run, *, may_decide: bool) -> dict[str, Any]:
    """What the page shows of a finished pull."""
    groups = groups_of(run)
    fullest = next((group for group in groups if group.count), groups[0])
    group = next((each for each in groups if each.name == request.GET.get("group")), fullest)
    limits, why_not = _limits(run)
    table = Table(request, run.items.filter(operation=group.name).select_related("contact").order_by("pk"))
    lines = [_line(item, limits) for item in table.page.object_list]
    decided = run.items.filter(state=RunItem.State.PLANNED).exclude(decision__in=["", Decision.LEAVE])
    return {
        "groups": groups,
        "group": group,
        "table": table,
        "lines": lines,
        "choices": choices_of(group.name, limits) if may_decide else [],
        "may_save": may_decide and any(line.choices for line in lines),
        "decided": decided.count(),
        "decided_by": run.plan.get("decided_by", ""),
        "unread": reconcile.unreadable_fields(run.phonebook) if run.phonebook and limits else [],
        "details_unread": run.counts.get("details_unread", 0),
        "opt_outs_unread": run.counts.get("opt_outs_unread", 0),
        "why_not": why_not,
        "option_titles": {},  # the lines of a pull hold the titles themselves
        "made": Run.objects.filter(kind=Run.Kind.RECONCILE, plan__pull=run.pk).order_by("-id").first(),
        "newer": _newer(run),
    }


def _newer(run: Run) -> Run | None:
    return Run.objects.filter(kind=Run.Kind.PULL, phonebook=run.phonebook_id, pk__gt=run.pk).order_by("-id").first()


class ReconcileMixin(FlowAdmin):
    """The comparison of a pull, as a page of its run."""

    def reconcile_view(self, request: HttpRequest, run: Run) -> HttpResponse:
        """The differences of one group, page by page."""
        may_decide = may(request.user, "push_phonebook")
        ready = is_ready(run)
        context = context_of(request, run, may_decide=may_decide) if ready else {}
        title = _("Compare with the provider: %(phonebook)s") % {"phonebook": run.phonebook or run}
        return self.page(
            request,
            "reconcile",
            run,
            **{**context, "run": run, "ready": ready, "may_decide": may_decide, "title": title},
        )

    def decide_view(self, request: HttpRequest, run: Run) -> HttpResponse:
        """Keep what was chosen for single lines."""
        _require_deciding(request)
        with in_plain_words(request, run):
            wanted = changed_lines(request)
            number = sum(
                reconcile.decide(run, decision, items=run.items.filter(pk__in=lines), user=person(request))
                for decision, lines in wanted.items()
            )
            _say_decided(request, number, left=sum(map(len, wanted.values())) - number)
        return _back(request, run)

    def decide_all_view(self, request: HttpRequest, run: Run) -> HttpResponse:
        """Keep one choice for all lines of a group."""
        _require_deciding(request)
        group, chosen = request.POST.get("group", ""), request.POST.get("decision", "")
        if not chosen:  # only `UNDO` takes decisions back, never a button pressed too early
            _say_decided(request, 0, left=0)
            return _back(request, run)
        with in_plain_words(request, run):
            decision = "" if chosen == UNDO else chosen
            number = reconcile.decide(run, decision, operation=group, user=person(request))
            waiting = run.items.filter(operation=group, state=RunItem.State.PLANNED)
            _say_decided(request, number, left=waiting.count() - number)
        return _back(request, run)

    def plan_changes_view(self, request: HttpRequest, run: Run) -> HttpResponse:
        """Plan what was decided; nothing is changed before that plan is approved."""
        _require_deciding(request)
        page = _back(request, run)
        with in_plain_words(request, run):
            page = self.back(work.plan_reconcile(run, user=person(request)))
            say(request, _("The changes are being planned. Look at the plan, then approve it."))
        return page


def _require_deciding(request: HttpRequest) -> None:
    if not may(request.user, "push_phonebook"):
        raise PermissionDenied


def _back(request: HttpRequest, run: Run) -> HttpResponseRedirect:
    """To the page of the comparison that was shown."""
    shown = {name: request.POST[name] for name in ("group", "p") if request.POST.get(name)}
    return HttpResponseRedirect(f"{link(run, 'reconcile')}?{urlencode(shown)}" if shown else link(run, "reconcile"))


def _say_decided(request: HttpRequest, number: int, *, left: int) -> None:
    if number:
        text = ngettext("Kept your choice for %(count)d line.", "Kept your choice for %(count)d lines.", number)
        say(request, text % {"count": number} + " " + _("Nothing is changed before you approve the plan."))
    if left > 0:
        text = ngettext("This is not possible for %(count)d line.", "This is not possible for %(count)d lines.", left)
        say(request, text % {"count": left}, level=messages.WARNING)
    if not number and left <= 0:
        say(request, _("You have chosen nothing new, so nothing was kept."), level=messages.WARNING)
