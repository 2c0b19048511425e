"""Items of runs: what was to be done with a contact, and what became of it."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.flow import FlowAdmin
from contactsync.admin.search import by_number, named
from contactsync.admin.tables import Table
from contactsync.models import RunItem
from contactsync.templatetags.contactsync import badge, ltr


def item_table(request: HttpRequest, items: QuerySet[RunItem]) -> Table:
    """Items of one run or call, searchable by number in any form and by name."""

    def search(rows: QuerySet[RunItem], words: str) -> QuerySet[RunItem]:
        numbers = by_number(rows, words)
        return named(rows, words, of="contact") if numbers is None else numbers

    return Table(
        request,
        items.select_related("contact", "call"),
        search=search,
        filters={
            "operation": (_("Operation"), RunItem.Operation.choices),
            "state": (_("State"), RunItem.State.choices),
        },
    )


@admin.register(RunItem)
class RunItemAdmin(FlowAdmin):
    """Items over all runs: what was ever done with a number. Read-only."""

    list_display = ("number_", "run", "operation", "state_badge", "reason", "call")
    list_filter = ("operation", "state")
    list_select_related = ("run", "call")
    sorted_by_index = ()
    search_fields = ("phone",)
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Reached from runs and contacts, not from the menu."""
        return False

    @admin.display(description=gettext_lazy("phone number"))
    def number_(self, item: RunItem) -> str:
        return ltr(item.phone)

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, item: RunItem) -> str:
        return badge(item)

    @admin.display(description=gettext_lazy("reason"))
    def reason(self, item: RunItem) -> str:
        return item.error_text

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[RunItem], search_term: str
    ) -> tuple[QuerySet[RunItem], bool]:
        """Numbers in any form."""
        if not search_term:
            return queryset, False
        numbers = by_number(queryset, search_term)
        return queryset.none() if numbers is None else numbers, False
