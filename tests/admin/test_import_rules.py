"""What happens to existing contacts: chosen on the page of the columns, said on those that follow."""

from __future__ import annotations

import pytest
from django.test import Client

from contactsync.imports.rules import Mode, Rules, TagsMode
from contactsync.models import ImportJob, Phonebook, SavedMapping
from tests.admin.flow_rows import address, client_of, text_of
from tests.admin.test_import_history import upload_again
from tests.admin.test_imports_screens import columns, uploaded
from tests.factories import make_contact
from tests.imports.files import apply, check, imported
from tests.imports.test_modes import FILE, book

__all__ = ["book"]
pytestmark = pytest.mark.django_db
CHOSEN = {"mode": "update_only", "tags_mode": "add", "clear_token": " - "}


@pytest.fixture
def client() -> Client:
    return client_of("Marketing")


def test_the_page_begins_with_the_usual_and_keeps_what_is_chosen(client: Client) -> None:
    job = uploaded(client)
    form = client.get(address(job, "columns")).context["form"]
    assert [field.value() for field in form.rule_fields] == ["add_and_update", "replace", "<clear>"]
    client.post(address(job, "columns"), columns("phone", "first_name", "", save_as="Fair", **CHOSEN))
    job.refresh_from_db()
    assert Rules.of(job) == Rules(Mode.UPDATE_ONLY, TagsMode.ADD, "-")
    assert Rules.read(SavedMapping.objects.get().rules) == Rules.of(job)


def test_without_a_sign_nothing_is_emptied(client: Client) -> None:
    job = uploaded(client)
    client.post(address(job, "columns"), columns("phone", "first_name", "", **{**CHOSEN, "clear_token": ""}))
    job.refresh_from_db()
    assert job.clear_token == ""


@pytest.mark.parametrize(("name", "value"), [("mode", "replace_all"), ("tags_mode", "x"), ("clear_token", "x" * 51)])
def test_a_choice_that_is_none_is_refused(client: Client, name: str, value: str) -> None:
    job = uploaded(client)
    page = client.post(address(job, "columns"), columns("phone", "first_name", "", **{**CHOSEN, name: value}))
    assert page.context["form"].errors.keys() == {name}
    job.refresh_from_db()
    assert (job.state, job.mode) == (ImportJob.State.UPLOADED, Mode.ADD_AND_UPDATE)


def test_the_result_says_what_was_chosen_and_lists_skipped_rows_when_asked(client: Client, book: Phonebook) -> None:
    job = imported(book, FILE, rules=Rules(Mode.ADD_ONLY), mapping={"0": "phone", "1": "first_name"})
    page = client.get(address(job, "change"))
    text = text_of(page)
    assert "existing contacts stay as they are." in text
    assert "<b>3</b> skipped" in text
    assert "3 rows were skipped, as chosen." in text
    assert {issue.severity for issue in page.context["table"].page.object_list} == {"warning", "duplicate", "rejected"}
    page = client.get(address(job, "change"), {"severity": "skipped"})
    assert [issue.code for issue in page.context["table"].page.object_list] == ["skipped_there"] * 3
    assert "only adds numbers" in text_of(page)


@pytest.mark.parametrize(
    ("mode", "fields", "said"),
    [
        (Mode.ADD_AND_UPDATE, ("first_name",), (False, True)),
        (Mode.ADD_AND_UPDATE, ("first_name", "tags"), (True, True)),
        (Mode.ADD_AND_UPDATE, (), (False, False)),
        (Mode.ADD_ONLY, ("first_name", "tags"), (False, False)),
    ],
)
def test_of_tags_and_the_sign_is_told_where_they_mean_something(
    client: Client, book: Phonebook, mode: str, fields: tuple[str, ...], said: tuple[bool, bool]
) -> None:
    mapping = {"0": "phone", **{str(at): name for at, name in enumerate(fields, 1)}}
    text = text_of(client.get(address(imported(book, FILE, rules=Rules(mode), mapping=mapping), "change")))
    assert ("Tags of the file replace" in text, "“\u2068&lt;clear&gt;\u2069” empties" in text) == said


def test_where_nothing_can_be_skipped_nothing_is_said_of_it(client: Client, book: Phonebook) -> None:
    job = imported(book, FILE, mapping={"0": "phone", "1": "first_name"})
    assert "skipped" not in text_of(client.get(address(job, "change"))).split("<h2")[1]


def test_a_correction_says_how_many_of_its_rows_were_skipped(client: Client, book: Phonebook) -> None:
    make_contact(book, "+989121234569")
    job = imported(book, FILE, rules=Rules(Mode.ADD_ONLY), mapping={"0": "phone", "1": "first_name"})
    again = upload_again(client, job, {"A2": "09121234569"})
    check(again)
    apply(again)
    page = client.get(address(again, "change"))
    assert {part.name: part.count for part in page.context["corrected"].parts} == {
        "imported": 0, "skipped": 1, "duplicate": 0, "rejected": 0, "missing": 0,
    }  # fmt: skip
    assert page.context["corrected"].balances
    assert [row.outcome for row in page.context["corrections"].page.object_list] == ["skipped"]
