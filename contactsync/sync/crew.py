"""Threads that make the calls of one task, while the task's own thread keeps the books.

Only the task's thread touches the database. The others get calls that are on record already, each with a client of
its own, and hand back what came of them. They ask the task's thread for leave before every request too, so that the
pace of the account is kept in the database as ever, but for many requests in one transaction.
"""

from __future__ import annotations

import queue
import threading
import time
from types import TracebackType
from typing import Any

from contactsync.models import ProviderAccount
from contactsync.sync import ledger, pace
from contactsync.sync.brake import Brake
from contactsync.sync.connect import ProviderError, pacer_of
from contactsync.sync.jobs import Job, Result
from contactsync.sync.line import Line
from contactsync.sync.turns import Blocked, Seen, Turn, Turns, not_now

LONGEST_IN_QUEUE = 30.0  # seconds; a call that waits longer for a thread is not begun: its lease was made for less
LONGEST_TURN = 2 * pace.LONGEST_WAIT  # seconds; further ahead no moment is given to a request
SOON = 1.0  # seconds; what could not leave so soon is not on record as on the wire yet
LOOK_AGAIN = 0.2  # seconds until leave is asked for again that was not given
LONGEST_JOIN = 5.0  # seconds; threads that are in a call still end with the process


class Crew:
    """At most `size` threads, made when they are needed. Everything but the calls happens in the thread that uses it.

    At the end nothing more is begun; whoever wants the results of what is under way collects them first, also
    when a call broke its thread (`collect` raises `RuntimeError` from what it met). After `most_unknown` outcomes in a
    row that are not known, and after one that no other call would fare better than, nothing is begun until `go_on`.
    """

    def __init__(self, account: ProviderAccount, size: int, *, most_unknown: int) -> None:
        self.account = account
        self.size = size
        self.in_hand = 0  # jobs given and not come back
        self._waiting = 0  # of these: no request of theirs has had its turn
        self._brake = Brake(most_unknown)
        self._to_release = 0
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lines: list[Line] = []
        self._back: list[Result] = []  # come back and not collected: kept where something else is raised meanwhile
        self._turns: list[Turn] = []
        self._ask_again_at = 0.0
        self._pacer = pacer_of(account)
        self._learn = self._pacer.watching(None) if self._pacer is not None else None
        self._closing = threading.Event()

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.begin_nothing_more()
        for _ in self._threads:
            self._jobs.put(None)
        until = time.monotonic() + LONGEST_JOIN
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        for line in self._lines:
            line.close()

    def hire(self, hands: int) -> None:
        """Have threads for so many calls, or as many as there may be. Raises as opening a `Line` does."""
        while len(self._threads) < min(self.size, hands):
            self._hire()

    def room(self, most: int) -> int:
        """How many more jobs may be given, with at most so many in hand: no more than may leave `SOON`."""
        free = most - self.in_hand
        if self._pacer is not None:
            free = min(free, max(1, int(SOON / self._pacer.interval)) - self._waiting)
        return max(0, free)

    def give(self, job: Job) -> None:
        """Have a thread make this call, which is on record as on the wire."""
        job.given_at = time.monotonic()
        job.has_left = False
        self.in_hand += 1
        self._waiting += 1
        self._jobs.put(job)

    def go_on(self) -> None:
        """What was collected has been weighed, and other calls may be begun all the same."""
        self._brake.release(self._to_release)
        self._to_release = 0

    def begin_nothing_more(self) -> None:
        """What no thread has begun comes back as not begun, and no request that waits for its turn leaves."""
        self._closing.set()
        for turn in self._turns:
            self._answer(turn, not_now())

    def collect(self, longest: float) -> list[Result]:
        """What has come back; waits for the first at most so many seconds."""
        until = time.monotonic() + longest
        while not self._back:
            self._let_leave()
            seconds = min([until - time.monotonic(), *self._until_next_turn()])
            try:
                self._take(self._inbox.get(timeout=max(0.0, seconds)))
                while True:
                    self._take(self._inbox.get_nowait())
            except queue.Empty:
                if time.monotonic() >= until:
                    break
        results, self._back = self._back, []
        return results

    # The task's thread

    def _hire(self) -> None:
        turns = Turns(self._inbox) if self._pacer is not None else None
        line = Line(self.account, turns=turns)
        thread = threading.Thread(
            target=self._work, args=(line, turns), name=f"calls of account {self.account.pk}", daemon=True
        )
        self._lines.append(line)
        self._threads.append(thread)
        thread.start()

    def _take(self, message: Any) -> None:
        match message:
            case Result():
                self.in_hand -= 1
                self._waiting -= not message.job.has_left
                self._to_release += message.puts_brake_on
                self._back.append(message)
            case Turn() if self._closing.is_set():
                self._answer(message, not_now())
            case Turn():
                self._turns.append(message)
                self._ask_again_at = 0.0
            case Blocked() if self._pacer is not None:
                self._pacer.blocked(message.seconds)
            case Seen() if self._learn is not None:
                self._learn(message.exchange)
                self._ask_again_at = 0.0
            case Exception():
                self.in_hand -= 1
                raise RuntimeError("A thread that makes calls broke down.") from message
            case BaseException():  # whatever ends a process ends this one, as if it had been met here
                raise message

    def _let_leave(self) -> None:
        """Answer the requests that want to leave: those without a moment get one, those whose moment has come may go."""
        if self._pacer is None or not self._turns:
            return
        for turn in self._turns:
            if turn.moment is not None and turn.moment > pace.now() + LONGEST_TURN:  # the clock was set back
                turn.moment = None
        waiting = [turn for turn in self._turns if turn.moment is None]
        if waiting and time.monotonic() >= self._ask_again_at:
            self._ask_for(waiting)
        due = [turn for turn in self._turns if turn.moment is not None and turn.moment <= pace.now()]
        if not due:
            return
        if any(turn.moment is not None and turn.moment > turn.asked_at for turn in due) and self._pacer.is_blocked():
            self._pacer.missed(len(due))
            for turn in due:  # somebody was told to stop meanwhile
                turn.moment = None
            return
        for turn in due:
            self._answer(turn, None)

    def _ask_for(self, waiting: list[Turn]) -> None:
        assert self._pacer is not None  # noqa: S101 - for the type checker
        try:
            moments = self._pacer.take(len(waiting), latest=min(turn.asked_at for turn in waiting) + pace.LONGEST_WAIT)
        except ProviderError as error:
            for turn in waiting:
                self._answer(turn, error)
            return
        for turn, moment in zip(waiting, moments, strict=False):
            turn.moment = moment
        if len(moments) < len(waiting):
            self._ask_again_at = time.monotonic() + LOOK_AGAIN

    def _answer(self, turn: Turn, error: ProviderError | None) -> None:
        turn.error = error
        if error is None and turn.job is not None and not turn.job.has_left:
            turn.job.has_left = True
            self._waiting -= 1
        self._turns = [other for other in self._turns if other is not turn]
        turn.answered.set()

    def _until_next_turn(self) -> list[float]:
        moments = [turn.moment - pace.now() for turn in self._turns if turn.moment is not None]
        if any(turn.moment is None for turn in self._turns):
            moments.append(self._ask_again_at - time.monotonic())
        return moments

    # The others

    def _work(self, line: Line, turns: Turns | None) -> None:
        while (job := self._jobs.get()) is not None:
            too_late = time.monotonic() - job.given_at > LONGEST_IN_QUEUE
            if too_late or self._closing.is_set() or self._brake.is_on:
                self._inbox.put(Result(job, None))
                continue
            line.exchanges.clear()
            if turns is not None:
                turns.job = job
            try:
                performed = ledger.make(job.call, job.make, line, job.deadline)
            except (
                BaseException
            ) as error:  # raised in the task's thread; this one goes on, so that every job comes back
                self._inbox.put(error)
                continue
            with self._brake.order:
                puts_on = self._brake.put_on_after(performed)
                self._inbox.put(Result(job, performed, list(line.exchanges), puts_on))
