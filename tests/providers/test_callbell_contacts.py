"""Callbell: looking before creating, what an update keeps, pages and cursors, tags and fields that have no list."""

from __future__ import annotations

from typing import Any

import pytest

from providers.backends.callbell import Callbell
from providers.exceptions import Misconfigured, NotFound, OutcomeUnknown, Rejected, Throttled
from providers.sandbox import SandboxServer
from providers.sandbox.callbell.records import SECOND_CHANNEL
from providers.types import BookRef, ItemOutcome, OptionKind, OptionValue

from .callbell import BOOK, UUID, connect, contact, record
from .servers import Recorder

PHONE = "+391110000001"

# Creating


def test_a_number_that_is_there_without_the_tag_gets_it_and_keeps_everything_else(
    callbell: Callbell, sandbox: SandboxServer
) -> None:
    held = sandbox.state("callbell").add_contact(PHONE, "Sara", tags=["Callback"], note="old")
    assert callbell.find_contact(BOOK, PHONE) is None
    for _ in range(2):
        result = callbell.create_contacts(BOOK, [record(first_name="New", note="new")]).items[0]
        assert (result.outcome, result.remote_id) == (ItemOutcome.EXISTED, held.uuid)
    assert (held.name, held.tags, held.note) == ("Sara", ["Newsletter", "Callback"], "old")
    assert [request.json for request in sandbox.changing_requests] == [{"tags": ["Newsletter", "Callback"]}]
    found = callbell.find_contact(BOOK, PHONE)
    assert found is not None
    assert found.tags == ("Callback",)


def test_a_tag_that_cannot_be_given_to_somebody_who_is_there_refuses_the_contact(
    callbell: Callbell, sandbox: SandboxServer
) -> None:
    sandbox.state("callbell").add_contact(PHONE)
    result = callbell.create_contacts(BookRef("No such tag"), [record()]).items[0]
    assert result.outcome is ItemOutcome.REFUSED
    assert "No such tag" in str(result.params["words"])


@pytest.mark.parametrize("quirk", ["phone_needs_plus", "phone_null", "bare_404"])
def test_a_number_is_looked_for_however_the_document_may_be_meant(
    callbell: Callbell, sandbox: SandboxServer, quirk: str
) -> None:
    sandbox.state("callbell").quirks.add(quirk)
    outcomes = [callbell.create_contacts(BOOK, [record()]).items[0].outcome for _ in range(2)]
    assert outcomes == [ItemOutcome.DONE, ItemOutcome.EXISTED]
    assert len(sandbox.state("callbell").contacts) == 1


def test_a_contact_of_another_channel_is_found_where_that_channel_is_set(sandbox: SandboxServer) -> None:
    sandbox.state("callbell").add_contact(PHONE, channel=SECOND_CHANNEL, tags=["Newsletter"])
    with connect(sandbox.url("callbell"), channel_uuid=SECOND_CHANNEL) as client:
        assert client.create_contacts(BOOK, [record()]).items[0].outcome is ItemOutcome.EXISTED
        made = client.create_contacts(BOOK, [record(2)]).items[0]
    assert sandbox.state("callbell").contacts[made.remote_id].channel == SECOND_CHANNEL


def test_other_kinds_of_contacts_need_a_channel_to_be_looked_for_in(sandbox: SandboxServer) -> None:
    with pytest.raises(Misconfigured, match="telegram"):
        connect(sandbox.url("callbell"), source="telegram")
    connect(sandbox.url("callbell"), source="telegram", channel_uuid=SECOND_CHANNEL).close()


def test_somebody_else_found_for_a_number_is_not_taken_for_it(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"contact": contact(2)})
    recorder.will_answer({"contact": contact(3)})
    assert scripted_callbell.find_contact(BOOK, PHONE) is None


def test_a_form_of_the_number_that_is_refused_does_not_hide_the_other(
    scripted_callbell: Callbell, recorder: Recorder
) -> None:
    recorder.will_answer({"error": "invalid number"}, status=422)
    recorder.will_answer({"contact": contact(1, uuid=UUID)})
    found = scripted_callbell.find_contact(BOOK, PHONE)
    assert found is not None
    assert found.remote_id == UUID
    for _ in range(2):
        recorder.will_answer({"error": "invalid number"}, status=422)
    with pytest.raises(Rejected, match="invalid number"):
        scripted_callbell.find_contact(BOOK, PHONE)


@pytest.mark.parametrize("answer", [{}, {"contact": []}, {"contact": [{"name": "Sara"}]}])
def test_a_creation_answered_without_an_id_is_unknown(
    scripted_callbell: Callbell, recorder: Recorder, answer: object
) -> None:
    for body in ({"contact": None}, {"contact": None}, answer):
        recorder.will_answer(body)
    with pytest.raises(OutcomeUnknown):
        scripted_callbell.create_contacts(BOOK, [record()])


@pytest.mark.parametrize(("kind", "error"), [("status_500", OutcomeUnknown), ("status_429", Throttled)])
def test_nothing_is_created_when_the_look_up_fails(
    callbell: Callbell, sandbox: SandboxServer, kind: str, error: type[Exception]
) -> None:
    sandbox.fault(kind, "GET /contacts/phone")
    with pytest.raises(error):
        callbell.create_contacts(BOOK, [record()])
    assert sandbox.changing_requests == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tags": ("No such tag",)}, "Tag No such tag does not exist"),
        ({"assigned_user": "nobody@example.org"}, "User nobody@example.org does not exist"),
        ({"options": {"Shoe": OptionValue("42", OptionKind.TEXT)}}, "Custom field Shoe does not exist"),
        ({"options": {"Size": OptionValue("XXL", OptionKind.CHOICE)}}, "Size has an invalid value"),
    ],
)
def test_what_callbell_does_not_know_is_refused_in_its_words(
    callbell: Callbell, sandbox: SandboxServer, fields: Any, words: str
) -> None:
    result = callbell.create_contacts(BOOK, [record(**fields)]).items[0]
    assert result.outcome is ItemOutcome.REFUSED
    assert words in str(result.params["words"])
    assert sandbox.state("callbell").contacts == {}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"phone": "0391110000001"}, "0391110000001"),
        ({"note": "n" * 1001}, "1001"),
        ({"assigned_user": "Agent"}, "Agent"),
        ({"options": {"": OptionValue("x", OptionKind.TEXT)}}, "no name"),
        ({"options": {"Points": OptionValue("many", OptionKind.INTEGER)}}, "many"),
        ({"options": {"Birthday": OptionValue("tomorrow", OptionKind.DATE)}}, "tomorrow"),
    ],
)
def test_what_cannot_be_right_is_refused_before_any_call(
    callbell: Callbell, sandbox: SandboxServer, fields: Any, words: str
) -> None:
    problem = Callbell.problem_with_contact(record(**fields))
    assert problem is not None
    assert words in problem.reason
    result = callbell.create_contacts(BOOK, [record(**fields)]).items[0]
    assert (result.outcome, result.message) == (ItemOutcome.REFUSED, problem.message)
    with pytest.raises(Rejected):
        callbell.update_contact(BOOK, UUID, record(**fields))
    assert sandbox.requests == []


def test_a_note_of_a_thousand_characters_is_taken(callbell: Callbell, sandbox: SandboxServer) -> None:
    callbell.create_contacts(BOOK, [record(note="n" * 1000)])
    assert sandbox.state("callbell").contact(PHONE).note == "n" * 1000


@pytest.mark.parametrize("tag", ["", "  ", "Milano, Roma"])
def test_a_tag_that_cannot_be_asked_for_is_no_phonebook(callbell: Callbell, sandbox: SandboxServer, tag: str) -> None:
    book = BookRef(tag)
    assert callbell.create_contacts(book, [record()]).items[0].outcome is ItemOutcome.REFUSED
    with pytest.raises(Rejected):
        list(callbell.list_contacts(book))
    with pytest.raises(Rejected):
        callbell.update_contact(book, UUID, record())
    assert sandbox.requests == []


def test_two_contacts_in_one_call_are_a_mistake_of_the_caller(callbell: Callbell) -> None:
    with pytest.raises(ValueError, match="2 contacts"):
        callbell.create_contacts(BOOK, [record(1), record(2)])
    with pytest.raises(ValueError, match="2 contacts"):
        callbell.delete_contacts(BOOK, [UUID, "00"])


# Updating and deleting


def test_another_number_is_refused_and_a_new_contact_proposed(callbell: Callbell, sandbox: SandboxServer) -> None:
    held = sandbox.state("callbell").add_contact(PHONE, tags=["Newsletter"])
    with pytest.raises(Rejected, match="new contact") as caught:
        callbell.update_contact(BOOK, held.uuid, record(2))
    assert caught.value.params == {"there": PHONE, "here": "+391110000002"}
    assert sandbox.changing_requests == []


@pytest.mark.parametrize("quirks", [set(), {"updates_merge"}])
def test_an_update_ends_the_same_whether_callbell_replaces_or_merges(
    callbell: Callbell, sandbox: SandboxServer, quirks: set[str]
) -> None:
    state = sandbox.state("callbell")
    state.quirks |= quirks
    held = state.add_contact(
        PHONE,
        "Sara",
        tags=["Newsletter", "VIP"],
        custom_fields={"City": "Milano", "Size": "M", "Interests": ["Pane"]},
        assigned_user="agent@example.org",
        note="old",
    )
    options = {"City": OptionValue("", OptionKind.TEXT), "Points": OptionValue("7", OptionKind.INTEGER)}
    callbell.update_contact(BOOK, held.uuid, record(first_name="Sara", last_name="Neri", options=options))
    assert (held.name, held.tags, held.assigned_user, held.note) == ("Sara Neri", ["Newsletter", "VIP"], None, None)
    assert held.custom_fields == {"Size": "M", "Interests": ["Pane"], "Points": "7"}


def test_a_contact_without_a_number_there_can_be_updated(callbell: Callbell, sandbox: SandboxServer) -> None:
    held = sandbox.state("callbell").add_contact("", "Sara", source="instagram")
    callbell.update_contact(BOOK, held.uuid, record(first_name="Sara"))
    assert held.tags == ["Newsletter"]


@pytest.mark.parametrize("quirks", [set(), {"bare_404"}])
def test_somebody_who_is_gone_is_told_apart_from_a_wrong_address(
    callbell: Callbell, sandbox: SandboxServer, quirks: set[str]
) -> None:
    sandbox.state("callbell").quirks |= quirks
    with pytest.raises(NotFound):
        callbell.get_contact(UUID)
    callbell.delete_contacts(BOOK, [UUID])


@pytest.mark.parametrize("remote_id", ["", "a/b", "..", "a?b", "a b"])
def test_an_id_that_cannot_be_one_is_asked_for_nowhere(
    callbell: Callbell, sandbox: SandboxServer, remote_id: str
) -> None:
    with pytest.raises(NotFound):
        callbell.get_contact(remote_id)
    assert sandbox.requests == []


def test_a_blocked_contact_has_opted_out(callbell: Callbell, sandbox: SandboxServer) -> None:
    sandbox.state("callbell").add_contact(PHONE, tags=["Newsletter"], blocked=1_700_000_000.0)
    sandbox.state("callbell").add_contact("+391110000002", tags=["Newsletter"])
    told = {found.phone: found.is_opted_out for found in callbell.list_contacts(BOOK)}
    assert told == {PHONE: True, "+391110000002": False}


def test_the_number_in_place_of_a_name_is_no_name(callbell: Callbell, sandbox: SandboxServer) -> None:
    made = callbell.create_contacts(BOOK, [record()]).items[0]
    assert sandbox.state("callbell").contacts[made.remote_id].name == PHONE
    assert callbell.get_contact(made.remote_id).name == ""


# Listing


@pytest.mark.parametrize("quirks", [set(), {"no_meta"}])
@pytest.mark.parametrize("count", [0, 1, 20, 21, 65])
def test_everybody_with_the_tag_is_listed_once(
    callbell: Callbell, sandbox: SandboxServer, count: int, quirks: set[str]
) -> None:
    state = sandbox.state("callbell")
    state.quirks |= quirks
    for number in range(count):
        state.add_contact(f"+3911100{number:05d}", tags=["newsletter"])
        state.add_contact(f"+3922200{number:05d}", tags=["VIP"])
    found = [each.phone for each in callbell.list_contacts(BOOK)]
    assert sorted(found) == [f"+3911100{number:05d}" for number in range(count)]


def test_the_cursor_is_followed_with_the_same_filters(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"contacts": [contact(1), contact(2)], "meta": {"page": 1, "pages": 900, "next": "abc=="}})
    recorder.will_answer({"contacts": [contact(2), contact(3)], "meta": {"page": 1, "pages": 900, "next": None}})
    assert [each.phone[-1] for each in scripted_callbell.list_contacts(BOOK)] == ["1", "2", "3"]
    filters = {"tags": "Newsletter", "include_field_types": "true"}
    assert [asked.params for asked in recorder.asked] == [{**filters, "page": "1"}, {**filters, "after": "abc=="}]


def test_a_cursor_that_comes_again_ends_the_list(scripted_callbell: Callbell, recorder: Recorder) -> None:
    for _ in range(2):
        recorder.will_answer({"contacts": [contact(1)], "meta": {"next": "abc"}})
    assert len(list(scripted_callbell.list_contacts(BOOK))) == 1
    assert len(recorder.asked) == 2


def test_without_a_cursor_a_page_with_nobody_new_ends_the_list(scripted_callbell: Callbell, recorder: Recorder) -> None:
    for rows in ([contact(1), contact(2)], [contact(2), contact(3)], [contact(3)]):
        recorder.will_answer({"contacts": rows})
    assert len(list(scripted_callbell.list_contacts(BOOK))) == 3
    assert [asked.params["page"] for asked in recorder.asked] == ["1", "2", "3"]


def test_the_depth_of_pages_is_told_in_callbells_words(scripted_callbell: Callbell, recorder: Recorder) -> None:
    recorder.will_answer({"contacts": [contact(1)]})
    recorder.will_answer({"error": "Pagination limit exceeded"}, status=400)
    with pytest.raises(Rejected, match="Pagination limit exceeded"):
        list(scripted_callbell.list_contacts(BOOK))


@pytest.mark.parametrize("body", [{}, {"contacts": None}, {"contacts": [{"name": "x"}]}, {"contacts": ["x"]}, []])
def test_a_list_of_another_form_is_not_taken_for_an_empty_one(
    scripted_callbell: Callbell, recorder: Recorder, body: Any
) -> None:
    recorder.will_answer(body)
    with pytest.raises(OutcomeUnknown):
        list(scripted_callbell.list_contacts(BOOK))


@pytest.mark.parametrize(
    "fields",
    [
        {"tags": 5},
        {"customFields": ["City"]},
        {"customFieldsMetadata": {"City": "Roma"}},
        {"uuid": None},
        {"uuid": 5},
    ],
)
def test_a_contact_of_another_form_is_unreadable_in_every_call(
    scripted_callbell: Callbell, recorder: Recorder, fields: Any
) -> None:
    recorder.will_answer({"contacts": [contact(**fields)]})
    with pytest.raises(OutcomeUnknown):
        list(scripted_callbell.list_contacts(BOOK))
    for call in (
        lambda: scripted_callbell.get_contact(UUID),
        lambda: scripted_callbell.find_contact(BOOK, PHONE),
        lambda: scripted_callbell.create_contacts(BOOK, [record()]),
        lambda: scripted_callbell.update_contact(BOOK, UUID, record()),
    ):
        recorder.will_answer({"contact": contact(**fields)})
        with pytest.raises(OutcomeUnknown):
            call()
    assert {asked.method for asked in recorder.asked} == {"GET"}


# Tags and custom fields


def test_a_tag_asked_for_by_name_is_taken_to_exist_without_a_call(callbell: Callbell, sandbox: SandboxServer) -> None:
    (by_title,) = callbell.list_phonebooks(title="Newsletter")
    (by_id,) = callbell.list_phonebooks(remote_id="Newsletter")
    assert (by_title.remote_id, by_title.title, by_title.count) == ("Newsletter", "Newsletter", None)
    assert by_id == by_title
    assert list(callbell.list_phonebooks(title="Newsletter", remote_id="VIP")) == []
    with pytest.raises(Rejected, match="commas"):
        list(callbell.list_phonebooks(title="Milano, Roma"))
    assert sandbox.requests == []


def test_tags_and_fields_are_found_on_the_contacts_that_have_them(callbell: Callbell, sandbox: SandboxServer) -> None:
    state = sandbox.state("callbell")
    state.add_contact("+391110000001", tags=["Newsletter"], custom_fields={"City": "Roma", "Points": "7"})
    state.add_contact("+391110000002", tags=["VIP", "newsletter"], custom_fields={"Size": "M"})
    state.add_contact(
        "+391110000003", custom_fields={"Interests": ["Pane"], "Email": "a@b.it", "Birthday": "2000-01-01"}
    )
    assert {book.title.casefold() for book in callbell.list_phonebooks()} == {"newsletter", "vip"}
    assert {option.remote_id: (option.kind, option.choices) for option in callbell.list_options()} == {
        "City": (OptionKind.TEXT, ()),
        "Points": (OptionKind.INTEGER, ()),
        "Size": (OptionKind.CHOICE, ("S", "M", "L", "XL")),
        "Interests": (OptionKind.MULTIPLE, ("Pane", "Vino", "Formaggio")),
        "Email": (OptionKind.EMAIL, ()),
        "Birthday": (OptionKind.DATE, ()),
    }


def test_looking_for_tags_and_fields_ends_after_25_pages(callbell: Callbell, sandbox: SandboxServer) -> None:
    state = sandbox.state("callbell")
    for number in range(26 * 20):
        state.add_contact(f"+3911100{number:05d}", custom_fields={"City": "Roma"})
    assert list(callbell.list_phonebooks()) == []
    assert len(sandbox.requests) == 25
    assert [option.title for option in callbell.list_options()] == ["City"]
    assert len(sandbox.requests) == 50
    assert [option.title for option in callbell.list_options(titles=["City"])] == ["City"]
    assert len(sandbox.requests) == 51
