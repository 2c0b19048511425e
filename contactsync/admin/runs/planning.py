"""Asking for runs from lists and pages: one service call for each phonebook, one message, and on to the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contactsync import work
from contactsync.admin.common import link, list_link, person, say
from contactsync.models import Contact, Phonebook, Run
from contactsync.models.transitions import TransitionRefused


def push(request: HttpRequest, books: Iterable[Phonebook], *, back: str) -> HttpResponseRedirect:
    """Plan pushes; nothing goes to the provider before the plan is approved."""
    runs = _each(request, books, lambda book: work.plan_push(book, user=person(request)))
    if runs:
        text = ngettext(
            "The push is being planned. Look at the plan, then approve it.",
            "%(count)d pushes are being planned. Look at each plan, then approve it.",
            len(runs),
        )
        say(request, text % {"count": len(runs)})
    return _to(runs, back)


def pull(request: HttpRequest, books: Iterable[Phonebook], *, back: str) -> HttpResponseRedirect:
    """Read the provider's state of phonebooks; nothing is changed there."""
    runs = _each(request, books, lambda book: work.plan_pull(book, user=person(request)))
    if runs:
        text = ngettext(
            "The provider's state is being read. Nothing is changed there.",
            "The provider's state of %(count)d phonebooks is being read. Nothing is changed there.",
            len(runs),
        )
        say(request, text % {"count": len(runs)})
    return _to(runs, back)


def delete(request: HttpRequest, contacts: QuerySet[Contact], *, back: str) -> HttpResponseRedirect:
    """Plan the deletion of contacts here and at the provider, one run for each phonebook."""
    books = Phonebook.objects.filter(pk__in=contacts.order_by().values("phonebook_id"))
    runs = _each(request, books, lambda book: work.plan_delete(contacts.filter(phonebook=book), user=person(request)))
    if runs:
        say(request, _("The deletion is being planned. Nothing is deleted before you approve the plan."))
    return _to(runs, back)


def _each(request: HttpRequest, books: Iterable[Phonebook], ask: Callable[[Phonebook], Run]) -> list[Run]:
    runs = []
    for book in books:
        try:
            runs.append(ask(book))
        except TransitionRefused as refused:
            say(request, f"{book}: {refused}", level=messages.WARNING)
    return runs


def _to(runs: Sequence[Any], back: str) -> HttpResponseRedirect:
    if len(runs) == 1:
        return HttpResponseRedirect(link(runs[0]))
    return HttpResponseRedirect(list_link(Run) if runs else back)
