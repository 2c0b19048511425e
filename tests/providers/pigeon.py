"""A provider that nobody else knows of, as small as one can be: the backend, and its dialect of the sandbox.

It is registered by a test and by nothing else, and then goes through the whole contract and a push.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

from providers.answers import Answer
from providers.base import Provider
from providers.exceptions import Misconfigured, NotFound, Rejected
from providers.sandbox.dialect import Dialect, Section, Settings, Violation
from providers.sandbox.routing import Match, Route, Routes
from providers.sandbox.wire import Request, Response, json_response
from providers.settings import read_settings
from providers.transport import Transport
from providers.types import (
    AccountConfig,
    AccountInfo,
    BatchResult,
    BookRef,
    Capabilities,
    ContactRecord,
    CredentialField,
    ItemOutcome,
    ItemResult,
    Operation,
    OutboundMessage,
    PhonebookSpec,
    RemoteContact,
    RemotePhonebook,
    SendReceipt,
    SettingField,
)

T = TypeVar("T")

OPERATIONS = frozenset(
    {
        Operation.CHECK,
        Operation.LIST_PHONEBOOKS,
        Operation.CREATE_PHONEBOOK,
        Operation.LIST_CONTACTS,
        Operation.CREATE_CONTACTS,
        Operation.UPDATE_CONTACT,
        Operation.DELETE_CONTACTS,
        Operation.SEND_TO_NUMBERS,
    }
)


class Pigeon(Provider):
    """JSON over HTTP, a bearer token, one contact per call."""

    slug = "pigeon"
    label = "Pigeon post"
    credential_fields = (CredentialField("api_key", "Ring"),)
    setting_fields = (
        SettingField("requests_per_second", "Calls per second", "integer", 5, minimum=1, maximum=9),
        SettingField("connect_timeout", "Seconds to wait for a connection", "integer", 10, minimum=1, maximum=60),
        SettingField("read_timeout", "Seconds to wait for an answer", "integer", 30, minimum=1, maximum=60),
    )
    capabilities = Capabilities(
        operations=OPERATIONS,
        safe_to_repeat=OPERATIONS - {Operation.CREATE_PHONEBOOK, Operation.SEND_TO_NUMBERS},
        option_kinds=frozenset(),
        option_identity="name",
        max_numbers_per_send=10,
    )

    def __init__(self, account: AccountConfig) -> None:
        super().__init__(account)
        settings = read_settings(self.setting_fields, account.settings)
        key = account.credentials.get("api_key", "")
        if not key:
            raise Misconfigured("This account has no ring.")
        self.http = Transport(
            account.base_url,
            headers={"Authorization": f"Bearer {key}"},
            secrets=(key,),
            observer=account.observer,
            connect_timeout=settings["connect_timeout"],
            read_timeout=settings["read_timeout"],
            pause=1 / settings["requests_per_second"],
            pacer=account.pacer,
        )

    def close(self) -> None:
        self.http.close()

    def _ask(self, method: str, path: str, parse: Callable[[Any], T], body: Any = None) -> T:
        answer: Answer = self.http.request(method, path, body=body)
        try:
            return parse(answer.data)
        except (KeyError, TypeError, ValueError):
            pass
        raise self.http.unreadable(answer)

    def check(self) -> AccountInfo:
        return self._ask("GET", "/loft", lambda data: AccountInfo(str(data["name"])))

    def list_phonebooks(self, *, title: str = "", remote_id: str = "") -> Iterator[RemotePhonebook]:
        for book in self._ask("GET", "/books", lambda data: [_book(row) for row in data["books"]]):
            if title in ("", book.title) and remote_id in ("", book.remote_id):
                yield book

    def create_phonebook(self, spec: PhonebookSpec) -> RemotePhonebook:
        return self._ask("POST", "/books", _book, {"title": spec.title})

    def list_contacts(self, book: BookRef, **_hints: Any) -> Iterator[RemoteContact]:
        yield from self._ask("GET", f"/books/{book.remote_id}", lambda data: [_contact(row) for row in data["people"]])

    def create_contacts(self, book: BookRef, records: Sequence[ContactRecord]) -> BatchResult:
        return BatchResult(tuple(self._create(book, record) for record in records))

    def _create(self, book: BookRef, record: ContactRecord) -> ItemResult:
        try:
            made = self._ask("POST", f"/books/{book.remote_id}", _contact, _body(record))
        except NotFound:
            raise
        except Rejected as error:
            existed = error.status == 409
            outcome = ItemOutcome.EXISTED if existed else ItemOutcome.REFUSED
            return ItemResult(record.reference, outcome, message=error.message, params=error.params)
        return ItemResult(record.reference, ItemOutcome.DONE, made.remote_id)

    def update_contact(self, book: BookRef, remote_id: str, record: ContactRecord) -> ItemResult:
        self._ask("PUT", f"/people/{remote_id}", _contact, _body(record))
        return ItemResult(record.reference, ItemOutcome.DONE, remote_id)

    def delete_contacts(self, book: BookRef, remote_ids: Sequence[str]) -> None:
        for remote_id in remote_ids:
            try:
                self._ask("DELETE", f"/people/{remote_id}", bool)
            except NotFound:
                continue

    def send(self, message: OutboundMessage) -> SendReceipt:
        if not self.capabilities.can(message.operation):
            self._unsupported(message.operation)
        body = {"to": list(message.numbers), "text": message.text}
        return SendReceipt((self._ask("POST", "/flights", lambda data: str(int(data["id"])), body),))


def _book(data: Any) -> RemotePhonebook:
    return RemotePhonebook(str(data["id"]), str(data["title"]), None)


def _contact(data: Any) -> RemoteContact:
    return RemoteContact(str(data["id"]), str(data["phone"]), name=str(data["name"]))


def _body(record: ContactRecord) -> dict[str, str]:
    return {"phone": record.phone, "name": " ".join(filter(None, (record.first_name, record.last_name)))}


class PigeonState:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.violations: list[Violation] = []
        self.books: dict[int, str] = {}
        self.people: dict[int, dict[str, Any]] = {}
        self.flights: list[tuple[str, str]] = []

    def dump(self) -> dict[str, Any]:
        return {"books": list(self.books.values()), "people": list(self.people.values()), "flights": self.flights}

    def load(self, data: dict[str, Any]) -> None:
        raise NotImplementedError


class PigeonDialect(Dialect):
    """Every request is one of these, with exactly these fields."""

    slug: ClassVar[str] = "pigeon"
    state: PigeonState

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.routes = Routes(
            [
                Route("GET", "/loft", lambda body: json_response(200, {"name": "The loft"})),
                Route("GET", "/books", self.list_books),
                Route("POST", "/books", self.add_book, changes=True),
                Route("GET", "/books/{book}", self.list_people),
                Route("POST", "/books/{book}", self.add_person, changes=True),
                Route("PUT", "/people/{person}", self.change_person, changes=True),
                Route("DELETE", "/people/{person}", self.remove_person, changes=True),
                Route("POST", "/flights", self.fly, changes=True),
            ]
        )
        person = {"phone", "name"}
        self.fields = {
            "add_book": {"title"}, "add_person": person, "change_person": person, "fly": {"to", "text"}
        }  # fmt: skip
        self.reset()

    def reset(self) -> None:
        self.state = PigeonState()

    def _find(self, request: Request) -> Match:
        return self.routes.find(request.method, request.path)

    def changes(self, request: Request) -> bool:
        found = self._find(request).route
        return found is not None and found.changes

    def error(self, status: int) -> Response:
        return json_response(status, {"message": f"coo {status}"})

    def sections(self) -> list[Section]:
        return [Section("People", ("Number", "Name"), [(p["phone"], p["name"]) for p in self.state.people.values()])]

    def handle(self, request: Request) -> Response:
        with self.state.lock:
            if request.headers.get("authorization") != f"Bearer {self.settings.key}":
                return self.error(401)
            match = self._find(request)
            if match.route is None:
                self.state.violations.append(Violation("path", request.path, request.method, request.path))
                return self.error(404)
            body = json.loads(request.body or b"{}")
            if set(body) != self.fields.get(match.route.handler.__name__, set()):
                self.state.violations.append(Violation("undocumented field", "body", request.method, request.path))
                return self.error(422)
            return match.route.handler(body, **match.places)

    def list_books(self, body: dict[str, Any]) -> Response:
        return json_response(200, {"books": [{"id": key, "title": title} for key, title in self.state.books.items()]})

    def add_book(self, body: dict[str, Any]) -> Response:
        key = 100 + len(self.state.books)
        self.state.books[key] = body["title"]
        return json_response(200, {"id": key, "title": body["title"]})

    def list_people(self, body: dict[str, Any], book: str) -> Response:
        return json_response(200, {"people": [row for row in self.state.people.values() if row["book"] == book]})

    def add_person(self, body: dict[str, Any], book: str) -> Response:
        if any(row["book"] == book and row["phone"] == body["phone"] for row in self.state.people.values()):
            return self.error(409)
        if len(body["phone"]) < 13:
            return self.error(422)
        key = 5_000 + len(self.state.people)
        self.state.people[key] = {"id": key, "book": book, **body}
        return json_response(200, self.state.people[key])

    def change_person(self, body: dict[str, Any], person: str) -> Response:
        if int(person) not in self.state.people:
            return self.error(404)
        self.state.people[int(person)].update(body)
        return json_response(200, self.state.people[int(person)])

    def remove_person(self, body: dict[str, Any], person: str) -> Response:
        gone = self.state.people.pop(int(person), None)
        return json_response(200, {}) if gone else self.error(404)

    def fly(self, body: dict[str, Any]) -> Response:
        self.state.flights += [(phone, body["text"]) for phone in body["to"]]
        return json_response(200, {"id": len(self.state.flights)})
