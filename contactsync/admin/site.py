"""The admin site: navigation by what people do, and the dashboard as its start page."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

#: title of a group -> the models in it, in the order they are shown
GROUPS = (
    (_("Contacts"), ("Phonebook", "Contact", "CustomOption", "Suppression", "ImportJob")),
    (_("Campaigns"), ("Campaign", "Recipient")),
    (_("Provider"), ("ProviderAccount", "Run", "Call")),
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
        return groups

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The dashboard."""
        from contactsync.admin.dashboard import dashboard  # models are not loaded yet when the site is made

        context = {"dashboard": dashboard(request.user), **(extra_context or {})}
        return super().index(request, context)
