"""Every fault the sandbox knows, at every kind of request of everything people do, at each provider.

One part of the matrix is tried each time: some kinds of request, each with one fault, that the printed seed chooses.
`--chaos-all` tries all of it; `--chaos-seed` the same part again.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from contactsync.campaigns import dispatch
from contactsync.models import Call, Campaign, ProviderAccount, Recipient, Run
from contactsync.sync import line
from contactsync.sync.connect import SENDS, Operation, calls_at_once, capabilities, provider_choices, provider_class
from providers.sandbox import SandboxServer
from providers.sandbox.faults import FaultKind
from tests.chaos.more_uses import MORE
from tests.chaos.uses import COMPANY, USES, Scene, SendScene

pytestmark = pytest.mark.django_db

SCENES: dict[str, type[Scene]] = {scene.name: scene for scene in (*USES, *MORE)}
KINDS = 4  # of request that are tried in each scene each time
#: what these mean is sure: nothing was done, or it was and only took longer
SURE = {FaultKind.LATENCY, FaultKind.STATUS_401, FaultKind.STATUS_422, FaultKind.STATUS_429}


#: how operations begin that change nothing
READS = ("check", "estimate_", "find_", "list_", "read_")
#: asked for by a person who waits for the answer, and the same however often: no call of the ledger
NO_CALLS = {Operation.SUBSCRIBE_CALLBACKS, Operation.UNSUBSCRIBE_CALLBACKS}


@dataclass(frozen=True)
class Trouble:
    """A fault, and whether the request is carried out all the same. After all but the sure ones nobody can tell."""

    kind: FaultKind
    processed: bool

    def __str__(self) -> str:
        return f"{self.kind}, {'carried out' if self.processed else 'not carried out'}"


TROUBLES = [
    Trouble(kind, processed)
    for kind in FaultKind
    for processed in ((kind.carries_out,) if kind in SURE else (False, True))
]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "wait", lambda seconds: None)


def kinds_of_request(scene: type[Scene], slug: str, sandbox: SandboxServer) -> dict[str, int]:
    """A name for each kind of request in the scene -> how many go before the first of it. Nothing goes wrong meanwhile."""
    made = scene(slug, sandbox)
    before = len(sandbox.requests)
    made.work()
    kinds: dict[str, int] = {}
    for position, request in enumerate(sandbox.requests[before:]):
        kinds.setdefault(f"{request.method} {re.sub(r'[0-9a-f-]*[0-9][^/]*', '*', request.path)}", position)
    made.finish()
    return kinds


def chosen(kinds: dict[str, int], *, chance: random.Random | None) -> Iterator[tuple[str, int, Trouble]]:
    """What is tried: each kind of request with each trouble, or a few with one each that chance decides."""
    some = list(kinds.items()) if chance is None else chance.sample(list(kinds.items()), min(KINDS, len(kinds)))
    for name, position in some:
        for trouble in TROUBLES if chance is None else chance.sample(TROUBLES, 1):
            yield name, position, trouble


CASES = [
    pytest.param(slug, name, id=f"{slug}-{name}")
    for slug, _label in provider_choices()
    for name, scene in SCENES.items()
    if scene.fits(slug)
]


@pytest.mark.parametrize("slug", [slug for slug, _label in provider_choices()])
def test_every_kind_of_call_is_in_one_of_the_scenes(slug: str, sandbox: SandboxServer) -> None:
    """Or no trouble is ever put at it."""
    for scene in SCENES.values():
        if scene.fits(slug):
            sandbox.reset()
            scene(slug, sandbox).work()
    changing = {name for name in provider_class(slug).capabilities.operations if not name.startswith(READS)}
    made = Call.objects.filter(state=Call.State.ACCEPTED).order_by().values_list("operation", flat=True)
    assert changing - NO_CALLS - set(made) == set()


@pytest.mark.parametrize(("slug", "name"), CASES)
def test_every_fault_at_every_kind_of_request(
    slug: str, name: str, sandbox: SandboxServer, request: pytest.FixtureRequest, chance: random.Random
) -> None:
    kinds = kinds_of_request(SCENES[name], slug, sandbox)
    wrong = []
    everything = request.config.getoption("--chaos-all")
    for where, position, trouble in chosen(kinds, chance=None if everything else chance):
        sandbox.reset()
        scene = SCENES[name](slug, sandbox)
        fault = sandbox.fault(
            trouble.kind, "", provider=slug, skip=position, processed=trouble.processed, seconds=delay(trouble)
        )
        try:
            scene.work()
            assert fault.hits == 1, "the fault was not met"
            assert_as_the_table_says(scene, trouble, sandbox)
            scene.finish()
        except Exception as error:
            wrong.append(f"{where} ({trouble}): {type(error).__name__}: {error}")
            if len(wrong) == 1:
                first = error
    if wrong:
        raise AssertionError("\n".join([f"{len(wrong)} of the troubles end wrong:", *wrong])) from first


def delay(trouble: Trouble) -> float:
    return {FaultKind.LATENCY: 0.05, FaultKind.HANG: 20.0}.get(trouble.kind, 0.0)


def assert_as_the_table_says(scene: Scene, trouble: Trouble, sandbox: SandboxServer) -> None:
    """Before anybody has done anything about it."""
    hit = next(row for row in sandbox.requests if row.fault)
    account = scene.account
    if trouble.kind is FaultKind.STATUS_401:
        assert account.state == ProviderAccount.State.REFUSED
        later = [row for row in sandbox.requests if row.number > hit.number and row.changes]
        on_their_way = calls_at_once(account) - 1
        assert len(later) <= on_their_way, "something was begun after the key had been refused"
    else:
        assert account.state == ProviderAccount.State.READY
    for run in scene.runs():
        at_rest = run.state not in {Run.State.RUNNING, Run.State.STOPPING}
        assert at_rest or run.error_text, f"run {run.pk} is {run.state} and does not say why"
    if isinstance(scene, SendScene):
        assert_send_as_the_table_says(scene, trouble, hit.number, sandbox)


def assert_send_as_the_table_says(scene: SendScene, trouble: Trouble, number: int, sandbox: SandboxServer) -> None:
    sends = {row.number for row in sandbox.requests_to(COMPANY[scene.slug].send_path, provider=scene.slug)}
    if number not in sends:
        return
    states = set(Call.objects.filter(run__campaign=scene.campaign, operation__in=SENDS).values_list("state", flat=True))
    limits = capabilities(scene.account)
    match trouble.kind:
        case FaultKind.LATENCY:
            assert states == {Call.State.ACCEPTED}
        case FaultKind.STATUS_401:
            assert scene.campaign.state == Campaign.State.PAUSED
            assert Call.State.PLANNED in states
        case FaultKind.STATUS_422:
            assert Call.State.REFUSED in states
        case FaultKind.STATUS_429 if not limits.duplicate_send_window:
            assert states <= {Call.State.ACCEPTED, Call.State.PLANNED}
        case _:
            unknown = Call.objects.filter(run__campaign=scene.campaign, state=Call.State.UNKNOWN).first()
            if unknown is None:  # proven by what the provider lists under our reference
                assert trouble.processed
                assert limits.can(Operation.FIND_SENDS)
                return
            people = Recipient.objects.filter(call=unknown)
            assert set(people.values_list("state", flat=True)) == {Recipient.State.UNKNOWN}
            before = {phone: scene.got(phone) for phone in scene.phones}
            for run in scene.runs():
                dispatch.execute(run.pk)
            assert {phone: scene.got(phone) for phone in scene.phones} == before
            assert scene.campaign.state == Campaign.State.ATTENTION
