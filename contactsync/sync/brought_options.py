"""The options of a phonebook that is brought in: made here, or found here, with the places they have at the provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from contactsync.models import CustomOption, Phonebook, PhonebookOption
from contactsync.sync.connect import Operation, capabilities
from contactsync.sync.line import Line
from contactsync.sync.mapping import fields_of
from contactsync.sync.theirs import Taker
from contactsync.text import clean, fold
from providers.types import OptionKind, OptionValue, RemoteContact, RemoteOption, RemotePhonebook

LONGEST_TITLE = 100


class BroughtOptions:
    """Gives every option key that a contact has a value for a place here: a field of ours where its label names one, else an option."""

    def __init__(self, phonebook: Phonebook, book: RemotePhonebook, line: Line) -> None:
        self.phonebook = phonebook
        self.limits = capabilities(phonebook.account)
        self.labels: Mapping[str, str] = book.option_labels
        self._known: dict[str, RemoteOption] = {}
        if self.limits.can(Operation.LIST_OPTIONS):
            listed = line.read(lambda provider: list(provider.list_options()))
            self._known = {option.remote_id: option for option in listed}
        self._fields = _field_words()
        self._ensure(book.option_keys)
        self._taker = Taker(phonebook)

    def taker_for(self, contacts: Iterable[RemoteContact]) -> Taker:
        """What takes over contacts like these; options and choices that none had before are made. Call it within a transaction."""
        seen: dict[str, set[str]] = {}
        for contact in contacts:
            for key, value in (contact.options or {}).items():
                if value:
                    seen.setdefault(key, set()).add(value)
        if self._ensure(sorted(seen)) | self._complete_choices(seen):
            self._taker = Taker(self.phonebook)
        return self._taker

    def _complete_choices(self, seen: Mapping[str, Iterable[str]]) -> bool:
        """Values that contacts have are choices, whether the provider lists them or not. False when all were known."""
        changed = False
        places = {place.option_id: place.key for place in Taker(self.phonebook).places.options}
        for option in self.phonebook.options.filter(kind__in=[OptionKind.CHOICE.value, OptionKind.MULTIPLE.value]):
            values = seen.get(places.get(str(option.pk), ""), ())
            kind = OptionKind(option.kind)
            parts = [part for value in values for part in _parts(value, kind)]
            missing = sorted(set(parts) - set(option.choices))
            if missing:
                option.choices = [*option.choices, *missing]
                option.save(update_fields=["choices"])
                changed = True
        return changed

    def _ensure(self, keys: Iterable[str]) -> bool:
        """Rows for those keys that have none. False when all had."""
        places = {place.key for place in Taker(self.phonebook).places.options}
        missing = [key for key in keys if key not in places]
        for key in missing:
            label = clean(self.labels.get(key, ""))
            field = self._field(label or key)
            if field and self.limits.option_identity != "id":
                PhonebookOption.objects.create(phonebook=self.phonebook, field=field, slot=key)
            else:
                self._attach(key, label)
        return bool(missing)

    def _field(self, label: str) -> str:
        """The field of ours that a label names, unless the provider has a place of its own for it, or it is used already."""
        field = self._fields.get(fold(label), "")
        used = set(self.phonebook.option_places.exclude(field="").values_list("field", flat=True))
        return "" if field in used | fields_of(self.limits) else field

    def _attach(self, key: str, label: str) -> None:
        remote = self._known.get(key)
        has_key = self.limits.option_identity != "slot"
        option = self._option(
            title=(remote.title if remote else label) or (key if has_key else _("Field %(key)s") % {"key": key}),
            kind=remote.kind if remote else OptionKind.TEXT,
            remote_key=key if has_key else "",
            choices=list(remote.choices) if remote else [],
        )
        PhonebookOption.objects.create(phonebook=self.phonebook, option=option, slot="" if has_key else key)

    def _option(self, *, title: str, kind: OptionKind, remote_key: str, choices: list[str]) -> CustomOption:
        """The option of the account with this key, else with this title and kind, else a new one."""
        options = CustomOption.objects.filter(account=self.phonebook.account_id)
        if remote_key and (found := options.filter(remote_key=remote_key).first()):
            return found
        attached = self.phonebook.options.values("pk")
        title = clean(title)[:LONGEST_TITLE] or remote_key
        same = options.filter(title=title, kind=kind.value, remote_key="").exclude(pk__in=attached).first()
        if same is not None:
            if remote_key:
                CustomOption.objects.filter(pk=same.pk).update(remote_key=remote_key)
            return same
        taken = set(options.values_list("title", flat=True))
        free = next(name for name in _numbered(title) if name not in taken)
        return CustomOption.objects.create(
            account=self.phonebook.account, title=free, kind=kind.value, choices=choices, remote_key=remote_key
        )


def _parts(value: str, kind: OptionKind) -> tuple[str, ...]:
    return OptionValue(value, kind).values if kind is OptionKind.MULTIPLE else (value,)


def _numbered(title: str) -> Iterable[str]:
    yield title
    number = 2
    while True:
        ending = f" ({number})"
        yield title[: LONGEST_TITLE - len(ending)] + ending
        number += 1


def _field_words() -> dict[str, str]:
    """What our fields are called in any language of this installation, folded."""
    words = {fold(name): name for name in PhonebookOption.Field.values}
    for language, _name in settings.LANGUAGES:
        with override(language):
            words |= {fold(str(field.label)): field.value for field in PhonebookOption.Field}
    return words
