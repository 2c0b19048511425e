"""Runs: the plan, its approval, the work, the result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync import work
from contactsync.admin import progress, stages, sums
from contactsync.admin.calls import errors, outcome_lists
from contactsync.admin.calls.outcome_lists import OutcomeList
from contactsync.admin.common import link, may, person, require, say
from contactsync.admin.files import ledger_columns
from contactsync.admin.files.downloads import DownloadMixin
from contactsync.admin.flow import in_plain_words
from contactsync.admin.phonebooks.removal import removal_plan
from contactsync.admin.runs.items import item_table
from contactsync.admin.runs.plan_facts import deletion, option_titles, plan_places
from contactsync.admin.runs.reconcile import ReconcileMixin, is_ready
from contactsync.admin.tables import Table
from contactsync.models import Recipient, Run, RunItem
from contactsync.sync import lifecycle
from contactsync.templatetags.contactsync import badge, when

State = Run.State
#: states in which a person asks what went wrong
TROUBLED = frozenset({State.PAUSED, State.STOPPED, State.ATTENTION, State.FAILED})
#: kinds that work on contacts at the provider, so that each contact has an outcome
LISTED = frozenset({Run.Kind.PUSH, Run.Kind.DELETE, Run.Kind.RECONCILE})
#: which counts the list of runs shows, of a run and of one that sends
OF_ITEMS = {"done", "failed", "unknown", "not_attempted"}
OF_SENDS = {"accepted", "refused", "unknown", "not_sent", "planned"}


def may_steer(request: HttpRequest, run: Run) -> bool:
    """Whether the person may approve, stop and continue this run. Sends are steered from their campaign."""
    return run.kind != Run.Kind.SEND and may(request.user, "push_phonebook")


@admin.register(Run)
class RunAdmin(DownloadMixin, ReconcileMixin):
    """Work with a provider. People approve it, stop it and read it; nobody edits it."""

    download_columns = ledger_columns.RUNS
    list_display = ("what", "about", "state_badge", "counted", "planned")
    list_filter = ("kind", "state", "account")
    list_select_related = ("account", "phonebook", "campaign", "created_by")
    search_fields = ("phonebook__title", "campaign__title")
    steps = ("approve", "discard", "stop", "resume", "acknowledge", "decide", "decide_all", "plan_changes")
    readings = ("progress", "reconcile", "export")

    # The list

    @admin.display(description=gettext_lazy("run"), ordering="id")
    def what(self, run: Run) -> str:
        return str(run)

    @admin.display(description=gettext_lazy("about"))
    def about(self, run: Run) -> str:
        return run.about or "–"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, run: Run) -> str:
        return badge(run)

    @admin.display(description=gettext_lazy("counts"))
    def counted(self, run: Run) -> str:
        """“55 done · 3 failed”, as counted at the end of the run; of a send, what became of its messages."""
        sends = run.kind == Run.Kind.SEND
        labels: dict[str, Any] = dict(Recipient.State.choices if sends else RunItem.State.choices)
        names = OF_SENDS if sends else OF_ITEMS
        if not names & run.counts.keys():
            return "–"
        parts = [sums.Part(name, str(labels[name]), run.counts.get(name, 0)) for name in labels if name in names]
        return sums.in_short(parts, names)

    @admin.display(description=gettext_lazy("planned at"), ordering="created_at")
    def planned(self, run: Run) -> str:
        return format_html("{} {}", when(run.created_at), run.created_by or "")

    # The page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return (
            super()
            .get_queryset(request)
            .select_related("account", "phonebook", "campaign", "created_by", "approved_by")
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The plan, the bar, or the result, by the state of the run."""
        run = self.row(request, object_id)
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        shown = progress.of_run(run)
        return self.page(
            request,
            "page",
            run,
            run=run,
            steps=stages.of_run(run),
            progress=shown,
            rest=progress.rest_of_run(run),
            progress_url=link(run, "progress"),
            may_steer=may_steer(request, run),
            plan=sums.Plan.of(run),
            places=plan_places(run),
            deletion=deletion(run),
            decisions=sums.decisions(run),
            sum=sums.of_run(run, shown.counts),
            table=item_table(request, run.items.all()),
            calls=Table(request, run.calls.all(), param="cp"),
            lists=lists_of(request, run, shown.counts),
            option_titles=option_titles(run),
            removal=removal_plan(run),
            errors=errors.of_run(run) if run.state in TROUBLED else None,
            **_buttons(run),
            acknowledged_by=run.plan.get("acknowledged_by", ""),
            reconcile_url=link(run, "reconcile") if is_ready(run) else "",
            has_differences=run.items.exists(),
            not_all_told=run.counts.get("not_all_told", 0) if run.kind == Run.Kind.BRING_IN else 0,
            opt_outs_unread=run.counts.get("opt_outs_unread", 0),
        )

    # The buttons

    def _require_steering(self, request: HttpRequest, run: Run) -> None:
        if not may_steer(request, run):
            raise PermissionDenied

    def approve_view(self, request: HttpRequest, run: Run) -> HttpResponse:
        """Carry out the plan that was shown, and only that one."""
        self._require_steering(request, run)
        if request.POST.get("plan_hash") != run.plan_hash:
            say(
                request,
                _("The plan has changed since you opened the page. Look at it again first."),
                level=messages.WARNING,
            )
            return self.back(run)
        if (sums.Plan.of(run).delete or run.kind == Run.Kind.REMOVE) and request.POST.get("delete_too") != "yes":
            say(
                request,
                _("The plan deletes at the provider for good. Tick the box below the plan first.")
                if run.kind == Run.Kind.REMOVE
                else _("The plan deletes contacts at the provider. Tick the box below the plan first."),
                level=messages.ERROR,
            )
            return self.back(run)
        with in_plain_words(request, run):
            work.approve_run(run, user=person(request))
            say(request, _("Approved. The work goes on in the background; you may close this page."))
        return self.back(run)

    def discard_view(self, request: HttpRequest, run: Run) -> HttpResponse:
        """Forget the plan, or close a run that failed."""
        self._require_steering(request, run)
        with in_plain_words(request, run):
            lifecycle.discard(run)
            if run.started_at is None:
                say(request, _("Discarded. Nothing was changed at the provider."))
            else:
                say(request, _("Closed. What the run has done stays done."))
        return self.back(run)

    def stop_view(self, request: HttpRequest, run: Run) -> HttpResponse:
        """Stop after the call in hand."""
        self._require_steering(request, run)
        with in_plain_words(request, run):
            work.stop_run(run)
            say(request, _("The run stops after the current calls. What is done stays done."))
        return self.back(run)

    def resume_view(self, request: HttpRequest, run: Run) -> HttpResponse:
        """Go on where the run stopped."""
        self._require_steering(request, run)
        with in_plain_words(request, run):
            work.resume_run(run)
            say(request, _("The run continues where it stopped."))
        return self.back(run)

    def acknowledge_view(self, request: HttpRequest, run: Run) -> HttpResponse:
        """Somebody has looked at what went wrong: the run is closed as it is."""
        self._require_steering(request, run)
        with in_plain_words(request, run):
            lifecycle.acknowledge(run, user=person(request))
            say(request, _("Closed. The table still shows what failed or is not known."))
        return self.back(run)

    def export_view(self, request: HttpRequest, run: Run) -> HttpResponseBase:
        """One list of the contacts of the run, by what became of them."""
        require(request, "export_contact")
        return outcome_lists.export_items(run, request.GET.get("list", ""), request.GET.get("format", "csv"))

    def progress_view(self, request: HttpRequest, run: Run) -> JsonResponse:
        shown = progress.of_run(run)
        return shown.answer({each.name: each.count for each in lists_of(request, run, shown.counts)})


def lists_of(request: HttpRequest, run: Run, counts: Mapping[str, int]) -> list[OutcomeList]:
    """Exactly who, of a run that works on contacts and has begun; else nothing."""
    return outcome_lists.of_run(request, run, counts) if run.started_at and run.kind in LISTED else []


def _buttons(run: Run) -> dict[str, bool]:
    """What the state of the run lets a person do."""
    return {
        "is_waiting": run.state == State.PLANNED,
        "is_busy": run.state in progress.RUN_BUSY,
        "can_stop": run.state in {State.QUEUED, State.RUNNING, State.PAUSED},
        "can_continue": run.state in {State.PAUSED, State.STOPPED},
        "can_discard": run.state in {State.PLANNING, State.PLANNED, State.FAILED},
        "can_acknowledge": run.state == State.ATTENTION,
    }
