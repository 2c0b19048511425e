"""The form of a file: everything needed to turn its bytes into rows again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, TypedDict

from contactsync.models import ImportJob


class Kind(StrEnum):
    TEXT = "text"
    SHEET = "sheet"


class Asked(TypedDict, total=False):
    """How a person wants a file read; what is left out, or None, stays as it is or follows from the rest."""

    encoding: str | None
    delimiter: str | None
    sheet: str | None
    skip_lines: int | None
    has_header: bool | None
    leave_out_hidden: bool | None


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is to be read. `width` is its number of columns; `lines` is for the progress bar only.

    `skip_lines` counts lines (of a spreadsheet: rows) above the header, or above the first row where there is none.
    With `leave_out_hidden`, rows that are hidden in a spreadsheet are no rows.
    """

    kind: Kind
    encoding: str = ""
    delimiter: str = ""
    has_header: bool = True
    skip_lines: int = 0
    sheet: str = ""
    leave_out_hidden: bool = False
    width: int = 0
    lines: int = 0

    def as_dialect(self) -> dict[str, Any]:
        """The form as an import keeps it, beside its encoding."""
        dialect = asdict(self)
        del dialect["encoding"]
        return dialect

    @classmethod
    def of(cls, job: ImportJob) -> Form:
        """The form an import keeps."""
        kept = {field.name: job.dialect[field.name] for field in fields(cls) if field.name in job.dialect}
        return cls(**{**kept, "kind": Kind(job.dialect["kind"]), "encoding": job.encoding})
