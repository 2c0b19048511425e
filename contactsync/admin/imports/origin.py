"""Where the columns of an import come from, and what differs from then, in sentences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from django.utils.text import Truncator
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from contactsync.admin.words import field_label
from contactsync.calendars import jalali
from contactsync.imports import jobs
from contactsync.imports.memory import ACCOUNT, LIST, PHONEBOOK, SAVED
from contactsync.imports.sample import sample_of
from contactsync.models import ImportJob
from contactsync.templatetags.contactsync import listed
from contactsync.text import isolated

LISTED = 12  # titles in one sentence


def origin(job: ImportJob) -> str:
    """Where the columns come from, in one sentence; empty when they were only guessed."""
    name = _short(job.guess.get("name", ""))
    if job.guess.get("origin") == SAVED:
        return _("The columns are those of the saved mapping “%(name)s”.") % {"name": name}
    if job.guess.get("origin") not in {PHONEBOOK, ACCOUNT, LIST}:
        return ""
    date = dt.date.fromisoformat(job.guess["at"])
    shown = f"{jalali(date)} ({date})" if get_language() == "fa" else str(date)
    said = {"file": name, "date": _short(shown)}
    if job.guess["origin"] == LIST:
        return _("The columns are chosen as last time for the suppression list, for “%(file)s” of %(date)s.") % said
    if job.guess["origin"] == PHONEBOOK:
        return _("The columns are chosen as last time in this phonebook, for “%(file)s” of %(date)s.") % said
    return (
        _("The columns are chosen as last time in another phonebook of this account, for “%(file)s” of %(date)s.")
        % said
    )


def drift(job: ImportJob) -> Iterator[str]:
    """What differs from then: columns that moved, came or went, and what cannot be taken over."""
    guess, titles = job.guess, sample_of(job).columns
    moved = guess.get("moved", {})
    if moved:
        pairs = [
            _("“%(title)s” from column %(old)s to %(new)s")
            % {"title": _short(titles[int(index)]), "old": old, "new": int(index) + 1}
            for index, old in moved.items()
        ]
        yield _("Moved: %(columns)s.") % {"columns": some_of(pairs, isolate=False)}
    if new := guess.get("new"):
        yield _("New in this file: %(columns)s.") % {"columns": some_of([titles[int(index)] for index in new])}
    if gone := guess.get("gone"):
        yield _("Not in this file any more: %(columns)s.") % {"columns": some_of(gone)}
    if unusable := guess.get("unusable"):
        yield _("They went to options that this phonebook does not have: %(columns)s.") % {"columns": some_of(unusable)}
    if guess.get("origin") in {PHONEBOOK, ACCOUNT, LIST} and (fixed := guess.get("fixed")):
        yield _("Last time these were the same for all rows; they are not taken over: %(values)s.") % {
            "values": fixed_words(job, fixed)
        }


def fixed_words(job: ImportJob, fixed: Mapping[str, str]) -> str:
    """Values that are the same for all rows, each with the name of its field."""
    labels = dict(jobs.field_choices(job.phonebook))
    values = [f"{labels.get(name) or field_label(name, {})}: {_short(text)}" for name, text in fixed.items()]
    return some_of(values, isolate=False)


def _short(text: str) -> str:
    """The text in its own direction, and not too long."""
    return isolated(Truncator(text).chars(60))


def some_of(words: Sequence[str], *, isolate: bool = True) -> str:
    """The words in a row; of many only the first."""
    shown = listed([_short(word) if isolate else word for word in words[:LISTED]])
    more = len(words) - LISTED
    return _("%(words)s and %(count)s more") % {"words": shown, "count": more} if more > 0 else shown
