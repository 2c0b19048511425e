"""Spreadsheets: every digit as it was, the rows people see, and no room for traps."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from openpyxl import Workbook

from contactsync.imports import extent, old_workbook, sheet_parts, sheets
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.forms import Kind
from contactsync.imports.letters import column_letters, column_number
from tests.imports.files import examined, ods, rezipped, rows_of, xlsx

DATA = Path(__file__).parents[1] / "data"
XLS = DATA / "people.xls"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("0912 123", "0912 123"),
        (9121234567.0, "9121234567"),
        (989121234567, "989121234567"),
        (989121234567.0, "989121234567"),
        (12.5, "12.5"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (9.89e15, "9.89000000000000E+15"),
        (float("nan"), "nan"),
        (float("inf"), "INF"),
        (True, "TRUE"),
        (dt.datetime(1992, 10, 8), "1992-10-08"),
        (dt.datetime(1992, 10, 8, 12, 30), "1992-10-08 12:30:00"),
        (dt.date(1992, 10, 8), "1992-10-08"),
        (dt.timedelta(hours=1), "1:00:00"),
    ],
)
def test_a_cell_reads_as_a_person_would_type_it(cell: object, text: str) -> None:
    assert sheets.as_text(cell) == text


@given(st.integers(-(10**14), 10**14))
def test_whole_numbers_keep_every_digit(number: int) -> None:
    assert sheets.as_text(float(number)) == str(number)


@pytest.mark.parametrize("make", [xlsx, ods])
def test_numbers_come_out_without_damage(make: object) -> None:
    content = make(["موبایل", "نام"], [9121234567, "علی"], ["09121234568", "Sara"], ["9.89E+11", ""])  # type: ignore[operator]
    assert examined(content).form.kind is Kind.SHEET
    assert [row.cells for row in rows_of(content)] == [["9121234567", "علی"], ["09121234568", "Sara"], ["9.89E+11", ""]]


def test_an_old_workbook_is_read_too() -> None:
    content = XLS.read_bytes()
    assert examined(content).columns == ["موبایل", "نام", "points"]
    assert [(row.line, row.cells) for row in rows_of(content)] == [
        (2, ["09121234567", "علی", "5"]),
        (3, ["9121234568", "Sara", "12"]),
        (4, ["9.89E+11", "Lost", "1"]),
    ]


def test_a_workbook_behind_a_password_is_refused_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    content = (DATA / "locked.xlsx").read_bytes()
    for block in (sheets._BLOCK, 1000):
        monkeypatch.setattr(sheets, "_BLOCK", block)
        with pytest.raises(UnreadableFile) as refused:
            examined(content)
        assert refused.value.message == sheets.LOCKED
    with pytest.raises(UnreadableFile) as refused:
        examined(XLS.read_bytes()[:1000])
    assert refused.value.message == sheets.BROKEN


def test_a_workbook_of_libreoffice_behind_a_password_is_refused_as_such() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest:manifest><manifest:encryption-data/></manifest:manifest>")
        archive.writestr("content.xml", bytes(range(256)))
    with pytest.raises(UnreadableFile) as refused:
        examined(out.getvalue())
    assert refused.value.message == sheets.LOCKED


def test_lines_are_the_row_numbers_of_the_spreadsheet() -> None:
    content = xlsx([], [], ["phone", "name"], [], ["09121234567", "Ali"], [None, None], ["09121234568", "Sara"])
    assert [row.line for row in rows_of(content)] == [5, 7]


def test_the_first_sheet_that_people_see_is_read() -> None:
    book = Workbook()
    book.active.title = "Hidden"
    book.active.sheet_state = "hidden"
    book.active.append(["secret"])
    seen = book.create_sheet("مخاطبین")
    seen.append(["phone"])
    seen.append(["09121234567"])
    out = io.BytesIO()
    book.save(out)
    assert examined(out.getvalue()).form.sheet == "مخاطبین"
    assert rows_of(out.getvalue())[0].cells == ["09121234567"]


def test_a_number_that_is_none_does_not_stop_the_import() -> None:
    content = rezipped(xlsx(["phone", "x"], ["09121234567", 123]), "sheet1.xml", {b"<v>123</v>": b"<v>NaN</v>"})
    assert rows_of(content)[0].cells == ["09121234567", "nan"]


@pytest.mark.parametrize("corner", ["XFD1048576", "ZZ100000"])
def test_a_cell_in_the_last_corner_is_refused_instead_of_ending_the_process(corner: str) -> None:
    book = Workbook()
    book.active["A1"] = "phone"
    book.active[corner] = "x"
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(UnreadableFile) as refused:
        examined(out.getvalue())
    assert refused.value.message == sheets.STRETCHED
    assert corner.lstrip("XFDZ") in refused.value.describe()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ('<row r="2"><c r="B300000000"><v>1</v></c></row>', "row 300000000 and"),
        ('<row r="300000000"><c r="B300000000"><v>1</v></c></row>', "row 300000000 and"),
        ('<row r="2"><c r="ZZZZZZZ2"><v>1</v></c></row>', "column ZZZZZZZ "),
        (f"<row>{'<c><v>1</v></c>' * 16_000}</row>{'<row><c><v>1</v></c></row>' * 20_000}", "column WQJ "),
        (f"<row>{'<c><v>1</v></c>' * 16_000}</row><row r='20000'><c><v>1</v></c></row>", "column WQJ "),
        ('<row><c><v>1</v></c></row><row><c s="0" r = "XFC20000"><v>1</v></c><c><v>1</v></c></row>', "column XFE "),
        (f'<row>{"<x:c><v>1</v></x:c>" * 9000}</row><row r="20000"><c r="A20000"><v>1</v></c></row>', "row 20000 and"),
    ],
)
def test_cells_whose_places_are_wrong_or_missing_do_not_end_the_process(rows: str, said: str) -> None:
    content = rezipped(xlsx(["phone"]), "sheet1.xml", {b"</sheetData>": rows.encode() + b"</sheetData>"})
    with pytest.raises(UnreadableFile) as refused:
        examined(content)
    assert refused.value.message == sheets.STRETCHED
    assert said in refused.value.describe()


def test_a_sheet_is_one_wherever_it_lies_in_the_workbook() -> None:
    content = rezipped(
        xlsx(["phone"]),
        "sheet1.xml",
        {b"</sheetData>": b'<row r="99999"><c r="XFD99999"><v>1</v></c></row></sheetData>'},
    )
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name.replace("worksheets/", "tables/"), old.read(name).replace(b"worksheets/", b"tables/"))
    with pytest.raises(UnreadableFile) as refused:
        examined(out.getvalue())
    assert refused.value.message == sheets.STRETCHED


@pytest.mark.parametrize("block", [17, 64, 1000])
def test_cells_that_do_not_say_where_they_stand_follow_each_other(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_BLOCK", block)
    monkeypatch.setattr(sheet_parts, "_BLOCK", block)
    rows = b"".join(b"<row><c><v>912123456%d</v></c><c><v>%d</v></c></row>" % (n, n) for n in range(9))
    content = rezipped(xlsx(["phone", "n"]), "sheet1.xml", {b"</sheetData>": rows + b"</sheetData>"})
    assert [row.cells for row in rows_of(content)] == [[f"912123456{n}", str(n)] for n in range(9)]


def container(stream: bytes) -> bytes:
    """An old workbook with its stream in sectors of its own, as every larger one has it."""
    end, none, size = 0xFFFFFFFE, 0xFFFFFFFF, -(-len(stream) // 512)
    entries = [("Root Entry", 5, end, 0), ("Workbook", 2, 2, len(stream))]
    directory = b"".join(
        struct.pack("<64sHBB12x36xIQ", name.encode("utf-16-le"), 2 * len(name) + 2, kind, 1, start, length)
        for name, kind, start, length in entries
    )
    table = [0xFFFFFFFD, end, *range(3, size + 2), end]
    head = struct.pack("<8s16xHHHHH6xII I4xIII II", sheets._OLE, 62, 3, 0xFFFE, 9, 6, 0, 1, 1, 4096, end, 0, end, 0)
    return b"".join(
        [
            *(head, struct.pack("<109I", 0, *[none] * 108)),
            struct.pack("<128I", *table, *[none] * (128 - len(table))),
            directory.ljust(512, b"\0"),
            stream.ljust(size * 512, b"\0"),
        ]
    )


def old_stream() -> bytes:
    """The records of a small old workbook, and further ones at its end that say nothing."""
    (stream,) = old_workbook._streams(io.BytesIO(XLS.read_bytes()))
    return stream + struct.pack("<HH", 0x5C, 4000) + b" " * 4000


@pytest.mark.parametrize("in_sectors", [False, True])
@pytest.mark.parametrize(
    ("record", "change", "said"),
    [
        (b"\xfd\x00\x0a\x00", b"\xff\xff\xff\xff", "row 65536 and column CRXP"),  # a cell
        (b"\x00\x02\x0e\x00", struct.pack("<IIHH", 0, 2**31, 0, 3), "row 2147483648 and column C"),  # the extent
        (b"\x00\x02\x0e\x00", b"\xff", "damaged"),  # which ends before it begins
    ],
)
def test_an_old_workbook_with_a_wrong_place_does_not_end_the_process(
    record: bytes, change: bytes, said: str, *, in_sectors: bool
) -> None:
    content = bytearray(container(old_stream()) if in_sectors else XLS.read_bytes())
    assert len(rows_of(bytes(content))) == 3
    place = content.index(record) + len(record)
    content[place : place + len(change)] = change
    with pytest.raises(UnreadableFile) as refused:
        examined(bytes(content))
    assert said in refused.value.describe()


def test_an_old_workbook_behind_a_password_is_refused_as_such() -> None:
    stream = bytearray(old_stream())
    place = stream.index(b"\x00\x02\x0e\x00") + 4  # the extent of a sheet, as noise
    stream[place : place + 14] = struct.pack("<IIHHH", 0, 285212656, 0, 5000, 0)
    beginning = 4 + int.from_bytes(stream[2:4], "little")
    stream[beginning:beginning] = struct.pack("<HHH", 0x2F, 2, 0)
    with pytest.raises(UnreadableFile) as refused:
        examined(container(bytes(stream)))
    assert refused.value.message == sheets.LOCKED


_OLD = XLS.read_bytes()


@pytest.mark.parametrize("keep", [600, 1600, 3881, 5000])
def test_an_old_workbook_that_was_cut_off_is_refused(keep: int) -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(_OLD[:keep])
    assert refused.value.message == sheets.BROKEN


@budget(max_examples=300, derandomize=True)  # where it fails, it ends the whole run
@given(st.lists(st.tuples(st.integers(8, len(_OLD) - 1), st.integers(0, 255)), min_size=1, max_size=20), st.booleans())
def test_an_old_workbook_with_any_bytes_changed_is_read_or_refused(changes: list[tuple[int, int]], cut: bool) -> None:
    content = bytearray(_OLD)
    for place, byte in changes:
        content[place] = byte
    with suppress(UnreadableFile), mock.patch.object(sheets, "MOST_CELLS", 1_000_000):
        rows_of(bytes(content[: changes[0][0]] if cut else content))


def repeating(rows: str, *, second: str = "") -> bytes:
    """A spreadsheet of LibreOffice with these rows below its title, and perhaps a second table."""
    end = "</table:table>"
    more = f'<table:table table:name="T">{second}{end}' if second else ""
    return rezipped(ods(["phone"]), "content.xml", {end.encode(): f"{rows}{end}{more}".encode()})


FILLED = '<table:table-cell office:value-type="string"{}><text:p>09121234567</text:p></table:table-cell>'
ROWS, COLUMNS = ' table:number-rows-repeated="{}"', ' table:number-columns-repeated="{}"'


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (f"<table:table-row{ROWS.format(1_000_000)}>{FILLED.format(COLUMNS.format(1000))}</table:table-row>", "ALL"),
        (
            f"<table:table-row{ROWS.format(1_000_000)}/><table:table-row><table:table-cell{COLUMNS.format(99)}/>"
            f"{FILLED.format('')}</table:table-row>",
            "row 1000002 and column CV",
        ),
        (
            f"<table:table-row{ROWS.format(900_000)}><table:table-cell office:value-type='float' office:value='5'"
            f"{COLUMNS.format(30)}/><table:table-cell{COLUMNS.format(16_000)}/></table:table-row>",
            "row 900001 and column AD",
        ),
    ],
)
def test_cells_that_are_written_once_and_repeated_are_refused_before_they_fill_the_memory(rows: str, said: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(repeating(rows))
    assert refused.value.message == sheets.STRETCHED
    assert said in refused.value.describe()


def test_all_tables_of_a_spreadsheet_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_REPEATED", 15)
    row = f"<table:table-row{ROWS.format(9)}>{FILLED.format('')}</table:table-row>"
    assert len(rows_of(repeating(row))) == 9
    with pytest.raises(UnreadableFile) as refused:
        examined(repeating(row, second=row))
    assert refused.value.message == sheets.STRETCHED


@pytest.mark.parametrize("block", [7, 100, 100_000])
def test_what_repeats_without_holding_anything_is_harmless(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_parts, "_BLOCK", block)
    empty = f"<table:table-cell{COLUMNS.format(16_000)}/>"
    content = repeating(
        f"<table:table-row>{FILLED.format('')}{empty}</table:table-row>"
        f"<table:table-row{ROWS.format(1_048_574)}>{empty}</table:table-row>"
    )
    assert [row.cells[0] for row in rows_of(content)] == ["09121234567"]


@pytest.mark.parametrize("end", [b"", b"</table:tablet>", b"</table:table"])
def test_a_table_without_an_end_is_refused_and_not_looked_for_for_ever(end: bytes) -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(rezipped(ods(["phone"], ["09121234567"]), "content.xml", {b"</table:table>": end}))
    assert refused.value.message == sheets.BROKEN


def test_a_spreadsheet_in_an_encoding_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(rezipped(ods(["phone"], ["09121234567"]), "content.xml", {b"UTF-8": b"UTF-99"}))
    assert refused.value.message == sheets.BROKEN


def test_a_row_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extent, "_LONGEST_ROW", 1000)
    monkeypatch.setattr(sheet_parts, "_BLOCK", 100)
    with pytest.raises(UnreadableFile) as refused:
        examined(repeating(f"<table:table-row>{FILLED.format('')}<!--{'x' * 2000}--></table:table-row>"))
    assert refused.value.message == sheets.BROKEN


def test_empty_cells_with_a_format_far_outside_are_harmless() -> None:
    content = rezipped(
        xlsx(["phone"], ["09121234567"]),
        "sheet1.xml",
        {b"</sheetData>": b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'},
    )
    assert [row.cells[0] for row in rows_of(content)] == ["09121234567"]


def test_a_wide_sheet_is_read_wherever_a_block_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    content = xlsx(["phone", *[f"c{n}" for n in range(40)]], ["09121234567", *map(str, range(40))])
    for block in (7, 64, 1000):
        monkeypatch.setattr(sheets, "_BLOCK", block)
        assert rows_of(content)[0].cells[-1] == "39"


def test_a_workbook_without_a_table_is_refused() -> None:
    book = Workbook()
    book.create_chartsheet("Chart")
    book.remove(book.worksheets[0])
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(UnreadableFile) as refused:
        examined(out.getvalue())
    assert refused.value.message == sheets.NO_SHEET


_GOOD = xlsx(["phone", "name"], ["09121234567", "Ali"], [9121234568, "Sara"])


@budget(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(_GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=20), st.booleans())
def test_a_workbook_with_any_bytes_changed_is_read_or_refused(changes: list[tuple[int, int]], cut: bool) -> None:
    content = bytearray(_GOOD)
    for place, byte in changes:
        content[place] = byte
    try:
        found = rows_of(bytes(content[: changes[0][0]] if cut else content))
    except UnreadableFile:
        return
    assert found


@given(st.integers(0, 20_000))
def test_column_letters_and_numbers_are_each_others_inverse(index: int) -> None:
    assert column_number(column_letters(index)) == index + 1


def test_columns_are_named_as_in_a_spreadsheet() -> None:
    names = list(itertools.islice(map(column_letters, itertools.count()), 703))
    assert (names[0], names[25], names[26], names[701], names[702]) == ("A", "Z", "AA", "ZZ", "AAA")
