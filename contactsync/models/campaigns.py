"""Campaigns, whom they go to, and what became of each message."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactsync.models.accounts import ProviderAccount
from contactsync.models.contacts import Contact
from contactsync.models.phonebooks import Phonebook
from contactsync.models.shared import Explained, Leased


class Campaign(Leased, Explained):
    """One text to many people: written, prepared (audience frozen), sent, reported."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PREPARING = "preparing", _("being prepared")
        PREPARED = "prepared", _("prepared, waiting for approval")
        SENDING = "sending", _("sending")
        STOPPING = "stopping", _("stopping")
        STOPPED = "stopped", _("stopped")
        PAUSED = "paused", _("paused")
        WAITING = "waiting", _("waiting for its time")
        SCHEDULED = "scheduled", _("scheduled at the provider")
        SENT = "sent", _("handed over")
        ATTENTION = "attention", _("needs a decision")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    #: state -> the states it may be entered from
    TRANSITIONS = {
        State.DRAFT: frozenset({State.PREPARED, State.PREPARING, State.FAILED}),
        State.PREPARING: frozenset({State.DRAFT}),
        State.PREPARED: frozenset({State.PREPARING}),
        State.WAITING: frozenset({State.PREPARED}),
        State.SENDING: frozenset(
            {State.PREPARED, State.WAITING, State.PAUSED, State.STOPPED, State.ATTENTION, State.SENDING}
        ),
        State.STOPPING: frozenset({State.SENDING, State.PAUSED}),
        State.STOPPED: frozenset({State.STOPPING, State.SENDING, State.ATTENTION}),
        State.PAUSED: frozenset({State.SENDING}),
        State.SCHEDULED: frozenset({State.SENDING, State.STOPPING, State.STOPPED, State.ATTENTION}),
        State.SENT: frozenset({State.SENDING, State.STOPPING, State.STOPPED, State.SCHEDULED, State.ATTENTION}),
        State.ATTENTION: frozenset(
            {State.SENDING, State.STOPPING, State.STOPPED, State.SCHEDULED, State.SENT, State.CANCELLED}
        ),
        State.CANCELLED: frozenset({State.WAITING, State.SCHEDULED, State.STOPPED, State.ATTENTION}),
        State.FAILED: frozenset({State.PREPARING, State.SENDING}),
    }

    title = models.CharField(_("title"), max_length=200)
    account = models.ForeignKey(ProviderAccount, models.PROTECT, related_name="campaigns", verbose_name=_("account"))
    sender = models.CharField(
        _("sender"), max_length=40, blank=True, help_text=_("Empty: the default sender of the account.")
    )
    message = models.TextField(_("message"), blank=True)
    is_keyworded = models.BooleanField(
        _("filled in by the provider"),
        default=False,
        help_text=_("The provider puts in the contacts' values; otherwise the texts are made here."),
    )
    template = models.CharField(_("template"), max_length=100, blank=True)
    template_values = models.JSONField(
        _("values of the template"), default=dict, blank=True, help_text=_("variable: text, with placeholders")
    )
    scheduled_for = models.DateTimeField(_("send at"), null=True, blank=True, help_text=_("Empty: at once."))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT, editable=False)
    summary = models.JSONField(_("summary"), default=dict, blank=True, editable=False)
    audience_hash = models.CharField(max_length=64, blank=True, editable=False)
    error = models.JSONField(_("reason"), default=dict, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("written by"),
    )
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("sent by"),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    prepared_at = models.DateTimeField(_("prepared at"), null=True, editable=False)
    started_at = models.DateTimeField(_("started at"), null=True, editable=False)
    finished_at = models.DateTimeField(_("handed over at"), null=True, editable=False)
    reported_at = models.DateTimeField(_("report read at"), null=True, editable=False)
    report_asked_at = models.DateTimeField(null=True, editable=False)  # when a worker was last woken for it

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-id"]
        permissions = [
            ("send_campaign", _("Can send campaigns")),
            ("export_campaign", _("Can export campaign reports")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "draft",
                        "preparing",
                        "prepared",
                        "waiting",
                        "sending",
                        "stopping",
                        "stopped",
                        "paused",
                        "scheduled",
                        "sent",
                        "attention",
                        "cancelled",
                        "failed",
                    ]
                ),
                name="campaign_state_known",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class CampaignTarget(models.Model):
    """One part of the audience: a whole phonebook (or a slice of it), or chosen contacts of it."""

    class Type(models.TextChoices):
        ALL = "all", _("everybody in the phonebook")
        DETAIL = "detail", _("chosen contacts")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="targets", verbose_name=_("campaign"))
    phonebook = models.ForeignKey(Phonebook, models.PROTECT, related_name="+", verbose_name=_("phonebook"))
    type = models.CharField(_("who"), max_length=6, choices=Type, default=Type.ALL)
    start = models.PositiveIntegerField(
        _("from row"), null=True, blank=True, help_text=_("Counted from 1, in the provider's order.")
    )
    size = models.PositiveIntegerField(_("number of rows"), null=True, blank=True)
    contacts = models.ManyToManyField(Contact, related_name="+", blank=True, verbose_name=_("chosen contacts"))

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(type__in=["all", "detail"]), name="target_type_known"),
            models.CheckConstraint(condition=Q(type="all") | Q(start=None, size=None), name="target_slice_only_of_all"),
            models.CheckConstraint(condition=Q(start=None) | Q(start__gte=1), name="target_start_from_one"),
            models.CheckConstraint(condition=Q(size=None) | Q(size__gte=1), name="target_size_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.phonebook} ({self.get_type_display()})"


class Recipient(Explained):
    """One number in one campaign: exactly one row, whatever the number of phonebooks it is in."""

    class State(models.TextChoices):
        EXCLUDED = "excluded", _("left out")
        PLANNED = "planned", _("waiting")
        ON_WIRE = "on_wire", _("on the wire")
        ACCEPTED = "accepted", _("accepted by the provider")
        REFUSED = "refused", _("refused by the provider")
        UNKNOWN = "unknown", _("outcome not known")
        NOT_SENT = "not_sent", _("not sent")

    class Exclusion(models.TextChoices):
        SUPPRESSED = "suppressed", _("on the suppression list")
        OPTED_OUT = "opted_out", _("opted out at the provider")
        INCOMPLETE = "incomplete", _("a placeholder has no value")
        TOO_LONG = "too_long", _("message too long")
        UNREACHABLE = "unreachable", _("number not reachable through this provider")
        DELETED = "deleted", _("contact deleted meanwhile")
        NO_CONSENT = "no_consent", _("no consent on record")
        NEEDS_TEMPLATE = "needs_template", _("did not write lately, and there is no template")

    class Delivery(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENT = "sent", _("on its way")
        DELIVERED = "delivered", _("delivered")
        READ = "read", _("read")
        UNDELIVERED = "undelivered", _("not delivered")
        BLOCKED = "blocked", _("number blocked")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        UNRECOGNISED = "unrecognised", _("unfamiliar answer")

    FINAL_DELIVERIES = frozenset(
        {Delivery.DELIVERED, Delivery.READ, Delivery.UNDELIVERED, Delivery.BLOCKED, Delivery.FAILED, Delivery.CANCELLED}
    )

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    campaign = models.ForeignKey(
        Campaign, models.CASCADE, db_index=False, related_name="recipients", verbose_name=_("campaign")
    )
    target = models.ForeignKey(CampaignTarget, models.SET_NULL, null=True, related_name="+", verbose_name=_("target"))
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, related_name="recipients", verbose_name=_("contact")
    )
    is_stranger = models.BooleanField(default=False, editable=False)  # never ours: only the provider's phonebook had it
    phone = models.CharField(_("phone number"), max_length=16)
    name = models.CharField(_("name"), max_length=255, blank=True)
    remote_id = models.CharField(_("contact id at the provider"), max_length=100, blank=True)
    text = models.TextField(_("text"), blank=True)
    template_values = models.JSONField(_("values of the template"), null=True, editable=False)  # None: free text
    parts = models.PositiveSmallIntegerField(_("SMS parts"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLANNED)
    exclusion = models.CharField(_("why left out"), max_length=20, choices=Exclusion, blank=True)
    error = models.JSONField(_("reason"), default=dict, blank=True)
    call = models.ForeignKey(
        "contactsync.Call", models.SET_NULL, null=True, related_name="recipients", verbose_name=_("call")
    )
    reference = models.CharField(_("reference of the provider"), max_length=100, blank=True)
    delivery = models.CharField(_("delivery"), max_length=15, choices=Delivery, blank=True)
    delivery_raw = models.CharField(_("delivery, in the provider's code"), max_length=50, blank=True)
    delivery_at = models.DateTimeField(_("delivery read at"), null=True)

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "phone"], name="recipient_once_per_campaign"),
            models.CheckConstraint(
                condition=Q(state="excluded", exclusion__gt="") | (~Q(state="excluded") & Q(exclusion="")),
                name="recipient_excluded_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["excluded", "planned", "on_wire", "accepted", "refused", "unknown", "not_sent"]),
                name="recipient_state_known",
            ),
        ]
        indexes = [
            # of the campaign alone and in the order of its pages
            models.Index(fields=["campaign", "id"], name="recipient_campaign"),
            models.Index(fields=["campaign", "state"], name="recipient_campaign_state"),
            models.Index(fields=["phone"], name="recipient_phone"),
        ]

    def __str__(self) -> str:
        return self.phone
