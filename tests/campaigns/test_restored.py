"""A restored backup: nothing that left in the lost hours goes out again, and nobody is alarmed without one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from contactsync.campaigns import dispatch, lifecycle, reports, restored
from contactsync.campaigns.problems import CampaignProblem
from contactsync.models import Call, Campaign, Clearance, Contact, DatabaseMark, Phonebook, Recipient, Run, RunItem
from contactsync.models.transitions import StepRefused
from contactsync.sync import executor, guard, ledger, logbook
from contactsync.sync import lifecycle as runs
from contactsync.sync.lifecycle import RunRefused
from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import approve, campaign_to, prepare, received, send, states
from tests.factories import make_account, make_contact, make_phonebook
from tests.sync.conftest import local_contacts, plan_push, remote_contacts
from tests.sync.test_killed import EVERY, Bomb, Killed, armed, first_fuse

pytestmark = pytest.mark.django_db(transaction=True)
IPPANEL, ATOM, LOX24, CALLBELL = COMPANIES
TABLES = (DatabaseMark, Phonebook, Contact, Campaign, Run, Call, Recipient, RunItem)


@pytest.fixture(autouse=True)
def mark(db: None) -> None:
    """The row of the migration, which other tests may have emptied."""
    DatabaseMark.objects.get_or_create(pk=DatabaseMark.ONLY)


def backup(path: Path) -> Callable[[], None]:
    """Take a backup of the database now. What is given back restores it."""
    if connection.vendor != "sqlite":
        rows = {table: list(table.objects.values()) for table in TABLES}
        return lambda: _put_rows_back(rows)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])
    name = Path(str(connection.settings_dict["NAME"]))

    def restore() -> None:
        connection.close()
        for suffix in ("-wal", "-shm"):
            name.with_name(name.name + suffix).unlink(missing_ok=True)
        name.write_bytes(path.read_bytes())

    return restore


def _put_rows_back(rows: dict[Any, list[dict[str, Any]]]) -> None:
    for table in reversed(TABLES):
        table.objects.exclude(pk__in=[row["id"] for row in rows[table]]).delete()
    for table in TABLES:
        for row in rows[table]:
            table.objects.filter(pk=row["id"]).update(**row)


def line_count() -> int:
    (row,) = DatabaseMark.objects.all()
    return len(logbook.entries_after(Path(settings.LOGBOOK_DIR), str(row.identity), 0))


def logbook_path() -> Path:
    return logbook.path_of(Path(settings.LOGBOOK_DIR), str(DatabaseMark.objects.get().identity))


def some_call(count: int = 1) -> list[Call]:
    """Planned calls of a run, without anything to be sent."""
    account = make_account()
    run = Run.objects.create(kind=Run.Kind.PUSH, account=account, phonebook=make_phonebook(account))
    rows = [Call(run=run, sequence=number, operation="update_contact") for number in range(1, count + 1)]
    return Call.objects.bulk_create(rows)


def leave(call: Call, owner: str = "me") -> bool:
    return ledger.claim(call, owner)


def test_as_many_calls_are_counted_as_are_in_the_log(user, sandbox, account, pushed):
    send(campaign_to(account, pushed("+989121111111", "+989122222222")), user)
    assert guard.finding() is None
    assert DatabaseMark.objects.get().mark == line_count() == Call.objects.count() > 0


def test_a_campaign_that_left_after_the_backup_does_not_go_out_again(user, sandbox, account, pushed, tmp_path):
    campaign = prepare(campaign_to(account, pushed("+989121111111", "+989122222222")), user)
    restore = backup(tmp_path / "yesterday")
    send(campaign, user)
    before = received(sandbox)
    restore()
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PREPARED
    found = guard.finding()
    assert found
    assert (found.known, found.left) == (0, 1)
    with pytest.raises(CampaignProblem, match="older than what has gone out"):
        approve(campaign, user)
    (lost,) = restored.lost_work(found.lost["calls"])
    assert (lost.campaign, lost.calls, lost.items) == (campaign, 1, 2)
    (lost,) = restored.lost_work([*found.lost["calls"], *found.lost["calls"]])
    assert (lost.calls, lost.items) == (1, 2)  # the same call, tried twice

    restored.allow_again(by="sara", note="looked in the panel")
    assert guard.finding() is None
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PAUSED
    assert set(states(campaign).values()) == {Recipient.State.UNKNOWN}
    assert Clearance.objects.get().cleared_by == "sara"
    run = lifecycle.resume(campaign, user=user)
    dispatch.execute(run.pk)
    assert received(sandbox) == before
    reports.resolve_unknown(Call.objects.get(), sent=True, user=user)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.SENT


def test_the_calls_that_had_not_left_go_out_after_the_word_of_a_person(user, sandbox, db, tmp_path):
    account = ATOM.account(sandbox)
    phones = ATOM.phones(4)
    campaign = prepare(campaign_to(account, ATOM.book(account, sandbox, phones), message="Sale"), user)
    run = approve(campaign, user)
    restore = backup(tmp_path / "yesterday")
    first, second, *_ = Call.objects.order_by("sequence")
    Call.objects.exclude(pk__in=[first.pk, second.pk]).update(not_before="2100-01-01T00:00Z")
    dispatch.execute(run.pk)
    assert sum(len(ATOM.messages_to(sandbox, phone)) for phone in phones) == 2
    restore()
    dispatch.execute(run.pk)  # a worker comes
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PAUSED
    assert "older than what has gone out" in campaign.error_text
    assert sum(len(ATOM.messages_to(sandbox, phone)) for phone in phones) == 2

    restored.allow_again(by="sara")
    dispatch.execute(lifecycle.resume(campaign, user=user).pk)
    assert [len(ATOM.messages_to(sandbox, phone)) for phone in phones] == [1, 1, 1, 1]
    assert sorted(states(campaign).values()) == ["accepted", "accepted", "unknown", "unknown"]
    assert guard.finding() is None


def test_a_push_that_left_after_the_backup_is_looked_for_and_not_doubled(user, sandbox, account, pushed, tmp_path):
    account.settings.update(batch_size=1)
    account.save()
    book = pushed(title="Friends")
    contacts = [make_contact(book) for _ in range(2)]
    run = plan_push(book)
    restore = backup(tmp_path / "yesterday")
    executor.execute(runs.approve(run).pk)
    restore()
    run.refresh_from_db()
    with pytest.raises(RunRefused, match="older than what has gone out"):
        runs.approve(run)
    restored.allow_again(by="sara")
    executor.execute(runs.approve(run).pk)
    assert len(contacts) == len(remote_contacts(sandbox, "Friends"))
    assert remote_contacts(sandbox, "Friends") == local_contacts(book)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED


def test_killed_anywhere_nobody_is_alarmed_and_everything_that_left_is_in_the_log(user, sandbox, account, monkeypatch):
    write = logbook._write
    fuse = first_fuse() - EVERY
    killed = 0
    while True:
        fuse += EVERY
        bomb = Bomb(fuse)

        def around_the_write(descriptor: int, lines: bytes, bomb: Bomb = bomb) -> None:
            bomb.tick()
            write(descriptor, lines)
            bomb.tick()

        monkeypatch.setattr(logbook, "_write", around_the_write)
        contacts = [make_contact(book := make_phonebook(account)), make_contact(book)]
        campaign = prepare(campaign_to(account, (book, contacts), message="سلام"), user)
        run = approve(campaign, user)
        try:
            with armed(bomb, monkeypatch):
                dispatch.execute(run.pk)
        except Killed:
            killed += 1
            assert guard.finding() is None
        else:
            break
    monkeypatch.setattr(logbook, "_write", write)
    assert killed > 2
    sent = len(sandbox.state("ippanel").sends)
    assert line_count() >= sent > 0
    assert DatabaseMark.objects.get().mark >= line_count()
    assert leave(some_call()[0])  # and the next worker goes on


def test_thousands_of_claims_alarm_nobody_also_when_the_file_is_put_aside(db, monkeypatch):
    monkeypatch.setattr(logbook, "LONGEST", 50_000)
    calls = some_call(2_000)
    for first in range(0, len(calls), 8):
        with guard.leaving("me") as departing:
            departing += calls[first : first + 8]
    assert guard.finding() is None
    row = DatabaseMark.objects.get()
    directory = Path(settings.LOGBOOK_DIR)
    assert row.mark == logbook.highest(directory, str(row.identity)) == 2_000
    assert sum(file.stat().st_size for file in directory.iterdir()) < 3 * 50_000


def test_what_was_taken_over_while_the_log_could_not_be_written_is_not_put_back(db, monkeypatch):
    ours, theirs = some_call(2)

    def full(*args: Any) -> None:
        Call.objects.filter(pk=theirs.pk).update(lease_owner="another")
        raise logbook.LogbookUnusable(Path("/log"), "no space left")

    assert leave(some_call()[0])  # begins the log
    monkeypatch.setattr(logbook, "append", full)
    Call.objects.update(state=Call.State.ON_WIRE, lease_owner="me", attempts=1)
    with pytest.raises(guard.HeldBack), guard.leaving("me") as departing:
        departing += [ours, theirs]
    rows = Call.objects.filter(pk__in=[ours.pk, theirs.pk]).order_by("pk")
    assert list(rows.values_list("state", "attempts")) == [(Call.State.PLANNED, 0), (Call.State.ON_WIRE, 1)]


def test_two_workers_count_every_call_once(db):
    calls = some_call(60)
    problems: list[BaseException] = []

    def work(mine: list[Call]) -> None:
        try:
            for call in mine:
                assert leave(call)
        except BaseException as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(calls[first::2],)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert guard.finding() is None
    row = DatabaseMark.objects.get()
    entries = logbook.entries_after(Path(settings.LOGBOOK_DIR), str(row.identity), 0)
    assert [entry["mark"] for entry in entries] == list(range(1, 61))


def test_another_machine_with_a_logbook_of_its_own_tells_all_of_them(db, settings, tmp_path):
    first, second, third, fourth = some_call(4)
    mine, other = settings.LOGBOOK_DIR, tmp_path / "other machine"
    assert leave(first)
    restore = backup(tmp_path / "yesterday")
    settings.LOGBOOK_DIR = other
    with pytest.raises(guard.HeldBack, match="no log of the calls"):
        leave(second)
    restored.allow_again(by="the command")
    assert leave(second)
    assert leave(third)
    restore()
    DatabaseMark.objects.update(mark=1)
    settings.LOGBOOK_DIR = mine
    assert guard.finding() is None  # this machine cannot know
    settings.LOGBOOK_DIR = other
    guard.look()  # the sweep of the other one
    settings.LOGBOOK_DIR = mine
    found = guard.finding()
    assert found
    assert found.left == 3
    assert [entry["call"] for entry in found.lost["calls"]] == [str(second.uuid), str(third.uuid)]
    with pytest.raises(guard.HeldBack):
        leave(fourth)


def test_what_other_machines_have_counted_is_noted_so_that_it_is_missed_later(db, settings, tmp_path):
    first, second = some_call(2)
    assert leave(first)
    mine = settings.LOGBOOK_DIR
    settings.LOGBOOK_DIR = tmp_path / "other machine"
    restored.allow_again(by="the command")
    assert leave(second)
    settings.LOGBOOK_DIR = mine
    guard.look()
    DatabaseMark.objects.update(mark=1)
    found = guard.finding()
    assert found
    assert found.left == 2


def test_without_its_logbook_nothing_leaves_until_a_person_has_looked(db):
    first, second = some_call(2)
    assert leave(first)
    logbook_path().unlink()
    with pytest.raises(guard.HeldBack, match="no log of the calls of this database"):
        leave(second)
    assert Call.objects.get(pk=second.pk).state == Call.State.PLANNED
    restored.allow_again(by="sara")
    assert leave(second)


@pytest.mark.parametrize("damage", [b"", b"{}\n", b'{"mark":1\n{"mark":2}\n', b"\0\0\0\0\n"])
def test_with_a_damaged_logbook_nothing_leaves_until_a_person_has_looked(db, damage):
    first, second = some_call(2)
    assert leave(first)
    path = logbook_path()
    path.write_bytes(damage)
    with pytest.raises(guard.HeldBack, match="is damaged"):
        leave(second)
    restored.allow_again(by="sara")
    assert path.with_name(path.name + logbook.BROKEN).read_bytes() == damage
    assert leave(second)
    assert guard.finding() is None


def test_a_line_cut_short_by_a_power_cut_does_not_count(db):
    first, second = some_call(2)
    assert leave(first)
    with logbook_path().open("ab") as file:
        file.write(b'{"mark":2,"at":"2026')
    assert guard.finding() is None
    assert leave(second)
    assert line_count() == 2


def test_a_logbook_that_cannot_be_written_lets_nothing_out(db, settings, tmp_path):
    call, *_ = some_call()
    (tmp_path / "file").touch()
    settings.LOGBOOK_DIR = tmp_path / "file" / "logbook"
    found = guard.finding()
    assert found
    assert not found.clearable
    with pytest.raises(guard.HeldBack, match="cannot be used"):
        leave(call)
    with pytest.raises(StepRefused, match="cannot be used"):
        restored.allow_again(by="sara")
    call.refresh_from_db()
    assert (call.state, call.attempts) == (Call.State.PLANNED, 0)


def test_on_a_full_disk_the_call_is_planned_again_with_its_people(user, sandbox, account, pushed, monkeypatch):
    campaign = prepare(campaign_to(account, pushed("+989121111111")), user)

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(logbook, "to_disk", full)
        send(campaign, user)
    assert campaign.state == Campaign.State.PAUSED
    assert "No space left on device" in campaign.error_text
    assert received(sandbox) == {}
    assert set(states(campaign).values()) == {Recipient.State.PLANNED}
    assert guard.finding() is None
    dispatch.execute(lifecycle.resume(campaign, user=user).pk)
    assert received(sandbox) == {"+989121111111": ["سلام"]}


def test_a_backup_from_before_there_were_marks_is_noticed_too(db):
    first, second = some_call(2)
    assert leave(first)
    DatabaseMark.objects.all().delete()
    DatabaseMark.objects.create(pk=DatabaseMark.ONLY)
    with pytest.raises(guard.HeldBack, match="no log of the calls"):
        leave(second)
    restored.allow_again(by="sara")
    assert leave(second)


def test_a_new_database_beside_the_logbook_of_an_earlier_one_alarms_nobody(db):
    first, second = some_call(2)
    assert leave(first)
    Call.objects.filter(pk=first.pk).delete()
    DatabaseMark.objects.all().delete()
    DatabaseMark.objects.create(pk=DatabaseMark.ONLY)
    assert guard.finding() is None
    assert leave(second)
    assert guard.finding() is None


def test_there_is_nothing_to_allow_when_nothing_is_held_back(db):
    with pytest.raises(StepRefused, match="Nothing is held back"):
        restored.allow_again(by="sara")
