"""Compare and decide: one contact in each group, decided on the page, planned, approved, carried out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contactsync.models import Phonebook, Run, RunItem, Suppression
from contactsync.sync import planner
from providers.sandbox import SandboxServer
from tests.admin.flow_rows import address, client_of, make_run, text_of
from tests.admin.test_flow_safety import everything
from tests.admin.test_look import read
from tests.factories import make_account, make_contact, make_phonebook
from tests.sync.conftest import FAST, carry_out, push

pytestmark = pytest.mark.django_db(transaction=True)
HERE, THERE, BOTH, OUT = "+989120000001", "+989120000002", "+989120000003", "+989120000004"
Kind = RunItem.Operation


@pytest.fixture
def pulled(sandbox: SandboxServer, transactional_db: None) -> Run:
    """A finished pull that has found one line for each group."""
    book = make_phonebook(make_account(base_url=sandbox.url("ippanel"), settings=dict(FAST)))
    make_contact(book, BOTH, first_name="Sara", last_name="Example")
    make_contact(book, OUT, first_name="Unsubscribed")
    push(book)
    make_contact(book, HERE, first_name="Onlyhere")
    state = sandbox.state("ippanel")
    remote = state.phonebook(book.title)
    state.add_contact(remote, THERE, name="There Also")
    state.contact(remote, BOTH).name = "Sarah Example"
    state.blacklist.add(OUT)
    book.refresh_from_db()
    run = carry_out(planner.create_pull_run(book))
    assert run.state == Run.State.FINISHED
    return run


def fields_of(run: Run, **decisions: str) -> dict[str, str]:
    """The form for single lines: phone (without +) to decision."""
    items = {item.phone: item.pk for item in run.items.all()}
    return {f"line-{items['+' + phone]}": decision for phone, decision in decisions.items()}


def decision_of(run: Run, phone: str) -> str:
    return str(run.items.get(phone=phone).decision)


def test_the_comparison_is_offered_where_the_state_is_pulled_and_says_when_nothing_differs(pulled: Run) -> None:
    client, book = client_of("Marketing"), pulled.phonebook
    assert book is not None
    for row in (book, pulled):
        page = text_of(client.get(address(row)))
        assert f'href="{address(pulled, "reconcile")}">Compare with the provider</a>' in page
    pulled.items.all().delete()
    page = text_of(client.get(address(pulled)))
    assert "Nothing differs" in page
    assert "Compare with the provider</a>" not in page
    assert "What differs can then be compared here" in text_of(client.get(address(book)))


@pytest.mark.parametrize("language", ["en", "fa"])
def test_each_group_shows_its_line_and_looking_changes_nothing(pulled: Run, language: str) -> None:
    client, before = client_of("Marketing"), everything()
    expected = {
        Kind.ONLY_HERE: (HERE, "Onlyhere"),
        Kind.ONLY_THERE: (THERE, "There Also"),
        Kind.DIFFERENT: (BOTH, "Sarah Example"),
        Kind.OPTED_OUT: (OUT, "Unsubscribed"),
    }
    for group, words in expected.items():
        response = client.get(address(pulled, "reconcile"), {"group": group}, headers={"accept-language": language})
        text = text_of(response)
        assert [line.item.phone for line in response.context["lines"]] == [words[0]]
        assert all(word in text for word in words)
        assert (read(response).problems, read(response).nameless) == ([], [])
    assert everything() == before


def test_the_page_says_what_was_not_compared_and_why_a_line_cannot_be_added(pulled: Run) -> None:
    Run.objects.filter(pk=pulled.pk).update(counts={**pulled.counts, "details_unread": 2500})
    pulled.items.filter(phone=THERE).update(error={"message": "No number at all.", "params": {}})
    response = client_of("Marketing").get(address(pulled, "reconcile"), {"group": Kind.ONLY_THERE})
    text = text_of(response)
    assert "Not compared, because the provider does not tell it:" in text
    assert "The custom options of 2,500 contacts were not read" in text
    assert "No number at all." in text
    offered = [choice.value for choice in response.context["lines"][0].choices]
    assert offered == ["", "delete_there", "suppress", "leave"]


def test_decided_planned_approved_and_carried_out(
    pulled: Run, run_tasks: Callable[[], None], sandbox: SandboxServer
) -> None:
    client = client_of("Marketing", username="sara")
    book = Phonebook.objects.get()
    page = text_of(client.get(address(pulled)))
    assert address(pulled, "reconcile") in page
    assert 'data-balance="yes"' in page
    assert address(pulled, "reconcile") in text_of(client.get(address(book)))
    client.post(address(pulled, "decide"), fields_of(pulled, **{HERE[1:]: "add_there"}))
    for group, decision in ((Kind.ONLY_THERE, "add_here"), (Kind.DIFFERENT, "take_theirs")):
        response = client.post(address(pulled, "decide_all"), {"group": group, "decision": decision})
        assert response.url == f"{address(pulled, 'reconcile')}?group={group}"
    writes = len(sandbox.changing_requests)
    made = planned(client, pulled, run_tasks)
    text = text_of(client.get(address(made)))
    assert "Approve: create 1, change 2 here" in text
    assert "As it was decided:" in text
    assert len(sandbox.changing_requests) == writes
    assert not book.contacts.filter(phone=THERE).exists()
    client.post(address(made, "approve"), {"plan_hash": made.plan_hash})
    run_tasks()
    text = text_of(client.get(address(made)))
    assert 'data-balance="yes"' in text
    assert "<b>3</b> done" in text
    assert book.contacts.get(phone=BOTH).first_name == "Sarah"
    assert book.contacts.filter(phone=THERE).exists()
    state = sandbox.state("ippanel")
    assert HERE in state.phonebook(book.title).by_number


def planned(client: Any, pulled: Run, run_tasks: Callable[[], None]) -> Run:
    response = client.post(address(pulled, "plan_changes"))
    made = Run.objects.get(kind=Run.Kind.RECONCILE)
    assert response.url == address(made)
    run_tasks()
    made.refresh_from_db()
    assert (made.state, made.created_by.username) == (Run.State.PLANNED, "sara")
    return made


def test_a_plan_of_changes_here_alone_can_be_approved(pulled: Run, run_tasks: Callable[[], None]) -> None:
    client = client_of("Marketing", username="sara")
    client.post(address(pulled, "decide_all"), {"group": Kind.ONLY_HERE, "decision": "suppress"})
    made = planned(client, pulled, run_tasks)
    assert address(made, "approve") in text_of(client.get(address(made)))
    client.post(address(made, "approve"), {"plan_hash": made.plan_hash})
    run_tasks()
    assert Suppression.objects.filter(phone=HERE).exists()
    assert 'data-balance="yes"' in text_of(client.get(address(made)))


def test_lines_left_as_shown_do_not_undo_what_another_person_decided(pulled: Run) -> None:
    client = client_of("Marketing")
    pulled.items.filter(phone=HERE).update(decision="leave")
    shown = fields_of(pulled, **{HERE[1:]: "", BOTH[1:]: "keep_ours"})
    client.post(address(pulled, "decide"), shown)
    assert (decision_of(pulled, HERE), decision_of(pulled, BOTH)) == ("leave", "keep_ours")
    item = pulled.items.get(phone=BOTH)
    page = client.get(address(pulled, "reconcile"), {"group": Kind.DIFFERENT}).content.decode()
    assert f'name="line-{item.pk}"' in page
    client.post(address(pulled, "decide"), {f"line-{item.pk}": "", f"before-{item.pk}": "keep_ours"})
    assert decision_of(pulled, BOTH) == ""


def test_a_whole_group_is_taken_back_only_on_purpose(pulled: Run) -> None:
    client = client_of("Marketing")
    client.post(address(pulled, "decide_all"), {"group": Kind.DIFFERENT, "decision": "keep_ours"})
    response = client.post(address(pulled, "decide_all"), {"group": Kind.DIFFERENT}, follow=True)
    assert "You have chosen nothing new" in text_of(response)
    assert decision_of(pulled, BOTH) == "keep_ours"
    client.post(address(pulled, "decide_all"), {"group": Kind.DIFFERENT, "decision": "undo"})
    assert decision_of(pulled, BOTH) == ""


def test_what_is_not_possible_is_refused_with_words(pulled: Run) -> None:
    client = client_of("Marketing")
    fields = fields_of(pulled, **{HERE[1:]: "take_theirs", OUT[1:]: "leave"})
    assert "This is not possible for 2 lines." in text_of(client.post(address(pulled, "decide"), fields, follow=True))
    text = text_of(client.post(address(pulled, "plan_changes"), follow=True))
    assert "Nothing was decided yet" in text
    assert not Run.objects.filter(kind=Run.Kind.RECONCILE).exists()
    other = make_run(items=1)
    assert "finished pull" in text_of(client.get(address(other, "reconcile")))


def test_who_may_not_push_sees_the_lines_and_decides_nothing(pulled: Run) -> None:
    client, before = client_of(may=("view_run",)), everything()
    text = text_of(client.get(address(pulled, "reconcile")))
    assert "Onlyhere" in text
    assert "<select" not in text.split('id="content-main"')[1].split("</main>")[0]
    for step in ("decide", "decide_all", "plan_changes"):
        assert client.get(address(pulled, step)).status_code in {403, 405}
        assert client.post(address(pulled, step)).status_code == 403
    assert everything() == before
