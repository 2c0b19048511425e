"""What the campaign form asks for while a person writes: SMS parts, facts of the account, contacts, the time in words."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_time
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync.admin import search
from contactsync.admin.accounts.abilities import counts_parts
from contactsync.admin.common import as_id
from contactsync.admin.forms.campaign_ways import has_templates, message_note
from contactsync.calendars import jalali
from contactsync.models import Contact, CustomOption, ProviderAccount
from contactsync.placeholders import BUILT_IN, placeholders
from contactsync.segments import count_parts, non_gsm_characters
from contactsync.sync import connect

PAGE = 20
LAST_PAGE = 1_000_000
LONGEST = 5_000  # characters looked at; no SMS is longer


def parts(text: str, account: ProviderAccount | None = None) -> dict[str, Any]:
    """How many SMS parts the text takes as written, and what makes it expensive; where there are no parts, its characters."""
    text = text[:LONGEST]
    if not counts_parts(account):
        line = ngettext("%(count)d character", "%(count)d characters", len(text)) % {"count": len(text)}
        return {"parts": None, "line": line, "hint": _as_written(text)}
    counted = count_parts(text)
    foreign = [character for _place, character in non_gsm_characters(text)]
    return {
        "parts": counted.count,
        "line": ngettext("%(count)d SMS part", "%(count)d SMS parts", counted.count) % {"count": counted.count}
        + " · "
        + _("%(units)d characters · %(remaining)d left in this part · %(encoding)s")
        % {"units": counted.units, "remaining": counted.remaining, "encoding": counted.encoding},
        "hint": _hint(text, counted.encoding, foreign),
    }


def _hint(text: str, encoding: str, foreign: list[str]) -> str:
    few = list(dict.fromkeys(foreign))
    if encoding == "UCS-2" and 0 < len(few) <= 3 and len(foreign) * 10 <= len(text):
        return _("Because of %(characters)s each part holds 70 characters instead of 160.") % {
            "characters": " ".join(f"“{character}”" for character in few)
        }
    return _as_written(text)


def _as_written(text: str) -> str:
    if placeholders(text):
        return _("Placeholders are counted as written; “Prepare” counts what each person gets.")
    return ""


def facts(account: ProviderAccount) -> dict[str, Any]:
    """Senders, placeholders and what the provider can do, for the account chosen in the form."""
    titles = CustomOption.objects.filter(account=account).order_by("title").values_list("title", flat=True)
    limits = connect.capabilities(account)
    return {
        "default_sender": account.default_sender,
        "senders": [
            str(sender.get("value", "")) if isinstance(sender, dict) else str(sender) for sender in account.senders
        ],
        "placeholders": [*BUILT_IN, *titles],
        "message_note": message_note(limits),
        "has_templates": has_templates(limits),
        "slice_note": ""
        if limits.sends_slices
        else _("This provider's phonebooks have no fixed order, so rows of them cannot be chosen."),
        "schedule_note": ""
        if limits.schedule_earliest is not None
        else _(
            "This provider cannot schedule: the campaign waits here, and goes out at the chosen time if this site is running."
        ),
    }


def found_contacts(request: HttpRequest) -> JsonResponse:
    """One page of the contacts of a phonebook, in the format the picker expects."""
    book = as_id(request.GET.get("phonebook", ""))
    if book is None:
        return JsonResponse({"results": [], "pagination": {"more": False}})
    words = request.GET.get("term", "").strip()
    page = min(as_id(request.GET.get("page", "")) or 1, LAST_PAGE)
    rows: QuerySet[Contact] = Contact.objects.present().filter(phonebook_id=book).order_by("id")
    if words:
        rows = search.contacts(rows, words, [])
    first = (page - 1) * PAGE
    found = list(rows[first : first + PAGE + 1])
    results = [{"id": str(contact.pk), "text": str(contact)} for contact in found[:PAGE]]
    return JsonResponse({"results": results, "pagination": {"more": len(found) > PAGE}})


def moment(day: str, clock: str) -> str:
    """The chosen time in words: both calendars, the zone, UTC. Empty when it is not a time yet."""
    try:
        date, time = parse_date(day), parse_time(clock or "00:00")
    except ValueError:
        return ""
    if date is None or time is None:
        return ""
    return moment_in_words(timezone.make_aware(dt.datetime.combine(date, time)))


def moment_in_words(when: dt.datetime) -> str:
    """“2026-11-26 10:00 Asia/Tehran · 1405/09/05 10:00 · 2026-11-26 06:30 UTC”, in this order on every page."""
    local = timezone.localtime(when)
    utc = when.astimezone(dt.UTC)
    pieces = [
        f"{local:%Y-%m-%d %H:%M} {timezone.get_current_timezone_name()}",
        f"{jalali(local.date())} {local:%H:%M}",
        f"{utc:%Y-%m-%d %H:%M} UTC",
    ]
    return " · ".join(dict.fromkeys(pieces))
