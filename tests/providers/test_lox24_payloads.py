"""What goes over the wire to LOX24, held against the members of its document on phone batches and its reference."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from providers.backends.lox24 import Lox24
from providers.exceptions import OutcomeUnknown, Rejected
from providers.types import ContactRecord, OptionKind, OptionValue, PhonebookSpec, WholePhonebooks

from .lox24 import BOOK, CREDENTIALS, UUID, collection, columns, connect, message, record
from .servers import Recorder, same

# Every member that the document on "Create Phones by the batch" has for an element, and nothing else.
DOCUMENTED = json.loads("""[
{
"phone": "+4915200000001",
"a": "Sara",
"b": "Muster",
"c": "Beispiel GmbH",
"d": "sara@example.org",
"e": "15",
"callback_data": "7b0c6d1e-0000-4000-8000-000000000001"
}
]""")

# Its answer: the created phone with every member, and an error in its place.
ANSWER = json.loads("""{
"@context": "/contexts/Phone",
"@id": "/groups/7001/phones/batch",
"@type": "hydra:Collection",
"hydra:totalItems": 2,
"hydra:member": [
{
"status": 201,
"body": {
"@context": "/contexts/Phone", "@id": "/phones/900001", "@type": "Phone", "id": "900001", "phone": "+4915200000001",
"a": "Sara", "b": "Muster", "c": "Beispiel GmbH", "d": "sara@example.org", "e": "15",
"callback_data": "7b0c6d1e-0000-4000-8000-000000000001",
"subscribed_at": null, "unsubscribed_at": null, "unsubscribe_reason": null
}
},
{
"status": 422,
"body": {"title": "An error occurred", "detail": "phone: invalid value",
"violations": [{"propertyPath": "phone", "message": "invalid value"}]}
}
]
}""")

SARA = record(
    1,
    options={
        **columns(a="Sara", b="Muster", c="Beispiel GmbH"),
        "d": OptionValue("sara@example.org", OptionKind.EMAIL),
        "e": OptionValue("15", OptionKind.INTEGER),
    },
)


def test_a_batch_is_a_bare_array_with_every_documented_member(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer(ANSWER, status=201)
    result = scripted_lox24.create_contacts(BOOK, [SARA, record(2, phone="not-a-number")])
    assert (recorder.last.method, recorder.last.path) == ("POST", "/groups/7001/phones/batch")
    assert same(json.dumps(recorder.last.json[:1]).encode(), DOCUMENTED)
    assert [(item.outcome, item.remote_id) for item in result.items] == [("done", "900001"), ("refused", "")]
    assert result.counters == {"totalItems": 2}


def test_what_is_not_known_of_a_new_contact_is_left_out(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer([], status=201)
    scripted_lox24.create_contacts(BOOK, [ContactRecord(reference="", phone="+4915200000001", options=columns(a=""))])
    assert recorder.last.json == [{"phone": "+4915200000001"}]


def test_fields_without_a_place_of_their_own_are_never_sent(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer([], status=201)
    known = record(1, prefix="Frau", first_name="Sara", last_name="M", company="X", email="s@example.org", note="n")
    scripted_lox24.create_contacts(BOOK, [known])
    assert set(recorder.last.json[0]) == {"phone", "callback_data"}


def test_a_changed_contact_is_sent_with_every_column(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer({"id": "900001", "phone": "+4915200000001"})
    scripted_lox24.update_contact(BOOK, "900001", record(1, options=columns(a="Sara", b="")))
    assert recorder.last.json == {
        "phone": "+4915200000001",
        "a": "Sara", "b": None, "c": None, "d": None, "e": None,
        "callback_data": "7b0c6d1e-0000-4000-8000-000000000001",
    }  # fmt: skip


def test_the_key_and_the_forms_go_in_headers(recorder: Recorder) -> None:
    recorder.will_answer({"id": 41007})
    with connect(recorder.url) as client:
        assert client.check().identity == "41007"
    headers = recorder.last.headers
    assert headers["X-LOX24-AUTH-TOKEN"] == f"{CREDENTIALS['client_id']}:{CREDENTIALS['api_key']}"
    assert headers["Accept"] == "application/ld+json"
    assert "Content-Type" not in headers


def send(client: Lox24, recorder: Recorder, **fields: Any) -> Any:
    recorder.will_answer({"uuid": UUID}, status=201)
    client.send(message(**fields))
    return recorder.last.path, recorder.last.json


def test_one_number_gets_an_sms_that_can_be_found_again(scripted_lox24: Lox24, recorder: Recorder) -> None:
    path, body = send(scripted_lox24, recorder, numbers=("+4915200000001",))
    assert path == "/sms"
    assert 0 < body.pop("source") < 2**31
    assert body == {
        "text": "Hallo", "sender_id": "ACME", "phone": "+4915200000001", "service_code": "direct",
        "callback_data": "call-1",
    }  # fmt: skip


def test_several_numbers_get_a_bulk(scripted_lox24: Lox24, recorder: Recorder) -> None:
    path, body = send(scripted_lox24, recorder, numbers=("+4915200000001", "+4915200000002"))
    assert path == "/bulks"
    assert 0 < body.pop("source") < 2**31
    assert body == {
        "text": "Hallo", "sender_id": "ACME", "service_code": "direct",
        "phones": ["+4915200000001", "+4915200000002"],
    }  # fmt: skip


def test_a_group_gets_a_bulk_at_a_time_in_unix_seconds(scripted_lox24: Lox24, recorder: Recorder) -> None:
    at = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(hours=2)
    path, body = send(scripted_lox24, recorder, targets=(WholePhonebooks((BOOK,)),), send_at=at)
    del body["source"]
    assert (path, body) == (
        "/bulks",
        {
            "text": "Hallo", "sender_id": "ACME", "service_code": "direct", "msg_groups": [7001],
            "delivery_at": int(at.timestamp()),
        },
    )  # fmt: skip


def test_the_mark_depends_on_our_reference_alone(scripted_lox24: Lox24, recorder: Recorder) -> None:
    def source(reference: str, *numbers: str) -> int:
        mark: int = send(scripted_lox24, recorder, reference=reference, numbers=numbers)[1]["source"]
        return mark

    both = source("call-1", "+4915200000001"), source("call-1", "+4915200000001", "+4915200000002")
    assert both[0] == both[1]
    assert source("call-2", "+4915200000001") != both[0]


def test_a_voice_message_has_its_service_and_language(recorder: Recorder) -> None:
    with connect(recorder.url, service_code="text2speech", voice_lang="DE") as client:
        assert send(client, recorder, numbers=("+4915200000001",))[1]["voice_lang"] == "DE"
    with connect(recorder.url, service_code="text2speech") as client:
        body = send(client, recorder, numbers=("+4915200000001",))[1]
        assert body["service_code"] == "text2speech"
        assert "voice_lang" not in body
    with connect(recorder.url, voice_lang="DE") as client:
        assert "voice_lang" not in send(client, recorder, numbers=("+4915200000001",))[1]


def test_a_price_is_asked_for_the_number_it_is_for(recorder: Recorder) -> None:
    recorder.will_answer({"id": 41007, "currency": "CHF", "balance_amount": 12.5})
    recorder.will_answer({"price": 0.075, "parts_count": 2}, status=201)
    with connect(recorder.url) as client:
        price = client.estimate_price(sender="ACME", text="Hallo", number="+41790000001")
    assert (recorder.last.method, recorder.last.path) == ("POST", "/sms/dryrun")
    assert recorder.last.json == {
        "text": "Hallo", "sender_id": "ACME", "phone": "+41790000001", "service_code": "direct",
    }  # fmt: skip
    assert (str(price.low), str(price.high), price.currency, price.parts) == ("0.075", "0.075", "CHF", 2)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (PhonebookSpec(" "), "needs a title"),
        (PhonebookSpec("x" * 51), "51 characters"),
        (PhonebookSpec("x", {"a": "y" * 51}), "column a"),
        (PhonebookSpec("x", {"f": "y"}), "no column “f”"),
        (PhonebookSpec("x", {}, "y" * 256), "256 characters"),
    ],
)
def test_a_group_that_would_be_refused_costs_no_call(
    scripted_lox24: Lox24, recorder: Recorder, spec: PhonebookSpec, words: str
) -> None:
    for ask in (lambda: scripted_lox24.create_phonebook(spec), lambda: scripted_lox24.update_phonebook(BOOK, spec)):
        with pytest.raises(Rejected, match=words):
            ask()
    assert recorder.asked == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"phone": "0152 00000001"}, "international form"),
        ({"options": columns(a="x" * 1531)}, "column a"),
        ({"options": {"company": OptionValue("x", OptionKind.TEXT)}}, "no column “company”"),
        ({"reference": "x" * 37}, "37 characters"),
    ],
)
def test_a_contact_that_would_be_refused_is_told_without_a_call(fields: dict[str, Any], words: str) -> None:
    problem = Lox24.problem_with_contact(record(1, **fields))
    assert problem is not None
    assert words in problem.reason


def test_a_contact_at_the_limits_is_taken() -> None:
    full = {slot: OptionValue("x" * 1530, OptionKind.TEXT) for slot in "abcde"}
    assert Lox24.problem_with_contact(record(1, phone="+123456789012345", options=full)) is None


def test_an_answer_to_a_send_without_a_uuid_is_no_receipt(scripted_lox24: Lox24, recorder: Recorder) -> None:
    for answer in ({}, {"uuid": None}, {"uuid": 5}, collection()):
        recorder.will_answer(answer, status=201)
        with pytest.raises(OutcomeUnknown):
            scripted_lox24.send(message(numbers=("+4915200000001",)))
