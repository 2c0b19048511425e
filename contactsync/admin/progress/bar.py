"""One bar: its numbers, its line, and the answer that moves it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync.models import Campaign, ImportJob, ImportUndo, Run
from contactsync.templatetags.contactsync import number

FIRST_SECONDS = 2.0  # before that, a speed says nothing
SLOWEST_SAID = 1 / 60  # per second; below one a minute only the time left is said


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` (None: not known yet), in a state that a script can compare."""

    state: str
    label: str
    running: bool
    done: int = 0
    total: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    started_at: dt.datetime | None = None
    rests: bool = False  # it waits by itself, and the page says for what
    before: int = 0  # what was done when the worker of now began

    def line(self) -> str:
        """“1,200 of 5,000 · 310 per second · about 12 seconds left”."""
        if self.total is None:
            return number(self.done) if self.done else str(self.label)
        words = [_("%(done)s of %(total)s") % {"done": number(self.done), "total": number(self.total)}]
        seconds = (timezone.now() - self.started_at).total_seconds() if self.started_at else 0.0
        if self.state == Run.State.STOPPING:  # the rest is not going to be done, at no speed
            return words[0]
        if self.running and self.done > self.before and seconds >= FIRST_SECONDS:
            speed = (self.done - self.before) / seconds
            if speed >= SLOWEST_SAID:
                words.append(_speed(speed))
            words.append(time_left((self.total - self.done) / speed))
        return " · ".join(words)

    def answer(self, lists: Mapping[str, int] | None = None) -> JsonResponse:
        """What the script on the page asks for every second; with `lists`, also how long those of the page are now."""
        told: dict[str, Any] = {
            "state": self.state,
            "label": str(self.label),
            "running": self.running,
            "rests": self.rests,
            "done": self.done,
            "total": self.total,
            "line": self.line(),
            "counts": {name: number(count) for name, count in self.counts.items()},
        }
        if lists is not None:
            told["lists"] = {name: number(count) for name, count in lists.items()}
        return JsonResponse(told)


@dataclass(frozen=True, slots=True)
class Rest:
    """Why work that goes on by itself waits, and until when."""

    why: str
    until: dt.datetime | None


def _speed(per_second: float) -> str:
    """“310 per second”, “2.5 per second”, “12 per minute”."""
    if per_second < 1:
        return _("%(speed)s per minute") % {"speed": number(round(per_second * 60))}
    rounded = round(per_second, 1)
    shown = round(rounded) if rounded >= 10 or rounded.is_integer() else rounded
    return _("%(speed)s per second") % {"speed": number(shown)}


def time_left(seconds: float) -> str:
    """“about 3 minutes left”."""
    whole = max(1, round(seconds))
    if whole < 90:
        return ngettext("about %(count)d second left", "about %(count)d seconds left", whole) % {"count": whole}
    minutes = round(whole / 60)
    if minutes < 90:
        return ngettext("about %(count)d minute left", "about %(count)d minutes left", minutes) % {"count": minutes}
    hours = round(minutes / 60)
    return ngettext("about %(count)d hour left", "about %(count)d hours left", hours) % {"count": hours}


@dataclass(frozen=True, slots=True)
class Attended:
    """Whether somebody works on a row with a lease: its `label` says so, and there is no speed while nobody does."""

    label: str
    started_at: dt.datetime | None


def attended(row: ImportJob | ImportUndo | Run | Campaign, *, busy: bool) -> Attended:
    """Work that nobody has taken up yet waits; work whose lease ran out was left by a worker that is gone."""
    label = str(row.get_state_display())
    if not busy or row.error:  # with an error it rests, and the page says why and until when
        return Attended(label, row.started_at)
    if not row.lease_owner:
        return Attended(_("waiting for its turn"), None)
    if row.lease_until is not None and row.lease_until < timezone.now():
        return Attended(_("its worker has stopped; another goes on within two minutes"), None)
    return Attended(label, row.started_at)
