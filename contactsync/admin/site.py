"""The admin site: navigation by what people do, and the dashboard as its start page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

#: title of a group -> the models in it, in the order they are shown
GROUPS = (
    (_("Contacts"), ("Phonebook", "Contact", "CustomOption", "Suppression", "ImportJob", "SavedMapping")),
    (_("Campaigns"), ("Campaign", "Recipient", "InboundMessage")),
    (_("Provider"), ("ProviderAccount", "Run", "Call", "Callback")),
    (_("People"), ("User", "Group")),
)
REST = _("System")


class ContactSyncAdminSite(AdminSite):
    site_header = _("contactsync")
    site_title = _("contactsync")
    index_title = _("Dashboard")
    site_url = None
    empty_value_display = "–"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The models the person may see, grouped by subject instead of by Django app."""
        apps = super().get_app_list(request, app_label)
        by_name = {
            model["object_name"]: (app, model) for app in apps for model in app["models"] if model.get("admin_url")
        }
        groups: list[Any] = []
        for title, names in (*GROUPS, (REST, tuple(by_name))):
            found = [by_name.pop(name) for name in names if name in by_name]
            if found:
                app = found[0][0]
                groups.append({**app, "name": title, "models": [model for _app, model in found]})
        if app_label is None:
            self._add_providers(groups)
            self._add_explain(groups)
            self._add_unknown(groups)
        return groups

    def _add_providers(self, groups: list[Any]) -> None:
        """The page that shows what each provider can do, for everybody: last of the group that is about providers."""
        title = GROUPS[2][0]
        own = next((group for group in groups if group["name"] == title), None)
        if own is None:
            address = reverse("admin:providers", current_app=self.name)
            own = {
                "name": title,
                "app_label": "contactsync",
                "app_url": address,
                "has_module_perms": True,
                "models": [],
            }
            groups.append(own)
        own["models"] = [*own["models"], self._entry(_("Providers"), "Providers", "admin:providers")]

    def _add_explain(self, groups: list[Any]) -> None:
        """The page about one number, after the contacts."""
        entry = self._entry(_("What happened to a number"), "Explain", "admin:explain")
        self._add_beside(groups, "Contact", entry, offset=1)

    def _add_unknown(self, groups: list[Any]) -> None:
        """The page of unknown outcomes, before the calls."""
        self._add_beside(groups, "Call", self._entry(_("Unknown outcomes"), "Unknown", "admin:unknown"), offset=0)

    def _entry(self, name: Any, object_name: str, page: str) -> dict[str, Any]:
        """A page in the navigation, in the form of Django's entries for models."""
        return {
            "name": name,
            "object_name": object_name,
            "admin_url": reverse(page, current_app=self.name),
            "add_url": None,
            "view_only": True,
            "perms": {"add": False, "change": False, "delete": False, "view": True},
        }

    @staticmethod
    def _add_beside(groups: list[Any], model: str, entry: dict[str, Any], *, offset: int) -> None:
        """Put the entry before (offset 0) or after (1) a model, for people who see that model."""
        for group in groups:
            names = [one["object_name"] for one in group["models"]]
            if model in names:
                group["models"].insert(names.index(model) + offset, entry)
                return

    def get_urls(self) -> list[Any]:
        return [
            path("providers/", self.admin_view(self.providers_view), name="providers"),
            path("explain/", self.admin_view(require_GET(self.explain_view)), name="explain"),
            path("unknown/", self.admin_view(require_GET(self.unknown_view)), name="unknown"),
            *(
                path(
                    f"unknown/{step}/", self.admin_view(require_POST(self._unknown_step(step))), name=f"unknown_{step}"
                )
                for step in ("search", "decide", "apply")
            ),
            path(
                "unknown/progress/",
                self.admin_view(require_GET(self._unknown_step("progress"))),
                name="unknown_progress",
            ),
            path("restored/", self.admin_view(require_GET(self.restored_view)), name="restored"),
            path("restored/ask/", self.admin_view(require_POST(self.restored_ask_view)), name="restored_ask"),
            path("restored/allow/", self.admin_view(require_POST(self.restored_allow_view)), name="restored_allow"),
            *super().get_urls(),
        ]

    def explain_view(self, request: HttpRequest) -> TemplateResponse:
        """What happened to a number."""
        from contactsync.admin.explain import page  # models are not loaded yet when the site is made

        return page(self, request)

    def unknown_view(self, request: HttpRequest) -> TemplateResponse:
        """Calls whose outcome is not known."""
        from contactsync.admin.calls.unknown import page  # models are not loaded yet when the site is made

        return page(self, request)

    def _unknown_step(self, step: str) -> Callable[[HttpRequest], HttpResponse]:
        """What can be asked for there."""

        def view(request: HttpRequest) -> HttpResponse:
            from contactsync.admin.calls import unknown  # models are not loaded yet when the site is made

            answer: HttpResponse = getattr(unknown, step)(request)
            return answer

        return view

    def restored_view(self, request: HttpRequest) -> TemplateResponse:
        """What left after the backup that this database was restored from."""
        from contactsync.admin.calls.restored import page  # models are not loaded yet when the site is made

        return page(self, request)

    def restored_ask_view(self, request: HttpRequest) -> TemplateResponse:
        """The same, with what the providers show."""
        from contactsync.admin.calls.restored import ask  # models are not loaded yet when the site is made

        return ask(self, request)

    def restored_allow_view(self, request: HttpRequest) -> HttpResponse:
        """A person allows sends again."""
        from contactsync.admin.calls.restored import allow  # models are not loaded yet when the site is made

        return allow(self, request)

    def providers_view(self, request: HttpRequest) -> TemplateResponse:
        """What each provider can do."""
        from contactsync.admin.accounts.providers import page  # models are not loaded yet when the site is made

        return page(self, request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The dashboard."""
        from contactsync.admin.dashboard.page import dashboard  # models are not loaded yet when the site is made

        context = {"dashboard": dashboard(request.user), **(extra_context or {})}
        return super().index(request, context)
