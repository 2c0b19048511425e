"""Callbell: every field that goes out, in the document's own name and type. The seed is the page of POST /contacts."""

from __future__ import annotations

from typing import Any

import pytest

from providers.backends.callbell import Callbell
from providers.sandbox import SandboxServer
from providers.sandbox.callbell.records import SECOND_CHANNEL, TEAM
from providers.types import ContactRecord, ItemOutcome, OptionKind, OptionValue
from tests.factories import SANDBOX_KEY

from .callbell import BOOK, UUID, connect, contact, record
from .servers import Recorder

EVERY_KIND = {
    "City": OptionValue("Roma", OptionKind.TEXT),
    "Email": OptionValue("sara@example.org", OptionKind.EMAIL),
    "Points": OptionValue("42", OptionKind.INTEGER),
    "Birthday": OptionValue("1992-10-08", OptionKind.DATE),
    "Size": OptionValue("M", OptionKind.CHOICE),
    "Interests": OptionValue("Pane; Vino", OptionKind.MULTIPLE),
}
ON_THE_WIRE = {
    "City": "Roma",
    "Email": "sara@example.org",
    "Points": "42",
    "Birthday": "1992-10-08",
    "Size": "M",
    "Interests": ["Pane", "Vino"],
}


def created(client: Callbell, recorder: Recorder, new: ContactRecord) -> dict[str, Any]:
    recorder.will_answer({"contact": None})
    recorder.will_answer({"contact": None})
    recorder.will_answer({"contact": [contact()]}, status=201)
    assert client.create_contacts(BOOK, [new]).items[0].outcome is ItemOutcome.DONE
    return recorder.last.json


def updated(client: Callbell, recorder: Recorder, new: ContactRecord, **known: Any) -> dict[str, Any]:
    recorder.will_answer({"contact": [contact(uuid=UUID, **known)]})
    recorder.will_answer({"contact": [contact(uuid=UUID)]})
    assert client.update_contact(BOOK, UUID, new).outcome is ItemOutcome.DONE
    assert (recorder.last.method, recorder.last.path) == ("PATCH", f"/contacts/{UUID}")
    return recorder.last.json


def test_every_field_of_the_seed_is_sent_when_it_is_filled(scripted_callbell: Callbell, recorder: Recorder) -> None:
    body = created(
        scripted_callbell,
        recorder,
        record(
            first_name="John",
            last_name="Doe",
            tags=("Callback", "Interested"),
            assigned_user="agent@example.org",
            options={"Billing Address": OptionValue("Main Street 1", OptionKind.TEXT)},
        ),
    )
    assert body == {
        "identifier": "391110000001",
        "source": "whatsapp",
        "name": "John Doe",
        "tags": ["Newsletter", "Callback", "Interested"],
        "custom_fields": {"Billing Address": "Main Street 1"},
        "assigned_user": "agent@example.org",
        "bot_status": "bot_end",
    }
    asked = recorder.last
    assert (asked.method, asked.path) == ("POST", "/contacts")
    assert asked.headers["Authorization"] == f"Bearer {SANDBOX_KEY}"
    assert asked.headers["Content-Type"] == "application/json"
    assert {each.headers["Accept"] for each in recorder.asked} == {"application/json"}


def test_what_is_empty_is_left_out_and_the_number_stands_for_a_missing_name(
    scripted_callbell: Callbell, recorder: Recorder
) -> None:
    assert created(scripted_callbell, recorder, record()) == {
        "identifier": "391110000001",
        "source": "whatsapp",
        "name": "+391110000001",
        "tags": ["Newsletter"],
        "bot_status": "bot_end",
    }


def test_later_fields_of_a_new_contact_come_from_note_and_settings(recorder: Recorder) -> None:
    settings = {"source": "telegram", "team_uuid": TEAM, "channel_uuid": SECOND_CHANNEL, "bot_status": "bot_start"}
    with connect(recorder.url, **settings) as client:
        body = created(client, recorder, record(note="Calls back on Monday"))
    assert body == {
        "identifier": "391110000001",
        "name": "+391110000001",
        "tags": ["Newsletter"],
        "note": "Calls back on Monday",
        **settings,
    }


def test_all_six_types_of_custom_fields_have_their_form(scripted_callbell: Callbell, recorder: Recorder) -> None:
    assert created(scripted_callbell, recorder, record(options=EVERY_KIND))["custom_fields"] == ON_THE_WIRE


def test_all_six_types_arrive_and_are_read_back(callbell: Callbell, sandbox: SandboxServer) -> None:
    callbell.create_contacts(BOOK, [record(options=EVERY_KIND)])
    assert sandbox.state("callbell").contact("391110000001").custom_fields == ON_THE_WIRE
    wanted = {key: value.value for key, value in EVERY_KIND.items()}
    listed = next(callbell.list_contacts(BOOK))
    found = callbell.find_contact(BOOK, "+391110000001")
    assert found is not None
    assert listed.options == found.options == callbell.get_contact(listed.remote_id).options == wanted


def test_a_tag_is_sent_once_whatever_its_capitals(scripted_callbell: Callbell, recorder: Recorder) -> None:
    assert created(scripted_callbell, recorder, record(tags=("newsletter", "VIP", "vip", "")))["tags"] == [
        "Newsletter",
        "VIP",
    ]


# Updates


def test_an_update_sends_all_it_knows_and_nothing_that_cannot_change(recorder: Recorder) -> None:
    with connect(recorder.url, team_uuid=TEAM, channel_uuid=SECOND_CHANNEL) as client:
        body = updated(
            client,
            recorder,
            record(first_name="Sara", tags=("VIP",), assigned_user="agent@example.org", note="n", options=EVERY_KIND),
        )
    assert body == {
        "tags": ["Newsletter", "VIP"],
        "custom_fields": ON_THE_WIRE,
        "name": "Sara",
        "assigned_user": "agent@example.org",
        "team_uuid": TEAM,
        "bot_status": "bot_end",
        "note": "n",
    }
    assert recorder.asked[0].params == {"include_field_types": "true"}


def test_an_update_keeps_tags_and_values_of_others(scripted_callbell: Callbell, recorder: Recorder) -> None:
    body = updated(
        scripted_callbell,
        recorder,
        record(options={"City": OptionValue("Roma", OptionKind.TEXT)}),
        tags=["Callback", "newsletter"],
        customFields={"City": "Milano", "Size": "M", "Interests": '["Pane"]'},
        customFieldsMetadata={
            "City": {"value": "Milano", "type": "text"},
            "Size": {"value": "M", "type": "dropdown", "options": ["S", "M"]},
            "Interests": {"value": ["Pane"], "type": "checkbox", "options": ["Pane", "Vino"]},
        },
    )
    assert body["tags"] == ["Newsletter", "Callback"]
    assert body["custom_fields"] == {"City": "Roma", "Size": "M", "Interests": ["Pane"]}


def test_a_value_is_emptied_only_where_there_is_one(scripted_callbell: Callbell, recorder: Recorder) -> None:
    empty = {
        "City": OptionValue("", OptionKind.TEXT),
        "Points": OptionValue("", OptionKind.INTEGER),
        "Interests": OptionValue("", OptionKind.MULTIPLE),
        "Hobbies": OptionValue("", OptionKind.TEXT),  # no longer ours, so that its kind is not known any more
        "Size": OptionValue("", OptionKind.CHOICE),
    }
    known = {"City": "Milano", "Interests": '["Pane"]', "Hobbies": '["Vela"]', "Points": None}
    body = updated(scripted_callbell, recorder, record(options=empty), customFields=known)
    assert body["custom_fields"] == {"City": "", "Interests": [], "Hobbies": []}


@pytest.mark.parametrize(
    ("fields", "known", "sent"),
    [
        ({"note": "new"}, {}, {"note": "new"}),
        ({}, {"note": "old"}, {"note": ""}),
        ({}, {"note": None}, {}),
        ({}, {}, {}),
        ({"leave": frozenset({"note"})}, {"note": "old"}, {}),
        ({}, {"assignedUser": "agent@example.org"}, {"unassign_user": True}),
        ({"assigned_user": "ops@example.org"}, {"assignedUser": "x@example.org"}, {"assigned_user": "ops@example.org"}),
        ({"leave": frozenset({"assigned_user"})}, {"assignedUser": "agent@example.org"}, {}),
        ({"first_name": "Sara"}, {"name": "Old"}, {"name": "Sara"}),
        ({}, {"name": "Old"}, {}),
    ],
)
def test_notes_users_and_names_are_changed_emptied_or_left(
    scripted_callbell: Callbell, recorder: Recorder, fields: Any, known: Any, sent: Any
) -> None:
    body = updated(scripted_callbell, recorder, record(**fields), **known)
    assert body == {"tags": ["Newsletter"], "bot_status": "bot_end", **sent}


# Addresses and queries


def test_no_path_or_query_is_made_up(scripted_callbell: Callbell, recorder: Recorder) -> None:
    for body in (
        {"status": "ok", "user_email": "ops@example.org", "user_name": "Ops", "api_key": "k"},
        {"channels": []},
        {"templates": []},
        {"contacts": []},
        {"contact": None},
        {"contact": None},
        {"messages": []},
        {"message": {"uuid": UUID, "status": "sent"}},
        {"contact": [contact(uuid=UUID)]},
        {"status": "contact was destroyed"},
    ):
        recorder.will_answer(body)
    scripted_callbell.check()
    scripted_callbell.senders()
    list(scripted_callbell.list_templates())
    list(scripted_callbell.list_contacts(BOOK))
    scripted_callbell.find_contact(BOOK, "+391110000001")
    scripted_callbell.last_received(UUID)
    scripted_callbell.report(UUID)
    scripted_callbell.delete_contacts(BOOK, [UUID])
    assert [(asked.method, asked.path, asked.params) for asked in recorder.asked] == [
        ("GET", "/auth/me", {}),
        ("GET", "/channels", {"active": "true"}),
        ("GET", "/templates", {}),
        ("GET", "/contacts", {"page": "1", "tags": "Newsletter", "include_field_types": "true"}),
        ("GET", "/contacts/phone/391110000001", {}),
        ("GET", "/contacts/phone/%2B391110000001", {}),
        ("GET", f"/contacts/{UUID}/messages", {"page": "1"}),
        ("GET", f"/messages/status/{UUID}", {}),
        ("GET", f"/contacts/{UUID}", {"include_field_types": "true"}),
        ("DELETE", f"/contacts/{UUID}", {}),
    ]
    assert {asked.body for asked in recorder.asked} == {b""}
