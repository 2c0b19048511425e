"""Choices of columns kept under a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from contactsync.models.accounts import ProviderAccount


class SavedMapping(models.Model):
    """A choice of columns kept under a name, for every file of an account that has these titles.

    `columns` is a list of `[title, field]` in the order of the file it was saved from; `fixed` maps field to text;
    `rules` holds the fields of `contactsync.imports.rules.Rules`, or nothing.
    """

    account = models.ForeignKey(ProviderAccount, models.CASCADE, related_name="mappings", verbose_name=_("account"))
    name = models.CharField(_("name"), max_length=100)
    columns = models.JSONField(_("columns"), default=list, blank=True)
    fixed = models.JSONField(_("same for all rows"), default=dict, blank=True)
    rules = models.JSONField(_("what happens with contacts that are there"), default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("saved by")
    )
    created_at = models.DateTimeField(_("saved at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last changed at"), auto_now=True)

    class Meta:
        verbose_name = _("saved mapping")
        verbose_name_plural = _("saved mappings")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="mapping_name_unique_per_account"),
        ]

    def __str__(self) -> str:
        return self.name
