"""One thing that happened to a number, in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

from contactsync.models import Call, ImportChange


class Kind(models.TextChoices):
    CONTACT = "contact", _("contact and edits")
    IMPORT = "import", _("imports")
    PUSH = "push", _("pushes and other runs")
    CAMPAIGN = "campaign", _("campaigns")
    REPORT = "report", _("delivery")
    REPLY = "reply", _("replies")
    SUPPRESSION = "suppression", _("suppression")


@dataclass(frozen=True, slots=True)
class Line:
    """`what` happened, `why` or with which words, by `who`. `row` is the row to open; `state` and `label` make a badge."""

    at: dt.datetime | None
    kind: Kind
    what: str
    row: models.Model | None = None
    why: str = ""
    who: str = ""
    state: str = ""
    label: str = ""
    phone: str = ""
    call: Call | None = None  # that carried it
    change: ImportChange | None = None  # whose fields are told one by one

    @property
    def is_quoted(self) -> bool:
        """Whether `why` may be somebody's own words or name, which bring their direction with them; else it is our sentence."""
        return self.kind in (Kind.CONTACT, Kind.REPLY, Kind.SUPPRESSION)


def name_of(user: object) -> str:
    """Who did it; empty where nobody is on record."""
    return str(user) if user else ""
