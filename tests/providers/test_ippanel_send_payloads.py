"""What goes over the wire to IPPanel for sends, templates, replies and prices, held against the examples of its documents."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from providers.backends.ippanel import IPPanel
from providers.types import (
    BookRef,
    ChosenContacts,
    OutboundMessage,
    TemplateUse,
    TextForNumbers,
    WholePhonebooks,
)

from .ippanel import answer
from .servers import Recorder, same

# The request and the answer of the document on sending to phonebooks.
SEND_REQUEST = json.loads("""{
"sending_type": "phonebook",
"from_number": "+983000505",
"message": "تست",
"params": [
{
"phonebook_ids": [
"123654"
],
"type": "all",
"start": "1",
"size": "2"
},
{
"phonebook_id": "456987",
"type": "detail",
"number_ids": [
"123",
"456",
"789"
]
}
]
}""")
SEND_ANSWER = answer({"message_outbox_ids": [1123594208]})


def test_a_send_to_phonebooks_is_as_in_the_document(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(SEND_ANSWER)
    receipt = scripted.send(
        OutboundMessage(
            sender="+983000505",
            text="تست",
            reference="our-own",
            targets=(
                WholePhonebooks((BookRef("123654"),), start=1, size=2),
                ChosenContacts(BookRef("456987"), ("123", "456", "789")),
            ),
        )
    )
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/send")
    assert same(recorder.last.body, SEND_REQUEST)
    assert receipt.references == ("1123594208",)


def test_whole_phonebooks_have_neither_start_nor_size(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(SEND_ANSWER)
    books = WholePhonebooks((BookRef("1"), BookRef("2")))
    scripted.send(OutboundMessage(sender="+983000505", text="تست", reference="r", targets=(books,)))
    assert same(
        recorder.last.body,
        {
            "sending_type": "phonebook",
            "from_number": "+983000505",
            "message": "تست",
            "params": [{"phonebook_ids": ["1", "2"], "type": "all"}],
        },
    )


def test_a_send_to_numbers_has_an_object_of_recipients_and_its_time_in_utc(
    scripted: IPPanel, recorder: Recorder
) -> None:
    recorder.will_answer(SEND_ANSWER)
    in_tehran = dt.timezone(dt.timedelta(hours=3, minutes=30))
    when = (dt.datetime.now(in_tehran) + dt.timedelta(days=2)).replace(hour=19, minute=0, second=0, microsecond=0)
    numbers = ("+989120000001", "+989120000002")
    scripted.send(OutboundMessage(sender="+983000505", text="Sale", reference="r", numbers=numbers, send_at=when))
    assert same(
        recorder.last.body,
        {
            "sending_type": "webservice",
            "from_number": "+983000505",
            "message": "Sale",
            "params": {"recipients": ["+989120000001", "+989120000002"]},
            "send_time": f"{when:%Y-%m-%d} 15:30:00",
        },
    )


def test_placeholders_go_to_whole_phonebooks_whose_ids_are_numbers(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(SEND_ANSWER)
    text = f"سلام {scripted.keyword('701')}"
    books = (WholePhonebooks((BookRef("8600"), BookRef("8601"))), WholePhonebooks((BookRef("8602"),)))
    scripted.send(OutboundMessage(sender="+983000505", text=text, reference="r", targets=books, is_keyworded=True))
    assert same(
        recorder.last.body,
        {
            "sending_type": "keyword_phonebook",
            "from_number": "+983000505",
            "message": "سلام {ex_701}",
            "params": [{"phonebook_id": 8600}, {"phonebook_id": 8601}, {"phonebook_id": 8602}],
        },
    )


def test_several_texts_are_an_array_with_a_message_each(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(SEND_ANSWER)
    in_two_days = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).replace(microsecond=0)
    texts = (
        TextForNumbers(("+989120000001", "+989120000002"), "Hello both"),
        TextForNumbers(("+989120000003",), "Hello you"),
    )
    scripted.send(OutboundMessage(sender="+983000505", text="", reference="r", texts=texts, send_at=in_two_days))
    assert same(
        recorder.last.body,
        {
            "sending_type": "peer_to_peer",
            "from_number": "+983000505",
            "params": [
                {"recipients": ["+989120000001", "+989120000002"], "message": "Hello both"},
                {"recipients": ["+989120000003"], "message": "Hello you"},
            ],
            "send_time": f"{in_two_days:%Y-%m-%d %H:%M:%S}",
        },
    )


@pytest.mark.parametrize("values", [{"code": "متن جایگذاری"}, {}])
def test_a_template_goes_to_one_number_at_the_top_level(
    scripted: IPPanel, recorder: Recorder, values: dict[str, str]
) -> None:
    recorder.will_answer(SEND_ANSWER)
    template = TemplateUse("xxxxxxxxxxxxxxx", values)
    scripted.send(
        OutboundMessage(
            sender="+983000505", text="for the record", reference="r", numbers=("+989120000000",), template=template
        )
    )
    assert same(
        recorder.last.body,
        {
            "sending_type": "pattern",
            "from_number": "+983000505",
            "code": "xxxxxxxxxxxxxxx",
            "recipients": ["+989120000000"],
            "params": values,
        },
    )


def test_templates_are_asked_for_a_hundred_at_a_time(scripted: IPPanel, recorder: Recorder) -> None:
    rows = [
        {
            "pattern_code": "abc",
            "pattern_message": "Code %code% for %name%",
            "pattern_status": status,
            "variable": [{"name": "code", "type": "integer", "len": 6}, {"name": "name", "type": "string", "len": 20}],
            "delimiter": "%",
        }
        for status in ("active", "inactive", "pending")
    ]
    recorder.will_answer(answer(rows, last_page=1))
    templates = list(scripted.list_templates())
    assert (recorder.last.method, recorder.last.path) == ("GET", "/api/patterns")
    assert recorder.last.params == {"page": "1", "per_page": "100"}
    assert [(template.is_usable, template.raw_state) for template in templates] == [
        (True, "active"),
        (False, "inactive"),
        (False, "pending"),
    ]
    assert (templates[0].remote_id, templates[0].text) == ("abc", "Code %code% for %name%")
    assert templates[0].variables == ("code", "name")
    assert all(scripted.template_place(name) in templates[0].text for name in templates[0].variables)


def test_messages_from_people_are_asked_for_from_an_id_on(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer([]))
    recorder.will_answer(answer([]))
    assert list(scripted.list_inbox()) == list(scripted.list_inbox(after="7001")) == []
    assert {(asked.method, asked.path) for asked in recorder.asked} == {("POST", "/api/report/messages-inbox")}
    assert same(recorder.asked[0].body, {"page": 1, "per_page": 100})
    assert same(recorder.asked[1].body, {"page": 1, "per_page": 100, "filters": {"from_id": 7001}})


def test_cancelling_sends_the_id_as_a_number(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(None))
    scripted.cancel_send("1148300000")
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/send/cancel")
    assert same(recorder.last.body, {"message_outbox_id": 1148300000})


def test_a_price_is_asked_for_the_sender_and_the_text(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"mci_price": 1900, "other_price": 2050, "parts": 1}))
    scripted.estimate_price(sender="+983000505", text="تست", number="+989120000001")
    assert (recorder.last.method, recorder.last.path) == ("POST", "/api/send/calculate-price")
    assert same(recorder.last.body, {"number": "+983000505", "message": "تست"})
