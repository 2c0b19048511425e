"""The text of a message for one person: placeholders filled from the contact.

A placeholder is a name in braces, `{first_name}`, or a name with what stands in when the
contact has no value, `{first_name|dear friend}`. Names are the built-in ones and the titles of
the phonebook's custom options, compared without regard to case, spacing and ي/ك. A brace has no
other use in a message: one that belongs to no placeholder is a problem, never sent as it stands.
Dates are written in the Jalali calendar in a Persian message, else as 1992-10-08.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext_noop

from contactsync.calendars import jalali
from contactsync.models import Phonebook, PhonebookOption
from contactsync.models.reasons import reason
from contactsync.placeholders import BUILT_IN, PLACEHOLDER, Placeholder, placeholders
from contactsync.text import fold

_PERSIAN = re.compile("[\u0600-\u06ff]")


class Person(Protocol):
    """What is read of a contact."""

    prefix: str
    first_name: str
    last_name: str
    company: str
    options: dict[str, Any]


class OptionDefinition(Protocol):
    """What is read of a custom option."""

    pk: Any
    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text ready to send, or, when `missing` names placeholders without a value, one that must not be sent."""

    text: str
    missing: tuple[str, ...]


class Template:
    """A message prepared once for the options of one phonebook, then filled for many contacts."""

    def __init__(self, message: str, options: Iterable[OptionDefinition]) -> None:
        by_title = {fold(option.title): option for option in options}
        in_persian = bool(_PERSIAN.search(message))
        self._pieces: list[str | _Field] = []
        end = 0
        for match in PLACEHOLDER.finditer(message):
            self._pieces.append(message[end : match.start()])
            placeholder = Placeholder(match[1].strip(), match[2])
            key = fold(placeholder.name)
            self._pieces.append(
                _Field(placeholder, built_in=key)
                if key in BUILT_IN
                else _Field(placeholder, option=by_title.get(key), in_persian=in_persian)
            )
            end = match.end()
        self._pieces.append(message[end:])
        self.is_constant = len(self._pieces) == 1

    def render(self, contact: Person) -> Rendered:
        """Fill in one contact's values."""
        parts: list[str] = []
        missing: list[str] = []
        for piece in self._pieces:
            if isinstance(piece, str):
                parts.append(piece)
                continue
            value = piece.value(contact) or piece.placeholder.fallback
            if value is None:
                missing.append(piece.placeholder.name)
            else:
                parts.append(value)
        return Rendered("".join(parts), tuple(dict.fromkeys(missing)))


def render(template: str, contact: Person, options: Iterable[OptionDefinition]) -> Rendered:
    """Fill `template` for one contact; `options` are those of the contact's phonebook."""
    return Template(template, options).render(contact)


@dataclass(frozen=True, slots=True)
class _Field:
    """Where the value of a placeholder comes from."""

    placeholder: Placeholder
    built_in: str = ""
    option: OptionDefinition | None = None
    in_persian: bool = False

    def value(self, contact: Person) -> str | None:
        """The contact's value, or None when it has none."""
        if self.built_in == "name":
            return f"{contact.first_name} {contact.last_name}".strip() or None
        if self.built_in:
            return str(getattr(contact, self.built_in)) or None
        if self.option is None:
            return None
        value = str(contact.options.get(str(self.option.pk), ""))
        return _written(value, self.option.kind, in_persian=self.in_persian) or None


def _written(value: str, kind: str, *, in_persian: bool) -> str:
    """A canonical value as it reads in a message: dates in the calendar of the message's script."""
    if kind != "date":
        return value
    try:
        date = dt.date.fromisoformat(value)
    except ValueError:
        return value
    return jalali(date) if in_persian else value


def problems(template: str, phonebooks: Sequence[Phonebook]) -> list[dict[str, Any]]:
    """Why this message cannot go to these phonebooks, as reasons for `describe()`; empty when it can."""
    if not template.strip():
        return [reason(gettext_noop("The message is empty. Write a text."))]
    found = []
    if re.search(r"[{}]", PLACEHOLDER.sub("", template)):
        found.append(
            reason(
                gettext_noop(
                    "The message has a brace that belongs to no placeholder. "
                    "A placeholder is one name in one pair of braces, as in {first_name}."
                )
            )
        )
    known = known_names(phonebooks)
    for name in dict.fromkeys(placeholder.name for placeholder in placeholders(template)):
        if fold(name) not in known:
            found.append(
                reason(
                    gettext_noop(
                        "No phonebook of this campaign knows the placeholder {%(name)s}. "
                        "Correct its name, or add the option to the phonebook."
                    ),
                    name=name,
                )
            )
    return found


def known_names(phonebooks: Sequence[Phonebook]) -> frozenset[str]:
    """Every placeholder name, folded, that at least one of these phonebooks can fill."""
    places = PhonebookOption.objects.filter(phonebook__in=phonebooks, option__isnull=False)
    titles = places.values_list("option__title", flat=True)
    return frozenset([*BUILT_IN, *(fold(title) for title in titles)])
