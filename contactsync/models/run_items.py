"""What a run means to do with each contact, and what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactsync.models.ledger import Call, Run
from contactsync.models.shared import Explained


class RunItem(Explained):
    """What a run means to do with one contact, and what became of it."""

    class Operation(models.TextChoices):
        CREATE = "create", _("create")
        UPDATE = "update", _("update")
        DELETE = "delete", _("delete")
        ADOPT = "adopt", _("already there, only link it")
        CANNOT = "cannot", _("not possible")
        ONLY_HERE = "only_here", _("only here")
        ONLY_THERE = "only_there", _("only at the provider")
        DIFFERENT = "different", _("different")
        OPTED_OUT = "opted_out", _("unsubscribed at the provider")

    class Decision(models.TextChoices):
        KEEP_OURS = "keep_ours", _("keep ours")
        TAKE_THEIRS = "take_theirs", _("take theirs")
        ADD_HERE = "add_here", _("add here")
        ADD_THERE = "add_there", _("add at the provider")
        DELETE_HERE = "delete_here", _("delete here")
        DELETE_THERE = "delete_there", _("delete at the provider")
        SUPPRESS = "suppress", _("suppress the number")
        LEAVE = "leave", _("leave as it is")

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("outcome not known")
        NOT_ATTEMPTED = "not_attempted", _("not attempted")

    run = models.ForeignKey(Run, models.CASCADE, db_index=False, related_name="items", verbose_name=_("run"))
    contact = models.ForeignKey(
        "contactsync.Contact", models.SET_NULL, null=True, related_name="run_items", verbose_name=_("contact")
    )
    phone = models.CharField(_("phone number"), max_length=40)
    remote_id = models.CharField(_("id at the provider"), max_length=100, blank=True)
    operation = models.CharField(_("operation"), max_length=10, choices=Operation)
    decision = models.CharField(_("decision"), max_length=12, choices=Decision, blank=True)
    theirs = models.JSONField(_("as the provider has it"), default=dict, blank=True, editable=False)
    changes = models.JSONField(_("changes"), default=dict, blank=True, help_text=_("field: [at the provider, here]"))
    payload_hash = models.CharField(max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=15, choices=State, default=State.PLANNED)
    call = models.ForeignKey(Call, models.SET_NULL, null=True, related_name="items", verbose_name=_("call"))
    answer = models.CharField(
        max_length=12, blank=True, editable=False, help_text="What the provider said of it before it was read back."
    )
    error = models.JSONField(_("reason"), default=dict, blank=True)

    class Meta:
        verbose_name = _("item of a run")
        verbose_name_plural = _("items of runs")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "phone"],
                condition=~Q(operation__in=["only_there", "cannot"]),  # a provider may hold a number twice
                name="run_item_once_per_phone",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "done", "failed", "unknown", "not_attempted"]),
                name="run_item_state_known",
            ),
        ]
        indexes = [
            # of the run alone and in the order of its pages
            models.Index(fields=["run", "id"], name="item_run"),
            models.Index(fields=["run", "operation", "state"], name="item_run_operation_state"),
            models.Index(fields=["phone"], name="item_phone"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.phone}"
