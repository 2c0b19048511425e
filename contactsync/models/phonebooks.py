"""Phonebooks, and the extra fields that the contacts in them have."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactsync.models.accounts import ProviderAccount


class CustomOption(models.Model):
    """An extra field that contacts of an account can have, as IPPanel's options or LOX24's columns."""

    class Kind(models.TextChoices):
        TEXT = "text", _("text")
        INTEGER = "integer", _("whole number")
        DATE = "date", _("date")
        CHOICE = "choice", _("choice")
        MULTIPLE = "multiple", _("several choices")
        EMAIL = "email", _("e-mail address")

    account = models.ForeignKey(ProviderAccount, models.CASCADE, related_name="options", verbose_name=_("account"))
    title = models.CharField(_("title"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.TEXT)
    choices = models.JSONField(
        _("choices"), default=list, blank=True, help_text=_("For the kinds with choices: the allowed values.")
    )
    remote_key = models.CharField(_("key at the provider"), max_length=100, blank=True, editable=False)

    class Meta:
        verbose_name = _("custom option")
        verbose_name_plural = _("custom options")
        ordering = ["account", "title"]
        constraints = [
            models.UniqueConstraint(fields=["account", "title"], name="option_title_unique_per_account"),
            models.UniqueConstraint(
                fields=["account", "remote_key"], condition=~Q(remote_key=""), name="option_key_unique_per_account"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["text", "integer", "date", "choice", "multiple", "email"]),
                name="option_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Phonebook(models.Model):
    """A list of contacts kept in step with a list at the provider."""

    account = models.ForeignKey(ProviderAccount, models.PROTECT, related_name="phonebooks", verbose_name=_("account"))
    title = models.CharField(_("title"), max_length=200)
    description = models.CharField(_("description"), max_length=255, blank=True)
    options = models.ManyToManyField(
        CustomOption, through="PhonebookOption", related_name="phonebooks", verbose_name=_("custom options"), blank=True
    )
    remote_id = models.CharField(_("id at the provider"), max_length=100, blank=True, editable=False)
    pushed_payload = models.JSONField(_("as last pushed"), null=True, editable=False)
    pushed_at = models.DateTimeField(_("last pushed at"), null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("phonebook")
        verbose_name_plural = _("phonebooks")
        ordering = ["title"]
        permissions = [("push_phonebook", _("Can push phonebooks to the provider"))]
        constraints = [
            models.UniqueConstraint(fields=["account", "title"], name="phonebook_title_unique_per_account"),
            models.UniqueConstraint(
                fields=["account", "remote_id"],
                condition=~Q(remote_id=""),
                name="phonebook_remote_id_unique_per_account",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class PhonebookOption(models.Model):
    """An option used in a phonebook, with the provider's place for it where it has places.

    Instead of an option it may be a field of the contact that the provider has no place of its own for.
    """

    class Field(models.TextChoices):
        PREFIX = "prefix", _("prefix")
        FIRST_NAME = "first_name", _("first name")
        LAST_NAME = "last_name", _("last name")
        FULL_NAME = "full_name", _("full name")
        COMPANY = "company", _("company")
        EMAIL = "email", _("e-mail")
        NOTE = "note", _("note")

    phonebook = models.ForeignKey(Phonebook, models.CASCADE, related_name="option_places", verbose_name=_("phonebook"))
    option = models.ForeignKey(
        CustomOption, models.CASCADE, related_name="places", null=True, blank=True, verbose_name=_("custom option")
    )
    field = models.CharField(_("field of the contact"), max_length=20, choices=Field, blank=True)
    slot = models.CharField(_("place at the provider"), max_length=100, blank=True)
    stays_here = models.BooleanField(
        _("stays here"), default=False, help_text=_("Used for messages made here, and not told to the provider.")
    )

    class Meta:
        verbose_name = _("option of the phonebook")
        verbose_name_plural = _("options of the phonebook")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["phonebook", "option"], name="phonebook_option_once"),
            models.UniqueConstraint(fields=["phonebook", "slot"], condition=~Q(slot=""), name="phonebook_slot_once"),
            models.UniqueConstraint(fields=["phonebook", "field"], condition=~Q(field=""), name="phonebook_field_once"),
            models.CheckConstraint(
                condition=Q(option=None, field__gt="") | Q(option__isnull=False, field=""),
                name="phonebook_option_or_field",
            ),
        ]

    def __str__(self) -> str:
        return str(self.option) if self.option is not None else str(self.get_field_display())
