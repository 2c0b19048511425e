"""The short way from a cell to what it says, and the long one, end at the same verdict."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from django.core.validators import validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from contactsync.imports.cells import _ORDINARY_EMAIL, _PLAIN_VALUES
from contactsync.imports.check import judge
from contactsync.imports.plan import OptionField, Place, Plan
from contactsync.imports.read import _NOTHING, Row, has_content
from contactsync.options import parse_option
from contactsync.text import clean, is_formula
from tests.long_way import the_long_way

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
FIELDS = ("phone", "first_name", "last_name", "full_name", "company", "email", "tags", "note", "consented_at")
KINDS = {"text": (), "integer": (), "date": (), "email": (), "choice": ("رشت", "تهران"), "multiple": ("A", "B")}
PLACES = tuple(Place(n, f"column {n}", field) for n, field in enumerate(FIELDS)) + tuple(
    Place(len(FIELDS) + n, kind, f"option:{n}", OptionField(str(n), kind, choices))
    for n, (kind, choices) in enumerate(KINDS.items())
)
PLAN = Plan("IR", PLACES, len(PLACES), NOON)
CELLS = (
    "", " ", "\u200c", "\x00", "\u00a0", "\u202a\u202c", "\x1f", "Ali", "علی", "علي", " علی  رضایی ", "حسین‌زاده", "علی\u200c", "=1+1", "'=1+1", "'", "+1", "-", "-3", "@x",
    "x" * 256, "x" * 2001, "é", "e\u0301", "Straße", "İstanbul", "«رشت»", "رشت", "ﺭﺷﺖ", "تهران", "A; B", "b,a", "1", "۱۲", "٣", "007",
    "1,234,567", "1.5", "9" * 18, "9" * 19, "9" * 20, "-12", "1371/07/16", "۱۳۷۱/۰۷/۱۶", "1371-7-6", "1371/12/30", "1399/12/30",
    "1399/12/31", "1400/13/01", "1371/07/16 10:30", "1992-10-08", "2023-02-29", "16.07.1992", "05/06/1992", "1100/01/01", "1700.1.1",
    "71/7/16", "13710716", "45000", "0000/00/00", "09121234567", "0912 123 4567", "۰۹۱۲۱۲۳۴۵۶۷", "+989121234567", "9121234567", "0912",
    "02188776655", "09121234567/09351234567", "((", "0171/1234567", "9121234567.0", "9121234567,00", "+9121234567.0", "9.89E+11", "+491711234567", "a@b.de", "A.B+c@Example.COM", "a@b", "a..b@c.de",
    "a@b.de ", "@b.de", "a@-b.de", "a@b.de,c@d.de", "ali@مثال.ir", "'a'@b.de", "yes", "بله", "نه", "vip, رشت; =1", "�", "👨‍👩‍👧",
)  # fmt: skip


def same_both_ways(cells: list[str]) -> None:
    short = judge(Row(1, 2, cells), PLAN)
    with the_long_way():
        long = judge(Row(1, 2, cells), PLAN)
    assert short == long


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_says_the_same_in_every_column(cell: str) -> None:
    same_both_ways([cell] * len(PLACES))


@pytest.mark.parametrize("cell", ["", "\u200c", "\u202a\u202c", "\x1f"])
def test_a_consent_that_nobody_sees_is_none(cell: str) -> None:
    place = Place(1, "consent", "consented_at")
    row = judge(Row(1, 2, ["09121234567", cell]), Plan("IR", (Place(0, "phone", "phone"), place), 2, NOON))
    assert row.fields == {}
    assert not row.problems


def test_rows_of_any_cells_are_judged_the_same() -> None:
    dice = random.Random(4)
    for _ in range(300):
        same_both_ways(dice.choices(CELLS, k=len(PLACES) + dice.choice([-9, -1, 0, 0, 0, 1])))


@given(st.lists(st.one_of(st.sampled_from(CELLS), st.text(max_size=12)), min_size=1, max_size=len(PLACES)))
def test_rows_of_any_text_are_judged_the_same(cells: list[str]) -> None:
    same_both_ways(cells)


@given(st.text(_NOTHING))
def test_nothing_remains_of_a_cell_in_which_nobody_sees_anything(cell: str) -> None:
    """So that most columns need not look for content first."""
    assert not has_content(cell)
    assert clean(cell) == ""


@given(st.from_regex(_ORDINARY_EMAIL, fullmatch=True))
@example(f"a@{'b' * 63}.de")
@example(f"a@{'-'.join('b' * 32)}.{'c' * 63}")
@example("a--b@c--d.xn--e")
def test_an_ordinary_address_is_an_address_for_django(address: str) -> None:
    if _ORDINARY_EMAIL.fullmatch(address) and len(address) <= 254:  # the limit of the column, asked first
        validate_email(address)
        assert clean(address) == address


@given(st.text("abAB09._%+-@ñ\n\u200c", max_size=20))
@example("a@b.de\n")
@example("a@b.c")
@example("a@b..de")
@example(".a@b.de")
@example("a.@b.de")
@example("a@b.d-e")
@example(f"a@{'b' * 64}.de")
def test_what_looks_like_an_ordinary_address_is_one(text: str) -> None:
    if _ORDINARY_EMAIL.fullmatch(text):
        validate_email(text)


@pytest.mark.parametrize("kind", _PLAIN_VALUES)
@given(text=st.one_of(st.sampled_from(CELLS), st.text("0123456789۰۱۲٣/-. ", max_size=12), st.text(max_size=12)))
def test_a_plain_value_is_the_value(kind: str, text: str) -> None:
    value = _PLAIN_VALUES[kind](text)
    with the_long_way():
        verdict = parse_option(text, kind)
    if value:
        assert verdict.value == value
        assert not is_formula(value) or kind == "integer"
        assert verdict.note_code != "time_dropped"
