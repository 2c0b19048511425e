"""Campaigns: write, prepare, send, report."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from contactsync.admin import stages
from contactsync.admin.accounts.abilities import limits_of
from contactsync.admin.campaigns import lookups, pages, template_refresh
from contactsync.admin.campaigns.files import CampaignResource
from contactsync.admin.campaigns.steps import CampaignSteps
from contactsync.admin.common import as_id, link, may, require, say
from contactsync.admin.files.exports import ImportScreenMixin
from contactsync.admin.flow import require_any
from contactsync.admin.forms.campaign_ways import WAYS, fields_of, with_values
from contactsync.admin.forms.campaigns import CampaignForm, TargetForm
from contactsync.campaigns.problems import problems
from contactsync.campaigns.sources import is_slice
from contactsync.models import Campaign, CampaignTarget, ProviderAccount
from contactsync.models.reasons import describe
from contactsync.templatetags.contactsync import badge, number, when

State = Campaign.State


class PlainChoices:
    """Selects without Django's small add, change and delete buttons: related rows have screens of their own."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for right in ("add", "change", "delete", "view"):
            if field is not None and hasattr(field.widget, f"can_{right}_related"):
                setattr(field.widget, f"can_{right}_related", False)
        return field


class TargetInline(PlainChoices, admin.StackedInline):
    """Whom it goes to, in as many parts as needed."""

    model = CampaignTarget
    form = TargetForm
    extra = 0
    min_num = 1
    fields = (("phonebook", "type"), ("start", "size"), "contacts")
    verbose_name = gettext_lazy("target")
    verbose_name_plural = gettext_lazy("Who gets it")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Rows are asked for where the provider's phonebooks have an order; a choice made before stays in sight."""
        limits = limits_of(obj.account) if obj else None
        if limits is None or limits.sends_slices or any(map(is_slice, obj.targets.all())):
            return self.fields
        return (("phonebook", "type"), "contacts")

    def has_add_permission(self, request: HttpRequest, obj: Any) -> bool:
        return may(request.user, "add_campaign") or may(request.user, "change_campaign")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, "add_campaign") or may(request.user, "change_campaign")

    has_delete_permission = has_change_permission

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, "view_campaign") or may(request.user, "change_campaign")


@admin.register(Campaign)
class CampaignAdmin(ImportScreenMixin, PlainChoices, CampaignSteps):
    """One text to many people. Only a draft is edited; every later state has its page."""

    resource_classes = (CampaignResource,)
    form = CampaignForm
    inlines = (TargetInline,)
    list_display = ("title", "state_badge", "people", "account", "goes", "handed_over", "who")
    list_filter = ("state", "account")
    list_select_related = ("account", "created_by")
    search_fields = ("title", "message")

    class Media:
        js = ("contactsync/campaign.js",)

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        found: QuerySet[Campaign] = super().get_export_queryset(request)
        return found.select_related("account", "created_by", "sent_by").prefetch_related("targets__phonebook")

    # Who may do what

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, "add_campaign")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, "change_campaign") and (obj is None or obj.state == State.DRAFT)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, "delete_campaign") and obj is not None and obj.state == State.DRAFT

    def get_deleted_objects(self, campaigns: Any, request: HttpRequest) -> Any:
        """What goes with drafts, as the page that asks lists it: their targets, not each of the contacts chosen there."""
        rows: list[Any] = []
        for campaign in campaigns:
            rows += [str(campaign), [str(target) for target in campaign.targets.select_related("phonebook")]]
        return rows, {Campaign._meta.verbose_name_plural: len(campaigns)}, set(), []

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page_path("parts/", require_POST(self.parts_view), "parts"),
            self.page_path("contacts/", require_GET(self.contacts_view), "contacts"),
            self.page_path("moment/", require_GET(self.moment_view), "moment"),
            path(
                "account/<int:account_id>/",
                self.admin_site.admin_view(require_GET(self.account_view)),
                name="contactsync_campaign_account",
            ),
            path(
                "account/<int:account_id>/templates/",
                self.admin_site.admin_view(require_POST(self.templates_view)),
                name="contactsync_campaign_templates",
            ),
            *super().get_urls(),
        ]

    # The list

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, campaign: Campaign) -> str:
        return badge(campaign)

    @admin.display(description=gettext_lazy("people"))
    def people(self, campaign: Campaign) -> str:
        return number(campaign.summary.get("recipients"))

    @admin.display(description=gettext_lazy("send at"), ordering="scheduled_for")
    def goes(self, campaign: Campaign) -> str:
        return when(campaign.scheduled_for) if campaign.scheduled_for else _("at once")

    @admin.display(description=gettext_lazy("handed over at"), ordering="finished_at")
    def handed_over(self, campaign: Campaign) -> str:
        return when(campaign.finished_at)

    @admin.display(description=gettext_lazy("written by"))
    def who(self, campaign: Campaign) -> str:
        return str(campaign.created_by or "–")

    # The draft

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **{"form": with_values(CampaignForm, obj), **kwargs})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the provider can do, and inputs for the values of the template chosen."""
        writes = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        ways = fields_of(obj) if writes else (*WAYS, "template_values")
        return (
            (None, {"fields": ("title", "account", "sender")}),
            (_("Message"), {"fields": ("message", *ways)}),
            (_("Send time"), {"fields": ("scheduled_for",)}),
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form while it is a draft; else the page of its state."""
        if request.method == "POST":
            return self._save_draft(request, object_id, form_url)
        campaign = self.row(request, object_id)
        if campaign.state == State.DRAFT:
            return super().change_view(request, object_id, form_url, self._draft_context(campaign))
        return self.page(
            request,
            pages.template(campaign),
            campaign,
            progress_url=link(campaign, "progress"),
            **pages.context(request, campaign),
        )

    def _save_draft(self, request: HttpRequest, object_id: str, form_url: str) -> HttpResponse:
        """Save while nobody else can begin to prepare it: the row is locked before its state is looked at."""
        with transaction.atomic():
            campaign = self.row(request, object_id)
            Campaign.objects.select_for_update().get(pk=campaign.pk)
            campaign.refresh_from_db(fields=["state"])
            if campaign.state != State.DRAFT:
                return self._too_late(request, campaign)
            return super().change_view(request, object_id, form_url, self._draft_context(campaign))

    def _too_late(self, request: HttpRequest, campaign: Campaign) -> HttpResponse:
        if not may(request.user, "change_campaign"):
            return HttpResponseNotAllowed(["GET"])
        say(
            request,
            _("The campaign is no longer a draft (%(state)s), so your changes were not saved.")
            % {"state": campaign.get_state_display()},
            level=messages.WARNING,
        )
        return self.back(campaign)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return super().add_view(request, form_url, self._draft_context(None))

    def _draft_context(self, campaign: Campaign | None) -> dict[str, Any]:
        return {
            "steps": stages.of_campaign(campaign),
            "obstacles": [describe(one) for one in problems(campaign)] if campaign else [],
            "title": campaign.title if campaign else _("New campaign"),
        }

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The only account there is needs no choosing."""
        accounts = list(ProviderAccount.objects.values_list("pk", flat=True)[:2])
        return {
            **({"account": accounts[0]} if len(accounts) == 1 else {}),
            **super().get_changeform_initial_data(request),
        }

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A change touches only what the form shows: the state belongs to the services."""
        if change:
            obj.save(update_fields=form.changed_columns)
        else:
            obj.created_by = request.user
            obj.save()
        if form.wants_values:
            say(request, _("Now fill in the template's variables."))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._after_saving(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._after_saving(request, obj) or super().response_change(request, obj)

    def _after_saving(self, request: HttpRequest, campaign: Campaign) -> HttpResponse | None:
        if "_prepare" not in request.POST:
            return None
        return self.prepare(request, campaign)

    # What the form asks for while somebody writes

    def _require_writer(self, request: HttpRequest) -> None:
        require_any(request, "add_campaign", "change_campaign")

    def parts_view(self, request: HttpRequest) -> JsonResponse:
        """A POST because texts are long; it changes nothing."""
        self._require_writer(request)
        account = ProviderAccount.objects.filter(pk=as_id(request.POST.get("account", ""))).first()
        return JsonResponse(lookups.parts(request.POST.get("text", ""), account))

    def account_view(self, request: HttpRequest, account_id: int) -> JsonResponse:
        self._require_writer(request)
        return JsonResponse(lookups.facts(get_object_or_404(ProviderAccount, pk=account_id)))

    def templates_view(self, request: HttpRequest, account_id: int) -> JsonResponse:
        """Read the account's templates anew. Nothing of the draft is saved or lost by it."""
        self._require_writer(request)
        return JsonResponse(template_refresh.refreshed(get_object_or_404(ProviderAccount, pk=account_id)))

    def contacts_view(self, request: HttpRequest) -> JsonResponse:
        self._require_writer(request)
        require(request, "view_contact")
        return lookups.found_contacts(request)

    def moment_view(self, request: HttpRequest) -> JsonResponse:
        self._require_writer(request)
        return JsonResponse({"text": lookups.moment(request.GET.get("date", ""), request.GET.get("time", ""))})
