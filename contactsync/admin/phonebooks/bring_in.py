"""Bring a whole phonebook in from a provider: which account, which phonebook, and on to the run."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contactsync import work
from contactsync.admin.common import link, may, person, require, say
from contactsync.models import ProviderAccount
from contactsync.models.transitions import TransitionRefused
from contactsync.sync.bring_in import remote_phonebooks
from contactsync.sync.connect import Misconfigured, Operation, ProviderError, capabilities, error_text
from contactsync.text import clean

TEMPLATE = "admin/contactsync/phonebook/bring_in.html"


def can_bring_in(account: ProviderAccount) -> bool:
    """Whether the provider lists its phonebooks and the contacts in them."""
    try:
        limits = capabilities(account)
    except Misconfigured:
        return False
    return limits.can(Operation.LIST_PHONEBOOKS) and limits.can(Operation.LIST_CONTACTS)


def may_bring_in(user: Any) -> bool:
    """Whether the person may make phonebooks, and work with the provider."""
    return may(user, "add_phonebook") and may(user, "push_phonebook")


class BringInPages:
    """The page at `bring-in/`, for the screen of phonebooks."""

    admin_site: Any
    opts: Any
    name_of: Any
    change_list_template = "admin/contactsync/phonebook/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.bring_in_view))
        return [path("bring-in/", view, name=self.name_of("bring_in")), *super().get_urls()]

    def bring_in_view(self, request: HttpRequest) -> HttpResponse:
        """First the account, then what it holds; reading is all that a GET does."""
        require(request, "add_phonebook", "push_phonebook")
        accounts = [account for account in ProviderAccount.objects.all() if can_bring_in(account)]
        chosen = request.GET.get("account", "")
        if not chosen and len(accounts) == 1 and request.method == "GET":
            return HttpResponseRedirect(f"{request.path}?account={accounts[0].pk}")
        if not chosen and request.method == "GET":
            return self._accounts(request, accounts)
        account = next((account for account in accounts if str(account.pk) == chosen), None)
        if account is None:
            raise Http404(_("There is no such account, or its provider does not show its phonebooks and contacts."))
        return self._begin(request, account) if request.method == "POST" else self._offer(request, account)

    def _accounts(self, request: HttpRequest, accounts: list[ProviderAccount]) -> TemplateResponse:
        context = {
            "title": _("Bring in from which account?"),
            "choices": [(f"{request.path}?account={account.pk}", account.name) for account in accounts],
            "none_text": _("There is no account whose provider shows its phonebooks and contacts."),
        }
        return self._shown(request, "admin/contactsync/choose.html", context)

    def _offer(self, request: HttpRequest, account: ProviderAccount) -> TemplateResponse:
        context: dict[str, Any] = {"title": _("Bring in from the provider"), "account": account, "books": []}
        try:
            context["books"] = remote_phonebooks(account)
        except ProviderError as error:
            context["error"] = error_text(error)
        # where phonebooks cannot be made they are names on contacts, and one that no contact bears is not listed
        context["by_name"] = not capabilities(account).can(Operation.CREATE_PHONEBOOK)
        return self._shown(request, TEMPLATE, context)

    def _shown(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, template, {**self.admin_site.each_context(request), "opts": self.opts, **context}
        )

    def _begin(self, request: HttpRequest, account: ProviderAccount) -> HttpResponse:
        name = clean(request.POST.get("name", ""))
        remote_id = request.POST.get("remote_id", "") or name
        if not remote_id:
            say(request, _("Choose a phonebook, or write its name."), level=messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        title = clean(request.POST.get("title", "")) or remote_id
        try:
            run = work.bring_in_phonebook(account, remote_id, title, user=person(request))
        except TransitionRefused as refused:
            say(request, str(refused), level=messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        say(request, _("The phonebook is being brought in. Nothing is changed at the provider."))
        return HttpResponseRedirect(link(run))
