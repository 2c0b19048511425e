"""Whatever contacts hold, and whatever their options are called: the file that goes out changes nothing when it comes back."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contactsync.imports import report
from contactsync.models import Contact, Phonebook
from contactsync.text import clean
from tests.admin.flow_rows import client_of
from tests.admin.test_contact_round_trip import CHOICES, VALUES, imported
from tests.factories import make_account, make_contact, make_option, make_phonebook

pytestmark = pytest.mark.django_db(transaction=False)
#: what people write, and what readers of files trip over
PIECES = st.sampled_from(
    [
        "علی", "كاظمي", "می\u200cرود", "Müller", "Ünal", "Ali", "۱۲۳", "007", "1,5", "1.50", "1403/05/06", "9.89E+11", "NULL",
        "=1+1", "@x", "-", "+98", "'", '"', '""', ",", ";", "|", "\t", "\n", "<b>", "&amp;", "\\", "/", "_x0041_", "😀", " ",
    ]
)  # fmt: skip
WORDS = st.lists(PIECES, max_size=4).map("".join).map(clean)
TITLES = st.sampled_from(
    [
        "company", "first name", "last name", "phone number", "mobile", "tags", "reason", "phonebook", "id", "e-mail",
        "شرکت", "نام", "یادداشت", "شماره تلفن", "برچسب\u200cها", "=1+1", "'=1+1", "★", "☆", "Größe", "Grosse", "a;b,c",
        'the "level"', "2024", "level 1", "level 2",
    ]
)  # fmt: skip
OPTIONS = st.dictionaries(TITLES, st.sampled_from(sorted(VALUES)), max_size=6)
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "prefix": WORDS, "first_name": WORDS, "last_name": WORDS, "company": WORDS, "note": WORDS,
            "consent_source": WORDS, "email": st.sampled_from(["", "a@example.org", "o'neill+x@example.org"]),
            "tags": st.lists(PIECES, max_size=3, unique=True), "consent": st.booleans(), "filled": st.booleans(),
            "text": WORDS,
        }
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip


def _book(options: dict[str, str], people: list[dict[str, Any]]) -> Phonebook:
    account = make_account(provider="callbell", default_region="IR")
    made = [make_option(account, title, kind=kind, choices=CHOICES.get(kind, [])) for title, kind in options.items()]
    book = make_phonebook(account, options=tuple(made))
    for number, person in enumerate(people):
        consent, filled, text = (person.pop(name) for name in ("consent", "filled", "text"))
        values = {str(option.pk): text if option.kind == "text" else VALUES[option.kind] for option in made if filled}
        values = {key: value for key, value in values.items() if value}
        make_contact(
            book, f"+9891212345{number:02d}", **person, options=values, consented_at=timezone.now() if consent else None
        )
    return book


@pytest.fixture
def client() -> Client:
    return client_of("Marketing")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(options=OPTIONS, people=PEOPLE, form=st.sampled_from(["csv", "xlsx"]), language=st.sampled_from(["en", "fa"]))
def test_whatever_goes_out_comes_back_without_a_change(
    client: Client, options: dict[str, str], people: list[dict[str, Any]], form: str, language: str
) -> None:
    book = _book(options, [dict(person) for person in people])
    told = ("phone", "prefix", "first_name", "last_name", "company", "email", "note", "consent_source", "options")
    before = list(Contact.objects.filter(phonebook=book).order_by("pk").values())
    rows = list(Contact.objects.filter(phonebook=book).order_by("phone").values(*told))
    path = f"/admin/contactsync/contact/download/{form}/?phonebook__id__exact={book.pk}"
    content = client.get(path, headers={"accept-language": language}).getvalue()
    job = imported(book, content, f"back.{form}")
    parts = {name: count for name, count in report.equation(job).parts.items() if count}
    assert parts == {"unchanged": len(people)}, list(job.issues.values("line", "column", "code", "value"))
    assert list(Contact.objects.filter(phonebook=book).order_by("pk").values()) == before
    Contact.objects.filter(phonebook=book).delete()
    imported(book, content, f"back.{form}")
    assert list(Contact.objects.filter(phonebook=book).order_by("phone").values(*told)) == rows
