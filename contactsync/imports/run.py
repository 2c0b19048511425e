"""Background work on imports: the dry run and the real run. Both may be called twice, or die, at any point."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext_noop

from contactsync.imports.apply import (
    contacts_by_phone,
    lock_phonebook,
    numbers_of,
    suppressed_among,
    write_contacts,
    write_issues,
)
from contactsync.imports.check import Outcome, Verdict, settle
from contactsync.imports.errors import ImportRefused
from contactsync.imports.forms import Form
from contactsync.imports.issues import WARNING
from contactsync.imports.lease import Lease, LeaseLost, State, claim
from contactsync.imports.plan import plan_of
from contactsync.imports.stream import Chunk, judged_chunks, open_upload
from contactsync.models import ImportChange, ImportIssue, ImportJob
from contactsync.models.reasons import reason

log = logging.getLogger(__name__)
#: how often a chunk is tried when somebody else writes the same contacts in the same moment
ATTEMPTS = 5
INTERNAL = gettext_noop(
    "The import stopped at an error of the software (%(error)s) after %(rows)s rows. What was imported stays; "
    "the rest can be resumed. If it happens again, tell your administrator."
)


def run_check(job_id: int) -> None:
    """The dry run: count what the real run will do and list the issues. Contacts are not touched."""
    _work(job_id, State.CHECKING, _check)


def run_apply(job_id: int) -> None:
    """The real run, from the first row that is not committed yet."""
    _work(job_id, State.APPLYING, _apply)


def _work(job_id: int, state: str, work: Callable[[Lease, ImportJob], None]) -> None:
    lease = claim(job_id, state)
    if lease is None:
        return
    try:
        work(lease, ImportJob.objects.select_related("phonebook__account").get(pk=job_id))
    except LeaseLost:
        log.info("Import %s was taken over; this worker leaves it.", job_id)
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
        added["warnings"] += sum(problem.severity == WARNING for problem in verdict.problems)
        added["suppressed"] += verdict.suppressed
    return added


def _chunks(job: ImportJob, *, after: int) -> Iterator[Chunk]:
    with open_upload(job) as file:
        yield from judged_chunks(file, Form.of(job), plan_of(job), after=after)


def _check(lease: Lease, job: ImportJob) -> None:
    with transaction.atomic():
        ImportIssue.objects.filter(job=job).delete()
        lease.commit(position=0)
    counts = empty_counts()
    for chunk in _chunks(job, after=0):
        numbers = numbers_of(chunk.rows)
        verdicts = settle(
            chunk.rows,
            contacts=contacts_by_phone(job.phonebook_id, numbers),
            suppressed=suppressed_among(numbers),
        )
        counts = tally(counts, verdicts)
        with transaction.atomic():
            write_issues(job, verdicts)
            go_on = lease.commit(position=chunk.end)
        if not go_on:
            lease.release()
            return
    lease.finish(State.CHECKED, checked_counts=counts, total_rows=counts["rows"], error={})


def _apply(lease: Lease, job: ImportJob) -> None:
    done, counts = job.position, {**empty_counts(), **job.counts}
    if done == 0:
        with transaction.atomic():
            ImportIssue.objects.filter(job=job).delete()
            lease.commit()
    else:
        counts["resumed_from"] = done
        lease.commit(counts=counts)
    for chunk in _chunks(job, after=done):
        if chunk.rows:
            counts, go_on = _apply_chunk(lease, job, chunk, counts)
        else:
            go_on = lease.commit()
        if not go_on:
            lease.release()
            return
    lease.finish(State.APPLIED, counts=_final(job, counts), error={})


def _apply_chunk(lease: Lease, job: ImportJob, chunk: Chunk, counts: Mapping[str, int]) -> tuple[dict[str, int], bool]:
    """One chunk, whole or not at all, looked up afresh when somebody else was at the same contacts."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                lock_phonebook(job.phonebook_id)
                numbers = numbers_of(chunk.rows)
                verdicts = settle(
                    chunk.rows,
                    contacts=contacts_by_phone(job.phonebook_id, numbers, lock=True),
                    suppressed=suppressed_among(numbers),
                )
                write_contacts(job, verdicts)
                write_issues(job, verdicts)
                added = tally(counts, verdicts)
                return added, lease.commit(position=chunk.end, counts=added)
        except (IntegrityError, OperationalError):
            if attempt == ATTEMPTS:
                raise
            log.info("Import %s: rows up to %s met another writer; trying again.", job.pk, chunk.end)
    raise AssertionError("not reached")


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
        "differs_from_check": any(counts[key] != checked.get(key) for key in ("rows", *Outcome)),
    }
