"""Which replies ask for no more messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactsync.inbound.opt_out import LONGEST, WORDS, is_opt_out


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_word_counts(word: str) -> None:
    assert is_opt_out(word)
    assert is_opt_out(f"  {word.upper()}!\n")


@pytest.mark.parametrize(
    "text",
    ["STOP", "Stop.", "«STOP»", "ＳＴＯＰ", "لغو۱۱", "لغو ١١", "ا\u0650نصراف", "لغو\u200c", "Arrêt", "s\u200btop"],
)
def test_other_spellings_of_a_word_count(text: str) -> None:
    assert is_opt_out(text)


@pytest.mark.parametrize(
    "text", ["", " ", "!", "stop it, you are great", "don't stop", "bus stop", "لغو نشود", "11", "0", "stopped", "halt"]
)
def test_anything_else_is_left_to_a_person(text: str) -> None:
    assert not is_opt_out(text)


def test_eleven_means_it_in_iran_only() -> None:
    assert is_opt_out("۱۱", region="IR")
    assert not is_opt_out("11", region="DE")


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert not (is_opt_out(text) and len(text) > LONGEST)
