"""From a row to a verdict: every code, and what each row says."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from contactsync.imports import issues
from contactsync.imports.check import judge
from contactsync.imports.issues import MESSAGES, sentence
from contactsync.imports.judged import Judged
from contactsync.imports.plan import OptionField, Place, Plan
from contactsync.imports.read import Row
from contactsync.imports.seen import Seen
from contactsync.imports.settle import Outcome, Verdict, settle
from contactsync.models import Contact, ImportIssue

PHONE = Place(0, "mobile", "phone")
NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def field(name: str) -> Place:
    return Place(1, "the column", name)


def option(kind: str, *choices: str) -> Place:
    return Place(1, "the column", "option:5", OptionField("5", kind, choices))


def judged(*cells: str, place: Place | None = None, number: int = 1, width: int | None = None) -> Judged:
    places = (PHONE, place) if place else (PHONE,)
    return judge(
        Row(number, number + 1, list(cells)), Plan("IR", places, len(places) if width is None else width, NOON)
    )


def problems(row: Judged | Verdict) -> list[tuple[str, str]]:
    return [(problem.severity, problem.code) for problem in row.problems]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("", "phone_empty"),
        (" \u200c", "phone_empty"),
        ("\u202a\u202c", "phone_empty"),
        ("9.89E+11", "phone_scientific"),
        ("9.89123E+11", "phone_scientific"),
        ("9/89123E+11", "phone_scientific"),
        ("98912123456.5", "phone_decimal_damaged"),
        ("0912123456", "phone_too_short"),
        ("091212345678", "phone_too_long"),
        ("+9991234567", "phone_unknown_country"),
        ("09801234567", "phone_not_assigned"),
        ("09121234567 / 09351234567", "phone_several_numbers"),
        ("0912***4567", "phone_not_a_number"),
        ("call me", "phone_not_a_number"),
        ("02188776655 داخلی ۱۲", "phone_extension"),
        ("-9121234567", "phone_negative"),
    ],
)
def test_a_cell_that_is_no_number_is_rejected_with_its_code(cell: str, code: str) -> None:
    row = judged(cell)
    assert row.rejected
    assert problems(row) == [(issues.REJECTED, code)]
    assert row.problems[0].column == "mobile"
    assert row.problems[0].value == cell
    assert sentence(code) not in {"", code}


@pytest.mark.parametrize("cell", ["9.89E+11", "9,89123E+11", "98912123456.5", "-9121234567", "912123456", "12123456"])
def test_a_number_that_a_spreadsheet_has_spoilt_is_refused_with_the_cell_and_the_way_out(cell: str) -> None:
    row = judged(cell)
    (problem,) = row.problems
    issue = ImportIssue(code=problem.code, value=problem.value, params=dict(problem.params))
    said = issues.describe_issue(issue)
    assert (row.rejected, row.phone, problem.suggestion) == (True, "", "")
    assert f"“{cell}”" in said
    assert "In Excel, mark the column, press Ctrl+1, choose “Text”" in said.replace("in Excel", "In Excel")


@pytest.mark.parametrize("cell", ["09121234567", "۰۹۱۲ ۱۲۳ ۴۵۶۷", "00989121234567", "+98 912-123-4567", "9121234567.0"])
def test_a_number_is_kept_in_international_form(cell: str) -> None:
    assert judged(cell).phone == "+989121234567"


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (("mobile", "name"), "phone_title"),
        (("Mobile ", "name"), "phone_title"),
        (("شماره موبایل", "نام"), "phone_title"),
        (("Total", "3"), "phone_total"),
        (("", "جمع کل:"), "phone_total"),
        (("", "Sara"), "phone_empty"),
        (("Sara", "Total"), "phone_not_a_number"),
        (("09121234567", "Total"), None),
    ],
)
def test_a_row_of_titles_or_sums_is_called_so(cells: tuple[str, ...], code: str | None) -> None:
    row = judged(*cells, place=field("first_name"))
    assert problems(row) == ([(issues.REJECTED, code)] if code else [])


def test_a_row_without_a_phone_cell_is_rejected() -> None:
    place = Place(3, "mobile", "phone")
    assert problems(judge(Row(1, 2, ["Ali"]), Plan("IR", (place,), 4, NOON))) == [(issues.REJECTED, "phone_empty")]


def test_of_several_numbers_the_first_is_suggested_but_not_taken() -> None:
    row = judged("09121234567 / 09351234567")
    assert (row.phone, row.problems[0].suggestion) == ("", "+989121234567")


@pytest.mark.parametrize("cell", ["09121234567 (Ali)", "Mobile: 0912 123 4567", "علی ۰۹۱۲۱۲۳۴۵۶۷"])
def test_a_number_with_text_beside_it_is_suggested_but_not_taken(cell: str) -> None:
    row = judged(cell)
    assert (row.rejected, row.problems[0].suggestion) == (True, "+989121234567")


@pytest.mark.parametrize("place", [field("first_name"), field("company"), option("text")])
@pytest.mark.parametrize(("cell", "is_said"), [("NULL", True), ("\\N", True), ("#N/A", True), ("Null", False)])
def test_what_programs_write_for_nothing_is_kept_with_a_warning(place: Place, cell: str, is_said: bool) -> None:
    row = judged("09121234567", cell, place=place)
    assert {**row.fields, **row.options} == {"5" if place.option else place.field: cell}
    assert problems(row) == ([("warning", "no_value")] if is_said else [])


@pytest.mark.parametrize(("cell", "value"), [('="Ali"', "Ali"), ('="Ali ""A"" "', 'Ali "A"'), ('=""', None)])
def test_a_text_that_was_kept_by_a_formula_is_that_text(cell: str, value: str | None) -> None:
    row = judged('="09121234567"', cell, place=field("first_name"))
    assert (row.phone, row.fields.get("first_name"), row.problems) == ("+989121234567", value, [])


def test_a_landline_is_taken_with_a_warning() -> None:
    row = judged("02188776655")
    assert (row.phone, row.rejected, problems(row)) == ("+982188776655", False, [(issues.WARNING, "fixed_line")])


@pytest.mark.parametrize(
    ("name", "cell", "value"),
    [
        ("prefix", "آقاي", "آقای"),
        ("first_name", "  علي\u200f  رضا ", "علی رضا"),
        ("last_name", "Re\u0301za\n i", "Réza i"),
        ("company", "a\x00b", "ab"),
        ("email", " ali@example.com ", "ali@example.com"),
        ("assigned_user", "me@example.com", "me@example.com"),
        ("tags", "vip، تهران; vip ,", ["vip", "تهران"]),
    ],
)
def test_cells_are_kept_clean(name: str, cell: str, value: Any) -> None:
    assert judged("09121234567", cell, place=field(name)).fields == {name: value}


@pytest.mark.parametrize("name", ["prefix", "first_name", "full_name", "company", "email", "assigned_user", "tags"])
@pytest.mark.parametrize("cell", ["", "  ", "\u200b", "\u202a\u202c"])
def test_a_blank_cell_says_nothing(name: str, cell: str) -> None:
    row = judged("09121234567", cell, place=field(name))
    assert (row.fields, row.problems) == ({}, [])


@pytest.mark.parametrize(
    ("cell", "fields"),
    [
        ("علی", {"first_name": "علی"}),
        ("علی رضایی", {"first_name": "علی", "last_name": "رضایی"}),
        (" Ana  María  Núñez ", {"first_name": "Ana", "last_name": "María Núñez"}),
    ],
)
def test_a_full_name_is_taken_apart_at_its_first_space(cell: str, fields: dict[str, str]) -> None:
    assert judged("09121234567", cell, place=field("full_name")).fields == fields


@pytest.mark.parametrize(
    ("name", "limit"), [("prefix", 50), ("first_name", 100), ("last_name", 100), ("company", 150), ("full_name", 100)]
)
def test_text_that_does_not_fit_is_rejected_with_both_lengths(name: str, limit: int) -> None:
    row = judged("09121234567", "ا" * (limit + 1), place=field(name))
    assert problems(row) == [(issues.REJECTED, "text_too_long")]
    assert row.problems[0].params == {"length": limit + 1, "limit": limit}
    assert len(row.problems[0].suggestion) == limit
    assert not judged("09121234567", "ا" * limit, place=field(name)).rejected


@pytest.mark.parametrize(
    ("cell", "suggestion"),
    [
        ("info@", ""),
        ("ali.example.com", ""),
        ("a b@example.com", "ab@example.com"),
        ("ali@example,com", "ali@example.com"),
    ],
)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("email", (issues.WARNING, "email_left_out")),
        ("assigned_user", (issues.REJECTED, "email_invalid")),
    ],
)
def test_what_is_no_address_is_left_out_of_a_contact_and_no_user_with_a_suggestion_where_there_is_one(
    name: str, said: tuple[str, str], cell: str, suggestion: str
) -> None:
    row = judged("09121234567", cell, place=field(name))
    assert problems(row) == [said]
    assert name not in row.fields
    assert row.problems[0].suggestion == suggestion


def test_an_address_that_does_not_fit_is_rejected() -> None:
    assert problems(judged("09121234567", f"{'a' * 250}@example.com", place=field("email"))) == [
        (issues.REJECTED, "text_too_long")
    ]


@pytest.mark.parametrize("cell", ['=HYPERLINK("http://x")', "@SUM(1)", "+cmd", "-2+3"])
@pytest.mark.parametrize("place", [field("first_name"), field("company"), field("tags"), option("text")])
def test_a_text_like_a_formula_is_taken_as_it_is_with_a_warning(place: Place, cell: str) -> None:
    row = judged("09121234567", cell, place=place)
    assert problems(row) == [(issues.WARNING, "formula")]
    kept = row.options.get("5") or row.fields.get(place.field)
    assert kept in (cell, [cell])


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("text", "  رشت ", "رشت"),
        ("integer", "۱۵", "15"),
        ("integer", "15.0", "15"),
        ("date", "۱۳۷۱/۰۷/۱۶", "1992-10-08"),
        ("date", "1992-10-08", "1992-10-08"),
        ("choice", "GOLD", "gold"),
    ],
)
def test_an_option_is_kept_in_its_canonical_form(kind: str, cell: str, value: str) -> None:
    row = judged("09121234567", cell, place=option(kind, "gold", "silver"))
    assert (row.options, row.problems) == ({"5": value}, [])


@pytest.mark.parametrize(
    ("kind", "cell", "code", "suggestion"),
    [
        ("text", "x" * 2001, "option_too_long", ""),
        ("integer", "many", "option_not_integer", ""),
        ("integer", "15 points", "option_not_integer", "15"),
        ("integer", "12.5", "option_has_fraction", None),
        ("integer", "1.234", "option_ambiguous_integer", None),
        ("integer", "1e3", "option_scientific", None),
        ("integer", "9" * 30, "option_out_of_range", None),
        ("date", "tomorrow", "option_not_a_date", ""),
        ("date", "03/04/1992", "option_ambiguous_date", "1992-04-03 / 1992-03-04"),
        ("date", "1372/12/30", "option_impossible_date", ""),
        ("date", "71/07/16", "option_short_year", ""),
        ("date", "1700/01/01", "option_year_out_of_range", ""),
        ("date", "44000", "option_serial_date", ""),
        ("choice", "golt", "option_not_a_choice", "gold"),
        ("choice", "zzz", "option_not_a_choice", ""),
    ],
)
def test_an_option_that_cannot_be_read_rejects_the_row(kind: str, cell: str, code: str, suggestion: str | None) -> None:
    row = judged("09121234567", cell, place=option(kind, "gold", "silver"))
    assert problems(row) == [(issues.REJECTED, code)]
    assert row.problems[0].column == "the column"
    assert suggestion is None or row.problems[0].suggestion == suggestion


def test_a_time_of_day_is_left_out_with_a_warning() -> None:
    row = judged("09121234567", "1992-10-08 12:30:00", place=option("date"))
    assert (row.options, problems(row)) == ({"5": "1992-10-08"}, [(issues.WARNING, "option_time_dropped")])


@pytest.mark.parametrize(
    ("cell", "is_said"),
    [
        ("6.03799712345679E+15", True),
        ("6,04E+15", True),
        ("6/04E+15", True),
        ("9E+10", True),
        ("E+10", False),
        ("ABC-E+10", False),
    ],
)
def test_a_number_that_a_spreadsheet_has_shortened_is_told_of_where_text_takes_it(cell: str, is_said: bool) -> None:
    row = judged("09121234567", cell, place=option("text"))
    assert row.options == {"5": cell}
    assert problems(row) == ([(issues.WARNING, "option_scientific")] if is_said else [])


def test_more_cells_than_columns_reject_the_row_and_empty_ones_do_not() -> None:
    row = judged("09121234567", "Müller", " Hans", place=field("last_name"))
    assert problems(row) == [(issues.REJECTED, "extra_cells")]
    assert row.problems[0].params == {"cells": 3, "columns": 2}
    assert not judged("09121234567", "Müller", "", " ", place=field("last_name")).rejected


def test_everything_wrong_with_a_row_is_said_at_once() -> None:
    row = judged("0912", "info@", "x", place=field("email"))
    assert [code for _severity, code in problems(row)] == ["extra_cells", "phone_too_short", "email_left_out"]


def test_every_code_has_a_sentence_and_an_unknown_one_is_shown_itself() -> None:
    assert all(message and len(code) <= 40 for code, message in MESSAGES.items())
    assert sentence("from_a_later_version") == "from_a_later_version"
    assert sentence("duplicate_in_file", {"line": 7}).count("7") == 1


def test_a_sentence_without_the_values_of_a_row_shows_no_place_for_them() -> None:
    assert sentence("duplicate_in_file").startswith("The number stands on line … already.")
    assert not [words for words in map(sentence, MESSAGES) if "%" in words]


# Settling: against the phonebook


def verdict(row: Judged, contact: Contact | None = None, *, suppressed: bool = False) -> Verdict:
    contacts = {contact.phone: contact} if contact else {}
    (found,) = settle([row], contacts=contacts, suppressed={row.phone} if suppressed else set())
    return found


def known(**fields: Any) -> Contact:
    return Contact(phone="+989121234567", first_name="Ali", options={"5": "15", "6": "x"}, **fields)


def test_a_new_number_is_created_with_all_it_says() -> None:
    found = verdict(judged("09121234567", "Sara", place=field("first_name")))
    assert (found.outcome, found.judged.fields) == (Outcome.CREATED, {"first_name": "Sara"})


def test_a_known_number_is_updated_only_where_it_differs() -> None:
    found = verdict(judged("09121234567", "Sara", place=field("first_name")), known(last_name="Rezaei"))
    assert (found.outcome, found.changes) == (Outcome.UPDATED, {"first_name": "Sara"})


@pytest.mark.parametrize("cell", ["Ali", " Ali ", ""])
def test_what_is_there_already_or_blank_changes_nothing(cell: str) -> None:
    found = verdict(judged("09121234567", cell, place=field("first_name")), known())
    assert (found.outcome, found.changes) == (Outcome.UNCHANGED, {})


def test_options_that_the_file_does_not_name_stay() -> None:
    found = verdict(judged("09121234567", "20", place=option("integer")), known())
    assert found.changes == {"options": {"5": "20", "6": "x"}}


def test_a_deleted_contact_is_revived() -> None:
    found = verdict(judged("09121234567"), known(deleted_at=timezone.now()))
    assert (found.outcome, found.changes) == (Outcome.UPDATED, {"deleted_at": None})


def test_a_wrong_address_leaves_the_one_that_is_there() -> None:
    row = judged("09121234567", "info@", place=field("email"))
    found = verdict(row, known(email="ali@example.com"))
    assert (found.outcome, found.changes) == (Outcome.UNCHANGED, {})
    assert problems(found) == [(issues.WARNING, "email_left_out")]


def test_a_suppressed_number_is_kept_with_a_warning() -> None:
    found = verdict(judged("09121234567"), suppressed=True)
    assert (found.outcome, found.suppressed, problems(found)) == (
        Outcome.CREATED, True, [(issues.WARNING, "suppressed")],
    )  # fmt: skip


def test_a_rejected_row_carries_only_what_rejected_it() -> None:
    found = verdict(judged("02188776655", "info@", place=field("assigned_user")), suppressed=True)
    assert (found.outcome, found.suppressed, problems(found)) == (
        Outcome.REJECTED, False, [(issues.REJECTED, "email_invalid")],
    )  # fmt: skip


# Numbers that a file brings twice


def mark(*rows: Judged) -> list[int]:
    with Seen() as seen:
        for row in rows:  # one at a time: the rows may stand in different chunks
            seen.mark([row])
    return [row.same_as_line for row in rows]


def test_the_first_valid_row_of_a_number_wins_and_later_ones_name_its_line() -> None:
    cells = ["info@", "", "ali@example.com", ""]
    rows = [
        judged("09121234567", cell, number=n, place=field("assigned_user")) for n, cell in enumerate(cells, start=1)
    ]
    assert mark(*rows) == [0, 0, 3, 3]
    found = verdict(rows[2])
    assert (found.outcome, problems(found)) == (Outcome.DUPLICATE, [(issues.DUPLICATE, "duplicate_in_file")])
    assert found.problems[0].params == {"line": 3}


def test_rows_of_one_chunk_are_told_apart_too() -> None:
    rows = [judged("09121234567", number=1), judged("۰۹۱۲۱۲۳۴۵۶۷", number=2), judged("09121234568", number=3)]
    with Seen() as seen:
        seen.mark(rows)
        seen.mark([])
    assert [row.same_as_line for row in rows] == [0, 2, 0]


@pytest.mark.parametrize("cell", ["yes", "Ja", "sì", "SÍ", "بله", "x", "1", "✓"])
def test_a_plain_yes_is_consent_at_the_upload(cell: str) -> None:
    row = judged("09121234567", cell, place=field("consented_at"))
    assert (row.fields, row.keeps_consent) == ({"consented_at": NOON}, True)


@pytest.mark.parametrize("cell", ["no", "Nein", "خیر", "0", "–"])
def test_a_plain_no_takes_consent_away(cell: str) -> None:
    assert judged("09121234567", cell, place=field("consented_at")).fields == {"consented_at": None}


@pytest.mark.parametrize("cell", ["2025-03-01", "۱۴۰۳/۱۲/۱۱", "01.03.2025"])
def test_a_date_is_consent_since_that_day(cell: str) -> None:
    at = judged("09121234567", cell, place=field("consented_at")).fields["consented_at"]
    assert timezone.localtime(at).replace(tzinfo=None) == dt.datetime(2025, 3, 1)


def test_a_moment_with_a_zone_is_that_moment() -> None:
    row = judged("09121234567", "2025-03-01T10:00:00+01:00", place=field("consented_at"))
    assert row.fields["consented_at"] == dt.datetime(2025, 3, 1, 9, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("maybe", "consent_unclear"),
        ("2025-03-01 25:00", "consent_unclear"),
        ("2031-01-01", "consent_in_future"),
        ("03/04/2025", "option_ambiguous_date"),
    ],
)
def test_what_is_no_consent_is_rejected(cell: str, code: str) -> None:
    assert problems(judged("09121234567", cell, place=field("consented_at"))) == [(issues.REJECTED, code)]


@pytest.mark.parametrize(
    ("cell", "had", "changes"),
    [
        ("yes", dt.datetime(2020, 1, 1, tzinfo=dt.UTC), {}),
        ("yes", None, {"consented_at": NOON}),
        ("no", dt.datetime(2020, 1, 1, tzinfo=dt.UTC), {"consented_at": None}),
        ("no", None, {}),
        ("2020-01-01T00:00:00+00:00", dt.datetime(2020, 1, 1, microsecond=7, tzinfo=dt.UTC), {}),
    ],
)
def test_an_earlier_date_of_consent_stays_with_a_plain_yes(cell: str, had: Any, changes: Any) -> None:
    contact = Contact(phone="+989121234567", consented_at=had)
    row = judged("09121234567", cell, place=field("consented_at"))
    assert settle([row], contacts={contact.phone: contact}, suppressed=())[0].changes == changes


def test_several_choices_and_addresses_are_read_as_the_option_says() -> None:
    assert judged("09121234567", "b, a", place=option("multiple", "a", "b")).options == {"5": "a; b"}
    assert judged("09121234567", "me@Example.com", place=option("email")).options == {"5": "me@example.com"}
    wrong = judged("09121234567", "a; sportt", place=option("multiple", "a", "sport"))
    assert [(problem.code, problem.suggestion) for problem in wrong.problems] == [("option_not_a_choice", "a; sport")]
    assert problems(judged("09121234567", "me@", place=option("email"))) == [(issues.REJECTED, "option_not_an_email")]
