"""Import, then undo: as if nothing had been. Undo, then redo: as after the import."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contactsync.imports.read import is_blank_row
from contactsync.imports.undo_cases import OFFERS
from contactsync.models import Contact, ImportJob, ImportUndoChange, Phonebook, Recipient
from tests.factories import make_campaign, make_contact
from tests.imports.files import checked, imported, make_book
from tests.imports.undoing import parts, redone, rows_of, undone

pytestmark = pytest.mark.django_db(transaction=False)
WORDS = st.sampled_from(["", "", "Ali", "سارا", "=1+1", " x ", "O'Neill"])
NUMBERS = st.sampled_from([f"0912123456{n}" for n in range(8)] + ["", "12", "+98 912 123 4563", "9.89E+11"])
CONSENT = st.sampled_from(["", "", "yes", "no", "2024-05-06", "2024-05-06 10:11", "soon"])
#: a file in which no row says anything is refused before it is an import
ROWS = st.lists(st.tuples(NUMBERS, WORDS, WORDS, WORDS, WORDS, CONSENT), min_size=1, max_size=12).filter(
    lambda rows: not all(map(is_blank_row, rows))
)
STATES = st.sampled_from(
    ["new", "changed", "impossible", "synced", "failed", "failed_there", "unknown", "missing", "deleted"]
)
EXISTING = st.dictionaries(st.integers(0, 7), st.tuples(STATES, WORDS, WORDS, st.booleans()), max_size=6)


def _make(book: Phonebook, option: str, number: int, state: str, first: str, value: str, consent: bool) -> None:
    """A contact in a state that the software itself can leave it in."""
    fields: dict[str, Any] = {"first_name": first.strip(), "tags": ["a", "b"] if consent else []}
    if value:
        fields["options"] = {option: value, "999": "an option of old"}
    if consent:
        fields |= {"consented_at": dt.datetime(2020, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC), "consent_source": "fair"}
    row = make_contact(book, f"+98912123456{number}", **fields)
    there = {"remote_id": f"r{number}", "pushed_at": timezone.now(), "pushed_payload": {"phone": row.phone}}
    refused = {"pushed_hash": row.payload_hash, "sync_error": {"message": "no"}}
    told: dict[str, dict[str, Any]] = {
        "new": {},
        "changed": {**there, "pushed_hash": "0" * 64},
        "impossible": {**there, "pushed_hash": "0" * 64, "sync_error": {"message": "too long"}},
        "synced": {**there, "pushed_hash": row.payload_hash},
        "failed": refused,
        "failed_there": {**there, **refused},
        "unknown": {"sync_error": {"message": "?"}},
        "missing": {**there, "pushed_hash": row.payload_hash},
        "deleted": {**there, "pushed_hash": row.payload_hash, "deleted_at": timezone.now()},
    }
    known = {"failed_there": "failed", "impossible": "changed", "deleted": "synced"}.get(state, state)
    Contact.objects.filter(pk=row.pk).update(sync_state=known, **told[state])


def _happen(book: Phonebook, option: str, number: int, what: str) -> None:
    """Something that happens to a contact after the import."""
    row = Contact.objects.filter(phonebook=book, phone=f"+98912123456{number}").first()
    if row is None:
        return
    this, now = Contact.objects.filter(pk=row.pk), timezone.now()
    if what == "name":
        row.first_name = "edited"
    elif what == "option":
        row.options = {**row.options, option: "edited"}
    elif what == "number":
        row.phone = f"+98912999000{number}"
    elif what == "push":
        this.update(
            sync_state="synced", pushed_hash=row.payload_hash, pushed_at=now, remote_id=f"p{number}", sync_error={}
        )
    elif what == "refused":
        this.update(sync_state="failed", pushed_hash=row.payload_hash, sync_error={"message": "no"})
    elif what == "impossible":
        this.update(sync_error={"message": "too long"})
    elif what == "message":
        campaign = make_campaign(book.account, prepared_at=now)
        Recipient.objects.create(campaign=campaign, contact=row, phone=row.phone, state="accepted")
    elif what == "mark":
        this.update(deleted_at=now)
    elif what == "delete":
        this.delete()
    if what in {"name", "option", "number"}:
        row.save()


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.sampled_from(["name", "option", "number", "push", "refused", "impossible", "message", "mark", "delete"]),
    ),
    max_size=8,
)
CHOICES = st.fixed_dictionaries({case: st.sampled_from(offers) for case, offers in OFFERS.items()})


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=ROWS, existing=EXISTING, events=EVENTS, choices=CHOICES)
def test_whatever_happened_since_and_whatever_is_chosen_a_redo_takes_it_all_back(
    rows: list[tuple[str, ...]],
    existing: dict[int, tuple[str, str, str, bool]],
    events: list[tuple[int, str]],
    choices: dict[str, str],
) -> None:
    book, option, job = _imported(rows, existing)
    for number, what in events:
        _happen(book, option, number, what)
    if not job.counts["created"] + job.counts["updated"]:
        return
    after, recipients = rows_of(book), list(Recipient.objects.order_by("pk").values_list("pk", "contact_id"))
    found = undone(job, **choices)
    actions = parts(found, "actions")
    assert "moved" not in actions
    changed = sum(actions.get(action, 0) for action in ImportUndoChange.CHANGING)
    redone(found)
    assert parts(found, "actions") == actions
    assert found.counts.get("redone", {}) == ({"done": changed} if changed else {})
    assert rows_of(book) == after
    assert list(Recipient.objects.order_by("pk").values_list("pk", "contact_id")) == recipients


def _imported(
    rows: list[tuple[str, ...]], existing: dict[int, tuple[str, str, str, bool]]
) -> tuple[Phonebook, str, ImportJob]:
    book, option = _book(existing)
    return book, option, imported(book, _text(rows), mapping=_mapping(option))


def _book(existing: dict[int, tuple[str, str, str, bool]]) -> tuple[Phonebook, str]:
    book, options = make_book(City="text")
    option = str(options["City"].pk)
    for number, (state, first, value, consent) in existing.items():
        _make(book, option, number, state, first, value, consent)
    return book, option


def _text(rows: list[tuple[str, ...]]) -> str:
    lines = [",".join(f'"{cell}"' for cell in row) for row in rows]
    return "\n".join(["phone,first,last,tags,City,consent", *lines, ""])


def _mapping(option: str) -> dict[str, str]:
    names = ("phone", "first_name", "last_name", "tags", f"option:{option}", "consented_at")
    return {str(place): name for place, name in enumerate(names)}


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=ROWS, existing=EXISTING)
def test_import_and_undo_is_nothing_and_undo_and_redo_is_the_import(
    rows: list[tuple[str, ...]], existing: dict[int, tuple[str, str, str, bool]]
) -> None:
    book, option = _book(existing)
    text, mapping = _text(rows), _mapping(option)
    before = rows_of(book)
    job = imported(book, text, mapping=mapping)
    changed = job.counts["created"] + job.counts["updated"]
    if not changed:
        return
    after = rows_of(book)
    found = undone(job)
    assert rows_of(book) == before
    assert sum(parts(found, "actions").values()) == changed
    redone(found)
    assert rows_of(book) == after
    again = checked(book, text, mapping=mapping)
    assert again.state == ImportJob.State.CHECKED
    undone(job)
    assert rows_of(book) == before


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(first=ROWS, second=ROWS, existing=EXISTING)
def test_two_imports_of_the_same_people_undone_the_last_one_first_are_nothing(
    first: list[tuple[str, ...]], second: list[tuple[str, ...]], existing: dict[int, tuple[str, str, str, bool]]
) -> None:
    book, option = _book(existing)
    states, jobs, undos = [rows_of(book)], [], []
    for rows in (first, second):
        jobs.append(imported(book, _text(rows), mapping=_mapping(option)))
        states.append(rows_of(book))
    after = states.pop()
    for job in reversed(jobs):
        if job.counts["created"] + job.counts["updated"]:
            undos.append(undone(job))
        assert rows_of(book) == states.pop()
    for found in reversed(undos):
        redone(found)
    assert rows_of(book) == after
