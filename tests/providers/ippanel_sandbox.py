"""Short ways to send at the IPPanel dialect of the sandbox, and to read what became of it."""

from __future__ import annotations

from typing import Any

from providers.sandbox.ippanel.delivery import Send
from providers.sandbox.ippanel.records import Phonebook
from providers.sandbox.ippanel.state import IPPanelState
from tests.sandbox_fixtures import Reply, SandboxClient

SENDER = "+983000505"
FIRST = "+989120000001"
FINAL = 1000  # seconds until everything has its last state: so long that a slow machine changes nothing


def make_book(state: IPPanelState, title: str, numbers: int) -> Phonebook:
    book = state.add_phonebook(title)
    for n in range(1, numbers + 1):
        state.add_contact(book, f"+98912{book.id:04d}{n:03d}")
    return book


def to_books(client: SandboxClient, *params: dict[str, Any], message: str = "تست", **fields: Any) -> Reply:
    body = {"sending_type": "phonebook", "from_number": SENDER, "message": message, "params": list(params), **fields}
    return client.call("POST", "/api/send", body)


def to_numbers(client: SandboxClient, *numbers: str, message: str = "تست", **fields: Any) -> Reply:
    params = {"recipients": list(numbers)}
    body = {"sending_type": "webservice", "from_number": SENDER, "message": message, "params": params, **fields}
    return client.call("POST", "/api/send", body)


def sent(state: IPPanelState, reply: Reply) -> Send:
    (send_id,) = reply.data["message_outbox_ids"]
    return state.sends[send_id]


def endings(send: Send) -> list[int]:
    return [int(message.recipient[-3:]) for message in send.messages]


def report(client: SandboxClient, send: Send) -> dict[str, Any]:
    data: dict[str, Any] = client.call("GET", f"/api/report/by_bulk?messages_outbox_id={send.id}").data
    return data


def statuses(client: SandboxClient, send: Send) -> list[str]:
    rows = client.call("GET", f"/api/report/recipients?bulk_id={send.id}&per_page=1000").data
    return [row["message_status"] for row in rows]
