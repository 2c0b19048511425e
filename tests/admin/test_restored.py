"""The page about a restored database, and the command that does the same."""

from __future__ import annotations

import datetime as dt
import json
import re
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from contactsync.calendars import jalali
from contactsync.campaigns import restored
from contactsync.models import Call, Campaign, Clearance, DatabaseMark, Recipient
from contactsync.sync import guard, logbook
from tests.campaigns.companies import COMPANIES
from tests.campaigns.conftest import campaign_to, prepare, send
from tests.factories import make_user

pytestmark = pytest.mark.django_db
PAGE = "/admin/restored/"
IPPANEL, ATOM, LOX24, CALLBELL = COMPANIES


@pytest.fixture
def lost(db, sandbox) -> Campaign:
    """A campaign that was sent, in a database that has forgotten it."""
    account = IPPANEL.account(sandbox)
    book = IPPANEL.book(account, sandbox, IPPANEL.phones(2))
    campaign = prepare(campaign_to(account, book, message="Spring sale", title="Spring"))
    send(campaign, make_user())
    DatabaseMark.objects.update(mark=0)
    Call.objects.update(state=Call.State.PLANNED, started_at=None, references=[], attempts=0)
    Recipient.objects.update(state=Recipient.State.PLANNED)
    campaign.runs.update(state="planned")
    Campaign.objects.update(state=Campaign.State.PREPARED)
    campaign.refresh_from_db()
    return campaign


def as_lead(client) -> None:
    client.force_login(make_user(group="Marketing lead"))


def test_the_page_says_what_left_and_asks_the_provider(client, lost):
    as_lead(client)
    page = client.get(PAGE).content.decode()
    assert "that it does not know as made: 1, the last at" in page
    assert "Spring" in page
    assert "Spring sale" not in page  # not before the provider is asked
    asked = client.post(reverse("admin:restored_ask")).content.decode()
    assert "Spring sale" in asked


def test_persian_readers_see_when_it_left_in_both_calendars(client, lost):
    as_lead(client)
    page = client.get(PAGE, headers={"accept-language": "fa"}).content.decode()
    notice = page[page.index("cs-notice--bad") :]
    found = re.search(
        r"(1[34][0-9/]{8}) ([0-9:]{5})\u2069 \(\u2066([0-9-]{10}) \2\u2069\)", notice[: notice.index("</strong>")]
    )
    assert found is not None
    assert found[1] == jalali(dt.date.fromisoformat(found[3]))


def test_a_prepared_campaign_cannot_be_sent_while_calls_are_held_back(client, lost):
    as_lead(client)
    page = client.get(reverse("admin:contactsync_campaign_change", args=[lost.pk])).content.decode()
    assert "as soon as calls may go out again" in page
    assert reverse("admin:contactsync_campaign_send", args=[lost.pk]) not in page


@pytest.mark.parametrize("company", COMPANIES, ids=lambda company: company.slug)
def test_every_provider_is_asked_or_says_why_not(client, sandbox, db, company):
    account = company.account(sandbox)
    send(campaign_to(account, company.book(account, sandbox, company.phones(2)), message="Sale"), make_user())
    DatabaseMark.objects.update(mark=0)
    as_lead(client)
    (shown,) = client.post(reverse("admin:restored_ask")).context["shown"]
    if company in (IPPANEL, LOX24):
        assert [send.text for send in shown.sends] == ["Sale"]
    else:
        assert shown.sends == []
        assert shown.why_not


def test_a_person_does_not_wait_for_providers_that_do_not_answer(client, lost, sandbox, monkeypatch):
    IPPANEL.account(sandbox)
    monkeypatch.setattr(restored, "LONGEST_ASK", 0.0)
    as_lead(client)
    before = len(sandbox.requests)
    shown = client.post(reverse("admin:restored_ask")).context["shown"]
    assert ["took too long" in one.why_not for one in shown] == [True, True]
    assert len(sandbox.requests) == before


def test_a_question_that_got_no_answer_is_not_repeated_when_time_is_over(client, lost, sandbox, monkeypatch):
    """The time is over while the provider keeps silent."""
    clock = iter([0.0, 0.0])
    monkeypatch.setattr(restored, "time", SimpleNamespace(monotonic=lambda: next(clock, 1_000.0)))
    fault = sandbox.fault("reset_before", "/api/report", times=0)
    as_lead(client)
    (shown,) = client.post(reverse("admin:restored_ask")).context["shown"]
    assert "took too long" in shown.why_not
    assert fault.hits == 1


def test_the_dashboard_shows_it_first_and_the_pages_of_campaigns_and_runs_too(client, lost):
    as_lead(client)
    board = client.get(reverse("admin:index")).context["dashboard"]
    assert board["decisions"][0].text == "Nothing is sent or pushed."
    for row in (lost, lost.runs.get()):
        model = row._meta.model_name
        page = client.get(reverse(f"admin:contactsync_{model}_change", args=[row.pk])).content.decode()
        assert "older than what has gone out" in page
        assert f'href="{PAGE}"' in page


def test_sending_is_refused_with_a_sentence(client, lost):
    as_lead(client)
    url = reverse("admin:contactsync_campaign_send", args=[lost.pk])
    answer = client.post(url, {"audience_hash": lost.audience_hash, "sure": "yes"}, follow=True)
    assert "older than what has gone out" in answer.content.decode()
    lost.refresh_from_db()
    assert lost.state == Campaign.State.PREPARED


def test_one_button_with_a_note_lets_calls_go_out_again(client, lost):
    as_lead(client)
    client.post(reverse("admin:restored_allow"), {"note": "  "})
    assert guard.finding() is not None  # what was compared has to be said
    client.post(reverse("admin:restored_allow"), {"note": "it is in the outbox"})
    assert guard.finding() is None
    page = client.get(PAGE).content.decode()
    assert "Nothing is held back" in page
    assert "it is in the outbox" in page
    lost.refresh_from_db()
    assert lost.state == Campaign.State.PAUSED


def test_only_who_may_say_so_can_and_never_by_get(client, lost):
    client.force_login(make_user(group="Marketing"))
    assert client.get(PAGE).status_code == 200
    assert "you need the right" in client.get(PAGE).content.decode()
    assert client.post(reverse("admin:restored_allow"), {"note": "x"}).status_code == 403
    client.force_login(make_user())
    assert client.get(PAGE).status_code == 403
    as_lead(client)
    assert client.get(reverse("admin:restored_allow")).status_code == 405
    assert guard.finding() is not None


def test_without_a_log_the_campaigns_that_would_go_out_are_listed(client, lost):
    identity = str(DatabaseMark.objects.get().identity)
    logbook.path_of(Path(settings.LOGBOOK_DIR), identity).unlink()
    DatabaseMark.objects.update(mark=7)
    as_lead(client)
    answer = client.get(PAGE)
    assert [campaign.pk for campaign in answer.context["sendable"]] == [lost.pk]
    assert "no log of the calls of this database (calls it knows: 0)" in answer.content.decode()
    Call.objects.update(started_at=timezone.now())
    assert "(calls it knows: 1)" in client.get(PAGE).content.decode()


def test_a_call_that_was_tried_several_times_is_one_call_in_the_banner_and_on_the_page(client, lost):
    row = DatabaseMark.objects.get()
    directory, identity = Path(settings.LOGBOOK_DIR), str(row.identity)
    (entry,) = logbook.entries_after(directory, identity, 0)
    logbook.append(directory, identity, [{**entry, "mark": mark} for mark in (2, 3)])
    as_lead(client)
    for kept_by in (lambda: None, guard.remember):  # as the log of this machine tells it, and as the database keeps it
        kept_by()
        answer = client.get(PAGE)
        assert answer.context["lost_count"] == 1
        assert "does not know as made: 1, the last at" in answer.content.decode()
    assert DatabaseMark.objects.get().lost_mark == 3


def test_the_command_shows_and_allows(lost):
    out = StringIO()
    with pytest.raises(CommandError, match="older than what has gone out"):
        call_command("allow_sends", json=True, stdout=out)
    told = json.loads(out.getvalue())
    assert (told["known"], told["left"], told["lost"][0]["about"]) == (0, 1, "Spring")
    call_command("allow_sends", note="looked in the panel", stdout=StringIO())
    assert guard.finding() is None
    assert Clearance.objects.get().note == "looked in the panel"
    call_command("allow_sends", stdout=StringIO())


def test_a_system_check_tells_of_it(lost):
    found = [message.id for message in run_checks(databases=["default"])]
    assert "contactsync.W004" in found


def test_a_system_check_refuses_a_directory_that_cannot_be_written(settings, tmp_path):
    (tmp_path / "file").touch()
    settings.LOGBOOK_DIR = tmp_path / "file" / "logbook"
    assert "contactsync.E005" in [message.id for message in run_checks()]
