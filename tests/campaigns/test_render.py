"""Placeholders: what is filled, what is missing, what is refused."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactsync.calendars import jalali
from contactsync.campaigns.render import problems, render
from contactsync.models.reasons import describe
from contactsync.placeholders import Placeholder, placeholders
from tests.factories import make_account, make_option, make_phonebook

PLAIN = st.text(st.characters(exclude_characters="{}|", exclude_categories=["Cs"]), max_size=60)


def person(**fields):
    empty = {"prefix": "", "first_name": "", "last_name": "", "company": "", "options": {}}
    return SimpleNamespace(**{**empty, **fields})


def option(title, kind="text", pk=7):
    return SimpleNamespace(pk=pk, title=title, kind=kind)


@given(PLAIN)
def test_a_text_without_braces_is_sent_as_it_is_written(text):
    assert render(text, person(), []).text == text
    assert placeholders(text) == []


@given(before=PLAIN, value=st.text(min_size=1), after=PLAIN)
def test_a_value_stands_exactly_where_its_placeholder_stood(before, value, after):
    rendered = render(f"{before}{{first_name}}{after}", person(first_name=value), [])
    assert (rendered.text, rendered.missing) == (before + value + after, ())


@given(value=st.text(min_size=1))
def test_a_value_is_never_read_as_a_placeholder_itself(value):
    assert render("{company}", person(company=value, first_name="x"), []).text == value


@given(fallback=PLAIN)
def test_a_fallback_stands_in_for_what_is_missing(fallback):
    rendered = render(f"{{first_name|{fallback}}}", person(), [])
    assert (rendered.text, rendered.missing) == (fallback, ())


@given(st.text())
def test_no_text_breaks_rendering(text):
    rendered = render(text, person(first_name="x"), [])
    assert isinstance(rendered.text, str)


def test_persian_fallback():
    assert render("سلام {first_name|دوست عزیز}", person(), []).text == "سلام دوست عزیز"
    assert render("سلام {first_name|دوست عزیز}", person(first_name="سارا"), []).text == "سلام سارا"


def test_what_is_missing_is_named_once():
    rendered = render("{first_name} {company} {first_name}", person(), [])
    assert rendered.missing == ("first_name", "company")


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("سارا", "محمدی", "سارا محمدی"), ("سارا", "", "سارا"), ("", "محمدی", "محمدی")],
)
def test_name_is_first_and_last_name(first, last, name):
    assert render("{name}", person(first_name=first, last_name=last), []).text == name


@pytest.mark.parametrize("written", ["{First_Name}", "{ first_name }", "{FIRST_NAME}"])
def test_case_and_spacing_of_a_name_do_not_matter(written):
    assert render(written, person(first_name="Sara"), []).text == "Sara"


def test_an_option_is_found_by_its_title_in_either_spelling():
    contact = person(options={"7": "تهران"})
    assert render("{كد شهري}", contact, [option("کد شهری")]).text == "تهران"


def test_a_built_in_name_wins_over_an_option_of_the_same_title():
    contact = person(company="Acme", options={"7": "other"})
    assert render("{company}", contact, [option("company")]).text == "Acme"


def test_a_date_is_written_in_the_calendar_of_the_message():
    contact = person(options={"7": "1992-10-08"})
    fields = [option("birthday", "date")]
    assert render("Born {birthday}", contact, fields).text == "Born 1992-10-08"
    assert render("تولد {birthday}", contact, fields).text == f"تولد {jalali(dt.date(1992, 10, 8))}"


def test_placeholders_come_in_their_order_with_fallbacks():
    assert placeholders("{a} {b|c} {b|}") == [Placeholder("a", None), Placeholder("b", "c"), Placeholder("b", "")]


class TestProblems:
    @pytest.fixture
    def book(self, db):
        account = make_account()
        return make_phonebook(account, options=(make_option(account, "شهر"),))

    @pytest.mark.parametrize("message", ["سلام", "{first_name}", "{name|x}", "{شهر}", "{prefix} {last_name} {company}"])
    def test_none(self, book, message):
        assert problems(message, [book]) == []

    @pytest.mark.parametrize("message", ["", "  \n "])
    def test_an_empty_message(self, book, message):
        assert "empty" in describe(problems(message, [book])[0])

    @pytest.mark.parametrize("message", ["{{first_name}}", "a } b", "{", "{first_name|{x}}"])
    def test_a_brace_of_no_placeholder(self, book, message):
        assert any("brace" in describe(problem) for problem in problems(message, [book]))

    def test_a_name_nobody_knows_is_told_once(self, book):
        (problem,) = problems("{city} {city} {first_name}", [book])
        assert "{city}" in describe(problem)

    def test_one_phonebook_that_knows_it_is_enough(self, book):
        assert problems("{شهر}", [make_phonebook(book.account), book]) == []
        assert problems("{شهر}", [make_phonebook(book.account)])
