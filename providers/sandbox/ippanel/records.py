"""The rows of an IPPanel account. Dates are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class SenderNumber:
    id: int
    number: str
    operator_id: int = 3
    alias: str | None = None
    gets: int = 1
    is_66_char: int = 0


@dataclass
class Option:
    id: int
    title: str
    type: str  # "int", "string" or "date"
    created: float


@dataclass
class Phonebook:
    """`contact_ids` ascend; that is the order of lists and of the rows of a send."""

    id: int
    title: str
    option_ids: list[int]
    created: float
    updated: float
    contact_ids: list[int] = field(default_factory=list)
    by_number: dict[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.contact_ids)


@dataclass(slots=True)
class Contact:
    """`options` maps option id to value; the API takes them and never gives them back."""

    id: int
    phonebook_id: int
    number: str
    pre: str
    name: str
    email: str
    options: dict[str, str]
    created: float
    updated: float


@dataclass
class Inbound:
    id: int
    sender: str
    number: str
    message: str
    time: int


@dataclass
class Pattern:
    """A template with `%name%` places; `variables` maps a name to "string" or "integer"."""

    code: str
    message: str
    variables: dict[str, str] = field(default_factory=dict)
    status: str = "active"
