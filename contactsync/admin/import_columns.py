"""The choice of columns as a page shows it: what may be chosen, where each guess comes from, what has changed since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.forms import BoundField
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from contactsync.admin.common import may, say
from contactsync.admin.forms.mapping import MappingForm, Offer, UseMappingForm
from contactsync.admin.words import field_label
from contactsync.imports import jobs
from contactsync.imports.correction_workbook import own_columns
from contactsync.imports.headers import key
from contactsync.imports.kinds import filled, infer
from contactsync.imports.map import CONTENT, FIXABLE, TITLE
from contactsync.imports.memory import ACCOUNT, LAST, LIST, PHONEBOOK, SAVED
from contactsync.imports.new_options import ADD, free_places, kept_here, kinds_for, unused_options
from contactsync.imports.saved import check_name, mappings_for, save_mapping
from contactsync.models import CustomOption, ImportJob
from contactsync.options import jalali
from contactsync.templatetags.contactsync import listed
from contactsync.text import clean

Kind = CustomOption.Kind
WHY = {
    TITLE: gettext_lazy("guessed from the title"),
    CONTENT: gettext_lazy("guessed from the content"),
    LAST: gettext_lazy("as last time"),
    SAVED: gettext_lazy("from the saved mapping"),
}
EXAMPLES = 3
LONGEST_EXAMPLE = 40
LISTED = 12  # titles in one sentence


@dataclass(frozen=True, slots=True)
class Line:
    """One column of the file: `why` is empty unless it stands as it was guessed; `hints` are sentences."""

    number: int
    title: str
    examples: list[str]
    field: BoundField
    new: list[BoundField]
    why: str
    is_guess: bool
    is_left_out: bool
    hints: list[str]


def first_rows(sample: jobs.Sample) -> list[list[str]]:
    """Titles and rows to look at: of a correction workbook without the columns it was given with."""
    own = own_columns(sample.columns)
    return [[row[index] for index in own if index < len(row)] for row in (sample.columns, *sample.rows)]


def offer(request: HttpRequest, job: ImportJob, columns: Sequence[str]) -> Offer:
    """What this person may choose for the columns of this import."""
    fields = jobs.field_choices(job.phonebook)
    offered = Offer(
        columns=columns,
        own=own_columns(job.columns),
        fields=fields,
        fixable=[choice for choice in fields if choice[0] in FIXABLE[job.kind] or choice[0].startswith("option:")],
        fixed={name: kept["text"] for name, kept in job.fixed_values.items()},
        group=_("Suppressed number") if job.is_suppression else "",
    )
    return offered if job.is_suppression else _with_options(request, job, offered)


def _with_options(request: HttpRequest, job: ImportJob, offered: Offer) -> Offer:
    """Also what the phonebook's account has and may get, and whether the choice may be kept under a name."""
    book, rows = job.book, job.dialect.get("sample", [])
    kinds = kinds_for(book)
    may_add = may(request.user, "add_phonebookoption")
    may_make = may_add and may(request.user, "add_customoption")
    columns = offered.columns
    return replace(
        offered,
        inferred=[infer(filled(rows, index), kinds=kinds) for index in range(len(columns))] if may_make else (),
        unused=[(f"{ADD}{option.pk}", option.title) for option in unused_options(book)] if may_add else (),
        kinds=[(kind, Kind(kind).label) for kind in kinds],
        may_save=may(request.user, "add_savedmapping"),
        may_replace=may(request.user, "change_savedmapping"),
    )


def context(request: HttpRequest, job: ImportJob, form: MappingForm) -> dict[str, Any]:
    """Everything the part of the page about columns needs."""
    found = list(lines(job, form))
    left_out = [line.title for line in found if line.is_left_out]
    mappings = mappings_for(job)
    return {
        "wrong": [(field, error) for field in form for error in field.errors],
        "lines": found,
        "used": len(found) - len(left_out),
        "left_out": _some(left_out),
        "origin": origin(job),
        "drift": list(drift(job)),
        "use_form": UseMappingForm(mappings=mappings) if mappings.exists() else None,
        "free_places": free_places(job.book) if form.offer.inferred else None,
        "fixed_open": bool(form.offer.fixed) or form.is_bound,
        "may_see_mappings": may(request.user, "view_savedmapping"),
    }


def lines(job: ImportJob, form: MappingForm) -> Iterator[Line]:
    """Every column of the file with what is chosen for it, and why."""
    rows, why = job.dialect.get("sample", []), job.guess.get("why", {})
    unused = {key(title) for _value, title in form.offer.unused}
    for index, field in zip(form.names, form.column_fields, strict=True):
        cells = filled(rows, index)
        chosen = field.value() or ""
        reason = why.get(str(index), "") if chosen == job.mapping.get(str(index), "") else ""
        hints = list(_moves(job, index))
        if not chosen:
            hints += _hints(form, index, is_unused=key(str(field.label)) in unused)
        yield Line(
            number=index + 1,
            title=str(field.label),
            examples=[Truncator(cell.strip()).chars(LONGEST_EXAMPLE) for cell in list(dict.fromkeys(cells))[:EXAMPLES]],
            field=field,
            new=form.new_fields(index),
            why=str(WHY.get(reason, "")),
            is_guess=reason in {TITLE, CONTENT},
            is_left_out=not chosen,
            hints=hints,
        )


def _moves(job: ImportJob, index: int) -> Iterator[str]:
    if old := job.guess.get("moved", {}).get(str(index)):
        yield _("Moved from column %(old)s to %(new)s.") % {"old": old, "new": index + 1}
    if str(index) in job.guess.get("new", []):
        yield _("New since then.")


def _hints(form: MappingForm, index: int, *, is_unused: bool) -> Iterator[str]:
    if is_unused:
        yield _("The account has an option of this title. Choose it here to use it in this phonebook too.")
    elif form.offer.inferred and (kind := form.offer.inferred[index].kind) != Kind.TEXT:
        yield _("It looks like this kind: %(kind)s. A new option can hold it.") % {"kind": Kind(kind).label}


def origin(job: ImportJob) -> str:
    """Where the columns come from, in one sentence; empty when they were only guessed."""
    name = _isolated(job.guess.get("name", ""))
    if job.guess.get("origin") == SAVED:
        return _("The columns are those of the saved mapping “%(name)s”.") % {"name": name}
    if job.guess.get("origin") not in {PHONEBOOK, ACCOUNT, LIST}:
        return ""
    date = dt.date.fromisoformat(job.guess["at"])
    shown = f"{jalali(date)} ({date})" if get_language() == "fa" else str(date)
    said = {"file": name, "date": _isolated(shown)}
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
    guess, titles = job.guess, jobs.sample(job).columns
    moved = guess.get("moved", {})
    if moved:
        pairs = [
            _("“%(title)s” from column %(old)s to %(new)s")
            % {"title": _isolated(titles[int(index)]), "old": old, "new": int(index) + 1}
            for index, old in moved.items()
        ]
        yield _("Moved: %(columns)s.") % {"columns": _some(pairs, isolate=False)}
    if new := guess.get("new"):
        yield _("New in this file: %(columns)s.") % {"columns": _some([titles[int(index)] for index in new])}
    if gone := guess.get("gone"):
        yield _("Not in this file any more: %(columns)s.") % {"columns": _some(gone)}
    if unusable := guess.get("unusable"):
        yield _("They went to options that this phonebook does not have: %(columns)s.") % {"columns": _some(unusable)}
    if guess.get("origin") in {PHONEBOOK, ACCOUNT, LIST} and (fixed := guess.get("fixed")):
        yield _("Then these were the same for all rows, and are not taken over: %(values)s.") % {
            "values": fixed_words(job, fixed)
        }


def fixed_words(job: ImportJob, fixed: Mapping[str, str]) -> str:
    """Values that are the same for all rows, each with the name of its field."""
    labels = dict(jobs.field_choices(job.phonebook))
    values = [f"{labels.get(name) or field_label(name, {})}: {_isolated(text)}" for name, text in fixed.items()]
    return _some(values, isolate=False)


def _isolated(text: str) -> str:
    """The text in its own direction, whatever stands around it, and not too long."""
    return f"\u2068{Truncator(text).chars(60)}\u2069"


def _some(words: Sequence[str], *, isolate: bool = True) -> str:
    """The words in a row; of many only the first."""
    shown = listed([_isolated(word) if isolate else word for word in words[:LISTED]])
    more = len(words) - LISTED
    return _("%(words)s and %(count)s more") % {"words": shown, "count": more} if more > 0 else shown


def confirm(request: HttpRequest, job: ImportJob, form: MappingForm, *, log: Any) -> None:
    """Keep what the person chose, make the options it needs, and save it under a name when one is given.

    Raises `MappingError`, `UnreadableFile`, `TransitionRefused`. `log(option)` is called for each option that was made.
    """
    name = form.cleaned_data.get("save_as", "")
    is_to_replace = bool(form.cleaned_data.get("replace"))
    if name:
        check_name(job, name, replace=is_to_replace)
    reading = form.dialect()  # type: ignore[attr-defined]  # the part of the form about reading
    rules = form.rules()  # type: ignore[attr-defined]  # the part about contacts that are there
    wanted = form.wanted()
    region = form.cleaned_data.get("region", "")
    added = jobs.set_columns(
        job, mapping=form.mapping(), fixed=form.fixed(), new=wanted, rules=rules, region=region, **reading
    )
    made = {clean(option.title) for option in wanted.values()}
    for option in added:
        if option.title in made:
            log(option)
    if added:
        say(request, _("Now options of this phonebook: %(titles)s.") % {"titles": listed(str(one) for one in added)})
    for title, why in kept_here(job.book, added) if added else ():
        say(
            request, _("“%(title)s” stays here for now. %(why)s") % {"title": title, "why": why}, level=messages.WARNING
        )
    if name:
        saved = save_mapping(job, name, user=request.user, replace=is_to_replace)  # type: ignore[arg-type]
        say(request, _("The columns are saved as “%(name)s”.") % {"name": saved})


def use(request: HttpRequest, job: ImportJob) -> None:
    """Put the saved mapping that the person chose onto the file. Raises `TransitionRefused`."""
    form = UseMappingForm(request.POST, mappings=mappings_for(job))
    if not form.is_valid() or form.cleaned_data["saved"] is None:
        say(request, _("Choose a saved mapping first."), level=messages.WARNING)
        return
    for text in jobs.use_mapping(job, form.cleaned_data["saved"]):
        say(request, text, level=messages.WARNING)
