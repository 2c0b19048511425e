"""Values of custom options: every usual spelling has one canonical form; what can be read in two ways is refused."""

from __future__ import annotations

import datetime as dt

import jdatetime
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contactsync.options import (
    LARGEST_INTEGER,
    OPTION_MESSAGES,
    OptionCode,
    display_option,
    jalali,
    parse_option,
    plain_date,
)

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
scripts = st.sampled_from([{}, PERSIAN, ARABIC])
# 1200/01/01 to 1599/12/29, all of which lie in Gregorian years that are accepted too.
days = st.dates(dt.date(1821, 3, 21), dt.date(2200, 12, 31))
KINDS = ["text", "integer", "date", "choice", "multiple", "email"]


@given(days, scripts, st.sampled_from("/-."), st.booleans())
def test_a_day_is_the_same_day_in_both_calendars(day: dt.date, script: dict[int, int], mark: str, padded: bool) -> None:
    year, month, number = (int(part) for part in jalali(day).split("/"))
    form = "{:d}{}{:02d}{}{:02d}" if padded else "{:d}{}{:d}{}{:d}"
    there = form.format(year, mark, month, mark, number).translate(script)
    here = form.format(day.year, mark, day.month, mark, day.day).translate(script)
    assert parse_option(there, "date").value == day.isoformat()
    assert parse_option(there, "date").note_code == OptionCode.FROM_JALALI
    assert parse_option(here, "date").value == day.isoformat()
    assert parse_option(here, "date").note_code == ""


@pytest.mark.parametrize("month", range(1, 13))
def test_the_jalali_months_of_all_years_are_those_of_jdatetime(month: int) -> None:
    for year in range(1200, 1600):
        for day in (1, 29, 30, 31):
            try:
                date = jdatetime.date(year, month, day).togregorian().isoformat()
            except ValueError:
                date = ""
            verdict = parse_option(f"{year}/{month}/{day}", "date")
            assert (verdict.value, verdict.is_valid) == (date, bool(date))
            assert plain_date(f"{year}/{month:02d}/{day}") == date


@given(days)
def test_jalali_and_back_is_the_same_day(day: dt.date) -> None:
    year, month, number = (int(part) for part in jalali(day).split("/"))
    assert jdatetime.date(year, month, number).togregorian() == day


@given(days, scripts)
def test_a_day_with_the_year_last_is_read_only_when_day_and_month_cannot_be_mixed_up(
    day: dt.date, script: dict[int, int]
) -> None:
    dotted = parse_option(f"{day:%d.%m.}{day.year}".translate(script), "date")
    assert dotted.value == day.isoformat()
    slashed = parse_option(f"{day:%d/%m/}{day.year}".translate(script), "date")
    if day.day > 12 or day.day == day.month:
        assert slashed.value == day.isoformat()
    else:
        assert slashed.code is OptionCode.AMBIGUOUS_DATE


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("1371/07/16", "1992-10-08"),
        ("۱۳۷۱/۷/۱۶", "1992-10-08"),
        ("1371-7-16", "1992-10-08"),
        ("1371، 7، 16", "1992-10-08"),
        ("\u200f1371/07/16\u200f", "1992-10-08"),
        ("16.07.1371", "1992-10-08"),
        ("1992/10/08", "1992-10-08"),
        ("1992-10-08", "1992-10-08"),
        ("1992.10.8", "1992-10-08"),
        ("1992 / 10 / 08", "1992-10-08"),
        ("19921008", "1992-10-08"),
        ("13710716", "1992-10-08"),
        ("1992-10-08 00:00:00", "1992-10-08"),
        ("1992-10-08T00:00:00.000Z", "1992-10-08"),
        ("08.10.1992", "1992-10-08"),
        ("28/10/1992", "1992-10-28"),
        ("04/04/2020", "2020-04-04"),
        ("1403/12/30", "2025-03-20"),  # a Jalali leap day
        ("2024-02-29", "2024-02-29"),
        ("1200/01/01", "1821-03-21"),
        ("2200-12-31", "2200-12-31"),
    ],
)
def test_dates_are_kept_in_iso_form(raw: str, value: str) -> None:
    verdict = parse_option(raw, "date")
    assert (verdict.value, verdict.code) == (value, OptionCode.OK)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("03/04/2020", OptionCode.AMBIGUOUS_DATE),
        ("03/04/1371", OptionCode.AMBIGUOUS_DATE),
        ("10/28/1992", OptionCode.AMBIGUOUS_DATE),
        ("1371/13/01", OptionCode.IMPOSSIBLE_DATE),
        ("1372/12/30", OptionCode.IMPOSSIBLE_DATE),
        ("1371/07/31", OptionCode.IMPOSSIBLE_DATE),
        ("2023-02-29", OptionCode.IMPOSSIBLE_DATE),
        ("32.01.2020", OptionCode.IMPOSSIBLE_DATE),
        ("0000/00/00", OptionCode.YEAR_OUT_OF_RANGE),
        ("1700-01-01", OptionCode.YEAR_OUT_OF_RANGE),
        ("2201-01-01", OptionCode.YEAR_OUT_OF_RANGE),
        ("71/07/16", OptionCode.SHORT_YEAR),
        ("08.10.92", OptionCode.SHORT_YEAR),
        ("33885", OptionCode.SERIAL_DATE),
        ("33885.5", OptionCode.SERIAL_DATE),
        ("1992-10-07T20:30:00Z", OptionCode.NOT_A_DATE),
        ("1992/10-08", OptionCode.NOT_A_DATE),
        ("yesterday", OptionCode.NOT_A_DATE),
        ("1371", OptionCode.NOT_A_DATE),
        ("=TODAY()", OptionCode.NOT_A_DATE),
        ("-", OptionCode.NOT_A_DATE),
    ],
)
def test_what_is_no_certain_date_is_refused_with_its_reason(raw: str, code: OptionCode) -> None:
    verdict = parse_option(raw, "date")
    assert (verdict.value, verdict.code) == ("", code)


def test_a_time_of_day_is_left_out_and_told() -> None:
    verdict = parse_option("1992-10-08 14:30", "date")
    assert (verdict.value, verdict.note_code) == ("1992-10-08", OptionCode.TIME_DROPPED)


@given(st.integers(-LARGEST_INTEGER, LARGEST_INTEGER), scripts, st.sampled_from(["", ".0", ".00", ",0", "٫۰"]))
def test_an_integer_is_the_same_in_every_script(number: int, script: dict[int, int], ending: str) -> None:
    verdict = parse_option(f"{number}{ending}".translate(script), "integer")
    assert (verdict.value, verdict.code) == (str(number), OptionCode.OK)


@given(st.integers(-LARGEST_INTEGER, LARGEST_INTEGER), st.sampled_from([",", ".", " ", "\u00a0", "٬", "'", "’", "،"]))
def test_thousands_are_read_unless_they_can_be_decimal_places(number: int, mark: str) -> None:
    verdict = parse_option(f"{number:,}".replace(",", mark), "integer")
    if mark in {",", "."} and 1000 <= abs(number) < 1_000_000:
        assert verdict.code is OptionCode.AMBIGUOUS_INTEGER
    else:
        assert verdict.value == str(number)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("15", "15"),
        ("۱۵", "15"),
        ("-3", "-3"),
        ("−3", "-3"),
        ("+5", "5"),
        ("- 3", "-3"),
        ("-0", "0"),
        ("007", "7"),
        ("15.0", "15"),
        ("1,234.00", "1234"),
        ("1.234,00", "1234"),
        ("1 234,00", "1234"),
        ("1,234,567", "1234567"),
        ("۱٬۲۳۴", "1234"),
        ("0.000", "0"),
        ("1234.000", "1234"),
    ],
)
def test_integers_are_kept_as_ascii_digits(raw: str, value: str) -> None:
    verdict = parse_option(raw, "integer")
    assert (verdict.value, verdict.code) == (value, OptionCode.OK)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("1,234", OptionCode.AMBIGUOUS_INTEGER),
        ("1.234", OptionCode.AMBIGUOUS_INTEGER),
        ("15.5", OptionCode.HAS_FRACTION),
        ("15,5", OptionCode.HAS_FRACTION),
        ("۱۵٫۵", OptionCode.HAS_FRACTION),
        ("1,234.50", OptionCode.HAS_FRACTION),
        ("1.5E+3", OptionCode.SCIENTIFIC),
        ("1/5E+3", OptionCode.SCIENTIFIC),
        ("1e5", OptionCode.SCIENTIFIC),
        ("9223372036854775808", OptionCode.OUT_OF_RANGE),
        ("9" * 5000, OptionCode.OUT_OF_RANGE),
        ("15/5", OptionCode.NOT_INTEGER),
        ("12,34,567", OptionCode.NOT_INTEGER),
        ("1,234.567,8", OptionCode.NOT_INTEGER),
        ("fifteen", OptionCode.NOT_INTEGER),
        ("15 km", OptionCode.NOT_INTEGER),
        ("--3", OptionCode.NOT_INTEGER),
        ("-", OptionCode.NOT_INTEGER),
        ("²", OptionCode.NOT_INTEGER),
    ],
)
def test_what_is_no_certain_integer_is_refused_with_its_reason(raw: str, code: OptionCode) -> None:
    verdict = parse_option(raw, "integer")
    assert (verdict.value, verdict.code) == ("", code)


def test_text_is_kept_clean() -> None:
    assert parse_option("  تهران\u200f\nمركز ", "text").value == "تهران مرکز"
    assert parse_option("x" * 2000, "text").is_valid
    assert parse_option("x" * 2001, "text").code is OptionCode.TOO_LONG


def test_a_choice_is_kept_as_it_is_spelled_in_the_list() -> None:
    choices = ["Gold", "Silver", "نقره\u200cای"]
    assert parse_option("gold ", "choice", choices=choices).value == "Gold"
    assert parse_option("نقره ای", "choice", choices=choices).value == "نقره\u200cای"
    assert parse_option("Bronze", "choice", choices=choices).code is OptionCode.NOT_A_CHOICE
    assert parse_option("Gold", "choice").code is OptionCode.NOT_A_CHOICE


def test_choices_that_differ_in_case_only_need_the_exact_spelling() -> None:
    assert parse_option("vip", "choice", choices=["VIP", "vip"]).value == "vip"
    assert parse_option("Vip", "choice", choices=["VIP", "vip"]).code is OptionCode.NOT_A_CHOICE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("raw", ["", "  ", "\u200f", "\n"])
def test_a_blank_cell_is_valid_and_empty(raw: str, kind: str) -> None:
    verdict = parse_option(raw, kind)
    assert verdict.is_valid
    assert (verdict.value, verdict.code) == ("", OptionCode.EMPTY)


@given(st.text(), st.sampled_from(KINDS), st.lists(st.text(max_size=5), max_size=5))
@example("۱۲۰۰/۱/۱", "date", [])
@example("0001-01-01", "date", [])
@example("+", "integer", [])
def test_any_text_gets_a_verdict_and_a_canonical_value_is_itself(raw: str, kind: str, choices: list[str]) -> None:
    verdict = parse_option(raw, kind, choices=choices)
    assert verdict.raw == raw
    if verdict.value:
        again = parse_option(verdict.value, kind, choices=choices)
        assert (again.value, again.code) == (verdict.value, OptionCode.OK)
    else:
        assert verdict.code is not OptionCode.OK
    assert isinstance(display_option(verdict.value, kind), str)


@given(st.text(alphabet="0123456789۰۱/.-,: TZ+eE٫٬،'", max_size=24), st.sampled_from(["integer", "date"]))
def test_anything_like_a_value_gets_a_verdict(raw: str, kind: str) -> None:
    verdict = parse_option(raw, kind)
    if verdict.value:
        assert parse_option(verdict.value, kind).value == verdict.value


@pytest.mark.parametrize(
    "raw", ["Sport; Travel", "travel;sport", "Travel, Sport", "Travel، Sport", "Travel | sport", "Sport\nTravel;Sport"]
)
def test_several_choices_are_kept_in_the_order_of_the_list(raw: str) -> None:
    verdict = parse_option(raw, "multiple", choices=["Music", "Sport", "Travel"])
    assert (verdict.value, verdict.code) == ("Sport; Travel", OptionCode.OK)


def test_a_choice_that_holds_a_comma_is_still_one_of_several() -> None:
    choices = ["Rome, Italy", "Paris"]
    assert parse_option("Rome, Italy", "multiple", choices=choices).value == "Rome, Italy"
    assert parse_option("Paris; Rome, Italy", "multiple", choices=choices).value == "Rome, Italy; Paris"


@pytest.mark.parametrize("raw", ["Sport; Chess", "Chess", "Sport Travel"])
def test_one_wrong_choice_among_several_refuses_the_cell(raw: str) -> None:
    assert parse_option(raw, "multiple", choices=["Sport", "Travel"]).code is OptionCode.NOT_A_CHOICE


def test_separators_alone_choose_nothing() -> None:
    assert parse_option(" ; | ", "multiple", choices=["Sport"]).code is OptionCode.EMPTY


@pytest.mark.parametrize("raw", ["ali@example.com", " Ali.Reza+sms@Example.COM ", "a@b.co.uk", "info@münchen.de"])
def test_an_address_is_kept_with_its_domain_in_small_letters(raw: str) -> None:
    local, _at, domain = raw.strip().rpartition("@")
    assert parse_option(raw, "email").value == f"{local}@{domain.lower()}"


@pytest.mark.parametrize(
    "raw",
    [
        "ali",
        "ali@",
        "@example.com",
        "ali@example",
        "a b@example.com",
        "ali@@example.com",
        "ali..r@example.com",
        "ali@-x.com",
        f"{'a' * 250}@example.com",
    ],
)
def test_what_is_no_address_is_refused(raw: str) -> None:
    assert parse_option(raw, "email").code is OptionCode.NOT_AN_EMAIL


def test_an_unknown_kind_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="currency"):
        parse_option("5", "currency")


def test_dates_are_shown_in_both_calendars() -> None:
    assert display_option("1992-10-08", "date") == "1992-10-08 (1371/07/16)"
    assert display_option("15", "integer") == "15"
    assert display_option("", "date") == ""
    assert display_option("not a date", "date") == "not a date"


def test_every_code_has_its_sentence() -> None:
    assert set(OPTION_MESSAGES) == set(OptionCode)
    assert all(OPTION_MESSAGES.values())
