"""The page of columns: where guesses come from, new options, what is the same for all rows, and saved mappings."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone, translation

from contactsync.admin.imports.origin import origin
from contactsync.calendars import jalali
from contactsync.imports.saved import save_mapping
from contactsync.models import Contact, CustomOption, ImportJob, Phonebook, SavedMapping
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import make_account, make_option, make_phonebook
from tests.imports.files import imported, make_book
from tests.imports.files import upload as uploaded

pytestmark = pytest.mark.django_db
WORKING = pytest.mark.django_db(transaction=True)
FILE = "Mobile,First name,City,Born\n09121110001,Sara,Shiraz,1371/07/16\n09121110002,Ali,,1372/01/01\n"
LIST = "/admin/contactsync/savedmapping/"
SEE = ("view_importjob", "add_importjob")


def show(client: Client, job: ImportJob) -> Any:
    return client.get(address(job, "columns"))


def post(client: Client, job: ImportJob, *fields: str, **more: str) -> Any:
    data = {f"column_{index}": field for index, field in enumerate(fields)} | {"has_header": "on"} | more
    return client.post(address(job, "columns"), data, follow=True)


def whys(page: Any) -> list[str]:
    return [line.why for line in page.context["lines"]]


# Guesses


def test_a_guess_says_what_it_was_made_from_and_what_is_left_out_is_named() -> None:
    book, _ = make_book()
    page = show(client_of("Marketing"), uploaded(book, "Mobile,First name,x,y\n09121110001,Sara,a@example.com,\n"))
    assert whys(page) == ["guessed from the title", "guessed from the title", "guessed from the content", ""]
    assert [line.is_left_out for line in page.context["lines"]] == [False, False, False, True]
    text = re.sub("</?span[^>]*>", "", text_of(page))
    assert "3 of 4 columns are used." in text
    assert "Left out, so nothing of them is imported: \u2068y\u2069." in text
    assert "empty in the first rows" in text


def test_last_time_is_named_with_all_that_changed_since() -> None:
    book, options = make_book(Level="text")
    level = f"option:{options['Level'].pk}"
    imported(
        book,
        "Mobile,A,B,C,L\n09121110001,x,y,z,v\n",
        name="march.csv",
        mapping={"0": "phone", "1": "note", "3": "company", "4": level},
    )
    job = uploaded(book, "Mobile,L,B,C,D\n09121110001,x,y,z,v\n")
    client = client_of("Marketing")
    page = show(client, job)
    text = text_of(page).replace("\u2068", "").replace("\u2069", "")
    assert "as last time in this phonebook, for “march.csv”" in text
    assert "Moved: “L” from column 5 to 2." in text
    assert "Moved from column 5 to 2." in text
    assert "New in this file: D." in text
    assert "Not in this file any more: A." in text
    assert whys(page)[:4] == ["as last time"] * 4
    post(client, job, "phone", level, "", "company", "")
    job.refresh_from_db()
    assert job.guess == {}


def test_a_page_of_many_columns_asks_the_database_no_more_than_one_of_few(django_assert_max_num_queries: Any) -> None:
    book, _ = make_book(City="text")
    titles = ",".join(f"x{number}" for number in range(60))
    job = uploaded(book, f"Mobile,{titles}\n09121110001{',1371/07/16' * 60}\n")
    client = client_of("Marketing")
    with django_assert_max_num_queries(15):
        page = show(client, job)
    assert len(page.context["lines"]) == 61


def test_a_page_of_many_columns_renders_no_more_templates_than_one_of_few() -> None:
    book, _ = make_book(City="text")
    client = client_of("Marketing")
    few, many = (
        show(client, uploaded(book, f"Mobile{',x' * count}\n09121110001{',a' * count}\n")) for count in (2, 60)
    )
    assert len(many.context["lines"]) == 61
    assert b'<textarea cols="40" rows="3" id="id_new_60_choices" name="new_60_choices">' in many.content
    assert len(many.templates) == len(few.templates)


@WORKING
def test_what_was_the_same_for_all_rows_last_time_is_told_and_not_taken_over() -> None:
    book, _ = make_book()
    client, job = client_of("Marketing"), uploaded(book, FILE)
    post(client, job, "phone", "", "", "", fixed_0_field="tags", fixed_0_value="fair 2025")
    job = uploaded(book, FILE)
    page = show(client, job)
    assert "they are not taken over: tags: \u2068fair 2025\u2069." in text_of(page)
    assert page.context["form"]["fixed_0_value"].value() == ""
    assert job.fixed_values == {}


def test_a_file_of_another_phonebook_of_the_account_is_named_as_such_and_its_date_is_jalali_in_persian() -> None:
    book, _ = make_book()
    imported(book, FILE, name="march.csv")
    client = client_of("Marketing")
    sister = make_phonebook(book.account)
    assert "as last time in another phonebook of this account" in text_of(show(client, uploaded(sister, FILE)))
    job = uploaded(book, FILE)
    with translation.override("fa"):
        day = timezone.localdate(job.created_at)
        assert f"{jalali(day)} ({day})" in origin(job)


def test_what_a_person_chose_is_not_called_a_guess_after_an_error() -> None:
    book, _ = make_book()
    client, job = client_of("Marketing"), uploaded(book, FILE)
    page = post(client, job, "first_name", "last_name", "", "")
    assert whys(page) == ["", "", "", ""]
    assert "errorlist" in text_of(page)


def test_a_column_that_looks_like_dates_is_suggested_as_a_new_option() -> None:
    book, _ = make_book()
    text = text_of(show(client_of("Marketing"), uploaded(book, FILE)))
    assert "It looks like this kind: date. A new option can hold it." in text


def test_a_sorted_column_of_many_values_is_not_suggested_as_a_choice() -> None:
    book = make_phonebook(make_account(provider="callbell"))
    towns = [f"{number}th town" for number in range(9)]
    client = client_of("Marketing")
    for values, kind in ((towns[:2], "choice"), (towns, "text")):
        rows = "".join(f"+98912111{n:04},{values[n // 10 % len(values)]}\n" for n in range(180))
        job = uploaded(book, "Mobile,Level\n" + rows)
        assert show(client, job).context["form"]["new_1_kind"].value() == kind


# New options


@WORKING
def test_an_option_is_made_on_the_spot_and_filled(run_tasks: Any) -> None:
    book, _ = make_book()
    client, job = client_of("Marketing"), uploaded(book, FILE)
    form = show(client, job).context["form"]
    assert form["new_3_title"].value() == "Born"
    assert form["new_3_kind"].value() == "date"
    more = {"new_2_title": "City", "new_2_kind": "text", "new_3_title": "Birthday", "new_3_kind": "date"}
    page = post(client, job, "phone", "", "new", "new", **more)
    assert "Now options of this phonebook: City, Birthday." in text_of(page)
    run_tasks()
    client.post(address(job, "apply"))
    run_tasks()
    city, born = CustomOption.objects.get(title="City"), CustomOption.objects.get(title="Birthday")
    assert set(book.options.all()) == {city, born}
    assert Contact.objects.get(phone="+989121110001").options == {str(city.pk): "Shiraz", str(born.pk): "1992-10-08"}
    assert set(LogEntry.objects.values_list("object_repr", flat=True)) == {"City", "Birthday"}


def test_an_option_of_the_account_can_be_put_to_use() -> None:
    book, _ = make_book()
    option = make_option(book.account, "City")
    client, job = client_of("Marketing"), uploaded(book, FILE)
    text = text_of(show(client, job))
    assert f'value="add:{option.pk}"' in text
    assert "The account has an option with this title." in text
    post(client, job, "phone", "", f"add:{option.pk}", "")
    job.refresh_from_db()
    assert job.mapping["2"] == f"option:{option.pk}"
    assert list(book.options.all()) == [option]


def test_an_option_that_cannot_be_made_is_refused_beside_its_column_and_at_the_top() -> None:
    book, _ = make_book(City="text")
    client, job = client_of("Marketing"), uploaded(book, FILE)
    page = post(client, job, "phone", "", "new", "", new_2_title="city", new_2_kind="text")
    assert "already" in str(page.context["form"].errors["column_2"])
    assert 'href="#id_column_2"' in text_of(page)
    assert CustomOption.objects.count() == 1


@pytest.mark.parametrize("lacking", ["add_customoption", "add_phonebookoption"])
def test_somebody_without_the_right_cannot_make_options(lacking: str) -> None:
    book, _ = make_book()
    rights = {"add_customoption", "add_phonebookoption"} - {lacking}
    client, job = client_of(may=(*SEE, *rights)), uploaded(book, FILE)
    assert "Make a new option" not in text_of(show(client, job))
    page = post(client, job, "phone", "", "new", "", new_2_title="City", new_2_kind="text")
    assert "column_2" in page.context["form"].errors
    assert not CustomOption.objects.exists()


def test_only_kinds_of_the_provider_are_offered_and_free_places_are_told() -> None:
    book, _ = make_book()
    page = show(client_of("Marketing"), uploaded(book, FILE))
    assert "choice" not in dict(page.context["form"].fields["new_2_kind"].choices)
    assert page.context["free_places"] is None
    account = make_account(provider="atomtelecom", base_url="https://example.com", key="", default_region="IR")
    page = show(client_of("Marketing"), uploaded(make_phonebook(account), FILE))
    assert "more places for options of this phonebook" in text_of(page)


# The same for all rows


@WORKING
def test_values_for_all_rows_reach_the_contacts(run_tasks: Any) -> None:
    book, _ = make_book()
    client, job = client_of("Marketing"), uploaded(book, FILE)
    more = {"fixed_0_field": "tags", "fixed_0_value": "fair", "fixed_1_field": "prefix", "fixed_1_value": "Dr."}
    post(client, job, "phone", "first_name", "", "", **more)
    run_tasks()
    assert "The same for all rows: tags: \u2068fair\u2069, prefix: \u2068Dr.\u2069." in text_of(
        client.get(address(job))
    )
    client.post(address(job, "apply"))
    run_tasks()
    assert "<dt>The same for all rows</dt>" in text_of(client.get(address(job)))
    assert set(Contact.objects.values_list("prefix", flat=True)) == {"Dr."}
    assert list(Contact.objects.values_list("tags", flat=True)) == [["fair"], ["fair"]]


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ({"fixed_0_field": "assigned_user", "fixed_0_value": "nobody"}, "fixed_0_value"),
        ({"fixed_0_field": "prefix"}, "fixed_0_value"),
        ({"fixed_1_value": "x"}, "fixed_1_field"),
        ({f"fixed_{n}_{part}": "prefix" for n in (0, 1) for part in ("field", "value")}, "fixed_1_field"),
        ({"fixed_0_field": "phone", "fixed_0_value": "09121110001"}, "fixed_0_field"),
    ],
)
def test_a_value_for_all_rows_that_is_wrong_is_refused_beside_it(lines: dict[str, str], field: str) -> None:
    book, _ = make_book()
    client, job = client_of("Marketing"), uploaded(book, FILE)
    page = post(client, job, "phone", "", "", "", **lines)
    assert list(page.context["form"].errors) == [field]
    job.refresh_from_db()
    assert (job.state, job.fixed_values) == (ImportJob.State.UPLOADED, {})


# Under a name


def saved_of(book: Phonebook, name: str = "Fair") -> SavedMapping:
    job = uploaded(book, FILE, mapping={"0": "phone", "2": "note"})
    return save_mapping(job, name, user=None)


def test_the_columns_are_saved_under_a_name_and_used_again() -> None:
    book, _ = make_book()
    client, job = client_of("Marketing"), uploaded(book, FILE)
    more = {"fixed_0_field": "tags", "fixed_0_value": "fair", "save_as": "Fair"}
    assert "The columns are saved as “Fair”." in text_of(post(client, job, "phone", "last_name", "", "", **more))
    saved = SavedMapping.objects.get()
    assert saved.created_by is not None

    job = uploaded(book, "Born,City,Mobile,First name\n1371/07/16,x,09121110001,y\n")
    page = client.post(address(job, "columns"), {"_use": "1", "saved": saved.pk}, follow=True)
    assert [field.value() for field in page.context["form"].column_fields] == ["", "", "phone", "last_name"]
    assert page.context["form"]["fixed_0_value"].value() == "fair"
    assert "those of the saved mapping" in text_of(page)
    job.refresh_from_db()
    assert job.state == ImportJob.State.UPLOADED


def test_a_name_that_is_taken_changes_nothing_unless_it_is_to_be_replaced() -> None:
    book, _ = make_book()
    saved_of(book)
    client, job = client_of("Marketing"), uploaded(book, FILE)
    page = post(client, job, "phone", "", "", "note", save_as="Fair")
    assert "already" in text_of(page)
    job.refresh_from_db()
    assert job.state == ImportJob.State.UPLOADED
    post(client, job, "phone", "", "", "note", save_as="Fair", replace="on")
    assert SavedMapping.objects.get().columns[3] == ["Born", "note"]


def test_without_a_choice_or_with_one_of_another_account_nothing_is_used() -> None:
    book, _ = make_book()
    foreign = saved_of(make_book()[0])
    client, job = client_of("Marketing"), uploaded(book, FILE)
    for chosen in ("", str(foreign.pk)):
        page = client.post(address(job, "columns"), {"_use": "1", "saved": chosen}, follow=True)
        assert "Choose a saved mapping first." in text_of(page)
    assert "Saved mapping:" not in text_of(page)


def test_somebody_without_the_right_saves_no_mapping() -> None:
    book, _ = make_book()
    client, job = client_of(may=SEE), uploaded(book, FILE)
    assert 'name="save_as"' not in text_of(show(client, job))
    post(client, job, "phone", "", "", "", save_as="Fair")
    assert not SavedMapping.objects.exists()


def test_a_saved_mapping_is_renamed_and_deleted_by_those_who_may() -> None:
    book, _ = make_book()
    saved, other = saved_of(book), saved_of(book, "Other")
    marketing, lead = client_of("Marketing"), client_of("Marketing lead")
    assert "Mobile" in text_of(marketing.get(address(saved)))
    assert "already" in text_of(marketing.post(address(saved), {"name": "Other"}))
    marketing.post(address(saved), {"name": "  New name "})
    saved.refresh_from_db()
    assert saved.name == "New name"
    assert marketing.post(address(saved, "delete"), {"post": "yes"}).status_code == 403
    assert client_of(may=("view_savedmapping",)).post(address(saved), {"name": "x"}).status_code == 403
    lead.get(address(other, "delete"))
    assert SavedMapping.objects.count() == 2
    lead.post(address(other, "delete"), {"post": "yes"})
    assert SavedMapping.objects.get() == saved
    assert "New name" in text_of(marketing.get(LIST))
    assert marketing.get(f"{LIST}add/").status_code == 403
