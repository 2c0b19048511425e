"""What several models have in common."""

from __future__ import annotations

from typing import Any

from django.db import models

from contactsync.models.reasons import describe


class Leased(models.Model):
    """A row that one worker at a time works on: its own until the lease ends, free for another afterwards."""

    lease_owner = models.CharField(max_length=64, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


class Explained(models.Model):
    """A row that says why it is as it is. Its field `error` is labelled by each model."""

    error: models.JSONField[Any, Any]

    class Meta:
        abstract = True

    @property
    def error_text(self) -> str:
        """The reason in the active language; empty when there is none."""
        return describe(self.error)
