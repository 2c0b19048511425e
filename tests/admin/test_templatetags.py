"""How numbers, dates and states are shown."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation

from contactsync.models import Contact, Run
from contactsync.templatetags import contactsync as tags

MOMENT = dt.datetime(2026, 11, 21, 1, 48, tzinfo=dt.UTC)


def render(text: str, **context: object) -> str:
    return Template("{% load contactsync %}" + text).render(Context(context))


def test_a_phone_number_is_isolated_left_to_right() -> None:
    assert render("{{ phone|ltr }}", phone="+989121234567") == '<bdi dir="ltr" class="cs-code">+989121234567</bdi>'
    assert render("{% ltr phone %}", phone="+989121234567") == render("{{ phone|ltr }}", phone="+989121234567")


def test_what_is_shown_is_escaped() -> None:
    assert "<script>" not in render("{{ phone|ltr }}", phone="<script>")
    assert "<b>" not in tags.state_badge("new", "<b>")


@pytest.mark.parametrize("empty", ["", None])
def test_nothing_is_a_dash(empty: str | None) -> None:
    assert tags.ltr(empty) == "–"
    assert tags.when(None) == "–"
    assert tags.day(None) == "–"
    assert tags.number(None) == "–"
    assert tags.money(None) == "–"


def test_zero_is_a_number_not_nothing() -> None:
    assert tags.number(0) == "0"
    assert ">0<" in tags.ltr(0)
    assert "0 IRR" in tags.money(Decimal("0.0000"), "IRR")


def test_english_pages_show_the_gregorian_date_alone() -> None:
    with translation.override("en"):
        shown = tags.when(MOMENT)
    assert "2026-11-21 01:48" in shown
    assert "1405" not in shown


def test_persian_pages_show_the_jalali_date_beside_the_gregorian_one() -> None:
    with translation.override("fa"):
        shown = tags.when(MOMENT)
        assert "1371/07/16" in tags.day(dt.date(1992, 10, 8))
    assert shown.index("1405/08/30 01:48") < shown.index("2026-11-21 01:48")


@pytest.mark.parametrize(("language", "expected"), [("en", "1,250,000"), ("fa", "1,250,000"), ("de", "1.250.000")])
def test_thousands_are_grouped_as_the_language_does(language: str, expected: str) -> None:
    with translation.override(language):
        assert tags.number(1_250_000) == expected


def test_an_amount_has_no_trailing_noughts() -> None:
    with translation.override("en"):
        assert "1,250,000.5 IRR" in tags.money(Decimal("1250000.5000"), "IRR")
        assert ">100 EUR<" in tags.money(Decimal("100.0000"), "EUR")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "–"), (0.0, "1 ms"), (0.0042, "4 ms"), (0.9994, "999 ms"), (1.234, "1.23 s"), (30, "30 s")],
)
def test_how_long_something_took_is_said_in_the_unit_that_fits(seconds: float | None, said: str) -> None:
    assert tags.duration(seconds) == said


def test_a_hundred_percent_means_all() -> None:
    assert tags.percent(999, 1000) == "99%"
    assert tags.percent(1000, 1000) == "100%"
    assert tags.percent(0, 0) == "–"


def test_a_few_of_many_are_not_shown_as_none() -> None:
    assert ">&lt;1%<" in tags.percent(4, 440)
    assert tags.percent(0, 440) == "0%"


def test_a_badge_says_the_state_in_words_and_colour() -> None:
    shown = render("{% badge run %}{% badge contact 'sync_state' %}", run=Run(state="attention"), contact=Contact())
    assert "cs-badge--bad" in shown
    assert "needs a decision" in shown
    assert "not pushed yet" in shown


def test_every_state_of_every_row_has_a_tone_that_the_style_sheet_knows() -> None:
    assert set(tags.TONES.values()) <= {"good", "busy", "info", "warn", "bad", "neutral"}
    assert tags.tone("something new") == "neutral"


def test_a_bar_without_a_total_has_no_end() -> None:
    assert "value" not in tags.bar(5, None)
    assert 'max="100" value="42"' in tags.bar(42, 100)
    assert 'value="100"' in tags.bar(120, 100)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [(20, "just now"), (60, "1 minute ago"), (3000, "50 minutes ago"), (7200, "2 hours ago"), (400_000, "4 days ago")],
)
def test_age_is_told_in_the_largest_unit(time_machine_at: None, ago: int, expected: str) -> None:
    assert tags.age(MOMENT - dt.timedelta(seconds=ago)) == expected


@pytest.fixture
def time_machine_at() -> object:
    import time_machine

    with time_machine.travel(MOMENT, tick=False):
        yield


def test_words_are_listed_with_the_commas_of_the_language() -> None:
    with translation.override("en"):
        assert tags.listed(["a", 2]) == "a, 2"
    with translation.override("fa"):
        assert tags.listed(["الف", "ب"]) == "الف، ب"


@pytest.mark.parametrize(
    ("language", "count", "expected"),
    [("en", 1, "contact"), ("en", 0, "contacts"), ("en", 440, "contacts"), ("fa", 1, "مخاطب"), ("fa", 440, "مخاطب")],
)
def test_rows_are_called_by_the_rules_of_the_language(language: str, count: int, expected: str) -> None:
    with translation.override(language):
        assert tags.counted(Contact._meta, count) == expected


def test_a_date_in_a_plain_text_is_in_the_calendar_of_the_language() -> None:
    with translation.override("en"):
        assert tags.day_in_words(dt.date(2026, 11, 21)) == "2026-11-21"
    with translation.override("fa"):
        assert tags.day_in_words(dt.date(2026, 11, 21)) == "1405/08/30"
