"""Deleting a phonebook here: with what goes with it, or with the reason why not and what to do about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from contactsync.admin.common import link, say
from contactsync.imports.discard import delete_phonebook, why_not_deletable
from contactsync.models import Phonebook
from contactsync.models.reasons import describe
from contactsync.models.transitions import StepRefused


class LocalDeletion:
    """For the screen of phonebooks."""

    has_delete_permission: Any
    row: Any

    def deletion_facts(self, request: HttpRequest, book: Phonebook) -> dict[str, Any]:
        """The admin's own button where the phonebook can go, else the reason, for people who may delete phonebooks."""
        if not self.has_delete_permission(request, book):
            return {}
        why = describe(why_not_deletable(book))
        return {"no_deletion": why, "show_delete": not why}

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask once more, or go back with the reason."""
        book = self.row(request, object_id)
        if self.has_delete_permission(request, book) and (why := describe(why_not_deletable(book))):
            return self._refused(request, book, why)
        try:
            answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        except StepRefused as refused:  # something has come in between
            return self._refused(request, book, str(refused))
        return answer

    def _refused(self, request: HttpRequest, book: Phonebook, why: str) -> HttpResponse:
        text = _("The phonebook cannot be deleted here: %(reason)s")
        say(request, text % {"reason": why}, level=messages.WARNING)
        return HttpResponseRedirect(link(book))

    def get_deleted_objects(self, books: Any, request: HttpRequest) -> Any:
        """What goes with them, as the page that asks lists it. The records of imports go too; Django would protect them."""
        rows: list[Any] = []
        imports = 0
        for book in books:
            files = [str(job.file_name) for job in book.imports.all()]
            imports += len(files)
            rows += [str(book), files] if files else [str(book)]
        counts: dict[Any, int] = {Phonebook._meta.verbose_name_plural: len(books)}
        if imports:
            counts[_("imports")] = imports
        return rows, counts, set(), []

    def delete_model(self, request: HttpRequest, book: Phonebook) -> None:
        delete_phonebook(book)
