"""Every quirk of Callbell's document by its number."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from providers import backends
from providers.backends.callbell import Callbell
from providers.exceptions import NotFound, OutcomeUnknown, Rejected
from providers.sandbox import SandboxServer
from providers.sandbox.callbell.records import CLOSED_CHANNEL, MAIN_CHANNEL
from providers.types import OptionKind, OptionValue

from .callbell import BOOK, UUID, connect, contact, message, record
from .servers import Recorder

CHANNEL = {"channel": {"uuid": MAIN_CHANNEL, "title": "Main", "type": "whatsapp", "main": True}}
ENQUEUED = {"message": {"uuid": UUID, "status": "enqueued"}}


def will_send(recorder: Recorder) -> None:
    recorder.will_answer(CHANNEL)
    recorder.will_answer(ENQUEUED)


@pytest.mark.parametrize("shape", [contact(uuid=UUID), [contact(uuid=UUID)]])
def test_c1_a_contact_is_read_from_an_array_and_from_an_object(
    scripted_callbell: Callbell, recorder: Recorder, shape: Any
) -> None:
    recorder.will_answer({"contact": shape})
    assert scripted_callbell.get_contact(UUID).remote_id == UUID


@pytest.mark.parametrize("empty", [None, {}, []])
def test_c1_an_empty_contact_is_none(scripted_callbell: Callbell, recorder: Recorder, empty: Any) -> None:
    recorder.will_answer({"contact": empty})
    recorder.will_answer({"contact": empty})
    assert scripted_callbell.find_contact(BOOK, "+391110000001") is None
    recorder.will_answer({"contact": empty})
    with pytest.raises(NotFound):
        scripted_callbell.get_contact(UUID)


@pytest.mark.parametrize(
    ("shown", "read"),
    [
        ("391110000001", "+391110000001"),
        ("+39 111 000 0001", "+391110000001"),
        ("+391110000001", "+391110000001"),
        ("00391110000001", "+391110000001"),
        ("(39) 111-000.0001", "+391110000001"),
        ("0111000001", "0111000001"),
        ("@sara", "@sara"),
        (None, ""),
        ("", ""),
    ],
)
def test_c2_numbers_are_read_by_their_digits(
    scripted_callbell: Callbell, recorder: Recorder, shown: object, read: str
) -> None:
    recorder.will_answer({"contact": contact(phoneNumber=shown)})
    assert scripted_callbell.get_contact(UUID).phone == read


def test_c2_another_spelling_is_the_same_number(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"contact": contact(uuid=UUID, phoneNumber="+39 111 000 0001")})
    found = scripted_callbell.find_contact(BOOK, "+391110000001")
    assert found is not None
    assert found.remote_id == UUID


def test_c3_tags_are_sent_as_an_array_and_asked_for_as_text(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"contact": None})
    recorder.will_answer({"contact": None})
    recorder.will_answer({"contact": [contact()]})
    recorder.will_answer({"contacts": []})
    scripted_callbell.create_contacts(BOOK, [record(tags=("VIP", "Callback"))])
    assert recorder.last.json["tags"] == ["Newsletter", "VIP", "Callback"]
    assert list(scripted_callbell.list_contacts(BOOK)) == []
    assert recorder.last.params["tags"] == "Newsletter"


@pytest.mark.parametrize("shown", [["Newsletter", "VIP"], "Newsletter, VIP", "newsletter,VIP"])
def test_c3_tags_are_read_from_an_array_and_from_text(
    scripted_callbell: Callbell, recorder: Recorder, shown: object
) -> None:
    recorder.will_answer({"contacts": [contact(tags=shown)], "meta": {"next": None}})
    assert [found.tags for found in scripted_callbell.list_contacts(BOOK)] == [("VIP",)]


def test_c4_the_channel_is_always_sent(scripted_callbell: Callbell, recorder: Recorder) -> None:
    will_send(recorder)
    scripted_callbell.send(message())
    assert recorder.last.json["channel_uuid"] == MAIN_CHANNEL
    assert recorder.last.json["from"] == "whatsapp"


@pytest.mark.parametrize("discarded", [True, "2024-05-01T10:00:00Z"])
def test_c5_a_discarded_channel_is_no_sender(
    scripted_callbell: Callbell, recorder: Recorder, discarded: object
) -> None:
    rows = [
        {"uuid": "a1", "title": "Main", "type": "whatsapp", "discardedAt": False},
        {"uuid": "b2", "title": "Old", "type": "whatsapp", "discardedAt": discarded},
        {"uuid": "c3", "title": "New", "type": "telegram"},
    ]
    recorder.will_answer({"channels": rows, "meta": {"page": 1, "pages": 1}})
    assert [(sender.value, sender.label) for sender in scripted_callbell.senders()] == [
        ("a1", "Main (whatsapp)"),
        ("c3", "New (telegram)"),
    ]


def test_c5_nothing_is_sent_through_a_discarded_channel(callbell: Callbell, sandbox: SandboxServer) -> None:
    with pytest.raises(Rejected, match="no longer in use"):
        callbell.send(message(sender=CLOSED_CHANNEL))
    assert sandbox.changing_requests == []


def test_c6_templates_are_read_and_never_changed(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"templates": [{"uuid": "t1", "title": "hi", "text": "Ciao {{1}}", "status": "approved"}]})
    assert [template.remote_id for template in scripted_callbell.list_templates()] == ["t1"]
    assert [asked.method for asked in recorder.asked] == ["GET"]


def test_c7_the_webhook_is_subscribed_where_webhooks_are(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"webhook": {"url": "https://app.example.org/x/", "subscriptions": [], "enabled": True}})
    recorder.will_answer({"status": "webhook was destroyed"})
    scripted_callbell.subscribe_callbacks("https://app.example.org/x/")
    scripted_callbell.unsubscribe_callbacks()
    assert [(asked.method, asked.path) for asked in recorder.asked] == [
        ("POST", "/webhooks/subscribe"),
        ("DELETE", "/webhooks/unsubscribe"),
    ]


def test_c8_the_address_of_the_webhook_is_our_own(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"webhook": {}})
    scripted_callbell.subscribe_callbacks("https://app.example.org/x/")
    assert recorder.last.json == {
        "url": "https://app.example.org/x/",
        "subscriptions": ["message_created", "message_status_updated", "contact_updated", "contact_deleted"],
    }


def test_c9_only_text_is_sent_and_only_templates_of_text_are_usable(
    scripted_callbell: Callbell, recorder: Recorder
) -> None:
    rows = [
        {"uuid": kind, "title": kind, "templateType": kind, "status": "approved", "text": "x"}
        for kind in ("text", "image", "video", "document")
    ]
    recorder.will_answer({"templates": rows})
    assert [template.title for template in scripted_callbell.list_templates() if template.is_usable] == ["text"]
    will_send(recorder)
    scripted_callbell.send(message())
    assert recorder.last.json["type"] == "text"


def test_c10_messages_are_never_deleted_as_that_recalls_nothing() -> None:
    sources = Path(inspect.getfile(backends)).parent / "callbell"
    assert not any("/messages/{" in source.read_text() for source in sources.glob("*.py"))


@pytest.mark.parametrize(
    ("shown", "read"),
    [
        ('["Pane", "Vino"]', "Pane; Vino"),
        ("[]", ""),
        (["Pane"], "Pane"),
        ("[not json", "[not json"),
        ('["cut', '["cut'),
        ("[1, 2]", "1; 2"),
        ("plain", "plain"),
        (42, "42"),
        (None, ""),
    ],
)
def test_c11_a_checkbox_comes_back_as_json_text(
    scripted_callbell: Callbell, recorder: Recorder, shown: object, read: str
) -> None:
    recorder.will_answer({"contact": contact(customFields={"Interests": shown})})
    assert scripted_callbell.get_contact(UUID).options == ({"Interests": read} if read else {})


def test_c11_with_its_type_told_a_text_in_brackets_stays_text(scripted_callbell: Callbell, recorder: Recorder) -> None:
    told = {
        "Motto": {"value": '["a"]', "type": "text"},
        "Interests": {"value": ["Pane", "Vino"], "type": "checkbox", "options": ["Pane", "Vino"]},
    }
    fields = {"Motto": '["a"]', "Interests": '["Pane", "Vino"]'}
    recorder.will_answer({"contact": contact(customFields=fields, customFieldsMetadata=told)})
    assert scripted_callbell.get_contact(UUID).options == {"Motto": '["a"]', "Interests": "Pane; Vino"}


def test_c12_names_are_snake_case_there_and_camel_case_back(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"contact": None})
    recorder.will_answer({"contact": None})
    recorder.will_answer({"contact": [contact(assignedUser="agent@example.org")]})
    scripted_callbell.create_contacts(BOOK, [record(assigned_user="agent@example.org")])
    assert recorder.last.json["assigned_user"] == "agent@example.org"
    recorder.will_answer({"contact": contact(assignedUser="agent@example.org")})
    assert scripted_callbell.get_contact(UUID).assigned_user == "agent@example.org"


def test_c13_a_number_is_sent_as_text_and_read_from_both(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"contact": None})
    recorder.will_answer({"contact": None})
    recorder.will_answer({"contact": [contact()]})
    scripted_callbell.create_contacts(BOOK, [record(options={"Points": OptionValue("42", OptionKind.INTEGER)})])
    assert recorder.last.json["custom_fields"] == {"Points": "42"}
    for shown in ("42", 42):
        recorder.will_answer({"contact": contact(customFields={"Points": shown})})
        assert scripted_callbell.get_contact(UUID).options == {"Points": "42"}


def test_c14_what_the_older_page_does_not_show_is_not_needed(scripted_callbell: Callbell, recorder: Recorder) -> None:
    bare = {"uuid": UUID, "name": "John Doe", "phoneNumber": "123456789"}
    recorder.will_answer({"contact": [bare]})
    found = scripted_callbell.get_contact(UUID)
    assert (found.note, found.is_opted_out, found.tags, found.assigned_user) == (None, None, (), "")
    recorder.will_answer({"contact": [{**bare, "note": None, "blockedAt": None}]})
    found = scripted_callbell.get_contact(UUID)
    assert (found.note, found.is_opted_out) == ("", False)


def test_c15_an_answer_like_the_documents_broken_example_is_no_success(
    scripted_callbell: Callbell, recorder: Recorder
) -> None:
    recorder.will_answer({"contact": None})
    recorder.will_answer({"contact": None})
    recorder.will_answer(b'{"contact": [{"uuid": "00aa", "tags": [],}]}')
    with pytest.raises(OutcomeUnknown):
        scripted_callbell.create_contacts(BOOK, [record()])


@pytest.mark.parametrize(("setting", "sent"), [({}, "bot_end"), ({"bot_status": "bot_start"}, "bot_start")])
def test_c16_the_bot_is_silenced_unless_chosen_otherwise(
    recorder: Recorder, setting: dict[str, str], sent: str
) -> None:
    with connect(recorder.url, **setting) as client:
        recorder.will_answer({"contact": None})
        recorder.will_answer({"contact": None})
        recorder.will_answer({"contact": [contact()]})
        client.create_contacts(BOOK, [record()])
        assert recorder.last.json["bot_status"] == sent
        recorder.will_answer({"contact": [contact()]})
        recorder.will_answer({"contact": [contact()]})
        client.update_contact(BOOK, UUID, record())
        assert recorder.last.json["bot_status"] == sent
        will_send(recorder)
        client.send(message())
        assert recorder.last.json["bot_status"] == sent


def test_c17_one_contact_is_read_under_the_plural(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"contact": [contact()]})
    scripted_callbell.get_contact(UUID)
    assert recorder.last.path == f"/contacts/{UUID}"
