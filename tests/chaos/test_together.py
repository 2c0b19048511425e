"""Several workers at once, killed now and then, and two people who press the same button at the same moment."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from contactsync.models import Campaign, ProviderAccount, Run
from contactsync.tasks import execute_run
from providers.sandbox import SandboxServer
from tests.admin.flow_rows import address, client_of
from tests.campaigns.companies import COMPANIES
from tests.chaos import pushes, sends
from tests.chaos.scene import Scene
from tests.factories import make_user
from tests.sync.sides import SIDES
from tests.sync.test_two_workers import at_once

PEOPLE = 12
COMPANY = {company.slug: company for company in COMPANIES}


def account_for_both(sandbox: SandboxServer, slug: str, **settings: int) -> ProviderAccount:
    """One that pushes and sends."""
    account = pushes.busy_account(SIDES[slug](sandbox), **settings)
    account.default_sender = COMPANY[slug].sender
    account.save()
    return account


def all_over(runs: list[Run], campaigns: list[Campaign]) -> bool:
    return all(pushes.is_over(run) for run in runs) and all(sends.is_over(campaign) for campaign in campaigns)


def test_two_workers_at_two_pushes_and_two_sends_of_one_account_are_killed_in_turn(
    sandbox: SandboxServer, scene: Scene
) -> None:
    scene.at_once = 2
    side, company = SIDES["lox24"](sandbox), COMPANY["lox24"]
    account = account_for_both(sandbox, "lox24")
    book, user = company.book(account, sandbox, company.phones(PEOPLE)), make_user()
    runs = [pushes.approved_push(side, account, first, people=PEOPLE) for first in (100, 200)]
    posts = [sends.approved_send(book, user, title) for title in ("one", "two")]
    campaigns = list(Campaign.objects.order_by("pk"))
    for run in [posts[0], runs[0], posts[1], runs[1]]:
        execute_run.enqueue(run.pk)
        execute_run.enqueue(run.pk)  # so that both workers are told of the same one at once
    scene.carry_on(lambda: all_over(runs, campaigns), kills=4, most=8)
    for run in runs:
        pushes.assert_in_step(side, run)
    for campaign in campaigns:
        ledger = sends.Ledger(company, sandbox, campaign)
        ledger.assert_true()
        assert ledger.unknown() <= set(scene.in_flight)


def test_two_clicks_at_once_send_once_and_push_once(sandbox: SandboxServer, scene: Scene) -> None:
    scene.at_once = 2
    side, company = SIDES["ippanel"](sandbox), COMPANY["ippanel"]
    account = account_for_both(sandbox, "ippanel")
    book = company.book(account, sandbox, company.phones(PEOPLE))
    campaign = sends.prepared_send(book, make_user(), "once")
    run = pushes.planned_push(side, account, 100, people=PEOPLE)
    people = [client_of("Marketing lead") for _ in range(2)]
    sent, approved = {"audience_hash": campaign.audience_hash}, {"plan_hash": run.plan_hash, "delete_too": "yes"}
    answers: list[int] = []

    def press(client: Any, row: Any, step: str, data: dict[str, str]) -> None:
        answers.append(client.post(address(row, step), data).status_code)

    clicks = [lambda client=client: press(client, campaign, "send", sent) for client in people]
    clicks += [lambda client=client: press(client, run, "approve", approved) for client in people]
    assert at_once(*clicks) == []
    assert answers == [302] * 4
    scene.carry_on(lambda: all_over([run], [campaign]))
    pushes.assert_in_step(side, run)
    sends.Ledger(company, sandbox, campaign).assert_whole()
    assert campaign.runs.count() == 1
    assert set(campaign.runs.get().calls.values_list("attempts", flat=True)) == {1}


def test_one_command_in_two_processes_at_once_sends_once_and_pushes_once(sandbox: SandboxServer, scene: Scene) -> None:
    side, company = SIDES["callbell"](sandbox), COMPANY["callbell"]
    account = account_for_both(sandbox, "callbell")
    book = company.book(account, sandbox, company.phones(PEOPLE))
    campaign = sends.prepared_send(book, make_user(), "once")
    run = pushes.planned_push(side, account, 100, people=PEOPLE)
    both = [scene.start("send_campaign", str(campaign.pk)) for _ in range(2)]
    assert sorted(scene.statuses(both)) == [0, 1], scene.said()
    both = [scene.start("runs", str(run.pk), "--approve", "--yes") for _ in range(2)]
    assert sorted(scene.statuses(both)) == [0, 1], scene.said()
    run.refresh_from_db()
    pushes.assert_in_step(side, run)
    sends.Ledger(company, sandbox, campaign).assert_whole()
    assert campaign.runs.count() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="four workers need PostgreSQL: SQLite has one writer")
def test_four_workers_at_several_accounts_keep_the_rate_of_each_and_do_nothing_twice(
    sandbox: SandboxServer, scene: Scene, kills: int
) -> None:
    scene.at_once = 4
    sandbox.settings.limits = True
    slow, fast = SIDES["atomtelecom"](sandbox), SIDES["callbell"](sandbox)
    company = COMPANY["atomtelecom"]
    account = account_for_both(sandbox, "atomtelecom", requests_per_second=8)
    book, user = company.book(account, sandbox, company.phones(PEOPLE)), make_user()
    other = account_for_both(sandbox, "callbell", requests_per_second=100)
    for number in range(1, max(1, kills // 4) + 1):
        at_slow = [pushes.approved_push(slow, account, 1000 * number + first, people=PEOPLE) for first in (100, 200)]
        at_fast = [pushes.approved_push(fast, other, 1000 * number + first, people=PEOPLE) for first in (300, 400)]
        runs = [*at_slow, *at_fast]
        post = sends.approved_send(book, user, f"slowly {number}")
        campaign = Campaign.objects.get(runs=post)
        before = len(sandbox.requests)
        for run in [post, *runs]:
            execute_run.enqueue(run.pk)
        scene.carry_on(lambda runs=runs, it=campaign: all_over(runs, [it]), kills=4, most=8)  # type: ignore[misc]
        for run in at_slow:
            pushes.assert_in_step(slow, run)
        for run in at_fast:
            pushes.assert_in_step(fast, run)
        sends.Ledger(company, sandbox, campaign).assert_true()
        paced = [request for request in sandbox.requests[before:] if request.provider == "atomtelecom"]
        assert {request.status for request in paced} == {200}
        assert max(r.at for r in paced) - min(r.at for r in paced) > (len(paced) - 1) / 8 * 0.9
