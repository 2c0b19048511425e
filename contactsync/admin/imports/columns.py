"""The choice of columns: what may be chosen, how the page shows it, and keeping it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.forms import BoundField
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.common import may, say
from contactsync.admin.forms.mapping import MappingForm, Offer, UseMappingForm
from contactsync.admin.imports.origin import drift, origin, some_of
from contactsync.imports import jobs
from contactsync.imports.correction_workbook import own_columns
from contactsync.imports.headers import key
from contactsync.imports.kinds import filled, infer
from contactsync.imports.map import CONTENT, FIXABLE, TITLE
from contactsync.imports.memory import LAST, SAVED
from contactsync.imports.new_options import ADD, free_places, kept_here, kinds_for, unused_options
from contactsync.imports.sample import Sample
from contactsync.imports.saved import check_name, mappings_for, save_mapping
from contactsync.models import CustomOption, ImportJob
from contactsync.templatetags.contactsync import listed, number
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


@dataclass(frozen=True, slots=True)
class Line:
    """One column of the file: `why` is empty unless it stands as it was guessed; `hints` are sentences."""

    number: int
    title: str
    examples: list[str]
    field: BoundField
    new: SafeString
    why: str
    is_guess: bool
    is_left_out: bool
    hints: list[str]


def first_rows(sample: Sample) -> list[SafeString]:
    """The cells of the titles and of rows to look at: of a correction workbook without the columns it was given with."""
    own = own_columns(sample.columns)
    rows = [[row[index] for index in own if index < len(row)] for row in (sample.columns, *sample.rows)]
    titles, body = '<th scope="col"><bdi>{}</bdi></th>', "<td><bdi>{}</bdi></td>"
    return [format_html_join("", body if number else titles, zip(row)) for number, row in enumerate(rows)]


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
    columns, varied = offered.columns, set(job.dialect.get("varied", ()))
    no_choice = [kind for kind in kinds if kind != Kind.CHOICE]
    return replace(
        offered,
        inferred=[
            infer(filled(rows, index), kinds=no_choice if index in varied else kinds) for index in range(len(columns))
        ]
        if may_make
        else (),
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
        "used_shown": format_html("<span data-used>{}</span>", number(len(found) - len(left_out))),
        "left_out": left_out,
        "left_out_shown": format_html("<span data-titles>{}</span>", some_of(left_out)),
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
            new=form.new_part(index),
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
        yield _("The account has an option with this title. Choose it here to use it in this phonebook too.")
    elif form.offer.inferred and (kind := form.offer.inferred[index].kind) != Kind.TEXT:
        yield _("It looks like this kind: %(kind)s. A new option can hold it.") % {"kind": Kind(kind).label}


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
