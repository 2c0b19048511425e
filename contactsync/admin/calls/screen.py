"""Calls: what went to the provider and what came back. People read them; a person decides about unknown sends."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.accounts.abilities import counts_parts
from contactsync.admin.calls.report import report
from contactsync.admin.calls.unknown import is_sure
from contactsync.admin.campaigns.recipients import recipient_table
from contactsync.admin.common import may, person, require, say
from contactsync.admin.files import ledger_columns
from contactsync.admin.files.downloads import DownloadMixin
from contactsync.admin.flow import FlowAdmin, in_plain_words
from contactsync.admin.runs.items import item_table
from contactsync.admin.runs.plan_facts import option_titles
from contactsync.admin.search import narrowed
from contactsync.admin.words import OPERATIONS, operation_label
from contactsync.campaigns import evidence
from contactsync.models import Call, Run
from contactsync.templatetags.contactsync import badge, duration, ltr, number, when

#: how operations begin of which there are calls
CHANGING = ("create_", "update_", "rename_", "delete_", "send_", "cancel_")


def is_send(call: Call) -> bool:
    """Whether the call carried messages to people."""
    return call.run.kind == Run.Kind.SEND and call.operation.startswith("send")


class OperationFilter(admin.SimpleListFilter):
    """What calls can be about, in words. To look for what there are calls of would be to read them all."""

    title = gettext_lazy("operation")
    parameter_name = "operation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, label) for name, label in OPERATIONS.items() if name.startswith(CHANGING)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(operation=self.value()) if self.value() else queryset


class StateFilter(admin.ChoicesFieldListFilter):
    """The state; calls of a rare one are found in the index of the states, and read by their keys."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = Q(state=self.lookup_val[-1]) if self.lookup_val else Q()
        return narrowed(queryset, wanted) if wanted else queryset


@admin.register(Call)
class CallAdmin(DownloadMixin, FlowAdmin):
    """Every remote call that changes something."""

    download_columns = ledger_columns.CALLS
    list_display = ("what", "run", "state_badge", "item_count", "status_code", "tries", "started", "took")
    list_filter = (("state", StateFilter), OperationFilter)
    list_select_related = ("run", "run__phonebook", "run__campaign")
    sorted_by_index = ("what",)
    search_fields = ("run__phonebook__title", "run__campaign__title", "provider_request_id", "request_line")
    show_full_result_count = False
    ordering = ("-id",)
    steps = ("sent", "not_sent")

    # The list

    @admin.display(description=gettext_lazy("call"), ordering="id")
    def what(self, call: Call) -> str:
        return f"{operation_label(call.operation)} {call.pk}"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, call: Call) -> str:
        return badge(call)

    @admin.display(description=gettext_lazy("HTTP status"), ordering="status")
    def status_code(self, call: Call) -> str:
        return ltr(call.status)

    @admin.display(description=gettext_lazy("attempts"), ordering="attempts")
    def tries(self, call: Call) -> str:
        return number(call.attempts)

    @admin.display(description=gettext_lazy("started at"), ordering="started_at")
    def started(self, call: Call) -> str:
        return when(call.started_at)

    @admin.display(description=gettext_lazy("duration"), ordering="seconds")
    def took(self, call: Call) -> str:
        return duration(call.seconds)

    # The page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        return super().get_queryset(request).select_related("run", "run__account", "run__phonebook", "run__campaign")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The request, the answer, and the people or contacts concerned."""
        call = self.row(request, object_id)
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        carried = recipient_table(request, call.recipients.all()) if is_send(call) else None
        return self.page(
            request,
            "page",
            call,
            call=call,
            title=_("Call: %(operation)s") % {"operation": operation_label(call.operation)},
            recipients=carried,
            counts_parts=counts_parts(call.run.account),
            items=None if carried else item_table(request, call.items.all()),
            option_titles=option_titles(call.run),
            report=report(call) if call.request_line else "",
            is_unknown_send=call.state == Call.State.UNKNOWN and is_send(call),
            may_decide=may(request.user, "send_campaign"),
        )

    def sent_view(self, request: HttpRequest, call: Call) -> HttpResponse:
        """A person found out that the provider did send it."""
        return self._decide(request, call, sent=True)

    def not_sent_view(self, request: HttpRequest, call: Call) -> HttpResponse:
        """A person found out that the provider did not send it."""
        return self._decide(request, call, sent=False)

    def _decide(self, request: HttpRequest, call: Call, *, sent: bool) -> HttpResponse:
        require(request, "send_campaign")
        if not is_send(call):
            raise PermissionDenied
        if not sent and not is_sure(request, call):
            return self.back(call)
        with in_plain_words(request, call):
            evidence.decide(call, sent=sent, user=person(request))
            say(
                request,
                _("Recorded: it was sent. Its recipients count as “accepted by the provider”.")
                if sent
                else _("Recorded: it was not sent. Continue the campaign to send to these people."),
            )
        return self.back(call)
