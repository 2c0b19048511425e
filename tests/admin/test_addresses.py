"""Every address of the site, those to come included: closed to visitors, and to staff whom nobody gave a right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver
from django.utils import timezone

from contactsync.models import Callback, InboundMessage, RunItem, SavedMapping, Suppression
from tests.admin.flow_rows import make_job, make_prepared, make_run, make_unknown_send
from tests.factories import make_account, make_contact, make_option, make_phonebook, make_user

pytestmark = pytest.mark.django_db

#: what any staff may open: none of it shows rows
FOR_ALL_STAFF = {
    "",
    "login/",
    "logout/",
    "password_change/",
    "password_change/done/",
    "jsi18n/",
    "providers/",
}
#: patterns that only lead elsewhere
REDIRECTS = {"(?P<url>.*)$", "r/<path:content_type_id>/<path:object_id>/"}
#: POSTs that only read: they are open to people who may only look
READ_BY_POST = {
    "contactsync/contact/<path:object_id>/delete/",  # leads back to the page of the contact
    "contactsync/customoption/export/",
    "contactsync/inboundmessage/fetch/",
    "contactsync/phonebook/export/",
    "restored/ask/",
}
#: these look at what was posted before they look at the person
NEED_FIELDS = {"unknown/apply/", "unknown/decide/"}


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """The routes below these patterns; those without a name are old forms of others."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif pattern.name:
            yield route


ROUTES = sorted(
    {
        route
        for route in routes(admin.site.urls[0])
        if route not in FOR_ALL_STAFF | REDIRECTS and not route.startswith(("axes/", "^(?P<app_label>"))
    }
)


def changes_something(route: str) -> bool:
    """Whether a POST could change rows: not at a list without an action, nor at a history."""
    is_list = re.fullmatch(r"\w+/\w+/", route) is not None and not route.startswith("unknown/")
    is_reading = route.endswith("/history/") or route in READ_BY_POST | NEED_FIELDS
    return not is_list and not is_reading


def make_row(model: str) -> Model:
    """A row for an address with an id in it."""
    account = make_account()
    book = make_phonebook(account)
    made: Model
    match model:
        case "provideraccount":
            made = account
        case "phonebook":
            made = book
        case "contact":
            made = make_contact(book)
        case "customoption":
            made = make_option(account)
        case "campaign":
            made = make_prepared()
        case "importjob":
            made = make_job(book)
        case "run":
            made = make_run(book)
        case "runitem":
            make_run(book, items=1)
            made = RunItem.objects.get()
        case "call":
            made = make_unknown_send()
        case "recipient":
            made = make_prepared().recipients.all()[0]
        case "callback":
            made = Callback.objects.create(account=account, kind="delivery")
        case "inboundmessage":
            made = InboundMessage.objects.create(
                account=account, phone="+989121234567", text="Yes", received_at=timezone.now()
            )
        case "suppression":
            made = Suppression.objects.create(phone="+989121234567")
        case "savedmapping":
            made = SavedMapping.objects.create(account=account, name="Shop")
        case "user":
            made = make_user()
        case "group":
            made = Group.objects.create(name="Shop")
        case _:
            raise AssertionError(f"A row of {model} is needed here to open its addresses.")
    return made


def address(route: str) -> str:
    """The route with a row that exists behind it."""
    path = route
    names = {"account_id": "provideraccount", "object_id": path.split("/")[1], "id": "user"}
    for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", path):
        value = (
            str(make_row(names[name]).pk) if name in names else {"form": "csv", "name": "sample-contacts-en.csv"}[name]
        )
        path = path.replace(f"<{kind}:{name}>" if kind else f"<{name}>", value)
    return f"/admin/{path}"


def person_with(*actions: str) -> Client:
    """A browser of staff who may do these things with everything, such as "view"."""
    user = make_user()
    user.user_permissions.set(
        right for right in Permission.objects.all() if right.codename.partition("_")[0] in actions
    )
    client = Client()
    client.force_login(user)
    return client


def is_closed(answer: Any) -> bool:
    """Refused; an import of a kind that somebody may not see is not there for them."""
    return answer.status_code in {403, 405} or answer.get("Location") == "/admin/"


@pytest.mark.parametrize("route", ROUTES)
def test_staff_without_a_right_are_turned_away(route: str) -> None:
    asked, client = address(route), person_with()
    assert is_closed(client.get(asked))
    assert is_closed(client.post(asked))


@pytest.mark.parametrize("route", [route for route in ROUTES if changes_something(route)])
def test_people_who_may_only_look_post_to_nothing(route: str) -> None:
    assert is_closed(person_with("view").post(address(route)))


def test_a_visitor_is_asked_to_log_in() -> None:
    for route in ROUTES:
        asked = "/admin/" + re.sub(r"<[^>]*>", "1", route)
        answer = Client().get(asked)
        assert (asked, answer.status_code) == (asked, 302)
        assert answer["Location"].startswith("/admin/login/?next=/admin/")
