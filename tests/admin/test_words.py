"""Codes that are stored as they are have words for people."""

from __future__ import annotations

from contactsync.admin.words import CALLBACK_WAYS, callback_label, field_label, operation_label
from providers.types import CallbackEventKind, CallbackKind, Operation


def test_every_operation_has_words() -> None:
    assert [operation for operation in Operation if operation_label(operation) == operation.value] == []


def test_every_event_of_a_call_back_has_words() -> None:
    assert [kind for kind in CallbackEventKind if callback_label(kind) == kind.value] == []


def test_every_way_of_calling_back_has_words() -> None:
    assert set(CALLBACK_WAYS) == {kind.value for kind in CallbackKind}


def test_an_option_in_a_plan_is_called_by_its_title_even_when_that_is_a_number() -> None:
    titles = {"7": "City", "12": "7"}
    assert field_label("option:City", titles) == "City"
    assert field_label("option:7", titles) == "7"
    assert field_label("option:12", {"12": "City"}) == "City"
    assert field_label("option:c", {}) == "c"
