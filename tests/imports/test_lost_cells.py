"""Cells that a person sees filled, and that come out empty: said, so that nothing is lost without a word."""

from __future__ import annotations

import io

import pytest
from openpyxl import Workbook

from contactsync.imports import sheet_parts
from contactsync.imports.lost_cells import Lost, lost_in
from tests.imports.files import examined, ods, rezipped, rows_of, xlsx


def with_cells(*rows: bytes) -> bytes:
    """A workbook with these rows as they stand in its XML, below a header."""
    told = b"".join(b'<row r="%d">%b</row>' % (number, row) for number, row in enumerate(rows, start=2))
    return rezipped(xlsx(["mobile", "name"]), "sheet1.xml", {b"</sheetData>": told + b"</sheetData>"})


def test_formulas_that_nobody_has_calculated_are_counted_with_the_first() -> None:
    book = Workbook()
    for row in (["mobile", "name"], ["09121234567", "=A1"], ['=CONCATENATE("0912", "1234568")', "Ali"]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    assert examined(out.getvalue()).lost == Lost(formulas=2, first_formula="B2")


def test_errors_are_counted_with_the_first() -> None:
    content = with_cells(b'<c r="B2" t="e"><v>#N/A</v></c>', b'<c r="A3" t="e"><f>1/0</f><v>#DIV/0!</v></c>')
    assert lost_in(io.BytesIO(content), "Sheet") == Lost(errors=2, first_error="B2")


@pytest.mark.parametrize(
    "cell",
    [
        b'<c r="A2" t="str"><f>""</f><v></v></c>',
        b'<c r="A2"><f>1+1</f><v>2</v></c>',
        b'<c r="A2" t="inlineStr"><is><t>t="e"</t></is></c>',
        b'<c r="A2" s="1"/>',
    ],
)
def test_a_result_is_none_that_is_lost(cell: bytes) -> None:
    assert lost_in(io.BytesIO(with_cells(cell)), "Sheet") == Lost()


@pytest.mark.parametrize(
    "cell",
    [
        b'<c r="A2"><f>1</f></c>',
        b'<c r="A2" s="3"><f t="shared" si="0"/><v/></c>',
        b'<c r="A2"><f>1</f><v></v></c>',
        b'<x:c r="A2"><x:f>1</x:f></x:c>',
    ],
)
def test_however_a_program_writes_a_formula_without_its_result(cell: bytes) -> None:
    assert lost_in(io.BytesIO(with_cells(cell)), "Sheet") == Lost(formulas=1, first_formula="A2")


@pytest.mark.parametrize("block", [1, 7, 64, 300])
def test_wherever_a_block_ends_each_cell_counts_once(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_parts, "_BLOCK", block)
    content = with_cells(b'<c r="B2" t="e"><v>#N/A</v></c>', b'<c r="A3"><f>1</f></c>')
    expected = Lost(errors=1, first_error="B2", formulas=1, first_formula="A3")
    assert lost_in(io.BytesIO(content), "Sheet") == expected


def test_an_error_in_another_spreadsheet_is_read_as_it_stands() -> None:
    content = ods(["mobile", "name"], ["09121234567", "#N/A"])
    assert lost_in(io.BytesIO(content), "S") == Lost()
    assert rows_of(content)[0].cells == ["09121234567", "#N/A"]
