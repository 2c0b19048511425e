"""Recipients: one row per number and campaign, over all campaigns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.accounts.abilities import counts_parts
from contactsync.admin.calls.outcome_lists import people_in
from contactsync.admin.files import downloads
from contactsync.admin.flow import FlowAdmin
from contactsync.admin.search import by_number, looked_through
from contactsync.admin.tables import Table
from contactsync.models import Campaign, Recipient
from contactsync.templatetags.contactsync import ltr, state_badge, when
from contactsync.text import clean

#: columns of the exported report
COLUMNS: tuple[tuple[Any, Callable[[Recipient], Any]], ...] = (
    (gettext_lazy("phone number"), lambda row: row.phone),
    (gettext_lazy("name"), lambda row: row.name),
    (gettext_lazy("state"), lambda row: row.get_state_display()),
    (gettext_lazy("why left out"), lambda row: row.get_exclusion_display()),
    (gettext_lazy("delivery"), lambda row: row.get_delivery_display()),
    (gettext_lazy("delivery, in the provider's code"), lambda row: row.delivery_raw),
    (gettext_lazy("delivery read at"), lambda row: row.delivery_at),
    (gettext_lazy("SMS parts"), lambda row: row.parts if counts_parts(row.campaign.account) else ""),
    (gettext_lazy("text"), lambda row: row.text),
    (gettext_lazy("reference of the provider"), lambda row: row.reference),
    (gettext_lazy("call"), lambda row: row.call_id),
    (gettext_lazy("reason"), lambda row: row.error_text),
)


def _named(words: str) -> Q:
    return Q(name__icontains=clean(words))


def _among_few(rows: QuerySet[Recipient], words: str) -> QuerySet[Recipient]:
    """The same for a table, which goes through its rows only once."""
    numbers = by_number(rows, words)
    return rows.filter(_named(words)) if numbers is None else numbers


def by_number_or_name(rows: QuerySet[Recipient], words: str) -> QuerySet[Recipient]:
    """Recipients with this number, in any form, or this name."""
    numbers = by_number(rows, words)
    return looked_through(rows, _named(words)) if numbers is None else numbers


def recipient_table(request: HttpRequest, rows: QuerySet[Recipient]) -> Table:
    """Recipients of one campaign or one call."""
    return Table(
        request,
        rows.select_related("call"),
        search=_among_few,
        filters={
            "state": (_("State"), Recipient.State.choices),
            "delivery": (_("Delivery"), Recipient.Delivery.choices),
            "exclusion": (_("Why left out"), Recipient.Exclusion.choices),
        },
    )


@admin.register(Recipient)
class RecipientAdmin(downloads.DownloadMixin, FlowAdmin):
    """Which messages a number got, did not get, and why. Read-only."""

    download_columns = ((gettext_lazy("campaign"), lambda row: row.campaign.title), *COLUMNS)
    export_permission = "contactsync.export_campaign"
    list_display = ("number", "name", "campaign", "handed_over", "delivered", "read_at", "reason")
    list_filter = ("state", "delivery", "exclusion")
    list_select_related = ("campaign",)
    sorted_by_index = ()
    search_fields = ("phone", "name")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("phone number"), ordering="phone")
    def number(self, recipient: Recipient) -> str:
        return ltr(recipient.phone)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def handed_over(self, recipient: Recipient) -> str:
        return state_badge(recipient.state, recipient.get_state_display())

    @admin.display(description=gettext_lazy("delivery"), ordering="delivery")
    def delivered(self, recipient: Recipient) -> str:
        return state_badge(recipient.delivery, recipient.get_delivery_display())

    @admin.display(description=gettext_lazy("delivery read at"), ordering="delivery_at")
    def read_at(self, recipient: Recipient) -> str:
        return when(recipient.delivery_at)

    @admin.display(description=gettext_lazy("reason"))
    def reason(self, recipient: Recipient) -> str:
        return recipient.get_exclusion_display() if recipient.exclusion else recipient.error_text

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Recipient], search_term: str
    ) -> tuple[QuerySet[Recipient], bool]:
        """Numbers in any form, and names."""
        return (by_number_or_name(queryset, search_term) if search_term else queryset), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Everything known about one message to one number."""
        recipient = self.row(request, object_id)
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        return self.page(
            request,
            "page",
            recipient,
            recipient=recipient,
            title=_("Recipient"),
            counts_parts=counts_parts(recipient.campaign.account),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recipient]:
        return super().get_queryset(request).select_related("campaign__account", "contact", "call", "target")


def export_recipients(campaign: Campaign, form: str, name: str = "") -> HttpResponseBase:
    """Everybody the campaign looked at, or the people of one list, with what became of each, as "csv" or "xlsx"."""
    if form not in downloads.WRITERS:
        raise Http404(_("Files are “csv” or “xlsx”."))
    people = people_in(campaign, name) if name else campaign.recipients.all()
    rows = people.select_related("campaign__account").order_by("id").iterator(chunk_size=downloads.CHUNK)
    lines = ([getter(row) for _title, getter in COLUMNS] for row in rows)
    file_name = f"campaign-{campaign.pk}-{name}" if name else f"campaign-{campaign.pk}"
    return downloads.WRITERS[form](file_name, [title for title, _getter in COLUMNS], lines)
