"""What the check of an import found: what the real run is held to, and what a person looks at before it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contactsync.models.imports import ImportJob


class ImportPreview(models.Model):
    """What one row of a file would change of one contact; kept from the check until the row is imported.

    `changes` maps the field (an option as `option:<id>`) to a list of two: before and after.
    """

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="previews", verbose_name=_("import"))
    row = models.PositiveBigIntegerField(_("row"))
    line = models.PositiveBigIntegerField(_("line in the file"))
    phone = models.CharField(_("phone number"), max_length=16)
    changes = models.JSONField(_("before and after"), default=dict)

    class Meta:
        verbose_name = _("change an import would make")
        verbose_name_plural = _("changes an import would make")
        ordering = ["row"]
        constraints = [models.UniqueConstraint(fields=["job", "row"], name="import_preview_once_per_row")]
        indexes = [models.Index(fields=["job", "phone"], name="import_preview_phone")]

    def __str__(self) -> str:
        return f"{self.line}: {self.phone}"


class ImportChunk(models.Model):
    """The verdicts of the check on rows that follow each other, as short as the real run can be compared with.

    `outcomes` holds a letter per row, compressed (`imports.agree`); `rows_digest` is of what the rows say,
    `changes_digest` of what they would change. `end` is the number of the last row.
    """

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="chunks", verbose_name=_("import"))
    end = models.PositiveBigIntegerField(_("last row"))
    rows_digest = models.CharField(max_length=16)
    changes_digest = models.CharField(max_length=16)
    outcomes = models.BinaryField()

    class Meta:
        verbose_name = _("checked rows of an import")
        verbose_name_plural = _("checked rows of imports")
        ordering = ["end"]
        constraints = [models.UniqueConstraint(fields=["job", "end"], name="import_chunk_once_per_end")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.end}"
