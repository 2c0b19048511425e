"""The Callbell dialect of the sandbox: who may ask, and contacts as the document has them."""

from __future__ import annotations

from typing import Any

import pytest

from providers.sandbox.callbell.records import (
    MAIN_CHANNEL,
    SECOND_CHANNEL,
    TEAM,
)
from tests.factories import SANDBOX_KEY
from tests.sandbox_fixtures import SandboxClient

from .callbell_sandbox import NEW, PHONE, ask, state_of, violations

# Who may ask, and how


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Bearer ", f"Bearer  {SANDBOX_KEY}"])
def test_a_wrong_token_is_401(client_of_sandbox: SandboxClient, given: str) -> None:
    reply = ask(client_of_sandbox, "GET", "/auth/me", Authorization=given)
    assert (reply.status, reply.json) == (401, {"error": "Invalid token"})
    assert violations(client_of_sandbox) == []


@pytest.mark.parametrize("given", [SANDBOX_KEY, f"bearer {SANDBOX_KEY}", f"Token {SANDBOX_KEY}"])
def test_a_token_without_its_scheme_is_remembered(client_of_sandbox: SandboxClient, given: str) -> None:
    assert ask(client_of_sandbox, "GET", "/auth/me", Authorization=given).status == 401
    assert violations(client_of_sandbox) == [("authorization", "Authorization")]


def test_json_must_be_asked_for_and_sent_as_such(client_of_sandbox: SandboxClient) -> None:
    assert ask(client_of_sandbox, "GET", "/auth/me", Accept="*/*").status == 406
    assert ask(client_of_sandbox, "POST", "/contacts", NEW, Content_Type="text/plain").status == 422
    for body in (b"[]", b"{", b"\xff"):
        assert ask(client_of_sandbox, "POST", "/contacts", body).status == 422
    assert ask(client_of_sandbox, "GET", "/auth/me", {}).status == 422
    assert violations(client_of_sandbox) == [
        ("content type", "Accept"),
        ("content type", "Content-Type"),
        *[("wrong type", "body")] * 3,
        ("undocumented field", "body"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/contact", 404),
        ("PUT", "/contacts/abc", 405),
        ("POST", "/subscriptions", 404),
        ("POST", "/messages", 404),
        ("GET", "/tags", 404),
        ("GET", "/contacts/a/b/c", 404),
    ],
)
def test_other_paths_and_methods_are_remembered(
    client_of_sandbox: SandboxClient, method: str, path: str, status: int
) -> None:
    assert ask(client_of_sandbox, method, path).status == status
    assert violations(client_of_sandbox) == [("path", f"/v1{path}")]


@pytest.mark.parametrize(
    ("method", "path", "where"),
    [
        ("GET", "/auth/me?page=1", "page"),
        ("GET", "/contacts?per_page=100", "per_page"),
        ("GET", "/contacts?page=0", "page"),
        ("GET", "/contacts?include_field_types=yes", "include_field_types"),
        ("GET", "/contacts/phone/1?source=whatsapp", "source"),
        ("GET", "/channels?type=sms", "type"),
        ("DELETE", "/webhooks/unsubscribe?url=x", "url"),
    ],
)
def test_queries_that_are_not_documented_are_refused(
    client_of_sandbox: SandboxClient, method: str, path: str, where: str
) -> None:
    assert ask(client_of_sandbox, method, path).status == 422
    assert [row[1] for row in violations(client_of_sandbox)] == [where]


def test_300_requests_a_second_are_the_most_where_limits_are_kept(client_of_sandbox: SandboxClient) -> None:
    client_of_sandbox.sandbox.settings.limits = True
    dialect = client_of_sandbox.sandbox.dialects["callbell"]
    now = client_of_sandbox.sandbox.clock.now()
    for _ in range(300):
        assert dialect._window.take(now + 3600) == 0.0
    client_of_sandbox.sandbox.clock.advance(3600)
    assert ask(client_of_sandbox, "GET", "/auth/me").status == 429
    client_of_sandbox.sandbox.clock.advance(2)
    assert ask(client_of_sandbox, "GET", "/auth/me").status == 200


def test_an_address_without_the_version_is_not_known(client_of_sandbox: SandboxClient) -> None:
    headers = {"Authorization": f"Bearer {SANDBOX_KEY}", "Accept": "application/json"}
    assert client_of_sandbox.raw("GET", "/callbell/contacts", **headers).status == 404


# Contacts


@pytest.mark.parametrize(
    ("change", "kind", "where"),
    [
        ({"identifier": None}, "wrong type", "identifier"),
        ({"source": "sms"}, "wrong value", "source"),
        ({"phone": "1"}, "undocumented field", "phone"),
        ({"tags": "Newsletter"}, "wrong type", "tags"),
        ({"tags": [1]}, "wrong type", "tags"),
        ({"custom_fields": {"Points": 42}}, "wrong type", "custom_fields.Points"),
        ({"custom_fields": {"Interests": "Pane"}}, "wrong type", "custom_fields.Interests"),
        ({"bot_status": "off"}, "wrong value", "bot_status"),
        ({"note": "n" * 1001}, "limit", "note"),
        ({"unassign_user": True}, "undocumented field", "unassign_user"),
    ],
)
def test_a_new_contact_of_another_shape_is_remembered(
    client_of_sandbox: SandboxClient, change: dict[str, Any], kind: str, where: str
) -> None:
    reply = ask(client_of_sandbox, "POST", "/contacts", {**NEW, **change})
    assert reply.status == 422
    assert reply.json["error"]
    assert violations(client_of_sandbox) == [(kind, where)]
    assert state_of(client_of_sandbox).contacts == {}


@pytest.mark.parametrize("name", ["identifier", "source", "name"])
def test_what_is_required_must_be_there(client_of_sandbox: SandboxClient, name: str) -> None:
    body = {key: value for key, value in NEW.items() if key != name}
    assert ask(client_of_sandbox, "POST", "/contacts", body).status == 422
    assert violations(client_of_sandbox) == [("missing", name)]


@pytest.mark.parametrize(
    "change",
    [
        {"tags": ["No such tag"]},
        {"tags": ["newsletter"]},
        {"assigned_user": "nobody@example.org"},
        {"team_uuid": "0" * 32},
        {"channel_uuid": "0" * 32},
        {"identifier": "+391110000001"},
        {"name": " "},
        {"custom_fields": {"Shoe": "42"}},
        {"custom_fields": {"Points": "many"}},
        {"custom_fields": {"Email": "nobody"}},
        {"custom_fields": {"Birthday": "8/10/1992"}},
        {"custom_fields": {"Birthday": "1992-02-30"}},
        {"custom_fields": {"Size": "XXL"}},
        {"custom_fields": {"Interests": ["Pane", "Sushi"]}},
    ],
)
def test_what_does_not_exist_or_fit_is_refused_without_being_a_violation(
    client_of_sandbox: SandboxClient, change: dict[str, Any]
) -> None:
    assert ask(client_of_sandbox, "POST", "/contacts", {**NEW, **change}).status == 422
    assert violations(client_of_sandbox) == []
    assert state_of(client_of_sandbox).contacts == {}


def test_a_contact_is_shown_as_documented_in_every_call(client_of_sandbox: SandboxClient) -> None:
    fields = {"Interests": ["Pane"], "City": "Roma"}
    made = ask(
        client_of_sandbox,
        "POST",
        "/contacts",
        {**NEW, "tags": ["VIP"], "custom_fields": fields, "team_uuid": TEAM, "note": "n"},
    ).json["contact"]
    assert isinstance(made, list)
    assert made[0]["customFields"] == {"Interests": '["Pane"]', "City": "Roma"}
    assert (made[0]["tags"], made[0]["note"], made[0]["assignedUser"]) == (["VIP"], "n", None)
    uuid = made[0]["uuid"]
    assert ask(client_of_sandbox, "GET", f"/contacts/{uuid}").json["contact"] == made
    assert ask(client_of_sandbox, "GET", f"/contacts/phone/%2B{PHONE}").json["contact"] == made[0]
    with_types = ask(client_of_sandbox, "GET", "/contacts?tags=vip&include_field_types=true").json["contacts"][0]
    assert with_types.pop("customFieldsMetadata") == {
        "Interests": {"value": ["Pane"], "type": "checkbox", "options": ["Pane", "Vino", "Formaggio"]},
        "City": {"value": "Roma", "type": "text"},
    }
    assert with_types == made[0]
    assert violations(client_of_sandbox) == []


def test_the_same_identifier_makes_a_second_contact(client_of_sandbox: SandboxClient) -> None:
    for _ in range(2):
        assert ask(client_of_sandbox, "POST", "/contacts", NEW).status == 201
    assert len(state_of(client_of_sandbox).contacts) == 2


def test_looking_up_a_number_sees_the_main_channel_unless_another_is_named(client_of_sandbox: SandboxClient) -> None:
    state_of(client_of_sandbox).add_contact(PHONE, channel=SECOND_CHANNEL)
    assert ask(client_of_sandbox, "GET", f"/contacts/phone/{PHONE}").status == 404
    assert ask(client_of_sandbox, "GET", f"/contacts/phone/{PHONE}?channel_uuid={SECOND_CHANNEL}").status == 200


def test_an_update_cannot_change_the_number_and_takes_only_what_is_documented(
    client_of_sandbox: SandboxClient,
) -> None:
    uuid = state_of(client_of_sandbox).add_contact(PHONE, "Sara").uuid
    for body in ({"phone": "1"}, {"identifier": "1"}, {"channel_uuid": MAIN_CHANNEL}, {"unassign_user": "yes"}):
        assert ask(client_of_sandbox, "PATCH", f"/contacts/{uuid}", body).status == 422
    assert [row[1] for row in violations(client_of_sandbox)] == [
        "phone",
        "identifier",
        "channel_uuid",
        "unassign_user",
    ]
    assert ask(client_of_sandbox, "PATCH", f"/contacts/{uuid}", {"name": ""}).status == 422
    assert ask(client_of_sandbox, "PATCH", "/contacts/nobody", {"name": "x"}).status == 404


@pytest.mark.parametrize(
    ("quirks", "tags", "fields"),
    [(set(), ["VIP"], {"Size": "M"}), ({"updates_merge"}, ["Newsletter", "VIP"], {"City": "Roma", "Size": "M"})],
)
def test_an_update_replaces_or_merges(
    client_of_sandbox: SandboxClient, quirks: set[str], tags: list[str], fields: dict[str, str]
) -> None:
    state = state_of(client_of_sandbox)
    state.quirks |= quirks
    contact = state.add_contact(PHONE, "Sara", tags=["Newsletter"], custom_fields={"City": "Roma"}, note="old")
    body = {"tags": ["VIP"], "custom_fields": {"Size": "M"}, "note": ""}
    assert ask(client_of_sandbox, "PATCH", f"/contacts/{contact.uuid}", body).status == 200
    assert (contact.name, contact.tags, contact.custom_fields, contact.note) == ("Sara", tags, fields, None)


def test_an_empty_value_is_refused_where_it_is_no_value_of_the_type(client_of_sandbox: SandboxClient) -> None:
    state = state_of(client_of_sandbox)
    state.quirks.add("blank_refused")
    uuid = state.add_contact(PHONE, custom_fields={"City": "Roma", "Points": "7"}).uuid
    assert ask(client_of_sandbox, "PATCH", f"/contacts/{uuid}", {"custom_fields": {"Points": ""}}).status == 422
    assert ask(client_of_sandbox, "PATCH", f"/contacts/{uuid}", {"custom_fields": {"City": ""}}).status == 200


def test_deleting_twice_is_404(client_of_sandbox: SandboxClient) -> None:
    uuid = state_of(client_of_sandbox).add_contact(PHONE).uuid
    assert ask(client_of_sandbox, "DELETE", f"/contacts/{uuid}").json == {"status": "contact was destroyed"}
    assert ask(client_of_sandbox, "DELETE", f"/contacts/{uuid}").status == 404


def test_pages_have_twenty_and_reach_500_and_cursors_all(client_of_sandbox: SandboxClient) -> None:
    state = state_of(client_of_sandbox)
    for number in range(45):
        state.add_contact(f"3911100{number:05d}", tags=["VIP"])
    first = ask(client_of_sandbox, "GET", "/contacts?tags=VIP").json
    assert (len(first["contacts"]), first["meta"]["page"], first["meta"]["pages"]) == (20, 1, 3)
    seen = [row["uuid"] for row in first["contacts"]]
    cursor = first["meta"]["next"]
    while cursor:
        page = ask(client_of_sandbox, "GET", f"/contacts?tags=VIP&after={cursor}").json
        seen += [row["uuid"] for row in page["contacts"]]
        cursor = page["meta"]["next"]
    assert sorted(seen) == sorted(state.contacts)
    assert ask(client_of_sandbox, "GET", "/contacts?page=500").json["contacts"] == []
    for path, words in (
        ("/contacts?page=501", "Pagination limit exceeded"),
        ("/contacts?after=nonsense", "Invalid pagination cursor"),
        (f"/contacts?tags=Newsletter&after={first['meta']['next']}", "Invalid pagination cursor"),
    ):
        reply = ask(client_of_sandbox, "GET", path)
        assert (reply.status, reply.json) == (400, {"error": words})
    assert violations(client_of_sandbox) == []


def test_lists_are_filtered_by_source_and_team_as_well(client_of_sandbox: SandboxClient) -> None:
    state = state_of(client_of_sandbox)
    both = state.add_contact(PHONE, team=TEAM)
    state.add_contact("391110000002")
    state.add_contact("", source="instagram", team=TEAM)
    shown = ask(client_of_sandbox, "GET", f"/contacts?source=whatsapp&team_uuid={TEAM}").json["contacts"]
    assert [(row["uuid"], row["team"]) for row in shown] == [(both.uuid, {"uuid": TEAM, "name": "Team Italia"})]


def test_who_spoke_last_stands_first(client_of_sandbox: SandboxClient) -> None:
    sandbox, state = client_of_sandbox.sandbox, state_of(client_of_sandbox)
    for number in range(3):
        state.add_contact(f"39111000000{number}")
        sandbox.clock.advance(1)
    state.receive("391110000000", "Ciao")
    numbers = [row["phoneNumber"] for row in ask(client_of_sandbox, "GET", "/contacts").json["contacts"]]
    assert [number[-1] for number in numbers] == ["0", "2", "1"]
