"""The file as chunks of judged rows: the one way in for the dry run and the real run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

from django.utils.translation import gettext_noop

from contactsync.imports.check import Judged, judge
from contactsync.imports.errors import UnreadableFile
from contactsync.imports.forms import Form
from contactsync.imports.plan import Plan
from contactsync.imports.read import read_rows
from contactsync.imports.seen import Seen
from contactsync.models import ImportJob

CHUNK_ROWS = 2000

FILE_GONE = gettext_noop("The uploaded file is no longer kept. Upload it again.")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Judged rows that follow each other; `end` is the number of the last one. Empty for rows that were done before."""

    rows: list[Judged]
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


def judged_chunks(file: BinaryIO, form: Form, plan: Plan, *, after: int = 0) -> Iterator[Chunk]:
    """All rows, judged, in chunks of `CHUNK_ROWS`. Rows up to number `after` are read only to know their phone numbers."""
    rows = read_rows(file, form)
    with Seen() as seen:
        while batch := [judge(row, plan) for row in itertools.islice(rows, CHUNK_ROWS)]:
            seen.mark(batch)
            yield Chunk(rows=[judged for judged in batch if judged.row.number > after], end=batch[-1].row.number)
