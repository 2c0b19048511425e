"""From bytes to rows: nothing lost, nothing invented, and the line on which a person finds it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactsync.imports import read
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.forms import Form, Kind
from contactsync.imports.read import read_rows
from tests.imports.files import examined, rows_of

PLAIN = Form(kind=Kind.TEXT, encoding="utf-8", delimiter=",", has_header=False)


def read_plain(text: str) -> list[tuple[int, list[str]]]:
    return [(row.line, row.cells) for row in read_rows(io.BytesIO(text.encode()), PLAIN)]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_every_line_end_is_understood(end: str) -> None:
    text = end.join(["phone,name", "09121234567,Ali", "09121234568,Sara", ""])
    assert [(row.number, row.line, row.cells[1]) for row in rows_of(text)] == [(1, 2, "Ali"), (2, 3, "Sara")]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_line_break_within_quotes_stays_in_its_cell_and_counts_as_a_line(end: str) -> None:
    text = end.join(["phone,name", f'09121234567,"Ali{end}{end}Rezaei"', "09121234568,Sara"])
    rows = rows_of(text)
    assert [(row.number, row.line) for row in rows] == [(1, 2), (2, 5)]
    assert rows[0].cells[1].split() == ["Ali", "Rezaei"]


def test_a_header_with_a_line_break_moves_the_lines_too() -> None:
    rows = rows_of('"mobile\nnumber",name\n09121234567,Ali\n')
    assert [(row.number, row.line) for row in rows] == [(1, 3)]


def test_blank_rows_are_no_rows_but_count_as_lines() -> None:
    rows = rows_of("phone,name\n\n09121234567,Ali\n , \n\u200b,\u00a0\n09121234568,Sara\n\n")
    assert [(row.number, row.line) for row in rows] == [(1, 3), (2, 6)]


def test_ragged_rows_come_as_they_are() -> None:
    assert [row.cells for row in rows_of("phone,name,city\n09121234567\n09121234568,Sara,Rasht,extra\n")] == [
        ["09121234567"],
        ["09121234568", "Sara", "Rasht", "extra"],
    ]


def test_quotes_within_plain_cells_and_doubled_quotes_are_text() -> None:
    assert read_plain('0912,5" pipe,"say ""hi"""\n') == [(1, ["0912", '5" pipe', 'say "hi"'])]


def test_a_space_before_a_quoted_cell_is_nothing() -> None:
    assert read_plain('0912, "a, b"\n') == [(1, ["0912", "a, b"])]


def test_a_stray_quotation_mark_is_refused_with_its_line() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_plain('a,b\nc,d\ne,"f" g\nh,i\n')
    assert (refused.value.message, refused.value.params["line"]) == (read.STRAY_QUOTE, 3)


def test_a_quotation_mark_that_is_never_closed_is_refused_with_its_line() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_plain('a,b\nc,"d\ne,f\ng,h\n')
    assert (refused.value.message, refused.value.params["line"]) == (read.OPEN_QUOTE, 2)


def test_a_quotation_mark_cannot_swallow_a_large_file() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_plain('a,"b\n' + "09121234567,Ali Rezaei\n" * 20_000)
    assert (refused.value.message, refused.value.params["line"]) == (read.LONG_CELL, 1)


@pytest.mark.parametrize(
    ("rows", "line", "last"),
    [
        ('Ali,09121234560,"vip\nSara,09121234561,x\nReza,09121234562,y"\nNima,09121234563,z\n', 2, 4),
        ('Ali,09121234560,x\n"Sara,09121234561,x\nReza",09121234562,y\n', 3, 4),
        ('"Ali,۰۹۱۲۱۲۳۴۵۶۰,x\r\n\r\nSara,9.89E+11,x\r\nReza",09121234562,y\r\n', 2, 5),
    ],
)
def test_two_quotation_marks_cannot_swallow_the_rows_between_them(rows: str, line: int, last: int) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_plain("name,phone,note\n" + rows)
    assert refused.value.message == read.SWALLOWED
    assert (refused.value.params["line"], refused.value.params["last"]) == (line, last)


def test_quotation_marks_in_different_columns_swallow_no_row_of_a_table_whose_width_is_known() -> None:
    content = b'name,phone,note\nAli,09121234560,x\nSara,"09121234561,x\nReza,09121234562,y"\n'
    with pytest.raises(UnreadableFile) as refused:
        list(read_rows(io.BytesIO(content), replace(PLAIN, width=3)))
    assert (refused.value.message, refused.value.params["line"]) == (read.SWALLOWED, 3)


@pytest.mark.parametrize(
    "row",
    [
        '09121234567,"Tehran\nIran"',
        '09121234567,"Street 5\nBerlin, Germany"',
        '09121234567,"x\nSara, 09121234568"',
        '"09121234567\n09121234568","Ali\nSara"',
        '09121234567,"Ali: 09121234568,\nSara: 09121234569,"',
        'Sara,0171 1234567,"Hauptstr. 5\n10115 Berlin",030 12345678,s@x.de',
        'Sara,0171 1234567,"Hauptstr. 5,Hof\n10115 Berlin,030 12345678",s@x.de,x',
        '10023456,"Delivery\n10023457,Invoice"',
        '09121234567,"Wife:\n09121234568, in the evening\n09121234569, at work"',
    ],
)
def test_several_lines_in_a_cell_are_no_rows(row: str) -> None:
    assert len(read_plain(row)) == 1


def test_an_address_between_two_numbers_is_no_row_whatever_the_titles() -> None:
    row = 'Sara;0171 1234567;"Hauptstr. 5\n10115 Berlin";030 12345678;s@x.de\n'
    for header in ("Name;Mobil;Adresse;Telefon;E-Mail\n", "Name;Mobil;Adresse\n"):
        assert [len(found.cells) for found in rows_of(header + row)] == [5]


def test_the_upload_itself_finds_a_stray_quote_among_the_first_rows() -> None:
    with pytest.raises(UnreadableFile, match="line 2"):
        examined('phone,name\n0912,"Ali" x\n')


def test_a_line_without_an_end_is_refused() -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_plain("a,b\n" + "x," * (3 * read.LONGEST_LINE))
    assert (refused.value.message, refused.value.params["line"]) == (read.LONG_LINE, 2)


def test_a_file_that_is_damaged_after_it_was_examined_is_refused_with_the_line() -> None:
    with pytest.raises(UnreadableFile) as refused:
        list(read_rows(io.BytesIO(b"a,b\nc,d\n\xff,x\n"), PLAIN))
    assert refused.value.params["line"] == 3


def test_the_file_stays_open_for_whoever_opened_it() -> None:
    file = io.BytesIO(b"a,b\n")
    list(read_rows(file, PLAIN))
    assert not file.closed


_cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), max_size=12)


@given(
    st.lists(st.lists(_cells, min_size=1, max_size=5), min_size=1, max_size=8), st.sampled_from([",", ";", "\t", "|"])
)
def test_what_a_csv_writer_wrote_is_read_back(rows: list[list[str]], delimiter: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    form = Form(kind=Kind.TEXT, encoding="utf-8", delimiter=delimiter, has_header=False)
    found = [row.cells for row in read_rows(io.BytesIO(out.getvalue().encode()), form)]
    assert found == [row for row in rows if not read.is_blank_row(row)]


@given(st.lists(st.sampled_from(["a", "b,c", '"x\ny"', '"x\r\ny"', "", '"\r"']), min_size=1, max_size=10))
def test_the_line_of_a_row_is_where_its_text_begins(rows: list[str]) -> None:
    text = "\r\n".join(rows) + "\r\n"
    expected, line = [], 1
    for row in rows:
        if row.strip('"').strip():
            expected.append(line)
        line += 1 + row.count("\n") + row.count("\r") - row.count("\r\n")
    assert [line for line, _cells in read_plain(text)] == expected
