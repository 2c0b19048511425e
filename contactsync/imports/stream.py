"""The file as chunks of judged rows: the one way in for the dry run and the real run."""

from __future__ import annotations

import itertools
import logging
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, cast

from django.utils.translation import gettext_noop

from contactsync.imports import ahead, issues, suppress
from contactsync.imports.apply import new_contacts
from contactsync.imports.check import judge
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.forms import Form
from contactsync.imports.judged import Judged
from contactsync.imports.plan import Plan, plan_of
from contactsync.imports.read import Row, read_rows
from contactsync.imports.seen import Seen
from contactsync.models import ImportJob

log = logging.getLogger(__name__)
#: so many that a transaction is worth its price, so few that nobody else waits long for the database
CHUNK_ROWS = 3000
#: bytes; to read a smaller file takes less time than to begin a second process
WORTH_A_PROCESS = 500_000

FILE_GONE = gettext_noop("The uploaded file is no longer kept. Upload it again.")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Judged rows that follow each other, and what each that can be used says (by phone), last what the real run must find
    again: `apply.new_contacts`, `suppress.told_of`. `end` is the number of the last one. Without rows when they were done
    before."""

    rows: list[Judged]
    new: dict[str, tuple[Any, ...]]
    end: int


@contextmanager
def open_upload(job: ImportJob) -> Iterator[BinaryIO]:
    """The stored file, open for reading. Raises `UnreadableFile` when it has been erased."""
    try:
        stored = job.file.open("rb")
    except (FileNotFoundError, ValueError) as error:
        raise UnreadableFile(FILE_GONE) from error
    with stored:
        yield cast(BinaryIO, stored.file)


def chunks_of(job: ImportJob, *, after: int = 0) -> Iterator[Chunk]:
    """All rows of an import in chunks, judged in a process of their own when there are many.

    Where that process is killed, most likely for want of memory, or stuck, this one reads the rest itself. What was
    yielded must have been recorded when the next chunk is asked for.
    """
    plan, form, done = plan_of(job), Form.of(job), after
    if ahead.POSSIBLE and job.size >= WORTH_A_PROCESS:
        rejected = _rejected(job, done)
        try:
            with open_upload(job) as file:
                packed = map(_pack, judged_chunks(file, form, plan, after=done, rejected=rejected))
                with ahead.ahead(packed) as received:
                    for chunk in map(_unpack, received):
                        yield chunk
                        done = max(done, chunk.end)
            return
        except ahead.Ended:
            log.warning(
                "Import %s: the process that read ahead was killed after row %s; going on without.", job.pk, done
            )
    with open_upload(job) as file:
        for chunk in judged_chunks(file, form, plan, after=done, rejected=_rejected(job, done)):
            yield chunk if chunk.rows else replace(chunk, end=done)


def judged_chunks(
    file: BinaryIO, form: Form, plan: Plan, *, after: int = 0, rejected: Sequence[int] = ()
) -> Iterator[Chunk]:
    """All rows, judged, in chunks of `CHUNK_ROWS`.

    Of the rows up to number `after`, which were done before, only the phone numbers are read; `rejected` says,
    in order, which of them were not used.
    """
    rows = read_rows(file, form)
    new = suppress.told_of if plan.kind == ImportJob.Kind.SUPPRESSION else new_contacts
    with Seen() as seen:
        yield from _known_chunks(rows, plan, seen, after, rejected)
        while batch := [judge(row, plan) for row in itertools.islice(rows, CHUNK_ROWS)]:
            seen.mark(batch)
            yield Chunk(batch, new(batch), batch[-1].row.number)


def _known_chunks(rows: Iterator[Row], plan: Plan, seen: Seen, after: int, rejected: Sequence[int]) -> Iterator[Chunk]:
    phone_only = replace(plan, places=tuple(place for place in plan.places if place.field == "phone"), fixed=None)
    refused = iter(rejected)
    skip = next(refused, 0)
    while after and (batch := [judge(row, phone_only) for row in itertools.islice(rows, min(CHUNK_ROWS, after))]):
        after -= len(batch)
        for judged in batch:
            if judged.row.number == skip:
                judged.rejected = True
                skip = next(refused, 0)
        seen.mark(batch)
        yield Chunk([], {}, batch[-1].row.number)


def _rejected(job: ImportJob, after: int) -> Sequence[int]:
    """The numbers of the rejected rows up to `after`, in order, in little memory."""
    found = job.issues.filter(severity=issues.REJECTED, row__lte=after).order_by("row").values_list("row", flat=True)
    return array("Q", found.distinct().iterator()) if after else ()


_Packed = tuple[list[tuple[Any, ...]], dict[str, tuple[Any, ...]], int]


def _pack(chunk: Chunk) -> _Packed:
    """The chunk as plain tuples, which travel several times as fast; cells are needed only of rows that are left out."""
    return (
        [
            (
                *(each.row.number, each.row.line, each.row.cells if each.rejected or each.same_as_line else None),
                *(each.phone, each.fields, each.options, each.problems),
                *(each.rejected, each.same_as_line, each.keeps_consent, each.adds_tags, each.cleared),
            )
            for each in chunk.rows
        ],
        chunk.new,
        chunk.end,
    )


def _unpack(packed: _Packed) -> Chunk:
    rows, new, end = packed
    return Chunk([Judged(Row(number, line, cells or []), *more) for number, line, cells, *more in rows], new, end)
