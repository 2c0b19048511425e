"""Where a table begins, which sheet it is on, and what is shown of that."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openpyxl import Workbook

from contactsync.imports import detect
from contactsync.imports.detect import Found, examine_again
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.letters import column_titles
from contactsync.imports.read import read_rows
from tests.imports.files import as_bytes, examined, rows_of, xlsx

TABLE = "phone,name,city\n09121234567,Ali,Rasht\n09121234568,Sara,Yazd\n"


def again(content: bytes | str, **asked: Any) -> Found:
    return examine_again(io.BytesIO(as_bytes(content)), examined(content).form, asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("above", "skipped"),
    [
        ("", 0),
        ("Customers of spring\n", 1),
        ("گزارش مشتریان\n1403/05/01\n\n", 3),
        ("Report,2024-05-01\nby Sara\n", 2),
        ('"a title\nin two lines"\n', 2),
        ("Report;2024;x;y\n", 1),
        ("ACME\ninfo@acme.de\n", 2),
        ("ACME,,\nTel.,02188888888,\n\n", 3),
        ("List,Spring 2024,\n", 1),
        ("Q1,Q2,Q3\n", 1),
    ],
)
def test_lines_above_the_table_are_no_rows_and_are_shown(above: str, skipped: int) -> None:
    found = examined(above + TABLE)
    assert found.form.skip_lines == skipped
    assert found.columns == ["phone", "name", "city"]
    assert found.total == 2
    assert found.above == above.splitlines()
    assert [row.line for row in rows_of(above + TABLE)] == [skipped + 2, skipped + 3]


def test_above_a_table_without_titles_lines_are_skipped_too() -> None:
    found = examined("My list\n09121234567,Ali\n09121234568,Sara\n")
    assert (found.form.skip_lines, found.form.has_header, found.total) == (1, False, 2)


def test_titles_nobody_knows_are_found_below_a_line_of_their_own() -> None:
    found = examined("My list\nx,y\n09121234567,Ali\n09121234568,Sara\n")
    assert (found.form.skip_lines, found.columns) == (1, ["x", "y"])


@pytest.mark.parametrize(
    "text",
    [
        "09121234567\n09121234568,Sara\n09121234569,Ali\n",  # a ragged first row
        "a@b.co\nc@d.co,Sara,x\ne@f.co,Ali,x\n",
        "mobile\n09121234567\n09121234568\n",
        "x\n09121234567\n09121234568\n",
        "phone,,\n09121234567,Ali,Rasht\n09121234568,Sara,Yazd\n",
        "phone;name\n09121234567;Ali, Reza\n09121234568;Sara, Zahra\n",
        "09121234567\n09121234568\nphone,name,city\n09121234569,Ali,Rasht\n",
        "x,y,z\n09121234567,Ali,Rasht\nphone,name,city\n09121234569,Ali,Rasht\n",
    ],
)
def test_what_could_be_a_row_or_a_header_is_never_skipped(text: str) -> None:
    assert examined(text).form.skip_lines == 0


def test_the_title_above_a_single_column_is_skipped() -> None:
    found = examined("Spring list\nmobile\n09121234567\n09121234568\n")
    assert (found.form.skip_lines, found.columns) == (1, ["mobile"])


def test_a_person_may_skip_more_or_fewer_lines() -> None:
    content = "Customers\n" + TABLE
    found = again(content, skip_lines=0)
    assert (found.form.skip_lines, found.columns, found.total) == (0, ["Customers"], 3)
    found = again(content, skip_lines=2)
    assert (found.form.skip_lines, found.form.has_header, found.columns, found.total) == (2, False, ["", "", ""], 2)


def test_with_everything_skipped_the_file_is_refused_in_words() -> None:
    with pytest.raises(UnreadableFile) as refused:
        again(TABLE, skip_lines=3)
    assert refused.value.message == detect.NOTHING_BELOW
    assert "line 3" in refused.value.describe()


def test_what_a_person_chose_stays_when_only_the_header_changes() -> None:
    form = again("a\nb\n" + TABLE, skip_lines=1).form
    found = examine_again(io.BytesIO(as_bytes("a\nb\n" + TABLE)), form, {"has_header": False})
    assert (found.form.skip_lines, found.form.has_header) == (1, False)


def test_a_sep_line_stays_skipped_whatever_is_asked() -> None:
    found = again("sep=;\nphone;name\n09121234567;Ali\n", skip_lines=0)
    assert (found.form.skip_lines, found.columns, found.above) == (1, ["phone", "name"], ["sep=;"])


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_a_text_file_with_tabs_and_a_title_is_read(delimiter: str) -> None:
    found = examined("Export, 12 May\n" + TABLE.replace(",", delimiter))
    assert (found.form.delimiter, found.form.skip_lines, found.total) == (delimiter, 1, 2)


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_short_table_below_a_long_title_is_cut_as_a_table(quote: str) -> None:
    lines = ["Customers", "of the spring", "fair", "phone;name;city", "09121234567;Ali;Rasht"]
    text = "\n".join(quote + line.replace(";", f"{quote};{quote}") + quote for line in lines)
    found = examined(text)
    assert (found.form.delimiter, found.form.skip_lines, found.total) == (";", 3, 1)


def test_several_numbers_in_the_last_cells_of_one_column_make_no_delimiter() -> None:
    found = examined("mobile\n09121234567\n09121234568;09121234569\n09121234570;09121234571\n")
    assert [row[0] for row in found.rows][1:] == ["09121234568;09121234569", "09121234570;09121234571"]


def test_rows_of_a_workbook_are_skipped_in_the_same_way() -> None:
    content = xlsx(["Customers of spring"], [], ["phone", "name"], ["09121234567", "Ali"])
    found = examined(content)
    assert (found.form.skip_lines, found.columns, found.above) == (2, ["phone", "name"], ["Customers of spring"])
    assert [(row.number, row.line) for row in rows_of(content)] == [(1, 4)]


def test_a_file_that_goes_wrong_further_down_is_shown_with_the_trouble() -> None:
    found = examined(TABLE + "09121234567,Ali,x\n" * 300 + '09121234567,"Ali" x,\n')
    assert found.total is None
    assert found.trouble["params"]["line"] == 304


def test_large_files_are_not_counted_at_the_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "COUNTED_TEXT", 10)
    found = examined(TABLE + "\n")
    assert (found.total, found.expected_rows) == (None, 3)  # a line is a row as far as anybody knows


def test_a_table_with_too_many_columns_is_refused_with_the_last() -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(",".join(f"c{n}" for n in range(16_000)) + "\n" + "1," * 15_999 + "1\n")
    assert "column WQJ; at most 500" in refused.value.describe()
    assert examined("phone,name" + "," * 16_000 + "\n09121234567,Ali\n").form.width == 2


# Sheets


def workbook(*, hidden: str = "", **sheets: list[list[object]]) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if title == hidden:
            sheet.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


PEOPLE: list[list[object]] = [["phone", "name"], ["09121234567", "Ali"], ["09121234568", "Sara"]]
OTHERS: list[list[object]] = [["Kunden"], ["mobile"], ["09121234569"]]


def test_the_sheets_that_people_see_are_listed_with_their_rows() -> None:
    found = examined(workbook(Read=[], Secret=PEOPLE, People=PEOPLE, Others=OTHERS, hidden="Secret"))
    assert [(sheet.name, sheet.rows) for sheet in found.sheets] == [("Read", 0), ("People", 3), ("Others", 3)]
    assert found.form.sheet == "People"


def test_a_cover_is_passed_over_where_another_sheet_has_contacts() -> None:
    cover: list[list[object]] = [["Report"], ["by ACME"], ["2024"]]
    assert examined(workbook(Cover=cover, People=PEOPLE)).form.sheet == "People"
    assert examined(workbook(Cover=cover, More=cover)).form.sheet == "Cover"
    assert examined(workbook(Cover=cover, Wide=[["c"] * 600, [1] * 600], People=PEOPLE)).form.sheet == "People"


def test_another_sheet_is_looked_at_afresh() -> None:
    found = again(workbook(People=PEOPLE, Others=OTHERS), sheet="Others")
    assert (found.form.sheet, found.form.skip_lines, found.columns, found.total) == ("Others", 1, ["mobile"], 1)


@pytest.mark.parametrize("sheet", ["Secret", "no such sheet"])
def test_only_sheets_on_the_list_can_be_chosen(sheet: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        again(workbook(People=PEOPLE, Secret=PEOPLE, hidden="Secret"), sheet=sheet)
    assert refused.value.message == detect.UNKNOWN_SHEET


def test_an_empty_sheet_is_refused_by_its_name() -> None:
    with pytest.raises(UnreadableFile, match="“Empty” is empty"):
        again(workbook(People=PEOPLE, Empty=[]), sheet="Empty")


def test_rows_of_a_large_workbook_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contactsync.imports.sheets.COUNTED_WEIGHT", 10)
    found = examined(workbook(People=PEOPLE, Others=OTHERS))
    assert [sheet.rows for sheet in found.sheets] == [None, None]


def test_a_workbook_whose_first_sheet_is_empty_and_uncounted_is_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contactsync.imports.sheets.COUNTED_WEIGHT", 10)
    content = workbook(Empty=[], People=PEOPLE)
    found = examined(content)
    assert found.form.sheet == "People"
    assert len(list(read_rows(io.BytesIO(content), found.form))) == 2


@pytest.mark.parametrize("weight", [10, 10_000_000])
def test_a_cover_and_empty_sheets_before_the_table_are_passed_over(
    weight: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contactsync.imports.sheets.COUNTED_WEIGHT", weight)
    assert examined(workbook(Cover=[["Customers of spring"]], Empty=[], People=PEOPLE)).form.sheet == "People"
    with pytest.raises(UnreadableFile) as refused:
        examined(workbook(Cover=[["Customers of spring"]], Empty=[]))
    assert refused.value.message == detect.NO_TABLE


# Titles


def test_titles_that_are_missing_or_shared_are_told_by_letters() -> None:
    assert column_titles(["phone", "", "Name ", "name", " ", "x"]) == ["phone", "B", "Name (C)", "name (D)", "E", "x"]
