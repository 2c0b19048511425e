"""App configuration."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class ContactSyncConfig(AppConfig):
    name = "contactsync"
    verbose_name = _("Contacts and campaigns")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks; they need the models, which are loaded by now."""
        import_module("contactsync.checks")


class ContactSyncAdminConfig(AdminConfig):
    default_site = "contactsync.admin.site.ContactSyncAdminSite"

    def ready(self) -> None:
        """Register our screens after everybody else's."""
        super().ready()
        import_module("contactsync.admin.screens")
