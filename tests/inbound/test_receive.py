"""The address that providers call: who may use it, what is kept, and what is not told."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import resolve
from django_tasks_db.models import DBTaskResult
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contactsync.callback_view import LARGEST_BODY, called_back
from contactsync.models import Callback, Contact, InboundMessage, ProviderAccount, Suppression
from contactsync.sync.callback_address import callback_url
from tests.factories import make_contact, make_phonebook

SECRET = "whsec_0123456789abcdef0123456789abcdef"
PERSON = "+61491570006"
AccountAt = Callable[..., ProviderAccount]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def outside() -> Client:
    """Somebody who calls the site: no session, and a form token is not asked for."""
    return Client(enforce_csrf_checks=True)


def path_of(account: ProviderAccount, reference: str = "") -> str:
    return callback_url(account, reference).removeprefix("http://127.0.0.1:8000")


def post(client: Client, account: ProviderAccount, body: Any, reference: str = "", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path_of(account, reference), content, content_type="application/json", headers=headers)


def delivered(number: int = 1, status: str = "Delivered") -> dict[str, Any]:
    return {"query": {"id": str(number), "status": status, "timestamp": "2024-03-22 05:44:48"}}


def reply(text: str, sender: str = PERSON) -> dict[str, str]:
    return {"to": "61400000000", "from": sender.lstrip("+"), "timestamp": "1", "type": "sms", "message": text}


def signature(body: bytes, *, secret: str = SECRET, age: float = 0) -> str:
    at = int(time.time() - age)
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def callbell_event(**payload: Any) -> bytes:
    return json.dumps({"event": "contact_deleted", "payload": {"uuid": "ab" * 16, **payload}}).encode()


def test_an_event_is_kept_answered_and_a_worker_is_woken(outside: Client, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    answer = post(outside, account, delivered(), reference="7b0c6d1e-0000-4000-8000-000000000001")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    row = Callback.objects.get()
    assert (row.account, row.kind, row.raw_state, row.state) == (account, "delivery", "Delivered", "received")
    assert row.our_reference == "7b0c6d1e-0000-4000-8000-000000000001"
    assert not row.is_proven
    account.refresh_from_db()
    assert account.called_back_at
    assert DBTaskResult.objects.get().task_path.endswith("handle_callbacks")
    assert "sessionid" not in answer.cookies


def test_told_again_is_nothing_new_and_wakes_nobody(outside: Client, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    for _ in range(3):
        assert post(outside, account, delivered(), reference="abc").status_code == 200
    assert Callback.objects.count() == 1
    assert DBTaskResult.objects.count() == 1


def test_one_worker_is_woken_for_many_events(outside: Client, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    for number in range(5):
        post(outside, account, delivered(number), reference="abc")
    assert Callback.objects.count() == 5
    assert DBTaskResult.objects.count() == 1


def test_the_same_event_at_another_account_is_another_event(outside: Client, account_at: AccountAt) -> None:
    for _ in range(2):
        post(outside, account_at("atomtelecom"), delivered(), reference="abc")
    assert Callback.objects.count() == 2


def test_it_may_come_as_a_get(outside: Client, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    assert outside.get(path_of(account, "abc"), {"id": "1", "status": "Delivered"}).status_code == 200
    assert Callback.objects.get().our_reference == "abc"


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_address_is_the_same_without_its_last_slash(account_at: AccountAt, slash: str) -> None:
    account = account_at("atomtelecom")
    for reference in ("", "abc"):
        match = resolve(path_of(account, reference).rstrip("/") + slash)
        assert match.func is called_back
        assert match.kwargs == {"key": account.callback_key, **({"reference": reference} if reference else {})}


def test_a_key_of_nobody_is_an_unknown_address(outside: Client, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    unknown = outside.get("/nothing-here/")
    for path in (path_of(account).replace(account.callback_key, "A" * 43), "/callbacks/", "/callbacks/a/b/c/"):
        for answer in (outside.get(path), outside.post(path, b"{}", content_type="application/json")):
            assert answer.status_code == 404
            assert answer.content == unknown.content
    assert not Callback.objects.exists()


def test_other_methods_are_refused(outside: Client, account_at: AccountAt) -> None:
    answer = outside.put(path_of(account_at("atomtelecom")), b"{}")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("size", [LARGEST_BODY + 1, 3 * 1024 * 1024])
def test_a_huge_body_is_refused(outside: Client, account_at: AccountAt, size: int) -> None:
    assert post(outside, account_at("atomtelecom"), b"x" * size).status_code == 413
    assert not Callback.objects.exists()


def test_a_provider_that_makes_no_call_backs_is_not_believed(outside: Client, account_at: AccountAt) -> None:
    assert post(outside, account_at("ippanel"), {}).status_code == 400


def test_a_refusal_tells_nothing_and_the_log_keeps_neither_key_nor_body(
    outside: Client, account_at: AccountAt, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account = account_at("atomtelecom")
    answer = post(outside, account, b'{"private": "words"}')
    assert (answer.status_code, answer.json()) == (400, {"status": "refused"})
    ours = [record for record in caplog.records if record.name == "contactsync.callback_view"]
    assert [f"account {account.pk}" in record.getMessage() for record in ours] == [True]
    post(outside, account, b"x" * (LARGEST_BODY + 1))
    outside.put(path_of(account), b"{}")
    assert "private" not in caplog.text
    assert account.callback_key not in caplog.text


def test_an_error_of_ours_is_told_as_such_so_that_the_provider_tries_again(
    outside: Client, account_at: AccountAt, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(account: ProviderAccount, events: object) -> None:
        raise ValueError(str(events))

    monkeypatch.setattr("contactsync.work.keep_events", broken)
    account = account_at("atomtelecom")
    assert post(outside, account, delivered(), reference="abc").status_code == 500
    assert "ValueError" in caplog.text
    assert "Delivered" not in caplog.text
    assert account.callback_key not in caplog.text


# Signed ones


def test_a_signed_event_is_proven(outside: Client, account_at: AccountAt) -> None:
    account = account_at("callbell", credentials={"callback_secret": SECRET})
    body = callbell_event()
    answer = post(outside, account, body, **{"X-Callbell-Signature": signature(body)})
    assert answer.status_code == 200
    assert Callback.objects.get().is_proven


def test_without_a_secret_of_ours_nothing_is_proven(outside: Client, account_at: AccountAt) -> None:
    account = account_at("callbell")
    body = callbell_event()
    assert post(outside, account, body, **{"X-Callbell-Signature": signature(body)}).status_code == 200
    assert not Callback.objects.get().is_proven


@pytest.mark.parametrize(
    "sign",
    [
        lambda body: "",
        lambda body: "t=1,v1=00",
        lambda body: signature(body, secret="whsec_of_somebody_else"),
        lambda body: signature(body + b" "),
        lambda body: signature(body, age=301),
        lambda body: signature(body, age=-301),
    ],
    ids=["none", "broken", "another secret", "another body", "too old", "too new"],
)
def test_what_is_not_signed_rightly_is_refused(
    outside: Client, account_at: AccountAt, sign: Callable[[bytes], str], caplog: pytest.LogCaptureFixture
) -> None:
    account = account_at("callbell", credentials={"callback_secret": SECRET})
    body = callbell_event()
    assert post(outside, account, body, **{"X-Callbell-Signature": sign(body)}).status_code == 400
    assert not Callback.objects.exists()
    assert SECRET not in caplog.text


def test_a_replay_within_the_time_is_nothing_new(outside: Client, account_at: AccountAt) -> None:
    account = account_at("callbell", credentials={"callback_secret": SECRET})
    body = callbell_event()
    headers = {"X-Callbell-Signature": signature(body)}
    assert [post(outside, account, body, **headers).status_code for _ in range(2)] == [200, 200]
    assert Callback.objects.count() == 1


@pytest.mark.parametrize("body", [b"", b"{}", b'{"event": "conversation_opened", "payload": {}}', b"ping"])
def test_a_connection_check_is_answered_and_noticed(outside: Client, account_at: AccountAt, body: bytes) -> None:
    account = account_at("callbell")
    answer = post(outside, account, body)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert not Callback.objects.exclude(state=Callback.State.IGNORED).exists()
    account.refresh_from_db()
    assert account.called_back_at


# Replies


def test_a_reply_is_kept_once_and_notes_when_the_person_wrote(outside: Client, account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    contact = make_contact(make_phonebook(account), PERSON)
    stranger = make_contact(make_phonebook(), PERSON)
    for _ in range(2):
        assert post(outside, account, reply("Yes, please")).status_code == 200
    row = InboundMessage.objects.get()
    assert (row.phone, row.text, row.is_opt_out) == (PERSON, "Yes, please", False)
    contact.refresh_from_db()
    stranger.refresh_from_db()
    assert contact.last_received_at == row.received_at
    assert stranger.last_received_at is None
    assert Callback.objects.get().state == Callback.State.DONE
    assert not Suppression.objects.exists()
    assert not DBTaskResult.objects.exists()


def test_whoever_asks_for_no_more_messages_is_suppressed_in_their_own_words(
    outside: Client, account_at: AccountAt
) -> None:
    account = account_at("atomtelecom")
    post(outside, account, reply("Stop!"))
    row = Suppression.objects.get()
    assert (row.phone, row.reason, row.source) == (PERSON, "Stop!", Suppression.Source.REPLY)
    Suppression.objects.all().delete()  # a person knows better
    post(outside, account, reply("Stop!"))
    assert not Suppression.objects.exists()


def test_a_reply_lifts_no_suppression_and_changes_none(outside: Client, account_at: AccountAt) -> None:
    Suppression.objects.create(phone=PERSON, reason="asked at the counter")
    post(outside, account_at("atomtelecom"), reply("unsubscribe"))
    assert Suppression.objects.get().reason == "asked at the counter"


def test_an_alphanumeric_sender_is_kept_as_it_is(outside: Client, account_at: AccountAt) -> None:
    post(outside, account_at("atomtelecom"), reply("STOP", sender="Operator"))
    assert InboundMessage.objects.get().phone == "Operator"
    assert not Suppression.objects.exists()


def test_two_that_tell_the_same_at_once_leave_one_row(account_at: AccountAt) -> None:
    account = account_at("atomtelecom")
    make_contact(make_phonebook(account), PERSON)
    barrier = threading.Barrier(4)
    statuses: list[int] = []

    def tell(body: dict[str, Any], reference: str) -> None:
        barrier.wait(timeout=10)
        statuses.append(post(Client(), account, body, reference=reference).status_code)
        connection.close()

    threads = [threading.Thread(target=tell, args=told) for told in [(delivered(), "abc"), (reply("STOP"), "")] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert statuses == [200] * 4
    assert Callback.objects.count() == 2
    assert InboundMessage.objects.count() == Suppression.objects.count() == 1
    assert Contact.objects.get().last_received_at


# Garbage

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(
    ["query", "id", "status", "timestamp", "to", "from", "type", "message", "event", "payload", "uuid", "name", "data"]
)
_shaped = st.dictionaries(_names, _json | st.dictionaries(_names, _json, max_size=4), max_size=6)
_told = (
    st.binary(max_size=200)
    | _json.map(lambda value: json.dumps(value).encode())
    | _shaped.map(lambda value: json.dumps(value).encode())
)


@pytest.mark.parametrize("slug", ["atomtelecom", "callbell", "lox24", "ippanel"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=_told)
def test_garbage_is_answered_and_breaks_nothing(outside: Client, account_at: AccountAt, slug: str, body: bytes) -> None:
    account = ProviderAccount.objects.filter(provider=slug).first() or account_at(slug)
    assert post(outside, account, body, reference="abc").status_code in {200, 400}
    assert outside.get(path_of(account), {"sender_id": body.decode(errors="replace"), "text": "x"}).status_code in {
        200,
        400,
    }


def test_the_address_is_empty_where_the_provider_could_not_reach_it(account_at: AccountAt, settings: Any) -> None:
    account = account_at("atomtelecom")
    assert callback_url(account, "abc") == f"http://127.0.0.1:8000/callbacks/{account.callback_key}/abc/"
    account.base_url = "https://api.example.org"
    assert callback_url(account) == ""
    settings.SITE_URL = "https://contacts.example.org"
    assert callback_url(account) == f"https://contacts.example.org/callbacks/{account.callback_key}/"
