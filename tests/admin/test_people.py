"""Users, groups and what they may do, as the screens say it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import translation

from contactsync.admin.people import permission_label, permissions
from tests.admin.flow_rows import client_of, text_of

pytestmark = pytest.mark.django_db
PERSIAN = {"accept-language": "fa"}


@pytest.fixture(autouse=True)
def language_of_the_site() -> Iterator[None]:
    """A request leaves its language behind; the next test starts with that of the site."""
    yield
    translation.deactivate()


@pytest.fixture
def admin() -> Client:
    return client_of(is_superuser=True)


def test_deleting_a_group_lists_the_group_and_no_rows_that_only_link(admin: Client) -> None:
    group = Group.objects.get(name="Marketing")
    User.objects.create_user("sara", is_staff=True).groups.add(group)
    page = text_of(admin.get(f"/admin/auth/group/{group.pk}/delete/"))
    assert "Groups: 1" in page
    assert "relationship" not in page


def test_deleting_a_person_lists_no_rows_that_only_link_and_deletes_them(admin: Client) -> None:
    person = User.objects.create_user("sara", is_staff=True)
    person.groups.add(Group.objects.get(name="Marketing"))
    address = f"/admin/auth/user/{person.pk}/delete/"
    assert "relationship" not in text_of(admin.get(address))
    admin.post(address, {"post": "yes"})
    assert not User.objects.filter(username="sara").exists()


def test_every_right_has_a_name_in_persian() -> None:
    with translation.override("fa"):
        latin = {label for one in permissions() if re.search("[A-Za-z]", label := str(permission_label(one)))}
    assert latin == set()


def test_what_a_password_is_for_is_explained_in_the_language_of_the_page(admin: Client) -> None:
    person = User.objects.create_user("sara", password="well known", is_staff=True)
    address = f"/admin/auth/user/{person.pk}/password/"
    assert "Whether the user will be able" in text_of(admin.get(address))
    page = text_of(admin.get(address, headers=PERSIAN))
    assert "Whether the user will be able" not in page
    assert "اینکه کاربر بتواند با گذرواژه وارد شود" in page


@pytest.mark.parametrize("page", ["history", "delete", "password"])
def test_the_path_to_a_page_of_a_row_leads_through_its_list_alone(admin: Client, page: str) -> None:
    person = User.objects.create_user("sara", password="well known", is_staff=True)
    shown = text_of(admin.get(f"/admin/auth/user/{person.pk}/{page}/"))
    path = shown[shown.index('class="breadcrumbs"') :]
    links = re.findall(r'href="([^"]*)"', path[: path.index("</div>")])
    assert links == ["/admin/", "/admin/auth/user/", f"/admin/auth/user/{person.pk}/change/"]
