"""The page of a run: plan, word, work, result."""

from __future__ import annotations

import pytest
from django.urls import reverse

from contactsync.models import Call, Campaign, Contact, Run, RunItem
from contactsync.models.reasons import reason
from tests.admin.flow_rows import address, client_of, make_prepared, make_run, text_of
from tests.factories import make_account, make_contact, make_option, make_phonebook

pytestmark = pytest.mark.django_db


def with_plan(**plan: object) -> Run:
    run = make_run(items=2)
    run.plan = {**run.plan, **plan}
    run.save(update_fields=["plan"])
    return run


def test_the_plan_says_what_will_be_done_and_that_nothing_is_yet() -> None:
    run = with_plan(update=3, unchanged=7, phonebook="create", options=["سن"], calls=5)
    page = text_of(client_of("Marketing").get(address(run)))
    assert "Nothing is changed yet" in page
    assert "Approve: create 2, change 3" in page
    assert "does not exist at the provider yet" in page
    assert "سن" in page
    assert "5 calls" in page


def test_what_is_not_possible_is_shown_with_its_reason() -> None:
    run = with_plan(cannot=1)
    RunItem.objects.create(
        run=run, phone="+982112345678", operation="cannot", error=reason("The number %(n)s is not a mobile one.", n=1)
    )
    page = text_of(client_of("Marketing").get(address(run), {"operation": "cannot"}))
    assert "The number 1 is not a mobile one." in page
    assert run.items.filter(operation="create").first().phone not in page


def test_changes_are_shown_as_at_the_provider_and_here() -> None:
    book = make_phonebook()
    option = make_option(book.account, "City")
    run = make_run(book)
    RunItem.objects.create(
        run=run,
        contact=make_contact(book, "+989121110000"),
        phone="+989121110000",
        operation="update",
        changes={"first_name": ["Ali", "Reza"], str(option.pk): ["Shiraz", ""]},
    )
    page = text_of(client_of("Marketing").get(address(run)))
    assert "<del><bdi>Ali</bdi></del>" in page
    assert "<bdi>Reza</bdi>" in page
    assert "<bdi>City</bdi>:" in page
    assert "(empty)" in page


@pytest.mark.parametrize("typed", ["0912 111 0000", "+989121110000", "۰۹۱۲۱۱۱۰۰۰۰", "Reza"])
def test_items_are_found_by_number_in_any_form_and_by_name(typed: str) -> None:
    run = make_run(items=3)
    contact = make_contact(run.phonebook, "+989121110000", first_name="Reza")
    RunItem.objects.create(run=run, contact=contact, phone=contact.phone, operation="create")
    table = client_of("Marketing").get(address(run), {"q": typed}).context["table"]
    assert [item.phone for item in table.page] == ["+989121110000"]


def test_items_are_paged() -> None:
    run = make_run(items=51)
    client = client_of("Marketing")
    assert len(client.get(address(run)).context["table"].page) == 50
    assert len(client.get(address(run), {"p": "2"}).context["table"].page) == 1


def test_a_thousand_items_take_no_more_queries_than_ten(django_assert_max_num_queries) -> None:
    run, client = make_run(items=60), client_of(is_superuser=True)
    with django_assert_max_num_queries(20):
        client.get(address(run))


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_of_runs_takes_the_same_queries_for_any_number(rows: int, django_assert_max_num_queries) -> None:
    for _ in range(rows):
        make_run(items=1)
    client = client_of(is_superuser=True)
    with django_assert_max_num_queries(11):
        client.get(reverse("admin:contactsync_run_changelist"))


def test_approving_queues_the_run_and_keeps_who_did_it(django_capture_on_commit_callbacks) -> None:
    run, client = make_run(items=2), client_of("Marketing", username="sara")
    with django_capture_on_commit_callbacks():
        response = client.post(address(run, "approve"), {"plan_hash": run.plan_hash}, follow=True)
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED
    assert run.approved_by.username == "sara"
    assert "Approved" in text_of(response)


def test_a_plan_that_changed_meanwhile_is_not_approved() -> None:
    run = make_run(items=2)
    response = client_of("Marketing").post(address(run, "approve"), {"plan_hash": "0" * 64}, follow=True)
    run.refresh_from_db()
    assert run.state == Run.State.PLANNED
    assert "The plan has changed" in text_of(response)


def test_a_plan_that_deletes_needs_its_own_tick() -> None:
    run, client = with_plan(delete=4), client_of("Marketing")
    assert "Yes, delete 4 contacts at the provider." in text_of(client.get(address(run)))
    client.post(address(run, "approve"), {"plan_hash": run.plan_hash})
    run.refresh_from_db()
    assert run.state == Run.State.PLANNED
    client.post(address(run, "approve"), {"plan_hash": run.plan_hash, "delete_too": "yes"})
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED


def test_a_second_click_on_approve_is_told_how_the_run_stands() -> None:
    run, client = make_run(items=2), client_of("Marketing")
    client.post(address(run, "approve"), {"plan_hash": run.plan_hash})
    response = client.post(address(run, "approve"), {"plan_hash": run.plan_hash}, follow=True)
    assert "waiting for a worker" in text_of(response)
    assert Run.objects.count() == 1


def test_two_runs_for_one_phonebook_cannot_both_be_approved() -> None:
    book, client = make_phonebook(), client_of("Marketing")
    make_run(book, state=Run.State.RUNNING)
    second = make_run(book)
    response = client.post(address(second, "approve"), {"plan_hash": second.plan_hash}, follow=True)
    second.refresh_from_db()
    assert second.state == Run.State.PLANNED
    assert "Another run works on this phonebook" in text_of(response)


def test_discarding_changes_nothing_else() -> None:
    run = make_run(items=1)
    response = client_of("Marketing").post(address(run, "discard"), follow=True)
    run.refresh_from_db()
    assert run.state == Run.State.DISCARDED
    assert "Nothing was changed at the provider." in text_of(response)


def test_a_running_run_can_be_stopped_and_a_stopped_one_goes_on() -> None:
    run, client = make_run(items=1, state=Run.State.RUNNING, lease_owner="somebody"), client_of("Marketing")
    client.post(address(run, "stop"))
    run.refresh_from_db()
    assert run.state == Run.State.STOPPING
    Run.objects.update(state=Run.State.STOPPED)
    assert "Continue" in text_of(client.get(address(run)))
    client.post(address(run, "resume"))
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED


def test_a_paused_run_says_why_and_offers_to_continue() -> None:
    run = make_run(items=1, state=Run.State.PAUSED, error=reason("The provider refused the key."))
    page = text_of(client_of("Marketing").get(address(run)))
    assert "The provider refused the key." in page
    assert "Continue" in page


def finished(**states: int) -> Run:
    run = make_run(items=sum(states.values()), state=Run.State.FINISHED, counts={"balances": True})
    items = list(run.items.all())
    for state, count in states.items():
        for item in items[:count]:
            RunItem.objects.filter(pk=item.pk).update(state=state)
        del items[:count]
    return run


def test_the_result_shows_the_equation_and_that_it_holds() -> None:
    page = text_of(client_of("Marketing").get(address(finished(done=3, failed=1))))
    assert 'data-balance="yes"' in page
    assert "<b>4</b> planned" in page
    assert "<b>3</b> done" in page


def test_items_left_behind_by_an_ended_run_show_in_red() -> None:
    run = finished(done=3, planned=1)
    page = text_of(client_of("Marketing").get(address(run)))
    assert 'data-balance="no"' in page


def test_a_run_that_says_itself_that_it_does_not_balance_is_never_green() -> None:
    run = finished(done=2)
    Run.objects.update(counts={"balances": False})
    assert 'data-balance="no"' in text_of(client_of("Marketing").get(address(run)))


def test_failed_items_show_the_reason_and_the_call() -> None:
    run = finished(failed=1)
    call = run.calls.get()
    run.items.update(error=reason("The number is on the provider's black list."))
    page = text_of(client_of("Marketing").get(address(run), {"state": "failed"}))
    assert "black list" in page
    assert address(call) in page


def test_somebody_who_may_not_push_sees_the_plan_and_why_there_is_no_button() -> None:
    page = text_of(client_of(may=("view_run",)).get(address(make_run(items=1))))
    assert "Can push phonebooks to the provider" in page
    assert "approve/" not in page


def test_a_send_is_steered_from_its_campaign_only() -> None:
    campaign = make_prepared()
    run = campaign.runs.get()
    client = client_of("Marketing lead")
    assert address(campaign) in text_of(client.get(address(run)))
    assert client.post(address(run, "approve"), {"plan_hash": run.plan_hash}).status_code == 403
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PREPARED


def test_the_calls_of_a_run_are_listed_with_links() -> None:
    run = make_run(items=1)
    page = text_of(client_of("Marketing").get(address(run)))
    assert address(Call.objects.get()) in page
    assert "create contacts" in page


def test_who_was_refused_is_one_click_away_and_the_page_says_how_they_are_tried_again() -> None:
    run, client = make_run(items=2, state=Run.State.ATTENTION), client_of("Marketing")
    item = run.items.first()
    RunItem.objects.filter(pk=item.pk).update(state=RunItem.State.FAILED)
    Contact.objects.filter(pk=item.contact_id).update(sync_state=Contact.SyncState.FAILED)
    page = text_of(client.get(address(run)))
    assert "choose “Add again” for them" in page
    assert '<a href="?state=failed#rows">' in page
    assert 'id="rows"' in page
    assert "?state=unknown" not in page.partition('id="rows"')[0]
    listed = (
        f"{reverse('admin:contactsync_contact_changelist')}?phonebook__id__exact={run.phonebook_id}&amp;sync=failed"
    )
    assert f'href="{listed}"' in page
    shown = text_of(client.get(listed.replace("&amp;", "&")))
    assert item.phone in shown
    assert run.items.last().phone not in shown


def test_a_run_that_needs_a_decision_can_be_closed_by_who_has_seen_it() -> None:
    run, client = make_run(items=1, state=Run.State.ATTENTION), client_of("Marketing")
    page = text_of(client.get(address(run)))
    assert "Seen, close it" in page
    assert "nothing more is done by this run" in page
    response = client.post(address(run, "acknowledge"), follow=True)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert "Seen and closed by" in text_of(response)
    assert run.plan["acknowledged_by"] in text_of(response)


@pytest.mark.parametrize(
    ("kind", "state", "step", "after"),
    [
        (Run.Kind.PULL, Run.State.PAUSED, "stop", Run.State.STOPPED),
        (Run.Kind.DELETE, Run.State.PAUSED, "stop", Run.State.STOPPED),
        (Run.Kind.PULL, Run.State.FAILED, "discard", Run.State.DISCARDED),
        (Run.Kind.DELETE, Run.State.FAILED, "discard", Run.State.DISCARDED),
    ],
)
def test_a_run_that_does_not_go_on_has_a_way_out(kind: str, state: str, step: str, after: str) -> None:
    run, client = make_run(items=1, state=state, kind=kind), client_of("Marketing")
    assert address(run, step) in text_of(client.get(address(run)))
    client.post(address(run, step))
    run.refresh_from_db()
    assert run.state == after


def test_a_pull_that_did_not_read_who_opted_out_says_so() -> None:
    run = make_run(items=1, kind=Run.Kind.PULL, state=Run.State.FINISHED, counts={"opt_outs_unread": 2500})
    assert "Opt-outs were not read for 2,500 contacts" in text_of(client_of("Marketing").get(address(run)))


def test_the_plan_shows_where_values_go_and_what_is_not_told() -> None:
    long = reason("%(count)s contacts have a value longer than the %(limit)s characters.", count=3, limit=50)
    run = with_plan(
        places=[{"source": "option:5", "title": "City", "slot": "a", "warnings": []}],
        left_out=[{"source": "option:6", "title": "Shoe", "warnings": [long]}],
    )
    Run.objects.filter(pk=run.pk).update(account=make_account(provider="lox24"))
    page = text_of(client_of("Marketing").get(address(run)))
    assert '<bdi>Shoe</bdi>: not told to the provider<div class="cs-quiet">3 contacts have a value longer' in page
    assert '<bdi>City</bdi>: <bdi dir="ltr" class="cs-code">a</bdi>' in page
    assert "<details" in page
    assert "option:" not in page


def test_what_a_deletion_takes_with_it_is_said_before_it_is_approved() -> None:
    callbell = make_account(provider="callbell")
    vip, news = make_phonebook(callbell), make_phonebook(callbell)
    one, two = make_contact(vip, remote_id="a"), make_contact(vip, remote_id="b")
    make_contact(news, one.phone, remote_id="a")
    run = make_run(vip, kind="delete", plan={"delete": 2, "calls": 2})
    for contact in (one, two):
        item = {"phone": contact.phone, "remote_id": contact.remote_id, "operation": "delete"}
        RunItem.objects.create(run=run, contact=contact, **item)
    page = text_of(client_of("Marketing lead").get(address(run)))
    assert "other tags at Callbell only loses this tag" in page
    assert "Who has other tags is looked at only when the plan is carried out" in page
    assert "only loses this tag" in text_of(client_of("Marketing lead", username="b").get(address(one)))
    other = make_run(make_phonebook(), kind="delete", plan={"delete": 1, "calls": 1})
    assert "only loses this tag" not in text_of(client_of("Marketing lead", username="c").get(address(other)))


def test_a_plan_counts_who_only_loses_a_tag_and_who_is_destroyed() -> None:
    plan = {"delete": 1205, "calls": 1205, "loses_tag": 1, "destroyed": 1204}
    run = make_run(make_phonebook(make_account(provider="callbell")), items=1, plan=plan)
    run.items.update(operation="delete", changes={"tags": [["Newsletter", "VIP"], ["VIP"]]})
    page = text_of(client_of("Marketing lead").get(address(run)))
    assert "1 contact had other tags when this plan was made and only loses this one." in page
    assert "1,204 contacts had no other tag when this plan was made and are destroyed for good." in page
    assert "looked at only when" not in page
    assert "<del><bdi>Newsletter, VIP</bdi></del>" in page


@pytest.mark.parametrize(("language", "shown"), [("en", "1992-10-08"), ("fa", "1992-10-08 (1371/07/16)")])
def test_dates_of_options_have_their_jalali_form_on_persian_pages(language: str, shown: str) -> None:
    run = make_run(items=1)
    run.items.update(changes={"option:Birthday": ["", "1992-10-08"]})
    client = client_of("Marketing")
    client.cookies["django_language"] = language
    assert f"<ins><bdi>{shown}</bdi></ins>" in text_of(client.get(address(run)))


def test_a_field_in_a_place_of_the_provider_is_named_in_the_language_of_the_page() -> None:
    run = make_run(items=1, state=Run.State.PLANNED)
    run.items.update(changes={"company": ["", "Acme"]})
    run.plan |= {"places": [{"source": "field:company", "title": "company", "slot": "a", "warnings": []}]}
    run.save()
    client = client_of("Marketing")
    for language, said in (("en", "company"), ("fa", "شرکت")):
        page = text_of(client.get(address(run), headers={"accept-language": language}))
        assert page.count(f"<bdi>{said}</bdi>:") == 2


def test_a_paused_run_shows_the_first_errors_of_its_calls_with_how_often_and_where() -> None:
    run = make_run(items=1, state=Run.State.PAUSED, error=reason("Five calls in a row ended without a clear answer."))
    errors = ["The provider did not answer."] * 4 + ["The answer could not be read."] + [f"No. {n}" for n in range(5)]
    calls = [
        Call(run=run, sequence=100 + at, operation="create_contacts", attempts=1, state="unknown", error=reason(text))
        for at, text in enumerate(errors)
    ]
    Call.objects.bulk_create(calls)
    Call.objects.create(run=run, sequence=200, operation="create_contacts", state="not_sent", error=reason("Not made."))
    answer = client_of("Marketing").get(address(run))
    shown = answer.context["errors"]
    assert [(error.text, error.count) for error in shown.shown[:3]] == [
        ("The provider did not answer.", 4),
        ("The answer could not be read.", 1),
        ("No. 0", 1),
    ]
    assert len(shown.shown) == 5
    assert shown.others == 2
    page = text_of(answer)
    assert "4 calls" in page
    assert "There are 2 other errors" in page
    assert page.count(f"/call/{calls[0].pk}/change/") == 2  # among the errors, and in the list of calls
    assert f"/call/{calls[3].pk}/change/" in page
    assert "Not made." not in page[page.index('id="errors"') : page.index("There are 2 other")]


def test_a_run_that_is_well_shows_no_errors() -> None:
    run = make_run(items=1, state=Run.State.FINISHED, counts={"balances": True})
    assert 'id="errors"' not in text_of(client_of("Marketing").get(address(run)))
