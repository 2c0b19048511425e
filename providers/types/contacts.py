"""Phonebooks, custom options and contacts, as we want them and as the provider shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from providers.types.capabilities import OptionKind


class ItemOutcome(StrEnum):
    """What is known about one item of a writing call."""

    DONE = "done"
    EXISTED = "existed"  # the number was there already; its fields were not refreshed
    REFUSED = "refused"
    UNRESOLVED = "unresolved"  # the provider answered with totals only; read back to learn which


@dataclass(frozen=True, slots=True)
class OptionSpec:
    title: str
    kind: OptionKind


@dataclass(frozen=True, slots=True)
class RemoteOption:
    remote_id: str
    title: str
    kind: OptionKind
    choices: tuple[str, ...] = ()  # of kinds `choice` and `multiple`, where the provider tells them


@dataclass(frozen=True, slots=True)
class PhonebookSpec:
    """`options` maps the provider's option key (id, slot or name) to its label."""

    title: str
    options: Mapping[str, str] = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True, slots=True)
class BookRef:
    remote_id: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class RemotePhonebook:
    remote_id: str
    title: str
    count: int | None
    option_keys: tuple[str, ...] = ()
    option_labels: Mapping[str, str] = field(default_factory=dict)  # by key, where the phonebook tells them
    description: str = ""


@dataclass(frozen=True, slots=True)
class OptionValue:
    """A canonical value (text as is, integer as digits, date as ISO `YYYY-MM-DD`, multiple as `A; B`) with its kind, so that the backend can write its own form."""

    value: str
    kind: OptionKind

    @property
    def values(self) -> tuple[str, ...]:
        """The chosen ones of kind `multiple`, whose canonical form joins them with semicolons."""
        return tuple(part.strip() for part in self.value.split(";") if part.strip())


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """One contact as we want it to be at the provider. `options` is keyed by the provider's option key."""

    reference: str  # our uuid
    phone: str
    prefix: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    email: str = ""
    tags: tuple[str, ...] = ()
    assigned_user: str = ""
    note: str = ""
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    leave: frozenset[str] = frozenset()  # fields (assigned_user, note) that an update does not touch

    @property
    def full_name(self) -> str:
        """For providers with one field for both names."""
        return " ".join(filter(None, (self.first_name, self.last_name)))


@dataclass(frozen=True, slots=True)
class RemoteContact:
    """One contact as the provider reads it back. None: it does not say, so nothing can be compared."""

    remote_id: str
    phone: str  # E.164 where it can be told, else the provider's own text
    prefix: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    email: str | None = None
    tags: tuple[str, ...] | None = None
    assigned_user: str | None = None
    note: str | None = None
    options: Mapping[str, str] | None = None  # canonical values by option key
    is_opted_out: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SuppressedNumber:
    """A number that the provider sends nothing to."""

    phone: str
    is_opt_out: bool  # the person unsubscribed, as opposed to a block entered by the customer
    raw: str = ""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """Outcome of one item, in the order of the items handed over."""

    reference: str
    outcome: ItemOutcome
    remote_id: str = ""
    message: str = ""  # as in ProviderError: a translatable sentence, and what fills its places
    params: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchResult:
    items: tuple[ItemResult, ...]
    counters: Mapping[str, int] = field(default_factory=dict)  # the provider's own totals, as given
