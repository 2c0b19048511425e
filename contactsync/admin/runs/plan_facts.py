"""What the page of a plan says beside its numbers: where values go, what a deletion takes with it, titles of options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync.admin.accounts.abilities import limits_of
from contactsync.admin.words import field_label
from contactsync.models import CustomOption, Run
from contactsync.models.reasons import describe
from contactsync.sync.place_saving import FIELD
from contactsync.templatetags.contactsync import number


def option_titles(run: Run) -> dict[str, str]:
    """Titles of the account's options, by our id and by the provider's key."""
    found: dict[str, str] = {}
    for pk, key, title in CustomOption.objects.filter(account_id=run.account_id).values_list(
        "pk", "remote_key", "title"
    ):
        found |= {str(pk): title, **({key: title} if key else {})}
    return found


def plan_places(run: Run) -> list[dict[str, Any]]:
    """Title, place (empty: not told) and warnings of every source of values, as planned; those with warnings first."""
    limits = limits_of(run.account)
    has_names = limits is not None and limits.option_identity != "id"
    rows = [
        {
            "title": _title(row),
            "place": (row["slot"] if has_names else _("goes to the provider")) if name == "places" else "",
            "is_code": has_names and name == "places",
            "warnings": [describe(why) for why in row["warnings"]],
        }
        for name in ("places", "left_out")
        for row in run.plan.get(name, ())
    ]
    return sorted(rows, key=lambda row: not row["warnings"])


def _title(row: Mapping[str, Any]) -> str:
    source = str(row.get("source", ""))
    return field_label(source.removeprefix(FIELD), {}) if source.startswith(FIELD) else row["title"]


def deletion(run: Run) -> list[str]:
    """What a planned deletion does beyond the phonebook, and to how many as far as the plan knows; empty when nothing."""
    limits = limits_of(run.account)
    if run.state != Run.State.PLANNED or limits is None or not limits.deleting_contacts:
        return []
    told = [_(limits.deleting_contacts)]
    if spared := run.plan.get("loses_tag", 0):
        words = ngettext(
            "%(count)s contact had other tags when this plan was made and only loses this one.",
            "%(count)s contacts had other tags when this plan was made and only lose this one.",
            spared,
        )
        told.append(words % {"count": number(spared)})
    if destroyed := run.plan.get("destroyed", 0):
        words = ngettext(
            "%(count)s contact had no other tag when this plan was made and is destroyed for good.",
            "%(count)s contacts had no other tag when this plan was made and are destroyed for good.",
            destroyed,
        )
        told.append(words % {"count": number(destroyed)})
    if limits.phonebooks_are_tags and run.kind == Run.Kind.DELETE:
        told.append(_("Who has other tags is looked at only when the plan is carried out, so it is not counted here."))
    return told
