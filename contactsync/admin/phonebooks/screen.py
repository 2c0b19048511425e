"""Phonebooks: how many contacts are in step, and the buttons that bring them there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.accounts.abilities import limits_of, why_not
from contactsync.admin.common import QuickChangeList, ScreenAdmin, as_id, link, list_link, may, require
from contactsync.admin.files.exports import ImportScreenMixin
from contactsync.admin.phonebooks.bring_in import BringInPages
from contactsync.admin.phonebooks.counts import contact_counts, grouped
from contactsync.admin.phonebooks.deletion import LocalDeletion
from contactsync.admin.phonebooks.files import PhonebookResource
from contactsync.admin.phonebooks.option_inline import OptionInline
from contactsync.admin.phonebooks.places import PlacesMixin
from contactsync.admin.phonebooks.removal import RemovalStep, removal_facts
from contactsync.admin.runs import planning, reconcile
from contactsync.models import Contact, Phonebook, ProviderAccount
from contactsync.sync.connect import Operation
from contactsync.templatetags.contactsync import number, when


class PhonebookChangeList(QuickChangeList):
    """Counts contacts for the phonebooks on the page only."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        counts = contact_counts(book.pk for book in self.result_list)
        for book in self.result_list:
            book.counted = grouped(counts.get(book.pk, {}))


@admin.register(Phonebook)
class PhonebookAdmin(PlacesMixin, BringInPages, LocalDeletion, RemovalStep, ImportScreenMixin, ScreenAdmin):
    resource_classes = (PhonebookResource,)
    change_form_template = "admin/contactsync/phonebook/change_form.html"
    list_display = ("title", "account", "contacts", "in_step", "waiting", "cannot", "failed", "pushed")
    list_filter = ("account",)
    list_select_related = ("account",)
    search_fields = ("title", "description")
    inlines = (OptionInline,)
    actions = ("push_books", "pull_books")
    steps = ("push", "pull", "remove")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PhonebookChangeList]:
        return PhonebookChangeList

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[Phonebook]:
        found: QuerySet[Phonebook] = super().get_export_queryset(request)
        return found.select_related("account").prefetch_related("option_places__option")

    # The list

    def _count(self, book: Any, name: str, **filters: str) -> str:
        address = list_link(Contact, phonebook__id__exact=book.pk, **filters)
        return format_html('<a href="{}" class="cs-num">{}</a>', address, number(book.counted[name]))

    @admin.display(description=gettext_lazy("contacts"))
    def contacts(self, book: Phonebook) -> str:
        return self._count(book, "total")

    @admin.display(description=gettext_lazy("in step"))
    def in_step(self, book: Phonebook) -> str:
        return self._count(book, "synced", sync="synced")

    @admin.display(description=gettext_lazy("waiting"))
    def waiting(self, book: Phonebook) -> str:
        return self._count(book, "waiting", sync="waiting")

    @admin.display(description=gettext_lazy("cannot be pushed"))
    def cannot(self, book: Phonebook) -> str:
        return self._count(book, "cannot", sync="cannot")

    @admin.display(description=gettext_lazy("failed"))
    def failed(self, book: Phonebook) -> str:
        return self._count(book, "failed", sync="trouble")

    @admin.display(description=gettext_lazy("last pushed at"), ordering="pushed_at")
    def pushed(self, book: Phonebook) -> str:
        return when(book.pushed_at)

    # The form

    def get_fields(self, request: HttpRequest, obj: Phonebook | None = None) -> tuple[str, ...]:
        return ("title", "description")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """First the account, then the phonebook."""
        accounts = list(ProviderAccount.objects.all())
        if request.GET.get("account") not in {str(account.pk) for account in accounts}:
            require(request, "add_phonebook")
            if len(accounts) == 1:
                return HttpResponseRedirect(f"{request.path}?account={accounts[0].pk}")
            return self._choose(request, accounts)
        return super().add_view(request, form_url, extra_context)

    def _choose(self, request: HttpRequest, accounts: list[ProviderAccount]) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("In which account?"),
            "choices": [(f"{request.path}?account={account.pk}", account.name) for account in accounts],
            "none_text": _("There is no provider account yet. An administrator adds it with the provider's key."),
        }
        if may(request.user, "add_provideraccount"):
            context |= {"none_url": "../../provideraccount/add/", "none_label": _("Add an account")}
        return TemplateResponse(request, "admin/contactsync/choose.html", context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        account = obj.account if obj else _account(request)

        class PhonebookForm(form):  # type: ignore[valid-type]
            """Knows the account, so that a title already in use is a message, not a crash."""

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                for name, note in _notes(account, obj).items():
                    if name in self.fields:
                        self.fields[name].help_text = note

            def _get_validation_exclusions(self) -> set[str]:
                self.instance.account = account
                excluded: set[str] = super()._get_validation_exclusions()
                return excluded - {"account"}

        return PhonebookForm

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        book = context.get("original")
        if book:
            context |= self._page(request, book)
        return super().render_change_form(request, context, *args, **kwargs)

    def _page(self, request: HttpRequest, book: Phonebook) -> dict[str, Any]:
        counts = grouped(contact_counts([book.pk]).get(book.pk, {}))
        contacts = {"phonebook__id__exact": book.pk}
        return {
            "counts": counts,
            "contacts_url": list_link(Contact, **contacts),
            "synced_url": list_link(Contact, **contacts, sync="synced"),
            "waiting_url": list_link(Contact, **contacts, sync="waiting"),
            "cannot_url": list_link(Contact, **contacts, sync="cannot"),
            "failed_url": list_link(Contact, **contacts, sync="trouble"),
            "account_url": link(book.account) if may(request.user, "view_provideraccount") else "",
            "may_push": may(request.user, "push_phonebook"),
            "no_push": why_not(book.account, Operation.CREATE_CONTACTS),
            "no_pull": why_not(book.account, Operation.LIST_CONTACTS),
            "reconcile_url": reconcile.url_of_last_pull(book) if may(request.user, "view_run") else "",
            **removal_facts(request, book),
            **self.deletion_facts(request, book),
            "runs": book.runs.order_by("-id")[:5] if may(request.user, "view_run") else (),
        }

    # The buttons and actions

    def has_push_permission(self, request: HttpRequest) -> bool:
        return may(request.user, "push_phonebook")

    def push_view(self, request: HttpRequest, book: Phonebook) -> HttpResponse:
        """Plan a push."""
        require(request, "push_phonebook")
        return planning.push(request, [book], back=link(book))

    def pull_view(self, request: HttpRequest, book: Phonebook) -> HttpResponse:
        """Read the provider's state."""
        require(request, "push_phonebook")
        return planning.pull(request, [book], back=link(book))

    @admin.action(description=gettext_lazy("Push to provider"), permissions=["push"])
    def push_books(self, request: HttpRequest, books: QuerySet[Phonebook]) -> HttpResponse:
        return planning.push(request, books, back=request.get_full_path())

    @admin.action(description=gettext_lazy("Pull state from provider"), permissions=["push"])
    def pull_books(self, request: HttpRequest, books: QuerySet[Phonebook]) -> HttpResponse:
        return planning.pull(request, books, back=request.get_full_path())


def _notes(account: ProviderAccount | None, book: Phonebook | None) -> dict[str, str]:
    """Field -> what the provider does not do with it."""
    limits = limits_of(account)
    if account is None or limits is None:
        return {}
    notes = {}
    if book is not None and book.remote_id and (why := why_not(account, Operation.UPDATE_PHONEBOOK)):
        notes["title"] = _("Another title stays here. %(reason)s") % {"reason": why}
    elif not (book and book.remote_id) and (why := why_not(account, Operation.CREATE_PHONEBOOK)):
        notes["title"] = _("Write it exactly as it is there. %(reason)s") % {"reason": why}
    if not limits.has_description:
        notes["description"] = _("It stays here: this provider keeps no descriptions.")
    return notes


def _account(request: HttpRequest) -> ProviderAccount | None:
    """The account chosen in the step before."""
    return ProviderAccount.objects.filter(pk=as_id(request.GET.get("account", ""))).first()
