"""Whatever happens to a send in whatever order: what the books say is what happened.

People click, workers come and die, two at a time, leases run out, answers come late or never. A plain count of what
the provider got, and of what was answered, is the model. `--chaos-all` tries many more stories.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)

from contactsync.campaigns import dispatch, lifecycle, reports
from contactsync.campaigns.problems import CampaignProblem
from contactsync.campaigns.settle import settle_again
from contactsync.models import Call, Campaign, ProviderAccount, Recipient, Run, Suppression
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import accounts, sends, sweep
from contactsync.sync.connect import SENDS
from contactsync.sync.ledger import Performed
from contactsync.sync.policy import Verdict, judge
from providers.exceptions import (
    AuthFailed,
    InsufficientFunds,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Throttled,
)
from providers.types import SendReceipt
from tests.campaigns.conftest import campaign_to, prepare
from tests.chaos import at_ippanel
from tests.chaos.at_ippanel import Killed
from tests.chaos.recovery import (
    ROUNDS,
    assert_books_are_true,
    earlier_calls_are_given_up,
    numbers_of,
    runs_are_given_up,
    time_passes,
)
from tests.chaos.story import Story, retell, tell
from tests.factories import make_account, make_contact, make_phonebook, make_user

pytestmark = pytest.mark.django_db
one_text_per_call = at_ippanel.one_text_per_call

PHONES = [f"+98912000001{number}" for number in range(5)]
#: what the provider does with a send -> (whether it has it, what comes back; None: the worker dies before it knows)
ANSWERS: dict[str, tuple[bool, ProviderError | None]] = {
    "accepted": (True, None),
    "refused": (False, Rejected("No.")),
    "lost on the way there": (False, OutcomeUnknown("Nothing came back.")),
    "lost on the way back": (True, OutcomeUnknown("Nothing came back.")),
    "not sent": (False, NotSent("Nobody is there.")),
    "asked too often": (False, Throttled("Wait.", status=None, retry_after=60.0)),
    "no credit": (False, InsufficientFunds("Pay.")),
    "key refused": (False, AuthFailed("Who are you?")),
}
MEANWHILE = [
    "nothing",
    "lease runs out",
    "lease runs out",
    "stop",
    "another worker",
    "taken over",
    "earlier calls are given up",
    "opt out",
    "dies before",
    "dies after",
]
Step = tuple[str, str]
STEPS = st.lists(st.tuples(st.sampled_from(sorted(ANSWERS)), st.sampled_from(MEANWHILE)), min_size=2, max_size=5)


class Sends(Story):
    """One campaign to five people, five calls, one at a time per worker."""

    def prepare(self) -> None:
        self.replaced.setattr(accounts, "note_balance", lambda account: None)
        self.replaced.setattr(sends, "estimate", nobody_tells_a_price)
        self.user: User = make_user()
        self.account: ProviderAccount = make_account(base_url="http://127.0.0.1:9")
        book = make_phonebook(self.account)
        for phone in PHONES:
            make_contact(book, phone, first_name=phone[-1])
        self.campaign: Campaign = prepare(campaign_to(self.account, book, message="Hi {first_name}"), self.user)
        # The model
        self.got: Counter[str] = Counter()  # messages the provider has
        self.misjudged: Counter[str] = Counter()  # people said “not sent” although it was
        self.given_up: set[str] = set()  # people said “sent” although it was not
        self.doubtful: set[int] = set()  # calls of which nobody knows what became of them
        self.may_leave_doubt = False  # a person has decided, or an answer came late
        self.script: list[Step] = []

    # The provider, and what goes on while it thinks

    def _make(self, call: Call, provider_call: Any, line: Any, deadline: Any = None) -> Performed[Any]:
        answer, meanwhile = self.script.pop(0) if self.script else ("accepted", "nothing")
        has_it, error = ANSWERS[answer]
        if meanwhile == "dies before":
            self.doubtful.add(call.pk)
            raise Killed
        self.doubtful.add(call.pk)
        if has_it:
            self.got.update(numbers_of(call))
        self._meanwhile(meanwhile, call)
        if meanwhile == "dies after":
            raise Killed
        call_now = Call.objects.get(pk=call.pk)
        if call_now.state == Call.State.UNKNOWN:
            self.may_leave_doubt = True  # this answer is late, and counts all the same
        if error is None:
            self.doubtful.discard(call.pk)
            return Performed(SendReceipt(references=(f"r{call.pk}",)), None, Verdict.DONE)
        verdict = judge(error, operation=call.operation, capabilities=line.capabilities)
        if verdict is not Verdict.UNKNOWN and not (
            call_now.state == Call.State.UNKNOWN and verdict is not Verdict.FAIL_ITEM
        ):
            self.doubtful.discard(call.pk)
        return Performed(None, error, verdict)

    def _meanwhile(self, what: str, call: Call) -> None:
        match what:
            case "stop":
                self._try(lambda: lifecycle.stop(self._fresh()))
            case "lease runs out":
                time_passes()
                self._sweep()
            case "another worker":
                self._execute()
            case "taken over":
                runs_are_given_up()
                self._execute()
            case "earlier calls are given up":
                earlier_calls_are_given_up(call)
            case "opt out":
                Suppression.objects.get_or_create(phone=PHONES[0])

    # What people and machines do

    def _fresh(self) -> Campaign:
        return Campaign.objects.select_related("account").get(pk=self.campaign.pk)

    def _try(self, step: Callable[[], Any]) -> None:
        try:
            step()
        except (TransitionRefused, CampaignProblem):
            return  # it was not possible, and said so

    def _execute(self) -> None:
        for pk in Run.objects.filter(campaign=self.campaign).order_by("pk").values_list("pk", flat=True):
            try:
                dispatch.execute(pk)
            except Killed:
                return

    def _sweep(self) -> None:
        for run in sweep.recover_lost_calls():
            settle_again(run)
        for pk in sweep.expired_runs():
            try:
                dispatch.execute(pk)
            except Killed:
                return

    @initialize()
    def begin(self) -> None:
        self._approve()

    def _approve(self) -> None:
        campaign = self._fresh()
        lifecycle.begin_send(campaign, user=self.user, audience_hash=campaign.audience_hash)

    def _mend(self) -> None:
        ProviderAccount.objects.update(state=ProviderAccount.State.READY, state_reason={})

    @rule(
        what=st.sampled_from(["stop", "mend", "resume", "stop", "opt out", "approve", "leave unsent"]),
        phone=st.sampled_from(PHONES),
    )
    def a_person_does(self, what: str, phone: str) -> None:
        match what:
            case "approve":
                self._try(self._approve)
            case "stop":
                self._try(lambda: lifecycle.stop(self._fresh()))
            case "resume":
                self._try(lambda: lifecycle.resume(self._fresh(), user=self.user))
            case "leave unsent":
                self._try(lambda: lifecycle.leave_unsent(self._fresh(), user=self.user))
            case "mend":
                self._mend()
            case "opt out":
                Suppression.objects.get_or_create(phone=phone)

    @rule(script=STEPS)
    def a_worker_comes(self, script: list[Step]) -> None:
        self.script = script
        self._execute()
        self.script = []

    @rule(script=STEPS)
    def another_takes_over(self, script: list[Step]) -> None:
        """What the first had on the wire is not decided yet."""
        runs_are_given_up()
        self.a_worker_comes(script)

    @rule(script=STEPS)
    def time_goes_by_and_the_sweep_comes(self, script: list[Step]) -> None:
        self.script = script
        time_passes()
        self._sweep()
        self.script = []

    @rule(script=STEPS)
    def a_person_goes_on(self, script: list[Step]) -> None:
        self._mend()
        self._try(lambda: lifecycle.resume(self._fresh(), user=self.user))
        self.script = script
        self._execute()
        self.script = []

    @rule()
    def the_sweep_comes_too_early(self) -> None:
        self._sweep()

    @precondition(lambda self: self.doubtful)
    @rule(is_right=st.sampled_from([True, True, True, False]))
    def a_person_decides(self, is_right: bool) -> None:
        call = Call.objects.filter(state=Call.State.UNKNOWN).order_by("pk").first()
        if call is not None:
            self._decide(call, is_right=is_right)

    def _decide(self, call: Call, *, is_right: bool) -> None:
        (phone,) = numbers_of(call)
        was_sent = self.got[phone] > self.misjudged[phone] + self._others(call, phone)
        sent = was_sent if is_right else not was_sent
        self.may_leave_doubt = True
        reports.resolve_unknown(call, sent=sent, user=self.user)
        self.doubtful.discard(call.pk)
        if was_sent and not sent:
            self.misjudged[phone] += 1
        if sent and not was_sent:
            self.given_up.add(phone)

    def _others(self, call: Call, phone: str) -> int:
        others = Call.objects.filter(state=Call.State.ACCEPTED).exclude(pk=call.pk)
        return sum(phone in numbers_of(other) for other in others)

    @precondition(lambda self: self.doubtful)
    @rule()
    def the_provider_proves_a_send(self) -> None:
        for call in Call.objects.filter(state=Call.State.UNKNOWN):
            (phone,) = numbers_of(call)
            if self.got[phone] > self.misjudged[phone] + self._others(call, phone):
                self.may_leave_doubt = True
                assert reports.resolve_by_callback(call.uuid, "r")
                self.doubtful.discard(call.pk)
                return

    def finish(self) -> None:
        """People can bring it to its end, whatever it was like on the way, and nobody was forgotten."""
        for _ in range(ROUNDS):
            self._mend()
            time_passes()
            self._sweep()
            for call in Call.objects.filter(state=Call.State.UNKNOWN):
                self._decide(call, is_right=True)
            if self._fresh().state not in {Campaign.State.PAUSED, Campaign.State.STOPPED, Campaign.State.ATTENTION}:
                break
            self._try(lambda: lifecycle.resume(self._fresh(), user=self.user))
            self._execute()
        self.the_numbers_add_up()
        self.nobody_got_it_twice_but_by_a_wrong_word()
        campaign = self._fresh()
        was_closed = campaign.state == Campaign.State.CANCELLED or "left_so" in campaign.summary
        over = {Recipient.State.ACCEPTED, Recipient.State.REFUSED, Recipient.State.EXCLUDED}
        suppressed = set(Suppression.objects.values_list("phone", flat=True))
        for person in Recipient.objects.all():
            if person.state == Recipient.State.ACCEPTED:
                assert self.got[person.phone] or person.phone in self.given_up, f"{person} counts and got nothing"
            elif person.state not in over:
                assert person.state == Recipient.State.NOT_SENT, f"{person} is left in the state “{person.state}”"
                assert was_closed or person.phone in suppressed, f"{person} was forgotten"
        assert not Run.objects.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING, Run.State.STOPPING]).exists()

    # What holds at any time

    @invariant()
    def the_numbers_add_up(self) -> None:
        assert_books_are_true(self.campaign)

    @invariant()
    def nobody_got_it_twice_but_by_a_wrong_word(self) -> None:
        for phone, count in self.got.items():
            assert count <= 1 + self.misjudged[phone], f"{phone} got {count}"

    @invariant()
    def what_is_not_known_says_so(self) -> None:
        open_states = [Call.State.ON_WIRE, Call.State.UNKNOWN]
        found = set(Call.objects.filter(state__in=open_states, operation__in=SENDS).values_list("pk", flat=True))
        assert found == self.doubtful

    @invariant()
    def what_is_known_is_true(self) -> None:
        for recipient in Recipient.objects.filter(state=Recipient.State.ACCEPTED, error={}):
            assert self.got[recipient.phone], f"{recipient.phone} counts as accepted and got nothing"

    @invariant()
    def states_change_as_the_tables_say(self) -> None:
        moves = self.moves.new()
        assert not [str(move) for move in moves if not move.is_allowed]
        out_of_doubt = [move for move in moves if move.model is Call and move.old == Call.State.UNKNOWN]
        assert self.may_leave_doubt or not out_of_doubt, [str(move) for move in out_of_doubt]
        self.may_leave_doubt = False

    @invariant()
    def a_campaign_at_its_end_is_green_only_when_all_is_well(self) -> None:
        if self._fresh().state == Campaign.State.SENT and not self._fresh().summary.get("left_so"):
            states = set(Recipient.objects.values_list("state", flat=True))
            assert states <= {Recipient.State.ACCEPTED, Recipient.State.EXCLUDED}, states


def nobody_tells_a_price(*args: Any, **kwargs: Any) -> None:
    raise NotSent("Nobody is there.")


@pytest.mark.usefixtures("one_text_per_call")
def test_any_story_of_a_send_leaves_true_books(db: None, request: pytest.FixtureRequest) -> None:
    thorough = request.config.getoption("--chaos-all")
    tell(Sends, many=250 if thorough else 25, steps=40 if thorough else 15)


def nothing_is_open(story: Sends) -> None:
    """Nobody waits for a worker or for a decision that nobody could make."""
    assert story._fresh().state == Campaign.State.STOPPED, story._fresh().error_text
    assert not Call.objects.filter(state__in=[Call.State.PLANNED, Call.State.ON_WIRE, Call.State.UNKNOWN]).exists()
    assert set(Recipient.objects.values_list("state", flat=True)) <= {
        Recipient.State.NOT_SENT,
        Recipient.State.ACCEPTED,
    }


def is_now(state: str) -> Callable[[Sends], None]:
    """The campaign is in this state."""

    def check(story: Sends) -> None:
        assert story._fresh().state == state, story._fresh().error_text

    return check


#: what chance would hardly come upon: the steps of one story
TOLD: dict[str, list[Callable[[Any], Any]]] = {
    "a call did not get through, and its run was stopped by then": [
        lambda story: story.begin(),
        lambda story: story.a_worker_comes([("not sent", "taken over"), ("no credit", "stop")]),
        nothing_is_open,
    ],
    "a call was accepted, and its run was stopped by then": [
        lambda story: story.begin(),
        lambda story: story.a_worker_comes([("accepted", "taken over"), ("no credit", "stop")]),
        nothing_is_open,
    ],
    "a call is on the wire of one who is dead, and everything else is done and then stopped": [
        lambda story: story.begin(),
        lambda story: story.a_worker_comes([("accepted", "dies after")]),
        lambda story: story.another_takes_over([("no credit", "nothing")]),
        is_now(Campaign.State.PAUSED),
        lambda story: story.a_person_goes_on([]),
        is_now(Campaign.State.SENDING),  # what is not known yet is not called so
        lambda story: story.a_person_does("stop", PHONES[0]),
        is_now(Campaign.State.STOPPING),
        lambda story: story.time_goes_by_and_the_sweep_comes([]),
        is_now(Campaign.State.ATTENTION),
    ],
    "a call did not get through, but was called unknown before it said so": [
        lambda story: story.begin(),
        lambda story: story.a_worker_comes([("not sent", "lease runs out")]),
        is_now(Campaign.State.ATTENTION),
    ],
    "earlier calls are decided while the next is under way, and a person decides wrongly": [
        lambda story: story.begin(),
        lambda story: story.a_worker_comes([("accepted", "dies after")]),
        lambda story: story.another_takes_over([("accepted", "earlier calls are given up")]),
        lambda story: story.a_person_decides(is_right=False),
    ],
}


@pytest.mark.usefixtures("one_text_per_call")
@pytest.mark.parametrize("told", TOLD)
def test_a_story_that_somebody_thought_of(db: None, told: str) -> None:
    retell(Sends, *TOLD[told])
