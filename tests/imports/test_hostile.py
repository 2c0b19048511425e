"""Files nobody wrote by hand: whatever is in them, every row is accounted for and the dry run tells the truth."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contactsync.imports import jobs, report, stream
from contactsync.imports.read import is_blank_row
from contactsync.imports.settle import Outcome
from contactsync.models import Contact, ImportJob
from tests.factories import make_contact
from tests.imports.files import apply, check, make_book, table, upload

pytestmark = pytest.mark.django_db
State = ImportJob.State
KEYS = ("rows", *Outcome, "warnings", "suppressed")
TITLES = ["phone", "first name", "e-mail", "points", "birthday"]

phones = st.sampled_from(
    [
        "09121234567", "۰۹۱۲۱۲۳۴۵۶۷", "+98 912 123 4567", "00989121234568", "9.89E+11", "", "0211", "02188776655",
        "09121234569.0", "\x00", "+1 650 253 0000", "abc", "0912123456\u200f7", "-5", "09121234567 / 09121234568",
    ]
)  # fmt: skip
cells = st.one_of(
    phones,
    st.text(max_size=12),
    st.sampled_from(
        [
            "=1+1",
            "a@b.co",
            "1371/07/16",
            "03/04/2020",
            "15",
            "علی رضایی",
            '"q"',
            "x\r\ny",
            "x\ny",
            "x\ry",
            "N" * 101,
            "\t",
        ]
    ),
)
tables = st.lists(st.lists(cells, max_size=6), min_size=1, max_size=25)
once = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _written(rows: list[list[str]], delimiter: str, end: str) -> str:
    paper = io.StringIO(newline="")
    csv.writer(paper, delimiter=delimiter, lineterminator=end).writerows([TITLES, *rows])
    return paper.getvalue()


@once
@given(
    rows=tables,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    chunk=st.integers(1, 7),
    known=st.sets(st.integers(4567, 4570)),
)
@example(rows=[["09121234567", "a\x00b", "x\x00"]], delimiter=",", end="\n", encoding="utf-8", chunk=1, known=set())
def test_the_real_run_does_what_the_dry_run_said_and_every_row_is_in_one_place(
    rows: list[list[str]], delimiter: str, end: str, encoding: str, chunk: int, known: set[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(stream, "CHUNK_ROWS", chunk)
    book, options = make_book(points="integer", birthday="date")
    for number in known:
        make_contact(book, f"+98912123{number}", first_name="before")
    text = _written(rows, delimiter, end)
    job = _uploaded(book, text.encode(encoding, "replace"), delimiter, options)
    if job is None:
        return
    before = table(book)
    check(job)
    assert table(book) == before
    if job.state == State.FAILED:
        assert "line" in job.error_text.lower()
        return
    there = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    assert job.checked_counts["rows"] == sum(not is_blank_row(cells) for cells in there) - 1
    said = list(job.issues.values_list("row", "line", "severity", "code", "value", "cells"))
    apply(job)
    assert {key: job.counts[key] for key in KEYS} == {key: job.checked_counts[key] for key in KEYS}
    assert (job.counts["balances"], job.counts["differs_from_check"]) == (True, False)
    assert list(job.issues.values_list("row", "line", "severity", "code", "value", "cells")) == said
    assert sum(job.counts[outcome] for outcome in Outcome) == job.counts["rows"]
    assert Contact.objects.filter(phonebook=book).count() == len(known) + job.counts["created"]
    lines = csv.reader(io.StringIO("".join(report.rejected_rows(job)), newline=""), delimiter=_delimiter_of(job))
    assert len(list(lines)) == 1 + job.counts["rejected"]

    after = table(book)
    again = _uploaded(book, text.encode(encoding, "replace"), delimiter, options)
    assert again is not None
    check(again)
    apply(again)
    assert (again.counts["created"], again.counts["updated"]) == (0, 0)
    assert again.counts["rejected"] == job.counts["rejected"]
    assert table(book) == after


def _uploaded(book: object, content: bytes, delimiter: str, options: dict[str, object]) -> ImportJob | None:
    """The import with its columns chosen; nothing when the file is refused, which must be in words."""
    fields = ["phone", "first_name", "email", *(f"option:{option.pk}" for option in options.values())]  # type: ignore[attr-defined]
    try:
        job = upload(book, content)  # type: ignore[arg-type]
        if job.dialect["delimiter"] != delimiter or not job.dialect["has_header"]:
            jobs.read_again(job, delimiter=delimiter, has_header=True)
        jobs.set_columns(job, mapping={str(index): field for index, field in enumerate(fields[: len(job.columns)])})
    except jobs.UnreadableFile as refused:
        return _in_words(refused)
    return job


def _in_words(refused: jobs.UnreadableFile) -> None:
    assert refused.describe()


def _delimiter_of(job: ImportJob) -> str:
    return ";" if job.dialect["delimiter"] == ";" else ","


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
)
def test_any_bytes_are_read_to_their_end_or_refused_in_words(content: bytes) -> None:
    book, _ = make_book()
    try:
        job = upload(book, content)
        jobs.set_columns(job, mapping={"0": "phone"})
    except jobs.UnreadableFile as refused:
        _in_words(refused)
        return
    check(job)
    assert job.state in {State.CHECKED, State.FAILED}
    assert bool(job.error_text) == (job.state == State.FAILED)
    if job.state == State.CHECKED:
        assert report.equation(job).balances
