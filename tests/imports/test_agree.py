"""The real run is the check come true, or it stops before the rows that are not, and says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from contactsync.imports import jobs
from contactsync.imports.agree import difference_of
from contactsync.imports.run import run_apply
from contactsync.models import Contact, ImportChunk, ImportIssue, ImportJob, ImportPreview, Phonebook, Suppression
from contactsync.models.transitions import StepRefused
from tests.factories import make_contact
from tests.imports.conftest import At
from tests.imports.files import HEADER, apply, check, checked, imported, make_book, outcomes, table

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_chunks")]
State = ImportJob.State
#: rows 1-5 of each ten are new, 6-8 change a contact, 9 and 10 do not
ROWS = HEADER + "".join(f"0912123{n:04d},Ali,,\n" for n in range(25))


def _book() -> Phonebook:
    book, _ = make_book()
    for n in range(25):
        if n % 10 > 4:
            make_contact(book, f"+98912123{n:04d}", first_name="Ali" if n % 10 > 7 else "Reza", last_name="Rad")
    return book


def _contact(n: int) -> Any:
    return Contact.objects.filter(phone=f"+98912123{n:04d}")


def _edit(n: int, **fields: Any) -> None:
    contact = _contact(n).get()
    for name, value in fields.items():
        setattr(contact, name, value)
    contact.save()


EVENTS: list[tuple[str, Callable[[Phonebook, int], Any], dict[str, int]]] = [
    ("created by hand", lambda book, n: make_contact(book, f"+98912123{n:04d}", first_name="Sara"), {"cu": 1}),
    ("created alike", lambda book, n: make_contact(book, f"+98912123{n:04d}", first_name="Ali"), {"ce": 1}),
    ("edited to another value", lambda book, n: _edit(n + 5, first_name="Hassan"), {"uu": 1}),
    ("edited as the file has it", lambda book, n: _edit(n + 5, first_name="Ali"), {"ue": 1}),
    ("edited away", lambda book, n: _edit(n + 8, first_name="Hassan"), {"eu": 1}),
    ("deleted", lambda book, n: _contact(n + 5).delete(), {"uc": 1}),
    ("deleted, unchanged", lambda book, n: _contact(n + 8).delete(), {"ec": 1}),
    ("marked as deleted", lambda book, n: _contact(n + 8).update(deleted_at=timezone.now()), {"eu": 1}),
    ("marked as deleted, updated", lambda book, n: _contact(n + 5).update(deleted_at=timezone.now()), {"uu": 1}),
    ("suppressed", lambda book, n: Suppression.objects.create(phone=f"+98912123{n:04d}"), {"suppressed": 1}),
    ("another import", lambda book, n: _other_import(book, n), {"cu": 2}),
]


def _other_import(book: Phonebook, n: int) -> None:
    imported(book, HEADER + f"0912123{n:04d},Sara,,\n0912123{n + 1:04d},Sara,,\n")


@pytest.mark.parametrize(
    ("event", "kinds"), [(event, kinds) for _name, event, kinds in EVENTS], ids=[e[0] for e in EVENTS]
)
@pytest.mark.parametrize("chunk", [0, 1])
def test_what_changed_after_the_check_stops_the_import_before_the_rows_concerned(
    event: Callable[[Phonebook, int], Any], kinds: dict[str, int], chunk: int
) -> None:
    book = _book()
    job = checked(book, ROWS)
    event(book, chunk * 10)
    before, issues = table(book), ImportIssue.objects.filter(job=job).count()
    apply(job)
    assert (job.state, job.position, job.lease_owner) == (State.STOPPED, chunk * 10, "")
    found = difference_of(job)
    assert found["kinds"] == kinds
    assert [kind for _line, kind in found["lines"]] == [kind for kind, n in kinds.items() for _ in range(n)]
    assert all(chunk * 10 + 2 <= line <= chunk * 10 + 11 for line, _kind in found["lines"])
    assert f"rows {chunk * 10 + 1} to {chunk * 10 + 10}" in job.error_text
    later = [phone for phone in before if int(phone[-4:]) >= chunk * 10]
    assert {phone: table(book)[phone] for phone in later} == {phone: before[phone] for phone in later}
    assert len(table(book)) == len(before) + 5 * chunk
    if chunk == 0:
        assert ImportIssue.objects.filter(job=job).count() == issues
    apply(job)
    assert (job.state, job.position) == (State.STOPPED, chunk * 10), "asking once more does not change it"

    jobs.begin_apply(job, user=None, go_on=True)
    run_apply(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error, job.compared_until) == (State.APPLIED, {}, chunk * 10)
    assert (job.counts["balances"], job.counts["differs_from_check"]) == (True, True)
    assert set(Contact.objects.filter(phonebook=book).values_list("first_name", flat=True)) == {"Ali"}


@pytest.mark.parametrize(
    "event",
    [
        lambda book: _edit(5, note="a word"),
        lambda book: _edit(8, last_name="Karimi"),
        lambda book: _contact(5).update(sync_state="synced"),
        lambda book: make_contact(book, "+989350000000"),
        lambda book: Suppression.objects.create(phone="+989350000000"),
    ],
)
def test_what_does_not_touch_a_verdict_stops_nothing(event: Callable[[Phonebook], Any]) -> None:
    book = _book()
    job = checked(book, ROWS)
    event(book)
    apply(job)
    assert (job.state, job.counts["differs_from_check"]) == (State.APPLIED, False)
    assert outcomes(job.counts) == outcomes(job.checked_counts)


def test_a_change_taken_back_lets_the_import_go_on_as_checked() -> None:
    book = _book()
    job = checked(book, ROWS)
    _edit(15, first_name="Hassan")
    apply(job)
    assert job.state == State.STOPPED
    _edit(15, first_name="Reza")
    apply(job)
    assert (job.state, job.counts["differs_from_check"], job.counts["resumed_from"]) == (State.APPLIED, False, 10)


def test_as_long_as_nothing_was_imported_it_can_be_checked_again() -> None:
    book = _book()
    job = checked(book, ROWS)
    _edit(5, first_name="Ali")
    apply(job)
    assert (job.state, job.counts) == (State.STOPPED, {})
    check(job)
    assert (job.state, outcomes(job.checked_counts)) == (State.CHECKED, {"created": 15, "updated": 5, "unchanged": 5})
    apply(job)
    assert (job.state, job.counts["differs_from_check"]) == (State.APPLIED, False)


def test_once_rows_were_imported_it_cannot_be_checked_again() -> None:
    book = _book()
    job = checked(book, ROWS)
    _edit(15, first_name="Ali")
    apply(job)
    with pytest.raises(StepRefused, match="cannot be checked again"):
        jobs.begin_check(job, user=None)


def test_to_go_on_is_no_way_around_the_comparison() -> None:
    job = checked(_book(), ROWS)
    jobs.begin_apply(job, user=None, go_on=True)
    job.refresh_from_db()
    assert job.compared_until is None


def test_an_option_that_reads_otherwise_since_the_check_stops_the_import() -> None:
    book, options = make_book(Points="text")
    job = checked(book, "phone,Points\n" + "".join(f"0912123{n:04d},۰{n}\n" for n in range(5)))
    options["Points"].kind = "integer"
    options["Points"].save()
    apply(job)
    assert job.state == State.STOPPED
    assert "an option, a setting of the account or the software" in job.error_text
    assert not Contact.objects.exists()


def test_a_check_of_other_chunks_cannot_be_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    from contactsync.imports import stream

    job = checked(_book(), ROWS)
    monkeypatch.setattr(stream, "CHUNK_ROWS", 7)
    apply(job)
    assert (job.state, job.position) == (State.STOPPED, 0)
    assert "cannot be compared" in job.error_text


def test_chunks_end_at_the_same_rows_whenever_a_run_begins() -> None:
    from contactsync.imports.stream import chunks_of

    job = checked(_book(), ROWS)
    ends = list(ImportChunk.objects.filter(job=job).values_list("end", flat=True))
    assert ends == [10, 20, 25]
    for done in (0, 10, 20):
        assert [chunk.end for chunk in chunks_of(job, after=done) if chunk.rows] == [end for end in ends if end > done]


def test_a_run_killed_and_resumed_is_held_to_the_check_still(at: At) -> None:
    book = _book()
    job = checked(book, ROWS)

    def stop() -> None:
        jobs.stop(ImportJob.objects.get(pk=job.pk))

    at("write_issues", 1, stop)
    apply(job)
    assert (job.state, job.position, difference_of(job)) == (State.STOPPED, 10, {})
    make_contact(book, "+989121230020", first_name="Sara")
    apply(job)
    assert (job.state, job.position, difference_of(job)["lines"]) == (State.STOPPED, 20, [[22, "cu"]])


def test_the_check_keeps_what_would_change_until_it_has() -> None:
    book, options = make_book(City="text", Points="integer")
    city, points = str(options["City"].pk), str(options["Points"].pk)
    make_contact(book, "+989121230001", first_name="Ali", options={city: "Rasht", points: "5"}, tags=["a"])
    make_contact(book, "+989121230002", first_name="سارا", deleted_at=timezone.now())
    text = "phone,first name,tags,City\n09121230001,علی,a;b,Tehran\n09121230002,سارا,,\n09121230003,x,,\n0912,,,\n"
    job = checked(book, text)
    first, second = ImportPreview.objects.filter(job=job)
    assert (first.line, first.phone) == (2, "+989121230001")
    assert first.changes == {
        "first_name": ["Ali", "علی"],
        "tags": [["a"], ["a", "b"]],
        f"option:{city}": ["Rasht", "Tehran"],
    }
    assert list(second.changes) == ["deleted_at"]
    assert job.checked_counts["fields"] == {"first_name": 1, "tags": 1, f"option:{city}": 1, "deleted_at": 1}
    assert job.checked_counts["codes"] == {"phone_too_short": 1}
    apply(job)
    assert job.state == State.APPLIED
    assert not ImportPreview.objects.exists()
    assert not ImportChunk.objects.exists()


@pytest.mark.parametrize("end", ["check", "discard", "erase"])
def test_previews_go_with_what_they_belong_to(end: str) -> None:
    from contactsync.imports import discard, keeping

    job = checked(_book(), ROWS)
    assert ImportPreview.objects.filter(job=job).count() == 6
    if end == "check":
        check(job)
        assert ImportPreview.objects.filter(job=job).count() == 6
    elif end == "discard":
        discard.discard(job)
    else:
        keeping.erase_file(job)
        keeping.erase_rows(job.pk)
    assert ImportPreview.objects.exists() is (end == "check")
