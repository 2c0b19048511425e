"""Every page under the strict policy: nothing inline, nothing from elsewhere, both directions, both languages."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from contactsync.models import Contact, Phonebook, Suppression
from tests.admin.flow_rows import client_of, text_of
from tests.factories import make_account, make_contact, make_option, make_phonebook

pytestmark = pytest.mark.django_db


class Strict(HTMLParser):
    """Collects what `default-src 'self'` would stop, and what a page needs to be read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.lang = self.direction = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "html":
            self.lang, self.direction = found.get("lang") or "", found.get("dir") or ""
        if tag == "style" or (tag == "script" and not found.get("src") and found.get("type") != "application/json"):
            self.problems.append(f"inline {tag}")
        self.problems += [f"{name} on {tag}" for name, _value in attrs if name == "style" or name.startswith("on")]
        for name in ("src", "href", "action"):
            if re.match(r"(https?:)?//|javascript:|data:", found.get(name) or ""):
                self.problems.append(f"{name} to {found[name]}")
        if tag == "label" and found.get("for"):
            self.labels.add(str(found["for"]))
        if tag in {"input", "select", "textarea"} and found.get("type") not in {"hidden", "submit"}:
            self.fields.append(found)

    @property
    def nameless(self) -> list[str]:
        """Fields without a label."""
        return [
            str(field.get("name"))
            for field in self.fields
            if field.get("id") not in self.labels and not field.get("aria-label") and not field.get("aria-labelledby")
        ]


def read(response: Any) -> Strict:
    page = Strict()
    page.feed(response.content.decode())
    return page


@pytest.fixture
def rows() -> dict[str, int]:
    account = make_account()
    option = make_option(account, "تولد", kind="date")
    book = make_phonebook(account, options=(option,))
    return {
        "account": account.pk,
        "option": option.pk,
        "book": book.pk,
        "contact": make_contact(book, options={str(option.pk): "1992-10-08"}).pk,
        "number": Suppression.objects.create(phone="+989121234567").pk,
        "group": 1,
    }


PAGES = [
    "/admin/",
    "/admin/contactsync/",
    "/admin/providers/",
    "/admin/explain/",
    "/admin/password_change/",
    "/admin/contactsync/contact/",
    "/admin/contactsync/contact/?q=0912",
    "/admin/contactsync/contact/add/?phonebook={book}",
    "/admin/contactsync/contact/{contact}/change/",
    "/admin/contactsync/contact/{contact}/history/",
    "/admin/contactsync/phonebook/",
    "/admin/contactsync/phonebook/add/?account={account}",
    "/admin/contactsync/phonebook/{book}/change/",
    "/admin/contactsync/phonebook/import/",
    "/admin/contactsync/phonebook/export/",
    "/admin/contactsync/customoption/",
    "/admin/contactsync/customoption/add/",
    "/admin/contactsync/customoption/{option}/change/",
    "/admin/contactsync/suppression/",
    "/admin/contactsync/suppression/add/",
    "/admin/contactsync/suppression/{number}/delete/",
    "/admin/contactsync/importjob/suppression/",
    "/admin/contactsync/campaign/export/",
    "/admin/contactsync/provideraccount/",
    "/admin/contactsync/provideraccount/add/?provider=ippanel",
    "/admin/contactsync/provideraccount/{account}/change/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/auth/group/",
    "/admin/auth/group/{group}/change/",
    "/admin/axes/accessattempt/",
]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "fa"])
def test_pages_hold_nothing_the_policy_would_stop(rows: dict[str, int], path: str, language: str) -> None:
    response = client_of(is_superuser=True).get(path.format(**rows), headers={"accept-language": language})
    assert response.status_code == 200
    page = read(response)
    assert page.problems == []
    assert (page.lang, page.direction) == (language, "rtl" if language == "fa" else "ltr")
    unlabelled = {name for name in page.nameless if name not in {"_selected_action", "None", "index"}}
    assert unlabelled <= {"action"}


def test_the_policy_has_no_exceptions() -> None:
    header = Client().get("/admin/login/")["Content-Security-Policy"]
    assert "default-src 'self'" in header
    assert "unsafe" not in header
    assert "script-src" not in header


def test_our_style_sheets_and_scripts_load_nothing_from_elsewhere() -> None:
    for name in ("tokens", "shell", "controls", "lists", "components", "dashboard"):
        text = Path(str(finders.find(f"contactsync/{name}.css"))).read_text()
        assert "url(" not in text
        assert "@import" not in text


def test_whoever_is_logged_out_on_the_way_learns_that_nothing_was_saved() -> None:
    client = Client()
    told = "it was not saved"
    assert told in client.post("/admin/contactsync/importjob/add/", follow=True).content.decode()
    assert told not in client.get("/admin/", follow=True).content.decode()


def test_the_login_page_speaks_the_language_one_chooses() -> None:
    client = Client()
    page = read(client.get("/admin/login/"))
    assert page.problems == []
    assert page.nameless == []
    response = client.post("/i18n/setlang/", {"language": "fa", "next": "/admin/login/"})
    assert response.url == "/admin/login/"
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "fa"
    assert read(client.get("/admin/login/")).direction == "rtl"


def test_the_language_is_chosen_by_post_and_leads_back_to_the_page() -> None:
    page = text_of(client_of("Marketing").get("/admin/contactsync/contact/?q=0912"))
    assert 'name="next" value="/admin/contactsync/contact/?q=0912"' in page
    assert 'name="language" value="fa"' in page
    assert "فارسی" in page


def test_the_navigation_is_grouped_by_what_people_do() -> None:
    client = client_of(is_superuser=True)
    groups = {
        app["name"]: [model["object_name"] for model in app["models"]]
        for app in client.get("/admin/").context["available_apps"]
    }
    assert groups["Contacts"] == [
        "Phonebook",
        "Contact",
        "Explain",
        "CustomOption",
        "Suppression",
        "ImportJob",
        "SavedMapping",
    ]
    assert groups["Campaigns"] == ["Campaign", "Recipient", "InboundMessage"]
    assert groups["Provider"] == ["ProviderAccount", "Run", "Unknown", "Call", "Callback", "Providers"]
    assert groups["People"][:2] == ["User", "Group"]


def test_marketing_sees_no_provider_accounts_or_people_in_the_navigation() -> None:
    apps = client_of("Marketing").get("/admin/").context["available_apps"]
    names = {model["object_name"] for app in apps for model in app["models"]}
    assert {"Phonebook", "Contact", "ImportJob", "Campaign", "Run", "Call"} <= names
    assert not names & {"ProviderAccount", "User", "Group"}


def test_numbers_are_isolated_on_persian_pages(rows: dict[str, int]) -> None:
    contact = Contact.objects.get()
    client = client_of("Marketing")
    for path in ("/admin/contactsync/contact/", f"/admin/contactsync/contact/{contact.pk}/change/"):
        page = client.get(path, headers={"accept-language": "fa"}).content.decode()
        outside = re.sub(r"<[^>]*>", "", re.sub(r'<bdi dir="ltr"[^>]*>[^<]*</bdi>|\u2066[^\u2069]*\u2069', "", page))
        assert "+98" not in outside


def test_the_list_of_a_hundred_thousand_counts_no_further_than_it_must() -> None:
    from contactsync.admin import common

    account = make_account()
    Phonebook.objects.bulk_create(Phonebook(account=account, title=f"book {number}") for number in range(30))
    paginator = common.CappedPaginator(Phonebook.objects.all(), 10)
    assert (paginator.count, paginator.is_capped) == (30, False)


def test_a_capped_list_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from contactsync.admin import common

    monkeypatch.setattr(common, "COUNTED", 60)
    book = make_phonebook()
    for _ in range(70):
        make_contact(book)
    page = text_of(client_of("Marketing").get("/admin/contactsync/contact/"))
    assert "more than 60 contacts" in page
    filtered = {"sync": "new"}
    assert "more than 60 results" in text_of(client_of("Marketing").get("/admin/contactsync/contact/", filtered))
    assert "Select all matches, on all pages" in page
