"""The examples of IPPanel's document go through word for word and are answered as it shows."""

from __future__ import annotations

from typing import Any

from providers.sandbox.ippanel.records import Contact, Option, Phonebook
from tests.sandbox_fixtures import SandboxClient

ADD_EXAMPLE: dict[str, Any] = {
    "list": [
        {
            "number": "+989121236547",
            "pre": "آقای",
            "name": "حسن",
            "email": "hasan@gmail.com",
            "options": {"46258": "15", "46027": "1992/10/08"},
            "phonebook_id": "1234",
        }
    ]
}
SEND_EXAMPLE: dict[str, Any] = {
    "sending_type": "phonebook",
    "from_number": "+983000505",
    "message": "تست",
    "params": [
        {"phonebook_ids": ["123654"], "type": "all", "start": "1", "size": "2"},
        {"phonebook_id": "456987", "type": "detail", "number_ids": ["123", "456", "789"]},
    ],
}


def test_the_example_of_storing_contacts(client_of_sandbox: SandboxClient) -> None:
    state = client_of_sandbox.sandbox.state("ippanel")
    state.options = {46258: Option(46258, "age", "int", 0), 46027: Option(46027, "birthday", "date", 0)}
    state.phonebooks = {1234: Phonebook(1234, "A", [46258, 46027], 0, 0)}
    reply = client_of_sandbox.call("POST", "/api/phonebooks/numbers/add-list-new", ADD_EXAMPLE)
    assert 200 <= reply.status < 300
    assert reply.json == {
        "data": {"added": 1, "errors": 0, "existences": 0},
        "meta": {"status": True, "message": "انجام شد", "message_parameters": [], "message_code": "201-1"},
    }
    (contact,) = state.contacts.values()
    assert contact.options == {"46258": "15", "46027": "1992/10/08"}
    assert state.violations == []


def test_the_example_of_a_send_to_phonebooks(client_of_sandbox: SandboxClient) -> None:
    state = client_of_sandbox.sandbox.state("ippanel")
    for book_id, contact_ids in ((123654, [1, 2, 3]), (456987, [123, 456, 789])):
        numbers = {f"+98912{contact_id:07d}": contact_id for contact_id in contact_ids}
        state.phonebooks[book_id] = Phonebook(book_id, "A", [], 0, 0, contact_ids, numbers)
        for number, contact_id in numbers.items():
            state.contacts[contact_id] = Contact(contact_id, book_id, number, "", "", "", {}, 0, 0)
    reply = client_of_sandbox.call("POST", "/api/send", SEND_EXAMPLE)
    (send_id,) = reply.data["message_outbox_ids"]
    assert isinstance(send_id, int)
    assert reply.json["meta"] == {
        "status": True,
        "message": "انجام شد",
        "message_parameters": [],
        "message_code": "200-1",
    }
    assert [int(message.recipient[-3:]) for message in state.sends[send_id].messages] == [1, 2, 123, 456, 789]
    assert state.violations == []
