"""Stories that Hypothesis makes up, each told to an application that has seen nothing before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from contactsync.sync import ledger, line
from tests.chaos.moves import Moves


@contextmanager
def rolled_back() -> Iterator[None]:
    """What is written within is taken back at the end; the durable transactions of the ledger may stand in it."""
    block = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)


class Story(RuleBasedStateMachine):
    """One story: `prepare` sets the scene, `_make` stands in for `ledger.make`, `finish` is what comes at the end.

    Rows, the logbook and what is replaced belong to the story alone. The logbook has to, because a database whose
    rows are taken back is older than its logbook and lets nothing out.
    """

    def __init__(self) -> None:
        super().__init__()
        with ExitStack() as stack:
            self.replaced: pytest.MonkeyPatch = stack.enter_context(pytest.MonkeyPatch.context())
            self.replaced.setattr(line, "wait", lambda seconds: None)
            self.replaced.setattr(ledger, "make", self._make)
            directory = Path(settings.DATA_DIR) / "logbooks" / uuid4().hex
            stack.enter_context(override_settings(LOGBOOK_DIR=directory))
            stack.enter_context(rolled_back())
            self.moves = Moves()
            self.prepare()
            self._own = stack.pop_all()  # Hypothesis ends only what has begun

    def teardown(self) -> None:
        with self._own:
            self.finish()

    def prepare(self) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        return

    def _make(self, *args: Any) -> Any:
        raise NotImplementedError


def retell(story: type[Story], *steps: Callable[[Any], Any]) -> None:
    """One story that somebody thought of. What holds at any time in any other holds in it, too."""
    told = story()
    try:
        for step in steps:
            step(told)
            for invariant in told.invariants:
                invariant.function(told)
    finally:
        told.teardown()


def tell(story: type[Story], *, many: int, steps: int) -> None:
    """So many stories of at most so many steps. A failure shows the steps as they were; they are not made fewer."""
    run_state_machine_as_test(
        story,
        settings=hypothesis_settings(
            max_examples=many,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
