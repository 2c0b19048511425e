"""How things are shown: numbers that keep their direction, dates in both calendars, states in words and colour.

The functions are ordinary ones too: admin columns call them from Python.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import template
from django.contrib.admin.utils import display_for_value
from django.db import models
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from contactsync.calendars import jalali
from contactsync.options import display_option

register = template.Library()
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

#: tone -> states; a state that is not here is "neutral". Colour is never the only sign: the badge says the state too.
_STATES = {
    "good": "accepted applied delivered done finished read ready redone restored sent synced",
    "busy": "applying checking on_wire planning preparing queued redoing running scheduled sending stopping undoing",
    "info": "changed new partly planned removed skipped",
    "warn": (
        "cannot_tell checked duplicate marked missing moved not_attempted not_sent paused prepared "
        "stopped uploaded warning"
    ),
    "bad": "attention blocked failed refused rejected undelivered unknown",
}
TONES = {state: tone for tone, states in _STATES.items() for state in states.split()}
EMPTY = "–"


def ltr(value: Any) -> SafeString | str:
    """A number, code or address that reads left to right on every page; a dash when there is none."""
    if value in (None, ""):
        return EMPTY
    return format_html('<bdi dir="ltr" class="cs-code">{}</bdi>', value)


def _is_persian() -> bool:
    return (get_language() or "").startswith("fa")


@register.filter
def day(value: dt.date | None) -> SafeString | str:
    """A date as 2026-11-21; on Persian pages the Jalali date stands before it."""
    if value is None:
        return EMPTY
    plain = value.strftime("%Y-%m-%d")
    if not _is_persian():
        return ltr(plain)
    return format_html('{} <span class="cs-quiet">({})</span>', ltr(jalali(value)), ltr(plain))


def day_in_words(value: dt.date) -> str:
    """A date in the calendar of the language, for texts that cannot hold markup: 2026-11-21, or 1405/08/30."""
    return jalali(value) if _is_persian() else value.isoformat()


def with_jalali(value: str) -> str:
    """A stored value for texts that cannot hold markup; on Persian pages a date has its Jalali form beside it."""
    if not _is_persian() or not _DATE.fullmatch(value):
        return value
    return display_option(value, "date")


@register.filter
def suggested(value: str) -> SafeString | str:
    """What a row may have meant, each choice from left to right; dates in the calendar of the page first."""
    choices = [[with_jalali(choice)] for choice in value.split(" / ")]
    return format_html_join(" / ", '<bdi dir="ltr" class="cs-nowrap">{}</bdi>', choices)


@register.filter
def when(value: dt.datetime | None) -> SafeString | str:
    """A moment in the site's time zone, to the minute; on Persian pages the Jalali date stands before the Gregorian one."""
    if value is None:
        return EMPTY
    local = timezone.localtime(value)
    plain = local.strftime("%Y-%m-%d %H:%M")
    if not _is_persian():
        return format_html('<time datetime="{}" class="cs-when">{}</time>', local.isoformat(), ltr(plain))
    persian = f"{jalali(local.date())} {local:%H:%M}"
    return format_html(
        '<time datetime="{}" class="cs-when">{} <span class="cs-quiet">({})</span></time>',
        local.isoformat(),
        ltr(persian),
        ltr(plain),
    )


@register.filter
def number(value: float | Decimal | None) -> str:
    """A number with its thousands grouped; a dash for None."""
    if value is None or value == "":
        return EMPTY
    # Django's Persian formats group nothing
    return f"{value:,}" if _is_persian() else str(formats.localize(value, use_l10n=True))


@register.filter
def duration(seconds: float | None) -> str:
    """How long something took: “4 ms”, from one second on “1.23 s”; a dash for None."""
    if seconds is None:
        return EMPTY
    if seconds >= 1:
        return gettext("%(count)s s") % {"count": number(round(seconds, 2))}
    return gettext("%(count)s ms") % {"count": number(max(1, round(seconds * 1000)))}


@register.simple_tag
def percent(part: float | None, whole: float | None) -> SafeString | str:
    """“42%”, rounded down so that 100% means all of it, and 0% nothing; a dash when there is nothing to divide by."""
    if not whole:
        return EMPTY
    rounded = int(100 * (part or 0) / whole)
    return ltr("<1%") if part and not rounded else f"{rounded}%"


@register.filter
def tone(state: str) -> str:
    """The colour family of a state: good, busy, info, warn, bad or neutral."""
    return TONES.get(str(state), "neutral")


@register.simple_tag
def state_badge(state: str, label: str) -> SafeString | str:
    """A state in words on its colour."""
    if not state:
        return EMPTY
    return format_html('<span class="cs-badge cs-badge--{}" data-state="{}">{}</span>', tone(state), state, label)


@register.simple_tag
def badge(row: models.Model, field: str = "state") -> SafeString | str:
    """The badge of a row's choice field: `{% badge run %}`, `{% badge contact "sync_state" %}`."""
    state = getattr(row, field)
    return state_badge(state, getattr(row, f"get_{field}_display")())


@register.simple_tag
def bar(done: int | None, total: int | None, label: str = "") -> SafeString:
    """A progress bar with its numbers; one without an end while the total is not known."""
    done = done or 0
    if not total:
        return format_html(
            '<span class="cs-bar"><progress class="cs-progress" aria-label="{}"></progress></span>',
            label or gettext("Progress"),
        )
    return format_html(
        '<span class="cs-bar"><progress class="cs-progress" max="{}" value="{}" aria-label="{}"></progress>'
        '<span class="cs-bar__text">{} / {} · {}</span></span>',
        total,
        min(done, total),
        label or gettext("Progress"),
        number(done),
        number(total),
        percent(done, total),
    )


@register.filter
def money(amount: Decimal | None, currency: str = "") -> SafeString | str:
    """An amount without trailing noughts, with its currency."""
    if amount is None:
        return EMPTY
    plain = amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()
    return ltr(f"{number(plain)} {currency}".strip())


@register.filter
def yes_no(value: bool | None) -> SafeString | str:
    """A yes or no with its icon, as the admin shows it."""
    return display_for_value(value, EMPTY, boolean=True)


@register.filter
def counted(names: Any, count: int) -> str:
    """What rows are called after their number, from a model's options. In Persian that is the singular, whatever the number."""
    return str(names.verbose_name if count == 1 or _is_persian() else names.verbose_name_plural)


@register.filter
def listed(values: Iterable[Any]) -> str:
    """The values with the commas of the language between them."""
    return gettext(", ").join(str(value) for value in values)


@register.filter
def age(value: dt.datetime | None) -> str:
    """How long ago, in the largest unit that fits: “5 minutes ago”."""
    if value is None:
        return EMPTY
    minutes = max(0, int((timezone.now() - value).total_seconds() // 60))
    if minutes < 1:
        return gettext("just now")
    if minutes < 60:
        return ngettext("%(count)d minute ago", "%(count)d minutes ago", minutes) % {"count": minutes}
    if minutes < 48 * 60:
        hours = minutes // 60
        return ngettext("%(count)d hour ago", "%(count)d hours ago", hours) % {"count": hours}
    days = minutes // (24 * 60)
    return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}


register.filter("ltr", ltr)
register.simple_tag(ltr, name="ltr")
