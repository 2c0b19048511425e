"""The four providers as the tests of the sync need them: an account, numbers, what is there, and a hand at the other side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from contactsync.models import Contact, Phonebook, ProviderAccount
from contactsync.models.fields import Credentials
from providers.sandbox import SandboxServer
from providers.sandbox.lox24.state import CLIENT_ID
from tests.factories import SANDBOX_KEY, make_account

FAST = {"connect_timeout": 5, "read_timeout": 5}
#: number to name and city
People = dict[str, tuple[str, str]]


class Side:
    """One provider. `keeps` names the field its list does not tell."""

    slug: ClassVar[str]
    credentials: ClassVar[Mapping[str, str]] = {"api_key": SANDBOX_KEY}
    region: ClassVar[str]
    number: ClassVar[str]  # a form with one place
    create_path: ClassVar[str]  # of the call that adds contacts, as a fault of the sandbox names it
    tells_options: ClassVar[bool] = True

    def __init__(self, sandbox: SandboxServer) -> None:
        self.sandbox = sandbox

    @property
    def state(self) -> Any:
        return self.sandbox.state(self.slug)

    def account(self) -> ProviderAccount:
        return make_account(
            provider=self.slug,
            base_url=self.sandbox.url(self.slug),
            credentials=Credentials.seal(self.credentials),
            default_region=self.region,
            settings=dict(FAST),
        )

    def phone(self, number: int) -> str:
        return self.number.format(number)

    def prepare(self, title: str) -> None:
        """What must be made by hand at the provider before a push."""

    def people(self, title: str) -> People:
        """Everybody there; fails when a number is there twice."""
        rows = self.rows(title)
        found = {phone: (name, city) for phone, name, city in rows}
        assert len(found) == len(rows), "a number is there twice"
        return found

    def rows(self, title: str) -> list[tuple[str, str, str]]:
        raise NotImplementedError

    def make_book(self, title: str) -> None:
        """A phonebook that somebody else has made there, with a place for the city."""
        raise NotImplementedError

    def add(self, title: str, phone: str, name: str, city: str = "") -> None:
        """Somebody else adds a contact there; `name` is two words."""
        raise NotImplementedError

    def remove(self, title: str, phone: str) -> None:
        raise NotImplementedError

    def change(self, title: str, phone: str, *, name: str, city: str) -> None:
        """Somebody else edits a contact there; what the provider does not tell is not edited."""
        raise NotImplementedError


def ours(phonebook: Phonebook, city: Any) -> People:
    """What ought to be there."""
    present = Contact.objects.present().filter(phonebook=phonebook)
    return {contact.phone: (contact.full_name, contact.options.get(str(city.pk), "")) for contact in present}


class IPPanelSide(Side):
    slug, region, number, tells_options = "ippanel", "IR", "+98912{:07d}", False
    create_path = "POST /api/phonebooks/numbers/add-list-new"

    def rows(self, title: str) -> list[tuple[str, str, str]]:
        contacts = self.state.contacts_of(self.state.phonebook(title))
        return [(row.number, row.name, "".join(map(str, row.options.values()))) for row in contacts]

    def make_book(self, title: str) -> None:
        book = self.state.add_phonebook(title)
        option = self.state.add_option("City")
        book.option_ids.append(option.id)

    def add(self, title: str, phone: str, name: str, city: str = "") -> None:
        self.state.add_contact(self.state.phonebook(title), phone, name=name)

    def remove(self, title: str, phone: str) -> None:
        book = self.state.phonebook(title)
        self.state.delete_contacts({self.state.contact(book, phone).id})

    def change(self, title: str, phone: str, *, name: str, city: str) -> None:
        self.state.contact(self.state.phonebook(title), phone).name = name


class AtomSide(Side):
    slug, region, number = "atomtelecom", "AU", "+61412{:06d}"
    create_path = "POST /api/contact/new"
    credentials: ClassVar[Mapping[str, str]] = {"token": SANDBOX_KEY}

    def rows(self, title: str) -> list[tuple[str, str, str]]:
        return [
            (f"+{row.phone_number}", f"{row.first_name} {row.last_name}".strip(), row.custom_1)
            for row in self.state.contacts_of(self.state.book(title))
        ]

    def make_book(self, title: str) -> None:
        self.state.add_book(title)

    def add(self, title: str, phone: str, name: str, city: str = "") -> None:
        first, _, last = name.partition(" ")
        book = self.state.book(title)
        self.state.add_contact(book, phone.removeprefix("+"), first_name=first, last_name=last, custom_1=city)

    def remove(self, title: str, phone: str) -> None:
        del self.state.contacts[self._row(title, phone).id]

    def change(self, title: str, phone: str, *, name: str, city: str) -> None:
        row = self._row(title, phone)
        row.first_name, _, row.last_name = name.partition(" ")
        row.custom_1 = city

    def _row(self, title: str, phone: str) -> Any:
        digits = phone.removeprefix("+")
        return next(row for row in self.state.contacts_of(self.state.book(title)) if row.phone_number == digits)


class Lox24Side(Side):
    slug, region, number = "lox24", "DE", "+4915112{:06d}"
    create_path = "POST /groups/"
    credentials: ClassVar[Mapping[str, str]] = {"client_id": CLIENT_ID, "api_key": SANDBOX_KEY}

    def rows(self, title: str) -> list[tuple[str, str, str]]:
        phones = self.state.phones_of(self.state.group(title))
        return [
            (row.phone, f"{row.columns['a'] or ''} {row.columns['b'] or ''}".strip(), row.columns["c"] or "")
            for row in phones
        ]

    def make_book(self, title: str) -> None:
        self.state.add_group(title, labels={"a": "first name", "b": "last name", "c": "City"})

    def add(self, title: str, phone: str, name: str, city: str = "") -> None:
        first, _, last = name.partition(" ")
        columns = {"a": first, "b": last or None, "c": city or None}
        self.state.add_phone(self.state.group(title), phone, columns=columns)

    def remove(self, title: str, phone: str) -> None:
        self.state.delete_phone(self.state.phone_in(self.state.group(title), phone))

    def change(self, title: str, phone: str, *, name: str, city: str) -> None:
        first, _, last = name.partition(" ")
        self.state.phone_in(self.state.group(title), phone).columns.update({"a": first, "b": last, "c": city})


class CallbellSide(Side):
    slug, region, number = "callbell", "IT", "+39347{:07d}"
    create_path = "POST /contacts$"

    def prepare(self, title: str) -> None:
        self.state.add_tag(title)

    def rows(self, title: str) -> list[tuple[str, str, str]]:
        return [
            (f"+{row.phone}", row.name, row.custom_fields.get("City", "")) for row in self.state.contacts_with(title)
        ]

    def make_book(self, title: str) -> None:
        self.state.add_tag(title)

    def add(self, title: str, phone: str, name: str, city: str = "") -> None:
        fields = {"City": city} if city else {}
        self.state.add_contact(phone, name, tags=[title], custom_fields=fields)

    def remove(self, title: str, phone: str) -> None:
        self.state.delete_contact(self.state.contact(phone))

    def change(self, title: str, phone: str, *, name: str, city: str) -> None:
        row = self.state.contact(phone)
        row.name, row.custom_fields["City"] = name, city


SIDES = {side.slug: side for side in (IPPanelSide, AtomSide, Lox24Side, CallbellSide)}
