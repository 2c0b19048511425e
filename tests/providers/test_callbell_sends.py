"""Callbell: the account and its secrets, channels, sends, templates, reports, conversations."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from providers.backends.callbell import Callbell
from providers.exceptions import NotFound, NotSent, OutcomeUnknown, ProviderError, Rejected, Throttled
from providers.redact import HIDDEN
from providers.sandbox import SandboxServer
from providers.sandbox.callbell.records import (
    CLOSED_CHANNEL,
    INSTAGRAM_CHANNEL,
    MAIN_CHANNEL,
    SECOND_CHANNEL,
    Channel,
    Template,
    make_id,
)
from providers.types import (
    DeliveryState,
    Exchange,
    OutboundMessage,
    RecipientReport,
    SendState,
    TemplateUse,
    TextForNumbers,
    WholePhonebooks,
)

from .callbell import BOOK, UUID, connect, message
from .servers import Recorder

PHONE = "+391110000001"
WELCOME, ORDER, HOURS = (make_id("template", number) for number in (1, 2, 3))

# The account


@pytest.mark.parametrize("fault", [None, "truncated"])
def test_the_key_named_by_the_check_is_kept_nowhere(sandbox: SandboxServer, fault: str | None) -> None:
    seen: list[Exchange] = []
    name = sandbox.state("callbell").key_name = "key-" + "7" * 100  # so long that half of the answer cuts through it
    problem: object = None
    if fault:
        sandbox.fault(fault, "/auth/me")
    with connect(sandbox.url("callbell"), observer=seen.append) as client:
        try:
            told = repr(client.check())
        except OutcomeUnknown as error:
            told, problem = repr(vars(error)), error
    assert (problem is None) == (fault is None)
    assert HIDDEN in seen[0].response_excerpt
    assert "key-7" not in repr(seen) + told
    assert name not in repr(seen) + told


def test_the_signature_secret_is_kept_nowhere(recorder: Recorder) -> None:
    seen: list[Exchange] = []
    recorder.will_answer({"error": "whsec_abcdef is wrong"}, status=422)
    client = connect(recorder.url, observer=seen.append, secret="whsec_abcdef")
    with client, pytest.raises(Rejected) as caught:
        client.check()
    assert "whsec_abcdef" not in repr(seen) + repr(vars(caught.value))


@pytest.mark.parametrize(
    ("told", "identity"),
    [
        ({"user_name": "Ops", "user_email": "ops@example.org"}, "Ops (ops@example.org)"),
        ({"user_email": "ops@example.org"}, "ops@example.org"),
        ({"user_name": "Ops", "user_email": None}, "Ops"),
    ],
)
def test_the_check_says_whose_token_it_is(
    scripted_callbell: Callbell, recorder: Recorder, told: dict[str, Any], identity: str
) -> None:
    recorder.will_answer({"status": "ok", **told})
    assert scripted_callbell.check().identity == identity


def test_a_check_that_names_nobody_is_no_success(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"status": "ok"})
    with pytest.raises(OutcomeUnknown):
        scripted_callbell.check()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "Tag does not exist"}, "Tag does not exist"),
        ({"errors": ["one", "two"]}, "one; two"),
        ({"errors": {"name": ["is missing", "is short"]}}, "name: is missing; name: is short"),
        ({"errors": [{"detail": "bad", "at": None}]}, "bad"),
        ({"message": "Not now"}, "Not now"),
        ({"error": "Bad", "message": "Bad"}, "Bad"),
        ({"reason": "odd"}, '{"reason": "odd"}'),
        (b"plain words", "plain words"),
        (b"x" * 3000, "x" * 499 + "…"),
    ],
)
def test_the_words_of_a_refusal_are_found_wherever_they_stand(
    scripted_callbell: Callbell, recorder: Recorder, body: object, words: str
) -> None:
    recorder.will_answer(body, status=422)
    with pytest.raises(Rejected) as caught:
        scripted_callbell.check()
    assert caught.value.params["words"] == words


def test_a_web_page_is_not_quoted_as_words(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer(b"<html><h1>Bad request</h1></html>", status=400)
    with pytest.raises(Rejected) as caught:
        scripted_callbell.check()
    assert "words" not in caught.value.params


def test_all_pages_of_channels_are_senders(callbell: Callbell, sandbox: SandboxServer) -> None:
    state = sandbox.state("callbell")
    state.channels |= {
        f"{number:032x}": Channel(f"{number:032x}", f"Shop {number}", "telegram") for number in range(45)
    }
    values = [sender.value for sender in callbell.senders()]
    assert len(values) == len(set(values)) == 48
    assert CLOSED_CHANNEL not in values
    assert {MAIN_CHANNEL, SECOND_CHANNEL, INSTAGRAM_CHANNEL} < set(values)
    assert len(sandbox.requests) == 3


# Sends


def test_a_send_has_exactly_the_documents_fields(callbell: Callbell, sandbox: SandboxServer) -> None:
    sandbox.state("callbell").receive(PHONE, "Ciao")
    receipt = callbell.send(message(text="Grazie!"))
    (request,) = sandbox.requests_to("POST /messages/send")
    assert request.json == {
        "from": "whatsapp",
        "channel_uuid": MAIN_CHANNEL,
        "to": "391110000001",
        "type": "text",
        "content": {"text": "Grazie!"},
        "bot_status": "bot_end",
        "metadata": {"call": "call-1"},
    }
    assert receipt.references == tuple(sandbox.state("callbell").sends)


def test_the_kind_of_a_channel_is_asked_for_once(callbell: Callbell, sandbox: SandboxServer) -> None:
    sandbox.state("callbell").receive(PHONE, "Ciao")
    for sender in (MAIN_CHANNEL, MAIN_CHANNEL, INSTAGRAM_CHANNEL, MAIN_CHANNEL):
        callbell.send(message(sender=sender))
    assert len(sandbox.requests_to("GET /channels")) == 2
    assert [request.json["from"] for request in sandbox.changing_requests] == [
        "whatsapp",
        "whatsapp",
        "instagram",
        "whatsapp",
    ]


@pytest.mark.parametrize("kind", ["status_500", "hang", "reset_after", "html"])
def test_a_channel_that_could_not_be_read_means_that_nothing_was_sent(
    callbell: Callbell, sandbox: SandboxServer, kind: str
) -> None:
    sandbox.fault(kind, "GET /channels")
    with pytest.raises(NotSent):
        callbell.send(message())
    assert sandbox.changing_requests == []
    assert callbell.send(message()).references


@pytest.mark.parametrize("channel", [{"uuid": MAIN_CHANNEL}, {"uuid": MAIN_CHANNEL, "type": ""}, ["x"], "x"])
def test_a_channel_of_no_kind_means_that_nothing_was_sent(
    scripted_callbell: Callbell, recorder: Recorder, channel: object
) -> None:
    recorder.will_answer({"channel": channel})
    with pytest.raises(NotSent, match="what kind of channel"):
        scripted_callbell.send(message())
    assert len(recorder.asked) == 1


def test_a_channel_that_is_not_there_refuses_the_send(callbell: Callbell, sandbox: SandboxServer) -> None:
    with pytest.raises(Rejected, match="no channel"):
        callbell.send(message(sender=UUID))
    assert sandbox.changing_requests == []


def test_a_throttled_send_may_wait(callbell: Callbell, sandbox: SandboxServer) -> None:
    sandbox.fault("status_429", "POST /messages/send", seconds=2)
    with pytest.raises(Throttled) as caught:
        callbell.send(message())
    assert caught.value.retry_after == 2
    assert sandbox.state("callbell").sends == {}


@pytest.mark.parametrize(
    "answer", [{}, {"message": None}, {"message": {"status": "enqueued"}}, {"message": {"uuid": 5}}]
)
def test_a_send_answered_without_an_id_is_unknown(
    scripted_callbell: Callbell, recorder: Recorder, answer: object
) -> None:
    recorder.will_answer({"channel": {"uuid": MAIN_CHANNEL, "type": "whatsapp"}})
    recorder.will_answer(answer)
    with pytest.raises(OutcomeUnknown):
        scripted_callbell.send(message())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sender": ""}, "channel"),
        ({"text": "  "}, "empty"),
        ({"numbers": ("0391",)}, "0391"),
        ({"numbers": (PHONE, "+391110000002")}, "for 2"),
        ({"numbers": ()}, "for 0"),
        ({"send_at": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)}, "no send time"),
        ({"template": TemplateUse(WELCOME, {"1": "Sara"})}, "consent"),
        ({"template": TemplateUse("", {"1": "Sara"}, has_consent=True)}, "template"),
        ({"template": TemplateUse(ORDER, {"1": "Sara", "2": " "}, has_consent=True)}, "{{2}}"),
        ({"template": TemplateUse(ORDER, {"2": "17"}, has_consent=True)}, "{{1}}"),
        ({"template": TemplateUse(WELCOME, {"name": "Sara"}, has_consent=True)}, "name"),
    ],
)
def test_what_would_be_refused_is_told_before_any_call(
    callbell: Callbell, sandbox: SandboxServer, fields: dict[str, Any], words: str
) -> None:
    problem = Callbell.problem_with_message(message(**fields), now=dt.datetime.now(dt.UTC))
    assert problem is not None
    assert words in problem.reason
    with pytest.raises(Rejected):
        callbell.send(message(**fields))
    assert sandbox.requests == []


def test_what_it_cannot_send_is_refused_with_a_reason(callbell: Callbell, sandbox: SandboxServer) -> None:
    plain: dict[str, Any] = {"sender": MAIN_CHANNEL, "reference": "r"}
    messages = (
        OutboundMessage(text="x", targets=(WholePhonebooks((BOOK,)),), **plain),
        OutboundMessage(text="x", targets=(WholePhonebooks((BOOK,)),), is_keyworded=True, **plain),
        OutboundMessage(text="", texts=(TextForNumbers((PHONE,), "x"),), **plain),
    )
    for each in messages:
        with pytest.raises(ProviderError, match="one text to one person"):
            callbell.send(each)
    with pytest.raises(ProviderError, match="does not list sends"):
        list(callbell.find_sends(sender=MAIN_CHANNEL, text="x", since=dt.datetime.now(dt.UTC)))
    assert sandbox.requests == []


# Templates


@pytest.mark.parametrize(
    ("template", "values", "part", "arrives"),
    [
        (HOURS, {}, {"content": {"text": "shown"}}, "Siamo aperti dalle 9 alle 18."),
        (WELCOME, {"1": "Sara"}, {"content": {"text": "Sara"}}, "Ciao Sara, grazie per l'iscrizione!"),
        (
            ORDER,
            {"2": "A-17", "1": "Luz"},
            {"content": {"text": "shown"}, "template_values": ["Luz", "A-17"]},
            "Hola Luz, tu pedido A-17 está listo.",
        ),
    ],
)
def test_a_template_goes_with_its_values_and_the_consent(
    callbell: Callbell,
    sandbox: SandboxServer,
    template: str,
    values: dict[str, str],
    part: dict[str, Any],
    arrives: str,
) -> None:
    callbell.send(message(text="shown", template=TemplateUse(template, values, has_consent=True)))
    body = sandbox.changing_requests[0].json
    assert {name: body[name] for name in ("template_uuid", "optin_contact", *part)} == {
        "template_uuid": template,
        "optin_contact": True,
        **part,
    }
    assert ("template_values" in body) == ("template_values" in part)
    assert sandbox.state("callbell").messages_to(PHONE) == [arrives]


def test_templates_show_their_variables_and_only_approved_texts_are_usable(
    callbell: Callbell, sandbox: SandboxServer
) -> None:
    found = {template.title: template for template in callbell.list_templates()}
    assert {title: template.variables for title, template in found.items()} == {
        "welcome": ("1",),
        "order_ready": ("1", "2"),
        "opening_hours": (),
        "spring_sale": ("1",),
        "catalogue": ("1",),
    }
    assert [title for title, template in found.items() if not template.is_usable] == ["spring_sale", "catalogue"]
    assert (found["spring_sale"].raw_state, found["catalogue"].raw_state) == ("paused", "approved (image)")
    assert sandbox.requests[0].query == ""


def test_all_pages_of_templates_are_read(callbell: Callbell, sandbox: SandboxServer) -> None:
    templates = sandbox.state("callbell").templates
    templates |= {f"t{number}": Template(f"t{number}", f"more {number}", "x") for number in range(30)}
    assert len({template.remote_id for template in callbell.list_templates()}) == 35
    assert [request.query for request in sandbox.requests] == ["", "page=2"]


def test_the_numbers_of_variables_are_in_order_of_number(scripted_callbell: Callbell, recorder: Recorder) -> None:
    text = "{{10}} {{2}} {{ 1 }} {{2}} {{name}}"
    recorder.will_answer({"templates": [{"uuid": "t", "title": "x", "text": text, "status": "approved"}]})
    assert next(scripted_callbell.list_templates()).variables == ("1", "2", "10")


# Reports


@pytest.mark.parametrize(
    ("status", "state", "delivery"),
    [
        ("enqueued", SendState.QUEUED, DeliveryState.QUEUED),
        ("sent", SendState.SENT, DeliveryState.SENT),
        ("delivered", SendState.SENT, DeliveryState.DELIVERED),
        ("read", SendState.SENT, DeliveryState.READ),
        ("failed", SendState.FAILED, DeliveryState.FAILED),
        ("mismatch", SendState.SENT, DeliveryState.SENT),
        ("deleted", SendState.UNRECOGNISED, DeliveryState.UNRECOGNISED),
        ("something new", SendState.UNRECOGNISED, DeliveryState.UNRECOGNISED),
    ],
)
def test_every_status_has_its_meaning_and_is_kept_as_it_came(
    scripted_callbell: Callbell, recorder: Recorder, status: str, state: SendState, delivery: DeliveryState
) -> None:
    recorder.will_answer({"message": {"uuid": UUID, "status": status, "messageStatusPayload": None}})
    report = scripted_callbell.report(UUID)
    assert (report.reference, report.state, report.raw_state, report.reason) == (UUID, state, status, "")
    assert report.people == (RecipientReport("", delivery, status),)


def test_the_channels_reason_for_a_failure_is_shown_and_never_read(
    scripted_callbell: Callbell, recorder: Recorder
) -> None:
    payload = {"id": "x", "payload": {"odd": ["Número no válido", 1.5]}}
    recorder.will_answer({"message": {"uuid": UUID, "status": "failed", "messageStatusPayload": payload}})
    assert "Número no válido" in scripted_callbell.report(UUID).reason


def test_a_report_of_nothing_is_not_found(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"message": None})
    with pytest.raises(NotFound):
        scripted_callbell.report(UUID)


@pytest.mark.parametrize(
    ("phone", "wrote", "end"),
    [
        ("+391110000099", True, DeliveryState.FAILED),
        ("+391110000097", True, DeliveryState.READ),
        ("+391110000096", True, DeliveryState.SENT),
        ("+391110000001", True, DeliveryState.DELIVERED),
        ("+391110000001", False, DeliveryState.FAILED),
    ],
)
def test_a_message_ends_as_its_number_and_the_24_hours_say(
    callbell: Callbell, sandbox: SandboxServer, phone: str, wrote: bool, end: DeliveryState
) -> None:
    sandbox.state("callbell").receive(phone, "Ciao")
    sandbox.advance(0 if wrote else 24 * 3600 + 1)
    reference = callbell.send(message(numbers=(phone,))).references[0]
    sandbox.advance(3600)
    assert [person.state for person in callbell.recipient_reports(reference)] == [end]
    assert bool(callbell.report(reference).reason) == (end in {DeliveryState.FAILED, DeliveryState.SENT})


# Conversations


def test_the_last_message_of_the_person_is_found_behind_ours(callbell: Callbell, sandbox: SandboxServer) -> None:
    state = sandbox.state("callbell")
    received = state.receive(PHONE, "Ciao")
    for number in range(25):
        state.add_message("391110000001", MAIN_CHANNEL, "sent", f"{number}")
    wrote_at = callbell.last_received(state.contact(PHONE).uuid)
    assert wrote_at == dt.datetime.fromtimestamp(int(received.created), dt.UTC)
    assert len(sandbox.requests) == 2


def test_the_newest_received_message_counts_and_notes_do_not(scripted_callbell: Callbell, recorder: Recorder) -> None:
    rows = [
        {"uuid": "1", "status": "note", "createdAt": "2025-01-09T00:00:00Z"},
        {"uuid": "2", "status": "received", "createdAt": "2025-01-08T10:00:00.123+02:00"},
        {"uuid": "3", "status": "received", "createdAt": "2025-01-01T00:00:00Z"},
    ]
    recorder.will_answer({"messages": rows})
    assert scripted_callbell.last_received(UUID) == dt.datetime(2025, 1, 8, 8, 0, 0, 123000, tzinfo=dt.UTC)


def test_a_conversation_without_end_is_given_up(scripted_callbell: Callbell, recorder: Recorder) -> None:
    for number in range(26):
        recorder.will_answer({"messages": [{"uuid": f"{number}", "status": "sent"}]})
    assert scripted_callbell.last_received(UUID) is None
    assert len(recorder.asked) == 25


def test_a_conversation_that_ignores_the_page_ends(scripted_callbell: Callbell, recorder: Recorder) -> None:
    for _ in range(2):
        recorder.will_answer({"messages": [{"uuid": "1", "status": "sent", "createdAt": "2025-01-09T00:00:00Z"}]})
    assert scripted_callbell.last_received(UUID) is None
    assert len(recorder.asked) == 2
