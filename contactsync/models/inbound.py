"""What came in: what people wrote to us, and what providers told by calling us."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactsync.models.accounts import ProviderAccount
from contactsync.models.shared import Explained
from contactsync.text import left_to_right


class InboundMessage(models.Model):
    """A reply: what a person wrote to one of our numbers or channels."""

    account = models.ForeignKey(
        ProviderAccount, models.CASCADE, db_index=False, related_name="replies", verbose_name=_("account")
    )
    remote_id = models.CharField(_("id at the provider"), max_length=100)
    phone = models.CharField(_("phone number"), max_length=40)
    to = models.CharField(_("written to"), max_length=100, blank=True)
    text = models.TextField(_("text"), blank=True)
    received_at = models.DateTimeField(_("received at"))
    is_opt_out = models.BooleanField(_("asks for no more messages"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")
        ordering = ["-received_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "remote_id"], name="reply_once_per_account"),
        ]
        indexes = [
            models.Index(fields=["phone"], name="reply_phone"),
            models.Index(fields=["received_at", "id"], name="reply_received"),
        ]

    def __str__(self) -> str:
        return left_to_right(self.phone)


class Callback(Explained):
    """One event a provider told us by calling our address: kept before it is acted on, and acted on once."""

    class State(models.TextChoices):
        RECEIVED = "received", _("waiting")
        DONE = "done", _("done")
        IGNORED = "ignored", _("nothing to do")
        FAILED = "failed", _("failed")

    account = models.ForeignKey(ProviderAccount, models.CASCADE, related_name="callbacks", verbose_name=_("account"))
    key = models.CharField(_("key of the event"), max_length=200)
    kind = models.CharField(_("kind"), max_length=20)
    reference = models.CharField(_("reference of the provider"), max_length=100, blank=True)
    our_reference = models.CharField(_("reference of ours"), max_length=100, blank=True)
    contact_remote_id = models.CharField(_("contact id at the provider"), max_length=100, blank=True)
    raw_state = models.CharField(_("state, in the provider's words"), max_length=100, blank=True)
    is_proven = models.BooleanField(_("signed"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RECEIVED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(_("not before"), null=True)
    error = models.JSONField(_("reason"), default=dict, blank=True)
    received_at = models.DateTimeField(_("received at"), auto_now_add=True)
    handled_at = models.DateTimeField(_("handled at"), null=True)

    class Meta:
        verbose_name = _("callback")
        verbose_name_plural = _("callbacks")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="callback_once_per_account"),
            models.CheckConstraint(
                condition=Q(state__in=["received", "done", "ignored", "failed"]), name="callback_state_known"
            ),
        ]
        indexes = [models.Index(fields=["state", "not_before"], name="callback_state")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
