"""SMS parts, counted as networks count them and compared with an independent library."""

from __future__ import annotations

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st
from smsutil.codecs import GSM_BASIC_CHARSET, GSM_EXT_CHARSET

from contactsync.segments import count_parts, non_gsm_characters

# smsutil counts the escape (0x1B) among the characters of the basic table. In 3GPP TS 23.038 it is not a character:
# it announces one of the extension table. A text that holds U+001B is therefore UCS-2 here and GSM-7 there.
ESCAPE = "\x1b"
gsm_texts = st.text(st.sampled_from(GSM_BASIC_CHARSET.replace(ESCAPE, "") + GSM_EXT_CHARSET * 4), max_size=700)
unicode_texts = st.text(
    st.one_of(st.characters(exclude_characters=ESCAPE), st.sampled_from("سلام😀👍€{")), max_size=300
)


def assert_as_smsutil(text: str) -> None:
    # smsutil says one part for an empty text, which nobody sends and nobody pays.
    ours, theirs = count_parts(text), smsutil.split(text)
    unit = 1 if theirs.encoding == "gsm0338" else 2
    assert ours.encoding == ("GSM-7" if unit == 1 else "UCS-2")
    assert ours.count == len(theirs.parts)
    assert ours.units == theirs.total_bytes // unit
    assert ours.remaining == ours.per_part - theirs.parts[-1].bytes // unit


@given(gsm_texts.filter(bool))
def test_gsm_texts_have_the_parts_that_smsutil_counts(text: str) -> None:
    assert_as_smsutil(text)


@given(unicode_texts.filter(bool))
def test_unicode_texts_have_the_parts_that_smsutil_counts(text: str) -> None:
    assert_as_smsutil(text)


@given(st.integers(0, 330), st.integers(0, 330), st.sampled_from(["a€", "س😀"]))
def test_pairs_at_every_border_have_the_parts_that_smsutil_counts(before: int, after: int, kinds: str) -> None:
    assert_as_smsutil(kinds[0] * before + kinds[1] + kinds[0] * after)
    assert_as_smsutil(kinds[1] * (before + 1) + kinds[0] * after)


def test_an_escape_character_is_not_gsm() -> None:
    assert count_parts(ESCAPE).encoding == "UCS-2"
    assert smsutil.split(ESCAPE).encoding == "gsm0338"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count", "per_part", "remaining"),
    [
        ("", "GSM-7", 0, 0, 160, 160),
        ("a", "GSM-7", 1, 1, 160, 159),
        ("a" * 160, "GSM-7", 160, 1, 160, 0),
        ("a" * 161, "GSM-7", 161, 2, 153, 145),
        ("a" * 306, "GSM-7", 306, 2, 153, 0),
        ("a" * 307, "GSM-7", 307, 3, 153, 152),
        ("€" * 80, "GSM-7", 160, 1, 160, 0),
        ("€" * 81, "GSM-7", 162, 2, 153, 143),  # 76 in the first part, one septet left empty, 5 in the second
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3, 153, 152),  # the pair moves, and the last letter with it
        ("س" * 70, "UCS-2", 70, 1, 70, 0),
        ("س" * 71, "UCS-2", 71, 2, 67, 63),
        ("س" * 134, "UCS-2", 134, 2, 67, 0),
        ("س" * 135, "UCS-2", 135, 3, 67, 66),
        ("س" * 66 + "😀" + "س" * 66, "UCS-2", 134, 3, 67, 66),
        ("\f^{}\\[~]|", "GSM-7", 18, 1, 160, 142),
    ],
)
def test_the_borders_are_where_the_standard_has_them(
    text: str, encoding: str, units: int, count: int, per_part: int, remaining: int
) -> None:
    parts = count_parts(text)
    assert (parts.encoding, parts.units, parts.count) == (encoding, units, count)
    assert (parts.per_part, parts.remaining) == (per_part, remaining)


@given(st.text(max_size=400))
def test_the_parts_hold_the_text_and_not_more(text: str) -> None:
    parts = count_parts(text)
    assert 0 <= parts.remaining <= parts.per_part
    assert parts.units <= parts.count * parts.per_part - parts.remaining or parts.count <= 1
    assert count_parts(text + "a").count >= parts.count


def test_the_characters_that_make_a_text_dear_are_shown_with_their_places() -> None:
    assert non_gsm_characters("Hi Zoë, “ok”") == [(5, "ë"), (8, "“"), (11, "”")]
    assert non_gsm_characters("Grüße {code} für 5 €") == []


@given(st.text())
def test_a_text_is_gsm_exactly_when_no_character_makes_it_dear(text: str) -> None:
    assert (count_parts(text).encoding == "GSM-7") == (not non_gsm_characters(text))
