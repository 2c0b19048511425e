"""Background work on imports: the dry run and the real run. Both may be called twice, or die, at any point."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext_noop

from contactsync.imports import agree, suppress
from contactsync.imports.apply import (
    compare,
    contacts_by_phone,
    lock_place,
    suppressed_among,
    write_contacts,
    write_issues,
)
from contactsync.imports.attempts import note_corrections
from contactsync.imports.errors import ImportRefused
from contactsync.imports.issues import WARNING
from contactsync.imports.lease import Lease, LeaseLost, State, claim
from contactsync.imports.preview import drop_previews, rejections, write_previews
from contactsync.imports.reach import Reach
from contactsync.imports.rows import data_version, much_to_write
from contactsync.imports.settle import Outcome, Verdict, settle
from contactsync.imports.stream import Chunk, chunks_of
from contactsync.models import Contact, ImportChange, ImportChunk, ImportIssue, ImportJob, ImportPreview
from contactsync.models.listed import have_counted
from contactsync.models.reasons import reason
from contactsync.sync import shutdown
from contactsync.sync.database import one_of_many

log = logging.getLogger(__name__)
#: how often a chunk is tried when somebody else writes the same contacts in the same moment
ATTEMPTS = 5
INTERNAL = gettext_noop(
    "The import stopped at an error of the software (%(error)s) after %(rows)s rows. What was imported stays; "
    "the rest can be resumed. If it happens again, tell your administrator."
)


def run_check(job_id: int) -> None:
    """The dry run: count what the real run will do and list the issues. Neither contacts nor the suppression list are touched."""
    _work(job_id, State.CHECKING, _check)


def run_apply(job_id: int) -> None:
    """The real run, from the first row that is not committed yet."""
    _work(job_id, State.APPLYING, _apply)


def _work(job_id: int, state: str, work: Callable[[Lease, ImportJob], None]) -> None:
    lease = claim(job_id, state)
    if lease is None:
        return
    try:
        with much_to_write():
            work(lease, ImportJob.objects.select_related("phonebook__account", "corrects").get(pk=job_id))
    except LeaseLost:
        log.info("Import %s was taken over; this worker leaves it.", job_id)
    except shutdown.Ending:
        lease.release()
    except agree.Differs as differs:
        lease.finish(State.STOPPED, error=differs.error)
    except ImportRefused as refused:
        lease.finish(State.FAILED, error=refused.as_reason())
    except Exception as error:
        rows = ImportJob.objects.values_list("position", flat=True).get(pk=job_id)
        lease.finish(State.FAILED, error=reason(INTERNAL, error=type(error).__name__, rows=rows))
        raise


def empty_counts() -> dict[str, int]:
    """Counts of no rows."""
    return dict.fromkeys(("rows", *Outcome, "warnings", "suppressed"), 0)


def tally(counts: Mapping[str, int], verdicts: Sequence[Verdict]) -> dict[str, int]:
    """The counts with these verdicts added."""
    added = dict(counts)
    added["rows"] += len(verdicts)
    for verdict in verdicts:
        added[verdict.outcome] += 1
        if verdict.problems:
            added["warnings"] += sum(problem.severity == WARNING for problem in verdict.problems)
        added["suppressed"] += verdict.suppressed
    return added


def _verdicts(job: ImportJob, chunk: Chunk, *, lock: bool) -> list[Verdict]:
    """Whole contacts are read only where their hash does not say already that the row changes nothing."""
    if job.is_suppression:
        return suppress.verdicts(chunk.rows, chunk.new)
    adds_only = job.mode == ImportJob.Mode.ADD_ONLY
    same, others = compare(job.book.pk, chunk.rows, chunk.new, adds_only=adds_only)
    contacts = contacts_by_phone(job.book.pk, others, lock=lock)
    suppressed = suppressed_among(chunk.new)
    return settle(chunk.rows, contacts=contacts, suppressed=suppressed, same=same, mode=job.mode)


def _check(lease: Lease, job: ImportJob) -> None:
    lease.commit(position=0)
    drop_previews(job.pk)
    with transaction.atomic():
        ImportIssue.objects.filter(job=job).delete()
        ImportChunk.objects.filter(job=job).delete()
        lease.commit()
    note_corrections(job)
    counts, fields, codes, reach = empty_counts(), Counter[str](), Counter[str](), Reach()
    for chunk in chunks_of(job):
        verdicts = _verdicts(job, chunk, lock=False)
        counts = tally(counts, verdicts)
        codes += rejections(verdicts)
        if job.is_suppression:
            reach.add(verdicts)
        with one_of_many():
            write_issues(job, verdicts)
            fields += write_previews(job, verdicts)
            if chunk.rows:  # else they were done before the reading began anew
                agree.note(job, chunk, verdicts)
            go_on = lease.commit(position=chunk.end)
        if not go_on:
            lease.release()
            return
    checked: dict[str, Any] = {**counts, "fields": dict(fields), "codes": dict(codes)}
    if job.is_suppression:
        checked["reach"] = reach.as_json()
    lease.finish(State.CHECKED, checked_counts=checked, total_rows=counts["rows"], error={})


def _apply(lease: Lease, job: ImportJob) -> None:
    done, counts = job.position, {**empty_counts(), **job.counts}
    if done:
        counts["resumed_from"] = done
        lease.commit(counts=counts)
    for chunk in chunks_of(job, after=done):
        if chunk.rows:
            counts, go_on = _apply_chunk(lease, job, chunk, counts)
            if chunk.rows[0].row.number == 1:
                have_counted(Contact)
        else:
            go_on = lease.commit()
        if not go_on:
            lease.release()
            return
    ImportChunk.objects.filter(job=job).delete()
    lease.finish(State.APPLIED, counts=_final(job, counts), error={})
    have_counted(Contact, new=counts[Outcome.CREATED] + counts[Outcome.UPDATED])


def _apply_chunk(lease: Lease, job: ImportJob, chunk: Chunk, counts: Mapping[str, int]) -> tuple[dict[str, int], bool]:
    """One chunk, whole or not at all, looked up afresh when somebody else was at the same contacts.

    Where the database can tell that nobody has written meanwhile, the looking is done before the turn to write.
    """
    version = data_version()
    verdicts = _agreed_verdicts(job, chunk, lock=False) if version is not None else None
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with one_of_many():
                lock_place(job)
                if verdicts is None or data_version() != version:
                    verdicts = _agreed_verdicts(job, chunk, lock=True)
                _forget_check(job, chunk)
                if job.is_suppression:
                    suppress.write(job, verdicts)
                else:
                    write_contacts(job, verdicts, chunk.new)
                write_issues(job, verdicts)
                added = tally(counts, verdicts)
                return added, lease.commit(position=chunk.end, counts=added)
        except (IntegrityError, OperationalError):
            if attempt == ATTEMPTS:
                raise
            verdicts = None
            log.info("Import %s: rows up to %s met another writer; trying again.", job.pk, chunk.end)
    raise AssertionError("not reached")


def _agreed_verdicts(job: ImportJob, chunk: Chunk, *, lock: bool) -> list[Verdict]:
    """The verdicts, as the check has come to them. Raises `agree.Differs`."""
    verdicts = _verdicts(job, chunk, lock=lock)
    if job.compared_until is None:
        agree.insist(job, chunk, verdicts)
    return verdicts


def _forget_check(job: ImportJob, chunk: Chunk) -> None:
    """What the check has kept of these rows makes way for what becomes of them; issues for all at once, with the first."""
    first = chunk.rows[0].row.number
    if first == 1:
        ImportIssue.objects.filter(job=job).delete()
    ImportPreview.objects.filter(job=job, row__range=(first, chunk.end)).delete()


def _final(job: ImportJob, counts: Mapping[str, int]) -> dict[str, int | bool]:
    """The counts with what can only be said at the end: do they agree with the database, and with the check?"""
    kept = {
        kind: ImportChange.objects.filter(job=job, kind=kind).count() for kind in (Outcome.CREATED, Outcome.UPDATED)
    }
    checked = job.checked_counts
    return {
        **counts,
        "balances": sum(counts[outcome] for outcome in Outcome) == counts["rows"] == job.total_rows
        and all(counts[kind] == number for kind, number in kept.items()),
        "differs_from_check": job.compared_until is not None
        or any(counts[key] != checked.get(key, 0) for key in ("rows", *Outcome)),
    }
