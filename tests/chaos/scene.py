"""Workers that are killed at random moments, one after the other, until the work is done all the same."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.db.models import Q
from django.utils import timezone

from contactsync import tasks
from contactsync.models import Call, Run
from providers.sandbox import SandboxServer
from providers.sandbox.wire import Request, Response
from tests.chaos.nest import Nest, Process

WORKER = ("worker", "--interval", "0.02", "--no-startup-delay", "-v", "0")
SECONDS = 120  # for what takes ten on a quiet machine
TIME_PASSES_EVERY = 1.0  # seconds between two looks for work that waits for a lease to run out
names = itertools.count(1)


class How(StrEnum):
    """At what a worker is killed."""

    TIME = "by the clock"
    READING = "a request of any kind is on its way"
    LOST = "a request that changes something never arrives"
    CARRIED_OUT = "it is carried out and not answered"
    ANSWERED = "its answer is on its way, or is being written down"


@dataclass(frozen=True)
class Moment:
    how: How
    nth: int  # request of that kind
    seconds: float  # after that


#: moments that always come, while there is something left to be changed
IN_A_CALL = (How.LOST, How.CARRIED_OUT, How.ANSWERED)


def draw(chance: random.Random, hows: Sequence[How], *, alone: bool, most: int) -> Moment:
    """A moment to kill a worker at. Where others are at work too, no request is lost: it might be theirs."""
    how = chance.choice([how for how in hows if alone or how is not How.LOST])
    seconds = {How.TIME: chance.uniform(0, 0.8), How.ANSWERED: chance.uniform(0, 0.03)}
    return Moment(how, chance.randint(1, most), seconds.get(how, 0.0))


class Trap:
    """Kills a process when its moment has come, from inside the sandbox that serves it."""

    def __init__(self, sandbox: SandboxServer) -> None:
        self.sandbox = sandbox
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []
        self._moment: Moment | None = None
        self._victim: Process | None = None
        self._seen = 0
        self._carry_out = sandbox.carry_out
        sandbox.carry_out = self.carry_out  # type: ignore[method-assign]

    def remove(self) -> None:
        self.disarm()
        self.sandbox.carry_out = self._carry_out  # type: ignore[method-assign]

    def arm(self, victim: Process, moment: Moment) -> None:
        with self._lock:
            self._victim, self._moment, self._seen = victim, moment, 0
        if moment.how is How.TIME:
            self._later(victim, moment.seconds)

    def disarm(self) -> None:
        with self._lock:
            self._victim = self._moment = None
            timers, self._timers = self._timers, []
        for timer in timers:
            timer.cancel()
            timer.join()

    def carry_out(self, slug: str, request: Request) -> Response:
        victim, moment = self._hit(changes=self.sandbox.dialects[slug].changes(request))
        if victim and moment and moment.how in {How.LOST, How.READING}:
            victim.kill()
        if moment and moment.how is How.LOST:
            raise ConnectionResetError
        response = self._carry_out(slug, request)
        if victim and moment and moment.how is How.CARRIED_OUT:
            victim.kill()
        if victim and moment and moment.how is How.ANSWERED:
            self._later(victim, moment.seconds)
        return response

    def _hit(self, *, changes: bool) -> tuple[Process | None, Moment | None]:
        with self._lock:
            victim, moment = self._victim, self._moment
            if victim is None or moment is None or moment.how is How.TIME:
                return None, None
            self._seen += changes or moment.how is How.READING
            if self._seen < moment.nth:
                return None, None
            self._victim = self._moment = None
            return victim, moment

    def _later(self, victim: Process, seconds: float) -> None:
        timer = threading.Timer(seconds, victim.kill)
        with self._lock:
            self._timers.append(timer)
            timer.start()


@dataclass
class Scene:
    """So many workers at a time, and what their deaths have left: `in_flight` are the calls that were on the wire."""

    sandbox: SandboxServer
    nest: Nest
    chance: random.Random
    folder: Path
    at_once: int = 1
    command: tuple[str, ...] = WORKER
    workers: list[Process] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    deaths: Counter[str] = field(default_factory=Counter)
    in_flight: dict[int, str] = field(default_factory=dict)  # call -> who was killed with it on the wire

    def __post_init__(self) -> None:
        self.trap = Trap(self.sandbox)
        self._time_passed_at = 0.0

    @property
    def kills(self) -> int:
        return self.deaths.total()

    def leave(self) -> None:
        self.trap.remove()
        for worker in self.workers:
            worker.kill()
        self.workers.clear()

    def carry_on(
        self, settled: Callable[[], bool], *, kills: int = 0, most: int = 6, hows: Sequence[How] = tuple(How)
    ) -> None:
        """Have workers at work, and kill up to so many of them, until it is settled. `most`: of requests that one worker makes."""
        give_up_at = time.monotonic() + SECONDS
        goal = self.kills + kills
        while not settled():
            self.hire()
            victim, moment = self.chance.choice(self.workers), None
            if self.kills < goal:
                moment = draw(self.chance, hows, alone=self.at_once == 1, most=most)
                self.trap.arm(victim, moment)
            while not (victim.ended.wait(0.02) or settled()):
                self._let_time_pass()
                self._all_well()
                assert time.monotonic() < give_up_at, f"Not settled in {SECONDS} seconds.\n{self.said()}"
            self.trap.disarm()
            self._all_well()
            if victim.ended.is_set() and moment is not None:
                self.deaths[moment.how] += 1
                self.bury(victim)

    def hire(self) -> None:
        while len(self.workers) < self.at_once:
            self.workers.append(self.start(*self.command))

    def start(self, *command: str) -> Process:
        """A process with this command line of `manage.py`."""
        return self.nest.start(f"worker-{next(names)}", self.folder / "workers.log", *command)

    def statuses(self, processes: list[Process]) -> list[int | None]:
        """How they ended by themselves."""
        give_up_at = time.monotonic() + SECONDS
        while any(process.poll() is None and not process.ended.wait(0.02) for process in processes):
            assert time.monotonic() < give_up_at, f"Not ended in {SECONDS} seconds.\n{self.said()}"
        return [process.status for process in processes]

    def bury(self, worker: Process) -> None:
        """Note what it had on the wire, and let its leases run out."""
        self.workers.remove(worker)
        self.dead.append(worker.name)
        on_wire = Call.objects.filter(state=Call.State.ON_WIRE, lease_owner__startswith=f"{worker.name}:")
        self.in_flight |= dict.fromkeys(on_wire.values_list("pk", flat=True), worker.name)
        expire_leases(self.dead)

    def said(self) -> str:
        """The end of what the workers have written."""
        log = self.folder / "workers.log"
        return log.read_text(encoding="utf-8")[-5000:] if log.exists() else ""

    def _let_time_pass(self) -> None:
        """As if it were long after: what waits for a lease of the dead, or of nobody, to run out is woken."""
        if time.monotonic() - self._time_passed_at > TIME_PASSES_EVERY:
            expire_leases(self.dead)
            tasks.sweep()
            self._time_passed_at = time.monotonic()

    def _all_well(self) -> None:
        ended = [worker for worker in self.workers if worker.poll() not in {None, -9}]
        assert not ended, f"{ended[0].name} ended by itself with {ended[0].status}.\n{self.said()}"


def expire_leases(dead: list[str]) -> None:
    """As if more time had passed than any lease lasts. Those of the living, who would have renewed theirs, stay."""
    past: dict[str, Any] = {"lease_until": timezone.now() - dt.timedelta(seconds=1)}
    theirs = Q(lease_owner="")
    for name in dead:
        theirs |= Q(lease_owner__startswith=f"{name}:")
    Run.objects.filter(theirs).exclude(lease_until=None).update(**past)
    Call.objects.filter(theirs).exclude(lease_until=None).update(**past)
    Call.objects.exclude(not_before=None).update(not_before=None)
