"""Contacts that are no longer here."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contactsync.models.phonebooks import Phonebook
from contactsync.text import left_to_right


class FormerContact(models.Model):
    """A contact that was removed: its id and number stay, so that what happened to the number can still be told.

    The undo of an import keeps both on its own rows and writes none of these.
    """

    former_id = models.BigIntegerField(_("id the contact had"))
    phone = models.CharField(_("phone number"), max_length=16)
    phonebook = models.ForeignKey(Phonebook, models.SET_NULL, null=True, related_name="+", verbose_name=_("phonebook"))
    removed_at = models.DateTimeField(_("removed at"), auto_now_add=True)

    class Meta:
        verbose_name = _("former contact")
        verbose_name_plural = _("former contacts")
        ordering = ["-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["phone"], name="former_contact_phone")]

    def __str__(self) -> str:
        return left_to_right(self.phone)
