"""An undo that is killed, stopped, resumed, or asked for twice: no contact twice, none forgotten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.db import OperationalError, transaction
from django.utils import timezone

from contactsync import tasks, work
from contactsync.admin.progress.imports import of_undo
from contactsync.imports import undo, undo_run
from contactsync.models import Contact, ImportJob, ImportUndo, Phonebook
from contactsync.models.transitions import TransitionRefused
from tests.factories import make_contact
from tests.imports.files import HEADER, imported, make_book
from tests.imports.undoing import looked, parts, redone, rows_of, undone, worked

State = ImportUndo.State
Arrange = Callable[[str, int, Callable[[], None]], None]


class Killed(BaseException):
    """What a killed process leaves: nothing is caught, nothing is tidied up."""


def kill() -> None:
    raise Killed


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo_run, "CHUNK_ROWS", 7)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Arrange:
    """`at("undo_rows", 3, happens)`: after the third call of this function, before its commit, something happens."""

    def arrange(name: str, call: int, happens: Callable[[], None]) -> None:
        original, calls = getattr(undo_run, name), 0

        def meddled(*args: object, **more: object) -> object:
            nonlocal calls
            calls += 1
            value = original(*args, **more)
            if calls == call:
                happens()
            return value

        monkeypatch.setattr(undo_run, name, meddled)

    return arrange


def _imported() -> tuple[Phonebook, ImportJob, list[tuple[object, ...]], list[tuple[object, ...]]]:
    book, _ = make_book()
    for n in range(0, 40, 3):
        make_contact(book, f"+98912123{n:04d}", first_name="before")
    before = rows_of(book)
    job = imported(book, HEADER + "".join(f"0912123{n:04d},name {n},,\n" for n in range(40)))
    return book, job, before, rows_of(book)


def _lease_runs_out(found: ImportUndo) -> None:
    ImportUndo.objects.filter(pk=found.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_killed_again_and_again_it_ends_as_one_that_was_left_alone(at: Arrange) -> None:
    book, job, before, after = _imported()
    found = undo.begin_check(job, user=None)
    for step, name in ((State.CHECKED, "look"), (State.UNDONE, "undo_rows"), (State.REDONE, "redo_rows")):
        if step == State.UNDONE:
            undo.begin_undo(found, {}, user=None)
        elif step == State.REDONE:
            undo.begin_redo(found, user=None)
        for _life in range(3):
            at(name, 2, kill)
            with pytest.raises(Killed):
                worked(found)
            _lease_runs_out(found)
        worked(found)
        assert (found.state, found.done, found.total) == (step, 40, 40)
        assert found.counts["balances"]
        assert rows_of(book) == (before if step == State.UNDONE else after)
    assert found.changes.count() == 40


@pytest.mark.django_db(transaction=True)
def test_the_sweep_wakes_a_worker_for_what_was_left_behind(run_tasks: Callable[[], None]) -> None:
    book, job, before, after = _imported()
    found = work.check_undo(job, user=None)
    run_tasks()
    found.refresh_from_db()
    undo.begin_undo(found, {}, user=None)  # the wake-up call is lost
    ImportUndo.objects.update(started_at=timezone.now() - dt.timedelta(hours=1))
    assert tasks.sweep() == 1
    run_tasks()
    assert rows_of(book) == before
    found.refresh_from_db()
    work.redo_import(found, user=None)
    run_tasks()
    assert rows_of(book) == after


@pytest.mark.django_db(transaction=True)
def test_stopped_half_way_it_goes_on_or_back(at: Arrange) -> None:
    book, job, before, after = _imported()
    found = looked(job)
    at("undo_rows", 2, lambda: undo.stop(ImportUndo.objects.get(pk=found.pk)))
    undo.begin_undo(found, {}, user=None)
    worked(found)
    assert (found.state, found.done, found.lease_owner) == (State.STOPPED, 14, "")
    with pytest.raises(TransitionRefused):
        undo.begin_check(job, user=None)
    undo.begin_redo(found, user=None)
    worked(found)
    assert (found.state, parts(found, "redone")) == (State.REDONE, {"done": 14})
    assert not found.counts.get("resumed_from")
    assert rows_of(book) == after
    found = looked(job)
    at("undo_rows", 3, lambda: undo.stop(ImportUndo.objects.get(pk=found.pk)))
    undo.begin_undo(found, {}, user=None)
    worked(found)
    assert found.state == State.STOPPED
    undo.go_on(found, user=None)
    worked(found)
    assert found.state == State.UNDONE
    assert rows_of(book) == before


@pytest.mark.django_db(transaction=True)
def test_the_speed_of_a_resumed_undo_is_that_of_the_worker_who_resumed_it(at: Arrange) -> None:
    _book, job, _before, _after = _imported()
    found = looked(job)
    at("undo_rows", 2, lambda: undo.stop(ImportUndo.objects.get(pk=found.pk)))
    undo.begin_undo(found, {}, user=None)
    worked(found)
    at("undo_rows", 2, kill)
    undo.go_on(found, user=None)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        with pytest.raises(Killed):
            worked(found)
        clock.shift(dt.timedelta(seconds=7))
        found.refresh_from_db()
        assert of_undo(found).line() == "21 of 40 · 1 per second · about 19 seconds left"


@pytest.mark.django_db(transaction=True)
def test_a_chunk_that_meets_another_writer_is_tried_again(at: Arrange) -> None:
    book, job, before, _after = _imported()

    def locked() -> None:
        raise OperationalError("database is locked")

    at("undo_rows", 2, locked)
    undone(job)
    assert rows_of(book) == before


@pytest.mark.django_db(transaction=True)
def test_an_error_of_the_software_is_told_and_the_rest_can_be_done(at: Arrange) -> None:
    book, job, before, _after = _imported()
    found = looked(job)

    def broken() -> None:
        raise ZeroDivisionError

    at("undo_rows", 2, broken)
    undo.begin_undo(found, {}, user=None)
    with pytest.raises(ZeroDivisionError):
        worked(found)
    found.refresh_from_db()
    assert found.state == State.FAILED
    assert "ZeroDivisionError" in found.error_text
    assert "7" in found.error_text
    undo.go_on(found, user=None)
    worked(found)
    assert rows_of(book) == before


@pytest.mark.django_db
def test_two_clicks_are_one_undo() -> None:
    _book, job, _before, _after = _imported()
    found = undo.begin_check(job, user=None)
    with pytest.raises(TransitionRefused):
        undo.begin_check(job, user=None)
    worked(found)
    undo.begin_undo(found, {}, user=None)
    with pytest.raises(TransitionRefused), transaction.atomic():
        undo.begin_undo(ImportUndo.objects.get(pk=found.pk), {}, user=None)


@pytest.mark.django_db
def test_a_preview_made_anew_lists_nobody_twice() -> None:
    _book, job, _before, _after = _imported()
    looked(job)
    found = looked(job)
    assert found.changes.count() == 40
    assert ImportUndo.objects.count() == 1
    assert Contact.objects.count() == 40


@pytest.mark.django_db
def test_removed_contacts_that_are_still_there_do_not_balance(at: Arrange) -> None:
    book, job, _before, _after = _imported()
    found = looked(job)
    undo.begin_undo(found, {}, user=None)
    row = found.changes.filter(case="created").first()
    assert row is not None
    kept = Contact.objects.get(pk=row.contact_id)
    at("undo_rows", 6, lambda: Contact(pk=kept.pk, phonebook=book, phone=kept.phone).save(force_insert=True))
    assert worked(found).counts["balances"] is False


@pytest.mark.django_db
def test_redo_begins_only_where_something_was_undone() -> None:
    _book, job, _before, _after = _imported()
    found = looked(job)
    with pytest.raises(TransitionRefused):
        undo.begin_redo(found, user=None)
    undo.begin_undo(found, {}, user=None)
    worked(found)
    redone(found)
    with pytest.raises(TransitionRefused):
        undo.begin_redo(found, user=None)
