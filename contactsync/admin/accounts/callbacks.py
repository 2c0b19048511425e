"""Callbacks: what providers reported by calling this site, and its outcome. Only administrators see them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync import work
from contactsync.admin.common import may, require, say
from contactsync.admin.files.downloads import DownloadMixin
from contactsync.admin.flow import FlowAdmin, in_plain_words
from contactsync.admin.words import callback_label
from contactsync.models import Callback
from contactsync.templatetags.contactsync import EMPTY, badge, ltr, number, when, yes_no


@admin.register(Callback)
class CallbackAdmin(DownloadMixin, FlowAdmin):
    """Each event once, however often the provider reported it."""

    list_display = ("what", "account", "state_badge", "told", "proven", "reason", "received")
    list_filter = ("state", "account", "is_proven")
    list_select_related = ("account",)
    sorted_by_index = ("what",)
    search_fields = ("reference", "our_reference", "contact_remote_id")
    search_help_text = gettext_lazy("A reference, whole or in part.")
    change_form_template = "admin/contactsync/callback/change_form.html"
    steps = ("again",)
    show_full_result_count = False
    ordering = ("-id",)
    fields = (
        "what",
        "account",
        "state_badge",
        "reason",
        "told",
        "proven",
        "their_reference",
        "reference_of_ours",
        "contact_id",
        "tries",
        "received",
        "handled",
        "next_try",
    )
    readonly_fields = fields
    download_columns = (
        (gettext_lazy("kind"), lambda row: callback_label(row.kind)),
        (gettext_lazy("account"), lambda row: row.account.name),
        (gettext_lazy("state"), lambda row: row.get_state_display()),
        (gettext_lazy("reason"), lambda row: row.error_text),
        (gettext_lazy("state, in the provider's words"), lambda row: row.raw_state),
        (gettext_lazy("signed"), lambda row: row.is_proven),
        (gettext_lazy("reference of the provider"), lambda row: row.reference),
        (gettext_lazy("reference of ours"), lambda row: row.our_reference),
        (gettext_lazy("contact id at the provider"), lambda row: row.contact_remote_id),
        (gettext_lazy("received at"), lambda row: row.received_at),
        (gettext_lazy("handled at"), lambda row: row.handled_at),
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and may(request.user, "change_provideraccount")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().render_change_form(request, context, *args, **kwargs)
        if context.get("original"):
            response.context_data["title"] = self.what(context["original"])
        return response

    def get_queryset(self, request: HttpRequest) -> QuerySet[Callback]:
        return super().get_queryset(request).select_related("account")

    @admin.display(description=gettext_lazy("event"), ordering="id")
    def what(self, row: Callback) -> str:
        return f"{callback_label(row.kind)} {row.pk}"

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, row: Callback) -> str:
        return badge(row)

    @admin.display(description=gettext_lazy("state, in the provider's words"))
    def told(self, row: Callback) -> str:
        return ltr(row.raw_state)

    @admin.display(description=gettext_lazy("signed"), ordering="is_proven")
    def proven(self, row: Callback) -> str:
        return yes_no(row.is_proven)

    @admin.display(description=gettext_lazy("reason"))
    def reason(self, row: Callback) -> str:
        return row.error_text or EMPTY

    @admin.display(description=gettext_lazy("received at"), ordering="id")
    def received(self, row: Callback) -> str:
        return when(row.received_at)

    @admin.display(description=gettext_lazy("reference of the provider"))
    def their_reference(self, row: Callback) -> str:
        return ltr(row.reference)

    @admin.display(description=gettext_lazy("reference of ours"))
    def reference_of_ours(self, row: Callback) -> str:
        return ltr(row.our_reference)

    @admin.display(description=gettext_lazy("contact id at the provider"))
    def contact_id(self, row: Callback) -> str:
        return ltr(row.contact_remote_id)

    @admin.display(description=gettext_lazy("attempts"))
    def tries(self, row: Callback) -> str:
        return number(row.attempts)

    @admin.display(description=gettext_lazy("handled at"))
    def handled(self, row: Callback) -> str:
        return when(row.handled_at)

    @admin.display(description=gettext_lazy("not before"))
    def next_try(self, row: Callback) -> str:
        return when(row.not_before)

    # The button

    def again_view(self, request: HttpRequest, callback: Callback) -> HttpResponse:
        """Process a callback again that was given up."""
        require(request, "change_provideraccount")
        with in_plain_words(request, callback):
            work.retry_callback(callback)
            say(request, _("It is being processed again. The result appears here in a moment."))
        return self.back(callback)
