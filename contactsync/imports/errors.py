"""Why a file or a choice of columns is refused, in words for the person who uploaded it."""

from __future__ import annotations

from typing import Any

from contactsync.models.reasons import describe, reason


class ImportRefused(Exception):
    """Something a person has to put right. `message` is a constant sentence, `params` fill its places."""

    def __init__(self, message: str, **params: str | int) -> None:
        super().__init__(message % params if params else message)
        self.message = message
        self.params = params

    def as_reason(self) -> dict[str, Any]:
        """The form in which rows keep it."""
        return reason(self.message, **self.params)

    def describe(self) -> str:
        """The sentence in the active language."""
        return describe(self.as_reason())


class UnreadableFile(ImportRefused):
    """The file cannot be read as a table of contacts; nothing of it is taken."""


class MappingError(ImportRefused):
    """The columns cannot be used as chosen."""
