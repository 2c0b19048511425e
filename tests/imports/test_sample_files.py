"""The files people are offered to try an import with give exactly what their tables say."""

from __future__ import annotations

from collections import Counter

import pytest
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from contactsync.models import ImportJob, Phonebook
from contactsync.options import parse_option
from contactsync.phone import parse_phone
from tests.data import make_samples as samples
from tests.data.sample_counts import OTHERS_EN, OTHERS_FA, PHONES_EN, PHONES_FA, REFUSED
from tests.imports.files import checked, imported, make_book, outcomes, table

pytestmark = pytest.mark.django_db
OPTIONS_FA = {"شهر": "text", "تاریخ تولد": "date", "امتیاز": "integer"}
OPTIONS_EN = {"City": "text", "Birthday": "date", "Points": "integer"}
BOTH = [
    ("sample-contacts-fa.csv", OPTIONS_FA, samples.rows_fa, PHONES_FA, OTHERS_FA),
    ("sample-contacts-en.csv", OPTIONS_EN, samples.rows_en, PHONES_EN, OTHERS_EN),
]
both_files = pytest.mark.parametrize(("name", "options", "rows", "phones", "others"), BOTH, ids=["fa", "en"])


def import_sample(book: Phonebook, name: str) -> ImportJob:
    """The file with the columns as they are guessed."""
    return imported(book, (samples.SAMPLES / name).read_bytes(), name=name)


def expected_outcomes(rows: list[list[str]]) -> list[str]:
    """The first good row of each number is created, later ones repeat it, the rest is rejected. A second way to tell."""
    found, seen = [], set[str]()
    for row in rows:
        number = parse_phone(row[samples.PHONE], "IR").e164
        readings = parse_option(row[samples.BIRTHDAY], "date"), parse_option(row[samples.POINTS], "integer")
        if not number or not all(reading.is_valid for reading in readings):
            found.append("rejected")
        else:
            found.append("duplicate" if number in seen else "created")
            seen.add(number)
    return found


def is_address(text: str) -> bool:
    try:
        validate_email(text or "a@example.com")
    except ValidationError:
        return False
    return True


@both_files
def test_the_columns_are_guessed_without_help(
    name: str, options: dict[str, str], rows: object, phones: object, others: object
) -> None:
    book, made = make_book(**options)
    job = checked(book, (samples.SAMPLES / name).read_bytes(), name=name)
    fields = ["prefix", "first_name", "last_name", "phone", "email", *(f"option:{made[title].pk}" for title in options)]
    assert list(job.mapping.values()) == fields


@both_files
def test_the_verdicts_add_up_to_all_rows_and_are_those_of_the_table(
    name: str, options: dict[str, str], rows: object, phones: dict[str, int], others: dict[str, int]
) -> None:
    book, _ = make_book(**options)
    job = import_sample(book, name)
    counts = outcomes(job.counts)
    assert sum(counts.values()) == job.counts["rows"] == sum(phones.values())
    assert counts == Counter(expected_outcomes(rows()))  # type: ignore[operator]
    assert (job.counts["balances"], job.counts["differs_from_check"]) == (True, False)
    assert book.contacts.count() == counts["created"]


def test_the_persian_sample_has_500_rows() -> None:
    book, _ = make_book(**OPTIONS_FA)
    counts = outcomes(import_sample(book, "sample-contacts-fa.csv").counts)
    assert sum(counts.values()) == 500
    bad_cells = sum(PHONES_FA[kind] for kind in REFUSED) + sum(
        OTHERS_FA[kind] for kind in ("invalid_date", "invalid_points")
    )
    assert sum(PHONES_FA[kind] for kind in REFUSED) <= counts["rejected"] <= bad_cells


@both_files
def test_every_wrong_cell_is_listed_under_its_code(
    name: str, options: dict[str, str], rows: object, phones: dict[str, int], others: dict[str, int]
) -> None:
    book, _ = make_book(**options)
    issues = import_sample(book, name).issues
    found = Counter(issues.filter(severity="rejected").values_list("code", flat=True))
    expected = {f"phone_{kind}": count for kind, count in phones.items() if kind in REFUSED}
    assert {code: count for code, count in found.items() if code.startswith("phone_")} == expected
    all_rows: list[list[str]] = rows()  # type: ignore[operator]
    wrong = [
        outcome
        for row, outcome in zip(all_rows, expected_outcomes(all_rows), strict=True)
        if not is_address(row[samples.EMAIL])
    ]
    assert len(wrong) == others["invalid_email"]
    assert issues.filter(severity="warning", code="email_left_out").count() == wrong.count("created") > 0
    assert sum(count for code, count in found.items() if code.startswith("option_")) == (
        others["invalid_date"] + others["invalid_points"]
    )


@both_files
def test_landlines_and_formulas_are_imported_with_a_warning(
    name: str, options: dict[str, str], rows: object, phones: dict[str, int], others: dict[str, int]
) -> None:
    book, _ = make_book(**options)
    job = import_sample(book, name)
    found = {
        code: list(job.issues.filter(code=code).values_list("row", flat=True)) for code in ("fixed_line", "formula")
    }
    imported_rows = set(job.changes.values_list("row", flat=True))
    accepted = [row for number, row in enumerate(rows(), start=1) if number in imported_rows]  # type: ignore[operator]
    landlines = [row for row in accepted if parse_phone(row[samples.PHONE], "IR").line == "fixed"]
    formulas = [row for row in accepted if row[samples.FIRST_NAME].startswith("=")]
    assert (len(found["fixed_line"]), len(found["formula"])) == (len(landlines), len(formulas))
    assert 0 < len(landlines) <= phones["landline"]
    assert len(formulas) <= others["formula"]
    assert {*found["fixed_line"], *found["formula"]} <= imported_rows


def test_the_workbook_goes_in_whole_and_no_digit_is_lost() -> None:
    book, made = make_book(**OPTIONS_FA)
    job = import_sample(book, "sample-contacts.xlsx")
    assert outcomes(job.counts) == {"created": 50}
    assert all(len(phone) == 13 and phone[6:9] == "000" for phone in book.contacts.values_list("phone", flat=True))
    points = [options.get(str(made["امتیاز"].pk)) for options in book.contacts.values_list("options", flat=True)]
    assert len([value for value in points if value is not None and value.isdigit()]) == 40


@both_files
def test_the_sample_once_more_changes_nothing(
    name: str, options: dict[str, str], rows: object, phones: object, others: object
) -> None:
    book, _ = make_book(**options)
    first = outcomes(import_sample(book, name).counts)
    before = table(book)
    again = outcomes(import_sample(book, name).counts)
    assert again == {**{key: count for key, count in first.items() if key != "created"}, "unchanged": first["created"]}
    assert table(book) == before
