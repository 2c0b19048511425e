"""The sample files of the other countries hold what their tables say, found here by reading them as an import does."""

from __future__ import annotations

import csv
import io
from collections import Counter

import pytest

from contactsync.phone import parse_phone
from tests.data import make_foreign_samples as samples

FILES = [
    ("sample-contacts-au.csv", "utf-8", ",", samples.HEADER_AU, samples.ROWS_AU, "AU", "+61"),
    ("sample-contacts-de.csv", "cp1252", ";", samples.HEADER_DE, samples.ROWS_DE, "DE", "+49"),
    ("sample-contacts-whatsapp.csv", "utf-8-sig", ",", samples.HEADER_WHATSAPP, samples.ROWS_WHATSAPP, "IT", "+3"),
]
PHONE_COLUMNS = {"Mobile", "Handynummer", "Telefono"}


@pytest.mark.parametrize(("name", "encoding", "delimiter", "header", "counts", "region", "begins"), FILES)
def test_a_file_has_as_many_rows_of_each_kind_as_its_table_says(
    name: str, encoding: str, delimiter: str, header: list[str], counts: dict[str, int], region: str, begins: str
) -> None:
    text = (samples.SAMPLES / name).read_bytes().decode(encoding)
    first, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    assert first == header
    column = next(place for place, title in enumerate(header) if title in PHONE_COLUMNS)
    found: Counter[str] = Counter()
    seen: set[str] = set()
    for row in rows:
        number = parse_phone(row[column], region).e164
        kind = "refused" if not number else "duplicate" if number in seen else "good"
        assert not number or number.startswith(begins)
        found[kind] += 1
        seen.add(number)
    assert found == counts


def test_the_files_are_those_that_the_generator_writes() -> None:
    for name, content in samples.files().items():
        assert (samples.SAMPLES / name).read_bytes() == content
