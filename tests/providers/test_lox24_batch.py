"""The parser of batch answers: whatever the shape, the same verdicts, and never a certainty that is not there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.backends.lox24.batch import parse_batch
from providers.types import ContactRecord, ItemOutcome, ItemResult

from .lox24 import record

STATUSES = st.sampled_from([200, 201, 400, 402, 404, 409, 422, 429, 500])
SAID = {"title": "An error occurred", "violations": [{"propertyPath": "phone", "message": "invalid value"}]}


def body_of(place: int, status: int, *, names_itself: bool = True) -> dict[str, Any]:
    if status >= 400:
        return dict(SAID)
    body: dict[str, Any] = {"id": str(900_000 + place)}
    if names_itself:
        body |= {"phone": record(place).phone, "callback_data": record(place).reference}
    return body


def elements_of(statuses: list[int], *, names_itself: bool = True) -> list[dict[str, Any]]:
    return [
        {"status": status, "body": body_of(place, status, names_itself=names_itself)}
        for place, status in enumerate(statuses)
    ]


def shapes(elements: list[dict[str, Any]]) -> dict[str, Any]:
    """Every form in which the same elements may come."""
    keyed = {str(index): element for index, element in enumerate(elements)}
    forms: dict[str, Any] = {
        "prefixed list": {"hydra:member": elements, "hydra:totalItems": len(elements)},
        "prefixed, keyed": {"hydra:member": keyed},
        "keyed in another order": {"member": dict(reversed(keyed.items()))},
        "list": {"member": elements, "totalItems": len(elements)},
        "bare": elements,
    }
    if len(elements) == 1:
        forms |= {"single": {"hydra:member": elements[0]}, "bare single": elements[0]}
    return forms


def parsed(data: Any, count: int) -> list[ItemResult]:
    return list(parse_batch(data, [record(place) for place in range(count)], str).items)


@given(st.lists(STATUSES, min_size=1, max_size=30), st.booleans())
def test_every_shape_gives_the_same_verdicts(statuses: list[int], names_itself: bool) -> None:
    verdicts = [
        parsed(data, len(statuses)) for data in shapes(elements_of(statuses, names_itself=names_itself)).values()
    ]
    assert all(verdict == verdicts[0] for verdict in verdicts)
    for place, (status, item) in enumerate(zip(statuses, verdicts[0], strict=True)):
        assert item.reference == record(place).reference
        if status < 300:
            assert (item.outcome, item.remote_id) == (ItemOutcome.DONE, str(900_000 + place))
        elif status in {402, 429, 500}:
            assert item.outcome is ItemOutcome.UNRESOLVED
        else:
            assert (item.outcome, item.params["words"]) == (ItemOutcome.REFUSED, "phone: invalid value")


@given(st.lists(STATUSES, min_size=1, max_size=12), st.data())
def test_in_any_order_nobody_gets_the_verdict_of_another(statuses: list[int], data: st.DataObject) -> None:
    elements = data.draw(st.permutations(elements_of(statuses)))
    kept = elements[: data.draw(st.integers(0, len(elements)))]
    for place, item in enumerate(parsed(kept, len(statuses))):
        if item.outcome is ItemOutcome.DONE:
            assert (statuses[place] < 300, item.remote_id) == (True, str(900_000 + place))
        if statuses[place] < 300 and item.outcome is not ItemOutcome.DONE:
            # Refusals name nobody. One is only ever laid on somebody by position or because nobody else is left.
            assert item.outcome is ItemOutcome.UNRESOLVED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["status", "body", "hydra:member", "member", "id", "0", "phone"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_nonsense_is_refused_or_leaves_everybody_open(data: Any) -> None:
    try:
        items = parsed(data, 2)
    except (TypeError, AttributeError, KeyError, ValueError):
        return
    assert len(items) == 2
    assert all(item.remote_id or item.message for item in items)


def test_numbers_are_compared_as_numbers() -> None:
    element = {"status": 201, "body": {"id": 5, "phone": "0049 152 00000001"}}
    other = {"status": 201, "body": {"id": 4, "phone": "4915200000000"}}
    assert [item.remote_id for item in parsed([element, other], 2)] == ["4", "5"]


def test_two_contacts_with_the_same_number_are_told_apart_by_our_reference() -> None:
    same = [ContactRecord("one", "+4915200000001"), ContactRecord("two", "+4915200000001")]
    rows = [
        {"status": 201, "body": {"id": "2", "phone": "+4915200000001", "callback_data": "two"}},
        {"status": 201, "body": {"id": "1", "phone": "+4915200000001", "callback_data": "one"}},
    ]
    assert [item.remote_id for item in parse_batch(rows, same, str).items] == ["1", "2"]


def test_refusals_in_an_order_that_is_not_kept_stay_open() -> None:
    done = {"status": 201, "body": body_of(3, 201)}
    refused = {"status": 422, "body": SAID}
    items = parsed([done, refused, refused, refused], 4)
    assert [item.outcome for item in items] == [ItemOutcome.UNRESOLVED] * 3 + [ItemOutcome.DONE]


def test_the_last_refusal_left_over_belongs_to_the_last_contact_left_over() -> None:
    items = parsed([{"status": 422, "body": SAID}, *elements_of([201, 201])], 3)
    assert [item.outcome for item in items] == [ItemOutcome.DONE, ItemOutcome.DONE, ItemOutcome.REFUSED]


def test_two_answers_about_one_contact_that_differ_leave_it_open() -> None:
    rows = [{"status": 201, "body": body_of(0, 201)}, {"status": 201, "body": {**body_of(0, 201), "id": "7"}}]
    assert [item.outcome for item in parsed(rows, 1)] == [ItemOutcome.UNRESOLVED]


def test_a_success_without_an_id_is_not_taken_for_one() -> None:
    assert [item.outcome for item in parsed([{"status": 201, "body": {}}], 1)] == [ItemOutcome.UNRESOLVED]


@pytest.mark.parametrize("body", [None, "no", {}, {"detail": ""}])
def test_a_refusal_without_words_says_so(body: object) -> None:
    (item,) = parsed([{"status": 400, "body": body}], 1)
    assert item.outcome is ItemOutcome.REFUSED
    assert "without saying why" in item.message
