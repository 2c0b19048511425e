"""Excel files that leave as a stream are read by others as any other Excel file."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import python_calamine
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from contactsync.admin.files.downloads import cell
from contactsync.admin.files.xlsx_stream import PIECE, xlsx_pieces

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


def read(content: bytes) -> list[list[list[Any]]]:
    """The rows of every sheet, as another program reads them."""
    book = python_calamine.load_workbook(io.BytesIO(content))
    return [book.get_sheet_by_index(number).to_python() for number in range(len(book.sheet_names))]


def test_text_stays_text_and_numbers_stay_numbers() -> None:
    content = b"".join(xlsx_pieces(["phone", "n"], [["+989121234561", 5], [" a <b> & ‌ي ", 2.5], ["", None]]))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["phone", "n"],
        ["+989121234561", 5],
        [" a <b> & ‌ي ", 2.5],
    ]


@given(rows=st.lists(st.lists(TEXT, min_size=2, max_size=2), min_size=1, max_size=5))
def test_every_text_comes_back_as_it_left(rows: list[list[str]]) -> None:
    shown = [[str(cell(text)) for text in row] for row in rows]
    content = b"".join(xlsx_pieces(["a", "b"], shown))
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    found = [[sheet.cell(line, column).value or "" for column in (1, 2)] for line in range(2, len(rows) + 2)]
    assert found == [[text.replace("\r\n", "\n").replace("\r", "\n") for text in row] for row in shown]


def test_a_full_sheet_is_followed_by_another_with_the_same_header() -> None:
    content = b"".join(xlsx_pieces(["n"], ([str(n)] for n in range(5)), sheet_rows=3))
    assert read(content) == [[["n"], ["0"], ["1"]], [["n"], ["2"], ["3"]], [["n"], ["4"]]]
    assert len(read(b"".join(xlsx_pieces(["n"], ([str(n)] for n in range(4)), sheet_rows=3)))) == 2


def test_a_list_without_rows_has_its_header() -> None:
    assert read(b"".join(xlsx_pieces(["n"], []))) == [[["n"]]]


def test_the_first_piece_leaves_long_before_the_last_row_is_read() -> None:
    taken = 0

    def rows() -> Any:
        nonlocal taken
        for n in range(200_000):
            taken = n
            yield [f"{n * 7919:020d}" * 5]

    pieces = xlsx_pieces(["n"], rows())
    first = next(pieces)
    assert taken < 100_000
    assert len(first) < PIECE * 4
    pieces.close()


def test_a_persian_file_opens_from_right_to_left() -> None:
    for language, expected in (("fa", True), ("en", None)):
        with translation.override(language):
            content = b"".join(xlsx_pieces(["n"], [["1"]]))
        assert openpyxl.load_workbook(io.BytesIO(content)).active.sheet_view.rightToLeft is expected
