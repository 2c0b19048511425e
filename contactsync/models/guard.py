"""How many calls this database knows of, so that a restored backup is noticed, and who let calls go out after one."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class DatabaseMark(models.Model):
    """One row: counts every call that was put on the wire, in the transaction that put it there."""

    ONLY = 1  # its primary key

    identity = models.UUIDField(default=uuid.uuid4)  # a restored backup and a copy keep it
    mark = models.PositiveBigIntegerField(default=0)
    lost_mark = models.PositiveBigIntegerField(
        default=0
    )  # the highest that some machine's log told; 0: nothing is lost
    lost = models.JSONField(default=dict)  # what that log told of the calls in between

    class Meta:
        verbose_name = _("mark of the database")
        verbose_name_plural = _("marks of the database")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.mark)


class Clearance(models.Model):
    """A person compared with the providers what a restored database does not know, and let calls go out again."""

    cleared_at = models.DateTimeField(_("allowed at"), auto_now_add=True)
    cleared_by = models.CharField(_("allowed by"), max_length=150)
    note = models.TextField(_("note"), blank=True)
    why = models.JSONField(_("why calls were held back"), default=dict)
    mark_before = models.PositiveBigIntegerField(_("calls known to the database"))
    mark_after = models.PositiveBigIntegerField(_("calls that had left"))
    lost = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("word to send again")
        verbose_name_plural = _("words to send again")
        ordering = ["-id"]
        default_permissions = ()
        permissions = [("allow_sends", _("Can allow sends again after a restored backup"))]

    def __str__(self) -> str:
        return f"{self.cleared_by} {self.cleared_at:%Y-%m-%d %H:%M}"
