"""What people do with an import: upload, choose the columns, have it checked, import, stop. Nothing here reads all rows or enqueues."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contactsync.imports.detect import Found, examine, examine_again
from contactsync.imports.errors import MappingError, UnreadableFile
from contactsync.imports.forms import Form
from contactsync.imports.issues import storable
from contactsync.imports.letters import column_letters
from contactsync.imports.map import CONTACT_FIELDS, check_mapping, guess_mapping
from contactsync.imports.plan import options_of, plan_of
from contactsync.imports.stream import open_upload
from contactsync.models import Contact, ImportJob, Phonebook
from contactsync.models.transitions import StepRefused, transition

__all__ = [
    "MappingError",
    "Sample",
    "UnreadableFile",
    "begin_apply",
    "begin_check",
    "create_job",
    "field_choices",
    "read_again",
    "sample",
    "set_columns",
    "stop",
]

logger = logging.getLogger(__name__)
State = ImportJob.State

#: kept with the import, because to open a large spreadsheet takes seconds
SAMPLE_ROWS = 20
SAMPLE_WIDTH = 200

TOO_LARGE = gettext_noop("The file is larger than %(size)s MB. Split it, and upload the parts one after the other.")
OTHER_COLUMNS = gettext_noop(
    "Read this way, the file has other columns. They were guessed again: look at them, then go on."
)


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows as they are read now. `delimiter` and `encoding` are empty for spreadsheets."""

    columns: list[str]
    rows: list[list[str]]
    encoding: str
    delimiter: str
    has_header: bool


def create_job(*, phonebook: Phonebook, upload: File[bytes], user: User | None = None) -> ImportJob:
    """Keep an uploaded file privately, find out what it is and guess its columns. Raises `UnreadableFile`; then nothing is kept."""
    name = "".join(filter(str.isprintable, PurePath(upload.name or "").name)) or "file"
    if upload.size > settings.IMPORT_MAX_MB * 1024 * 1024:
        raise UnreadableFile(TOO_LARGE, size=settings.IMPORT_MAX_MB)
    upload.open("rb")
    found = examine(upload.file)  # type: ignore[arg-type]  # any binary stream
    job = ImportJob(phonebook=phonebook, file_name=name[-200:], created_by=user)
    _keep(job, found)
    upload.seek(0)
    job.file.save(secrets.token_urlsafe(24) + PurePath(name).suffix.lower()[:8], upload, save=False)
    try:
        job.save()
    except BaseException:
        job.file.delete(save=False)
        raise
    return job


def sample(job: ImportJob, *, rows: int = 10) -> Sample:
    """The first rows of the file (at most `SAMPLE_ROWS`), for a person to confirm how it is read."""
    form = Form.of(job)
    width = len(job.columns)
    body = [[*row, *[""] * width][:width] for row in job.dialect.get("sample", [])[:rows]]
    titles = [title.strip() or column_letters(index) for index, title in enumerate(job.columns)]
    return Sample(titles, body, form.encoding, form.delimiter, form.has_header)


def read_again(
    job: ImportJob, *, encoding: str | None = None, delimiter: str | None = None, has_header: bool | None = None
) -> None:
    """Read the file as a person wants it read, and guess the columns anew. Raises `UnreadableFile`, `TransitionRefused`."""
    with open_upload(job) as file:
        found = examine_again(file, Form.of(job), encoding=encoding, delimiter=delimiter, has_header=has_header)
    _keep(job, found)
    _reopen(job)


def set_columns(
    job: ImportJob,
    *,
    mapping: Mapping[str, str],
    encoding: str | None = None,
    delimiter: str | None = None,
    has_header: bool | None = None,
) -> None:
    """Keep which column is which field (column index as text -> field, "" to leave it out).

    Raises `MappingError` when the columns cannot be used so, or are others when the file is read in the
    way asked for, `UnreadableFile`, and `TransitionRefused` once rows have been imported.
    """
    form, columns = Form.of(job), list(job.columns)
    asked = {"encoding": encoding, "delimiter": delimiter, "has_header": has_header}
    if any(value is not None and value != getattr(form, name) for name, value in asked.items()):
        read_again(job, encoding=encoding, delimiter=delimiter, has_header=has_header)
        if job.columns != columns:
            raise MappingError(OTHER_COLUMNS)
    titles = {option_id: option.title for option_id, option in options_of(job.phonebook).items()}
    job.mapping = check_mapping(mapping, width=len(job.columns), options=titles)
    _reopen(job)


def begin_check(job: ImportJob, *, user: User | None) -> None:
    """Let the dry run begin. Raises `MappingError` when the columns cannot be used, `TransitionRefused`."""
    plan_of(job)
    come_from = ImportJob.TRANSITIONS[State.CHECKING]
    _begin(job, State.CHECKING, user, come_from=come_from, position=0, checked_counts={}, counts={})


def begin_apply(job: ImportJob, *, user: User | None) -> None:
    """Let the real run begin, or go on after a stop. Raises `TransitionRefused` unless the file has been checked."""
    job.refresh_from_db(fields=["state", "checked_counts"])
    if not job.checked_counts:
        raise StepRefused(_("The file has not been checked to its end. Check it first."))
    # Whether to begin anew follows from the state just read; if it is another one meanwhile, somebody else was first.
    seen = ImportJob.TRANSITIONS[State.APPLYING] & {job.state}
    fresh = {"position": 0, "counts": {}} if job.state == State.CHECKED else {}
    _begin(job, State.APPLYING, user, come_from=seen, **fresh)


def _begin(job: ImportJob, state: State, user: User | None, *, come_from: frozenset[State], **changes: Any) -> None:
    # A worker that is just ending after a stop keeps its lease, sees the new state and simply goes on.
    transition(job, state, table={state: come_from}, started_at=timezone.now(), finished_at=None, error={}, **changes)
    logger.info("Import %s: %s, asked for by %s.", job.pk, state, user or "a command")


def stop(job: ImportJob) -> None:
    """Ask the worker to end after the rows in hand. Raises `TransitionRefused` when nothing is running."""
    transition(job, State.STOPPED, table=ImportJob.TRANSITIONS, finished_at=timezone.now())


def field_choices(phonebook: Phonebook) -> list[tuple[str, str]]:
    """What a column may be, for a select: value and label, custom options last."""
    labels = {field.name: str(field.verbose_name) for field in Contact._meta.concrete_fields}
    labels["full_name"] = _("full name")
    own = [(name, labels[name]) for name in CONTACT_FIELDS]
    options = [(f"option:{option_id}", option.title) for option_id, option in options_of(phonebook).items()]
    return [("", _("(leave out)")), *own, *options]


def _keep(job: ImportJob, found: Found) -> None:
    """Set what was found out about the file; nothing is saved yet."""
    form = found.form
    options = {option_id: option.title for option_id, option in options_of(job.phonebook).items()}
    job.encoding, job.columns = form.encoding, [storable(title) for title in found.columns]
    first = [[storable(cell[:SAMPLE_WIDTH]) for cell in row] for row in found.rows[:SAMPLE_ROWS]]
    job.dialect = {**form.as_dialect(), "sample": first}
    job.size, job.sha256 = found.size, found.sha256
    job.total_rows = max(1, form.lines - form.skip_lines - form.has_header) if form.lines else None
    region = job.phonebook.account.default_region
    job.mapping = guess_mapping(found.columns, found.rows, region=region, options=options)


def _reopen(job: ImportJob) -> None:
    """Back to the choice of columns, with what was set on the job; not any more once rows have been imported."""
    if ImportJob.objects.filter(pk=job.pk).exclude(counts={}).exists():
        raise StepRefused(_("Rows of this file have been imported already. Upload it again to change its columns."))
    names = ("encoding", "dialect", "columns", "mapping", "total_rows")
    changes = {name: getattr(job, name) for name in names}
    # A worker that is just ending after a stop knows the old columns: it must find its lease gone.
    changes |= {"lease_owner": "", "lease_until": None}
    transition(job, State.UPLOADED, table=ImportJob.TRANSITIONS, error={}, checked_counts={}, **changes)
