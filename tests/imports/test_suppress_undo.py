"""The undo of a file that went onto the suppression list: off comes what it added, unless somebody else has a word in it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contactsync.imports import keeping, undo
from contactsync.imports.read import is_blank_row
from contactsync.imports.undo_run import run_undo_work
from contactsync.models import ImportJob, ImportUndo, InboundMessage, Suppression
from contactsync.models.transitions import StepRefused, TransitionRefused
from tests.factories import make_account
from tests.imports.files import apply as apply_again
from tests.imports.files import checked, imported, outcomes
from tests.imports.undoing import looked, parts, redone, undone, worked

pytestmark = pytest.mark.django_db(transaction=False)
HEADER = "phone,reason,since\n"
THREE = HEADER + "09121234561,one,\n09121234562,two,2024-05-06\n09121234563,three,\n"


def _list() -> list[dict[str, Any]]:
    return list(Suppression.objects.order_by("pk").values())


def test_an_undo_takes_off_just_what_the_file_added_and_a_redo_puts_it_back_as_it_was() -> None:
    Suppression.objects.create(phone="+989121234561", reason="before")
    before = _list()
    job = imported(None, THREE)
    after = _list()
    found = undone(job)
    assert _list() == before
    assert parts(found, "actions") == {"removed": 2}
    assert parts(redone(found), "redone") == {"done": 2}
    assert _list() == after
    job.refresh_from_db()
    assert job.state == ImportJob.State.APPLIED
    assert parts(undone(job), "actions") == {"removed": 2}
    assert _list() == before


def test_what_was_edited_since_stays_unless_it_is_chosen_otherwise() -> None:
    job = imported(None, THREE)
    Suppression.objects.filter(phone="+989121234561").update(reason="a letter came")
    found = looked(job)
    assert found.counts["cases"] == {"created": 2, "created_edited": 1}
    undo.begin_undo(found, {}, user=None)
    assert parts(worked(found), "actions") == {"removed": 2, "kept": 1}
    assert [row["phone"] for row in _list()] == ["+989121234561"]
    redone(found)
    job.refresh_from_db()
    assert parts(undone(job, created_edited="remove"), "actions") == {"removed": 3}


def test_who_has_asked_for_it_since_stays_and_nothing_else_can_be_chosen() -> None:
    job = imported(None, THREE)
    account = make_account()
    InboundMessage.objects.create(
        account=account, remote_id="1", phone="+989121234562", text="لغو", is_opt_out=True, received_at=timezone.now()
    )
    long_ago = timezone.now() - dt.timedelta(days=9)
    InboundMessage.objects.create(
        account=account, remote_id="2", phone="+989121234563", text="لغو", is_opt_out=True, received_at=long_ago
    )
    found = looked(job)
    assert found.counts["cases"] == {"created": 2, "created_asked": 1}
    with pytest.raises(StepRefused):
        undo.begin_undo(found, {"created_asked": "remove"}, user=None)
    undo.begin_undo(found, {}, user=None)
    worked(found)
    assert [row["phone"] for row in _list()] == ["+989121234562"]


def test_what_a_later_file_names_too_stays_until_that_one_is_undone() -> None:
    first = imported(None, THREE)
    later = imported(None, "phone\n09121234561\n09121234569\n")
    assert outcomes(later.counts) == {"created": 1, "unchanged": 1}
    found = looked(first)
    assert found.counts["cases"] == {"created": 2, "created_named": 1}
    assert found.counts["imports"] == {str(later.pk): 1}
    assert parts(undone(later), "actions") == {"removed": 1}
    assert looked(first).counts["cases"] == {"created": 3}
    assert parts(undone(first), "actions") == {"removed": 3}


def test_what_happens_between_the_look_and_the_word_is_kept() -> None:
    job = imported(None, THREE)
    found = looked(job)
    Suppression.objects.filter(phone="+989121234561").update(reason="edited")
    Suppression.objects.filter(phone="+989121234562").delete()
    imported(None, "phone\n09121234563\n")
    undo.begin_undo(found, {}, user=None)
    assert parts(worked(found), "actions") == {"moved": 2, "left": 1}


def test_a_number_that_is_on_the_list_again_is_not_put_there_twice_by_a_redo() -> None:
    found = undone(imported(None, THREE))
    Suppression.objects.create(phone="+989121234561", reason="by hand")
    assert parts(redone(found), "redone") == {"done": 2, "listed": 1}
    assert Suppression.objects.get(phone="+989121234561").reason == "by hand"


def test_a_file_that_added_nothing_has_nothing_to_undo() -> None:
    imported(None, THREE)
    again = imported(None, THREE)
    with pytest.raises(StepRefused, match="no number"):
        undo.begin_check(again, user=None)


def test_an_undo_killed_in_the_middle_goes_on_where_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    from contactsync.imports import undo_run

    class Killed(BaseException):
        pass

    monkeypatch.setattr(undo_run, "CHUNK_ROWS", 10)
    job = imported(None, "phone\n" + "".join(f"0912123{n:04d}\n" for n in range(35)))
    found = looked(job)
    undo.begin_undo(found, {}, user=None)
    lock, calls = undo_run.lock_place, []

    def killed(job: ImportJob) -> None:
        calls.append(job)
        if len(calls) == 3:
            raise Killed
        lock(job)

    monkeypatch.setattr(undo_run, "lock_place", killed)
    with pytest.raises(Killed):
        run_undo_work(found.pk)
    assert Suppression.objects.count() == 15
    ImportUndo.objects.filter(pk=found.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    worked(found)
    assert (found.state, parts(found, "actions")) == (ImportUndo.State.UNDONE, {"removed": 35})
    assert not Suppression.objects.exists()


def test_once_the_file_is_erased_the_undo_stays_possible_and_its_redo_is_not() -> None:
    job = imported(None, THREE)
    keeping.erase_file(job)
    keeping.erase_rows(job.pk)
    job.refresh_from_db()
    found = undone(job)
    assert not Suppression.objects.exists()
    keeping.erase_rows(job.pk)
    with pytest.raises(TransitionRefused):
        undo.begin_redo(found, user=None)


NUMBERS = st.sampled_from([f"0912123456{n}" for n in range(8)] + ["", "12", "+98 912 123 4563", "9.89E+11"])
REASONS = st.sampled_from(["", "asked", "=1+1", "x" * 300])
SINCE = st.sampled_from(["", "2024-05-06", "1403/02/17", "soon"])
ROWS = st.lists(st.tuples(NUMBERS, REASONS, SINCE), min_size=1, max_size=12).filter(
    lambda rows: not all(map(is_blank_row, rows))
)
PARTS = ("created", "unchanged", "duplicate", "rejected")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=ROWS, known=st.sets(st.integers(0, 7), max_size=4))
def test_whatever_the_file_the_check_is_the_real_run_and_the_undo_takes_it_all_back(
    rows: list[tuple[str, ...]], known: set[int]
) -> None:
    Suppression.objects.all().delete()
    Suppression.objects.bulk_create(Suppression(phone=f"+98912123456{n}", reason="known") for n in known)
    before = _list()
    job = checked(None, HEADER + "".join(",".join(row) + "\n" for row in rows))
    assert _list() == before
    said = {name: job.checked_counts[name] for name in PARTS}
    assert sum(said.values()) == job.total_rows == len([row for row in rows if not is_blank_row(row)])
    apply_again(job)
    assert {name: job.counts[name] for name in PARTS} == said
    assert (job.counts["balances"], job.counts["differs_from_check"]) == (True, False)
    assert Suppression.objects.count() == len(before) + said["created"]
    after = _list()
    if not said["created"]:
        assert after == before
        return
    found = undone(job)
    assert _list() == before
    redone(found)
    assert _list() == after
