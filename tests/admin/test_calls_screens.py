"""The page of a call: what went out, what came back, and a person's word on what nobody knows."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from contactsync.admin.calls.report import report
from contactsync.models import Call, Contact, Recipient
from contactsync.models.reasons import reason
from tests.admin.flow_rows import address, client_of, make_run, make_unknown_send, text_of

pytestmark = pytest.mark.django_db


def test_request_and_answer_are_shown_as_they_were_left_to_right() -> None:
    call = make_run(items=2).calls.get()
    Call.objects.update(
        request_line="POST https://example.org/api/contacts",
        request_excerpt='{"title": "<b>مشتری</b>"}',
        response_excerpt='{"meta": {"status": true}}',
        status=200,
        references=["77", "78"],
    )
    page = text_of(client_of("Marketing").get(address(call)))
    assert '<pre class="cs-raw" dir="ltr" tabindex="0">POST https://example.org/api/contacts' in page
    assert "&lt;b&gt;مشتری&lt;/b&gt;" in page
    assert ">77</bdi>" in page
    assert ">200</bdi>" in page


def test_the_contacts_it_carried_are_listed() -> None:
    run = make_run(items=2)
    page = text_of(client_of("Marketing").get(address(run.calls.get())))
    for item in run.items.all():
        assert item.phone in page


def test_an_unknown_send_says_what_to_do_and_lists_its_people() -> None:
    call = make_unknown_send()
    page = text_of(client_of("Marketing lead").get(address(call)))
    assert "It is not known whether the provider sent these messages." in page
    assert "It was sent" in page
    assert "It was not sent" in page
    for person in call.recipients.all():
        assert person.phone in page


def test_people_who_may_not_send_see_no_buttons_for_it() -> None:
    page = text_of(client_of("Marketing").get(address(make_unknown_send())))
    assert "Can send campaigns" in page
    assert "/not_sent/" not in page


@pytest.mark.parametrize(
    ("step", "call_state", "state"),
    [
        ("sent", Call.State.ACCEPTED, Recipient.State.ACCEPTED),
        ("not_sent", Call.State.NOT_SENT, Recipient.State.NOT_SENT),
    ],
)
def test_a_person_decides_an_unknown_send(step: str, call_state: str, state: str) -> None:
    call = make_unknown_send()
    client_of("Marketing lead").post(address(call, step))
    call.refresh_from_db()
    assert call.state == call_state
    assert set(call.recipients.values_list("state", flat=True)) == {state}


def test_the_second_decision_is_refused_in_plain_words() -> None:
    call, client = make_unknown_send(), client_of("Marketing lead")
    client.post(address(call, "sent"))
    response = client.post(address(call, "not_sent"), follow=True)
    call.refresh_from_db()
    assert call.state == Call.State.ACCEPTED
    assert "Somebody else was faster" in text_of(response)


def test_a_call_that_sends_nothing_cannot_be_decided() -> None:
    call = make_run(items=1).calls.get()
    Call.objects.update(state=Call.State.UNKNOWN)
    client = client_of("Marketing lead")
    assert client.post(address(call, "sent")).status_code == 403
    assert "It was sent" not in text_of(client.get(address(call)))


def test_the_reason_of_a_refusal_is_shown() -> None:
    call = make_run(items=1).calls.get()
    Call.objects.update(state=Call.State.REFUSED, error=reason("The provider says: %(text)s", text="خطا"))
    assert "The provider says: خطا" in text_of(client_of("Marketing").get(address(call)))


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_of_calls_takes_the_same_queries_for_any_number(rows: int, django_assert_max_num_queries) -> None:
    for _ in range(rows):
        make_run(items=1)
    client = client_of(is_superuser=True)
    with django_assert_max_num_queries(11):
        client.get(reverse("admin:contactsync_call_changelist"))


def test_calls_are_narrowed_by_operation_in_words() -> None:
    call = make_run(items=1).calls.get()
    client = client_of("Marketing")
    page = text_of(client.get(reverse("admin:contactsync_call_changelist")))
    assert f'href="?operation={call.operation}"' in page
    assert f">{call.operation}<" not in page


def make_refused_send() -> Call:
    call = make_unknown_send()
    Call.objects.filter(pk=call.pk).update(
        state=Call.State.REFUSED,
        status=422,
        seconds=0.1234,
        request_line="POST https://example.org/api/send?to=%2B989121112233&since=1700000000000",
        request_excerpt=(
            '{"sending_type": "sample_1", "from_number": "+983000505", "message": "سلام سارا", "n": 989121234567,'
            ' "params": {"recipients": ["+989121234567", "0912 123 4567"], "name": "Sara", "mail": "s@example.org"},'
            ' "our": "2c1f5c38-2d3f-4c29-8f3c-0d7c1a8b9e10", "cut": "Sara Ahma'
        ),
        response_excerpt='{"meta": {"message": "Number +989121234567 is not valid", "code": "E12"}, "name": "Sara"}',
        provider_request_id="AB12",
        references=["1234567890"],
    )
    call.refresh_from_db()
    return call


def test_the_report_for_the_provider_names_the_call_and_nobody() -> None:
    text = report(make_refused_send())
    for words in ("AB12", "1234567890", "HTTP status: 422", "+983000505", "sample_1", "E12", "Seconds: 0.123"):
        assert words in text
    for personal in ("989121234567", "989121112233", "912 123", "سارا", "Sara", "s@example.org", "Ahma"):
        assert personal not in text
    assert "Number (number) is not valid" in text


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("شماره ۰۹۱۲۱۲۳۴۵۶۷ نامعتبر است", "شماره (number, 11 digits) نامعتبر است"),
        ("0912-123-4567 or +98 (912) 123 4567", "(number, 13 digits) or (number, 18 digits)"),
        ("sara.ahmadi@mail.example.org is taken", "(e-mail address) is taken"),
        ("since 2026-11-21 13:00:00, error 1234", "since 2026-11-21 13:00:00, error 1234"),
    ],
)
def test_a_refusal_keeps_its_words_without_numbers_and_addresses_in_any_form(said: str, kept: str) -> None:
    call = make_refused_send()
    call.response_excerpt = json.dumps({"message": said}, ensure_ascii=False)
    assert kept in report(call)


def test_the_report_names_nobody_whose_name_the_provider_repeats_or_looks_like_a_code() -> None:
    call = make_refused_send()
    person = call.recipients.select_related("contact").first()
    Contact.objects.filter(pk=person.contact_id).update(first_name="Sara2", last_name="Ahmadi", company="3M")
    call.request_excerpt = (
        '{"name": "Sara2", "company": "3M", "text": "CODE-77", "phonebook_id": "a1", "createdAt": "12:30"}'
    )
    call.response_excerpt = '{"message": "Sara2 Ahmadi of 3M is refused by rule 3Ms"}'
    call.item_count = 1000  # the largest batch there is
    text = report(call)
    assert '"message": "(name) (name) of (name) is refused by rule 3Ms"' in text
    assert '"phonebook_id": "a1", "createdAt": "12:30"' in text
    for personal in ("Sara", "Ahmadi", '"3M"', "CODE-77"):
        assert personal not in text


def test_the_answer_to_what_was_carried_out_gives_no_text_away() -> None:
    call = make_refused_send()
    Call.objects.update(state=Call.State.ACCEPTED, status=200, response_excerpt='{"data": {"message": "Hello Sara"}}')
    call.refresh_from_db()
    assert "Sara" not in report(call)


def test_the_report_is_text_to_select_and_a_button_to_copy_it() -> None:
    page = text_of(client_of("Marketing").get(address(make_refused_send())))
    assert '<textarea class="cs-raw" id="call-report" dir="ltr" lang="en" rows="14" readonly' in page
    assert 'data-copy="call-report"' in page
    assert "Copy as report for the provider" in page


def test_a_call_of_a_few_milliseconds_says_so_on_its_page_and_in_the_list() -> None:
    call = make_refused_send()
    Call.objects.update(seconds=0.0042)
    client = client_of("Marketing")
    assert "<dt>Duration</dt><dd>4 ms</dd>" in text_of(client.get(address(call)))
    assert ">4 ms<" in text_of(client.get(reverse("admin:contactsync_call_changelist")))


def test_a_call_that_has_not_gone_out_has_no_report() -> None:
    assert "call-report" not in text_of(client_of("Marketing").get(address(make_run(items=1).calls.get())))
