"""The equation, and the rejected rows as a file."""

from __future__ import annotations

import csv
import io

import pytest
from django.utils import translation

from contactsync.imports import jobs, report
from contactsync.models import ImportJob
from tests.imports.conftest import At
from tests.imports.files import HEADER, apply, checked, imported, make_book, outcomes, upload

pytestmark = pytest.mark.django_db
State = ImportJob.State


def _table(text: str, delimiter: str = ",") -> list[list[str]]:
    assert text.startswith(report.BYTE_ORDER_MARK)
    return list(csv.reader(io.StringIO(text.removeprefix(report.BYTE_ORDER_MARK), newline=""), delimiter=delimiter))


def test_the_equation_is_of_the_check_until_rows_are_imported() -> None:
    book, _ = make_book()
    job = upload(book, HEADER + "09121234561,Ali,,\n09121234561,,,\nx,,,\n")
    assert report.equation(job).total == 0
    job = checked(book, HEADER + "09121234561,Ali,,\n09121234561,,,\nx,,,\n")
    equation = report.equation(job)
    assert (equation.total, outcomes(equation.parts)) == (3, {"created": 1, "duplicate": 1, "rejected": 1})
    assert equation.balances
    apply(job)
    assert report.equation(job) == equation


def test_rows_that_are_not_done_yet_are_a_part_of_the_equation(at: At, small_chunks: None) -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "".join(f"0912123{n:04d},Ali,,\n" for n in range(25)))
    at("write_issues", 2, lambda: jobs.stop(ImportJob.objects.get(pk=job.pk)))
    apply(job)
    equation = report.equation(job)
    assert (job.state, equation.total, equation.parts["created"], equation.parts["waiting"]) == (
        State.STOPPED,
        25,
        20,
        5,
    )
    assert equation.balances


def test_numbers_that_do_not_add_up_are_said_not_to() -> None:
    book, _ = make_book()
    job = imported(book, HEADER + "09121234561,Ali,,\n")
    job.counts["created"] = 2
    assert not report.equation(job).balances
    job.counts |= {"created": 1, "balances": False}
    assert not report.equation(job).balances


def test_rejected_rows_come_as_uploaded_with_line_and_all_reasons() -> None:
    book, _ = make_book()
    content = 'phone,first name,note,consent\n09121234561,Ali,,\n"9.89E+11","Sa\nra",سلام,perhaps\n09121234561,,,\n'
    job = checked(book, content)
    header, row = _table("".join(report.rejected_rows(job)))
    assert header == ["phone", "first name", "note", "consent", "line in the file", "why it was rejected"]
    assert row[:5] == ["9.89E+11", "Sa\nra", "سلام", "perhaps", "3"]
    assert row[5].startswith("phone: “9.89E+11”: A spreadsheet has shortened this number")
    assert "consent: This is neither a date nor a yes or no." in row[5]


def test_a_suggestion_stands_beside_its_reason() -> None:
    book, _ = make_book()
    job = checked(
        book, 'phone,assigned user\n09121234561,"ali@example,com"\n', mapping={"0": "phone", "1": "assigned_user"}
    )
    assert "Suggestion: ali@example.com" in "".join(report.rejected_rows(job))


def test_a_spreadsheet_calculates_nothing_of_the_rejected_rows() -> None:
    book, _ = make_book()
    job = checked(book, "phone,=first,name\nx,=1+1,+989121234567\n-5,@SUM(A1),-7\n", mapping={"0": "phone"})
    header, first, second = _table("".join(report.rejected_rows(job)))
    assert header[1] == "'=first"
    assert (first[1], first[2], second[1], second[2]) == ("'=1+1", "+989121234567", "'@SUM(A1)", "-7")


def test_cells_beyond_the_columns_keep_everything_else_in_its_place() -> None:
    book, _ = make_book()
    job = checked(book, "phone,first name\n09121234561,Ali,Reza\n09121234562,Sara\n")
    _header, row = _table("".join(report.rejected_rows(job)))
    assert (row[0], row[1], row[2], row[4]) == ("09121234561", "Ali", "2", "Reza")


def test_the_delimiter_is_the_one_the_spreadsheet_of_the_uploader_expects() -> None:
    book, _ = make_book()
    job = checked(book, "Telefon;Vorname\nx;Jörg\n09121234561;Änne\n")
    assert _table("".join(report.rejected_rows(job)), ";")[1][:3] == ["x", "Jörg", "2"]


def test_the_corrected_file_can_be_uploaded_again() -> None:
    book, _ = make_book()
    job = imported(book, HEADER + "9.89E+11,Ali,,\n09121234562,Sara,,\n")
    text = "".join(report.rejected_rows(job)).replace("9.89E+11", "09121234561")
    again = imported(book, text)
    assert outcomes(again.counts) == {"created": 1}


def test_reasons_are_written_in_the_language_of_the_reader() -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "x,Ali,,\n09121234562,Sara,,\n")
    english = "".join(report.rejected_rows(job))
    with translation.override("fa"):
        persian = "".join(report.rejected_rows(job))
    assert "This is not a phone number" in english
    assert "This is not a phone number" not in persian
