"""Our own sentences run in the direction of the page, even when they begin with a name in another script."""

from __future__ import annotations

import pytest
from django.utils import timezone

from contactsync.models import Call, Contact, InboundMessage, Run
from contactsync.models.reasons import reason
from tests.admin.flow_rows import address, client_of, make_issue, make_job, make_run, text_of
from tests.factories import make_account

pytestmark = pytest.mark.django_db


def test_why_a_row_was_refused_is_a_sentence_of_ours_and_a_reply_is_somebody_elses() -> None:
    make_issue(make_job(), 2, column="Mobile", number="+989121234567")
    InboundMessage.objects.create(
        account=make_account(), remote_id="1", phone="+989121234567", text="سلام", received_at=timezone.now()
    )
    page = text_of(client_of(is_superuser=True).get("/admin/explain/?number=%2B989121234567"))
    assert '<div class="cs-reason">Mobile: ' in page
    assert '<div class="cs-reason"><bdi>سلام</bdi>' in page


def test_what_went_wrong_with_calls_is_a_sentence_of_ours() -> None:
    run = make_run(items=1, state=Run.State.ATTENTION)
    run.calls.update(state=Call.State.REFUSED, attempts=1, error=reason("IPPanel said no."))
    page = text_of(client_of(is_superuser=True).get(address(run)))
    assert "<strong>IPPanel said no.</strong>" in page


@pytest.mark.parametrize("query", ["", "?q=nobody"])
def test_an_empty_list_says_what_to_do(query: str) -> None:
    assert not Contact.objects.exists()
    page = text_of(client_of(is_superuser=True).get(f"/admin/contactsync/contact/{query}"))
    if query:
        assert 'Nothing was found. <a href="?">Show all</a>' in page
    else:
        assert "There is nothing here yet. Begin with one of the buttons above." in page
    assert 'name="action"' not in page


def test_an_empty_list_that_nobody_adds_to_names_no_buttons() -> None:
    page = text_of(client_of(is_superuser=True).get("/admin/contactsync/call/"))
    assert "There is nothing here yet.</p>" in page
