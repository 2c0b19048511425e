"""What was chosen before for the titles of a file: kept under a name, or last time. Titles count, not their places."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from contactsync.imports.headers import key
from contactsync.imports.letters import column_letters
from contactsync.imports.map import FIELDS, Guess, guess_mapping
from contactsync.imports.plan import options_of, region_of
from contactsync.models import ImportJob, SavedMapping

#: where the choice before comes from; `LAST` and `SAVED` also stand as the reason of one column
SAVED, PHONEBOOK, ACCOUNT, LIST = "saved", "phonebook", "account", "list"
LAST = "last"
#: an upload whose columns nobody confirmed, or that nobody wanted, is no example
NOT_CHOSEN = (ImportJob.State.UPLOADED, ImportJob.State.DISCARDED)
LOOK_BACK = 20  # imports that are searched for nearly the same titles
ALIKE = 0.5  # of all titles must be in both

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Remembered:
    """A choice of columns made before: `columns` holds title and field in the order they had then."""

    origin: str
    name: str
    at: str
    columns: tuple[tuple[str, str], ...]
    fixed: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Recalled:
    """The choice made before, put onto the columns of a file. Indexes are text, as in a mapping; places count from 1."""

    mapping: dict[str, str] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)


def titles_of(job: ImportJob) -> list[str]:
    """The titles by which columns are recognised; letters where a file has no titles."""
    if not job.dialect.get("has_header", True):
        return [column_letters(index) for index in range(len(job.columns))]
    return [title.strip() for title in job.columns]


def keys_of(titles: Sequence[str]) -> list[Key]:
    """What makes a title the same as another, with a number for those that repeat."""
    seen: dict[str, int] = {}
    keys = []
    for title in titles:
        name = key(title) or title.strip()
        seen[name] = seen.get(name, 0) + 1
        keys.append((name, seen[name]))
    return keys


def fingerprint(job: ImportJob) -> str:
    """The same for files with the same titles in any order; empty for a file without titles."""
    titles = titles_of(job) if job.dialect.get("has_header", True) else []
    if not any(titles):
        return ""
    return hashlib.sha256(repr(sorted(keys_of(titles))).encode()).hexdigest()


def recall(before: Remembered, titles: Sequence[str], *, usable: Collection[str]) -> Recalled:
    """The choice made before for these titles. Only fields that are `usable` in the phonebook are taken over."""
    old = {
        name: (place, title, used)
        for place, (name, (title, used)) in enumerate(
            zip(keys_of([title for title, _used in before.columns]), before.columns, strict=True), start=1
        )
    }
    found, here = Recalled(), keys_of(titles)
    for index, name in enumerate(here):
        if name not in old:
            found.new.append(str(index))
            continue
        place, _title, used = old[name]
        if place != index + 1:
            found.moved[str(index)] = place
        if used and used not in usable:
            found.unusable.append(titles[index])
        else:
            found.mapping[str(index)] = used
    found.gone = [title for name, (_place, title, used) in old.items() if used and name not in set(here)]
    return found


def of_saved(saved: SavedMapping) -> Remembered:
    """A saved mapping as something remembered."""
    columns = tuple((title, used) for title, used in saved.columns)
    return Remembered(SAVED, saved.name, "", columns, dict(saved.fixed))


def last_time(job: ImportJob) -> Remembered | None:
    """The newest choice for the same titles in the phonebook, else in its account; else for nearly the same titles.

    For the suppression list, among files that went onto it.
    """
    if not job.header_fingerprint:
        return None
    chosen = ImportJob.objects.filter(corrects=None).exclude(pk=job.pk).exclude(state__in=NOT_CHOSEN)
    fields = ("phonebook", "columns", "mapping", "fixed_values", "file_name", "created_at")
    rows = chosen.exclude(mapping={}).order_by("-pk").only(*fields)
    if job.is_suppression:
        scopes = {LIST: rows.filter(kind=job.kind)}
    else:
        scopes = {PHONEBOOK: rows.filter(phonebook=job.phonebook_id)}
        scopes[ACCOUNT] = rows.filter(phonebook__account=job.book.account_id)
    for origin, found in scopes.items():
        if same := found.filter(header_fingerprint=job.header_fingerprint).first():
            return _of_job(same, origin)
    for origin, found in scopes.items():
        candidates = [(_alike(job, other), other) for other in found.exclude(header_fingerprint="")[:LOOK_BACK]]
        if candidates:
            share, other = max(candidates, key=lambda candidate: (candidate[0], candidate[1].pk))
            if share >= ALIKE:
                return _of_job(other, origin)
    return None


def _alike(job: ImportJob, other: ImportJob) -> float:
    mine, theirs = set(keys_of(titles_of(job))), set(keys_of([title.strip() for title in other.columns]))
    return len(mine & theirs) / len(mine | theirs)


def _of_job(job: ImportJob, origin: str) -> Remembered:
    columns = tuple((title.strip(), job.mapping.get(str(index), "")) for index, title in enumerate(job.columns))
    fixed = {name: kept["text"] for name, kept in job.fixed_values.items()}
    return Remembered(origin, job.file_name, timezone.localdate(job.created_at).isoformat(), columns, fixed)


def propose(job: ImportJob, rows: Sequence[Sequence[str]], *, saved: SavedMapping | None = None) -> Remembered | None:
    """Set the columns of a job as far as they can be known, and in `guess` where each comes from; nothing is saved.

    A saved mapping before last time's choice, that before titles, titles before content.
    """
    job.header_fingerprint = fingerprint(job)
    before = of_saved(saved) if saved else last_time(job)
    options = options_of(job.phonebook)
    usable = {*FIELDS[job.kind], *(f"option:{pk}" for pk in options)}
    recalled = recall(before, titles_of(job), usable=usable) if before else Recalled()
    guesses = guess_mapping(
        job.columns, rows, region=region_of(job), options=options, known=recalled.mapping, kind=job.kind
    )
    kept = {index: Guess(used, SAVED if saved else LAST) for index, used in recalled.mapping.items()}
    chosen = dict(sorted({**guesses, **kept}.items(), key=lambda item: int(item[0])))
    job.mapping = {index: guess.field for index, guess in chosen.items()}
    job.guess = {"why": {index: guess.why for index, guess in chosen.items() if guess.why}}
    if before:
        job.guess |= _drift(before, recalled)
    return before


def _drift(before: Remembered, recalled: Recalled) -> dict[str, Any]:
    return {
        "origin": before.origin,
        "name": before.name,
        "at": before.at,
        "moved": recalled.moved,
        "new": recalled.new,
        "gone": recalled.gone,
        "unusable": recalled.unusable,
        "fixed": dict(before.fixed),
    }


def column_pairs(job: ImportJob) -> Iterator[tuple[str, str]]:
    """Title and field of every column, as a saved mapping keeps them."""
    for index, title in enumerate(titles_of(job)):
        yield title, job.mapping.get(str(index), "")
