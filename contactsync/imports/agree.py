"""Does the real run find what the check found? Chunk by chunk, before anything of the chunk is written."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from django.utils.translation import gettext_noop, ngettext_lazy

from contactsync.imports.preview import changes_of
from contactsync.imports.settle import Outcome, Verdict
from contactsync.imports.stream import Chunk
from contactsync.models import ImportChunk, ImportJob, ImportPreview
from contactsync.models.reasons import reason

#: lines that are told of
MOST_LINES = 20
#: outcome -> its letter, and its letter for a number on the suppression list
_LETTERS = {
    Outcome.CREATED: ("c", "C"),
    Outcome.UPDATED: ("u", "U"),
    Outcome.UNCHANGED: ("e", "E"),
    Outcome.DUPLICATE: ("d", "d"),
    Outcome.REJECTED: ("r", "r"),
    Outcome.SKIPPED: ("s", "S"),
}
#: what can have become of a row, beside a pair of letters
SUPPRESSED, RELEASED, TAKEN_OFF = "suppressed", "released", "taken_off"

CHANGED = gettext_noop(
    "The phonebook changed after the check. The import stopped before rows %(first)s to %(last)s; nothing of them was written."
)
LIST_CHANGED = gettext_noop(
    "Numbers were taken off the suppression list after the check. The import stopped before rows %(first)s to %(last)s; "
    "nothing of them was written."
)
READ_OTHERWISE = gettext_noop(
    "Rows %(first)s to %(last)s cannot be compared with the check: an option, a setting of the account or the software "
    "was changed after it. The import stopped before them; nothing of them was written."
)


#: kind of difference -> its sentence; a contact that is gone, and all others, have one each
_KINDS: dict[str, Any] = {
    "ce": ngettext_lazy(
        "%(count)s row that was new is there already now, just as the file says.",
        "%(count)s rows that were new are there already now, just as the file says.",
        "number",
    ),
    "cu": ngettext_lazy(
        "%(count)s row that was new is there already now, and would be updated.",
        "%(count)s rows that were new are there already now, and would be updated.",
        "number",
    ),
    "eu": ngettext_lazy(
        "%(count)s row would be updated instead of unchanged.",
        "%(count)s rows would be updated instead of unchanged.",
        "number",
    ),
    "ue": ngettext_lazy(
        "%(count)s row would be unchanged instead of updated.",
        "%(count)s rows would be unchanged instead of updated.",
        "number",
    ),
    "uu": ngettext_lazy(
        "%(count)s row would change its contact in another way than shown.",
        "%(count)s rows would change their contacts in another way than shown.",
        "number",
    ),
    SUPPRESSED: ngettext_lazy(
        "%(count)s number is on the suppression list now.",
        "%(count)s numbers are on the suppression list now.",
        "number",
    ),
    RELEASED: ngettext_lazy(
        "%(count)s number is not on the suppression list any more.",
        "%(count)s numbers are not on the suppression list any more.",
        "number",
    ),
    TAKEN_OFF: ngettext_lazy(
        "%(count)s number that was on the list already was taken off it, and would be put back.",
        "%(count)s numbers that were on the list already were taken off it, and would be put back.",
        "number",
    ),
}
_GONE: Any = ngettext_lazy(
    "%(count)s contact is not there any more, and would be new.",
    "%(count)s contacts are not there any more, and would be new.",
    "number",
)
_SKIPPED: Any = ngettext_lazy(
    "%(count)s row would be skipped now.",
    "%(count)s rows would be skipped now.",
    "number",
)
_NOT_SKIPPED: Any = ngettext_lazy(
    "%(count)s row would not be skipped any more.",
    "%(count)s rows would not be skipped any more.",
    "number",
)
_OTHERWISE: Any = ngettext_lazy(
    "%(count)s row is read in another way.",
    "%(count)s rows are read in another way.",
    "number",
)


class Differs(Exception):
    """The verdicts on a chunk are not those of the check. `error` is a reason to store, with what differs under `difference`."""

    def __init__(self, message: str, chunk: Chunk, found: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__(message)
        self.error: dict[str, Any] = {
            **reason(message, first=chunk.rows[0].row.number, last=chunk.end),
            "difference": {
                "kinds": dict(Counter(kind for _line, kind in found)),
                "lines": [[line, kind] for line, kind in found[:MOST_LINES]],
            },
        }


def note(job: ImportJob, chunk: Chunk, verdicts: Sequence[Verdict]) -> None:
    """Keep the verdicts of the check on a chunk."""
    outcomes = zlib.compress(_outcomes(verdicts).encode(), 1)
    ImportChunk.objects.create(
        job=job,
        end=chunk.end,
        rows_digest=_rows_digest(chunk, verdicts),
        changes_digest=_changes_digest(verdicts),
        outcomes=outcomes,
    )


def insist(job: ImportJob, chunk: Chunk, verdicts: Sequence[Verdict]) -> None:
    """Raise `Differs` unless the check came to the same verdicts: the same outcome, before and after of every row.

    Other edits of a contact do not matter: the digest may differ by them, and is then looked into row by row. Nor does
    it matter when a number came onto the suppression list by another way meanwhile: nothing is written for it then, and
    to stop would leave all others without protection.
    """
    kept = ImportChunk.objects.filter(job=job, end=chunk.end).first()
    outcomes = _outcomes(verdicts)
    then = zlib.decompress(kept.outcomes).decode() if kept else ""
    if kept is None or len(then) != len(outcomes):
        raise Differs(READ_OTHERWISE, chunk)
    is_read_alike = kept.rows_digest == _rows_digest(chunk, verdicts)
    if is_read_alike and then == outcomes and kept.changes_digest == _changes_digest(verdicts):
        return
    if found := list(_differences(job, verdicts, then, outcomes)):
        changed = LIST_CHANGED if job.is_suppression else CHANGED
        raise Differs(changed if is_read_alike else READ_OTHERWISE, chunk, found)
    if not is_read_alike:
        raise Differs(READ_OTHERWISE, chunk)


def _outcomes(verdicts: Sequence[Verdict]) -> str:
    return "".join([_LETTERS[verdict.outcome][verdict.suppressed] for verdict in verdicts])


def _rows_digest(chunk: Chunk, verdicts: Sequence[Verdict]) -> str:
    """Of what the rows say, whatever is in the phonebook."""
    codes = [
        problem.code for verdict in verdicts if verdict.outcome is Outcome.REJECTED for problem in verdict.problems
    ]
    hashes = [values[-1] for values in chunk.new.values()]
    return _digest("\n".join([*hashes, *codes]))


def _changes_digest(verdicts: Sequence[Verdict]) -> str:
    """Of what would be changed, and from what."""
    told: list[Any] = []
    for verdict in verdicts:
        if verdict.outcome is Outcome.UPDATED:
            before = vars(verdict.contact)
            told.append(verdict.judged.phone)
            for name, value in verdict.changes.items():
                told += (name, before[name], value)
    return _digest("\0".join(map(str, told)))  # no text in the database holds this


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _differences(job: ImportJob, verdicts: Sequence[Verdict], then: str, now: str) -> Iterator[tuple[int, str]]:
    """(line, kind) of each row whose verdict is another one; a kind is the letters then and now, or about suppression."""
    if job.is_suppression:
        yield from _list_differences(verdicts, then, now)
        return
    both = [
        verdict.judged.row.number for verdict, old, new in zip(verdicts, then, now, strict=True) if _is_both(old, new)
    ]
    previews = _previews(job, both)
    for verdict, old, new in zip(verdicts, then, now, strict=True):
        row = verdict.judged.row
        if old.lower() != new.lower():
            yield row.line, old.lower() + new.lower()
        elif old != new:
            yield row.line, SUPPRESSED if new.isupper() else RELEASED
        elif (
            verdict.contact
            and _is_both(old, new)
            and previews.get(row.number) != changes_of(verdict.contact, verdict.changes)
        ):
            yield row.line, "uu"


def _list_differences(verdicts: Sequence[Verdict], then: str, now: str) -> Iterator[tuple[int, str]]:
    for verdict, old, new in zip(verdicts, then, now, strict=True):
        if old != new and old + new != "ce":
            yield verdict.judged.row.line, TAKEN_OFF if old + new == "ec" else old + new


def _is_both(old: str, new: str) -> bool:
    return old == new and new in _LETTERS[Outcome.UPDATED]


def _previews(job: ImportJob, rows: Sequence[int]) -> Mapping[int, Any]:
    if not rows:
        return {}
    kept = ImportPreview.objects.filter(job=job, row__range=(rows[0], rows[-1]))
    return dict(kept.values_list("row", "changes"))


def difference_of(job: ImportJob) -> dict[str, Any]:
    """What the real run found otherwise than the check, where that has stopped the import; else empty."""
    found: dict[str, Any] = job.error.get("difference", {}) if job.state == ImportJob.State.STOPPED else {}
    return found


def describe_kind(kind: str, count: int, shown: str = "") -> str:
    """One kind of difference, in a sentence of the active language; `shown` is the count as the reader is used to it."""
    others = {"uc": _GONE, "ec": _GONE, **dict.fromkeys(("cs", "us", "es"), _SKIPPED)}
    others |= dict.fromkeys(("sc", "su", "se"), _NOT_SKIPPED)
    text = _KINDS.get(kind) or others.get(kind, _OTHERWISE)
    return str(text % {"number": count, "count": shown or count})
