"""What happened to a number: one page over everything that knows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from contactsync.admin.common import link, may, require
from contactsync.admin.contacts.fields import Changed, changed_by
from contactsync.admin.imports.rights import may_with
from contactsync.admin.tables import Choice, Table
from contactsync.explain import number
from contactsync.explain.history import MOST, history
from contactsync.explain.lines import Kind, Line
from contactsync.explain.number import Number
from contactsync.models import CustomOption, ImportJob, Suppression
from contactsync.phone import search_digits

#: kind -> what a person must be allowed to see for it
PERMISSIONS = {
    Kind.CONTACT: "view_contact",
    Kind.IMPORT: "view_importjob",
    Kind.PUSH: "view_run",
    Kind.CAMPAIGN: "view_campaign",
    Kind.REPORT: "view_campaign",
    Kind.REPLY: "view_inboundmessage",
    Kind.SUPPRESSION: "view_suppression",
}
#: fewer digits are a piece of a number
WHOLE_NUMBER = 7


def address(phone: str) -> str:
    """Address of the page about this number."""
    return f"{reverse('admin:explain')}?{urlencode({'number': phone})}"


def address_if_number(text: str) -> str:
    """The same for what somebody searched for; empty when that is no whole number."""
    return address(text) if len(search_digits(text)) >= WHOLE_NUMBER else ""


def page(site: Any, request: HttpRequest) -> TemplateResponse:
    """The page, with the kinds of things the person may see."""
    require(request, "view_contact")
    request.current_app = site.name
    asked = number.read(request.GET.get("number", ""))
    context: dict[str, Any] = {"title": _("What happened to a number"), "number": asked, "most": MOST}
    if asked.typed:
        context |= _found(request, asked)
    return TemplateResponse(request, "admin/contactsync/explain.html", {**site.each_context(request), **context})


def _found(request: HttpRequest, asked: Number) -> dict[str, Any]:
    seen = [kind for kind, permission in PERMISSIONS.items() if may(request.user, permission)]
    wanted = request.GET.get("kind", "")
    kinds = [kind for kind in seen if kind == wanted] or seen
    found = history(asked, kinds)
    table = Table(request, found.lines)  # type: ignore[arg-type]
    lines: list[Line] = list(table.page.object_list)
    titles = _option_titles(lines)
    suppressed = Suppression.objects.filter(phone__in=asked.numbers) if Kind.SUPPRESSION in seen else ()
    return {
        "table": table,
        "rows": [_row(request, line, titles) for line in lines],
        "is_cut": found.is_cut,
        "choices": [Choice(kind, str(kind.label), kind == wanted) for kind in seen],
        "hidden": [str(kind.label) for kind in PERMISSIONS if kind not in seen],
        "contacts": [contact for contact in asked.contacts if contact.deleted_at is None],
        "suppressed": list(suppressed),
        "meanings": [(phone, address(phone)) for phone in asked.known] if len(asked.known) > 1 else [],
    }


def _row(request: HttpRequest, line: Line, titles: dict[str, str]) -> dict[str, Any]:
    changed: list[Changed] = changed_by(line.change, titles) if line.change else []
    return {
        "line": line,
        "url": _link(request, line.row),
        "call_url": _link(request, line.call),
        "changed": changed,
    }


def _link(request: HttpRequest, row: Model | None) -> str:
    """Where the row is shown; empty for those who may not see it."""
    if isinstance(row, ImportJob):
        return link(row) if may_with(request.user, "view", row) else ""
    return link(row) if row is not None and may(request.user, f"view_{row._meta.model_name}") else ""


def _option_titles(lines: Iterable[Line]) -> dict[str, str]:
    accounts = {line.change.job.book.account_id for line in lines if line.change}
    options = CustomOption.objects.filter(account__in=accounts).values_list("pk", "title")
    return {str(pk): title for pk, title in options} if accounts else {}
