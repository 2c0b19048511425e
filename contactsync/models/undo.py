"""The undo of a whole import: planned, shown, carried out, and itself undone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactsync.models.import_rows import ImportChange
from contactsync.models.imports import ImportJob
from contactsync.models.shared import Explained, Leased


class ImportUndo(Leased, Explained):
    """One undo of one import. `work` is the kind of work that was last begun, to go on with after a stop."""

    class State(models.TextChoices):
        CHECKING = "checking", _("being looked through")
        CHECKED = "checked", _("checked, waiting for approval")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")
        REDOING = "redoing", _("being redone")
        REDONE = "redone", _("redone")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")

    #: state -> the states it may be entered from
    TRANSITIONS = {
        State.CHECKING: frozenset({State.CHECKED, State.STOPPED, State.FAILED}),
        State.CHECKED: frozenset({State.CHECKING}),
        State.UNDOING: frozenset({State.CHECKED, State.STOPPED, State.FAILED}),
        State.UNDONE: frozenset({State.UNDOING}),
        State.REDOING: frozenset({State.UNDONE, State.STOPPED, State.FAILED}),
        State.REDONE: frozenset({State.REDOING}),
        State.STOPPED: frozenset({State.CHECKING, State.UNDOING, State.REDOING}),
        State.FAILED: frozenset({State.CHECKING, State.UNDOING, State.REDOING}),
    }

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="undos", verbose_name=_("import"))
    job_state = models.CharField(max_length=10, choices=ImportJob.State, editable=False)  # to come back to
    job_position = models.PositiveBigIntegerField(default=0, editable=False)  # how far the import had come
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.CHECKING)
    work = models.CharField(max_length=10, choices=State, default=State.CHECKING, editable=False)
    choices = models.JSONField(_("choices"), default=dict, blank=True, help_text="case: what to do")
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    position = models.PositiveBigIntegerField(default=0, editable=False)  # id of the last row done
    done = models.PositiveBigIntegerField(_("contacts done"), default=0)
    total = models.PositiveBigIntegerField(_("contacts"), default=0)
    error = models.JSONField(_("error"), default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("asked for by")
    )
    created_at = models.DateTimeField(_("asked for at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("undo of an import")
        verbose_name_plural = _("undos of imports")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["job"], condition=~Q(state="redone"), name="import_undo_one_open_per_import"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "checking",
                        "checked",
                        "undoing",
                        "undone",
                        "redoing",
                        "redone",
                        "stopped",
                        "failed",
                    ]
                ),
                name="import_undo_state_known",
            ),
        ]

    def __str__(self) -> str:
        return str(self.job)


class ImportUndoChange(models.Model):
    """What an undo found of one change of the import, what it did about it, and the contact (or the suppressed number)
    as it was before that.

    `facts` say what happened since: `fields` edited, `imports` and `campaigns` (ids), and `seen`, when the contact
    was last changed. `links` are the rows of others that pointed to a contact that is gone now.
    """

    class Case(models.TextChoices):
        CREATED = "created", _("new, untouched since")
        CREATED_PUSHED = "created_pushed", _("new, at the provider by now")
        CREATED_EDITED = "created_edited", _("new, edited since")
        CREATED_MESSAGED = "created_messaged", _("new, in a campaign since")
        UPDATED = "updated", _("changed, untouched since")
        UPDATED_PUSHED = "updated_pushed", _("changed, pushed since")
        UPDATED_EDITED = "updated_edited", _("changed, edited since")
        DELETED = "deleted", _("deleted since")
        CREATED_ASKED = "created_asked", _("new, and the recipient has asked for it since")
        CREATED_NAMED = "created_named", _("new, and named by a later file too")

    class Action(models.TextChoices):
        PLANNED = "planned", _("waiting")
        REMOVED = "removed", _("removed")
        MARKED = "marked", _("marked as deleted")
        RESTORED = "restored", _("put back")
        PARTLY = "partly", _("put back, without later edits")
        KEPT = "kept", _("kept")
        LEFT = "left", _("deleted already")
        MOVED = "moved", _("changed after the preview, kept")

    class Redone(models.TextChoices):
        DONE = "done", _("as after the import")
        KEPT = "kept", _("changed since the undo, kept")
        TAKEN = "taken", _("the number is in the phonebook again, kept")
        LISTED = "listed", _("the number is on the list again, kept")
        GONE = "gone", _("deleted since the undo")

    #: what the undo changed, and a redo can change back
    CHANGING = (Action.REMOVED, Action.MARKED, Action.RESTORED, Action.PARTLY)

    undo = models.ForeignKey(ImportUndo, models.CASCADE, related_name="changes", verbose_name=_("undo"))
    change = models.ForeignKey(ImportChange, models.CASCADE, related_name="+", verbose_name=_("change"))
    contact = models.ForeignKey(
        "contactsync.Contact",
        models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
        verbose_name=_("contact"),
    )
    suppression = models.ForeignKey(
        "contactsync.Suppression",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="+",
        verbose_name=_("suppressed number"),
    )
    phone = models.CharField(_("phone number"), max_length=16, blank=True)
    name = models.CharField(_("name"), max_length=255, blank=True)
    case = models.CharField(_("case"), max_length=20, choices=Case)
    facts = models.JSONField(default=dict, blank=True)
    action = models.CharField(_("what was done"), max_length=10, choices=Action, default=Action.PLANNED)
    before = models.JSONField(_("before"), null=True)
    links = models.JSONField(default=dict, blank=True)
    redone = models.CharField(_("what was redone"), max_length=10, choices=Redone, blank=True)

    class Meta:
        verbose_name = _("change by an undo")
        verbose_name_plural = _("changes by undos")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["undo", "change"], name="import_undo_change_once")]
        indexes = [
            models.Index(fields=["undo", "case", "id"], name="undo_change_case"),
            models.Index(fields=["undo", "action", "id"], name="undo_change_action"),
            models.Index(fields=["undo", "phone"], name="undo_change_phone"),
            models.Index(fields=["phone"], name="undo_change_number"),
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.phone}"
