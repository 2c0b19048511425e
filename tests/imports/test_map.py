"""Columns: guessed from titles in several languages and from content, and checked before they are used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactsync.imports import headers
from contactsync.imports.errors import MappingError
from contactsync.imports.map import NAME_TWICE, NO_PHONE, TWICE, check_mapping, guess_mapping
from contactsync.models import CustomOption

OPTIONS = {"7": "شهر", "8": "Points", "9": "تاریخ تولد"}


def guess(columns: list[str], *rows: list[str], region: str = "IR", options: dict[str, str] | None = None) -> list[str]:
    """The guessed fields in the order of the columns."""
    found = guess_mapping(columns, rows, region=region, options=made(OPTIONS if options is None else options))
    assert list(found) == [str(index) for index in range(len(columns))]
    return [guess.field for guess in found.values()]


def made(titles: dict[str, str]) -> dict[str, CustomOption]:
    """Options of text by id."""
    return {pk: CustomOption(pk=int(pk), title=title) for pk, title in titles.items()}


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        (
            ["پیشوند", "نام", "نام خانوادگی", "شماره موبایل", "ایمیل", "شهر", "تاریخ تولد"],
            ["prefix", "first_name", "last_name", "phone", "email", "option:7", "option:9"],
        ),
        (
            ["Title", "First name", "Last name", "Mobile", "E-mail", "City", "points"],
            ["prefix", "first_name", "last_name", "phone", "email", "", "option:8"],
        ),
        (["Handynummer", "Vorname", "Nachname", "Firma"], ["phone", "first_name", "last_name", "company"]),
        (["numero di cellulare", "nome", "cognome"], ["phone", "first_name", "last_name"]),
        (["teléfono móvil", "nombre", "apellidos"], ["phone", "first_name", "last_name"]),
        (["رقم الجوال", "الاسم الأول"], ["phone", "first_name"]),
        (["PHONE_NUMBER", "FIRST-NAME", "  last   name "], ["phone", "first_name", "last_name"]),
        (["شماره‌ی تلفن همراه", "برچسب‌ها", "کارشناس"], ["phone", "tags", "assigned_user"]),
        (["موبايل", "شركت"], ["phone", "company"]),
    ],
)
def test_titles_are_understood_in_the_languages_of_our_users(columns: list[str], fields: list[str]) -> None:
    assert guess(columns) == fields


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        (["mobile", "name"], ["phone", "full_name"]),
        (["mobile", "نام"], ["phone", "full_name"]),
        (["mobile", "نام و نام خانوادگی"], ["phone", "full_name"]),
        (["mobile", "name", "surname"], ["phone", "first_name", "last_name"]),
        (["mobile", "نام", "فامیلی"], ["phone", "first_name", "last_name"]),
        (["Name", "Vorname", "Mobilnummer"], ["last_name", "first_name", "phone"]),
        (["mobile", "full name", "first name", "last name"], ["phone", "", "first_name", "last_name"]),
    ],
)
def test_a_name_is_whole_first_or_last_as_its_neighbours_tell(columns: list[str], fields: list[str]) -> None:
    assert guess(columns) == fields


@pytest.mark.parametrize(
    ("columns", "row", "fields"),
    [
        (
            ["First Name", "Last Name", "Labels", "E-mail 1 - Label", "E-mail 1 - Value", "Phone 1 - Label",
             "Phone 1 - Value", "Organization Name"],
            ["Sara", "R", "x", "Home", "a@b.co", "Mobile", "+98 912 123 4567", "ACME"],
            ["first_name", "last_name", "tags", "", "email", "", "phone", "company"],
        ),
        (["Anrede", "Vorname", "Nachname", "Telefon geschäftlich", "Mobiltelefon", "E-Mail-Adresse", "Kategorien"], [],
         ["prefix", "first_name", "last_name", "", "phone", "email", "tags"]),
        (["Titolo", "Nome", "Cognome", "Telefono ufficio", "Cellulare", "Indirizzo posta elettronica", "Categorie"], [],
         ["prefix", "first_name", "last_name", "", "phone", "email", "tags"]),
        (["Nombre", "Apellidos", "Teléfono móvil", "Dirección de correo electrónico", "Categorías"], [],
         ["first_name", "last_name", "phone", "email", "tags"]),
        (["Mobile (required)", "Contact First Name", "Customer Surname *", "Lead owner"], [],
         ["phone", "first_name", "last_name", "assigned_user"]),
        (["شماره همراه مشتری (الزامی)", "ایمیل ۱", "نام و نام‌خانوادگی"], [], ["phone", "email", "full_name"]),
        (["Handy-Nr.", "Kunden-Nr."], [], ["phone", ""]),
        (["Nº de teléfono", "Correo-e"], [], ["phone", "email"]),
        (["Customer number", "شماره مشتری", "Phone 2"], ["1", "2", "09121234567"], ["", "", "phone"]),
    ],
)  # fmt: skip
def test_titles_as_address_books_and_customer_systems_write_them(
    columns: list[str], row: list[str], fields: list[str]
) -> None:
    assert guess(columns, row) == fields


def test_a_title_about_a_phone_whose_cells_hold_none_is_not_taken() -> None:
    assert guess(["Phone 1 - Type", "x"], ["Mobile", "09121234567"]) == ["", "phone"]
    assert guess(["customer mobile (main line)"]) == ["phone"]


def test_of_two_phone_columns_the_mobile_one_is_taken() -> None:
    assert guess(["phone", "mobile"], ["02112345678", "09121234567"]) == ["", "phone"]


def test_of_two_phone_columns_the_one_that_holds_numbers_is_taken() -> None:
    assert guess(["mobile", "phone"], ["", "09121234567"], ["-", "09121234568"]) == ["", "phone"]


@pytest.mark.parametrize("landline", ["Tel. fisso", "Teléfono fijo 2", "Telefon (Festnetz)", "شماره ثابت", "Fax"])
def test_of_two_phone_columns_the_one_whose_numbers_take_messages_is_taken(landline: str) -> None:
    numbers = [["02188776655", "09121234567"], ["", "09121234568"]]
    assert guess(["Phone Number", "Mobile Phone Number"], *numbers) == ["", "phone"]
    assert guess(["Phone", "Phone"], *numbers) == ["", "phone"]
    assert guess([landline, "Tel. mobile"], *numbers) == ["", "phone"]
    assert guess(["Phone 1 - Value", "Phone 2 - Value"], ["09121234567", ""], ["09121234568", "02188776655"]) == [
        "phone", "",
    ]  # fmt: skip


def test_a_column_of_owners_with_mere_names_is_left_out() -> None:
    assert guess(["mobile", "Contact owner"], ["09121234567", "Joe"], ["09121234568", ""]) == ["phone", ""]
    assert guess(["mobile", "Contact owner"], ["09121234567", "joe@example.com"]) == ["phone", "assigned_user"]
    assert guess(["mobile", "Contact owner"], ["09121234567", ""]) == ["phone", "assigned_user"]


def test_a_landline_column_is_taken_only_when_there_is_no_other() -> None:
    rows = ["02188776655", "09121234567"]
    assert guess(["تلفن ثابت", "x"], rows) == ["", "phone"]
    assert guess(["تلفن ثابت", "x"], [rows[0], "Ali"]) == ["phone", ""]
    assert guess(["landline", "mobile"], rows) == ["", "phone"]


def test_phone_and_email_are_found_by_content_where_titles_say_nothing() -> None:
    assert guess(["a", "b", "c"], ["Ali", "۰۹۱۲۱۲۳۴۵۶۷", "ali@example.com"]) == ["", "phone", "email"]
    assert guess(["", ""], ["09121234567", "x"]) == ["phone", ""]


def test_the_title_of_an_option_wins_over_the_usual_meaning() -> None:
    assert guess(["mobile", "group"], options={"3": "Group"}) == ["phone", "option:3"]


def test_the_title_of_an_option_is_found_however_it_is_typed() -> None:
    assert guess(["mobile", "تاريخ‌تولد", "POINTS "]) == ["phone", "option:9", "option:8"]


def test_of_equal_titles_the_first_is_the_field_and_the_second_the_option() -> None:
    assert guess(["mobile", "Points", "company", "e-mail", "Company"], options={"7": "company", "8": "points"}) == [
        "phone", "option:8", "company", "email", "option:7",
    ]  # fmt: skip
    assert guess(["mobile", "company"], options={"7": "company"}) == ["phone", "option:7"]


def test_an_option_with_a_number_in_it_is_not_taken_for_the_number_of_the_contact() -> None:
    row = ["+989121234567", "+989351234567"]
    assert guess(["phone number", "mobile"], row, options={"7": "mobile"}) == ["phone", "option:7"]
    assert guess(["landline", "mobile"], ["02188887777", "09351234567"], options={"7": "mobile"}) == ["", "phone"]
    assert guess(["city", "mobile"], ["Rasht", "09351234567"], options={"7": "mobile"}) == ["", "phone"]


def test_options_that_are_nearly_called_the_same_are_told_apart() -> None:
    options = {"7": "Größe", "8": "Grosse", "9": "★", "10": "☆", "11": "=1+1"}
    assert guess(["mobile", "Grosse", "Größe", "☆", "★", "'=1+1"], options=options) == [
        "phone", "option:8", "option:7", "option:10", "option:9", "option:11",
    ]  # fmt: skip


def test_no_field_is_guessed_twice() -> None:
    assert guess(["mobile", "mobile", "email", "email"]) == ["phone", "", "email", ""]


@given(
    st.lists(st.sampled_from([*sum(headers.SYNONYMS.values(), ()), *headers.LANDLINES, "x", "", "شهر"]), max_size=12),
    st.lists(st.sampled_from(["09121234567", "a@b.co", "Ali", ""]), max_size=12),
)
def test_whatever_the_titles_the_guess_can_be_used_as_soon_as_a_phone_is_in_it(
    titles: list[str], row: list[str]
) -> None:
    found = {
        index: guess.field for index, guess in guess_mapping(titles, [row], region="IR", options=made(OPTIONS)).items()
    }
    if "phone" in found.values():
        assert check_mapping(found, width=len(titles), options=OPTIONS)


def test_ignored_columns_are_left_out_of_the_checked_mapping() -> None:
    mapping = {"2": "phone", "0": "first_name", "1": "", "3": "option:7"}
    assert list(check_mapping(mapping, width=4, options=OPTIONS).items()) == [
        ("0", "first_name"), ("2", "phone"), ("3", "option:7"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({}, NO_PHONE),
        ({"0": "email"}, NO_PHONE),
        ({"0": "phone", "1": "phone"}, TWICE),
        ({"0": "phone", "1": "option:7", "2": "option:7"}, TWICE),
        ({"0": "phone", "1": "full_name", "2": "last_name"}, NAME_TWICE),
    ],
)
def test_columns_that_contradict_each_other_are_refused(mapping: dict[str, str], message: str) -> None:
    with pytest.raises(MappingError) as refused:
        check_mapping(mapping, width=3, options=OPTIONS)
    assert refused.value.message == message
    assert "%(" not in refused.value.describe()


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"0": "phone", "1": "shoe_size"}, "shoe_size"),
        ({"0": "phone", "1": "option:99"}, "option:99"),
        ({"3": "phone"}, "column 4"),
        ({"-1": "phone"}, "-1"),
        ({"x": "phone"}, "x"),
    ],
)
def test_fields_and_columns_that_do_not_exist_are_refused(mapping: dict[str, str], words: str) -> None:
    with pytest.raises(MappingError, match=words):
        check_mapping(mapping, width=3, options=OPTIONS)


def test_a_column_used_twice_is_named_as_people_count() -> None:
    with pytest.raises(MappingError, match="columns 2 and 3"):
        check_mapping({"2": "email", "1": "email", "0": "phone"}, width=3, options={})


def test_no_title_stands_for_two_fields() -> None:
    told: dict[str, str] = {}
    for field, synonyms in headers.SYNONYMS.items():
        for synonym in synonyms:
            assert told.setdefault(headers.key(synonym), field) == field, synonym
            assert headers.field_of(synonym)[0] == field
    assert not told.keys() & {headers.key(title) for title in headers.LANDLINES}
