"""Rejected rows as a workbook, corrected in a spreadsheet and uploaded again."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from contactsync.imports.attempts import attempts_of, outcome_of, outcomes_of_rows
from contactsync.imports.correction_workbook import KEY_TITLE, RowKey, read_key, write_workbook
from contactsync.imports.errors import ImportRefused, UnreadableFile
from contactsync.imports.keeping import erase_file
from contactsync.models import Contact, CustomOption, ImportJob, Phonebook
from tests.factories import make_account, make_option, make_phonebook
from tests.imports.files import apply, check, checked, imported, make_book, outcomes, upload

FILE = (
    "phone,first name,city,score\n"
    "09121234561,Ali,Rasht,5\n"
    "0912,Sara,Rasht,7\n"
    "09121234563,=1+1,Rasht,many\n"
    "09121234561,Again,Rasht,1\n"
)


@pytest.fixture
def book(db: None) -> Phonebook:
    return make_book(city="text", score="integer")[0]


def workbook(job: ImportJob) -> openpyxl.Workbook:
    file = io.BytesIO()
    write_workbook(job, file)
    file.seek(0)
    return openpyxl.load_workbook(file)


def saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def lines(book: openpyxl.Workbook) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]


def corrected(job: ImportJob, changes: dict[str, Any], *, book: Phonebook | None = None) -> ImportJob:
    """The workbook with these cells changed ("A2" -> value), uploaded again."""
    file = workbook(job)
    for place, value in changes.items():
        file.worksheets[0][place] = value
    return upload(book or job.phonebook, saved(file), name="people-corrections.xlsx")


def test_only_the_rejected_rows_are_in_it_with_reason_suggestion_and_a_hidden_key(book: Phonebook) -> None:
    job = imported(book, FILE)
    file = workbook(job)
    head, first, second = lines(file)
    assert head == [
        "phone", "first name", "city", "score", "line in the file", "why it was rejected", "suggestion", KEY_TITLE,
    ]  # fmt: skip
    assert first[:5] == ["0912", "Sara", "Rasht", "7", "3"]
    assert first[5] == "phone: The number has too few digits."
    assert second[:5] == ["09121234563", "=1+1", "Rasht", "many", "4"]
    assert read_key(first[7]) == RowKey(job.pk, 2)
    sheet = file.worksheets[0]
    assert sheet.column_dimensions["H"].hidden


def test_the_wrong_cell_is_marked_and_every_cell_is_text(book: Phonebook) -> None:
    sheet = workbook(imported(book, FILE)).worksheets[0]
    marked = {cell.coordinate for row in sheet.iter_rows(min_row=2) for cell in row if cell.fill.fill_type == "solid"}
    assert marked == {"A2", "D3"}
    assert sheet["B3"].data_type == "s"
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {"@"}


def test_allowed_values_are_offered_as_a_list(db: None) -> None:
    account = make_account(default_region="IR")
    size = make_option(account, "size", CustomOption.Kind.CHOICE, choices=["small", "large"])
    job = imported(make_phonebook(account, options=(size,)), "phone,size\n09121234561,huge\n")
    file = workbook(job)
    (rule,) = file.worksheets[0].data_validations.dataValidation
    assert (str(rule.sqref), rule.formula1) == ("B2", "'allowed values'!$A$1:$A$2")
    assert [cell.value for cell in file["allowed values"]["A"]] == ["small", "large"]
    assert file["allowed values"].sheet_state == "hidden"


def test_it_reads_from_right_to_left_in_persian(book: Phonebook) -> None:
    job = imported(book, FILE)
    with translation.override("fa"):
        assert workbook(job).worksheets[0].sheet_view.rightToLeft
    assert not workbook(job).worksheets[0].sheet_view.rightToLeft


def test_uploading_it_again_is_the_next_attempt_with_the_same_columns(book: Phonebook) -> None:
    job = imported(book, FILE)
    again = corrected(job, {"A2": "09121234562", "D3": "9"})
    assert (again.corrects, again.attempt) == (job, 2)
    assert {index: field for index, field in again.mapping.items() if field} == job.mapping
    check(again)
    apply(again)
    assert outcomes(again.counts) == {"created": 2}
    assert attempts_of(job) == attempts_of(again) == [job, again]
    assert Contact.objects.get(phonebook=book, phone="+989121234563").first_name == "=1+1"


def test_what_we_have_hidden_in_it_is_not_told_of(book: Phonebook) -> None:
    again = corrected(imported(book, FILE), {})
    assert again.corrects
    assert again.dialect["hidden"] == {"rows": 0, "columns": [], "sheets": []}


def test_before_and_after_are_kept_per_row(book: Phonebook) -> None:
    job = imported(book, FILE)
    again = corrected(job, {"A2": "09121234562"})
    check(again)
    assert list(again.corrected_rows.values_list("row", "corrected_row", "changes")) == [
        (1, 2, [{"column": "phone", "before": "0912", "after": "09121234562"}]),
        (2, 3, []),
    ]
    check(again)
    assert again.corrected_rows.count() == 2


def test_the_rows_that_had_been_rejected_add_up(book: Phonebook) -> None:
    job = imported(book, FILE + "x,,,\ny,,,\n09121234561,,,z\n")
    file = workbook(job)
    sheet = file.worksheets[0]
    sheet["A2"] = "09121234562"
    sheet["A4"] = "09121234562"
    sheet.delete_rows(5)
    again = upload(book, saved(file), name="corrected.xlsx")
    check(again)
    apply(again)
    found = outcome_of(again)
    assert (found.total, dict(found.parts)) == (
        5,
        {"imported": 1, "skipped": 0, "duplicate": 1, "rejected": 2, "missing": 1},
    )
    assert found.changed == 2
    assert outcomes_of_rows(again, [1, 2, 3, 4]) == {1: "created", 2: "rejected", 3: "duplicate", 4: "rejected"}


def test_the_third_attempt_corrects_the_second(book: Phonebook) -> None:
    job = imported(book, FILE)
    second = corrected(job, {"A2": "09121234562"})
    check(second)
    apply(second)
    third = corrected(second, {"D2": "9"})
    check(third)
    apply(third)
    assert (third.corrects, third.attempt) == (second, 3)
    assert attempts_of(second) == [job, second, third]
    assert dict(outcome_of(third).parts) == {"imported": 1, "skipped": 0, "duplicate": 0, "rejected": 0, "missing": 0}


def test_a_row_that_a_person_added_is_imported_without_a_past(book: Phonebook) -> None:
    job = imported(book, FILE)
    again = corrected(job, {"A2": "09121234562", "D3": "9", "A4": "09121234569", "B4": "New"})
    check(again)
    assert outcomes(again.checked_counts) == {"created": 3}
    assert again.corrected_rows.count() == 2


def test_it_belongs_to_the_phonebook_it_came_from(book: Phonebook) -> None:
    job = imported(book, FILE)
    other = make_phonebook(book.account, title="Other")
    with pytest.raises(UnreadableFile, match=f"into “{book.title}”"):
        corrected(job, {}, book=other)


def test_a_workbook_whose_import_is_gone_is_a_file_like_any_other(book: Phonebook) -> None:
    job = imported(book, FILE)
    content = saved(workbook(job))
    job.delete()
    again = upload(book, content, name="old.xlsx")
    assert (again.corrects, again.attempt) == (None, 1)


def test_rows_that_are_no_longer_kept_cannot_be_corrected(book: Phonebook) -> None:
    job = imported(book, FILE)
    erase_file(job)
    job.refresh_from_db()
    with pytest.raises(ImportRefused, match="no longer kept"):
        workbook(job)


def test_columns_without_titles_are_found_by_their_letters(book: Phonebook) -> None:
    job = imported(book, "0912,Sara\n0913,Ali\n09121234561,Reza\n", mapping={"0": "phone", "1": "first_name"})
    again = corrected(job, {"A2": "09121234562"})
    assert {index: field for index, field in again.mapping.items() if field} == {"0": "phone", "1": "first_name"}


def test_a_row_with_too_many_cells_is_rejected_again_until_they_are_gone(book: Phonebook) -> None:
    job = imported(book, FILE + "09121234569,Doe, Jane,Rasht,5\n")
    again = corrected(job, {})
    assert len(again.columns) == 8
    check(again)
    assert again.issues.filter(line=4, code="extra_cells", severity="rejected").exists()
    third = corrected(again, {"B4": "Doe, Jane", "C4": "Rasht", "D4": "5", "I4": None})
    check(third)
    assert not third.issues.filter(line=4).exists()
    apply(third)
    assert Contact.objects.get(phonebook=book, phone="+989121234569").first_name == "Doe, Jane"


def test_cells_beyond_the_table_stand_beside_the_key(book: Phonebook) -> None:
    job = imported(book, "phone,first name\n09121234561,Ali\n09121234562,Sara,Karimi\n")
    assert lines(workbook(job))[1][-1] == "Karimi"


@given(job=st.integers(1, 10**15), row=st.integers(1, 10**15), text=st.text())
def test_a_key_is_read_as_written_and_nothing_else_is_a_key(job: int, row: int, text: str) -> None:
    key = str(RowKey(job, row))
    assert read_key(key) == RowKey(job, row)
    assert read_key(f"{job}-{row + 1}-{key.rsplit('-')[-1]}") is None
    assert read_key(text) is None


def test_deleting_the_first_import_leaves_the_attempt(book: Phonebook) -> None:
    job = imported(book, FILE)
    again = corrected(job, {})
    job.delete()
    again.refresh_from_db()
    with pytest.raises(ObjectDoesNotExist):
        job.refresh_from_db()
    assert again.corrects is None


def test_the_columns_that_only_explain_may_be_deleted(book: Phonebook) -> None:
    job = imported(book, FILE)
    file = workbook(job)
    file.worksheets[0].delete_cols(5, 3)
    again = upload(book, saved(file), name="people-corrections.xlsx")
    assert (again.corrects, again.columns[-1]) == (job, KEY_TITLE)
    check(again)
    assert lines(workbook(again))[0][:4] == ["phone", "first name", "city", "score"]
    third = corrected(again, {"A2": "09121234562", "D3": "9"})
    check(third)
    assert outcomes(third.checked_counts) == {"created": 2}
    assert outcome_of(third).changed == 2


def test_who_uploads_it_may_have_another_language_than_who_took_it(book: Phonebook) -> None:
    job = imported(book, FILE)
    with translation.override("fa"):
        content = saved(workbook(job))
    again = upload(book, content, name="people-corrections.xlsx")
    check(again)
    assert lines(workbook(again))[0][:5] == ["phone", "first name", "city", "score", "line in the file"]


def test_a_remark_in_a_column_of_its_own_does_no_harm(book: Phonebook) -> None:
    job = imported(book, FILE)
    again = corrected(job, {"I1": "done?", "I2": "yes", "A2": "09121234562"})
    check(again)
    assert outcomes(again.checked_counts) == {"created": 1, "rejected": 1}
    assert lines(workbook(again))[0][:5] == ["phone", "first name", "city", "score", "done?"]
    assert [change["column"] for row in again.corrected_rows.all() for change in row.changes] == ["phone"]


def test_a_title_that_the_workbook_has_as_well_or_that_was_added_twice_misleads_nobody(book: Phonebook) -> None:
    told = {"0": "phone", "1": "first_name", "2": "note"}
    job = imported(book, "phone,first name,suggestion\n0912,Sara,call\n09121234561,Ali,\n", mapping=told)
    again = corrected(job, {"A2": "0913", "H1": "phone", "H2": "new"})
    assert {index: field for index, field in again.mapping.items() if field} == told
    check(again)
    assert again.corrected_rows.get().changes == [{"column": "phone", "before": "0912", "after": "0913"}]
    third = corrected(again, {"A2": "09121234562"})
    check(third)
    apply(third)
    assert Contact.objects.get(phonebook=book, phone="+989121234562").note == "call"


def test_the_same_workbook_uploaded_twice_is_two_attempts(book: Phonebook) -> None:
    job = imported(book, FILE)
    content = saved(workbook(job))
    second, third = (upload(book, content, name="corrections.xlsx") for _ in range(2))
    assert [(one.corrects, one.attempt) for one in (second, third)] == [(job, 2), (job, 3)]


def test_rows_of_an_import_that_has_stopped_half_way_add_up(book: Phonebook) -> None:
    job = checked(book, FILE + "x,,,\ny,,,\n")
    again = corrected(job, {"A2": "09121234562"})
    ImportJob.objects.filter(pk=job.pk).update(
        state="stopped", position=2, counts={**job.checked_counts, "rejected": 1}
    )
    again.refresh_from_db()
    check(again)
    found = outcome_of(again)
    assert (found.total, sum(found.parts.values()), found.parts["missing"]) == (4, 4, 0)
