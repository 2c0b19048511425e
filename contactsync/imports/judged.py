"""What is known of a row once its cells are read: what it says of a contact, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from contactsync.imports import issues
from contactsync.imports.issues import Problem
from contactsync.imports.plan import Place
from contactsync.imports.read import Row


@dataclass(slots=True)
class Judged:
    """A row as far as it can be judged alone. `fields` holds what the row says; blank cells say nothing.

    `cleared` names the options that the row empties; fields that it empties are blank in `fields`.
    """

    row: Row
    phone: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    rejected: bool = False
    same_as_line: int = 0
    keeps_consent: bool = False  # a plain yes: an earlier date of consent stays
    adds_tags: bool = False  # to those a contact has
    cleared: tuple[str, ...] = ()

    def reject(self, code: str, place: Place | None = None, value: str = "", **more: Any) -> None:
        self.rejected = True
        self._add(issues.REJECTED, code, place, value, **more)

    def warn(self, code: str, place: Place | None = None, value: str = "", **more: Any) -> None:
        self._add(issues.WARNING, code, place, value, **more)

    def _add(self, severity: str, code: str, place: Place | None, value: str, **more: Any) -> None:
        column = place.title if place else ""
        self.problems.append(Problem(severity=severity, code=code, column=column, value=value, **more))
