"""How the list of contacts is narrowed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from contactsync.admin.search import narrowed
from contactsync.models import Contact, Phonebook

SyncState = Contact.SyncState
GROUPS: dict[str, tuple[str, ...]] = {
    "trouble": (SyncState.FAILED, SyncState.UNKNOWN, SyncState.MISSING),
}


class SyncFilter(admin.SimpleListFilter):
    """The state at the provider, one by one and in the groups the phonebooks show."""

    title = _("state at the provider")
    parameter_name = "sync"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        groups = [
            ("waiting", _("waiting for a push")),
            ("cannot", _("cannot be pushed")),
            ("trouble", _("needs attention")),
        ]
        return [*groups, *SyncState.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        if value == "cannot":
            return queryset.filter(~Q(sync_error={}), sync_state__in=Contact.WAITING)
        if value == "waiting":
            return queryset.filter(sync_error={}, sync_state__in=Contact.WAITING)
        states = GROUPS.get(value) or tuple({value} & set(SyncState.values))
        if not states:
            return queryset
        if "phonebook__id__exact" in request.GET:
            return queryset.filter(sync_state__in=states)
        # the index has the phonebook first, so few in all phonebooks are found phonebook by phonebook
        states_of_all = Q(phonebook__in=list(Phonebook.objects.values_list("pk", flat=True)), sync_state__in=states)
        return narrowed(queryset, Q(sync_state__in=states), by_index=states_of_all)


class DeletedFilter(admin.SimpleListFilter):
    """Deleted contacts are shown only when asked for."""

    title = _("deleted")
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("deleted here, waiting for the provider"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(deleted_at__isnull=self.value() != "yes")

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": _("present")}
        yield from others
