"""Pulling: states, ids and opt-outs come over; nothing changes at the provider."""

from __future__ import annotations

import pytest

from contactsync.admin import progress
from contactsync.models import Contact, Phonebook, ProviderAccount, Run, Suppression
from contactsync.sync import lifecycle, planner
from contactsync.sync import pull as pull_module
from contactsync.sync import worker as worker_module
from contactsync.sync.bring_in import create_bring_in_run
from contactsync.sync.line import Line
from contactsync.sync.worker import Worker
from providers.sandbox import SandboxServer
from providers.types import RemotePhonebook
from tests.factories import make_contact, make_option, make_phonebook
from tests.sync.conftest import assert_in_step, carry_out, push
from tests.sync.test_there_already import remove_there

pytestmark = pytest.mark.django_db
PHONE, OTHER = "+989120000001", "+989120000002"


@pytest.fixture
def phonebook(account: ProviderAccount) -> Phonebook:
    book = make_phonebook(account)
    make_contact(book, PHONE, first_name="Sara")
    make_contact(book, OTHER)
    push(book)
    return book


def pull(phonebook: Phonebook) -> Run:
    phonebook.refresh_from_db()
    return carry_out(planner.create_pull_run(phonebook))


def state_of(phone: str) -> str:
    return Contact.objects.get(phone=phone).sync_state


def test_an_unchanged_phonebook_stays_as_it_is(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    writes = len(sandbox.changing_requests)
    run = pull(phonebook)
    assert run.state == Run.State.FINISHED
    assert (run.counts["present"], run.counts["contacts"], run.counts["balances"]) == (2, 2, True)
    assert len(sandbox.changing_requests) == writes
    assert_in_step(sandbox, phonebook)


def test_who_is_gone_is_missing_and_who_is_back_is_in_step(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    remove_there(sandbox, phonebook.title, PHONE)
    run = pull(phonebook)
    assert (run.counts["present"], run.counts["missing"]) == (1, 1)
    assert state_of(PHONE) == Contact.SyncState.MISSING
    Contact.objects.filter(phone=OTHER).update(sync_state=Contact.SyncState.MISSING)
    pull(phonebook)
    assert state_of(OTHER) == Contact.SyncState.SYNCED


def test_who_was_put_there_by_others_is_linked(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    state = sandbox.state("ippanel")
    remote = state.phonebook(phonebook.title)
    same, otherwise = make_contact(phonebook), make_contact(phonebook, first_name="Here")
    state.add_contact(remote, same.phone)
    state.add_contact(remote, otherwise.phone, name="There")
    state.add_contact(remote, "+989129999999")
    run = pull(phonebook)
    assert (run.counts["present"], run.counts["strangers"]) == (4, 1)
    assert state_of(same.phone) == Contact.SyncState.SYNCED
    otherwise.refresh_from_db()
    assert otherwise.sync_state == Contact.SyncState.CHANGED
    assert otherwise.remote_id == str(remote.by_number[otherwise.phone])
    push(phonebook)
    assert state.contact(remote, otherwise.phone).name == "Here"


def test_what_was_edited_there_is_changed_here(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    state = sandbox.state("ippanel")
    state.contact(state.phonebook(phonebook.title), PHONE).name = "Somebody"
    pull(phonebook)
    assert state_of(PHONE) == Contact.SyncState.CHANGED


def test_an_unknown_outcome_is_decided_by_what_is_there(phonebook: Phonebook) -> None:
    lost = make_contact(phonebook)
    Contact.objects.filter(pk=lost.pk).update(sync_state=Contact.SyncState.UNKNOWN)
    Contact.objects.filter(phone=PHONE).update(sync_state=Contact.SyncState.UNKNOWN, remote_id="", pushed_payload=None)
    run = pull(phonebook)
    assert run.counts["not_there"] == 1
    assert state_of(lost.phone) == Contact.SyncState.NEW
    assert state_of(PHONE) == Contact.SyncState.SYNCED


def test_values_that_cannot_be_read_do_not_make_a_contact_changed(account: ProviderAccount) -> None:
    option = make_option(account, "city")
    book = make_phonebook(account, options=(option,))
    make_contact(book, PHONE, options={str(option.pk): "Rome"})
    push(book)
    pull(book)
    assert state_of(PHONE) == Contact.SyncState.SYNCED


def test_who_opted_out_there_is_suppressed_here(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    sandbox.state("ippanel").blacklist.add(PHONE)
    run = pull(phonebook)
    assert run.counts["opted_out"] == 1
    suppression = Suppression.objects.get()
    assert (suppression.phone, suppression.source) == (PHONE, Suppression.Source.PROVIDER)
    pull(phonebook)
    assert Suppression.objects.count() == 1


def test_a_phonebook_that_is_not_there_cannot_be_pulled(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    sandbox.reset()
    run = pull(phonebook)
    assert run.state == Run.State.FAILED
    assert "Push it first" in run.error_text
    assert state_of(PHONE) == Contact.SyncState.SYNCED


def test_one_run_at_a_time(phonebook: Phonebook) -> None:
    planner.create_pull_run(phonebook)
    with pytest.raises(lifecycle.RunRefused):
        planner.create_pull_run(phonebook)


def test_a_pull_that_meets_a_refused_key_pauses_and_resumes(sandbox: SandboxServer, phonebook: Phonebook) -> None:
    sandbox.fault("status_401")
    run = pull(phonebook)
    assert run.state == Run.State.PAUSED
    ProviderAccount.objects.update(state=ProviderAccount.State.READY)
    lifecycle.resume(run)
    assert carry_out(run).state == Run.State.FINISHED


def test_opt_outs_that_were_not_read_are_counted_as_that(
    sandbox: SandboxServer, phonebook: Phonebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.state("ippanel").blacklist.add(PHONE)
    monkeypatch.setattr(pull_module, "MOST_DETAILS", 1)
    run = pull(phonebook)
    assert (run.counts["opted_out"], run.counts["opt_outs_unread"]) == (0, 2)
    monkeypatch.setattr(pull_module, "MOST_DETAILS", 2)
    run = pull(phonebook)
    assert (run.counts["opted_out"], run.counts["opt_outs_unread"]) == (1, 0)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int | None]]:
    """Everything the bar on the page would have shown, as (done, total)."""
    monkeypatch.setattr(worker_module, "TELL_EVERY", -1.0)
    shown: list[tuple[int, int | None]] = []
    tell = Worker.tell

    def tell_and_look(self: Worker, **counts: int) -> None:
        tell(self, **counts)
        bar = progress.of_run(Run.objects.get(pk=self.run.pk))
        shown.append((bar.done, bar.total))

    monkeypatch.setattr(Worker, "tell", tell_and_look)
    return shown


def test_the_bar_moves_while_contacts_are_read_and_compared(
    sandbox: SandboxServer, phonebook: Phonebook, told: list[tuple[int, int | None]]
) -> None:
    state = sandbox.state("ippanel")
    state.add_contact(state.phonebook(phonebook.title), "+989120000003")
    run = pull(phonebook)
    assert told == [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    assert run.counts["contacts"] == 2
    assert "read" not in run.counts


def test_where_the_provider_does_not_count_the_end_is_not_known_at_first(
    phonebook: Phonebook, told: list[tuple[int, int | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    uncounted = RemotePhonebook(phonebook.remote_id, phonebook.title, count=None)
    monkeypatch.setattr(pull_module, "find_phonebook", lambda line, book: uncounted)
    pull(phonebook)
    assert told == [(0, 2), (1, None), (2, None), (3, 4), (4, 4)]


def test_the_bar_moves_while_a_phonebook_is_brought_in(
    account: ProviderAccount, sandbox: SandboxServer, told: list[tuple[int, int | None]]
) -> None:
    state = sandbox.state("ippanel")
    book = state.add_phonebook("There")
    for phone in (PHONE, OTHER):
        state.add_contact(book, phone)
    run = carry_out(create_bring_in_run(account, str(book.id), "There"))
    assert run.state == Run.State.FINISHED
    assert told == [(1, 2), (2, 2)]
    assert progress.of_run(run).done == 2


def test_a_worker_that_takes_a_pull_up_again_tells_since_when(account: ProviderAccount, phonebook: Phonebook) -> None:
    run = planner.create_pull_run(phonebook)
    Run.objects.filter(pk=run.pk).update(lease_owner="me", counts={"read": 3})
    run.refresh_from_db()
    with Line(account) as line:
        Worker(run, phonebook, line, owner="me").tell(read=7)
    run.refresh_from_db()
    assert (run.counts["read"], "resumed_at" in run.counts) == (7, True)


def test_a_worker_that_lost_the_run_tells_nothing(account: ProviderAccount, phonebook: Phonebook) -> None:
    run = planner.create_pull_run(phonebook)
    with Line(account) as line:
        Worker(run, phonebook, line, owner="somebody else").tell(read=7)
    run.refresh_from_db()
    assert run.counts == {}
