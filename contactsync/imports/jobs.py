"""What people do with an import: upload, choose the columns, have it checked, import, stop. Nothing here reads all rows or enqueues."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Unpack

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contactsync.imports import attempts
from contactsync.imports.agree import difference_of
from contactsync.imports.archive import unpacked
from contactsync.imports.correction_workbook import key_column
from contactsync.imports.detect import Found, examine, examine_again
from contactsync.imports.errors import MappingError, UnreadableFile
from contactsync.imports.fixed import FixedRefused, read_fixed
from contactsync.imports.forms import Asked, Form
from contactsync.imports.issues import storable
from contactsync.imports.kinds import varied
from contactsync.imports.lease import WORKING_STATES
from contactsync.imports.map import FIELDS, check_mapping
from contactsync.imports.memory import propose
from contactsync.imports.new_options import NewOption, make_options
from contactsync.imports.plan import options_of, plan_of
from contactsync.imports.rules import Rules
from contactsync.imports.sample import ROWS, WIDTH
from contactsync.imports.stream import open_upload
from contactsync.models import Contact, CustomOption, ImportJob, Phonebook, SavedMapping, Suppression
from contactsync.models.transitions import StepRefused, transition
from contactsync.text import printable

__all__ = [
    "MappingError",
    "UnreadableFile",
    "begin_apply",
    "begin_check",
    "create_job",
    "field_choices",
    "read_again",
    "set_columns",
    "stop",
    "use_mapping",
]

logger = logging.getLogger(__name__)
State = ImportJob.State
Kind, Mode = ImportJob.Kind, ImportJob.Mode

TOO_LARGE = gettext_noop("The file is larger than %(size)s MB. Split it, and upload the parts one after the other.")
OTHER_COLUMNS = gettext_noop(
    "Read this way, the file has other columns. They were guessed again: look at them, then go on."
)


def create_job(
    *, phonebook: Phonebook | None, upload: File[bytes], user: User | None = None, region: str = ""
) -> ImportJob:
    """Keep an uploaded file privately, find out what it is and guess its columns. Raises `UnreadableFile`; then nothing is kept.

    Without a phonebook it is one for the suppression list, and `region` (two letters) says where its numbers are from.
    """
    name = printable(PurePath(upload.name or "").name) or "file"
    if upload.size > settings.IMPORT_MAX_MB * 1024 * 1024:
        raise UnreadableFile(TOO_LARGE, size=settings.IMPORT_MAX_MB)
    upload.open("rb")
    with unpacked(upload.file, name) as (file, name):  # type: ignore[arg-type]  # any binary stream
        found = examine(file)
        job = ImportJob(phonebook=phonebook, file_name=name[-200:], created_by=user)
        if phonebook is None:  # the list only grows by a file, and nothing in it is emptied
            job.kind, job.region, job.mode, job.clear_token = Kind.SUPPRESSION, region, Mode.ADD_ONLY, ""
        _keep(job, found)
        attempts.join(job, found.rows)
        file.seek(0)
        kept = upload if file is upload.file else File(file, name)
        job.file.save(secrets.token_urlsafe(24) + PurePath(name).suffix.lower()[:8], kept, save=False)
    try:
        job.save()
    except BaseException:
        job.file.delete(save=False)
        raise
    return job


def read_again(job: ImportJob, **asked: Unpack[Asked]) -> None:
    """Read the file as a person wants it read, and guess the columns anew. Raises `UnreadableFile`, `TransitionRefused`."""
    with open_upload(job) as file:
        found = examine_again(file, Form.of(job), asked)
    _keep(job, found)
    _reopen(job)


def set_columns(
    job: ImportJob,
    *,
    mapping: Mapping[str, str],
    fixed: Mapping[str, str] | None = None,
    new: Mapping[str, NewOption] | None = None,
    rules: Rules | None = None,
    region: str = "",
    **asked: Unpack[Asked],
) -> list[CustomOption]:
    """Keep which column is which field (column index as text -> field, "" to leave it out).

    `fixed` maps fields to the text that holds for all rows (None: as it was); `new` are the options to make for
    columns mapped to "new" (`imports.new_options`); `rules` say what happens with contacts that are there (None: as
    it was); `region` is another one for the numbers of a suppression list. Returns the options that came into the
    phonebook. Raises `MappingError` when the columns cannot be used so, or are others when the file is read in the
    way asked for, `UnreadableFile`, and `TransitionRefused` once rows have been imported; then no option is made.
    """
    form, columns = Form.of(job), list(job.columns)
    if any(value is not None and value != getattr(form, name) for name, value in asked.items()):
        read_again(job, **asked)
        if job.columns != columns:
            raise MappingError(OTHER_COLUMNS)
    with transaction.atomic():
        if job.phonebook is None:
            resolved, added = dict(mapping), list[CustomOption]()
            job.region = region or job.region
        else:
            resolved, added = make_options(job.phonebook, mapping, new or {})
            (rules or Rules.of(job)).keep_in(job)
        options = options_of(job.phonebook)
        values = job.fixed_values
        if fixed is not None:
            values = read_fixed(
                fixed, options=options, moment=job.created_at, clear_token=job.clear_token, kind=job.kind
            )
        checked = check_mapping(resolved, width=len(job.columns), options=options, fixed=values, kind=job.kind)
        job.mapping, job.fixed_values, job.guess = checked, values, {}
        _reopen(job)
    return added


def use_mapping(job: ImportJob, saved: SavedMapping) -> list[str]:
    """Put a saved mapping onto the columns of the file. Returns what does not fit, in words. Raises `TransitionRefused`."""
    propose(job, job.dialect.get("sample", []), saved=saved)
    options, said = options_of(job.phonebook), []
    job.fixed_values = {}
    Rules.read(saved.rules).keep_in(job)
    for name, text in saved.fixed.items():
        try:
            job.fixed_values |= read_fixed(
                {name: text}, options=options, moment=job.created_at, clear_token=job.clear_token
            )
        except FixedRefused as refused:
            said.append(refused.describe())
    _reopen(job)
    return said


def begin_check(job: ImportJob, *, user: User | None) -> None:
    """Let the dry run begin, or begin anew. Raises `MappingError` when the columns cannot be used, `TransitionRefused`
    (in words once rows have been imported)."""
    plan_of(job)
    come_from = ImportJob.TRANSITIONS[State.CHECKING]
    fresh: dict[str, Any] = {"position": 0, "checked_counts": {}, "counts": {}, "compared_until": None}
    # A worker that is just ending after a stop must find its lease gone.
    fresh |= {"lease_owner": "", "lease_until": None}
    with transaction.atomic():
        if ImportJob.objects.select_for_update().filter(pk=job.pk).exclude(counts={}).exists():
            raise StepRefused(_("Rows of this file have been imported already, so it cannot be checked again."))
        _begin(job, State.CHECKING, user, come_from=come_from, **fresh)


def begin_apply(job: ImportJob, *, user: User | None, go_on: bool = False) -> None:
    """Let the real run begin, or go on after a stop. Raises `TransitionRefused` unless the file has been checked.

    With `go_on`, an import that stopped because the phonebook is not as it was when checked takes it as it is from
    there on. All others are held to their check.
    """
    lease = ("lease_owner", "lease_until", "started_at")
    job.refresh_from_db(fields=["state", "checked_counts", "position", "error", *lease])
    if not job.checked_counts:
        raise StepRefused(_("The file has not been checked to its end. Check it first."))
    # Whether to begin anew follows from the state just read; if it is another one meanwhile, somebody else was first.
    seen = ImportJob.TRANSITIONS[State.APPLYING] & {job.state}
    fresh: dict[str, Any] = {"position": 0, "counts": {}} if job.state == State.CHECKED else {}
    if go_on and difference_of(job):
        fresh["compared_until"] = job.position
    if job.is_ending:  # its worker simply goes on, and so does the time that its speed is reckoned by
        fresh["started_at"] = job.started_at
    _begin(job, State.APPLYING, user, come_from=seen, **fresh)


def _begin(job: ImportJob, state: State, user: User | None, *, come_from: frozenset[State], **changes: Any) -> None:
    # A worker that is just ending after a stop keeps its lease, sees the new state and simply goes on.
    begun: dict[str, Any] = {"started_at": timezone.now(), "finished_at": None, "error": {}}
    transition(job, state, table={state: come_from}, **{**begun, **changes})
    logger.info("Import %s: %s, asked for by %s.", job.pk, state, user or "a command")


def stop(job: ImportJob) -> None:
    """Ask the worker to end after the rows in hand. Raises `TransitionRefused` when nothing is running."""
    transition(job, State.STOPPED, table={State.STOPPED: frozenset(WORKING_STATES)}, finished_at=timezone.now())


def field_choices(phonebook: Phonebook | None) -> list[tuple[str, str]]:
    """What a column may be, for a select: value and label, custom options last. Without a phonebook, for the suppression list."""
    model, kind = (Suppression, Kind.SUPPRESSION) if phonebook is None else (Contact, Kind.CONTACTS)
    labels = {field.name: str(field.verbose_name) for field in model._meta.concrete_fields}
    labels["full_name"] = _("full name")
    own = [(name, labels[name]) for name in FIELDS[kind]]
    options = [(f"option:{option_id}", option.title) for option_id, option in options_of(phonebook).items()]
    return [("", _("(leave out)")), *own, *options]


def _keep(job: ImportJob, found: Found) -> None:
    """Set what was found out about the file; nothing is saved yet."""
    form, key = found.form, key_column(found.columns)
    columns = list(found.columns)
    while key is not None and not columns[-1].strip():  # what follows the key without a title is too much in some rows
        columns.pop()
    job.encoding, job.columns = form.encoding, [storable(title) for title in columns]
    first = [[storable(cell[:WIDTH]) for cell in row] for row in found.rows[:ROWS]]
    job.dialect = {**found.as_dialect(), "width": len(columns), "sample": first}
    job.dialect["varied"] = varied(found.rows, len(columns))
    if key is not None:  # what is hidden there was hidden by us
        job.dialect["hidden"] |= {"columns": [], "sheets": []}
    job.size, job.sha256 = found.size, found.sha256
    job.total_rows = found.expected_rows
    propose(job, found.rows)


#: what a person may still change
_CHOSEN = (
    *("encoding", "dialect", "columns", "header_fingerprint", "mapping", "fixed_values", "guess", "total_rows"),
    *("mode", "tags_mode", "clear_token", "region"),
)


def _reopen(job: ImportJob) -> None:
    """Back to the choice of columns, with what was set on the job; not any more once rows have been imported."""
    if ImportJob.objects.filter(pk=job.pk).exclude(counts={}).exists():
        raise StepRefused(_("Rows of this file have been imported already. Upload it again to change its columns."))
    changes = {name: getattr(job, name) for name in _CHOSEN}
    # A worker that is just ending after a stop knows the old columns: it must find its lease gone.
    changes |= {"lease_owner": "", "lease_until": None}
    transition(job, State.UPLOADED, table=ImportJob.TRANSITIONS, error={}, checked_counts={}, **changes)
