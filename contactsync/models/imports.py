"""Uploaded files and what became of every row."""

from __future__ import annotations

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactsync.models.phonebooks import Phonebook
from contactsync.models.reasons import describe


def private_storage() -> Storage:
    """Where uploads lie: never under a served address."""
    return storages["private"]


class ImportJob(models.Model):
    """One uploaded file on its way into a phonebook."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("waiting for the columns")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("checked, waiting for your word")
        APPLYING = "applying", _("being imported")
        APPLIED = "applied", _("imported")
        STOPPED = "stopped", _("stopped")
        FAILED = "failed", _("failed")
        DISCARDED = "discarded", _("discarded")

    #: state -> the states it may be entered from
    TRANSITIONS = {
        State.UPLOADED: frozenset({State.UPLOADED, State.CHECKED, State.FAILED, State.STOPPED}),
        State.CHECKING: frozenset({State.UPLOADED, State.CHECKED}),
        State.CHECKED: frozenset({State.CHECKING}),
        State.APPLYING: frozenset({State.CHECKED, State.STOPPED, State.FAILED}),
        State.APPLIED: frozenset({State.APPLYING}),
        State.STOPPED: frozenset({State.CHECKING, State.APPLYING}),
        State.FAILED: frozenset({State.CHECKING, State.APPLYING}),
        State.DISCARDED: frozenset(
            {State.UPLOADED, State.CHECKED, State.STOPPED, State.FAILED}
        ),  # while nothing is written
    }

    phonebook = models.ForeignKey(Phonebook, models.PROTECT, related_name="imports", verbose_name=_("phonebook"))
    file = models.FileField(_("file"), storage=private_storage, upload_to="imports/%Y/%m/", max_length=200)
    file_name = models.CharField(_("file name"), max_length=200)
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    sha256 = models.CharField(_("fingerprint"), max_length=64, blank=True)
    encoding = models.CharField(_("encoding"), max_length=30, blank=True)
    dialect = models.JSONField(_("form of the file"), default=dict, blank=True)
    columns = models.JSONField(_("columns found"), default=list, blank=True)
    mapping = models.JSONField(_("columns used"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UPLOADED)
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    checked_counts = models.JSONField(_("counts of the check"), default=dict, blank=True)
    position = models.PositiveBigIntegerField(_("rows done"), default=0)
    total_rows = models.PositiveBigIntegerField(_("rows"), null=True)
    error = models.JSONField(_("error"), default=dict, blank=True)
    lease_owner = models.CharField(max_length=64, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("uploaded by")
    )
    created_at = models.DateTimeField(_("uploaded at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        permissions = [("export_importjob", _("Can download the rows of imports"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "uploaded",
                        "checking",
                        "checked",
                        "applying",
                        "applied",
                        "stopped",
                        "failed",
                        "discarded",
                    ]
                ),
                name="import_state_known",
            )
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def error_text(self) -> str:
        return describe(self.error)


class ImportIssue(models.Model):
    """One thing about one row that a person should know. `code` is one of `contactsync.imports.issues`."""

    class Severity(models.TextChoices):
        REJECTED = "rejected", _("row not imported")
        DUPLICATE = "duplicate", _("number repeated in the file")
        WARNING = "warning", _("imported, please look")

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="issues", verbose_name=_("import"))
    row = models.PositiveBigIntegerField(_("row"))
    line = models.PositiveBigIntegerField(_("line in the file"))
    column = models.CharField(_("column"), max_length=200, blank=True)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity)
    code = models.CharField(_("code"), max_length=40)
    value = models.TextField(_("value in the file"), blank=True)
    params = models.JSONField(default=dict, blank=True)
    suggestion = models.CharField(_("suggestion"), max_length=255, blank=True)
    cells = models.JSONField(_("the whole row"), default=list, blank=True)

    class Meta:
        verbose_name = _("import issue")
        verbose_name_plural = _("import issues")
        ordering = ["row", "id"]
        indexes = [models.Index(fields=["job", "severity", "row"], name="issue_job_severity_row")]

    def __str__(self) -> str:
        return f"{self.line}: {self.code}"


class ImportChange(models.Model):
    """What one row of a file did to one contact, with the contact as it was before."""

    class Kind(models.TextChoices):
        CREATED = "created", _("created")
        UPDATED = "updated", _("updated")

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="changes", verbose_name=_("import"))
    contact = models.ForeignKey(
        "contactsync.Contact", models.CASCADE, related_name="import_changes", verbose_name=_("contact")
    )
    row = models.PositiveBigIntegerField(_("row"))
    line = models.PositiveBigIntegerField(_("line in the file"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    before = models.JSONField(_("before"), null=True)

    class Meta:
        verbose_name = _("change by an import")
        verbose_name_plural = _("changes by imports")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["job", "row"], name="import_change_once_per_row")]

    def __str__(self) -> str:
        return f"{self.kind} {self.contact_id}"
