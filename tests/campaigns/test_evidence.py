"""What the providers show of calls whose outcome is not known, and what may be made of it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from contactsync import tasks
from contactsync.campaigns import dispatch, evidence, lifecycle, lookup
from contactsync.campaigns.weighing import Row, weigh
from contactsync.models import Call, Campaign, Contact, Evidence, Recipient, Run, RunItem
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import accounts, executor, line, planner, shutdown
from contactsync.sync import lifecycle as runs
from contactsync.sync.connect import open_provider
from providers.types import OutboundMessage
from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import campaign_to, prepare, send, states
from tests.factories import make_contact, make_phonebook

IPPANEL, ATOM, LOX24, CALLBELL = COMPANIES
Proposal = Evidence.Proposal
PATHS = {"lox24": "POST /bulks$"}


def lost(company, sandbox, user, *, people: int = 2, arrived: bool, text: str = "Sale") -> Campaign:
    """A campaign in one call of which the answer was lost, after or before it was carried out; a while ago."""
    account = company.account(sandbox)
    book = company.book(account, sandbox, company.phones(people))
    campaign = prepare(campaign_to(account, book, message=text), user)
    path = PATHS.get(company.slug, company.send_path)
    sandbox.fault("reset_after" if arrived else "reset_before", path)
    send(campaign, user)
    assert Call.objects.filter(state=Call.State.UNKNOWN).count() == 1
    return campaign


def age(minutes: int = 20) -> None:
    """Let the unknown calls have been made so long ago, as far as we know."""
    past = timezone.now() - dt.timedelta(minutes=minutes)
    Call.objects.filter(state=Call.State.UNKNOWN).update(started_at=past)


def by_hand(company, account, phones, text: str = "Sale") -> None:
    """Somebody sends with the same account, not through us."""
    with open_provider(account) as provider:
        if company in (ATOM, CALLBELL):
            for phone in phones:
                provider.send(OutboundMessage(sender=company.sender, text=text, reference="", numbers=(phone,)))
        else:
            provider.send(OutboundMessage(sender=company.sender, text=text, reference="", numbers=tuple(phones)))


def searched(campaign: Campaign) -> Evidence:
    evidence.search_account(campaign.account_id)
    return Evidence.objects.get(call__run__campaign=campaign, call__state=Call.State.UNKNOWN)


@pytest.mark.parametrize(
    ("company", "people", "arrived", "proposal"),
    [
        (IPPANEL, 2, True, Proposal.SENT),
        (IPPANEL, 2, False, Proposal.NOT_SENT),
        (LOX24, 2, True, Proposal.SENT),
        (LOX24, 2, False, Proposal.NOT_SENT),
        (CALLBELL, 1, True, Proposal.SENT),
        (CALLBELL, 1, False, Proposal.NOT_SENT),
        (ATOM, 1, True, Proposal.CANNOT_TELL),
        (ATOM, 1, False, Proposal.CANNOT_TELL),
    ],
    ids=lambda value: getattr(value, "slug", str(value)),
)
def test_right_evidence_leads_to_the_right_proposal(user, sandbox, db, company, people, arrived, proposal):
    campaign = lost(company, sandbox, user, people=people, arrived=arrived)
    age(12)
    sandbox.advance(3600) if company is IPPANEL else None
    found = searched(campaign)
    assert (found.proposal, bool(found.why_text)) == (proposal, True), found.why_text
    if proposal == Proposal.SENT:
        (row,) = [row for row in found.rows if row["is_it"]]
        assert (row["matched"], row["missing"], row["strangers"]) == (people, 0, 0) or row["is_proof"]
        assert found.references == [row["reference"]]
    if company is ATOM:
        assert found.rows == []


def test_nothing_is_proposed_while_the_provider_may_not_show_it_yet(user, sandbox, db):
    found = searched(lost(IPPANEL, sandbox, user, arrived=False))
    assert found.proposal == Proposal.CANNOT_TELL
    assert "so recent" in found.why_text


def test_what_another_key_shows_never_speaks_for_not_sent(user, sandbox, db):
    campaign = lost(IPPANEL, sandbox, user, arrived=True)
    sandbox.state("ippanel").sends.clear()  # another customer's outbox
    key = "another-key-0123456789012345678901"
    sandbox.use_key(key)
    accounts.set_credentials(campaign.account, {"api_key": key})
    age(12)
    found = searched(campaign)
    assert found.proposal == Proposal.CANNOT_TELL
    assert "another customer" in found.why_text


def test_the_same_text_to_other_people_speaks_for_nothing(user, sandbox, db):
    campaign = lost(IPPANEL, sandbox, user, arrived=False)
    by_hand(IPPANEL, campaign.account, IPPANEL.phones(5)[3:])
    age(12)
    found = searched(campaign)
    assert found.proposal == Proposal.NOT_SENT
    assert [(row["matched"], row["strangers"], row["is_it"]) for row in found.rows] == [(0, 2, False)]


def test_where_our_mark_is_kept_another_mark_rules_a_send_out(user, sandbox, db):
    campaign = lost(LOX24, sandbox, user, arrived=False)
    by_hand(LOX24, campaign.account, LOX24.phones(2))
    age(12)
    found = searched(campaign)
    assert (found.proposal, found.rows) == (Proposal.NOT_SENT, [])


def test_a_text_that_the_provider_has_changed_is_not_taken_for_not_sent(user, sandbox, db):
    """IPPanel adds an opt-out line to some texts; others break lines in their own way."""
    campaign = lost(IPPANEL, sandbox, user, arrived=True, text="Sale\r\ntoday")
    for there in sandbox.state("ippanel").sends.values():
        there.text = "Sale\ntoday\nلغو11"
    age(12)
    sandbox.advance(3600)
    found = searched(campaign)
    assert found.proposal == Proposal.CANNOT_TELL
    assert "compare what is shown" in found.why_text
    assert [(row["text"], row["matched"], row["is_it"]) for row in found.rows] == [("Sale\ntoday\nلغو11", 2, False)]


def test_a_sender_that_the_provider_writes_otherwise_is_not_taken_for_not_sent(user, sandbox, db):
    """How IPPanel compares the number it is asked for with its own spelling is not documented."""
    campaign = lost(IPPANEL, sandbox, user, arrived=True)
    for there in sandbox.state("ippanel").sends.values():
        there.sender = there.sender.removeprefix("+98")
    age(12)
    sandbox.advance(3600)
    found = searched(campaign)
    assert (found.proposal, [row["matched"] for row in found.rows]) == (Proposal.CANNOT_TELL, [2])


def test_a_conversation_with_the_message_in_other_words_is_not_taken_for_not_sent(user, sandbox, db):
    campaign = lost(CALLBELL, sandbox, user, people=1, arrived=True)
    conversation = sandbox.state("callbell").conversations[CALLBELL.phones(1)[0].lstrip("+")]
    for message in [each for each in conversation if each.text == "Sale"]:
        message.text = "*Sale*"
    age(12)
    found = searched(campaign)
    assert (found.proposal, [row["text"] for row in found.rows]) == (Proposal.CANNOT_TELL, ["*Sale*"])


def test_the_conversation_of_an_old_number_says_nothing_of_the_new_one(user, sandbox, db):
    account = CALLBELL.account(sandbox)
    old, new = CALLBELL.phones(2)
    book = CALLBELL.book(account, sandbox, [old])
    Contact.objects.update(phone=new, last_received_at=timezone.now())
    sandbox.state("callbell").receive(new, "Ciao", makes_contact=False)
    campaign = prepare(campaign_to(account, book, message="Sale"), user)
    sandbox.fault("reset_after", CALLBELL.send_path)
    send(campaign, user)
    assert CALLBELL.messages_to(sandbox, new) == ["Sale"]
    age(12)
    found = searched(campaign)
    assert (found.proposal, found.why["message"]) == (Proposal.CANNOT_TELL, lookup.NO_CONTACT)


def test_a_call_of_several_texts_of_which_a_part_was_taken_is_not_taken_for_not_sent(user, sandbox, db):
    campaign = lost(IPPANEL, sandbox, user, people=3, arrived=True, text="Hello {first_name}")
    assert Call.objects.get().operation == "send_texts"
    there = sandbox.state("ippanel").sends
    del there[min(there)]
    age(12)
    sandbox.advance(3600)
    assert searched(campaign).proposal == Proposal.CANNOT_TELL


def test_what_other_calls_of_ours_sent_to_the_same_people_speaks_for_nothing(user, sandbox, db):
    campaign = lost(IPPANEL, sandbox, user, arrived=False)
    book = campaign.targets.get().phonebook
    send(prepare(campaign_to(campaign.account, book, message="Another text"), user), user)
    age(12)
    sandbox.advance(3600)
    assert searched(campaign).proposal == Proposal.NOT_SENT


def test_more_sends_in_other_words_than_are_looked_at_leave_it_open(user, sandbox, db, monkeypatch):
    monkeypatch.setattr(lookup, "MOST_ROWS", 1)
    campaign = lost(IPPANEL, sandbox, user, arrived=False)
    for number, text in enumerate(("One", "Two")):
        by_hand(IPPANEL, campaign.account, IPPANEL.phones(9)[7 + number :], text=text)
    age(12)
    sandbox.advance(3600)
    assert searched(campaign).proposal == Proposal.CANNOT_TELL


def test_people_that_match_only_partly_leave_it_open(user, sandbox, db):
    campaign = lost(IPPANEL, sandbox, user, arrived=False)
    first, *_ = IPPANEL.phones(2)
    by_hand(IPPANEL, campaign.account, [first, IPPANEL.phones(6)[5]])
    age(12)
    found = searched(campaign)
    assert found.proposal == Proposal.CANNOT_TELL
    (row,) = found.rows
    assert (row["matched"], row["missing"], row["strangers"]) == (1, 1, 1)


@pytest.mark.parametrize(("company", "people"), [(IPPANEL, 2), (CALLBELL, 1)], ids=["ippanel", "callbell"])
def test_two_sends_with_the_same_text_to_the_same_people_leave_it_open(user, sandbox, db, company, people):
    campaign = lost(company, sandbox, user, people=people, arrived=True)
    sandbox.advance(60)  # identical sends are refused for a while
    by_hand(company, campaign.account, company.phones(people))
    age(12)
    found = searched(campaign)
    assert (found.proposal, len(found.rows)) == (Proposal.CANNOT_TELL, 2)
    assert found.references == []


def test_a_send_that_another_call_is_known_to_be_is_not_taken_for_this_one(user, sandbox, db):
    campaign = lost(IPPANEL, sandbox, user, arrived=False)
    sandbox.advance(60)
    again = prepare(campaign_to(campaign.account, *[t.phonebook for t in campaign.targets.all()], message="Sale"), user)
    send(again, user)
    other = Call.objects.get(run__campaign=again)
    assert other.state == Call.State.ACCEPTED
    age(12)
    found = searched(campaign)
    assert [row["belongs_to"] for row in found.rows] == [other.pk]
    assert found.proposal == Proposal.NOT_SENT


def test_two_unknown_calls_that_one_send_could_be_stay_open(user, sandbox, db):
    campaign = lost(IPPANEL, sandbox, user, arrived=True)
    sandbox.advance(60)
    again = prepare(campaign_to(campaign.account, *[t.phonebook for t in campaign.targets.all()], message="Sale"), user)
    sandbox.fault("reset_before", IPPANEL.send_path)
    send(again, user)
    age(12)
    assert {searched(campaign).proposal, searched(again).proposal} == {Proposal.CANNOT_TELL}


def row(**fields) -> Row:
    return Row(
        **{
            "reference": "1", "at": "", "text": "Sale", "state": "6", "recipients": 2, "matched": 2, "missing": 0,
            "strangers": 0, **fields,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "proposal"),
    [
        ([row()], Proposal.SENT),
        ([row(), row(reference="2", matched=0, strangers=2)], Proposal.SENT),
        ([row(), row(reference="2", belongs_to=7)], Proposal.SENT),
        ([row(), row(reference="2")], Proposal.CANNOT_TELL),
        ([row(), row(reference="2", matched=1, missing=1)], Proposal.CANNOT_TELL),
        ([row(strangers=1)], Proposal.CANNOT_TELL),
        ([row(is_late=True)], Proposal.CANNOT_TELL),
        ([row(matched=None, missing=None, strangers=None)], Proposal.CANNOT_TELL),
        ([row(is_proof=True, matched=None), row(reference="2")], Proposal.SENT),
        ([row(matched=0, missing=2)], Proposal.NOT_SENT),
        ([], Proposal.NOT_SENT),
    ],
)
def test_only_exactly_its_people_once_and_in_its_time_speak_for_a_send(rows, proposal):
    assert weigh(rows, people=2, minutes=30, has_twin=False)[0] == proposal


def test_several_texts_or_a_twin_are_never_told_by_people():
    assert weigh([row()], people=2, minutes=30, has_twin=True)[0] == Proposal.CANNOT_TELL
    assert weigh([row()], people=2, minutes=30, has_twin=False, has_texts=True)[0] == Proposal.CANNOT_TELL


def test_what_is_proposed_is_applied_with_its_references_and_the_rest_stays(user, sandbox, db):
    sent = lost(IPPANEL, sandbox, user, arrived=True)
    age(12)
    sandbox.advance(3600)
    found = searched(sent)
    references = found.references
    assert evidence.apply(Call.objects.all(), Proposal.NOT_SENT, user=user) == 0
    assert evidence.apply(Call.objects.all(), Proposal.CANNOT_TELL, user=user) == 0
    assert evidence.apply(Call.objects.all(), Proposal.SENT, user=user) == 1
    call = Call.objects.get()
    assert (call.state, call.references) == (Call.State.ACCEPTED, references)
    assert user.get_username() in call.error_text
    sent.refresh_from_db()
    assert sent.state == Campaign.State.SENT
    with pytest.raises(TransitionRefused):
        evidence.decide(call, sent=False, user=user)


@pytest.mark.usefixtures("one_text_per_call")
def test_what_was_found_anew_in_the_moment_of_the_click_is_not_decided_by_it(user, sandbox, db, monkeypatch):
    account = IPPANEL.account(sandbox)
    campaign = prepare(
        campaign_to(account, IPPANEL.book(account, sandbox, IPPANEL.phones(2)), message="Hi {first_name}"), user
    )
    sandbox.fault("reset_before", IPPANEL.send_path, times=2)
    send(campaign, user)
    age(12)
    evidence.search_account(account.pk)
    decide = evidence.decide

    def decide_while_somebody_searches(call, **how):
        others = Evidence.objects.exclude(call=call)
        others.update(proposal=Proposal.SENT, searched_at=timezone.now())
        decide(call, **how)

    monkeypatch.setattr(evidence, "decide", decide_while_somebody_searches)
    assert evidence.apply(evidence.unknown_calls(), Proposal.NOT_SENT, user=user) == 1
    assert Call.objects.get(state=Call.State.UNKNOWN).evidence.proposal == Proposal.SENT


def test_those_not_sent_are_written_to_and_the_undecided_never(user, sandbox, db):
    account = ATOM.account(sandbox)
    phones = ATOM.phones(3)
    campaign = prepare(campaign_to(account, ATOM.book(account, sandbox, phones), message="Sale"), user)
    sandbox.fault("reset_before", ATOM.send_path, times=2)
    send(campaign, user)
    first, second = Call.objects.filter(state=Call.State.UNKNOWN).order_by("sequence")
    evidence.decide(first, sent=False, user=user)
    campaign.refresh_from_db()
    dispatch.execute(lifecycle.resume(campaign, user=user).pk)
    undecided = Recipient.objects.get(call=second)
    assert states(campaign)[undecided.phone] == "unknown"
    assert {phone: len(ATOM.messages_to(sandbox, phone)) for phone in phones} == {
        phone: int(phone != undecided.phone) for phone in phones
    }


@pytest.mark.parametrize(("there", "proposal"), [(2, "sent"), (1, "cannot_tell"), (0, "not_sent")])
def test_a_lost_creation_of_contacts_is_looked_up_in_the_phonebook(user, sandbox, account, pushed, there, proposal):
    book = pushed(title="Friends")
    contacts = [make_contact(book) for _ in range(2)]
    state = sandbox.state("ippanel")
    for contact in contacts[:there]:
        state.add_contact(state.phonebook("Friends"), contact.phone)
    run = Run.objects.create(kind=Run.Kind.PUSH, account=account, phonebook=book, state=Run.State.ATTENTION)
    call = Call.objects.create(
        run=run, sequence=1, operation="create_contacts", item_count=2, state=Call.State.UNKNOWN,
        started_at=timezone.now() - dt.timedelta(hours=1),
    )  # fmt: skip
    for contact in contacts:
        RunItem.objects.create(run=run, contact=contact, phone=contact.phone, operation="create", call=call)
    evidence.search_account(account.pk)
    assert Evidence.objects.get().proposal == proposal
    decided = evidence.apply(Call.objects.all(), proposal, user=user)
    assert decided == (proposal != "cannot_tell")


@pytest.mark.parametrize("arrived", ["reset_before", "reset_after"])
@pytest.mark.parametrize("sent", [True, False], ids=["was carried out", "was not carried out"])
def test_a_push_goes_on_after_a_persons_word_with_everybody_and_twice_with_nobody(user, sandbox, db, arrived, sent):
    account = LOX24.account(sandbox)
    account.settings["batch_size"] = 2
    account.save()
    book = make_phonebook(account)
    for phone in LOX24.phones(12):
        make_contact(book, phone)
    run = planner.create_push_run(book)
    planner.plan(run.pk)
    runs.approve(Run.objects.get())
    sandbox.fault(arrived, "POST /groups/", provider="lox24", times=0)
    executor.execute(run.pk)
    sandbox.faults.clear()
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    for call in evidence.unknown_calls():
        evidence.decide(call, sent=sent, user=user)
    runs.resume(run)
    executor.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.counts["done"], run.counts["pending"]) == (Run.State.FINISHED, 12, 0)
    assert sorted(row.phone for row in sandbox.state("lox24").phones.values()) == LOX24.phones(12)


def test_an_account_that_cannot_be_asked_says_so_at_each_call(user, sandbox, db):
    campaign = lost(IPPANEL, sandbox, user, arrived=True)
    campaign.account.state = "paused"
    campaign.account.save()
    found = searched(campaign)
    assert found.proposal == Proposal.CANNOT_TELL
    assert "could not be searched" in found.why_text


@pytest.mark.parametrize("shown", [[], [row()], [row(matched=0)]], ids=["nothing", "the same people", "others"])
def test_where_more_is_shown_than_was_looked_at_only_our_own_reference_is_proof(shown: list[Row]) -> None:
    assert weigh(shown, people=2, minutes=30, has_twin=False, is_cut=True)[0] == Proposal.CANNOT_TELL
    assert weigh([*shown, row(is_proof=True)], people=2, minutes=30, has_twin=False, is_cut=True)[0] == Proposal.SENT


def unknown_creations(account, count: int) -> None:
    """As many lost creations of contacts, each in a call of its own."""
    book = make_phonebook(account, remote_id="1")
    run = Run.objects.create(kind=Run.Kind.PUSH, account=account, phonebook=book, state=Run.State.ATTENTION)
    for number in range(count):
        call = Call.objects.create(
            run=run, sequence=number, operation="create_contacts", item_count=1, state=Call.State.UNKNOWN,
            started_at=timezone.now(),
        )  # fmt: skip
        RunItem.objects.create(run=run, phone=f"+98912000001{number}", operation="create", call=call)


def test_a_provider_that_does_not_answer_is_not_asked_about_every_call(account, sandbox):
    """Others wait for the worker that searches."""
    unknown_creations(account, 6)
    fault = sandbox.fault("reset_before", "/api/phonebooks", times=0)
    assert evidence.search_account(account.pk)
    assert fault.hits == 3 * line.READ_ATTEMPTS
    assert Evidence.objects.filter(proposal=Proposal.CANNOT_TELL).count() == 6
    assert "did not answer the questions before this one" in Evidence.objects.latest("pk").why_text
    order = list(Evidence.objects.order_by("searched_at").values_list("call__sequence", flat=True))
    assert order[:3] == [3, 4, 5]  # whom the next search begins with


def test_a_search_goes_on_in_another_task_when_it_takes_long_or_its_process_is_to_end(account, monkeypatch):
    unknown_creations(account, 3)
    monkeypatch.setattr(shutdown, "is_asked_for", lambda: True)
    tasks.search_unknown_calls.call(account.pk)
    assert not Evidence.objects.exists()
    monkeypatch.setattr(shutdown, "is_asked_for", lambda: Evidence.objects.exists())
    tasks.search_unknown_calls.call(account.pk)
    assert Evidence.objects.count() == 1
    monkeypatch.setattr(shutdown, "is_asked_for", lambda: False)
    first = Evidence.objects.get()
    (waiting,) = DBTaskResult.objects.ready()[:1]
    tasks.search_unknown_calls.call(*waiting.args_kwargs["args"])
    assert Evidence.objects.count() == 3
    assert Evidence.objects.get(pk=first.pk).searched_at == first.searched_at  # once is enough


def test_a_search_lets_others_work_in_between(account, monkeypatch):
    unknown_creations(account, 2)
    monkeypatch.setattr(evidence, "LONGEST_SEARCH", dt.timedelta(0))
    assert not evidence.search_account(account.pk)
    assert not Evidence.objects.exists()
