"""Rows, columns and sheets that nobody sees in a workbook: said at once, and left out of everything when a person wants that."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import pytest
from openpyxl import Workbook

from contactsync.imports import detect, jobs, sheet_parts
from contactsync.imports.detect import Found, examine_again
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.hidden import hidden_in
from contactsync.imports.read import read_rows
from contactsync.models import Contact
from tests.imports.files import apply, check, examined, make_book, ods, outcomes, rezipped, upload, xlsx

PEOPLE = [["phone", "name", "secret"], *([f"0912123456{n}", f"Ali {n}", n] for n in range(9))]


def filtered(rows: Sequence[int], *, columns: str = "", title: str = "People", hidden_sheet: str = "") -> bytes:
    """A workbook as Excel saves it while a filter hides these rows."""
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row in PEOPLE:
        sheet.append(row)
    sheet.auto_filter.ref = "A1:C10"
    sheet.auto_filter.add_filter_column(1, ["Ali 0"])
    for row in rows:
        sheet.row_dimensions[row].hidden = True
    for letter in columns:
        sheet.column_dimensions[letter].hidden = True
    if hidden_sheet:
        book.create_sheet(hidden_sheet).sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def filtered_ods(rows: Sequence[int], visibility: str = "filter") -> bytes:
    """The same as LibreOffice saves it; among several tables, and with rows that stand for many."""
    content = ods(*[[str(cell) for cell in row] for row in PEOPLE])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        table = archive.read("content.xml").decode()
    parts = table.split("<table:table-row>")
    for row in rows:
        parts[row] = f'\0 table:visibility="{visibility}">{parts[row]}'
    told = "<table:table-row>".join(parts).replace("<table:table-row>\0", "<table:table-row")
    told = told.replace(
        '<table:table table:name="S">',
        '<table:table table:name="Other"><table:table-row table:visibility="filter"><table:table-cell><text:p>x</text:p>'
        '</table:table-cell></table:table-row></table:table><table:table table:name="S"><table:table-column '
        'table:number-columns-repeated="2"/><table:table-column table:visibility="collapse"/>',
    ).replace(
        "</table:table></office:spreadsheet>",
        '<table:table-row table:number-rows-repeated="1000000" table:visibility="filter"><table:table-cell/>'
        "</table:table-row></table:table></office:spreadsheet>",
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", told)
    return out.getvalue()


def without(content: bytes) -> tuple[Found, list[int]]:
    """The file with its hidden rows left out, and the lines that remain."""
    file = io.BytesIO(content)
    found = examine_again(file, examined(content).form, {"leave_out_hidden": True})
    return found, [row.line for row in read_rows(file, found.form)]


@pytest.mark.parametrize("content", [filtered([3, 4, 7], columns="C"), filtered_ods([3, 4, 7])], ids=["xlsx", "ods"])
def test_hidden_rows_are_counted_and_read_and_left_out_when_a_person_says_so(content: bytes) -> None:
    sheet = examined(content).form.sheet
    found = examine_again(io.BytesIO(content), examined(content).form, {"sheet": "S" if sheet == "Other" else sheet})
    assert (found.total, found.hidden_rows, found.hidden_columns) == (9, 3, [2])
    left = examine_again(io.BytesIO(content), found.form, {"leave_out_hidden": True})
    assert (left.total, left.hidden_rows) == (6, 3)
    assert [row.line for row in read_rows(io.BytesIO(content), left.form)] == [2, 5, 6, 8, 9, 10]


def test_rows_that_were_collapsed_by_hand_are_hidden_too() -> None:
    content = filtered_ods([3], visibility="collapse")
    assert hidden_in(io.BytesIO(content), "S").below(1) == 1
    assert hidden_in(io.BytesIO(filtered_ods([3], visibility="visible")), "S").below(1) == 0


def test_hidden_sheets_are_named_and_never_read() -> None:
    found = examined(filtered([], hidden_sheet="Old"))
    assert (found.hidden_sheets, found.form.sheet, found.hidden_rows) == (["Old"], "People", 0)


@pytest.mark.parametrize("title", ["A & B", "نام <1>", 'x"y'])
def test_the_sheet_is_found_by_whatever_name_it_has(title: str) -> None:
    assert examined(filtered([2], title=title)).hidden_rows == 1


def test_what_other_programs_write_of_rows_that_are_seen_hides_nothing() -> None:
    content = rezipped(xlsx(*PEOPLE), "sheet1.xml", {b'<row r="': b'<row hidden="false" r="'})
    assert examined(content).hidden_rows == 0
    content = rezipped(content, "sheet1.xml", {b'<row hidden="false" r="3"': b'<row hidden="true" r="3"'})
    assert without(content)[1] == [2, 4, 5, 6, 7, 8, 9, 10]


def test_rows_without_a_number_are_counted() -> None:
    plain = {f'<row r="{n}"'.encode(): b'<row hidden="1"' if n == 5 else b"<row" for n in range(10, 0, -1)}
    content = rezipped(xlsx(*PEOPLE), "sheet1.xml", plain)
    assert without(content)[1] == [2, 3, 4, 6, 7, 8, 9, 10]


def test_hidden_rows_without_content_are_no_rows_that_anybody_misses() -> None:
    blank = b'<row r="50" hidden="1"/><row r="51" hidden="1"><c r="A51" s="0"/></row></sheetData>'
    assert examined(rezipped(xlsx(*PEOPLE), "sheet1.xml", {b"</sheetData>": blank})).hidden_rows == 0


@pytest.mark.parametrize("block", [1, 7, 64, 300])
def test_wherever_a_block_ends_the_same_rows_are_hidden(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_parts, "_BLOCK", block)
    for content, sheet in ((filtered([3, 10], columns="C"), "People"), (filtered_ods([3, 10]), "S")):
        found = hidden_in(io.BytesIO(content), sheet)
        assert [row for row in range(20) if found.has(row)] == [3, 10]
        assert found.columns == {2}


def test_a_hidden_title_row_is_a_title_until_hidden_rows_are_left_out() -> None:
    content = filtered([1, 2])
    assert examined(content).hidden_rows == 1
    found, lines = without(content)
    assert (found.columns, lines) == (["", "", ""], [3, 4, 5, 6, 7, 8, 9, 10])


@pytest.mark.parametrize("rows", [range(1, 11), range(2, 11)])
def test_where_nothing_would_remain_it_is_said(rows: Sequence[int]) -> None:
    with pytest.raises(UnreadableFile) as refused:
        without(filtered(rows))
    assert refused.value.message == detect.ALL_HIDDEN


def test_another_sheet_is_read_with_its_hidden_rows_until_that_is_chosen_there() -> None:
    book = Workbook()
    for sheet in (book.active, book.create_sheet("Second")):
        for row in PEOPLE:
            sheet.append(row)
        sheet.row_dimensions[4].hidden = True
    out = io.BytesIO()
    book.save(out)
    first = examine_again(out, examined(out.getvalue()).form, {"leave_out_hidden": True})
    assert (first.total, examine_again(out, first.form, {"skip_lines": 0}).total) == (8, 8)
    assert examine_again(out, first.form, {"sheet": "Second"}).total == 9


def test_a_hidden_column_is_found_in_a_table_that_begins_far_from_the_corner() -> None:
    book = Workbook()
    for place, text in {"H5": "phone", "I5": "name", "H6": "09121234567", "I6": "Ali"}.items():
        book.active[place] = text
    for letter in "AI":
        book.active.column_dimensions[letter].hidden = True
    out = io.BytesIO()
    book.save(out)
    found = examined(out.getvalue())
    assert [found.columns[index] for index in found.hidden_columns] == ["name"]


def test_an_old_workbook_does_not_say_what_is_hidden() -> None:
    assert not hidden_in(io.BytesIO(b"\xd0\xcf\x11\xe0" + b"\0" * 100), "S").rows


@pytest.mark.django_db
def test_the_real_run_leaves_out_the_rows_that_the_dry_run_has_left_out() -> None:
    book, _ = make_book()
    job = upload(book, filtered([3, 4, 7]), name="people.xlsx")
    jobs.read_again(job, leave_out_hidden=True)
    jobs.set_columns(job, mapping={"0": "phone", "1": "first_name"})
    check(job)
    assert outcomes(job.checked_counts) == {"created": 6}
    apply(job)
    assert (outcomes(job.counts), job.total_rows, job.counts["balances"]) == ({"created": 6}, 6, True)
    names = {n for n in range(9) if n not in (1, 2, 5)}
    assert set(Contact.objects.values_list("first_name", flat=True)) == {f"Ali {n}" for n in names}
