"""IPPanel: contacts there and back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from providers.backends.ippanel import IPPanel, forms
from providers.exceptions import (
    OutcomeUnknown,
)
from providers.sandbox import SandboxServer
from providers.types import (
    BookRef,
    ContactRecord,
    ItemOutcome,
    OptionKind,
    OptionValue,
)

from .ippanel import BOOK, answer, record
from .servers import Recorder


@pytest.mark.parametrize(
    ("counters", "outcome"),
    [
        ({"added": 3, "errors": 0, "existences": 0}, ItemOutcome.DONE),
        ({"added": "3", "errors": "0", "existences": "0"}, ItemOutcome.DONE),
        ({"added": 0, "errors": 0, "existences": 3}, ItemOutcome.EXISTED),
        ({"added": 0, "errors": 3, "existences": 0}, ItemOutcome.REFUSED),
        ({"added": 2, "errors": 0, "existences": 1}, ItemOutcome.UNRESOLVED),
        ({"added": 2, "errors": 1, "existences": 0}, ItemOutcome.UNRESOLVED),
        ({"added": 2, "errors": 0, "existences": 0}, ItemOutcome.UNRESOLVED),
        ({"added": 4, "errors": 0, "existences": 0}, ItemOutcome.UNRESOLVED),
        ({"added": 0, "errors": 0, "existences": 0}, ItemOutcome.UNRESOLVED),
    ],
)
def test_totals_become_outcomes_only_where_they_leave_no_doubt(
    scripted: IPPanel, recorder: Recorder, counters: dict[str, Any], outcome: ItemOutcome
) -> None:
    recorder.will_answer(answer(counters, message_code="201-1"), status=201)
    result = scripted.create_contacts(BOOK, [record(1), record(2), record(3)])
    assert [item.outcome for item in result.items] == [outcome] * 3
    assert [item.reference for item in result.items] == ["r1", "r2", "r3"]
    assert result.counters == {name: int(value) for name, value in counters.items()}
    for item in result.items:
        assert item.message % item.params == item.message % dict(item.params)


@pytest.mark.parametrize("data", [None, {}, {"added": 1, "errors": 0}, {"added": -1, "errors": 1, "existences": 1}, []])
def test_totals_that_cannot_be_read_are_unknown(scripted: IPPanel, recorder: Recorder, data: object) -> None:
    recorder.will_answer(answer(data))
    with pytest.raises(OutcomeUnknown):
        scripted.create_contacts(BOOK, [record()])


def test_more_than_the_largest_batch_is_a_bug_and_no_call(scripted: IPPanel, recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="1001 contacts"):
        scripted.create_contacts(BOOK, [record()] * 1001)
    assert recorder.asked == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("+989120000001", "+989120000001"),
        ("989120000001", "+989120000001"),
        ("00989120000001", "+989120000001"),
        ("09120000001", "+989120000001"),
        ("9120000001", "+989120000001"),
        ("0912 000-0001", "+989120000001"),
        ("+983000505", "+983000505"),
        ("3000505", "3000505"),
        ("ناشناس", "ناشناس"),
        (None, ""),
    ],
)
def test_numbers_are_read_back_as_e164_where_that_can_be_told(written: str | None, read: str) -> None:
    assert forms.e164(written) == read


def test_a_contact_of_another_number_is_not_taken_for_the_one_looked_for(scripted: IPPanel, recorder: Recorder) -> None:
    rows = [{"id": 1, "number": "+989120000010"}, {"id": 2, "number": "09120000001", "name": None, "pre": None}]
    recorder.will_answer(answer(rows, last_page=1))
    found = scripted.find_contact(BOOK, "+989120000001")
    assert found is not None
    assert (found.remote_id, found.name, found.prefix) == ("2", "", "")


@pytest.mark.parametrize(
    ("flags", "opted_out"),
    [
        ({}, None),
        ({"is_send_blacklist": False, "is_receive_blacklist": False}, False),
        ({"is_send_blacklist": True, "is_receive_blacklist": False}, True),
        ({"is_send_blacklist": 0, "is_receive_blacklist": 1}, True),
    ],
)
def test_a_blacklisted_contact_is_opted_out(
    scripted: IPPanel, recorder: Recorder, flags: dict[str, object], opted_out: bool | None
) -> None:
    recorder.will_answer(answer({"id": 55, "number": "+989120000001", "tags": [], **flags}))
    assert scripted.get_contact("55").is_opted_out is opted_out


def test_only_contacts_created_since_are_listed(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    book = state.add_phonebook("Newsletter")
    state.add_contact(book, "+989120000001")
    sandbox.advance(3600)
    state.add_contact(book, "+989120000002")
    since = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=30)
    found = ippanel.list_contacts(BookRef(str(book.id)), created_since=since)
    assert [contact.phone for contact in found] == ["+989120000002"]


@pytest.mark.parametrize(
    ("contact", "words"),
    [
        (record(), None),
        (record(phone="+982188888888"), None),
        (record(phone="+491701234567"), "Iranian numbers only"),
        (record(phone="09120000001"), "Iranian numbers only"),
        (record(phone="+98912000000۱"), "Iranian numbers only"),
        (record(options={"701": OptionValue("15", OptionKind.INTEGER)}), None),
        (record(options={"701": OptionValue("", OptionKind.DATE)}), None),
        (record(options={"": OptionValue("15", OptionKind.INTEGER)}), "has no number"),
        (record(options={"age": OptionValue("15", OptionKind.INTEGER)}), "has no number"),
        (record(options={"701": OptionValue("1.5", OptionKind.INTEGER)}), "not a value"),
        (record(options={"701": OptionValue("1371/07/16", OptionKind.DATE)}), "not a value"),
        (record(options={"701": OptionValue("a", OptionKind.CHOICE)}), "kind “choice”"),
    ],
)
def test_a_contact_ippanel_cannot_take_is_told_without_a_call(contact: ContactRecord, words: str | None) -> None:
    problem = IPPanel.problem_with_contact(contact)
    assert (problem is None) == (words is None)
    if problem and words:
        assert words in str(problem)
