"""Callbell: numbers, names and values of any spelling, read without ever breaking."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from providers.backends.callbell import Callbell, forms
from providers.backends.callbell.reading import remote_contact
from providers.types import ContactRecord, OptionKind, OptionValue
from providers.values import is_e164

from .callbell import UUID, contact

NUMBERS = st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z")
SIGNS = st.sampled_from(["", " ", "-", ".", "/", "(", ")"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(number=NUMBERS, signs=st.lists(SIGNS, min_size=16, max_size=16), start=st.sampled_from(["", "+", "00"]))
def test_a_number_is_the_same_however_it_is_spelt(number: str, signs: list[str], start: str) -> None:
    spelt = start + "".join(digit + sign for digit, sign in zip(number[1:], signs, strict=False))
    assert forms.e164(spelt) == number
    assert forms.digits(spelt) == forms.digits(number) == number[1:]
    assert Callbell.problem_with_number(number) is None


@given(value=st.text(max_size=30))
def test_what_is_no_number_stays_as_it_stands(value: str) -> None:
    read = forms.e164(value)
    assert is_e164(read) or read == value.strip()


@given(number=NUMBERS, name=st.text(max_size=30))
def test_only_the_number_itself_is_taken_for_no_name(number: str, name: str) -> None:
    assert forms.given_name(number, number) == ""
    assert forms.given_name(f"{name}a", number) == f"{name}a"


@given(
    values=st.lists(st.text(st.characters(exclude_characters=";", exclude_categories=["Cs"]), max_size=10), max_size=4)
)
def test_a_checkbox_is_read_back_as_it_was_sent(values: list[str]) -> None:
    wanted = OptionValue("; ".join(values), OptionKind.MULTIPLE)
    sent = forms.wire_value(wanted)
    assert sent == list(wanted.values)
    row = contact(uuid=UUID, customFields={"Interests": json.dumps(sent)})
    assert remote_contact(row).options == ({"Interests": "; ".join(sent)} if sent else {})


@given(value=ANYTHING)
def test_values_of_any_form_are_read_as_text(value: object) -> None:
    options = remote_contact(contact(uuid=UUID, customFields={"City": value})).options
    assert options is not None
    assert all(isinstance(text, str) and text for text in options.values())


@given(tags=st.lists(st.text(max_size=8), max_size=6), own=st.text(min_size=1, max_size=8))
def test_tags_keep_their_order_and_come_once(tags: list[str], own: str) -> None:
    joined = forms.joined((own,), tuple(tags))
    assert joined[0] == own
    assert len({name.casefold() for name in joined}) == len(joined)
    assert {name.casefold() for name in joined} == {name.casefold() for name in (own, *tags) if name}


@given(
    value=st.text(max_size=12),
    kind=st.sampled_from([OptionKind.INTEGER, OptionKind.DATE, OptionKind.TEXT, OptionKind.CHOICE, OptionKind.EMAIL]),
)
def test_a_value_is_sent_canonical_or_told_to_be_none(value: str, kind: OptionKind) -> None:
    record = ContactRecord("r", "+391110000001", options={"Field": OptionValue(value, kind)})
    if Callbell.problem_with_contact(record) is None:
        assert isinstance(forms.wire_value(record.options["Field"]), str)
    else:
        assert kind in {OptionKind.INTEGER, OptionKind.DATE}
