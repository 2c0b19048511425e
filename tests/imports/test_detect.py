"""What a file is: delimiter, header, and files that are no table."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest

from contactsync.imports import charset, detect, sheets, text_form
from contactsync.imports.detect import DELIMITERS, examine_again
from contactsync.imports.errors import UnreadableFile
from tests.imports.files import as_bytes, examined, rezipped, rows_of, xlsx


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_every_delimiter_is_found(delimiter: str) -> None:
    text = "".join(delimiter.join(row) + "\n" for row in (["phone", "name", "city"], ["09121234567", "Ali", "Rasht"]))
    found = examined(text)
    assert found.form.delimiter == delimiter
    assert found.columns == ["phone", "name", "city"]


def test_commas_within_the_cells_do_not_hide_a_semicolon() -> None:
    rows = [f"Street {n}, House {n}, Berlin;0171 123456{n};Müller, Hans" for n in range(10)]
    assert examined("\n".join(["address;phone;name", *rows])).form.delimiter == ";"


def test_commas_within_quoted_cells_do_not_hide_a_tab() -> None:
    assert examined('phone\tname\n09121234567\t"a,b,c"\n09121234568\t"d,e,f"\n').form.delimiter == "\t"


def test_a_file_with_one_column_needs_no_delimiter() -> None:
    assert examined("mobile\n09121234567\n09121234568\n").columns == ["mobile"]


def test_a_sep_line_names_the_delimiter_and_is_no_row() -> None:
    rows = rows_of("sep=;\nphone;name\n09121234567;a,b\n")
    assert [(row.line, row.cells) for row in rows] == [(3, ["09121234567", "a,b"])]


def test_only_delimiters_on_the_list_can_be_chosen() -> None:
    content = "phone,name\n09121234567,Ali\n"
    with pytest.raises(UnreadableFile, match="“x”"):
        examine_again(io.BytesIO(as_bytes(content)), examined(content).form, {"delimiter": "x"})


@pytest.mark.parametrize(
    ("text", "has_header"),
    [
        ("phone,name\n09121234567,Ali\n", True),
        ("موبایل,نام\n09121234567,علی\n", True),
        ("a,b\n09121234567,Ali\n", True),
        ("09121234567,Ali\n09121234568,Sara\n", False),
        ("۰۹۱۲۱۲۳۴۵۶۷,علی\n۰۹۱۲۱۲۳۴۵۶۸,سارا\n", False),
        ("ali@example.com,Ali\nsara@example.com,Sara\n", False),
        ("9.89E+11,Ali\n9.89E+11,Sara\n", False),
        ("9/89E+11,Ali\n9/89E+11,Sara\n", False),
    ],
)
def test_a_header_is_told_from_a_first_row(text: str, has_header: bool) -> None:
    found = examined(text)
    assert found.form.has_header is has_header
    assert len(found.rows) == (1 if has_header else 2)


def test_without_a_header_columns_have_no_titles_but_are_counted() -> None:
    assert examined("09121234567,Ali\n09121234568,Sara\n").columns == ["", ""]


def test_a_person_may_say_that_the_first_row_is_a_header_or_is_none() -> None:
    content = "phone,name\n09121234567,Ali\n"
    form = examined(content).form
    found = examine_again(io.BytesIO(as_bytes(content)), form, {"has_header": False})
    assert found.columns == ["", ""]
    assert found.rows == [["phone", "name"], ["09121234567", "Ali"]]
    assert (found.form.encoding, found.form.delimiter) == (form.encoding, form.delimiter)


def test_another_delimiter_gives_other_columns() -> None:
    content = "phone;name,city\n09121234567;Ali,Rasht\n"
    form = examined(content).form
    found = examine_again(io.BytesIO(as_bytes(content)), form, {"delimiter": ","})
    assert found.columns == ["phone;name", "city"]


def test_blank_rows_above_the_header_are_skipped() -> None:
    found = examined("\n,,\nphone,name\n09121234567,Ali\n")
    assert found.columns == ["phone", "name"]


def test_duplicate_and_missing_titles_are_kept_as_they_are() -> None:
    assert examined("phone,,name,name\n09121234567,x,a,b\n").columns == ["phone", "", "name", "name"]


def test_last_columns_without_a_title_are_columns_where_all_rows_have_them() -> None:
    assert examined("name,phone\nAli,09121234567,Rasht\nSara,09121234568,\n").columns == ["name", "phone", ""]


@pytest.mark.parametrize(
    "rows",
    [
        "Rezaei, Ali,09121234567\nRezaei, Sara,09121234568\n",  # the comma of a name moves the number
        "Ali,09121234567,Rasht, Iran\nSara,09121234568,Yazd\n",
        "Ali,09121234567,Rasht\n",
    ],
)
def test_where_a_delimiter_may_stand_within_a_cell_there_are_no_more_columns_than_titles(rows: str) -> None:
    assert examined(f"name,phone\n{rows}").form.width == 2


def test_empty_columns_at_the_end_are_no_columns() -> None:
    found = examined("phone,name,,\n09121234567,Ali,,\n")
    assert found.columns == ["phone", "name"]
    assert found.form.width == 2


@pytest.mark.parametrize("content", [b"", b"\n\n \n", b"\xef\xbb\xbf", b",,\n,,\n"])
def test_a_file_without_anything_in_it_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(content)
    assert refused.value.message == detect.EMPTY


def test_a_file_with_nothing_but_a_header_is_refused() -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined("phone,name\n\n")
    assert refused.value.message == detect.NO_ROWS


@pytest.mark.parametrize(
    "content",
    [
        '"mobile,name"\n"09121234567,Ali"\n',
        '"mobile,name";;\n"09121234567,Ali";;\n',
        xlsx(["mobile;name"], ["09121234567;Ali"]),
    ],
)
def test_columns_that_all_stand_in_one_are_refused_with_the_way_out(content: bytes | str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(content)
    assert refused.value.message == detect.PACKED


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html></html>",
        b"\xef\xbb\xbf  <html><body>x</body></html>",
        b"<table><tr><td>09121234567</td></tr></table>",
        b"<!-- exported --><table></table>",
        b"<?xml version='1.0'?><Workbook/>",
        "<html><table><tr><td>موبایل</td></tr></table></html>".encode("utf-16"),
        b'<meta http-equiv="Content-Type"><table></table>',
    ],
)
def test_a_web_page_with_the_name_of_a_table_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(content)
    assert refused.value.message == text_form.WEB_PAGE


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("BEGIN:VCARD\r\nVERSION:3.0\r\nTEL:09121234567\r\nEND:VCARD\r\n", "vCard"),
        ('[\n  {"mobile": "09121234567"}\n]', "JSON"),
        ('{"mobile": "09121234567"}\n{"mobile": "09121234568"}\n', "JSON"),
        ('ID;PWXL;N;E\nC;Y1;X1;K"mobile"\n', "SYLK"),
        ("dn: cn=Ali\nmobile: 09121234567\n", "LDIF"),
    ],
)
def test_text_that_is_no_table_is_refused_with_its_kind(text: str, kind: str, encoding: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(text, encoding)
    assert (refused.value.message, refused.value.params) == (charset.NO_TABLE, {"kind": kind})


@pytest.mark.parametrize("title", ["ID;Phone", "[mobile];name", "{mobile};name", "dn;mobile"])
def test_a_table_whose_first_title_looks_like_something_else_is_a_table(title: str) -> None:
    assert examined(f"{title}\n1;09121234567\n").columns == title.split(";")


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\n",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"\x1f\x8b\x08\x00phone,name",
        b"{\\rtf1\\ansi phone}",
        bytes(range(256)) * 20,
        b"\x00" * 500,
    ],
)
def test_files_that_are_no_text_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(content)
    assert refused.value.describe()


def test_a_zip_file_that_is_no_spreadsheet_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("people.csv", "phone\n0912")
    with pytest.raises(UnreadableFile) as refused:
        examined(out.getvalue())
    assert refused.value.message == sheets.BROKEN


@pytest.mark.parametrize("keep", [10, 500, 3000])
def test_a_damaged_workbook_is_refused(keep: int) -> None:
    content = xlsx(["phone", "name"], ["09121234567", "Ali"])
    with pytest.raises(UnreadableFile) as refused:
        examined(content[:keep])
    assert refused.value.message == sheets.BROKEN


def test_a_zip_bomb_is_refused_before_it_is_unpacked(settings: object) -> None:
    settings.IMPORT_MAX_MB = 1  # type: ignore[attr-defined]
    bomb = rezipped(xlsx(["phone"]), "sheet1.xml", {b"<sheetData>": b"<sheetData>" + b" " * 11_000_000})
    assert len(bomb) < 50_000
    with pytest.raises(UnreadableFile) as refused:
        examined(bomb)
    assert refused.value.message == sheets.INFLATED
    assert "10 MB" in refused.value.describe()


def test_a_member_that_unpacks_to_more_than_it_says_is_refused() -> None:
    """Python stops where the member says it ends; the reader of workbooks goes on."""
    honest, said = b"<x/>" + b" " * 500_000, b"<x/>" + b" " * 1000
    out = io.BytesIO(xlsx(["phone"], ["09121234567"]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/more.xml", honest)
    content = out.getvalue()
    for true, lie in ((len(honest), len(said)), (zlib.crc32(honest), zlib.crc32(said))):
        assert content.count(true.to_bytes(4, "little")) == 2
        content = content.replace(true.to_bytes(4, "little"), lie.to_bytes(4, "little"))
    with pytest.raises(UnreadableFile) as refused:
        examined(content)
    assert refused.value.message == sheets.BROKEN


def test_a_binary_workbook_is_refused_with_what_to_do() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.bin", b"\x83\x01\x00")
    with pytest.raises(UnreadableFile, match=r"\.xlsx"):
        examined(out.getvalue())
