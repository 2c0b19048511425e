"""Provider accounts: keys that go in and never come out, and a button that tests the connection."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters

from contactsync import work
from contactsync.admin.accounts.abilities import why_not
from contactsync.admin.accounts.callback_address import CallbackSteps, callback_facts
from contactsync.admin.common import ScreenAdmin, require, say
from contactsync.admin.files.downloads import DownloadMixin
from contactsync.admin.forms.accounts import SETTING, access_fields, account_form
from contactsync.admin.phonebooks.bring_in import can_bring_in, may_bring_in
from contactsync.models import ProviderAccount
from contactsync.sync.accounts import missed_last_test, set_credentials
from contactsync.sync.connect import Misconfigured, Operation, provider_choices, provider_class
from contactsync.sync.pace import paused_until
from contactsync.templatetags.contactsync import badge, ltr, money, when

hide_post = method_decorator(sensitive_post_parameters())
State = ProviderAccount.State


def provider_label(slug: str) -> str:
    """The provider's name, or its slug when it is not installed."""
    return dict(provider_choices()).get(slug, slug)


@admin.register(ProviderAccount)
class ProviderAccountAdmin(CallbackSteps, DownloadMixin, ScreenAdmin):
    """Accounts are for administrators: whoever may change them may enter keys, and nobody can read them."""

    change_form_template = "admin/contactsync/provideraccount/change_form.html"
    list_display = ("name", "provider_name", "state_badge", "balance_text", "sender", "checked")
    list_filter = ("state",)
    search_fields = ("name", "provider", "identity")
    steps = ("check", *CallbackSteps.callback_steps)
    download_columns = (
        (gettext_lazy("name"), lambda account: account.name),
        (gettext_lazy("provider"), lambda account: account.provider),
        (gettext_lazy("state"), lambda account: account.get_state_display()),
        (gettext_lazy("reason"), lambda account: account.state_reason_text),
        (gettext_lazy("connected as"), lambda account: account.identity),
        (gettext_lazy("balance"), lambda account: account.balance),
        (gettext_lazy("currency"), lambda account: account.currency),
        (gettext_lazy("default sender"), lambda account: account.default_sender),
        (gettext_lazy("default country"), lambda account: account.default_region),
        (gettext_lazy("checked at"), lambda account: account.checked_at),
    )

    # The list

    @admin.display(description=gettext_lazy("provider"), ordering="provider")
    def provider_name(self, account: ProviderAccount) -> str:
        return provider_label(account.provider)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, account: ProviderAccount) -> str:
        return badge(account)

    @admin.display(description=gettext_lazy("balance"), ordering="balance")
    def balance_text(self, account: ProviderAccount) -> str:
        return money(account.balance, account.currency)

    @admin.display(description=gettext_lazy("default sender"), ordering="default_sender")
    def sender(self, account: ProviderAccount) -> str:
        return ltr(account.default_sender)

    @admin.display(description=gettext_lazy("tested"), ordering="checked_at")
    def checked(self, account: ProviderAccount) -> str:
        return when(account.checked_at)

    # The form

    def _slug(self, request: HttpRequest, account: ProviderAccount | None) -> str:
        return account.provider if account else request.GET.get("provider", "")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if self.has_change_permission(request, obj):
            kwargs["form"] = account_form(self._slug(request, obj), obj)
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        common = (None, {"fields": ("name", "base_url", "default_sender", "default_region")})
        if not self.has_change_permission(request, obj):
            return (common,)
        backend = provider_class(self._slug(request, obj))
        credentials = access_fields(account_form(backend.slug, obj))
        settings = [f"{SETTING}{field.name}" for field in backend.setting_fields]
        parts: list[Any] = [common]
        if credentials:
            parts.append((_("Access"), {"fields": credentials}))
        if settings:
            parts.append((_("Settings of this provider"), {"fields": tuple(settings)}))
        return tuple(parts)

    @hide_post
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """First the provider, then its form."""
        choices = provider_choices()
        if request.GET.get("provider") not in dict(choices):
            require(request, "add_provideraccount")
            if len(choices) == 1:
                return HttpResponseRedirect(f"{request.path}?provider={choices[0][0]}")
            return self._choose(request, choices)
        return super().add_view(request, form_url, extra_context)

    def _choose(self, request: HttpRequest, choices: list[tuple[str, str]]) -> TemplateResponse:
        options = [(f"{request.path}?provider={slug}", label) for slug, label in choices]
        context = {"opts": self.opts, "title": _("Which provider?"), "choices": options}
        return TemplateResponse(
            request, "admin/contactsync/choose.html", {**self.admin_site.each_context(request), **context}
        )

    @hide_post
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return super().change_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        account = context.get("original")
        context["provider_label"] = provider_label(self._slug(request, account))
        if account:
            context["may_bring_in"] = may_bring_in(request.user) and can_bring_in(account)
            context["may_check"] = self.has_change_permission(request, account)
            context["key_changed_at"] = self._key_changed_at(account)
            context["notes"] = self._notes(account)
            context["no_balance"] = why_not(account, Operation.READ_BALANCE)
            context["no_senders"] = why_not(account, Operation.LIST_SENDERS)
            context["paused_until"] = paused_until(account)
            context["callbacks"] = callback_facts(account) if context["may_check"] else None
        return super().render_change_form(request, context, *args, **kwargs)

    def _notes(self, account: ProviderAccount) -> list[str]:
        try:
            return [_(note) for note in provider_class(account.provider).capabilities.notes]
        except Misconfigured:
            return []

    def _key_changed_at(self, account: ProviderAccount) -> Any:
        """When a person last entered a credential, according to the history; None when the environment set it."""
        labels = [field.label for field in provider_class(account.provider).credential_fields]
        entered = Q(action_flag=ADDITION)
        for label in labels:
            entered |= Q(change_message__contains=f'"{label}"')
        kind = ContentType.objects.get_for_model(ProviderAccount)
        log = LogEntry.objects.filter(entered, content_type=kind, object_id=str(account.pk))
        return log.order_by("-action_time").values_list("action_time", flat=True).first()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save what was entered. A new key or address makes the account unchecked; after an edit the environment no longer sets it."""
        obj.provider = self._slug(request, obj if change else None)
        obj.settings = form.new_settings
        obj.from_environment = False
        if change and obj.base_url != form.address_before:
            obj.state, obj.state_reason = State.UNCHECKED, {}
        obj.save()
        if form.new_credentials or form.forgotten:
            set_credentials(obj, form.new_credentials, remove=form.forgotten)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """To the account's page, where the next step is to test the connection."""
        say(request, _("The account “%(name)s” was saved. Test the connection now.") % {"name": obj.name})
        return HttpResponseRedirect(reverse(f"admin:{self.name_of('change')}", args=[obj.pk]))

    # The button

    def check_view(self, request: HttpRequest, account: ProviderAccount) -> HttpResponse:
        """Test the connection: one attempt, and its result in plain words."""
        require(request, "change_provideraccount")
        resumed = work.check_account(account)
        reason = account.state_reason_text
        if account.state == State.READY and not account.state_reason:
            say(
                request,
                _("The connection works. Connected as %(identity)s.") % {"identity": account.identity or account},
            )
        elif missed_last_test(account):
            say(request, reason, level=messages.WARNING)
        elif account.state == State.READY:
            say(request, _("The connection works, but: %(reason)s") % {"reason": reason}, level=messages.WARNING)
        elif account.state == State.REFUSED:
            text = _("The provider refused the key. Nothing more is sent until it is corrected. %(reason)s")
            say(request, text % {"reason": reason}, level=messages.ERROR)
        else:
            say(request, _("The connection could not be tested. %(reason)s") % {"reason": reason}, level=messages.ERROR)
        if resumed:
            text = ngettext(
                "%(count)d run that had stopped with the account continues now.",
                "%(count)d runs that had stopped with the account continue now.",
                len(resumed),
            )
            say(request, text % {"count": len(resumed)})
        return self.back(account)
