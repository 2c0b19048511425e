"""What became of every row of an uploaded file."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contactsync.models.imports import ImportJob


class ImportIssue(models.Model):
    """One thing about one row that a person should know. `code` is one of `contactsync.imports.issues`."""

    class Severity(models.TextChoices):
        REJECTED = "rejected", _("row not imported")
        DUPLICATE = "duplicate", _("number repeated in the file")
        SKIPPED = "skipped", _("row skipped, as chosen")
        WARNING = "warning", _("imported, please look")

    job = models.ForeignKey(ImportJob, models.CASCADE, db_index=False, related_name="issues", verbose_name=_("import"))
    row = models.PositiveBigIntegerField(_("row"))
    line = models.PositiveBigIntegerField(_("line in the file"))
    column = models.CharField(_("column"), max_length=200, blank=True)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity)
    code = models.CharField(_("code"), max_length=40)
    value = models.TextField(_("value in the file"), blank=True)
    params = models.JSONField(default=dict, blank=True)
    suggestion = models.CharField(_("suggestion"), max_length=255, blank=True)
    cells = models.JSONField(_("the whole row"), default=list, blank=True)
    #: the number of the row in E.164, or as much of it as its digits tell when it is not one
    number = models.CharField(max_length=40, blank=True, editable=False)

    class Meta:
        verbose_name = _("import issue")
        verbose_name_plural = _("import issues")
        ordering = ["row", "id"]
        indexes = [
            # of the import alone and in the order of its pages
            models.Index(fields=["job", "row"], name="issue_job"),
            models.Index(fields=["job", "severity", "row"], name="issue_job_severity_row"),
            models.Index(fields=["number"], condition=~Q(number=""), name="issue_number"),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.code}"


class ImportChange(models.Model):
    """What one row of a file did to one contact, with the contact as it was before, or to one suppressed number.

    The row outlives the contact, with its number, so that an undo can say what became of every row. Of a suppressed
    number `before` holds under `set` what the row made of it. A number that an earlier file had put on the list is
    there as well: the undo of that one must know who else asked for it.
    """

    class Kind(models.TextChoices):
        CREATED = "created", _("created")
        UPDATED = "updated", _("updated")
        THERE = "there", _("there already")

    # no constraint: PostgreSQL would look for the one import once for every row of it, a twelfth of the time an import takes
    job = models.ForeignKey(
        ImportJob, models.CASCADE, db_constraint=False, related_name="changes", verbose_name=_("import")
    )
    contact = models.ForeignKey(
        "contactsync.Contact",
        models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="import_changes",
        verbose_name=_("contact"),
    )
    suppression = models.ForeignKey(
        "contactsync.Suppression",
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        related_name="import_changes",
        verbose_name=_("suppressed number"),
    )
    row = models.PositiveBigIntegerField(_("row"))
    line = models.PositiveBigIntegerField(_("line in the file"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    before = models.JSONField(_("before"), null=True)

    class Meta:
        verbose_name = _("change by an import")
        verbose_name_plural = _("changes by imports")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["job", "row"], name="import_change_once_per_row"),
            models.CheckConstraint(
                condition=Q(contact__isnull=False, suppression=None) | Q(contact=None, suppression__isnull=False),
                name="import_change_of_one",
            ),
        ]
        indexes = [
            models.Index(fields=["job", "row"], condition=Q(kind="updated"), name="import_change_updated"),
            models.Index(
                fields=["suppression"], condition=Q(suppression__isnull=False), name="import_change_suppression"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.contact_id or self.suppression_id}"


class ImportCorrection(models.Model):
    """One row of a corrected workbook: which row of the corrected import it was, and what was changed in it."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="corrected_rows", verbose_name=_("import"))
    row = models.PositiveBigIntegerField(_("row"))
    line = models.PositiveBigIntegerField(_("line in the file"))
    corrected_row = models.PositiveBigIntegerField(_("row of the corrected import"))
    changes = models.JSONField(_("before and after"), default=list)

    class Meta:
        verbose_name = _("corrected row")
        verbose_name_plural = _("corrected rows")
        ordering = ["row"]
        constraints = [models.UniqueConstraint(fields=["job", "row"], name="import_correction_once_per_row")]

    def __str__(self) -> str:
        return f"{self.line}: {self.corrected_row}"
