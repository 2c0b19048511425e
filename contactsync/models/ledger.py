"""The ledger: runs, and every remote call that changes something."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactsync.models.accounts import ProviderAccount
from contactsync.models.shared import Explained, Leased


class Run(Leased, Explained):
    """One piece of work with a provider: planned, shown, approved, carried out, counted."""

    class Kind(models.TextChoices):
        PUSH = "push", _("push")
        PULL = "pull", _("pull state")
        DELETE = "delete", _("delete at the provider")
        SEND = "send", _("send")
        RECONCILE = "reconcile", _("reconcile")
        BRING_IN = "bring_in", _("bring in from the provider")
        REMOVE = "remove", _("remove at the provider")

    class State(models.TextChoices):
        PLANNING = "planning", _("being planned")
        PLANNED = "planned", _("planned, waiting for approval")
        QUEUED = "queued", _("waiting for a worker")
        RUNNING = "running", _("running")
        STOPPING = "stopping", _("stopping")
        STOPPED = "stopped", _("stopped")
        PAUSED = "paused", _("paused")
        FINISHED = "finished", _("finished")
        ATTENTION = "attention", _("needs a decision")
        FAILED = "failed", _("failed")
        DISCARDED = "discarded", _("discarded")

    #: state -> the states it may be entered from
    TRANSITIONS = {
        State.PLANNING: frozenset({State.PAUSED}),
        State.PLANNED: frozenset({State.PLANNING}),
        State.QUEUED: frozenset({State.PLANNED, State.PAUSED, State.STOPPED}),
        State.RUNNING: frozenset({State.QUEUED, State.RUNNING}),
        State.STOPPING: frozenset({State.QUEUED, State.RUNNING, State.PAUSED}),
        State.STOPPED: frozenset({State.STOPPING, State.RUNNING, State.PAUSED}),
        State.PAUSED: frozenset({State.PLANNING, State.RUNNING}),
        State.FINISHED: frozenset({State.RUNNING, State.ATTENTION}),
        State.ATTENTION: frozenset({State.RUNNING, State.STOPPING}),
        State.FAILED: frozenset({State.PLANNING, State.RUNNING}),
        State.DISCARDED: frozenset({State.PLANNED, State.PLANNING, State.PAUSED, State.FAILED}),
    }
    OPEN_STATES = frozenset({State.PLANNING, State.PLANNED, State.QUEUED, State.RUNNING, State.STOPPING, State.PAUSED})

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    account = models.ForeignKey(ProviderAccount, models.PROTECT, related_name="runs", verbose_name=_("account"))
    phonebook = models.ForeignKey(
        "contactsync.Phonebook",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="runs",
        verbose_name=_("phonebook"),
    )
    campaign = models.ForeignKey(
        "contactsync.Campaign", models.SET_NULL, null=True, blank=True, related_name="runs", verbose_name=_("campaign")
    )
    plan = models.JSONField(_("plan"), default=dict, blank=True)
    plan_hash = models.CharField(_("hash of the plan"), max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLANNING)
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    error = models.JSONField(_("reason"), default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("planned by")
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("approved by")
    )
    created_at = models.DateTimeField(_("planned at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["phonebook"],
                condition=Q(
                    kind__in=["push", "delete", "pull", "reconcile", "bring_in", "remove"],
                    state__in=["queued", "running", "stopping", "paused"],
                ),
                name="run_one_active_per_phonebook",
            ),
            models.UniqueConstraint(
                fields=["campaign"],
                condition=Q(kind="send", state__in=["queued", "running", "stopping", "paused"]),
                name="run_one_send_per_campaign",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "planning",
                        "planned",
                        "queued",
                        "running",
                        "stopping",
                        "stopped",
                        "paused",
                        "finished",
                        "attention",
                        "failed",
                        "discarded",
                    ]
                ),
                name="run_state_known",
            ),
        ]
        indexes = [models.Index(fields=["state", "lease_until"], name="run_state_lease")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"

    @property
    def about(self) -> str:
        """The phonebook or campaign it works on, or what it brings in or removes; empty once that is gone."""
        return str(self.phonebook or self.campaign or self.plan.get("title", ""))


class Call(Leased, Explained):
    """One remote call that changes something. Committed before the first byte goes out; people can only read it."""

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        ON_WIRE = "on_wire", _("on the wire")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        NOT_SENT = "not_sent", _("not sent")
        UNKNOWN = "unknown", _("outcome not known")

    #: state -> the states it may be entered from
    TRANSITIONS = {
        State.PLANNED: frozenset({State.ON_WIRE}),
        State.ON_WIRE: frozenset({State.PLANNED}),
        State.ACCEPTED: frozenset({State.ON_WIRE, State.UNKNOWN}),
        State.REFUSED: frozenset({State.ON_WIRE, State.UNKNOWN}),
        State.NOT_SENT: frozenset({State.PLANNED, State.ON_WIRE, State.UNKNOWN}),
        State.UNKNOWN: frozenset({State.ON_WIRE, State.NOT_SENT}),  # a person's “not sent” may prove wrong
    }

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    run = models.ForeignKey(Run, models.PROTECT, related_name="calls", verbose_name=_("run"))
    sequence = models.PositiveIntegerField(_("number in the run"))
    operation = models.CharField(_("operation"), max_length=30)
    target = models.JSONField(_("what it is about"), default=dict, blank=True)
    item_count = models.PositiveIntegerField(_("items"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLANNED)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(_("not before"), null=True)
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    request_line = models.CharField(_("request"), max_length=500, blank=True)
    request_excerpt = models.TextField(_("request body"), blank=True)
    response_excerpt = models.TextField(_("answer"), blank=True)
    provider_request_id = models.CharField(_("request id of the provider"), max_length=100, blank=True)
    references = models.JSONField(_("references of the provider"), default=list, blank=True)
    counters = models.JSONField(_("totals of the provider"), default=dict, blank=True)
    report = models.JSONField(_("what the provider reported"), default=dict, blank=True)
    reported_at = models.DateTimeField(_("report read at"), null=True, editable=False)
    report_is_final = models.BooleanField(default=False, editable=False)  # nothing about it can change any more
    error = models.JSONField(_("reason"), default=dict, blank=True)
    seconds = models.FloatField(_("seconds"), null=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        ordering = ["run", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["run", "sequence"], name="call_sequence_unique_per_run"),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "on_wire", "accepted", "refused", "not_sent", "unknown"]),
                name="call_state_known",
            ),
        ]
        indexes = [models.Index(fields=["run", "state"], name="call_run_state")]

    def __str__(self) -> str:
        return f"{self.operation} {self.pk}"
