"""After a stop: exactly who was accepted, is on the wire, is unknown, waits, was not attempted; each list as a file."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from contactsync.models import Call, Campaign, Recipient, Run, RunItem
from tests.admin.flow_rows import add_recipient, address, client_of, make_prepared, make_run, text_of
from tests.admin.test_downloads import sheet, table
from tests.factories import make_contact, make_phonebook

pytestmark = pytest.mark.django_db


def stopping_campaign() -> Campaign:
    campaign = make_prepared(1, left_out=1, state=Campaign.State.STOPPING, started_at=timezone.now())
    Recipient.objects.filter(state="planned").update(state="not_sent")
    book = make_phonebook(campaign.account)
    for state in ("accepted", "accepted", "refused", "on_wire", "unknown", "planned"):
        add_recipient(campaign, make_contact(book), state=state)
    return campaign


def stopping_run() -> Run:
    run = make_run(items=6, state=Run.State.STOPPING, started_at=timezone.now())
    wire = Call.objects.create(run=run, sequence=2, operation="create_contacts", item_count=1, state="on_wire")
    items = list(run.items.order_by("pk"))
    for item, state in zip(items, ["done", "failed", "unknown", "planned", "planned", "not_attempted"], strict=True):
        RunItem.objects.filter(pk=item.pk).update(state=state)
    RunItem.objects.filter(pk=items[3].pk).update(call=wire)
    return run


def counts(row: Any, client: Any) -> dict[str, int]:
    lists = client.get(address(row)).context["lists"]
    return {one.name: one.count for one in lists}


def test_the_lists_of_a_campaign_are_its_whole_audience() -> None:
    campaign = stopping_campaign()
    client = client_of("Marketing")
    told = counts(campaign, client)
    assert told == {"accepted": 2, "refused": 1, "on_wire": 1, "unknown": 1, "waiting": 1, "not_sent": 1}
    assert sum(told.values()) == campaign.recipients.exclude(state="excluded").count()
    phones = []
    for name in told:
        rows = table(client.get(address(campaign, "export"), {"list": name}))[1:]
        assert len(rows) == told[name]
        phones += [row[0] for row in rows]
    assert len(set(phones)) == sum(told.values())
    found = sheet(client.get(address(campaign, "export"), {"list": "unknown", "format": "xlsx"}))
    assert [row[0] for row in found[1:]] == list(
        campaign.recipients.filter(state="unknown").values_list("phone", flat=True)
    )


def test_the_lists_of_a_run_tell_what_is_on_the_wire_from_what_waits() -> None:
    run, client = stopping_run(), client_of("Marketing")
    told = counts(run, client)
    assert told == {"accepted": 1, "refused": 1, "on_wire": 1, "unknown": 1, "waiting": 1, "not_attempted": 1}
    phones = [row[0] for name in told for row in table(client.get(address(run, "export"), {"list": name}))[1:]]
    assert sorted(phones) == sorted(run.items.values_list("phone", flat=True))
    assert len(sheet(client.get(address(run, "export"), {"list": "on_wire", "format": "xlsx"}))) == 2


def stopped_in_between() -> Run:
    """A push of six whose calls were answered or lost before anybody could look what became of whom."""
    run = make_run(items=6, state=Run.State.STOPPED, started_at=timezone.now())
    states = ["accepted", "accepted", "accepted", "unknown", "planned", "refused"]
    answers = ["done", "existed", "unresolved", "", "unresolved", ""]
    items = list(run.items.order_by("pk"))
    for number, (item, state, answer) in enumerate(zip(items, states, answers, strict=True), start=2):
        call = Call.objects.create(run=run, sequence=number, operation="create_contacts", item_count=1, state=state)
        RunItem.objects.filter(pk=item.pk).update(call=call, answer=answer)
    return run


def test_who_left_is_not_among_those_who_wait_also_before_it_is_known_what_became_of_them() -> None:
    run, client = stopped_in_between(), client_of("Marketing")
    told = counts(run, client)
    assert told == {"accepted": 1, "refused": 0, "on_wire": 0, "unknown": 2, "waiting": 3, "not_attempted": 0}
    files = {name: table(client.get(address(run, "export"), {"list": name}))[1:] for name in told}
    assert {name: len(rows) for name, rows in files.items()} == told
    assert sorted(row[0] for rows in files.values() for row in rows) == sorted(
        run.items.values_list("phone", flat=True)
    )
    assert {row[2] for row in files["unknown"]} == {"outcome not known"}
    in_sum = {part.label: part.count for part in client.get(address(run)).context["sum"].parts}
    assert (in_sum["done"], in_sum["outcome not known"], in_sum["waiting"]) == (1, 2, 3)


@pytest.mark.parametrize("make", [stopping_campaign, stopping_run])
def test_who_may_not_download_sees_the_numbers_only(make: Any) -> None:
    row = make()
    client = client_of(may=("view_campaign", "view_run"))
    assert sum(counts(row, client).values()) >= 6
    assert "list=accepted" not in text_of(client.get(address(row)))
    assert client.get(address(row, "export"), {"list": "accepted"}).status_code == 403


@pytest.mark.parametrize("make", [stopping_campaign, stopping_run])
@pytest.mark.parametrize("asked", [{"list": "nobody"}, {"list": "accepted", "format": "pdf"}])
def test_an_unknown_list_or_form_is_not_found(make: Any, asked: dict[str, str]) -> None:
    assert client_of("Marketing").get(address(make(), "export"), asked).status_code == 404


def test_the_lists_stay_after_the_stop() -> None:
    campaign = stopping_campaign()
    Campaign.objects.update(state=Campaign.State.STOPPED)
    assert "The people" in text_of(client_of("Marketing").get(address(campaign)))


@pytest.mark.parametrize("make", [stopping_campaign, stopping_run])
def test_a_list_bears_the_word_that_the_sum_has_for_the_same_people(make: Any) -> None:
    row = make()
    context = client_of("Marketing").get(address(row)).context
    in_sum = {part.label: part.count for part in context["sum"].parts}
    in_lists = {one.label: one.count for one in context["lists"]}
    for word in ("waiting", "not sent" if make is stopping_campaign else "not attempted"):
        assert in_lists[word] == 1
        assert word in in_sum
    on_wire = 0 if make is stopping_campaign else 1  # of a run, the sum has those among the waiting
    assert in_sum["waiting"] == in_lists["waiting"] + on_wire


def test_nobody_waits_at_the_end() -> None:
    campaign = stopping_campaign()
    Recipient.objects.filter(state="planned").update(state="not_sent")
    Campaign.objects.update(state=Campaign.State.STOPPED)
    assert counts(campaign, client_of("Marketing"))["not_sent"] == 2
    assert "waiting" not in counts(campaign, client_of("Marketing"))
