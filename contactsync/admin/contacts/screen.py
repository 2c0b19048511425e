"""Contacts: the list, the form, and where each came from and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin import explain, search
from contactsync.admin.accounts.abilities import limits_of, why_not
from contactsync.admin.common import ScreenAdmin, as_id, link, list_link, may, require, say
from contactsync.admin.contacts.actions import ContactActions
from contactsync.admin.contacts.export import contact_file
from contactsync.admin.contacts.fields import FIELDS, fieldsets, imports_of
from contactsync.admin.contacts.filters import DeletedFilter, SyncFilter
from contactsync.admin.files.downloads import DownloadMixin
from contactsync.admin.forms.contacts import contact_form
from contactsync.admin.runs import planning
from contactsync.models import Contact, CustomOption, Phonebook, Suppression
from contactsync.sync.connect import Operation
from contactsync.templatetags.contactsync import age, badge, ltr

#: rows of each kind in the history of a contact
SHOWN = 20


@admin.register(Contact)
class ContactAdmin(ContactActions, DownloadMixin, ScreenAdmin):
    change_form_template = "admin/contactsync/contact/change_form.html"
    change_list_template = "admin/contactsync/contact/change_list.html"
    list_display = ("who", "number", "phonebook", "state_and_reason", "changed")
    list_display_links = ("who", "number")
    list_filter = (SyncFilter, "phonebook", "phonebook__account", DeletedFilter)
    list_select_related = ("phonebook",)
    search_fields = ("phone", "first_name", "last_name")
    search_help_text = gettext_lazy(
        "A number in any form, parts of a name, or the value of an option (dates as 1371/07/16 or 1992-10-08)."
    )
    steps = ("remove",)

    # The list

    @admin.display(description=gettext_lazy("name"), ordering="last_name")
    def who(self, contact: Contact) -> str:
        return f"{contact.prefix} {contact.full_name}".strip() or contact.company or "–"

    @admin.display(description=gettext_lazy("phone number"), ordering="phone")
    def number(self, contact: Contact) -> str:
        return ltr(contact.phone)

    @admin.display(description=gettext_lazy("state"), ordering="sync_state")
    def state_and_reason(self, contact: Contact) -> str:
        state = badge(contact, "sync_state")
        reason = contact.sync_error_text
        return format_html('{}<div class="cs-reason">{}</div>', state, reason) if reason else state

    @admin.display(description=gettext_lazy("changed"), ordering="updated_at")
    def changed(self, contact: Contact) -> str:
        local = timezone.localtime(contact.updated_at)
        return format_html('<span title="{}">{}</span>', f"{local:%Y-%m-%d %H:%M}", age(contact.updated_at))

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """By name, state or time only within a phonebook that is not large: there is no index for that over all."""
        book = _chosen_book(request)
        if book is None:
            return ("number",)
        return () if search.is_large(self._of(book)) else super().get_sortable_by(request)

    def _of(self, book: int | None) -> QuerySet[Contact]:
        """The contacts of the phonebook the list is narrowed to, else all."""
        return Contact.objects.all() if book is None else Contact.objects.filter(phonebook=book)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        return search.contacts(queryset, search_term, self._options(request)), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """A search for a number leads to the page about it, also when no contact has it."""
        words, book = request.GET.get("q", ""), _chosen_book(request)
        found = explain.address_if_number(words) if may(request.user, "view_contact") else ""
        not_searched = search.LARGE if words and not found and search.is_large(self._of(book)) else 0
        context = {"explain_url": found, "options_not_searched": not_searched, **(extra_context or {})}
        return super().changelist_view(request, context)

    def _options(self, request: HttpRequest) -> Iterable[CustomOption]:
        """The options to search: those of the phonebook the list is narrowed to, else those in use; none of very many contacts."""
        book = _chosen_book(request)
        if search.is_large(self._of(book)):
            return []
        options = CustomOption.objects.filter(places__isnull=False).distinct()
        return options if book is None else options.filter(places__phonebook=book)

    def download(self, rows: QuerySet[Any]) -> Any:
        return contact_file(rows)

    # The form

    def _book(self, request: HttpRequest, contact: Contact | None) -> Phonebook | None:
        if contact:
            return contact.phonebook
        wanted = as_id(request.GET.get("phonebook", ""))
        return Phonebook.objects.select_related("account").filter(pk=wanted).first()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).select_related("phonebook__account")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        book = self._book(request, obj)
        if book and self.has_change_permission(request, obj):
            kwargs["form"] = contact_form(book)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        book = self._book(request, obj)
        if not book or not self.has_change_permission(request, obj):
            return ((None, {"fields": FIELDS[:6]}),)
        return fieldsets(book)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """First the phonebook, which decides the options; then the contact."""
        require(request, "add_contact")
        if self._book(request, None) is None:
            books = list(Phonebook.objects.order_by("title")[:200])
            if len(books) == 1:
                return HttpResponseRedirect(f"{request.path}?phonebook={books[0].pk}")
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("Into which phonebook?"),
                "choices": [(f"{request.path}?phonebook={book.pk}", book.title) for book in books],
                "none_text": _("There is no phonebook yet. Make one first."),
                "none_url": list_link(Phonebook),
                "none_label": _("Phonebooks"),
            }
            return TemplateResponse(request, "admin/contactsync/choose.html", context)
        return super().add_view(request, form_url, extra_context)

    def has_change_permission(self, request: HttpRequest, obj: Contact | None = None) -> bool:
        """A deleted contact only waits for the provider; it is not edited any more."""
        return bool(super().has_change_permission(request, obj)) and not (obj is not None and obj.deleted_at)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the edited fields only: a run may be writing the state of the same contact."""
        if not change:
            obj.save()
        else:
            with transaction.atomic():
                fresh = Contact.objects.select_for_update().get(pk=obj.pk)
                for field in (*FIELDS, "options"):
                    setattr(fresh, field, getattr(obj, field))
                fresh.save(update_fields=[*FIELDS, "options"])
        if form.line == "fixed":
            say(request, _("This is a landline. It may not receive SMS."), level=messages.WARNING)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        contact = context.get("original")
        context["phonebook"] = self._book(request, contact)
        context["show_delete"] = False
        if contact:
            context |= self._page(request, contact)
        return super().render_change_form(request, context, *args, **kwargs)

    def _page(self, request: HttpRequest, contact: Contact) -> dict[str, Any]:
        items = contact.run_items.select_related("run", "call").order_by("-id")
        limits = limits_of(contact.phonebook.account)
        messages_sent = contact.recipients.select_related("campaign").order_by("-id")
        return {
            "suppression": Suppression.objects.filter(phone=contact.phone).first(),
            "came_from": imports_of(contact, at_most=SHOWN),
            "run_items": items[:SHOWN] if may(request.user, "view_run") else (),
            "campaigns": messages_sent[:SHOWN] if may(request.user, "view_campaign") else (),
            "may_remove": self.has_delete_permission(request, contact) and not contact.deleted_at,
            "no_removal": why_not(contact.phonebook.account, Operation.DELETE_CONTACTS) if contact.remote_id else "",
            "deleting": _(limits.deleting_contacts) if limits and limits.deleting_contacts else "",
            "others_url": list_link(Contact, q=contact.phone),
            "explain_url": explain.address(contact.phone) if may(request.user, "view_contact") else "",
        }

    # Deletion: always planned, never at once

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Back to the page, whose button plans the deletion here and at the provider."""
        return self.back(self.row(request, object_id))

    def remove_view(self, request: HttpRequest, contact: Contact) -> HttpResponse:
        """Plan the deletion of this contact, here and at the provider."""
        require(request, "delete_contact")
        return planning.delete(request, Contact.objects.filter(pk=contact.pk), back=link(contact))


def _chosen_book(request: HttpRequest) -> int | None:
    """The phonebook the list is narrowed to."""
    return as_id(request.GET.get("phonebook__id__exact", ""))
