"""The sample files hold exactly what tests/data/sample_counts.py says, found here by reading them as an import does."""

from __future__ import annotations

import csv
import io
from collections import Counter

import pytest
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from python_calamine import CalamineWorkbook

from contactsync.options import OptionCode, parse_option
from contactsync.phone import PhoneCode, parse_phone
from contactsync.text import clean, is_formula
from tests.data import make_samples as samples
from tests.data.sample_counts import OTHERS_EN, OTHERS_FA, OTHERS_XLSX, PHONES_EN, PHONES_FA, PHONES_XLSX, REFUSED

CSV_FILES = [
    ("sample-contacts-fa.csv", "utf-8-sig", ",", samples.HEADER_FA, PHONES_FA, OTHERS_FA),
    ("sample-contacts-en.csv", "cp1252", ";", samples.HEADER_EN, PHONES_EN, OTHERS_EN),
]
every_csv_file = pytest.mark.parametrize(
    ("name", "encoding", "delimiter", "header", "phones", "others"), CSV_FILES, ids=["fa", "en"]
)


def read(name: str, encoding: str, delimiter: str) -> list[list[str]]:
    text = (samples.SAMPLES / name).read_bytes().decode(encoding)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


def count_phones(rows: list[list[str]]) -> Counter[str]:
    """Rows by what the phone column holds."""
    found: Counter[str] = Counter()
    seen: set[str] = set()
    for row in rows:
        verdict = parse_phone(row[samples.PHONE], "IR")
        if verdict.e164 in seen:
            found["duplicate"] += 1
        elif verdict.is_valid:
            seen.add(verdict.e164)
            found[verdict.line] += 1
        else:
            found[verdict.code] += 1
    return found


def expected_phones(phones: dict[str, int]) -> Counter[str]:
    expected: Counter[str] = Counter()
    for kind, count in phones.items():
        expected["fixed" if kind == "landline" else kind if kind in REFUSED | {"duplicate"} else "mobile"] += count
    return expected


def count_others(rows: list[list[str]]) -> Counter[str]:
    """Rows by what the other columns hold."""
    found: Counter[str] = Counter()
    for row in rows:
        found["without_name"] += not (row[samples.FIRST_NAME] or row[samples.LAST_NAME])
        found["arabic_letters"] += any(letter in cell for cell in row for letter in "يك")
        found["formula"] += any(is_formula(cell) for cell in row if cell != row[samples.PHONE])
        found["line_break"] += any("\n" in cell for cell in row)
        found["invalid_email"] += bool(row[samples.EMAIL]) and not is_email(row[samples.EMAIL])
        found[kind_of_date(row[samples.BIRTHDAY])] += 1
        found[kind_of_points(row[samples.POINTS])] += 1
    del found["blank"]
    return found


def is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def kind_of_date(cell: str) -> str:
    verdict = parse_option(cell, "date")
    if verdict.code is OptionCode.EMPTY:
        return "blank"
    if not verdict.is_valid:
        return "invalid_date"
    return "jalali_date" if verdict.note_code == OptionCode.FROM_JALALI else "gregorian_date"


def kind_of_points(cell: str) -> str:
    verdict = parse_option(cell, "integer")
    if verdict.code is OptionCode.EMPTY:
        return "blank"
    if not verdict.is_valid:
        return "invalid_points"
    return "points" if cell.isascii() else "points_in_persian_digits"


def test_the_persian_file_has_500_rows_and_the_english_one_120() -> None:
    assert sum(PHONES_FA.values()) == 500
    assert sum(PHONES_EN.values()) == 120


@every_csv_file
def test_a_file_holds_what_its_table_says(
    name: str, encoding: str, delimiter: str, header: list[str], phones: dict[str, int], others: dict[str, int]
) -> None:
    found_header, *rows = read(name, encoding, delimiter)
    assert found_header == header
    assert {len(row) for row in rows} == {len(header)}
    assert len(rows) == sum(phones.values())
    assert count_phones(rows) == expected_phones(phones)
    assert count_others(rows) == Counter(others)


@every_csv_file
def test_every_spelling_the_table_names_is_there(
    name: str, encoding: str, delimiter: str, header: list[str], phones: dict[str, int], others: dict[str, int]
) -> None:
    _, *rows = read(name, encoding, delimiter)
    numbers = {row[samples.PHONE] for row in rows}
    for kind in set(phones) - {"duplicate", "empty"}:
        some = {
            samples.SPELLINGS[kind](f"{operator}000{n}") for operator in samples.OPERATORS for n in range(1001, 1301)
        }
        assert len([row for row in rows if row[samples.PHONE] in some]) >= phones[kind], kind
    assert len(numbers) > len(rows) / 2


@every_csv_file
def test_no_number_or_address_can_be_somebodys(
    name: str, encoding: str, delimiter: str, header: list[str], phones: dict[str, int], others: dict[str, int]
) -> None:
    _, *rows = read(name, encoding, delimiter)
    for row in rows:
        verdict = parse_phone(row[samples.PHONE], "IR")
        assert not verdict.is_valid or verdict.e164[6:9] == "000" or verdict.e164.startswith("+982100")
        assert "@" not in row[samples.EMAIL] or row[samples.EMAIL].split("@")[1] in {"example.com", "example.org", ""}


def test_the_files_are_what_the_generator_makes() -> None:
    assert (samples.SAMPLES / "sample-contacts-fa.csv").read_bytes() == samples.csv_fa()
    assert (samples.SAMPLES / "sample-contacts-en.csv").read_bytes() == samples.csv_en()


def test_the_persian_file_opens_in_excel_as_it_is() -> None:
    assert (samples.SAMPLES / "sample-contacts-fa.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in (samples.SAMPLES / "sample-contacts-fa.csv").read_bytes()


def test_the_workbook_holds_the_same_kinds_of_rows_with_typed_cells() -> None:
    sheet = CalamineWorkbook.from_path(str(samples.SAMPLES / "sample-contacts.xlsx")).get_sheet_by_index(0)
    header, *rows = sheet.to_python()
    assert header == samples.HEADER_FA
    assert {type(row[samples.PHONE]).__name__ for row in rows} == {"str", "float"}
    as_text = [["" if cell is None else str(cell) for cell in row] for row in rows]
    assert count_phones(as_text) == expected_phones(PHONES_XLSX) == Counter({PhoneCode.OK: 0, "mobile": 50})
    assert {kind: count for kind, count in count_others(as_text).items() if count} == {
        kind: count for kind, count in OTHERS_XLSX.items() if count
    }
    assert all(clean(row[samples.CITY]) == row[samples.CITY] for row in as_text)
