"""The company's accounts at providers."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from contactsync.models.fields import CredentialsField
from contactsync.models.reasons import describe


def new_callback_key() -> str:
    """The part of an account's callback address that nobody can guess."""
    return secrets.token_urlsafe(32)


class ProviderAccount(models.Model):
    """One account at one provider: where to call, with which key, and whether it works."""

    class State(models.TextChoices):
        UNCHECKED = "unchecked", _("not checked yet")
        READY = "ready", _("ready")
        REFUSED = "refused", _("key refused")
        PAUSED = "paused", _("paused")

    name = models.CharField(_("name"), max_length=100, unique=True)
    provider = models.SlugField(_("provider"), max_length=40)
    base_url = models.URLField(_("API address"), blank=True, help_text=_("Leave empty for the provider's own address."))
    credentials = CredentialsField(_("credentials"))
    default_sender = models.CharField(_("default sender"), max_length=40, blank=True)
    default_region = models.CharField(
        _("default country"),
        max_length=2,
        default="IR",
        help_text=_("For phone numbers written without a country code."),
    )
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.UNCHECKED, editable=False)
    state_reason = models.JSONField(_("reason"), default=dict, blank=True, editable=False)
    identity = models.CharField(_("connected as"), max_length=200, blank=True, editable=False)
    can_send = models.BooleanField(_("may send"), default=True, editable=False)
    callback_key = models.CharField(max_length=64, unique=True, default=new_callback_key, editable=False)
    callback_subscribed_at = models.DateTimeField(_("callbacks subscribed at"), null=True, editable=False)
    called_back_at = models.DateTimeField(_("last called us at"), null=True, editable=False)
    callbacks_asked_at = models.DateTimeField(null=True, editable=False)  # when a sweep last woke a worker for them
    inbox_cursor = models.CharField(max_length=100, blank=True, editable=False)  # id of the last reply that was read
    inbox_read_at = models.DateTimeField(_("replies read at"), null=True, editable=False)
    templates = models.JSONField(_("templates"), default=list, blank=True, editable=False)
    senders = models.JSONField(_("senders"), default=list, blank=True, editable=False)
    balance = models.DecimalField(_("balance"), max_digits=18, decimal_places=4, null=True, editable=False)
    currency = models.CharField(_("currency"), max_length=3, blank=True, editable=False)
    checked_at = models.DateTimeField(_("checked at"), null=True, editable=False)
    from_environment = models.BooleanField(
        _("kept by the environment"),
        default=False,
        editable=False,
        help_text=_("Set at start-up from PROVIDER_…; ends with the first edit here."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("provider account")
        verbose_name_plural = _("provider accounts")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="account_has_name"),
            models.CheckConstraint(
                condition=models.Q(state__in=["unchecked", "ready", "refused", "paused"]), name="account_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def state_reason_text(self) -> str:
        return describe(self.state_reason)

    @property
    def is_stopped(self) -> bool:
        """No call may be made until a person has looked at it."""
        return self.state in {self.State.REFUSED, self.State.PAUSED}


class RequestPace(models.Model):
    """When the next request may leave for an account, or for everybody at an address: shared by all workers."""

    key = models.CharField(max_length=250, unique=True)
    next_at = models.FloatField(default=0.0)  # seconds since the epoch
    blocked_until = models.FloatField(default=0.0)

    class Meta:
        verbose_name = _("pace of requests")
        verbose_name_plural = _("paces of requests")

    def __str__(self) -> str:
        return self.key
