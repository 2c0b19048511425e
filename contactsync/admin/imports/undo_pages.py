"""What the pages of an undo show: cases and what is offered, the equation, what happened to each contact since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from contactsync.admin import progress
from contactsync.admin.common import link, may
from contactsync.admin.imports.rights import may_with
from contactsync.admin.search import by_number
from contactsync.admin.sums import Part, Sum
from contactsync.admin.tables import Choice, Table
from contactsync.admin.words import field_label
from contactsync.imports import undo_cases
from contactsync.imports.attempts import attempts_of
from contactsync.imports.undo import can_be_redone, can_be_undone, can_go_on
from contactsync.models import Campaign, ImportJob, ImportUndo, ImportUndoChange
from contactsync.templatetags.contactsync import listed

State = ImportUndo.State
Case = ImportUndoChange.Case
Do = undo_cases.Choice

MEANING = {
    Case.CREATED: gettext_lazy("Not edited, not at the provider, in no campaign. They are removed."),
    Case.CREATED_PUSHED: gettext_lazy(
        "The provider has them, or may have them. Removed here means marked as deleted: the next push deletes them there."
    ),
    Case.CREATED_EDITED: gettext_lazy("A person, or a later import, has edited them."),
    Case.CREATED_MESSAGED: gettext_lazy(
        "They got a message, or are about to. The campaigns keep their record, whatever you choose."
    ),
    Case.UPDATED: gettext_lazy("They get back exactly the values they had before the import."),
    Case.UPDATED_PUSHED: gettext_lazy(
        "The provider has the values of the import. The next push takes them back there."
    ),
    Case.UPDATED_EDITED: gettext_lazy("A person, or a later import, has edited them."),
    Case.DELETED: gettext_lazy("They stay as they are."),
}
#: the same of numbers on the suppression list
MEANING_OF_NUMBERS = {
    Case.CREATED: gettext_lazy("Nobody has edited them since. They come off the list, and can get messages again."),
    Case.CREATED_EDITED: gettext_lazy("A person has edited them."),
    Case.CREATED_ASKED: gettext_lazy(
        "They wrote to us that they want no more messages. They stay on the list, whatever the file was."
    ),
    Case.CREATED_NAMED: gettext_lazy(
        "A later file has them as well. They stay on the list; or undo that import first, and look again."
    ),
    Case.DELETED: gettext_lazy("They are off the list already."),
}
CHOICES = {
    Do.KEEP: gettext_lazy("keep them as they are"),
    Do.REMOVE: gettext_lazy("remove them"),
    Do.RESTORE: gettext_lazy("put back what they were"),
    Do.RESTORE_REST: gettext_lazy("put back what was not edited since"),
}
OVER_EDITS = gettext_lazy("put back everything, over the edits too")


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case: how many contacts, what it means, and what may be chosen."""

    name: str
    label: str
    meaning: str
    count: int
    choices: list[Choice]


def case_lines(undo: ImportUndo) -> list[CaseLine]:
    """The cases there are, each with its choices; the first is what is done by itself."""
    counts = undo.counts.get("cases", {})
    meaning = MEANING_OF_NUMBERS if undo.job.is_suppression else MEANING
    return [
        CaseLine(
            case.value, capfirst(str(case.label)), str(meaning[case]), counts[case], choices_of(case, undo.choices)
        )
        for case in Case
        if counts.get(case)
    ]


def choices_of(case: str, chosen: Mapping[str, str]) -> list[Choice]:
    """What is offered in a case, in words."""
    wanted = undo_cases.choice_of(chosen, case)
    return [Choice(each.value, _choice_label(case, each), each == wanted) for each in undo_cases.OFFERS[case]]


def _choice_label(case: str, choice: Do) -> str:
    return str(OVER_EDITS if (case, choice) == (Case.UPDATED_EDITED, Do.RESTORE) else CHOICES[choice])


def sum_of(undo: ImportUndo) -> Sum:
    """Contacts changed by the import = cases; once undone, = what was done; after a redo, = what was redone."""
    unit = _numbers if undo.job.is_suppression else _contacts
    if undo.work == State.REDOING:
        return _sum(
            unit, undo.total, undo.counts, "redone", ImportUndoChange.Redone.choices, undo.state == State.REDONE
        )
    total = sum(undo.counts.get("cases", {}).values())
    if undo.work == State.UNDOING:
        choices = [pair for pair in ImportUndoChange.Action.choices if pair[0] != ImportUndoChange.Action.PLANNED]
        return _sum(unit, total, undo.counts, "actions", choices, undo.state == State.UNDONE)
    return _sum(unit, total, undo.counts, "cases", Case.choices, undo.state == State.CHECKED)


def _contacts(count: int) -> str:
    return ngettext("contact", "contacts", count)


def _numbers(count: int) -> str:
    return ngettext("number", "numbers", count)


def _sum(
    unit: Callable[[int], str],
    total: int,
    counts: Mapping[str, Any],
    name: str,
    choices: Iterable[tuple[str, Any]],
    is_complete: bool,
) -> Sum:
    found = counts.get(name, {})
    parts = [Part(value, str(label), found[value]) for value, label in choices if found.get(value)]
    if not is_complete:
        parts.append(Part("waiting", _("waiting"), total - sum(part.count for part in parts)))
    agrees = bool(counts.get("balances", True)) if is_complete else True
    return Sum(total, unit(total), parts, agrees=agrees)


def context(request: HttpRequest, undo: ImportUndo) -> dict[str, Any]:
    """Everything the page of the undo's state needs."""
    found: dict[str, Any] = {
        "undo": undo,
        "progress": progress.of_undo(undo),
        "progress_url": link(undo.job, "undo_progress"),
        "may_undo": may_with(request.user, "undo", undo.job),
        "may_download": may_with(request.user, "export", undo.job),
        "may_push": may(request.user, "push_phonebook"),
        "can_go_on": can_go_on(undo),
        "can_redo": can_be_redone(undo),
        "is_check": undo.work == State.CHECKING,
    }
    if undo.state in progress.UNDO_BUSY:
        return found
    table = table_of(request, undo)
    actions = undo.counts.get("actions", {})
    return found | {
        "sum": sum_of(undo),
        "cases": case_lines(undo),
        "table": table,
        "lines": list(lines(undo, table.page.object_list)),
        "later": later_imports(undo),
        "attempts": other_attempts(undo.job),
        "moved": actions.get(ImportUndoChange.Action.MOVED, 0),
        "to_push": any(actions.get(name) for name in ("marked", "restored", "partly")),
    }


def later_imports(undo: ImportUndo) -> list[tuple[ImportJob, int]]:
    """Imports after this one that changed the same contacts, and how many of them."""
    counts = undo.counts.get("imports", {})
    jobs = ImportJob.objects.filter(pk__in=list(map(int, counts))).order_by("pk")
    return [(job, counts[str(job.pk)]) for job in jobs]


def other_attempts(job: ImportJob) -> list[ImportJob]:
    """The other attempts of the import that have changed something and were not undone."""
    return [one for one in attempts_of(job) if one.pk != job.pk and can_be_undone(one)]


def table_of(request: HttpRequest, undo: ImportUndo) -> Table:
    """The contacts of the undo, searchable by number in any form and by name."""

    def search(rows: QuerySet[ImportUndoChange], words: str) -> QuerySet[ImportUndoChange]:
        numbers = by_number(rows, words)
        return rows.filter(Q(name__icontains=words)) if numbers is None else numbers

    filters: dict[str, Any] = {"case": (_("Case"), Case.choices)}
    if undo.work != State.CHECKING:
        filters["action"] = (_("What was done"), ImportUndoChange.Action.choices)
    if undo.work == State.REDOING:
        filters["redone"] = (_("What was redone"), ImportUndoChange.Redone.choices)
    rows = undo.changes.select_related("contact", "suppression", "change").order_by("pk")
    return Table(request, rows, search=search, filters=filters)


@dataclass(frozen=True, slots=True)
class Line:
    """One contact of the undo, in words."""

    row: ImportUndoChange
    case: str
    since: str
    done: str


def lines(undo: ImportUndo, rows: Iterable[ImportUndoChange]) -> Iterator[Line]:
    """The rows with what happened since, and what is, or was, done."""
    rows = list(rows)
    named = {pk for row in rows for pk in row.facts.get("campaigns", ())}
    campaigns = dict(Campaign.objects.filter(pk__in=named).values_list("pk", "title"))
    found = {pk for row in rows for pk in row.facts.get("imports", ())}
    files = dict(ImportJob.objects.filter(pk__in=found).values_list("pk", "file_name"))
    cases = {value: str(label) for value, label in Case.choices}  # `get_case_display` looks through all of them
    actions = {value: str(label) for value, label in ImportUndoChange.Action.choices}
    for row in rows:
        done = _done(undo, row, actions[row.action])
        yield Line(row, cases[row.case], _since(row, campaigns, files), done)


def _since(row: ImportUndoChange, campaigns: Mapping[int, str], files: Mapping[int, str]) -> str:
    facts, words = row.facts, []
    if fields := facts.get("fields"):
        words.append(_("edited: %(fields)s") % {"fields": listed(field_label(name, {}) for name in fields)})
    elif row.case == Case.CREATED_EDITED:
        words.append(_("edited"))
    words += [_("import %(file)s") % {"file": files[pk]} for pk in facts.get("imports", ()) if pk in files]
    words += [
        _("campaign “%(title)s”") % {"title": campaigns[pk]} for pk in facts.get("campaigns", ()) if pk in campaigns
    ]
    return " · ".join(words)


def _done(undo: ImportUndo, row: ImportUndoChange, action: str) -> str:
    if row.redone:
        return f"{action} · {ImportUndoChange.Redone(row.redone).label}"
    if row.action == ImportUndoChange.Action.PLANNED and undo.work == State.CHECKING and len(offered(row)) > 1:
        return _("as you choose")
    if row.action == ImportUndoChange.Action.PLANNED:
        return _choice_label(row.case, undo_cases.choice_of(undo.choices, row.case))
    return action


def offered(row: ImportUndoChange) -> tuple[Do, ...]:
    """What may be chosen for the row."""
    return undo_cases.OFFERS[row.case]
