"""Text hygiene: one spelling of what looks the same, nothing invisible, and no formula for the next spreadsheet."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contactsync.text import (
    ascii_digits,
    clean,
    defuse,
    excel_text,
    fold,
    from_excel_text,
    gettext_noop,
    is_formula,
    printable,
    undefused,
)

tricky = st.text(
    st.one_of(
        st.sampled_from("يىكی\u200c\u200d\u200f\u202b\u2067\ufeff \u00a0\n\t\x00\u0654\u0301eéآاأةۀﻣﷲ۱٢3👨👩\ufe0f"),
        st.characters(),
    )
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("  علي   رضايي ", "علی رضایی"),
        ("كيانا", "کیانا"),
        ("موسى", "موسی"),
        ("فاطمه\u200cسادات", "فاطمه\u200cسادات"),
        ("می\u200c\u200cخواهم", "می\u200cخواهم"),
        ("\u200cرضا\u200c", "رضا"),
        ("رضا \u200c کریمی", "رضا کریمی"),
        ("Anna\u200cMaria", "AnnaMaria"),
        ("\u200f\u202bسارا\u202c", "سارا"),
        ("\ufeffphone", "phone"),
        ("a\u00a0b\u2009c", "a b c"),
        ("line one\r\nline two", "line one line two"),
        ("Mu\u0308ller", "Müller"),
        ("null\x00byte", "nullbyte"),
        ("half \ud800 pair", "half pair"),
        ("ﻣﺤﻤﺪ", "محمد"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("soft\u00adhyphen", "softhyphen"),
        ("۱۲۳", "۱۲۳"),
    ],
)
def test_text_is_kept_as_a_person_meant_it(written: str, meant: str) -> None:
    assert clean(written) == meant


@given(tricky)
def test_clean_text_stays_as_it_is(text: str) -> None:
    once = clean(text)
    assert clean(once) == once


@given(tricky)
def test_clean_text_can_be_stored_anywhere_on_one_line(text: str) -> None:
    kept = clean(text)
    assert kept == kept.strip()
    assert "\x00" not in kept
    assert len(kept.splitlines()) <= 1
    assert unicodedata.is_normalized("NFC", kept)
    kept.encode()


@given(st.text(st.sampled_from("abآابپکیگءؤئۀيكى،«»…–ğŁ\u200c \u00a0\t۱٢éß-'\u0654\u064e\u0301")))
def test_the_short_way_for_clean_words_gives_what_the_long_way_gives(text: str) -> None:
    assert clean(text) == clean(f"\u2060{text}\u2060")  # marks that nobody sees send it the long way


def test_the_short_way_is_right_for_every_character() -> None:
    for character in map(chr, range(0x3000)):
        for text in (character, f"a{character}b", f"ا{character}ب"):
            assert clean(text) == clean(f"\u2060{text}\u2060"), ascii(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("شماره\u200cتلفن", "شماره تلفن"),
        ("نام خانوادگي", "نام خانوادگی"),
        ("آدرس", "ادرس"),
        ("مسئول", "مسيول"),
        ("خانهٔ", "خانه"),
        ("خانۀ", "خانه"),
        ("مؤسسة", "موسسه"),
        ("مُحَمَّد", "محمد"),
        ("شـــماره", "شماره"),
        ("تلفن ۱", "تلفن 1"),
        ("E-MAIL", "e-mail"),
        ("Straße", "STRASSE"),
        ("García", "garcia"),
        ("Téléphone", "telephone"),
        ("Ｐｈｏｎｅ", "phone"),
        ("\ufeffPhone ", "phone"),
    ],
)
def test_what_people_take_for_the_same_folds_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_different_words_stay_different() -> None:
    words = ["نام", "نام خانوادگی", "تلفن", "phone", "name", "first name", "رضا", "مرضیه", "2", "20"]
    assert len({fold(word) for word in words}) == len(words)


@given(tricky)
def test_folded_text_stays_as_it_is(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(tricky)
def test_folding_does_not_mind_the_case(text: str) -> None:
    assert fold(text.upper()) == fold(text.upper().lower()) or not text.isascii()
    assert fold(clean(text)) == fold(text)


@given(st.integers(0, 10**20), st.sampled_from(["۰۱۲۳۴۵۶۷۸۹", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "０１２３４５６７８９"]))
def test_digits_of_every_script_become_ascii(number: int, script: str) -> None:
    assert ascii_digits(str(number).translate(str.maketrans("0123456789", script))) == str(number)


@given(st.text(st.characters(categories=["Nd"]), min_size=1))
def test_no_script_is_left_out(text: str) -> None:
    assert ascii_digits(text) == "".join(str(unicodedata.decimal(character)) for character in text)
    assert ascii_digits(text).isascii()


@given(st.text())
def test_only_digits_change(text: str) -> None:
    changed = ascii_digits(text)
    assert len(changed) == len(text)
    assert all(a == b or (a.isdecimal() and int(a) == int(b)) for a, b in zip(text, changed, strict=True))


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        '=HYPERLINK("http://example.org";"click")',
        "+1+1",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(A1)",
        " =1+1",
        "\t=1",
        "\rtext",
        "\n=1",
        "＝1+1",
        "-1-2",
        "+98 912 000 1234 (A1)",
        "-A1",
    ],
)
def test_what_a_spreadsheet_would_calculate_is_defused(cell: str) -> None:
    assert is_formula(cell)
    assert defuse(cell) == "'" + cell


@pytest.mark.parametrize(
    "cell", ["", "Ali", "+989120001234", "-3", "+5", "-1.5", "-1,5", "-", "--", "0912-000", "a=b", "'abc", "علی", "۱۲"]
)
def test_harmless_cells_are_left_alone(cell: str) -> None:
    assert not is_formula(cell)
    assert defuse(cell) == cell


@given(st.text())
@example("=")
def test_defused_is_defused(text: str) -> None:
    assert not is_formula(defuse(text))
    assert defuse(text).endswith(text)


def test_marking_for_translation_changes_nothing() -> None:
    assert gettext_noop("A sentence.") == "A sentence."


@given(st.one_of(st.text(), st.text("'=+-@\" \t1a")))
@example("'=1+1")
@example('="Ali"')
def test_what_was_defused_is_read_as_it_was(text: str) -> None:
    assert undefused(defuse(text)) == text


def test_the_name_of_a_file_keeps_what_joins_its_letters_and_loses_what_hides() -> None:
    assert printable("اصلاح\u200cشده\u202e.xlsx\x00\n") == "اصلاح\u200cشده.xlsx"


@given(st.one_of(st.text(), st.text("_x05FfDd8a")))
@example("_x005F_x000D_")
def test_what_was_written_for_excel_is_read_as_it_was(text: str) -> None:
    assert from_excel_text(excel_text(text)) == text


def test_codes_that_excel_writes_are_the_characters_they_stand_for() -> None:
    assert from_excel_text("Hi_x000D_\n_x0041__x005F_x000D_") == "Hi\r\nA_x000D_"
    assert from_excel_text("_x0000_ _xD83D__xde00_") == "_x0000_ _xD83D__xde00_"
