"""The pages of an import: what would change, what has changed, and what is not as it was checked."""

from __future__ import annotations

import pytest
from django.utils import timezone

from contactsync.models import Contact, ImportJob, Phonebook
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import make_contact
from tests.imports.files import apply, checked, make_book

pytestmark = pytest.mark.django_db
State = ImportJob.State


def _book() -> tuple[Phonebook, str]:
    book, _options = make_book(City="text")
    make_contact(book, "+989121230001", first_name="Ali")
    make_contact(book, "+989121230002", first_name="سارا", deleted_at=timezone.now())
    rows = "09121230001,علی,رشت\n09121230002,Zahra,\n09121230003,New,\n0912,x,\n09121230003,again,\n"
    return book, f"phone,first name,City\n{rows}"


def test_the_checked_page_tells_field_by_field_what_would_change() -> None:
    client = client_of("Marketing")
    job = checked(*_book())
    page = text_of(client.get(address(job)))
    assert "What would change" in page
    assert "<del><bdi>Ali</bdi></del>" in page
    assert "<bdi>علی</bdi>" in page
    assert '<bdi>City</bdi> <bdi dir="ltr"><b>1</b></bdi>' in page
    assert "was deleted, is there again" in page
    assert 'href="?code=phone_too_short#rows"' in page


@pytest.mark.parametrize(
    ("words", "lines"), [("09121230002", [3]), ("2", [2]), ("علی", [2]), ("zahra", [3]), ("nobody", []), ("رشت", [2])]
)
def test_changes_to_come_are_found_by_number_line_and_value(words: str, lines: list[int]) -> None:
    client = client_of("Marketing")
    job = checked(*_book())
    found = client.get(address(job), {"change-q": words}).context["change_lines"]
    assert [line.line for line in found] == lines


@pytest.mark.parametrize(("words", "lines"), [("09121230002", [3]), ("3", [2, 3]), ("nobody", [])])
def test_changes_made_are_found_by_number_and_line(words: str, lines: list[int]) -> None:
    client = client_of("Marketing")
    job = checked(*_book())
    apply(job)
    found = client.get(address(job), {"change-q": words}).context["change_lines"]
    assert [line.line for line in found] == lines


def test_the_result_page_shows_what_was_changed() -> None:
    client = client_of("Marketing")
    job = checked(*_book())
    apply(job)
    page = text_of(client.get(address(job)))
    assert "What was changed" in page
    assert "<del><bdi>Ali</bdi></del>" in page


def test_both_tables_of_a_page_have_a_search_of_their_own() -> None:
    client = client_of("Marketing")
    job = checked(*_book())
    response = client.get(address(job), {"q": "nobody"})
    assert response.context["change_lines"]
    assert not response.context["table"].page.object_list
    page = response.content.decode()
    assert page.count('id="rows"') == page.count('id="change-rows"') == 1


def _stopped() -> ImportJob:
    book, text = _book()
    job = checked(book, text)
    make_contact(book, "+989121230003", first_name="Sara")
    apply(job)
    assert job.state == State.STOPPED
    return job


def test_a_stopped_import_says_what_changed_and_offers_both_ways_on() -> None:
    client = client_of("Marketing")
    job = _stopped()
    page = text_of(client.get(address(job)))
    assert "1 row that was new is there already now, and would be updated." in page
    assert 'Lines concerned: <bdi dir="ltr" class="cs-code">4</bdi>' in page
    assert address(job, "check") in page
    assert address(job, "go_on") in page


def test_go_on_imports_the_phonebook_as_it_is_now_and_the_result_says_so(
    run_tasks: object,
) -> None:
    client = client_of("Marketing")
    job = _stopped()
    assert client.get(address(job, "go_on")).status_code == 405
    client.post(address(job, "go_on"))
    run_tasks()  # type: ignore[operator]
    job.refresh_from_db()
    assert job.state == State.APPLIED
    assert Contact.objects.get(phone="+989121230003").first_name == "New"
    assert "From row 1 on, the import continued with the phonebook as it was then" in text_of(client.get(address(job)))


def test_check_again_shows_what_the_import_would_do_now(run_tasks: object) -> None:
    client = client_of("Marketing")
    job = _stopped()
    client.post(address(job, "check"))
    run_tasks()  # type: ignore[operator]
    job.refresh_from_db()
    assert (job.state, job.checked_counts["updated"]) == (State.CHECKED, 3)
    assert "<del><bdi>Sara</bdi></del>" in text_of(client.get(address(job)))


def test_who_may_not_import_may_neither_go_on_nor_check() -> None:
    client = client_of(may=("view_importjob",))
    job = _stopped()
    for step in ("go_on", "check"):
        assert client.post(address(job, step)).status_code == 403
        assert address(job, step) not in text_of(client.get(address(job)))
