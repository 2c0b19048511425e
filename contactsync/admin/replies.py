"""Replies: what people wrote back. They are read; their numbers can be suppressed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import linebreaksbr
from django.urls import URLPattern
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from contactsync import work
from contactsync.admin.common import confirm, link, list_link, may, require, say
from contactsync.admin.files.downloads import DownloadMixin
from contactsync.admin.flow import FlowAdmin
from contactsync.admin.search import by_number, with_words
from contactsync.inbound.inbox import can_be_read
from contactsync.inbound.replies import suppress
from contactsync.models import Contact, InboundMessage, ProviderAccount
from contactsync.templatetags.contactsync import EMPTY, ltr, number, state_badge, when
from contactsync.text import clean

EXCERPT = 120
MOST_CONTACTS = 20


@admin.register(InboundMessage)
class ReplyAdmin(DownloadMixin, FlowAdmin):
    """What people wrote to our numbers and channels."""

    change_list_template = "admin/contactsync/inboundmessage/change_list.html"
    list_display = ("number", "excerpt", "opt_out", "account", "received")
    list_filter = ("is_opt_out", "account", "received_at")
    list_select_related = ("account",)
    sorted_by_index = ("number", "received")
    search_fields = ("phone", "text")
    search_help_text = gettext_lazy("A number in any form, or a word of the text.")
    ordering = ("-received_at", "-id")
    actions = ("suppress_numbers",)
    fields = ("number", "whole_text", "opt_out", "account", "written_to", "received", "contacts", "remote_id")
    readonly_fields = ("number", "whole_text", "opt_out", "written_to", "received", "contacts")
    download_columns = (
        (gettext_lazy("phone number"), lambda reply: reply.phone),
        (gettext_lazy("text"), lambda reply: reply.text),
        (gettext_lazy("asks for no more messages"), lambda reply: reply.is_opt_out),
        (gettext_lazy("account"), lambda reply: reply.account.name),
        (gettext_lazy("written to"), lambda reply: reply.to),
        (gettext_lazy("received at"), lambda reply: reply.received_at),
    )

    # The list

    @admin.display(description=gettext_lazy("phone number"), ordering="phone")
    def number(self, reply: InboundMessage) -> str:
        return ltr(reply.phone)

    @admin.display(description=gettext_lazy("text"))
    def excerpt(self, reply: InboundMessage) -> SafeString | str:
        return format_html('<bdi dir="auto">{}</bdi>', Truncator(reply.text).chars(EXCERPT)) if reply.text else EMPTY

    @admin.display(description=gettext_lazy("asks for no more messages"), ordering="is_opt_out")
    def opt_out(self, reply: InboundMessage) -> SafeString | str:
        return state_badge("stopped", _("no more messages")) if reply.is_opt_out else EMPTY

    @admin.display(description=gettext_lazy("received at"), ordering="received_at")
    def received(self, reply: InboundMessage) -> str:
        return when(reply.received_at)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet[Any], bool]:
        numbers = by_number(queryset, search_term)
        return (with_words(queryset, "text", clean(search_term)) if numbers is None else numbers), False

    def get_queryset(self, request: HttpRequest) -> QuerySet[InboundMessage]:
        return super().get_queryset(request).select_related("account")

    # The page

    @admin.display(description=gettext_lazy("text"))
    def whole_text(self, reply: InboundMessage) -> SafeString | str:
        return format_html('<bdi dir="auto">{}</bdi>', linebreaksbr(reply.text)) if reply.text else EMPTY

    @admin.display(description=gettext_lazy("written to"))
    def written_to(self, reply: InboundMessage) -> str:
        return ltr(reply.to)

    @admin.display(description=gettext_lazy("contacts with this number"))
    def contacts(self, reply: InboundMessage) -> SafeString | str:
        found = Contact.objects.present().filter(phone=reply.phone).select_related("phonebook")[:MOST_CONTACTS]
        lines = ((link(contact), contact.full_name or contact.phone, contact.phonebook.title) for contact in found)
        return format_html_join("", '<div><a href="{}"><bdi>{}</bdi></a> (<bdi>{}</bdi>)</div>', lines) or EMPTY

    # Buttons

    def get_urls(self) -> list[URLPattern]:
        return [self.page_path("fetch/", require_POST(self.fetch_view), "fetch"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        fetched = any(can_be_read(account) for account in self._accounts())
        page: HttpResponse = super().changelist_view(request, {"may_fetch": fetched, **(extra_context or {})})
        return page

    def fetch_view(self, request: HttpRequest) -> HttpResponse:
        """Fetch the replies now from every provider that keeps them for us."""
        require(request, "view_inboundmessage")
        accounts = [account for account in self._accounts() if can_be_read(account)]
        for account in accounts:
            work.read_inbox(account)
        say(
            request,
            _("The replies are being fetched. Look again in a moment.")
            if accounts
            else _("No account is ready whose provider keeps replies to be fetched."),
        )
        return HttpResponseRedirect(list_link(InboundMessage))

    @staticmethod
    def _accounts() -> QuerySet[ProviderAccount]:
        return ProviderAccount.objects.filter(state=ProviderAccount.State.READY)

    def has_suppress_permission(self, request: HttpRequest) -> bool:
        return may(request.user, "add_suppression")

    @admin.action(description=gettext_lazy("Suppress these numbers"), permissions=["suppress"])
    def suppress_numbers(self, request: HttpRequest, replies: QuerySet[InboundMessage]) -> HttpResponse | None:
        """Nothing goes to these numbers any more; the reply is the reason."""
        usable = replies.filter(phone__startswith="+")
        count = usable.values("phone").order_by().distinct().count()
        question = ngettext(
            "%(count)s number goes on the suppression list. No campaign will write to it again.",
            "%(count)s numbers go on the suppression list. No campaign will write to them again.",
            count,
        )
        page = confirm(
            self,
            request,
            usable,
            title=_("Suppress these numbers"),
            question=question % {"count": number(count)},
            button=_("Suppress them"),
            danger=True,
        )
        if page is not None:
            return page
        added = sum(suppress(reply) for reply in usable.order_by("received_at", "pk").iterator())
        done = ngettext(
            "%(count)s number was put on the suppression list.",
            "%(count)s numbers were put on the suppression list.",
            added,
        )
        say(request, done % {"count": number(added)})
        return None
