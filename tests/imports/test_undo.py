"""The undo of an import: every case, what is offered, what is done, and the way back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from contactsync.imports import jobs, keeping, undo
from contactsync.imports.undo_images import LINKED
from contactsync.models import (
    Campaign,
    CampaignTarget,
    Contact,
    ImportChange,
    ImportJob,
    ImportUndoChange,
    Phonebook,
    Recipient,
    Run,
    RunItem,
)
from contactsync.models.transitions import StepRefused, TransitionRefused
from contactsync.sync import lifecycle
from tests.factories import make_campaign, make_contact
from tests.imports.files import HEADER, imported, make_book, upload
from tests.imports.undoing import looked, parts, redone, rows_of, undone, worked

pytestmark = pytest.mark.django_db
ALI, SARA = "+989121234561", "+989121234562"
FILE = HEADER + "09121234561,Ali,Rezaei,ali@example.com\n09121234562,Sara,Karimi,\n"


def contact(phone: str) -> Contact:
    return Contact.objects.get(phone=phone)


def push(phone: str, remote_id: str = "r1") -> None:
    """As a push leaves a contact."""
    row = contact(phone)
    told = {"remote_id": remote_id, "pushed_hash": row.payload_hash, "pushed_at": timezone.now(), "sync_error": {}}
    Contact.objects.filter(pk=row.pk).update(sync_state="synced", pushed_payload={"phone": phone}, **told)


def synced(book: Phonebook, phone: str, **fields: Any) -> Contact:
    row = make_contact(book, phone, **fields)
    push(phone, f"r{row.pk}")
    Contact.objects.filter(pk=row.pk).update(pushed_at=timezone.now() - dt.timedelta(days=1))
    return row


def message(row: Contact, **fields: Any) -> Recipient:
    campaign = make_campaign(row.phonebook.account, state=Campaign.State.SENT, prepared_at=timezone.now())
    told = {"contact": row, "phone": row.phone, "text": "hello", "state": Recipient.State.ACCEPTED}
    return Recipient.objects.create(campaign=campaign, **{**told, **fields})


def test_untouched_contacts_are_removed_or_put_back_to_the_byte_and_come_back_with_their_ids() -> None:
    book, _ = make_book()
    synced(book, ALI, first_name="before", tags=["a"], note="n")
    before = rows_of(book)
    job = imported(book, FILE)
    after = rows_of(book)
    found = undone(job)
    assert rows_of(book) == before
    assert parts(found, "cases") == {"created": 1, "updated": 1}
    assert parts(found, "actions") == {"removed": 1, "restored": 1}
    redone(found)
    assert rows_of(book) == after
    assert parts(found, "redone") == {"done": 2}
    job.refresh_from_db()
    assert job.state == ImportJob.State.APPLIED
    undone(job)
    assert rows_of(book) == before


def test_custom_options_and_consent_and_revived_contacts_come_back() -> None:
    book, options = make_book(City="text", Points="integer")
    city, points = (str(option.pk) for option in options.values())
    gone = make_contact(book, ALI, options={city: "Shiraz"}, consented_at=timezone.now(), consent_source="fair")
    Contact.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    before = rows_of(book)
    text = "phone,City,Points,note\n09121234561,Tehran,7,new\n"
    mapping = {"0": "phone", "1": f"option:{city}", "2": f"option:{points}", "3": "note"}
    job = imported(book, text, mapping=mapping)
    assert contact(ALI).deleted_at is None
    undone(job)
    assert rows_of(book) == before


def test_a_new_contact_that_the_provider_has_is_marked_so_that_the_next_push_deletes_it_there() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    push(ALI)
    after = rows_of(book)
    found = undone(job)
    assert parts(found, "cases") == {"created_pushed": 1, "created": 1}
    assert parts(found, "actions") == {"marked": 1, "removed": 1}
    assert contact(ALI).deleted_at is not None
    redone(found)
    assert rows_of(book) == after


def test_when_the_provider_has_deleted_it_meanwhile_it_comes_back_as_never_pushed() -> None:
    book, _ = make_book()
    job = imported(book, HEADER + "09121234561,Ali,,\n")
    push(ALI)
    old = contact(ALI)
    found = undone(job)
    Contact.objects.all().delete()
    redone(found)
    back = contact(ALI)
    assert (back.pk, back.uuid, back.first_name) == (old.pk, old.uuid, "Ali")
    assert (back.sync_state, back.remote_id, back.pushed_hash, back.pushed_payload) == ("new", "", "", None)


def test_a_contact_that_a_run_is_about_to_push_is_not_removed_for_good() -> None:
    book, _ = make_book()
    job = imported(book, HEADER + "09121234561,Ali,,\n")
    run = Run.objects.create(kind="push", account=book.account, phonebook=book, state="running")
    RunItem.objects.create(run=run, contact=contact(ALI), phone=ALI, operation="create")
    assert parts(undone(job), "actions") == {"marked": 1}


def test_a_new_contact_edited_since_is_kept_unless_somebody_says_otherwise() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    row = contact(ALI)
    row.first_name = "Reza"
    row.save()
    after = rows_of(book)
    found = undone(job)
    assert parts(found, "cases") == {"created_edited": 1, "created": 1}
    assert parts(found, "actions") == {"kept": 1, "removed": 1}
    redone(found)
    assert rows_of(book) == after
    undone(job, created_edited="remove")
    assert rows_of(book) == []


def test_a_new_contact_in_a_campaign_is_kept_and_what_the_campaign_recorded_survives_its_removal() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    recipient = message(contact(ALI))
    target = CampaignTarget.objects.create(campaign=recipient.campaign, phonebook=book, type="detail")
    target.contacts.add(contact(ALI))
    kept = looked(job).changes.get(phone=ALI)
    assert (kept.case, kept.facts["campaigns"]) == ("created_messaged", [recipient.campaign_id])
    found = undone(job, created_messaged="remove")
    assert rows_of(book) == []
    recipient.refresh_from_db()
    assert (recipient.contact, recipient.phone, recipient.text) == (None, ALI, "hello")
    redone(found)
    recipient.refresh_from_db()
    assert recipient.contact == contact(ALI)
    assert list(target.contacts.all()) == [contact(ALI)]
    assert parts(undone(job), "actions") == {"kept": 1, "removed": 1}


def test_a_number_that_got_its_message_through_another_phonebook_counts_since_the_import_only() -> None:
    book, _ = make_book()
    other = make_contact(make_book()[0], ALI)
    earlier = message(make_contact(make_book()[0], SARA))
    job = imported(book, FILE)
    Campaign.objects.filter(pk=earlier.campaign_id).update(prepared_at=timezone.now() - dt.timedelta(days=1))
    message(other)
    left_out = make_contact(make_book()[0], "+989121234563")
    message(left_out, state=Recipient.State.EXCLUDED, exclusion=Recipient.Exclusion.SUPPRESSED)
    assert parts(looked(job), "cases") == {"created_messaged": 1, "created": 1}


@pytest.mark.parametrize(
    ("choice", "names", "action"),
    [
        ("keep", ("Ali", "edited", "ali@example.com"), "kept"),
        ("restore_rest", ("before", "edited", "old@example.com"), "partly"),
        ("restore", ("before", "old", "old@example.com"), "restored"),
    ],
)
def test_an_update_edited_since(choice: str, names: tuple[str, ...], action: str) -> None:
    book, _ = make_book()
    make_contact(book, ALI, first_name="before", last_name="old", email="old@example.com")
    job = imported(book, HEADER + "09121234561,Ali,Rezaei,ali@example.com\n")
    row = contact(ALI)
    row.last_name = "edited"
    row.save()
    after = rows_of(book)
    found = undone(job, updated_edited=choice)
    row = contact(ALI)
    assert (row.first_name, row.last_name, row.email) == names
    assert parts(found, "actions") == {action: 1}
    assert found.changes.get().facts["fields"] == ["last_name"]
    assert row.payload_hash == row.fingerprint()
    redone(found)
    assert rows_of(book) == after


def test_a_number_changed_since_is_an_edit_and_stays() -> None:
    book, _ = make_book()
    make_contact(book, ALI, first_name="before")
    job = imported(book, HEADER + "09121234561,Ali,,\n")
    row = contact(ALI)
    row.phone = SARA
    row.save()
    found = undone(job, updated_edited="restore_rest")
    assert found.changes.get().facts["fields"] == ["phone"]
    assert (contact(SARA).first_name, contact(SARA).payload_hash) == ("before", contact(SARA).fingerprint())


def test_options_are_put_back_one_by_one() -> None:
    book, options = make_book(City="text", Job="text", Team="text")
    city, job_, team = (str(option.pk) for option in options.values())
    make_contact(book, ALI, options={city: "Shiraz", team: "red"})
    mapping = {"0": "phone", "1": f"option:{city}", "2": f"option:{job_}"}
    job = imported(book, "phone,City,Job\n09121234561,Tehran,cook\n", mapping=mapping)
    row = contact(ALI)
    row.options = {**row.options, city: "Yazd", team: "blue"}
    row.save()
    undone(job, updated_edited="restore_rest")
    assert contact(ALI).options == {city: "Yazd", team: "blue"}


def test_restoring_the_rest_changes_nothing_where_everything_was_edited() -> None:
    book, _ = make_book()
    make_contact(book, ALI, first_name="before")
    job = imported(book, HEADER + "09121234561,Ali,,\n")
    row = contact(ALI)
    row.first_name = "edited"
    row.save()
    assert parts(undone(job, updated_edited="restore_rest"), "actions") == {"kept": 1}


def test_an_update_pushed_since_is_put_back_and_waits_for_the_next_push() -> None:
    book, _ = make_book()
    row = synced(book, ALI, first_name="before")
    job = imported(book, HEADER + "09121234561,Ali,,\n")
    push(ALI, f"r{row.pk}")
    after = rows_of(book)
    found = undone(job)
    assert parts(found, "cases") == {"updated_pushed": 1}
    assert (contact(ALI).first_name, contact(ALI).sync_state) == ("before", "changed")
    redone(found)
    assert rows_of(book) == after
    assert parts(undone(job, updated_pushed="keep"), "actions") == {"kept": 1}


def test_an_update_messaged_since_is_put_back_and_names_the_campaigns_since_the_import_only() -> None:
    book, _ = make_book()
    earlier = message(make_contact(book, ALI, first_name="before"))
    Campaign.objects.filter(pk=earlier.campaign_id).update(prepared_at=timezone.now() - dt.timedelta(days=1))
    job = imported(book, HEADER + "09121234561,Ali,,\n")
    since = [message(book.contacts.get()), message(make_contact(make_book()[0], ALI))]
    change = looked(job).changes.get()
    assert (change.case, change.facts["campaigns"]) == ("updated", [row.campaign_id for row in since])
    undone(job)
    assert book.contacts.get().first_name == "before"


def test_a_refusal_stays_in_force_and_an_unknown_outcome_stays_unknown() -> None:
    book, _ = make_book()
    refused, unknown = (make_contact(book, phone, first_name="before") for phone in (ALI, SARA))
    why = {"message": "no"}
    Contact.objects.filter(pk=refused.pk).update(
        sync_state="failed", sync_error=why, pushed_hash=refused.payload_hash, remote_id="r1"
    )
    Contact.objects.filter(pk=unknown.pk).update(sync_state="unknown", sync_error=why)
    before = rows_of(book)
    job = imported(book, FILE)
    assert contact(ALI).sync_state == "changed"
    undone(job)
    assert rows_of(book) == before


def test_what_was_deleted_since_is_left() -> None:
    book, _ = make_book()
    make_contact(book, "+989121234563", first_name="before")
    job = imported(book, FILE + "09121234563,C,,\n")
    Contact.objects.filter(phone__in=[ALI, "+989121234563"]).update(deleted_at=timezone.now())
    Contact.objects.filter(phone=ALI).delete()
    found = undone(job)
    assert parts(found, "cases") == {"deleted": 2, "created": 1}
    assert parts(found, "actions") == {"left": 2, "removed": 1}
    assert contact("+989121234563").first_name == "C"


def test_a_later_import_counts_as_an_edit_and_is_named_and_its_own_undo_makes_it_untouched_again() -> None:
    book, _ = make_book()
    make_contact(book, SARA, first_name="before")
    before = rows_of(book)
    first = imported(book, FILE)
    later = imported(book, HEADER + "09121234561,Reza,,\n09121234562,Reza,,\n")
    found = looked(first)
    assert parts(found, "cases") == {"created_edited": 1, "updated_edited": 1}
    assert [row.facts["imports"] for row in found.changes.all()] == [[later.pk]] * 2
    undone(later)
    assert parts(looked(first), "cases") == {"created": 1, "updated": 1}
    undone(first)
    assert rows_of(book) == before


def test_what_changed_after_the_preview_is_kept() -> None:
    book, _ = make_book()
    make_contact(book, ALI, first_name="before")
    job = imported(book, FILE + "09121234563,C,,\n")
    found = looked(job)
    for phone in (ALI, SARA):
        row = contact(phone)
        row.company = "edited"
        row.save()
    push("+989121234563")
    undo.begin_undo(found, {}, user=None)
    assert parts(worked(found), "actions") == {"moved": 3}
    assert Contact.objects.filter(deleted_at=None).count() == 3


def test_a_redo_leaves_what_was_edited_after_the_undo() -> None:
    book, _ = make_book()
    make_contact(book, ALI, first_name="before")
    make_contact(book, "+989121234564", first_name="before")
    job = imported(book, FILE + "09121234563,C,,\n09121234564,D,,\n")
    push("+989121234563")
    found = undone(job)
    row = contact(ALI)
    row.first_name = "edited"
    row.save()
    make_contact(book, SARA, first_name="anew")
    Contact.objects.filter(phone="+989121234563").update(deleted_at=None)
    Contact.objects.filter(phone="+989121234564").delete()
    redone(found)
    assert parts(found, "redone") == {"kept": 2, "taken": 1, "gone": 1}
    assert (contact(ALI).first_name, contact(SARA).first_name) == ("edited", "anew")


def test_the_history_of_a_contact_finds_its_import_again_after_undo_and_redo() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    redone(undone(job))
    assert [change.job for change in contact(ALI).import_changes.all()] == [job]


def test_a_delete_run_planned_meanwhile_finds_nobody() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    run = lifecycle.create_delete_run(Contact.objects.filter(phone=ALI), user=None)
    item = run.items.get()
    found = undone(job)
    item.refresh_from_db()
    assert item.contact is None
    redone(found)
    item.refresh_from_db()
    assert item.contact == contact(ALI)


def test_every_row_that_can_point_to_a_contact_is_linked_again() -> None:
    relations = [field for field in Contact._meta.get_fields(include_hidden=True) if field.one_to_many]
    chosen = CampaignTarget.contacts.through
    assert {field.related_model for field in relations} == {*LINKED.values(), chosen, ImportChange, ImportUndoChange}


# What cannot be undone


def test_only_an_import_that_changed_something_and_rests_can_be_undone() -> None:
    book, _ = make_book()
    fresh = upload(book, FILE)
    with pytest.raises(TransitionRefused):
        undo.begin_check(fresh, user=None)
    nothing = imported(book, HEADER + "bad,,,\n")
    assert not undo.can_be_undone(nothing)
    with pytest.raises(StepRefused, match="nothing to undo"):
        undo.begin_check(nothing, user=None)
    job = imported(book, FILE)
    assert undo.can_be_undone(job)
    undone(job)
    with pytest.raises(TransitionRefused):
        undo.begin_check(job, user=None)
    with pytest.raises(TransitionRefused):
        jobs.begin_apply(job, user=None)


def test_choices_that_are_not_offered_are_refused() -> None:
    book, _ = make_book()
    found = looked(imported(book, FILE))
    for choices in ({"created": "keep"}, {"created_edited": "restore"}, {"nonsense": "keep"}):
        with pytest.raises(StepRefused):
            undo.begin_undo(found, choices, user=None)
    assert Contact.objects.count() == 2


def test_an_import_that_goes_on_after_the_preview_is_looked_through_again() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    ImportJob.objects.filter(pk=job.pk).update(state="stopped", position=1)
    found = looked(job)
    ImportJob.objects.filter(pk=job.pk).update(position=2)
    with pytest.raises(StepRefused, match="Look again"):
        undo.begin_undo(found, {}, user=None)
    assert looked(job).pk == found.pk
    found.refresh_from_db()
    undo.begin_undo(found, {}, user=None)


def test_a_stopped_import_is_undone_and_redone_to_where_it_was() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    ImportJob.objects.filter(pk=job.pk).update(state="stopped")
    job.refresh_from_db()
    found = undone(job)
    with pytest.raises(TransitionRefused):
        jobs.begin_apply(job, user=None)
    redone(found)
    job.refresh_from_db()
    assert job.state == ImportJob.State.STOPPED


def test_numbers_that_do_not_add_up_are_found() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    ImportChange.objects.filter(job=job, contact=contact(ALI)).delete()
    assert looked(job).counts["balances"] is False


# How long it is kept


def test_with_the_file_goes_what_a_redo_needs() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    found = undone(job)
    keeping.erase_file(job)
    keeping.erase_rows(job.pk)
    row = found.changes.get(phone=ALI)
    assert (row.before, row.links, row.name, row.action) == (None, {}, "", "removed")
    found.refresh_from_db()
    assert not undo.can_be_redone(found)
    with pytest.raises(TransitionRefused):
        undo.begin_redo(found, user=None)


def test_an_undo_after_the_file_was_erased_keeps_nothing_of_whom_it_has_removed() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    keeping.erase_file(job)
    keeping.erase_rows(job.pk)
    assert not keeping.half_erased()
    found = undone(job)
    assert keeping.half_erased() == [job.pk]
    keeping.erase_rows(job.pk)
    row = found.changes.get(phone=ALI)
    assert (row.before, row.links, row.name, row.action) == (None, {}, "", "removed")
    assert not keeping.half_erased()


def test_while_an_undo_is_under_way_the_file_is_kept() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    undo.begin_undo(looked(job), {}, user=None)
    job.refresh_from_db()
    assert not keeping.can_be_erased(job)
    with pytest.raises(StepRefused, match="Bring that to its end"):
        keeping.erase_file(job)
    later = timezone.now() + dt.timedelta(days=4000)
    with time_machine.travel(later, tick=False):
        assert keeping.erase_old_files() == 0


def test_a_file_whose_import_was_undone_does_not_count_as_imported_before() -> None:
    book, _ = make_book()
    job = imported(book, FILE)
    again = upload(book, FILE)
    assert list(keeping.same_file(again)) == [job]
    found = undone(job)
    assert list(keeping.same_file(again)) == []
    redone(found)
    assert list(keeping.same_file(again)) == [job]
