"""What stands in the contacts of a phonebook, counted by the database: which values there are, and which are too long."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Count, Q
from django.db.models.functions import Length

from contactsync.models import Phonebook, PhonebookOption
from contactsync.models.option_text import OptionText
from contactsync.sync.connect import provider_class
from providers.exceptions import ProviderError
from providers.types import Capabilities, ContactRecord

#: fields of a contact that may stand in a place of the provider
PLAIN_FIELDS = [name for name in PhonebookOption.Field.values if name != PhonebookOption.Field.FULL_NAME]
AT_ONCE = 20  # options asked for in one query


@dataclass(frozen=True, slots=True)
class Filled:
    """Numbers of contacts by source (`option:<pk>`, `field:<name>`)."""

    contacts: int
    with_value: dict[str, int] = field(default_factory=dict)
    too_long: dict[str, int] = field(default_factory=dict)
    nameless: int = 0


def count_values(phonebook: Phonebook, option_ids: Collection[int], *, longest: int | None) -> Filled:
    """How many contacts have a value for each field and option, and how many a longer one than `longest`."""
    present = phonebook.contacts.filter(deleted_at=None)
    wanted = {f"has_{name}": Count("pk", filter=~Q(**{name: ""})) for name in PLAIN_FIELDS}
    if longest is not None:
        present = present.alias(**{f"length_{name}": Length(name) for name in PLAIN_FIELDS})
        wanted |= {f"long_{name}": Count("pk", filter=Q(**{f"length_{name}__gt": longest})) for name in PLAIN_FIELDS}
    counts = present.aggregate(total=Count("pk"), nameless=Count("pk", filter=Q(first_name="", last_name="")), **wanted)
    filled = Filled(contacts=counts["total"], nameless=counts["nameless"])
    for name in PLAIN_FIELDS:
        filled.with_value[f"field:{name}"] = counts[f"has_{name}"]
        filled.too_long[f"field:{name}"] = counts.get(f"long_{name}", 0)
    ids = list(option_ids)
    for start in range(0, len(ids), AT_ONCE):
        _count_options(phonebook, ids[start : start + AT_ONCE], filled, longest=longest)
    return filled


def _count_options(phonebook: Phonebook, ids: Collection[int], filled: Filled, *, longest: int | None) -> None:
    present = phonebook.contacts.filter(deleted_at=None)
    present = present.alias(**{f"length_{pk}": Length(OptionText(pk)) for pk in ids})
    wanted = {f"has_{pk}": Count("pk", filter=Q(**{f"length_{pk}__gt": 0})) for pk in ids}
    if longest is not None:
        wanted |= {f"long_{pk}": Count("pk", filter=Q(**{f"length_{pk}__gt": longest})) for pk in ids}
    counts = present.aggregate(**wanted)
    for pk in ids:
        filled.with_value[f"option:{pk}"] = counts[f"has_{pk}"]
        filled.too_long[f"option:{pk}"] = counts.get(f"long_{pk}", 0)


def count_long_notes(phonebook: Phonebook, limits: Capabilities) -> int:
    """Notes that are longer than the provider's own place for notes takes."""
    if not limits.has_note or limits.max_note_chars is None:
        return 0
    present = phonebook.contacts.filter(deleted_at=None)
    return present.alias(length=Length("note")).filter(length__gt=limits.max_note_chars).count()


def problem_without_name(phonebook: Phonebook) -> ProviderError | None:
    """Why the provider takes nobody without a name; None when it does, or when everybody here has one."""
    nameless = phonebook.contacts.filter(deleted_at=None, first_name="", last_name="").first()
    if nameless is None:
        return None
    provider = provider_class(phonebook.account.provider)
    without = ContactRecord(str(nameless.uuid), nameless.phone)
    named = ContactRecord(str(nameless.uuid), nameless.phone, first_name="A", last_name="A")
    problem = provider.problem_with_contact(without)
    return problem if problem is not None and provider.problem_with_contact(named) is None else None
