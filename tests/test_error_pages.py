"""Pages for what goes wrong: in the person's language, with what happened and what to do next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from contactsync.admin.people import permission_label, permissions

pytestmark = pytest.mark.django_db
PERSIAN = {"HTTP_ACCEPT_LANGUAGE": "fa"}


@pytest.fixture(autouse=True)
def language_of_the_site() -> Iterator[None]:
    """A request leaves its language behind; the next test starts with that of the site."""
    yield
    translation.deactivate()


@pytest.fixture
def stranger(client: Client) -> Client:
    """Somebody who may log in and do nothing."""
    client.force_login(User.objects.create_user("stranger", is_staff=True))
    return client


@pytest.mark.parametrize(
    ("headers", "direction", "words"), [({}, "ltr", "You do not have permission"), (PERSIAN, "rtl", "اجازه")]
)
def test_what_is_not_allowed_is_said_in_the_language_of_the_person(
    stranger: Client, headers: dict[str, Any], direction: str, words: str
) -> None:
    answer = stranger.get("/admin/contactsync/contact/", **headers)
    page = answer.content.decode()
    assert answer.status_code == 403
    assert f'dir="{direction}"' in page
    assert words in page


def test_an_address_without_a_page_says_so(stranger: Client) -> None:
    answer = stranger.get("/nothing/here/", **PERSIAN)
    assert answer.status_code == 404
    assert "صفحه‌ای" in answer.content.decode()


def test_a_missing_row_is_named(admin_client: Client) -> None:
    answer = admin_client.post("/admin/contactsync/campaign/999/prepare/")
    assert answer.status_code == 404
    assert "There is no campaign with the number 999." in answer.content.decode()


def test_a_form_without_its_token_is_told_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "demo"}, **PERSIAN)
    assert answer.status_code == 403
    assert 'dir="rtl"' in answer.content.decode()


def test_guessing_passwords_ends_on_a_page_in_the_language_of_the_person(client: Client, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    User.objects.create_user("demo", password="right", is_staff=True)
    for _attempt in range(2):
        answer = client.post("/admin/login/", {"username": "demo", "password": "wrong"}, **PERSIAN)
    assert answer.status_code == 429
    assert "قفل" in answer.content.decode()


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_pages_without_a_request_can_be_made(name: str) -> None:
    with translation.override("fa"):
        assert 'dir="rtl"' in render_to_string(name)


def test_the_persian_names_of_rights_are_those_of_the_form() -> None:
    with translation.override("fa"):
        labels = {permission_label(one) for one in permissions()}
        assert {"کمپین‌ها: ارسال", "دفترچه‌های تلفن: انتقال به ارائه‌دهنده"} <= labels
        assert "«کمپین‌ها: ارسال»" in translation.gettext("To decide, you need the right “Can send campaigns”.")


def test_the_history_of_a_row_is_in_both_calendars_for_persian_readers(admin_client: Client, admin_user: User) -> None:
    LogEntry.objects.log_actions(admin_user.pk, [admin_user], CHANGE, [{"changed": {"fields": ["email"]}}])
    LogEntry.objects.update(action_time=dt.datetime(2026, 11, 21, 1, 48, tzinfo=dt.UTC))
    page = admin_client.get(f"/admin/auth/user/{admin_user.pk}/history/", **PERSIAN).content.decode()
    assert "1405/08/30 01:48" in page
    assert "2026-11-21 01:48" in page
    assert "تغییر کرد" in page
