"""Whatever happens to pushes in whatever order: nobody is at the provider twice, and what counts as in step is.

The provider is one in memory that gives no promise about repeating, so that everything has to be looked up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from contactsync.models import Call, Contact, Phonebook, ProviderAccount, Run, RunItem
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import executor, ledger, planner, sweep
from contactsync.sync import lifecycle as runs
from contactsync.sync.ledger import Performed
from contactsync.sync.policy import judge
from providers import registry
from providers.exceptions import AuthFailed, NotSent, OutcomeUnknown, ProviderError, Rejected, Throttled
from tests.chaos.at_ippanel import Killed
from tests.chaos.recovery import (
    ROUNDS,
    earlier_calls_are_given_up,
    runs_are_given_up,
    sweep_up,
    time_passes,
)
from tests.chaos.story import Story, retell, tell
from tests.factories import make_account, make_contact, make_phonebook, numbers
from tests.sync.fake_provider import FakeProvider

pytestmark = pytest.mark.django_db

really_make = ledger.make
#: what becomes of a call -> (whether the provider does it, what comes back; None: its own answer)
ANSWERS: dict[str, tuple[bool, ProviderError | None]] = {
    "done": (True, None),
    "done, too": (True, None),
    "lost on the way there": (False, OutcomeUnknown("Nothing came back.")),
    "lost on the way back": (True, OutcomeUnknown("Nothing came back.")),
    "refused": (False, Rejected("No.")),
    "not sent": (False, NotSent("Nobody is there.")),
    "asked too often": (False, Throttled("Wait.", retry_after=60.0)),
    "key refused": (False, AuthFailed("Who are you?")),
}
MEANWHILE = [
    "nothing",
    "edit",
    "edit",
    "delete and plan",
    "lease runs out",
    "stop",
    "another worker",
    "taken over",
    "earlier calls are given up",
    "dies before",
    "dies after",
]
STEPS = st.lists(st.tuples(st.sampled_from(sorted(ANSWERS)), st.sampled_from(MEANWHILE)), min_size=2, max_size=6)
WHICH = st.integers(0, 3)


class Pushes(Story):
    """One phonebook, pushed and changed again and again."""

    def prepare(self) -> None:
        FakeProvider.reset()
        self.replaced.setitem(registry.BACKENDS, "fake", "tests.sync.fake_provider.FakeProvider")
        self.account: ProviderAccount = make_account(provider="fake")
        self.book: Phonebook = make_phonebook(self.account)
        for _ in range(3):
            make_contact(self.book, first_name="Sara")
        self.script: list[tuple[str, str]] = []

    # The provider, and what goes on while it thinks

    def _make(self, call: Call, provider_call: Any, line: Any, deadline: Any = None) -> Performed[Any]:
        answer, meanwhile = self.script.pop(0) if self.script else ("done", "nothing")
        does_it, error = ANSWERS[answer]
        if meanwhile == "dies before":
            raise Killed
        performed = really_make(call, provider_call, line, deadline) if does_it else None
        self._meanwhile(meanwhile, call)
        if meanwhile == "dies after":
            raise Killed
        if performed is not None and (error is None or performed.error is not None):
            return performed
        assert error is not None
        return Performed(None, error, judge(error, operation=call.operation, capabilities=line.capabilities))

    def _meanwhile(self, what: str, call: Call) -> None:
        match what:
            case "stop":
                self._stop()
            case "another worker":
                self._execute()
            case "taken over":
                runs_are_given_up()
                self._execute()
            case "earlier calls are given up":
                earlier_calls_are_given_up(call)
            case "delete and plan":  # all of whom it is not known yet that they are there
                Contact.objects.present().filter(remote_id="").update(deleted_at=timezone.now())
                planner.plan(planner.create_push_run(Phonebook.objects.get(pk=self.book.pk)).pk)
            case "lease runs out":
                time_passes()
                self._sweep()
            case "edit":
                for which in range(Contact.objects.present().count()):
                    self._edit(which, f"Meanwhile {next(numbers)}")

    # What people and machines do

    def _try(self, step: Callable[[], Any]) -> None:
        try:
            step()
        except TransitionRefused:
            return  # it was not possible, and said so

    def _last(self) -> Run | None:
        return Run.objects.order_by("-pk").first()

    def _execute(self) -> None:
        for pk in Run.objects.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING]).values_list("pk", flat=True):
            try:
                executor.execute(pk)
            except Killed:
                return

    def _sweep(self) -> None:
        sweep.recover_lost_calls()
        for pk in sweep.expired_runs():
            try:
                executor.execute(pk)
            except Killed:
                return

    def _edit(self, which: int, name: str) -> None:
        contacts = list(Contact.objects.present().filter(phonebook=self.book).order_by("pk"))
        if contacts:
            contact = contacts[which % len(contacts)]
            contact.first_name = name
            contact.save()

    def _delete(self, which: int) -> None:
        contacts = list(Contact.objects.present().filter(phonebook=self.book).order_by("pk"))
        for contact in contacts[which:][:1]:
            Contact.objects.filter(pk=contact.pk).update(deleted_at=timezone.now())

    @rule(what=st.sampled_from(["edit", "add", "delete", "stop"]), which=WHICH)
    def a_person_does(self, what: str, which: int) -> None:
        match what:
            case "edit":
                self._edit(which, f"Name {next(numbers)}")
            case "add":
                make_contact(self.book, first_name="New")
            case "delete":
                self._delete(which)
            case "stop":
                self._stop()

    @rule(script=STEPS)
    def push(self, script: list[tuple[str, str]]) -> None:
        self.script = script
        run = planner.create_push_run(Phonebook.objects.get(pk=self.book.pk))
        planner.plan(run.pk)
        run.refresh_from_db()
        self._try(lambda: runs.approve(run))
        self._execute()
        self.script = []

    @rule(script=STEPS)
    def another_takes_over(self, script: list[tuple[str, str]]) -> None:
        """What the first had on the wire is not decided yet."""
        runs_are_given_up()
        self.script = script
        self._execute()
        self.script = []

    @rule(script=STEPS)
    def time_goes_by_and_the_sweep_comes(self, script: list[tuple[str, str]]) -> None:
        self.script = script
        time_passes()
        self._sweep()
        self.script = []

    def _stop(self) -> None:
        for run in Run.objects.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING, Run.State.PAUSED]):
            self._try(lambda run=run: runs.stop(run))  # type: ignore[misc]

    @rule(script=STEPS)
    def resume(self, script: list[tuple[str, str]]) -> None:
        ProviderAccount.objects.update(state=ProviderAccount.State.READY, state_reason={})
        self.script = script
        if run := Run.objects.filter(state__in=[Run.State.PAUSED, Run.State.STOPPED]).order_by("-pk").first():
            self._try(lambda: runs.resume(run))
            self._execute()
        self.script = []

    def finish(self) -> None:
        """All is well in the end, whatever it was like on the way."""
        for _ in range(ROUNDS):
            ProviderAccount.objects.update(state=ProviderAccount.State.READY, state_reason={})
            sweep_up()
            for run in Run.objects.filter(state=Run.State.PAUSED):
                executor.execute(runs.resume(run).pk)
            runs.mark_for_readding(Contact.objects.filter(phonebook=self.book))
            self.push([])
            last = self._last()
            if last is not None and last.state == Run.State.FINISHED and last.plan["calls"] == 0:
                break
        there = {record.phone: record.first_name for record in self._there().values()}
        assert there == dict(Contact.objects.present().values_list("phone", "first_name"))
        assert set(Contact.objects.present().values_list("sync_state", flat=True)) <= {Contact.SyncState.SYNCED}
        # Who was deleted before the first push stays as long as a run that can go on has it in its plan.
        planned = RunItem.objects.filter(state=RunItem.State.PLANNED, run__state=Run.State.STOPPED)
        left = Contact.objects.exclude(deleted_at=None).exclude(pk__in=planned.values("contact_id"), remote_id="")
        assert not left.exists(), list(left.values())

    # What holds at any time

    def _there(self) -> dict[str, Any]:
        remote_id = Phonebook.objects.values_list("remote_id", flat=True).get(pk=self.book.pk)
        return FakeProvider.contacts.get(remote_id, {})

    @invariant()
    def nothing_is_there_twice(self) -> None:
        titles = Counter(spec.title for spec in FakeProvider.books.values())
        assert max(titles.values(), default=0) <= 1, titles
        for contacts in FakeProvider.contacts.values():
            phones = Counter(record.phone for record in contacts.values())
            assert max(phones.values(), default=0) <= 1, phones

    @invariant()
    def who_counts_as_in_step_is(self) -> None:
        there = self._there()
        for contact in Contact.objects.present().filter(sync_state=Contact.SyncState.SYNCED):
            assert contact.remote_id in there, f"{contact} is not there"
            assert there[contact.remote_id].first_name == contact.first_name

    @invariant()
    def the_numbers_add_up(self) -> None:
        for run in Run.objects.exclude(counts={}):
            assert run.counts["balances"], (run.pk, run.state, run.counts)

    @invariant()
    def states_change_as_the_tables_say(self) -> None:
        wrong = [str(move) for move in self.moves.new() if not move.is_allowed]
        assert not wrong


def test_any_story_of_pushes_ends_well(db: None, request: pytest.FixtureRequest) -> None:
    thorough = request.config.getoption("--chaos-all")
    tell(Pushes, many=250 if thorough else 20, steps=25 if thorough else 10)


OK = ("done", "nothing")
#: what chance would hardly come upon: the steps of one story
TOLD: dict[str, list[Callable[[Any], Any]]] = {
    "creates of a dead worker are decided while another makes the next ones": [
        lambda story: story.push([OK, ("done", "dies after")]),
        lambda story: story.another_takes_over([("done", "earlier calls are given up")]),
    ],
    "a contact goes, and a plan is made, while its creation is on the wire": [
        lambda story: story.push([OK, ("done", "delete and plan")]),
    ],
    "a contact goes, and a plan is made, while its creation is of unknown outcome": [
        lambda story: story.push([OK, ("done", "dies after")]),
        lambda story: story.a_person_does("delete", 0),
        lambda story: story.push([]),
        lambda story: story.time_goes_by_and_the_sweep_comes([]),
    ],
}


@pytest.mark.parametrize("told", TOLD)
def test_a_story_that_somebody_thought_of(db: None, told: str) -> None:
    retell(Pushes, *TOLD[told])
