"""The page about a restored database: which calls it does not know, what the providers show, and a person's decision."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from contactsync.admin.common import link, may, person, say
from contactsync.campaigns import restored
from contactsync.campaigns.restored import Lost, Shown
from contactsync.models import Call, Clearance
from contactsync.models.reasons import describe
from contactsync.models.transitions import StepRefused
from contactsync.sync import guard
from contactsync.sync.connect import error_text

ALLOW = "allow_sends"
NOTE = 1000  # characters of a note that are kept
CLEARANCES = 20


def address() -> str:
    """Address of the page."""
    return reverse("admin:restored")


def may_see(user: Any) -> bool:
    """Whether the user may see runs, or may allow sends again."""
    return may(user, ALLOW) or may(user, "view_run")


def page(site: Any, request: HttpRequest, *, shown: list[Shown] | None = None) -> TemplateResponse:
    """The page. `shown`: what the providers said, when they were asked just now."""
    if not may_see(request.user):
        raise PermissionDenied
    request.current_app = site.name
    found = guard.finding()
    context: dict[str, Any] = {
        "title": _("Restored database"),
        "found": found,
        "why": describe(found.why) if found else "",
        "shown": shown,
        "has_unknown": Call.objects.filter(state=Call.State.UNKNOWN).exists(),
        "may_allow": may(request.user, ALLOW),
        "clearances": Clearance.objects.all()[:CLEARANCES],
    }
    if found is not None:
        entries = found.lost.get("calls", [])
        work = restored.lost_work(entries)
        context |= {
            "lost": [(row, _url(request, row)) for row in work],
            "lost_count": found.lost.get("count", 0),
            "is_cut": found.left - found.known > len(entries) > 0,
            "machine": found.lost.get("machine", ""),
            "since": restored.lost_since(found),
            "sendable": restored.sendable() if not entries and may(request.user, "view_campaign") else [],
        }
    return TemplateResponse(request, "admin/contactsync/restored.html", {**site.each_context(request), **context})


def ask(site: Any, request: HttpRequest) -> TemplateResponse:
    """The page with what the providers show since then."""
    if not may_see(request.user):
        raise PermissionDenied
    found = guard.finding()
    since = restored.lost_since(found) if found else None
    return page(site, request, shown=restored.ask_providers(since) if since else [])


def allow(site: Any, request: HttpRequest) -> HttpResponse:
    """A person has compared the two: calls may leave again."""
    if not may(request.user, ALLOW):
        raise PermissionDenied
    note = request.POST.get("note", "").strip()[:NOTE]
    if not note:
        say(request, _("Write down what you compared, then press the button again."), level=messages.ERROR)
        return HttpResponseRedirect(address())
    try:
        restored.allow_again(by=person(request).get_username(), note=note)
    except StepRefused as refused:
        say(request, str(refused), level=messages.WARNING)
    except guard.HeldBack as error:
        say(request, error_text(error), level=messages.ERROR)
    else:
        say(
            request,
            _(
                "Calls may go out again. What left after the backup now has an unknown outcome: decide about it, then "
                "continue what was paused."
            ),
        )
    return HttpResponseRedirect(address())


def _url(request: HttpRequest, row: Lost) -> str:
    if row.campaign is not None and may(request.user, "view_campaign"):
        return link(row.campaign)
    return link(row.run) if row.run is not None and may(request.user, "view_run") else ""
