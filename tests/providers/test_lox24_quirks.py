"""LOX24: every quirk and contradiction of its documents, by number."""

from __future__ import annotations

import pytest

from providers.backends.lox24 import Lox24, facts
from providers.exceptions import InsufficientFunds, OutcomeUnknown, Rejected
from providers.sandbox import SandboxServer
from providers.types import (
    BookRef,
    DeliveryState,
    ItemOutcome,
    PhonebookSpec,
    SendState,
    WholePhonebooks,
)

from .lox24 import BOOK, UUID, collection, columns, message, record
from .servers import Recorder

GROUP = {"id": 7001, "name": "Newsletter", "count_items": 2}
PHONE = {"id": "900001", "phone": "+4915200000001"}
SMS = {"uuid": UUID, "phone": "+4915200000001", "status_code": 100, "dlr_code": 1}


@pytest.mark.parametrize("prefix", ["hydra:", ""])
def test_l1_lists_are_read_with_and_without_the_prefix(scripted_lox24: Lox24, recorder: Recorder, prefix: str) -> None:
    view = {f"{prefix}next": "/groups?page=2"}
    recorder.will_answer(collection(GROUP, prefix=prefix, totalItems=2, view=view))
    recorder.will_answer(collection({**GROUP, "id": 7002}, prefix=prefix, totalItems=2, view={"@id": "/groups?page=2"}))
    assert [book.remote_id for book in scripted_lox24.list_phonebooks()] == ["7001", "7002"]
    assert [(asked.path, asked.query) for asked in recorder.asked] == [("/groups", "page=1"), ("/groups", "page=2")]


def test_l1_a_bare_list_without_totals_ends_when_a_page_brings_nothing_new(
    scripted_lox24: Lox24, recorder: Recorder
) -> None:
    recorder.will_answer([GROUP])
    recorder.will_answer([GROUP])
    assert [book.count for book in scripted_lox24.list_phonebooks()] == [2]
    assert [asked.query for asked in recorder.asked] == ["page=1", "page=2"]


@pytest.mark.parametrize("shape", ["list", "reversed", "keyed", "bare"])
def test_l2_a_batch_is_understood_in_every_shape(sandbox: SandboxServer, lox24: Lox24, shape: str) -> None:
    state = sandbox.state("lox24")
    state.add_group("Newsletter")
    state.batch_shape = shape
    items = lox24.create_contacts(BOOK, [record(1), record(2, phone="not-a-number"), record(3)]).items
    assert [item.outcome for item in items] == [ItemOutcome.DONE, ItemOutcome.REFUSED, ItemOutcome.DONE]
    assert [item.remote_id for item in items] == ["900001", "", "900002"]
    assert items[1].params == {"status": 422, "words": "phone: invalid value"}


def test_l2_a_single_result_is_one_contact_and_the_others_stay_open(sandbox: SandboxServer, lox24: Lox24) -> None:
    state = sandbox.state("lox24")
    state.add_group("Newsletter")
    state.batch_shape = "single"
    items = lox24.create_contacts(BOOK, [record(1), record(2)]).items
    assert [item.outcome for item in items] == [ItemOutcome.DONE, ItemOutcome.UNRESOLVED]
    assert [item.outcome for item in lox24.create_contacts(BOOK, [record(3)]).items] == [ItemOutcome.DONE]


@pytest.mark.parametrize("status", [200, 201, 207])
def test_l2_the_status_of_the_whole_batch_may_be_any_success(sandbox: SandboxServer, lox24: Lox24, status: int) -> None:
    state = sandbox.state("lox24")
    state.add_group("Newsletter")
    state.batch_status = status
    assert [item.outcome for item in lox24.create_contacts(BOOK, [record()]).items] == [ItemOutcome.DONE]


@pytest.mark.parametrize("given", ["900001", 900001])
def test_l3_ids_of_phones_are_kept_as_text(scripted_lox24: Lox24, recorder: Recorder, given: object) -> None:
    recorder.will_answer({**PHONE, "id": given})
    assert scripted_lox24.get_contact("900001").remote_id == "900001"


def test_l4_a_group_is_created_empty(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer(GROUP, status=201)
    scripted_lox24.create_phonebook(PhonebookSpec("Newsletter", {"a": "First name", "e": "City"}, "Weekly"))
    assert recorder.last.json == {
        "name": "Newsletter", "description": "Weekly", "name_a": "First name", "name_e": "City",
    }  # fmt: skip


@pytest.mark.parametrize("is_created", [True, False])
def test_l5_an_update_may_be_answered_as_created(sandbox: SandboxServer, lox24: Lox24, is_created: bool) -> None:
    state = sandbox.state("lox24")
    group = state.add_group("Newsletter")
    phone = state.add_phone(group, "+4915200000001")
    if is_created:
        state.quirks.add("created_on_put")
    lox24.update_phonebook(BOOK, PhonebookSpec("News"))
    result = lox24.update_contact(BOOK, str(phone.id), record(1, options=columns(a="Sara")))
    assert (group.name, phone.columns["a"], result.outcome) == ("News", "Sara", ItemOutcome.DONE)


def test_l6_the_flag_with_two_spellings_is_left_out(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer({"uuid": UUID}, status=201)
    scripted_lox24.send(message(numbers=("+4915200000001",)))
    assert not {"is_text_deleted", "is_delete_text"} & set(recorder.last.json)


def test_l7_things_are_deleted_by_delete(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer(b"", status=204)
    recorder.will_answer(b"", status=204)
    scripted_lox24.delete_contacts(BOOK, ["900001"])
    scripted_lox24.delete_phonebooks([BOOK])
    assert [(asked.method, asked.path) for asked in recorder.asked] == [
        ("DELETE", "/phones/900001"),
        ("DELETE", "/groups/7001"),
    ]


@pytest.mark.parametrize(
    "link", ["/sms?bulk=1&cursor=x%2Fy", "sms?bulk=1&cursor=x%2Fy", "https://elsewhere.example/sms?bulk=1&cursor=x%2Fy"]
)
def test_l8_a_next_link_is_followed_as_a_path_and_never_to_another_host(
    scripted_lox24: Lox24, recorder: Recorder, link: str
) -> None:
    recorder.will_answer(collection(SMS, view={"hydra:next": link}))
    recorder.will_answer(collection(view={"@id": "/sms"}))
    assert len(list(scripted_lox24.recipient_reports(f"bulk:{UUID}"))) == 1
    assert (recorder.last.path, recorder.last.query) == ("/sms", "bulk=1&cursor=x%2Fy")


def test_l9_a_time_that_is_no_time_is_passed_over(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer({"uuid": UUID, "status_code": 15, "created_at": UUID, "processed_at": UUID})
    report = scripted_lox24.report(f"bulk:{UUID}")
    assert (report.state, report.sent_at) == (SendState.CANCELLED, None)


def test_l10_single_phones_are_not_under_their_group(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer(PHONE)
    scripted_lox24.get_contact("900001")
    recorder.will_answer(PHONE)
    scripted_lox24.update_contact(BOOK, "900001", record())
    assert [(asked.method, asked.path) for asked in recorder.asked] == [
        ("GET", "/phones/900001"),
        ("PUT", "/phones/900001"),
    ]


def test_l11_a_list_of_phones_asks_for_no_page_and_follows_the_links_there_are(
    sandbox: SandboxServer, lox24: Lox24
) -> None:
    state = sandbox.state("lox24")
    group = state.add_group("Newsletter")
    for number in range(5):
        state.add_phone(group, f"+491520000000{number}")
    assert len(list(lox24.list_contacts(BOOK))) == 5
    assert [request.query for request in sandbox.requests] == [""]
    state.quirks.add("phones_paged")
    state.page_size = 2
    assert len(list(lox24.list_contacts(BOOK))) == 5
    assert [request.query for request in sandbox.requests] == ["", "", "page=2", "page=3"]


@pytest.mark.parametrize("quirks", [{"phones_cut"}, {"phones_cut", "no_totals"}])
def test_l11_a_list_of_phones_that_ends_early_is_no_whole_list(
    sandbox: SandboxServer, lox24: Lox24, quirks: set[str]
) -> None:
    state = sandbox.state("lox24")
    group = state.add_group("Newsletter")
    for number in range(5):
        state.add_phone(group, f"+491520000000{number}")
    state.quirks, state.page_size = set(quirks), 3
    seen = []
    with pytest.raises(OutcomeUnknown, match="3 of the 5"):
        seen.extend(contact.phone for contact in lox24.list_contacts(BOOK))
    assert lox24.find_contact(BOOK, "+4915200000000") is not None
    with pytest.raises(OutcomeUnknown):
        lox24.find_contact(BOOK, "+4915200000004")


def test_l11_without_any_count_the_list_is_taken_as_it_is(sandbox: SandboxServer, lox24: Lox24) -> None:
    state = sandbox.state("lox24")
    state.add_phone(state.add_group("Newsletter"), "+4915200000001")
    state.quirks = {"no_totals", "no_count"}
    assert [contact.phone for contact in lox24.list_contacts(BOOK)] == ["+4915200000001"]


def test_l12_a_text_is_measured_as_it_goes_out(sandbox: SandboxServer, lox24: Lox24) -> None:
    longest = {"x": 1530, "€": 765, "س": 670, "😀": 335}
    for sign, fits in longest.items():
        lox24.send(message(text=sign * fits, numbers=("+4915200000001",)))
        with pytest.raises(Rejected):
            lox24.send(message(text=sign * (fits + 1), numbers=("+4915200000001",)))
    assert len(sandbox.requests) == len(longest)


def test_l13_the_service_of_the_settings_is_held_against_those_of_the_account(
    sandbox: SandboxServer, lox24: Lox24
) -> None:
    state = sandbox.state("lox24")
    assert lox24.check().can_send
    for services in (["economy", "pro"], []):
        state.services = services
        account = lox24.check()
        assert not account.can_send
        assert account.warnings


def test_l14_an_empty_account_stops_the_campaign(sandbox: SandboxServer, lox24: Lox24) -> None:
    sandbox.state("lox24").balance = 0.05
    with pytest.raises(InsufficientFunds):
        lox24.send(message(numbers=("+4915200000001",)))
    assert sandbox.state("lox24").sms == {}


@pytest.mark.parametrize(
    ("status", "delivery", "state"),
    [
        (0, 0, DeliveryState.QUEUED),
        (100, 0, DeliveryState.SENT),
        (100, 1, DeliveryState.DELIVERED),
        (100, 2, DeliveryState.SENT),
        (100, 4, DeliveryState.SENT),
        (100, 8, DeliveryState.UNDELIVERED),
        (100, 16, DeliveryState.UNDELIVERED),
        (100, 64, DeliveryState.UNRECOGNISED),
        (208, 0, DeliveryState.BLOCKED),
        (400, 0, DeliveryState.FAILED),
        (410, 0, DeliveryState.CANCELLED),
        (2000, 0, DeliveryState.FAILED),
        (3000, 0, DeliveryState.FAILED),
        (5000, 0, DeliveryState.FAILED),
        (6000, 0, DeliveryState.CANCELLED),
        (777, 0, DeliveryState.UNRECOGNISED),
        (777, 1, DeliveryState.DELIVERED),
    ],
)
def test_l15_codes_are_read_by_the_status_pages_and_unknown_ones_are_kept(
    scripted_lox24: Lox24, recorder: Recorder, status: int, delivery: int, state: DeliveryState
) -> None:
    recorder.will_answer({**SMS, "status_code": status, "dlr_code": delivery})
    report = scripted_lox24.report(f"sms:{UUID}")
    assert report.people is not None
    assert [(person.state, person.raw_state) for person in report.people] == [(state, f"{status}/{delivery}")]
    assert ("enough" in report.reason) == (status == facts.NOT_ENOUGH_MONEY)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0, SendState.QUEUED),
        (5, SendState.SENDING),
        (10, SendState.SENT),
        (15, SendState.CANCELLED),
        (20, SendState.FAILED),
        (201, SendState.FAILED),
        (99, SendState.UNRECOGNISED),
    ],
)
def test_l15_so_are_the_codes_of_a_bulk(
    scripted_lox24: Lox24, recorder: Recorder, status: int, state: SendState
) -> None:
    recorder.will_answer({"uuid": UUID, "status_code": status, "msg_total_count": 3})
    report = scripted_lox24.report(f"bulk:{UUID}")
    assert (report.state, report.raw_state, report.recipients, report.people) == (state, str(status), 3, None)


def test_l16_a_group_is_updated_by_put_with_every_label(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer(GROUP)
    scripted_lox24.update_phonebook(BOOK, PhonebookSpec("News", {"b": "City"}))
    assert (recorder.last.method, recorder.last.path) == ("PUT", "/groups/7001")
    assert recorder.last.json == {
        "name": "News", "description": None,
        "name_a": None, "name_b": "City", "name_c": None, "name_d": None, "name_e": None,
    }  # fmt: skip


def test_l17_a_group_goes_with_everybody_in_it_and_people_are_told(sandbox: SandboxServer, lox24: Lox24) -> None:
    state = sandbox.state("lox24")
    gone, kept = state.add_group("Old"), state.add_group("New")
    state.add_phone(gone, "+4915200000001")
    state.add_phone(kept, "+4915200000002")
    for _ in range(2):
        lox24.delete_phonebooks([BookRef(str(gone.id))])
        assert [phone.phone for phone in state.phones.values()] == ["+4915200000002"]
    assert any("for good" in note for note in lox24.capabilities.notes)


def test_a_group_that_waits_for_its_removal_is_not_listed(sandbox: SandboxServer, lox24: Lox24) -> None:
    state = sandbox.state("lox24")
    state.add_group("Newsletter").deleted_at = "2026-12-01T00:00:00+00:00"
    kept = state.add_group("Newsletter")
    assert [book.remote_id for book in lox24.list_phonebooks(title="Newsletter")] == [str(kept.id)]


def test_the_labels_of_a_group_are_read_back(sandbox: SandboxServer, lox24: Lox24) -> None:
    made = lox24.create_phonebook(PhonebookSpec("Newsletter", {"a": "First name", "c": "City"}, "Weekly"))
    read = next(lox24.list_phonebooks(remote_id=made.remote_id))
    assert (read.option_labels, read.option_keys) == ({"a": "First name", "c": "City"}, ("a", "c"))
    assert (read.description, read.count) == ("Weekly", 0)
    assert list(lox24.list_phonebooks(remote_id="999999")) == []


def test_groups_are_followed_over_all_pages(sandbox: SandboxServer, lox24: Lox24) -> None:
    state = sandbox.state("lox24")
    state.page_size = 2
    for number in range(5):
        state.add_group(f"Group {number}")
    for quirks in (set(), {"no_view"}, {"no_view", "no_totals"}, {"unprefixed"}):
        state.quirks = quirks
        assert [book.title for book in lox24.list_phonebooks()] == [f"Group {number}" for number in range(5)]


def test_whoever_unsubscribed_by_a_link_is_told(sandbox: SandboxServer, lox24: Lox24) -> None:
    state = sandbox.state("lox24")
    group = state.add_group("Newsletter")
    for number in (1, 2):
        state.add_phone(group, f"+491520000000{number}", columns={"a": "Sara", "b": None})
    state.unsubscribe("+4915200000002")
    contacts = list(lox24.list_contacts(BOOK))
    assert [(contact.is_opted_out, contact.options) for contact in contacts] == [
        (False, {"a": "Sara"}),
        (True, {"a": "Sara"}),
    ]


def test_blocked_numbers_are_told_with_who_blocked_them(sandbox: SandboxServer, lox24: Lox24) -> None:
    state = sandbox.state("lox24")
    state.block("+4915200000001", type=1)
    state.block("+4915200000002", type=2)
    assert [(row.phone, row.is_opt_out, row.raw) for row in lox24.list_suppressed()] == [
        ("+4915200000001", False, "1"),
        ("+4915200000002", True, "2"),
    ]


def test_a_send_to_several_groups_names_each_once(scripted_lox24: Lox24, recorder: Recorder) -> None:
    recorder.will_answer({"uuid": UUID}, status=201)
    books = (BookRef("7001"), BookRef("7002"))
    sent = scripted_lox24.send(message(targets=(WholePhonebooks(books), WholePhonebooks(books[:1]))))
    assert recorder.last.json["msg_groups"] == [7001, 7002]
    assert sent.references == (f"bulk:{UUID}",)
