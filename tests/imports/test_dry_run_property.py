"""Whatever the file and the phonebook: the dry run says of every row what the real run does, and writes nothing else."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from django.apps import apps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contactsync.imports import jobs
from contactsync.imports.agree import difference_of
from contactsync.imports.preview import changes_of
from contactsync.imports.run import run_apply
from contactsync.models import Contact, ImportChange, ImportChunk, ImportJob, ImportPreview, Suppression
from tests.imports.files import apply, checked, codes
from tests.imports.test_undo_property import EVENTS, EXISTING, ROWS, _book, _happen, _mapping, _text

pytestmark = [pytest.mark.django_db(transaction=False), pytest.mark.usefixtures("tiny_chunks")]
State = ImportJob.State
BOUNDED = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
SUPPRESSED = st.sets(st.integers(0, 7), max_size=3)
OUTCOMES = {"c": "created", "u": "updated", "e": "unchanged", "d": "duplicate", "r": "rejected"}
#: what a check may write
OF_A_CHECK = {"ImportJob", "ImportIssue", "ImportPreview", "ImportChunk"}


@pytest.fixture
def tiny_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    from contactsync.imports import stream

    monkeypatch.setattr(stream, "CHUNK_ROWS", 4)


def _everything() -> dict[str, list[Any]]:
    models = [model for model in apps.get_app_config("contactsync").get_models() if model.__name__ not in OF_A_CHECK]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def _said(job: ImportJob) -> dict[int, str]:
    """The outcome of each row, as the check has it."""
    letters = "".join(zlib.decompress(kept.outcomes).decode() for kept in ImportChunk.objects.filter(job=job))
    return {row: OUTCOMES[letter.lower()] for row, letter in enumerate(letters, start=1)}


def _done(job: ImportJob) -> dict[int, str]:
    """The outcome of each row, from what the real run has left behind."""
    found = dict.fromkeys(range(1, job.total_rows + 1), "unchanged")
    found |= dict(job.changes.values_list("row", "kind"))
    return found | dict(job.issues.exclude(severity="warning").values_list("row", "severity"))


@BOUNDED
@given(rows=ROWS, existing=EXISTING, suppressed=SUPPRESSED)
def test_the_dry_run_is_the_real_run(
    rows: list[tuple[str, ...]], existing: dict[int, tuple[str, str, str, bool]], suppressed: set[int]
) -> None:
    Suppression.objects.all().delete()
    Suppression.objects.bulk_create(Suppression(phone=f"+98912123456{n}") for n in suppressed)
    book, option = _book(existing)
    before = _everything()
    job = checked(book, _text(rows), mapping=_mapping(option))
    assert _everything() == before, "a check writes nothing but what it found"
    assert job.state == State.CHECKED
    said, issues = _said(job), codes(job)
    assert len(said) == job.total_rows == job.checked_counts["rows"]
    assert sum(job.checked_counts[outcome] for outcome in OUTCOMES.values()) == job.total_rows
    previews = {row.row: row for row in ImportPreview.objects.filter(job=job)}
    assert sorted(previews) == [row for row, outcome in said.items() if outcome == "updated"]
    apply(job)
    assert (job.state, job.counts["balances"], job.counts["differs_from_check"]) == (State.APPLIED, True, False)
    assert _done(job) == said
    assert codes(job) == issues
    for row, preview in previews.items():
        change = ImportChange.objects.get(job=job, row=row)
        contact = Contact.objects.get(pk=change.contact_id)
        assert contact.phone == preview.phone
        for name, (was, now) in preview.changes.items():
            if name.startswith("option:"):
                assert (change.before["options"].get(name[7:]), contact.options[name[7:]]) == (was, now)
            else:
                assert change.before[name] == was
                assert changes_of(contact, {name: None})[name][0] == now or name == "consented_at"


@BOUNDED
@given(rows=ROWS, existing=EXISTING, events=EVENTS, suppressed=SUPPRESSED)
def test_whatever_happens_in_between_each_row_is_as_checked_or_not_written(
    rows: list[tuple[str, ...]],
    existing: dict[int, tuple[str, str, str, bool]],
    events: list[tuple[int, str]],
    suppressed: set[int],
) -> None:
    Suppression.objects.all().delete()
    book, option = _book(existing)
    job = checked(book, _text(rows), mapping=_mapping(option))
    said = _said(job)
    for number, what in events:
        _happen(book, option, number, what)
    Suppression.objects.bulk_create(Suppression(phone=f"+98912123456{n}") for n in suppressed)
    apply(job)
    done = _done(job)
    assert {row: done[row] for row in said if row <= job.position} == {
        row: outcome for row, outcome in said.items() if row <= job.position
    }
    if job.state == State.APPLIED:
        assert not job.counts["differs_from_check"]
        return
    assert job.state == State.STOPPED
    assert difference_of(job)["lines"]
    assert not job.changes.filter(row__gt=job.position).exists()
    jobs.begin_apply(job, user=None, go_on=True)
    run_apply(job.pk)
    job.refresh_from_db()
    assert (job.state, job.counts["balances"], job.counts["differs_from_check"]) == (State.APPLIED, True, True)
