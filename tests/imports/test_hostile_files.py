"""Files in any encoding, with any delimiter, line end, quoting and raggedness: read whole, or refused with the line."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from contactsync.imports import charset, detect, text_form
from contactsync.imports.charset import ENCODINGS, codec
from contactsync.imports.detect import examine, examine_again
from contactsync.imports.errors import ImportRefused, MappingError, UnreadableFile
from contactsync.imports.forms import Asked
from contactsync.imports.read import is_blank_row, read_rows
from contactsync.imports.settle import Outcome
from contactsync.models import ImportJob
from tests.imports.files import check, examined, make_book, upload

#: refusals of a whole file, which no line could explain
WHOLE = {
    detect.EMPTY,
    detect.NO_ROWS,
    detect.PACKED,
    text_form.WEB_PAGE,
    charset.NO_TABLE,
    "This is neither a text file nor a spreadsheet. Save the table as CSV or as an Excel workbook (.xlsx) and upload that.",
}
State = ImportJob.State
T = TypeVar("T")
pieces = st.sampled_from(
    [
        "phone", "موبایل", "نام", "09121234567", "۰۹۱۲۱۲۳۴۵۶۷", "+49 171 1234567", "9.89E+11", "Müller", "علی", "Иван",
        '"', '""', '"x"', "'", ",", ";", "\t", "|", "،", "؛", "\n", "\r", "\r\n", "\x00", "\ufeff", "\u200f", "\u2028", "\x85",
        "sep=;\n", "a@b.co", " ", "\x1a", "\U0001f600", "\x0b", "x" * 50,
    ]
)  # fmt: skip
texts = st.one_of(st.lists(pieces, max_size=60).map("".join), st.text(max_size=80))
encodings = st.sampled_from([*ENCODINGS, "utf-8-sig", "utf-16-be"])
damages = st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=3)), max_size=2)


def _bytes(text: str, encoding: str, damage: list[tuple[int, bytes]]) -> bytes:
    content = bytearray(text.encode(encoding, "replace"))
    for place, put in damage:
        content[place : place + len(put)] = put
    return bytes(content)


def _tried(read: Callable[[], T]) -> tuple[T | None, ImportRefused | None]:
    """What was read, or the refusal: one that names its line, unless it concerns the file as a whole."""
    try:
        return read(), None
    except UnreadableFile as refused:
        error = refused
    except MappingError as refused:
        return None, refused
    assert error.describe()
    assert "line" in error.params or error.message in WHOLE, error.message
    return None, error


@budget(max_examples=300, deadline=None)
@given(text=texts, encoding=encodings, damage=damages)
@example(text="phone,name\n09121234567,\ud800", encoding="utf-16-le", damage=[(44, b"\x00\xd8")])
@example(text="\ufeff\ufeff", encoding="utf-8", damage=[])
def test_every_file_is_read_whole_or_refused_with_the_line(
    text: str, encoding: str, damage: list[tuple[int, bytes]]
) -> None:
    content = _bytes(text, encoding, damage)
    found, _refused = _tried(lambda: examine(io.BytesIO(content)))
    if found is None:
        return
    rows, refused = _tried(lambda: list(read_rows(io.BytesIO(content), found.form)))
    assert found.trouble == (refused.as_reason() if refused else {})
    if rows is None:
        return
    assert found.total == len(rows)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    plain = content.decode(codec(found.form.encoding)).lstrip("\ufeff")
    lines = io.StringIO(plain, newline="")
    for _ in range(found.form.skip_lines):
        lines.readline()
    reader = csv.reader(lines, delimiter=found.form.delimiter, skipinitialspace=True)
    expected = [cells for cells in reader if not is_blank_row(cells)]
    assert [row.cells for row in rows] == expected[found.form.has_header :]
    ends = re.split("\r\n|\r|\n", plain)
    assert all(row.cells[0][:1] in ends[row.line - 1] for row in rows)


@budget(max_examples=150, deadline=None)
@given(
    text=texts,
    encoding=st.sampled_from(list(ENCODINGS)),
    delimiter=st.sampled_from(list(detect.DELIMITERS)),
    skip=st.integers(0, 4),
    has_header=st.booleans(),
)
@example(text="phonephone\nموبایلphone", encoding="utf-16", delimiter=",", skip=0, has_header=False)
def test_whatever_a_person_chooses_is_kept_or_refused_with_the_line(
    text: str, encoding: str, delimiter: str, skip: int, has_header: bool
) -> None:
    content = text.encode("utf-8", "replace")
    asked: Asked = {"encoding": encoding, "delimiter": delimiter, "skip_lines": skip, "has_header": has_header}
    found, _refused = _tried(lambda: examine_again(io.BytesIO(content), examine(io.BytesIO(content)).form, asked))
    if found is None:
        return
    chosen = (found.form.encoding, found.form.delimiter, found.form.has_header)
    assert chosen == (encoding, delimiter, has_header)
    assert found.form.skip_lines >= skip
    if not found.trouble:
        assert len(list(read_rows(io.BytesIO(content), found.form))) == found.total


@pytest.mark.django_db
@budget(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts, encoding=encodings, damage=damages)
def test_the_verdicts_add_up_to_the_rows_of_any_file(text: str, encoding: str, damage: list[tuple[int, bytes]]) -> None:
    book, _ = make_book()
    job, _refused = _tried(lambda: upload(book, _bytes(text, encoding, damage), mapping={"0": "phone"}))
    if job is None:
        return
    trouble, total = job.dialect["trouble"], job.total_rows
    check(job)
    assert (job.state == State.FAILED) == bool(trouble)
    assert job.error == trouble
    if not trouble:
        assert total == job.total_rows == sum(job.checked_counts[outcome] for outcome in Outcome)


@pytest.mark.parametrize("content", [b"phone,name\n0912,a\x00b\n", b"\x00\n", b"phone\x00,x\n09121234567,y\n"])
def test_zero_bytes_in_a_cell_are_kept_or_the_file_is_refused(content: bytes) -> None:
    found, _refused = _tried(lambda: examined(content))
    assert found is None or found.total == 1


@pytest.mark.parametrize("surrogate", [0xD800, 0xDC00])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_half_a_character_is_refused_with_its_line(surrogate: int, encoding: str) -> None:
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, codecs.BOM_UTF8)
    text = f"phone,name\n09121234567,علی\n09121234568,{chr(surrogate)}x\n"
    with pytest.raises(UnreadableFile) as refused:
        examined(mark + text.encode(encoding, "surrogatepass"))
    assert refused.value.params["line"] == 3


def test_a_row_that_does_not_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(b"phone,name\n" + b'"a\n",' * 1_000_000)
    assert refused.value.params["line"] == 2


def test_a_great_many_blank_rows_are_no_rows() -> None:
    found = examined(b"phone,name\n" + b",\n" * 200_000 + b"09121234567,Ali\n")
    assert (found.total, found.form.lines) == (1, 200_002)


def test_more_lines_than_can_be_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_form, "MOST_LINES", 5)
    with pytest.raises(UnreadableFile, match="has 6 lines; at most 5"):
        examined(b"phone\n" * 6)
