"""The page of what is not known: searched, looked at, and decided by those who may."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from contactsync.admin.calls import unknown_search
from contactsync.campaigns import evidence
from contactsync.models import Call, Campaign, Evidence, ProviderAccount, Recipient, Run
from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import campaign_to, prepare, send
from tests.factories import make_account, make_user

PAGE, PROGRESS = "/admin/unknown/", "/admin/unknown/progress/"
IPPANEL, ATOM, LOX24, CALLBELL = COMPANIES


@pytest.fixture
def account(db, sandbox) -> ProviderAccount:
    return IPPANEL.account(sandbox)


@pytest.fixture
def lost(account, sandbox) -> Campaign:
    """A campaign that arrived, and whose answer did not."""
    book = IPPANEL.book(account, sandbox, IPPANEL.phones(2))
    campaign = prepare(campaign_to(account, book, message="Spring sale", title="Spring"))
    sandbox.fault("reset_after", IPPANEL.send_path)
    send(campaign, make_user())
    Call.objects.update(started_at=timezone.now() - dt.timedelta(minutes=12))
    sandbox.advance(3600)
    return campaign


def as_lead(client) -> None:
    client.force_login(make_user(group="Marketing lead"))


def found() -> Evidence:
    return Evidence.objects.get()


def test_a_search_in_the_background_brings_the_evidence_and_a_proposal(client, lost, run_tasks):
    client.force_login(make_user(is_superuser=True))
    before = client.get(PAGE).content.decode()
    assert "no proposal yet" in before
    asked = client.post(reverse("admin:unknown_search"), follow=True)
    run_tasks()
    after = client.get(PAGE).content.decode()
    assert "shows exactly these people (2)" in after
    assert "people of this call: 2, missing: 0, others: 0" in after
    assert found().references[0] in after
    assert "The text of this call:" in after
    assert "data-progress-url" in asked.content.decode()


def test_the_page_shows_how_far_a_search_is_and_by_itself_what_it_found(client, lost, run_tasks):
    other = make_account(name="Another")
    run = Run.objects.create(kind=Run.Kind.PUSH, account=other, state=Run.State.ATTENTION)
    Call.objects.create(run=run, sequence=1, operation="create_option", state=Call.State.UNKNOWN)
    evidence.search_account(lost.account_id)  # what was found before does not count
    client.force_login(make_user(is_superuser=True))
    shown_only = {"evidence__proposal": "sent"}
    page = client.post(f"{reverse('admin:unknown_search')}?{urlencode(shown_only)}", follow=True)
    assert page.context["table"].is_narrowed
    assert (page.context["searching"].done, page.context["searching"].total) == (0, 1)
    assert reverse("admin:unknown_search") not in page.content.decode()  # one search is enough
    asked = {**shown_only, "searched_since": page.redirect_chain[0][0].rpartition("searched_since=")[2]}
    assert client.get(PROGRESS, asked).json() | {"counts": {}} == {
        "state": "searching", "label": "The providers are being searched.", "running": True, "rests": False,
        "done": 0, "total": 1, "line": "0 of 1", "counts": {},
    }  # fmt: skip
    run_tasks()
    assert client.get(PROGRESS, asked).json()["running"] is False
    assert client.get(PAGE, asked).context["searching"] is None


def test_the_page_does_not_wait_for_ever_for_a_search(client, lost):
    as_lead(client)
    page = client.post(reverse("admin:unknown_search"), follow=True)
    asked = {"searched_since": page.redirect_chain[0][0].rpartition("searched_since=")[2]}
    assert client.get(PROGRESS, asked).json()["running"] is True
    with time_machine.travel(timezone.now() + unknown_search.SILENT + dt.timedelta(seconds=1)):
        client.force_login(make_user(is_superuser=True))
        assert client.get(PROGRESS, asked).json()["running"] is False
        assert "no proposal yet" in client.get(PAGE, asked).content.decode()


@pytest.mark.parametrize("mark", ["", "x", "1e400-1", "nan-1", "1-x", "-", "1-99999999999999999999"])
def test_a_search_that_nobody_asked_for_is_over(client, lost, mark):
    as_lead(client)
    assert client.get(PROGRESS, {"searched_since": mark}).json()["running"] is False
    client.force_login(make_user())
    assert client.get(PROGRESS, {"searched_since": mark}).status_code == 403


def test_what_is_proposed_is_applied_with_one_click(client, lost):
    evidence.search_account(lost.account_id)
    as_lead(client)
    seen = client.get(PAGE).context["proposed"]
    assert [(proposal, count, people) for proposal, count, people, _ in seen] == [("sent", 1, 2)]
    client.post(reverse("admin:unknown_apply"), {"proposal": "sent", "seen": seen[0][3]})
    lost.refresh_from_db()
    assert lost.state == Campaign.State.SENT
    assert Call.objects.get().references == found().references
    assert "There are no unknown outcomes" in client.get(PAGE).content.decode()


@pytest.mark.parametrize("calls", [1, 12])
def test_the_queries_do_not_grow_with_the_calls(client, lost, calls, django_assert_max_num_queries):
    evidence.search_account(lost.account_id)
    (call,) = Call.objects.all()
    rows = found().rows
    for sequence in range(2, calls + 1):
        more = Call.objects.create(run=call.run, sequence=sequence, operation=call.operation, state=Call.State.UNKNOWN)
        Evidence.objects.create(call=more, proposal="cannot_tell", rows=rows, searched_at=timezone.now())
    as_lead(client)
    with django_assert_max_num_queries(30):
        assert len(client.get(PAGE).context["lines"]) == calls


def test_only_what_was_seen_is_applied(client, lost):
    evidence.search_account(lost.account_id)
    as_lead(client)
    earlier = (found().searched_at - dt.timedelta(seconds=1)).isoformat()
    client.post(reverse("admin:unknown_apply"), {"proposal": "sent", "seen": earlier})
    assert Call.objects.get().state == Call.State.UNKNOWN


@pytest.mark.parametrize(("decision", "state"), [("sent", "accepted"), ("not_sent", "not_sent")])
def test_each_call_can_be_decided_by_itself(client, lost, decision, state):
    as_lead(client)
    call = Call.objects.get()
    assert f'name="call" value="{call.pk}"' in client.get(reverse("admin:unknown")).content.decode()
    client.post(reverse("admin:unknown_decide"), {"call": call.pk, "decision": decision})
    assert set(Recipient.objects.values_list("state", flat=True)) == {state}
    answer = client.post(reverse("admin:unknown_decide"), {"call": call.pk, "decision": "sent"}, follow=True)
    assert "decided meanwhile" in answer.content.decode()


@pytest.mark.parametrize("page", ["the desk", "the call"])
def test_not_sent_against_what_the_provider_shows_takes_a_second_word(client, lost, page):
    evidence.search_account(lost.account_id)
    as_lead(client)
    call = Call.objects.get()
    desk, own = PAGE, reverse("admin:contactsync_call_change", args=[call.pk])
    where = reverse("admin:unknown_decide") if page == "the desk" else own.replace("/change/", "/not_sent/")
    data = {"call": call.pk, "decision": "not_sent"}
    assert 'name="sure"' in client.get(desk if page == "the desk" else own).content.decode()
    assert "who would get them twice" in client.post(where, data, follow=True).content.decode()
    assert Call.objects.get().state == Call.State.UNKNOWN
    client.post(where, data | {"sure": "yes"})
    assert Call.objects.get().state == Call.State.NOT_SENT


def test_the_list_is_narrowed_by_account_campaign_kind_and_proposal(client, lost):
    other = make_account(name="Another")
    run = Run.objects.create(kind=Run.Kind.PUSH, account=other, state=Run.State.ATTENTION)
    Call.objects.create(run=run, sequence=1, operation="create_option", state=Call.State.UNKNOWN)
    evidence.search_account(lost.account_id)
    as_lead(client)

    def shown(**filters) -> list[str]:
        return sorted(line["call"].operation for line in client.get(PAGE, filters).context["lines"])

    assert len(shown()) == 2
    assert shown(run__account=other.pk) == ["create_option"]
    assert shown(operation="create_option") == ["create_option"]
    assert shown(run__campaign=lost.pk) == shown(evidence__proposal="sent") != ["create_option"]
    assert shown(evidence__proposal="not_sent") == []


def test_what_is_applied_is_only_what_is_shown(client, lost):
    evidence.search_account(lost.account_id)
    as_lead(client)
    seen = found().searched_at.isoformat()
    other = make_account(name="Another")
    run = Run.objects.create(kind=Run.Kind.PUSH, account=other, state=Run.State.ATTENTION)
    Call.objects.create(run=run, sequence=1, operation="create_option", state=Call.State.UNKNOWN)
    url = reverse("admin:unknown_apply")
    client.post(f"{url}?run__account={other.pk}", {"proposal": "sent", "seen": seen})
    assert Call.objects.get(run__campaign=lost).state == Call.State.UNKNOWN


def test_who_may_not_send_sees_and_decides_nothing_about_sends(client, lost):
    evidence.search_account(lost.account_id)
    client.force_login(make_user(group="Marketing"))
    page = client.get(PAGE)
    assert page.status_code == 200
    assert page.context["proposed"] == []
    call = Call.objects.get()
    assert client.post(reverse("admin:unknown_decide"), {"call": call.pk, "decision": "sent"}).status_code == 403
    client.post(reverse("admin:unknown_apply"), {"proposal": "sent", "seen": timezone.now().isoformat()})
    call.refresh_from_db()
    assert call.state == Call.State.UNKNOWN
    client.force_login(make_user())
    assert client.get(PAGE).status_code == 403


def test_nothing_is_decided_by_get_or_by_nonsense(client, lost):
    as_lead(client)
    for step in ("search", "decide", "apply"):
        assert client.get(reverse(f"admin:unknown_{step}")).status_code == 405
    for wrong in ({}, {"call": "x", "decision": "sent"}, {"call": "9" * 30, "decision": "sent"}, {"call": "1"}):
        assert client.post(reverse("admin:unknown_decide"), wrong).status_code == 404
    for wrong in ({}, {"proposal": "cannot_tell", "seen": "2026-01-01T00:00Z"}, {"proposal": "sent", "seen": "x"}):
        assert client.post(reverse("admin:unknown_apply"), wrong).status_code == 404


def test_the_dashboard_and_the_page_of_the_call_lead_here(client, lost):
    as_lead(client)
    decisions = client.get(reverse("admin:index")).context["dashboard"]["decisions"]
    assert PAGE in [decision.url for decision in decisions]
    call = Call.objects.get()
    assert PAGE in client.get(reverse("admin:contactsync_call_change", args=[call.pk])).content.decode()
