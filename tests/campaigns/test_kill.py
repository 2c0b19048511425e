"""A worker that dies, at any moment of a send."""

from __future__ import annotations

import pytest
from django.utils import timezone

from contactsync.campaigns import dispatch, lifecycle, reports
from contactsync.campaigns.lease import LeaseLost
from contactsync.campaigns.settle import settle
from contactsync.models import Call, Campaign, Run
from contactsync.sync import ledger, sweep
from tests.campaigns.conftest import approve, campaign_to, prepare, received, sent_bodies, states
from tests.factories import make_contact, make_phonebook

ALI, SARA, REZA = "+989120000001", "+989120000002", "+989120000003"


pytestmark = pytest.mark.usefixtures("one_text_per_call")


class Killed(BaseException):
    """As good as a `kill -9`: nothing after it runs."""


class TestAKilledWorker:
    """Whatever the moment of the kill: nobody gets a message twice, and nobody is forgotten."""

    @pytest.fixture
    def campaign(self, account, user):
        book = make_phonebook(account)
        for phone, name in ((ALI, "a"), (SARA, "b"), (REZA, "c")):
            make_contact(book, phone, first_name=name)
        return prepare(campaign_to(account, book, message="{first_name}"), user)

    def kill_in(self, monkeypatch, place: str, run: Run, *, after: bool, at: int = 2) -> None:
        """Execute until the worker dies at the `at`-th passage of `place`, before or after what it does there."""
        module_name, _, name = place.rpartition(".")
        module = {"ledger": vars(ledger), "dispatch": vars(dispatch)}[module_name]
        original, passages = module[name], []

        def deadly(*args, **kwargs):
            passages.append(None)
            if len(passages) == at and not after:
                raise Killed
            result = original(*args, **kwargs)
            if len(passages) == at:
                raise Killed
            return result

        with monkeypatch.context() as patch:
            patch.setitem(module, name, deadly)
            with pytest.raises(Killed):
                dispatch.execute(run.pk)

    def recover(self, run: Run) -> None:
        """Long after, the sweep comes by, and what it finds is executed again."""
        past = timezone.now() - timezone.timedelta(minutes=30)
        Run.objects.filter(pk=run.pk).update(lease_until=past)
        Call.objects.filter(state=Call.State.ON_WIRE).update(lease_until=past)
        for run_id in sweep.expired_runs():
            dispatch.execute(run_id)

    @pytest.mark.parametrize(
        ("place", "after", "unknown"),
        [
            ("dispatch._renew", False, 0),
            ("dispatch._send", False, 0),
            ("ledger.claim", False, 0),
            ("ledger.claim", True, 1),
            ("ledger.make", False, 1),
            ("ledger.make", True, 1),
            ("ledger._record", False, 1),
            ("ledger._record", True, 0),
            ("dispatch._send", True, 0),
            ("dispatch.progress", True, 0),
        ],
    )
    def test_at_any_point(self, campaign, user, sandbox, monkeypatch, place, after, unknown):
        monkeypatch.setattr(dispatch, "COUNTED_EVERY", 0)
        monkeypatch.setattr(dispatch, "COUNT_SHARE", 0)
        run = approve(campaign, user)
        self.kill_in(monkeypatch, place, run, after=after)
        self.recover(run)
        self.recover(run)
        campaign.refresh_from_db()
        run.refresh_from_db()
        got = received(sandbox)
        assert all(len(texts) == 1 for texts in got.values())
        found = states(campaign)
        assert list(found.values()).count("unknown") == unknown
        assert list(found.values()).count("accepted") == 3 - unknown
        assert campaign.state == ("attention" if unknown else "sent")
        assert reports.equation(campaign).balances
        assert {phone for phone, state in found.items() if state == "accepted"} <= set(got)

    def test_before_the_end_is_counted(self, campaign, user, sandbox, monkeypatch):
        run = approve(campaign, user)
        self.kill_in(monkeypatch, "dispatch.settle", run, after=False, at=1)
        self.recover(run)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.SENT
        assert len(sent_bodies(sandbox)) == 3

    def test_while_stopping(self, campaign, user, sandbox, monkeypatch):
        run = approve(campaign, user)
        self.kill_in(monkeypatch, "ledger._record", run, after=True, at=1)
        lifecycle.stop(campaign)
        self.recover(run)
        campaign.refresh_from_db()
        assert campaign.state == Campaign.State.STOPPED
        assert sorted(states(campaign).values()) == ["accepted", "not_sent", "not_sent"]


def test_while_a_call_of_another_worker_is_on_the_wire_the_rest_is_sent_and_the_campaign_does_not_end(
    account, user, sandbox
):
    book = make_phonebook(account)
    for phone in (ALI, SARA):
        make_contact(book, phone, first_name=phone[-1])
    campaign = prepare(campaign_to(account, book, message="{first_name}"), user)
    run = approve(campaign, user)
    until = timezone.now() + timezone.timedelta(minutes=9)
    slow = run.calls.first()
    Call.objects.filter(pk=slow.pk).update(state=Call.State.ON_WIRE, lease_owner="slow", lease_until=until)
    slow.recipients.update(state="on_wire")
    dispatch.execute(run.pk)
    campaign.refresh_from_db()
    run.refresh_from_db()
    assert sorted(states(campaign).values()) == ["accepted", "on_wire"]
    assert (campaign.state, run.state, run.lease_owner, run.lease_until) == ("sending", "running", "", until)


def test_a_worker_that_lost_the_run_cannot_end_it(account, user):
    book = make_phonebook(account)
    make_contact(book, ALI)
    campaign = prepare(campaign_to(account, book), user)
    run = approve(campaign, user)
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, lease_owner="another")
    with pytest.raises(LeaseLost):
        settle(run, owner="me")
    run.refresh_from_db()
    assert (run.state, run.lease_owner, states(campaign)) == ("running", "another", {ALI: "planned"})


def test_an_answer_later_than_the_sweep_still_counts(account, user, sandbox, monkeypatch):
    book = make_phonebook(account)
    make_contact(book, ALI)
    campaign = prepare(campaign_to(account, book), user)
    run = approve(campaign, user)
    original = vars(ledger)["make"]

    def slow(*args, **kwargs):
        answer = original(*args, **kwargs)
        past = timezone.now() - timezone.timedelta(seconds=1)
        Run.objects.update(lease_until=past)
        Call.objects.update(lease_until=past)
        for run_id in sweep.expired_runs():
            dispatch.execute(run_id)
        assert states(campaign) == {ALI: "unknown"}
        return answer

    monkeypatch.setattr(ledger, "make", slow)
    dispatch.execute(run.pk)
    campaign.refresh_from_db()
    run.refresh_from_db()
    assert states(campaign) == {ALI: "accepted"}
    assert (run.state, campaign.state) == ("finished", "sent")
    assert len(sent_bodies(sandbox)) == 1
