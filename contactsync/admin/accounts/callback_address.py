"""Callbacks on the page of an account: the address to give to the provider, and the buttons around it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from contactsync.admin.common import link, list_link, require, say
from contactsync.models import Callback, InboundMessage, ProviderAccount
from contactsync.models.accounts import new_callback_key
from contactsync.models.transitions import StepRefused
from contactsync.sync import callbacks
from contactsync.sync.callback_address import callback_url
from contactsync.sync.connect import (
    CallbackKind,
    Misconfigured,
    Operation,
    ProviderError,
    capabilities,
    credentials_of,
    error_text,
)


def callback_facts(account: ProviderAccount) -> dict[str, Any] | None:
    """What the page shows about callbacks; None for a provider that is not installed."""
    try:
        limits = capabilities(account)
    except Misconfigured:
        return None
    address = callback_url(account) if limits.callbacks != CallbackKind.NONE else ""
    return {
        "exist": limits.callbacks != CallbackKind.NONE,
        "per_send": limits.callbacks == CallbackKind.PER_SEND,
        "address": address,
        "help": _(limits.callback_help) if limits.callback_help else "",
        "is_open": bool(address) and urlsplit(settings.SITE_URL).scheme != "https" and "127." not in address,
        "needs_secret": limits.callbacks_are_signed and not _has_secret(account),
        "may_subscribe": limits.can(Operation.SUBSCRIBE_CALLBACKS) and bool(address),
        "may_unsubscribe": limits.can(Operation.UNSUBSCRIBE_CALLBACKS) and bool(account.callback_subscribed_at),
        "is_fetched": limits.can(Operation.LIST_INBOX),
        "list": list_link(Callback, account__id__exact=account.pk),
        "replies": list_link(InboundMessage, account__id__exact=account.pk),
    }


def _has_secret(account: ProviderAccount) -> bool:
    try:
        return bool(credentials_of(account).get("callback_secret"))
    except Misconfigured:  # said elsewhere on the page
        return True


class CallbackSteps:
    """The buttons, for the screen of accounts. Each asks once more before it does something."""

    callback_steps = ("subscribe", "unsubscribe", "rotate")
    admin_site: Any
    opts: Any
    log_change: Any

    def subscribe_view(self, request: HttpRequest, account: ProviderAccount) -> HttpResponse:
        """Let the provider call this site."""
        return self._ask(
            request,
            account,
            title=_("Have the provider call this site"),
            question=_(
                "The provider keeps only one address. If it calls other software now, that software will no longer be called."
            ),
            button=_("Subscribe"),
            do=lambda: callbacks.subscribe(account),
            done=_("The provider calls this site now."),
        )

    def unsubscribe_view(self, request: HttpRequest, account: ProviderAccount) -> HttpResponse:
        """Stop the provider's calls."""
        return self._ask(
            request,
            account,
            title=_("Stop the provider's calls"),
            question=_(
                "The provider will no longer call any address, this site included. Delivery reports are still read from it."
            ),
            button=_("Unsubscribe"),
            do=lambda: callbacks.unsubscribe(account),
            done=_("The provider no longer calls any address."),
        )

    def rotate_view(self, request: HttpRequest, account: ProviderAccount) -> HttpResponse:
        """Replace the address; calls to the old one are rejected from then on."""

        def rotate() -> None:
            account.callback_key, account.callback_subscribed_at = new_callback_key(), None
            account.save(update_fields=["callback_key", "callback_subscribed_at", "updated_at"])

        return self._ask(
            request,
            account,
            title=_("Create a new address"),
            question=_(
                "The current address stops working at once, also for messages that are on their way. "
                "Give the new one to the provider afterwards."
            ),
            button=_("Create a new address"),
            do=rotate,
            done=_(
                "The address was replaced. Give the new one to the provider now: calls to the old one are rejected."
            ),
        )

    def _ask(
        self,
        request: HttpRequest,
        account: ProviderAccount,
        *,
        title: str,
        question: str,
        button: str,
        do: Any,
        done: str,
    ) -> HttpResponse:
        require(request, "change_provideraccount")
        if request.POST.get("confirmed") != "yes":
            context = {"opts": self.opts, "title": title, "question": question, "button": button, "danger": True}
            addresses = {"form_url": request.path, "back_url": link(account)}
            shown = {**self.admin_site.each_context(request), **context, **addresses}
            return TemplateResponse(request, "admin/contactsync/confirm.html", shown)
        try:
            do()
        except StepRefused as refused:
            say(request, str(refused), level=messages.WARNING)
        except ProviderError as error:
            say(request, error_text(error), level=messages.ERROR)
        else:
            self.log_change(request, account, title)
            say(request, done)
        return HttpResponseRedirect(link(account))
