"""The dry run and the real run: the equation, what is written, and that they cannot differ."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contactsync.imports import jobs, run, stream
from contactsync.imports.run import run_apply, run_check
from contactsync.models import Contact, ImportChange, ImportIssue, ImportJob, Suppression
from tests.factories import make_contact
from tests.imports.conftest import At
from tests.imports.files import HEADER, apply, check, checked, codes, imported, make_book, outcomes, table, upload

pytestmark = pytest.mark.django_db
State = ImportJob.State

MIXED = (
    HEADER
    + "09121234561,Ali,Rezaei,ali@example.com\n"  # updated
    + "09121234562,,,\n"  # unchanged
    + "09121234563,Sara,,\n"  # created
    + "۰۹۱۲۱۲۳۴۵۶۳,Other,,\n"  # duplicate
    + "9.89E+11,Lost,,\n"  # rejected
    + "02188776655,=1+1,,\n"  # created, two warnings
)


def test_the_dry_run_counts_everything_and_writes_no_contact() -> None:
    book, _ = make_book()
    make_contact(book, "+989121234561", first_name="Ali")
    make_contact(book, "+989121234562", first_name="Zahra")
    before = table(book)
    job = checked(book, MIXED)
    assert job.state == State.CHECKED
    assert outcomes(job.checked_counts) == {"created": 2, "updated": 1, "unchanged": 1, "duplicate": 1, "rejected": 1}
    assert (job.checked_counts["rows"], job.checked_counts["warnings"], job.total_rows) == (6, 2, 6)
    assert job.counts == {}
    assert table(book) == before
    assert not ImportChange.objects.exists()


def test_the_real_run_does_what_the_dry_run_said() -> None:
    book, _ = make_book()
    make_contact(book, "+989121234561", first_name="Ali")
    make_contact(book, "+989121234562", first_name="Zahra")
    job = imported(book, MIXED)
    assert outcomes(job.counts) == outcomes(job.checked_counts)
    assert job.counts["balances"] is True
    assert job.counts["differs_from_check"] is False
    names = dict(Contact.objects.filter(phonebook=book).values_list("phone", "first_name"))
    assert names == {
        "+989121234561": "Ali", "+989121234562": "Zahra", "+989121234563": "Sara", "+982188776655": "=1+1",
    }  # fmt: skip
    assert (job.lease_owner, job.lease_until, job.error) == ("", None, {})
    assert job.finished_at is not None


def test_the_issues_of_both_runs_are_the_same_and_stand_there_once() -> None:
    book, _ = make_book()
    job = checked(book, MIXED)
    found = codes(job)
    assert found == [
        (5, "duplicate", "duplicate_in_file"),
        (6, "rejected", "phone_scientific"),
        (7, "warning", "fixed_line"),
        (7, "warning", "formula"),
    ]
    apply(job)
    assert codes(job) == found


def test_rows_that_were_left_out_are_kept_whole_once() -> None:
    book, _ = make_book()
    header = "phone,first name,last name,consent\n"
    job = imported(book, header + "0912,Ali,Rezaei,perhaps\n09121234567,x,,\n09121234567,y,,\n")
    assert list(job.issues.values_list("row", "code", "cells")) == [
        (1, "phone_too_short", ["0912", "Ali", "Rezaei", "perhaps"]),
        (1, "consent_unclear", []),
        (3, "duplicate_in_file", ["09121234567", "y", "", ""]),
    ]


def test_every_change_is_kept_with_its_line_and_the_contact_as_it_was() -> None:
    book, _ = make_book()
    known = make_contact(book, "+989121234561", first_name="Ali", tags=["vip"], sync_state="synced")
    Contact.objects.filter(pk=known.pk).update(pushed_hash=known.payload_hash, remote_id="7", sync_state="synced")
    imported(book, HEADER + "09121234560,New,,\n09121234561,Hassan,,\n")
    created, updated = ImportChange.objects.order_by("row")
    assert (created.kind, created.row, created.line, created.before) == ("created", 1, 2, None)
    assert created.contact.phone == "+989121234560"
    assert (updated.kind, updated.line, updated.contact_id) == ("updated", 3, known.pk)
    assert (updated.before["first_name"], updated.before["tags"]) == ("Ali", ["vip"])
    assert (updated.before["sync_state"], updated.before["deleted_at"]) == ("synced", None)
    assert updated.before["payload_hash"] == known.payload_hash


def test_contacts_written_in_bulk_are_as_if_each_had_been_saved() -> None:
    book, options = make_book(City="text", Points="integer")
    imported(
        book,
        "phone,first name,last name,email,company,prefix,tags,assigned user,City,Points\n"
        "09121234567,علی,رضایی,ali@example.com,شرکت,آقای,vip; new,me@example.com,رشت,۱۵\n",
    )
    (found,) = Contact.objects.filter(phonebook=book)
    by_hand = make_contact(
        make_book()[0], "+989121234567", first_name="علی", last_name="رضایی", email="ali@example.com", company="شرکت",
        prefix="آقای", tags=["vip", "new"], assigned_user="me@example.com",
        options={str(options["City"].pk): "رشت", str(options["Points"].pk): "15"},
    )  # fmt: skip
    by_hand.refresh_from_db()
    own = {"id", "uuid", "phonebook", "created_at", "updated_at"}
    for field in Contact._meta.concrete_fields:
        if field.name not in own:
            assert getattr(found, field.name) == getattr(by_hand, field.name), field.name
    assert abs(timezone.now() - found.created_at) < dt.timedelta(minutes=5)
    assert found.uuid != by_hand.uuid


def test_an_update_makes_a_contact_in_step_a_changed_one() -> None:
    book, _ = make_book()
    known = make_contact(book, "+989121234561", first_name="Ali")
    Contact.objects.filter(pk=known.pk).update(pushed_hash=known.payload_hash, remote_id="7", sync_state="synced")
    imported(book, HEADER + "09121234561,Hassan,,\n")
    changed = Contact.objects.get(pk=known.pk)
    assert (changed.first_name, changed.sync_state) == ("Hassan", "changed")
    assert changed.payload_hash == changed.fingerprint() != known.payload_hash
    assert changed.updated_at > known.updated_at
    assert changed.uuid == known.uuid


def test_blank_cells_keep_what_is_there() -> None:
    book, options = make_book(City="text", Points="integer")
    city, points = str(options["City"].pk), str(options["Points"].pk)
    make_contact(book, "+989121234561", first_name="Ali", tags=["vip"], options={city: "Rasht", points: "5"})
    imported(book, "phone,first name,last name,tags,City,Points\n09121234561,,Rezaei,\u200b,,7\n")
    (found,) = Contact.objects.filter(phonebook=book)
    assert (found.first_name, found.last_name, found.tags) == ("Ali", "Rezaei", ["vip"])
    assert found.options == {city: "Rasht", points: "7"}


def test_a_deleted_contact_comes_back_and_counts_as_updated() -> None:
    book, _ = make_book()
    known = make_contact(book, "+989121234561", first_name="Ali", deleted_at=timezone.now())
    job = imported(book, HEADER + "09121234561,,,\n")
    assert outcomes(job.counts) == {"updated": 1}
    known.refresh_from_db()
    assert known.deleted_at is None
    assert ImportChange.objects.get().before["deleted_at"] is not None


def test_a_suppressed_number_is_imported_with_a_warning_and_counted() -> None:
    book, _ = make_book()
    Suppression.objects.create(phone="+989121234561")
    job = imported(book, HEADER + "09121234561,Ali,,\n")
    assert (outcomes(job.counts), job.counts["suppressed"]) == ({"created": 1}, 1)
    assert codes(job) == [(2, "warning", "suppressed")]


def test_the_same_number_in_another_phonebook_is_another_contact() -> None:
    book, other = make_book()[0], make_book()[0]
    make_contact(other, "+989121234561", first_name="Ali")
    imported(book, HEADER + "09121234561,Hassan,,\n")
    assert Contact.objects.get(phonebook=other).first_name == "Ali"


def test_the_same_file_once_more_changes_nothing() -> None:
    book, _ = make_book(City="text", Birthday="date")
    content = "phone,full name,tags,City,Birthday\n09121234561,علي رضایی,a;b,رشت,1371/07/16\n09121234562,Sara,,,\n"
    imported(book, content)
    before = table(book)
    stamps = set(Contact.objects.values_list("pk", "updated_at"))
    job = imported(book, content)
    assert outcomes(job.counts) == {"unchanged": 2}
    assert table(book) == before
    assert set(Contact.objects.values_list("pk", "updated_at")) == stamps
    assert not job.changes.exists()


def test_text_that_a_database_does_not_keep_is_made_visible() -> None:
    book, _ = make_book()
    plain = "".join(f"0912123{n:04d},Sara,\n" for n in range(10))  # with more of them it would be no text file
    spoiled = "09121234561,A\x00li,\n0912\x00,x\x00y,in\x00fo@\n"
    job = imported(book, f"phone,na\x00me,e-mail\n{plain}{spoiled}", name="a\x00.csv")
    assert Contact.objects.get(phone="+989121234561").first_name == "Ali"
    assert job.file_name == "a.csv"
    assert "␀" in job.columns[1]
    assert ["0912␀", "x␀y", "in␀fo@"] in list(job.issues.values_list("cells", flat=True))


def test_a_chunk_takes_the_same_number_of_queries_for_any_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK_ROWS", 500)
    counts = []
    for rows in (20, 500, 1000):
        book, _ = make_book()
        for n in range(0, rows, 4):
            make_contact(book, f"+98912{n:07d}")
        job = upload(book, HEADER + "".join(f"0912{n:07d},Ali,,{'x' if n % 5 == 1 else ''}\n" for n in range(rows)))
        check_queries = _queries_of(lambda job=job: check(job))
        counts.append((check_queries, _queries_of(lambda job=job: apply(job))))
    (few_check, few_apply), (one_check, one_apply), (two_check, two_apply) = counts
    assert (few_check, few_apply) == (one_check, one_apply)
    assert two_check - one_check <= 9
    assert two_apply - one_apply <= 16


def _queries_of(work: object) -> int:
    with CaptureQueriesContext(
        connection,
    ) as found:
        work()  # type: ignore[operator]
    beside = (
        "SAVEPOINT",
        "RELEASE",
        "ANALYZE",
    )  # PostgreSQL is told how many rows there are now, when it has never looked
    return len([query for query in found if not query["sql"].startswith(beside)])


@pytest.mark.usefixtures("small_chunks")
def test_progress_is_committed_with_each_chunk(at: At) -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "".join(f"0912123{n:04d},Ali,,\n" for n in range(35)))
    seen: list[tuple[int, int, int]] = []

    def look() -> None:
        now = ImportJob.objects.get(pk=job.pk)
        seen.append((now.position, now.counts.get("rows", 0), Contact.objects.count()))

    for call in (1, 2, 3, 4):
        at("_apply_chunk", call, look)
    apply(job)
    assert seen == [(0, 0, 0), (10, 10, 10), (20, 20, 20), (30, 30, 30)]
    assert (job.position, job.counts["rows"]) == (35, 35)


def test_a_wake_up_call_for_an_import_in_another_state_does_nothing() -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "09121234561,Ali,,\n")
    run_check(job.pk)
    run_apply(job.pk)
    run_apply(999_999)
    job.refresh_from_db()
    assert job.state == State.CHECKED
    assert not Contact.objects.exists()


def test_a_file_that_is_gone_fails_the_import_in_words() -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "09121234561,Ali,,\n")
    job.file.storage.delete(job.file.name)
    apply(job)
    assert job.state == State.FAILED
    assert "no longer kept" in job.error_text


def test_a_stray_quote_far_into_the_file_fails_the_check_with_its_line() -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "09121234561,Ali,,\n" * 300 + '09121234561,"Ali" x,,\n')
    assert (job.state, job.checked_counts) == (State.FAILED, {})
    assert "line 302" in job.error_text


def test_an_option_that_was_deleted_after_the_check_stops_the_import_before_it_begins() -> None:
    book, options = make_book(City="text")
    job = checked(book, "phone,City\n09121234561,Rasht\n")
    options["City"].delete()
    apply(job)
    assert job.state == State.FAILED
    assert "Choose the columns again" in job.error_text
    assert not Contact.objects.exists()
    with pytest.raises(jobs.MappingError):
        check(job)


def test_an_error_of_ours_fails_the_import_keeps_what_is_done_and_can_be_resumed(
    at: At, small_chunks: None, caplog: pytest.LogCaptureFixture
) -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "".join(f"0912123{n:04d},Ali,,\n" for n in range(35)))

    def fail() -> None:
        raise ZeroDivisionError("secret details")

    at("write_issues", 3, fail)
    with pytest.raises(ZeroDivisionError):
        apply(job)
    job.refresh_from_db()
    assert (job.state, job.position, Contact.objects.count()) == (State.FAILED, 20, 20)
    assert "20 rows" in job.error_text
    assert "ZeroDivisionError" in job.error_text
    assert "secret" not in job.error_text
    apply(job)
    assert (job.state, outcomes(job.counts), job.error) == (State.APPLIED, {"created": 35}, {})
    assert job.counts["resumed_from"] == 20


def test_a_contact_that_somebody_makes_in_the_same_moment_is_met_by_a_second_look(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    book, _ = make_book()
    make_contact(book, "+989121234562", first_name="Zahra")
    job = checked(book, HEADER + "09121234561,Ali,,\n09121234562,Sara,,\n")
    ImportJob.objects.filter(pk=job.pk).update(compared_until=0)
    look, calls = run.contacts_by_phone, []

    def blind_once(*args: object, **more: object) -> dict[str, Contact]:
        calls.append(1)
        if len(calls) == 1:
            return {}
        return look(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(run, "contacts_by_phone", blind_once)
    with caplog.at_level(logging.INFO, logger="contactsync.imports"):
        apply(job)
    assert len(calls) == 2
    assert "trying again" in caplog.text
    assert outcomes(job.counts) == {"created": 1, "updated": 1}
    assert ImportIssue.objects.filter(job=job).count() == 0


@pytest.mark.django_db(transaction=True)
def test_what_was_looked_up_before_the_turn_to_write_is_looked_up_again_when_somebody_has_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("other databases read within the transaction, and lock what they have read")
    book, _ = make_book()
    ali = make_contact(book, "+989121234561", first_name="Ali")
    job = checked(book, HEADER + "09121234561,Sara,,\n")
    look = run._agreed_verdicts
    locks: list[bool] = []

    def write() -> None:
        ali.last_name = "Karimi"
        ali.save()
        connection.close()

    def look_and_let_another_write(*args: Any, lock: bool) -> Any:
        found = look(*args, lock=lock)
        if not locks:
            another = threading.Thread(target=write)
            another.start()
            another.join()
        locks.append(lock)
        return found

    monkeypatch.setattr(run, "_agreed_verdicts", look_and_let_another_write)
    apply(job)
    ali.refresh_from_db()
    assert (job.state, locks) == (State.APPLIED, [False, True])
    assert (ali.first_name, ali.last_name, ali.payload_hash) == ("Sara", "Karimi", ali.fingerprint())
    assert ImportChange.objects.get(job=job).before["last_name"] == "Karimi"


def test_an_equation_that_does_not_hold_is_never_called_balanced(at: At) -> None:
    book, _ = make_book()
    job = checked(book, HEADER + "09121234561,Ali,,\n")
    at("_final", 1, lambda: ImportChange.objects.all().delete() and None)
    apply(job)
    assert job.counts["balances"] is False


def test_notes_and_consent_are_kept_and_what_was_before_too() -> None:
    book, _ = make_book()
    given = dt.datetime(2024, 5, 1, 8, 30, tzinfo=dt.UTC)
    make_contact(book, "+989121234561", note="old", consented_at=given)
    head = "mobile,notes,consent,consent source\n"
    job = imported(book, head + "09121234561,new,no,\n09121234562,,yes,fair in May\n")
    old, new = Contact.objects.filter(phonebook=book).order_by("phone")
    assert (old.note, old.consented_at) == ("new", None)
    assert (new.consented_at, new.consent_source) == (job.created_at, "fair in May")
    before = ImportChange.objects.get(job=job, contact=old).before
    assert (before["note"], before["consented_at"]) == ("old", given.isoformat())
    assert new.payload_hash == new.fingerprint()


def test_consent_alone_is_nothing_to_push() -> None:
    book, _ = make_book()
    contact = make_contact(book, "+989121234561", remote_id="7", sync_state="synced")
    Contact.objects.filter(pk=contact.pk).update(pushed_hash=contact.payload_hash, sync_state="synced")
    imported(book, "mobile,consent\n09121234561,yes\n")
    contact.refresh_from_db()
    assert contact.consented_at is not None
    assert contact.sync_state == Contact.SyncState.SYNCED


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a query of SQLite only")
def test_contacts_are_looked_for_by_their_numbers_not_through_the_whole_phonebook() -> None:
    book, _ = make_book()
    with CaptureQueriesContext(connection) as queries:
        imported(book, HEADER + "09121234561,Ali,,\n09121234562,Sara,,\n")
    lookups = [
        query["sql"]
        for query in queries
        if "json_each" in query["sql"] and 'FROM "contactsync_contact"' in query["sql"]
    ]
    assert lookups
    with connection.cursor() as cursor:
        for sql in lookups:
            plan = str(cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
            assert "(phone=?" in plan, plan
