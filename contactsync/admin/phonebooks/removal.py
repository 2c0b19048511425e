"""“Remove at the provider”: the button on the pages of phonebooks and options, and what the plan shows."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from contactsync import work
from contactsync.admin.common import link, may, person, require, say
from contactsync.models import CustomOption, Phonebook, Run
from contactsync.models.reasons import describe
from contactsync.models.transitions import TransitionRefused
from contactsync.sync.connect import ProviderError, error_text
from contactsync.sync.removal import why_not_removable


def may_remove(user: Any, thing: Phonebook | CustomOption) -> bool:
    """Whether the user may delete it here and may push to the provider."""
    return may(user, "push_phonebook") and may(user, f"delete_{thing._meta.model_name}")


def removal_facts(request: HttpRequest, thing: Phonebook | CustomOption) -> dict[str, Any]:
    """What the page needs: whether the person may, and in words why it cannot be removed now."""
    if not may_remove(request.user, thing):
        return {"may_remove": False, "no_removal": ""}
    try:
        return {"may_remove": True, "no_removal": describe(why_not_removable(thing))}
    except ProviderError as error:  # its provider is not installed
        return {"may_remove": True, "no_removal": error_text(error)}


def removal_plan(run: Run) -> dict[str, Any] | None:
    """What a planned removal means; None for other runs, and while there is no plan yet."""
    if run.kind != Run.Kind.REMOVE or "meaning" not in run.plan:
        return None
    plan = run.plan
    return {
        "title": plan["title"],
        "is_book": plan["what"] == "phonebook",
        "meaning": describe(plan["meaning"]),
        "contacts_here": plan["contacts_here"],
        "contacts_there": plan.get("contacts_there"),
        "phonebooks": plan.get("phonebooks", []),
    }


class RemovalStep:
    """The button, for both screens."""

    def remove_view(self, request: HttpRequest, thing: Phonebook | CustomOption) -> HttpResponse:
        """Plan the removal at the provider. Nothing is deleted before the plan is approved."""
        require(request, "push_phonebook", f"delete_{thing._meta.model_name}")
        try:
            if isinstance(thing, Phonebook):
                run = work.plan_phonebook_removal(thing, user=person(request))
            else:
                run = work.plan_option_removal(thing, user=person(request))
        except TransitionRefused as refused:
            say(request, str(refused), level=messages.WARNING)
        except ProviderError as error:
            say(request, error_text(error), level=messages.ERROR)
        else:
            say(request, _("The removal is being planned. Nothing is deleted before you approve the plan."))
            return HttpResponseRedirect(link(run))
        return HttpResponseRedirect(link(thing))
