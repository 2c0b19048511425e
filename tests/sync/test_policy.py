"""The error table, line by line."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from contactsync.sync.policy import InternalError, Verdict, judge, pause_before_retry
from providers.exceptions import (
    AuthFailed,
    InsufficientFunds,
    Misconfigured,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Throttled,
    Unsupported,
)
from providers.types import Capabilities, Operation

CREATE, SEND, BOOK = Operation.CREATE_CONTACTS, Operation.SEND_TO_NUMBERS, Operation.CREATE_PHONEBOOK
LIMITS = Capabilities(
    operations=frozenset(Operation),
    # A send is never repeated, whatever a backend claims.
    safe_to_repeat=frozenset({CREATE, SEND}),
    option_kinds=frozenset(),
    option_identity="id",
)


@pytest.mark.parametrize(
    ("error", "write", "send"),
    [
        (Misconfigured("x"), Verdict.PAUSE_ACCOUNT, Verdict.PAUSE_ACCOUNT),
        (AuthFailed("x"), Verdict.PAUSE_ACCOUNT, Verdict.PAUSE_ACCOUNT),
        (Unsupported("x"), Verdict.FAIL_ITEM, Verdict.FAIL_ITEM),
        (Rejected("x"), Verdict.FAIL_ITEM, Verdict.FAIL_ITEM),
        (NotFound("x"), Verdict.FAIL_ITEM, Verdict.FAIL_ITEM),
        (InsufficientFunds("x"), Verdict.STOP_RUN, Verdict.STOP_RUN),
        (Throttled("x"), Verdict.RETRY, Verdict.RETRY),
        (NotSent("x"), Verdict.RETRY, Verdict.RETRY),
        (OutcomeUnknown("x"), Verdict.RETRY, Verdict.UNKNOWN),
        (InternalError("ValueError"), Verdict.UNKNOWN, Verdict.UNKNOWN),
        (ProviderError("x"), Verdict.UNKNOWN, Verdict.UNKNOWN),
    ],
)
def test_the_class_of_the_error_decides(error: ProviderError, write: Verdict, send: Verdict) -> None:
    assert judge(error, operation=CREATE, capabilities=LIMITS) is write
    assert judge(error, operation=SEND, capabilities=LIMITS) is send


def test_what_is_not_safe_to_repeat_is_looked_for_first() -> None:
    assert judge(OutcomeUnknown("x"), operation=BOOK, capabilities=LIMITS) is Verdict.UNKNOWN
    assert judge(NotSent("x"), operation=BOOK, capabilities=LIMITS) is Verdict.RETRY


def test_a_throttled_send_is_unknown_where_identical_sends_are_refused_for_a_while() -> None:
    limits = dataclasses.replace(LIMITS, duplicate_send_window=dt.timedelta(seconds=40))
    assert judge(Throttled("x"), operation=SEND, capabilities=limits) is Verdict.UNKNOWN
    assert judge(Throttled("x"), operation=CREATE, capabilities=limits) is Verdict.RETRY


def test_an_operation_may_come_as_text_from_a_row() -> None:
    assert judge(OutcomeUnknown("x"), operation="send_to_numbers", capabilities=LIMITS) is Verdict.UNKNOWN
    assert judge(OutcomeUnknown("x"), operation="create_contacts", capabilities=LIMITS) is Verdict.RETRY


def test_pauses_double_up_to_a_bound_and_the_provider_is_heeded() -> None:
    assert [pause_before_retry(attempt, NotSent("x")) for attempt in (0, 1, 2, 3, 40)] == [0.5, 0.5, 1, 2, 30]
    assert pause_before_retry(1, Throttled("x", retry_after=90)) == 90
    assert pause_before_retry(3, Throttled("x")) == 2
