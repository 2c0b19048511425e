"""IPPanel: its envelope, the account, settings, phonebooks and options."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from providers.backends.ippanel import IPPanel
from providers.exceptions import (
    Misconfigured,
    OutcomeUnknown,
    Rejected,
    Unsupported,
)
from providers.sandbox import SandboxServer
from providers.types import (
    AccountConfig,
    BookRef,
    OptionKind,
    OptionSpec,
    PhonebookSpec,
)

from .ippanel import BOOK, SENDER, answer, connect, message, refusal
from .servers import Recorder

# The envelope


def test_a_success_whose_flag_is_false_is_a_refusal(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(refusal("موجودی کافی نیست"))
    with pytest.raises(Rejected, match="موجودی کافی نیست"):
        scripted.send(message(numbers=("+989120000001",)))


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"message_outbox_ids": [1]}},
        {"data": {"message_outbox_ids": [1]}, "meta": {}},
        {"data": {"message_outbox_ids": [1]}, "meta": None},
        {"data": {"message_outbox_ids": [1]}, "meta": {"status": "true"}},
        {"data": {"message_outbox_ids": [1]}, "meta": {"status": 1}},
        {"meta": {"status": True}},
        {"data": None, "meta": {"status": True}},
        {"data": [], "meta": {"status": True}},
        [],
        {},
    ],
)
def test_a_success_without_its_envelope_is_unknown(scripted: IPPanel, recorder: Recorder, body: object) -> None:
    recorder.will_answer(body)
    with pytest.raises(OutcomeUnknown):
        scripted.send(message(numbers=("+989120000001",)))


@pytest.mark.parametrize("data", [None, {}, "x", [1], [{"title": "no id"}], [{"id": None, "title": "x"}], [None]])
def test_a_list_of_another_form_is_not_an_empty_list(scripted: IPPanel, recorder: Recorder, data: object) -> None:
    recorder.will_answer(answer(data, last_page=1))
    with pytest.raises(OutcomeUnknown):
        list(scripted.list_phonebooks())


def test_pages_end_at_the_last_page_even_when_it_is_full(scripted: IPPanel, recorder: Recorder) -> None:
    rows = [{"id": number, "title": "x"} for number in range(1000)]
    recorder.will_answer(answer(rows, last_page="1"))
    assert len(list(scripted.list_phonebooks())) == 1000
    assert len(recorder.asked) == 1


def test_a_book_of_more_than_one_page_is_read_whole(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    book = state.add_phonebook("Big")
    for number in range(2001):
        state.add_contact(book, f"+98912{number:07d}")
    phones = [contact.phone for contact in ippanel.list_contacts(BookRef(str(book.id)))]
    assert len(set(phones)) == len(phones) == 2001
    assert len(sandbox.requests) == 3


# The account


def test_the_account_says_what_is_blocked(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    assert ippanel.check().warnings == ()
    state.document_block = state.send_block = True
    account = ippanel.check()
    assert account.identity == "شرکت نمونه (acme)"
    assert not account.can_send
    assert len(account.warnings) == 2


def test_credit_is_read_to_the_last_digit(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(b'{"data": {"credit": 1520300.1, "gift": 0}, "meta": {"status": true}}')
    recorder.will_answer(answer({"credit": "lots"}))
    balance = scripted.balance()
    assert (balance.amount, balance.currency) == (Decimal("1520300.1"), "IRR")
    with pytest.raises(OutcomeUnknown):
        scripted.balance()


def test_the_price_is_a_range_whichever_network_is_dearer(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer({"mci_price": 2050, "other_price": 1900.5, "parts": 2}))
    price = scripted.estimate_price(sender=SENDER, text="x", number="+989120000001")
    assert (price.low, price.high, price.parts, price.currency) == (Decimal("1900.5"), Decimal(2050), 2, "IRR")


def test_a_key_is_needed_and_has_no_blanks() -> None:
    for key in ("", "  ", "Bearer abcdefghij"):
        with pytest.raises(Misconfigured):
            IPPanel(AccountConfig(slug="ippanel", credentials={"api_key": key}))


def test_the_own_address_is_used_where_none_is_given_and_blanks_around_the_key_do_not_matter() -> None:
    with IPPanel(AccountConfig(slug="ippanel", credentials={"api_key": " abcdefghij\n"})) as scripted:
        assert scripted.http.base_url == "https://edge.ippanel.com/v1"


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 1001}, "batch_size"),
        ({"batch_size": "many"}, "batch_size"),
        ({"batch_size": True}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"read_timeout": 0}, "read_timeout"),
        ({"add_date_form": "DD.MM.YYYY"}, "add_date_form"),
        ({"retries": 3}, "retries"),
    ],
)
def test_a_bad_setting_is_named(settings: dict[str, Any], name: str) -> None:
    with pytest.raises(Misconfigured, match=f"“{name}”"):
        connect("https://edge.example.com", **settings)


def test_settings_may_be_text_or_blank() -> None:
    with connect("https://edge.example.com", batch_size="250", read_timeout="", add_date_form=None) as scripted:
        assert scripted.settings["batch_size"] == 250
        assert scripted.settings["read_timeout"] == 30
        assert scripted.settings["add_date_form"] == "YYYY/MM/DD"


# Phonebooks and options


def test_a_phonebook_names_its_options(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    city, birthday = state.add_option("City"), state.add_option("Birthday", "date")
    state.add_phonebook("Newsletter", option_ids=[birthday.id, city.id])
    (book,) = ippanel.list_phonebooks()
    assert book.option_keys == (str(birthday.id), str(city.id))
    assert book.option_labels == {str(birthday.id): "Birthday", str(city.id): "City"}


def test_a_part_of_a_title_does_not_find_a_phonebook(ippanel: IPPanel, sandbox: SandboxServer) -> None:
    state = sandbox.state("ippanel")
    state.add_phonebook("Newsletter 2025")
    assert list(ippanel.list_phonebooks(title="Newsletter")) == []


@pytest.mark.parametrize("title", ["", "   ", "x" * 201])
def test_a_title_ippanel_does_not_take_is_refused_before_any_call(
    scripted: IPPanel, recorder: Recorder, title: str
) -> None:
    for call in (
        lambda: scripted.create_phonebook(PhonebookSpec(title)),
        lambda: scripted.update_phonebook(BOOK, PhonebookSpec(title)),
        lambda: scripted.create_option(OptionSpec(title, OptionKind.TEXT)),
        lambda: scripted.rename_option("701", title),
    ):
        with pytest.raises(Rejected, match=r"title|200"):
            call()
    assert recorder.asked == []


def test_an_option_of_choices_is_not_supported(scripted: IPPanel, recorder: Recorder) -> None:
    with pytest.raises(Unsupported, match="choice"):
        scripted.create_option(OptionSpec("Size", OptionKind.CHOICE))
    assert recorder.asked == []


def test_an_option_of_a_type_nobody_knows_is_read_as_text(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer([{"id": 701, "title": "Age", "type": "decimal"}], last_page=1))
    recorder.will_answer(answer([], last_page=1))
    recorder.will_answer(answer([], last_page=1))
    assert [option.kind for option in scripted.list_options()] == [OptionKind.TEXT]


def test_a_title_that_was_not_changed_is_told(scripted: IPPanel, recorder: Recorder) -> None:
    recorder.will_answer(answer(False))
    with pytest.raises(Rejected, match="did not change"):
        scripted.rename_option("701", "Years")


def test_nothing_to_delete_is_no_call(scripted: IPPanel, recorder: Recorder) -> None:
    scripted.delete_phonebooks([])
    scripted.delete_options([])
    assert recorder.asked == []
