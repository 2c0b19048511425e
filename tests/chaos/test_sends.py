"""Workers are killed at random moments of sends at each provider: nobody is written to twice, and nobody is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from contactsync.campaigns import lifecycle, reports
from contactsync.campaigns.resolve import SEARCHED_AT_ONCE
from contactsync.inbound import handle
from contactsync.models import Callback, Campaign, ProviderAccount
from contactsync.models.fields import Credentials
from contactsync.sync.callbacks import subscribe, unsubscribe
from contactsync.sync.connect import calls_at_once
from contactsync.tasks import execute_run
from providers.sandbox import SandboxServer
from tests.campaigns.companies import COMPANIES, Company
from tests.chaos.scene import SECONDS, Scene
from tests.chaos.sends import Ledger, approved_send, is_over
from tests.factories import make_user

KILLS_PER_RUN = 5
PEOPLE = 40  # in each campaign
SECRET = "whsec_0123456789abcdef0123456789abcdef"
#: who shows our own reference: LOX24 when it is searched, Callbell in its callbacks
PROVING = {"lox24", "callbell"}


@pytest.fixture(params=COMPANIES, ids=lambda company: company.slug)
def company(request: pytest.FixtureRequest) -> Company:
    found: Company = request.param
    return found


@pytest.fixture
def account(
    request: pytest.FixtureRequest, company: Company, sandbox: SandboxServer, scene: Scene
) -> Iterator[ProviderAccount]:
    """With time enough for answers on a busy machine. Callbell calls the site about its messages."""
    account = company.account(sandbox)
    account.settings = {"connect_timeout": 30, "read_timeout": 60}
    account.save()
    if company.slug != "callbell":
        yield account
        return
    site, settings = request.getfixturevalue("live_server"), request.getfixturevalue("settings")
    settings.SITE_URL = site.url.replace("localhost", "127.0.0.1")
    account.credentials = Credentials.seal({**company.credentials, "callback_secret": SECRET})
    account.save()
    sandbox.state("callbell").secret = SECRET
    subscribe(account)
    yield account
    unsubscribe(account)
    sandbox.callbacks.join(SECONDS)


def look_for_proof(sandbox: SandboxServer, campaign: Campaign, lost: set[int]) -> None:
    """What the provider tells or can show of sends whose answer was lost has been looked at, however long that takes."""
    sandbox.callbacks.join(SECONDS)
    while (waiting := Callback.objects.filter(state=Callback.State.RECEIVED)).exists():
        waiting.update(not_before=None)
        handle.handle(campaign.account_id)
    for _ in range(0, len(lost) + 1, SEARCHED_AT_ONCE):
        reports.pull(campaign.pk)


def decide_the_rest(ledger: Ledger, user: User) -> None:
    """A person looks into the provider's panel for each call that nothing proves."""
    for recipient in ledger.recipients:
        if recipient.call and recipient.call.pk in ledger.unknown():
            reports.resolve_unknown(recipient.call, sent=bool(ledger.got(recipient)), user=user)


def assert_decided_by_proof_alone(
    company: Company, sandbox: SandboxServer, campaign: Campaign, lost: set[int]
) -> Counter[str]:
    """Only what was on the wire when a worker died is not known, and of that only what the provider shows is accepted."""
    ledger = Ledger(company, sandbox, campaign)
    ledger.assert_true()
    assert ledger.unknown() <= lost
    look_for_proof(sandbox, campaign, lost)
    ledger = Ledger(company, sandbox, campaign)
    ledger.assert_true()
    assert campaign.state == (Campaign.State.ATTENTION if ledger.unknown() else Campaign.State.SENT)
    arrived = {recipient.call_id for recipient in ledger.recipients if ledger.got(recipient)} & lost
    proven = arrived if company.slug in PROVING else set()
    assert ledger.unknown() == lost - proven
    return Counter(unknown=len(lost), arrived=len(arrived), proven=len(proven), doubles=ledger.doubles())


def test_killed_again_and_again_nobody_is_written_to_twice_and_nobody_is_forgotten(
    company: Company, account: ProviderAccount, sandbox: SandboxServer, scene: Scene, kills: int
) -> None:
    user = make_user()
    book = company.book(account, sandbox, company.phones(PEOPLE))
    found: Counter[str] = Counter()
    while scene.kills < kills:
        found["sends"] += 1
        run = approved_send(book, user, f"send {found['sends']}")
        campaign = Campaign.objects.get(runs=run)
        execute_run.enqueue(run.pk)
        before, already = scene.kills, set(scene.in_flight)
        scene.carry_on(lambda it=campaign: is_over(it), kills=min(KILLS_PER_RUN, kills - before))  # type: ignore[misc]
        lost = set(scene.in_flight) - already
        assert len(lost) <= (scene.kills - before) * 2 * calls_at_once(account)
        found += assert_decided_by_proof_alone(company, sandbox, campaign, lost)
        decide_the_rest(Ledger(company, sandbox, campaign), user)
        campaign.refresh_from_db()
        if campaign.state != Campaign.State.SENT:
            execute_run.enqueue(lifecycle.resume(campaign, user=user).pk)
            scene.carry_on(lambda it=campaign: is_over(it))  # type: ignore[misc]
        Ledger(company, sandbox, campaign).assert_whole()
    print(f"{company.slug}: {dict(found)}")  # noqa: T201
