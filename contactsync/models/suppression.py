"""Numbers that get no message."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contactsync.text import left_to_right


class Suppression(models.Model):
    """A number that gets no message from us, whatever phonebook, import or campaign it is in."""

    class Source(models.TextChoices):
        PERSON = "person", _("entered by a person")
        IMPORT = "import", _("from a file")
        PROVIDER = "provider", _("told by the provider")
        REPLY = "reply", _("asked by the recipient")

    phone = models.CharField(_("phone number"), max_length=16, unique=True)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.PERSON)
    since = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("suppressed number")
        verbose_name_plural = _("suppressed numbers")
        ordering = ["-id"]  # the newest first, as an index has them
        constraints = [
            models.CheckConstraint(condition=Q(phone__startswith="+"), name="suppression_phone_is_international")
        ]

    def __str__(self) -> str:
        return left_to_right(self.phone)

    @property
    def reason_text(self) -> str:
        """The reason; a sentence of ours that a worker wrote is put into the active language."""
        is_ours = self.source == self.Source.PROVIDER and self.reason
        return gettext(self.reason) if is_ours else self.reason
