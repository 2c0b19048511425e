"""Contacts: the list, the search, the form, and the story of each."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from contactsync.models import Contact, ImportChange, ImportJob, Phonebook, Recipient, Run, RunItem, Suppression
from contactsync.models.reasons import reason
from tests.admin.flow_rows import address, client_of, text_of
from tests.factories import make_account, make_campaign, make_contact, make_option, make_phonebook

pytestmark = pytest.mark.django_db
LIST = "/admin/contactsync/contact/"


@pytest.fixture
def book() -> Phonebook:
    account = make_account()
    options = (
        make_option(account, "شهر"),
        make_option(account, "امتیاز", kind="integer"),
        make_option(account, "تولد", kind="date"),
    )
    return make_phonebook(account, options=options, title="مشتریان")


def keys(book: Phonebook) -> list[str]:
    return [str(place.option_id) for place in book.option_places.all()]


def form(book: Phonebook, **changes: str) -> dict[str, str]:
    city, score, born = keys(book)
    return {
        "phone": "۰۹۱۲ ۱۲۳-۴۵۶۷",
        "first_name": "علي",
        "last_name": "کاظمی",
        f"option_{city}": "تهران",
        f"option_{score}": "۱۵",
        f"option_{born}": "1371/7/16",
        **changes,
    }


def add(book: Phonebook) -> str:
    return f"{LIST}add/?phonebook={book.pk}"


def errors(response: Any) -> dict[str, list[str]]:
    return response.context["adminform"].form.errors


def listed(response: Any) -> list[Contact]:
    return list(response.context["cl"].result_list)


# The form


def test_a_contact_is_kept_in_canonical_form(book: Phonebook) -> None:
    client_of("Marketing").post(add(book), form(book))
    contact = Contact.objects.get()
    city, score, born = keys(book)
    assert contact.phone == "+989121234567"
    assert contact.first_name == "علی"
    assert contact.options == {city: "تهران", score: "15", born: "1992-10-08"}
    assert (contact.phonebook, contact.sync_state) == (book, "new")
    assert contact.payload_hash == contact.fingerprint()


def test_wrong_values_are_named_at_their_fields(book: Phonebook) -> None:
    _city, score, born = keys(book)
    wrong = form(book, **{"phone": "0912", f"option_{score}": "many", f"option_{born}": "03/04/2020"})
    found = errors(client_of("Marketing").post(add(book), wrong))
    assert "too few digits" in found["phone"][0]
    assert "whole number" in found[f"option_{score}"][0]
    assert "Day and month" in found[f"option_{born}"][0]
    assert not Contact.objects.exists()


def test_a_number_that_is_there_already_is_a_message_not_a_crash(book: Phonebook) -> None:
    make_contact(book, "+989121234567", first_name="Sara")
    found = errors(client_of("Marketing").post(add(book), form(book)))
    assert "Sara" in found["phone"][0]


def test_a_number_of_a_contact_that_is_being_deleted_says_so(book: Phonebook) -> None:
    make_contact(book, "+989121234567", deleted_at=timezone.now())
    assert "deleted contact" in errors(client_of("Marketing").post(add(book), form(book)))["phone"][0]


def test_the_region_of_the_account_reads_national_numbers() -> None:
    book = make_phonebook(make_account(default_region="DE"))
    client_of("Marketing").post(add(book), {"phone": "0151 23456789"})
    assert Contact.objects.get().phone == "+4915123456789"


def test_a_landline_is_kept_with_a_warning(book: Phonebook) -> None:
    response = client_of("Marketing").post(add(book), form(book, phone="021 88776655"), follow=True)
    assert "landline" in text_of(response)
    assert Contact.objects.get().phone == "+982188776655"


def test_an_edit_marks_a_contact_in_step_as_changed(book: Phonebook) -> None:
    contact = make_contact(book, "+989121234567", remote_id="7")
    Contact.objects.filter(pk=contact.pk).update(sync_state="synced", pushed_hash=contact.payload_hash)
    client_of("Marketing").post(address(contact), form(book))
    contact.refresh_from_db()
    assert contact.sync_state == "changed"


def test_saving_without_an_edit_leaves_the_contact_in_step(book: Phonebook) -> None:
    city, score, born = keys(book)
    contact = make_contact(
        book, "+989121234567", remote_id="7", options={city: "تهران", score: "15", born: "1992-10-08"}
    )
    Contact.objects.filter(pk=contact.pk).update(sync_state="synced", pushed_hash=contact.payload_hash)
    client_of("Marketing").post(address(contact), form(book, first_name="", last_name=""))
    contact.refresh_from_db()
    assert contact.sync_state == "synced"


def test_an_edit_does_not_undo_what_a_run_wrote_meanwhile(book: Phonebook, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = make_contact(book, "+989121234567")
    from contactsync.admin.forms.contacts import ContactForm

    clean = ContactForm.clean

    def meanwhile(self: Any) -> Any:
        Contact.objects.filter(pk=contact.pk).update(remote_id="99")
        return clean(self)

    monkeypatch.setattr(ContactForm, "clean", meanwhile)
    client_of("Marketing").post(address(contact), form(book))
    contact.refresh_from_db()
    assert (contact.remote_id, contact.first_name) == ("99", "علی")


def test_an_emptied_option_goes_and_others_stay(book: Phonebook) -> None:
    city, score, born = keys(book)
    contact = make_contact(book, "+989121234567", options={city: "تهران", "999999": "of another book"})
    client_of("Marketing").post(address(contact), form(book, **{f"option_{city}": "", f"option_{born}": ""}))
    contact.refresh_from_db()
    assert contact.options == {score: "15", "999999": "of another book"}


def test_a_choice_offers_its_values_and_keeps_an_old_one() -> None:
    account = make_account()
    level = make_option(account, "level", kind="choice", choices=["gold", "silver"])
    book = make_phonebook(account, options=(level,))
    contact = make_contact(book, "+989121234567", options={str(level.pk): "bronze"})
    client = client_of("Marketing")
    page = text_of(client.get(address(contact)))
    assert all(value in page for value in ("gold", "silver", "bronze"))
    client.post(address(contact), {"phone": contact.phone, f"option_{level.pk}": "bronze"})
    contact.refresh_from_db()
    assert contact.options == {str(level.pk): "bronze"}


def test_persian_pages_begin_with_the_jalali_date_and_english_ones_with_the_gregorian(book: Phonebook) -> None:
    born = keys(book)[2]
    contact = make_contact(book, options={born: "1992-10-08"})
    client = client_of("Marketing")
    assert 'value="1992-10-08"' in text_of(client.get(address(contact)))
    page = text_of(client.get(address(contact), headers={"accept-language": "fa"}))
    assert 'value="1371/07/16"' in page
    assert "1992-10-08" in page


def test_tags_are_separated_by_commas_of_both_scripts(book: Phonebook) -> None:
    client_of("Marketing").post(add(book), form(book, tags="vip، تهران, vip"))
    assert Contact.objects.get().tags == ["vip", "تهران"]


def test_fields_the_provider_does_not_keep_stand_apart(book: Phonebook) -> None:
    page = text_of(client_of("Marketing").get(add(book)))
    assert "this provider has no place for them" in page
    assert page.index('name="first_name"') < page.index("Kept here only") < page.index('name="company"')


def test_adding_begins_with_the_phonebook(book: Phonebook) -> None:
    client = client_of("Marketing")
    assert client.get(f"{LIST}add/").url.endswith(f"?phonebook={book.pk}")
    make_phonebook(book.account)
    assert "Into which phonebook?" in text_of(client.get(f"{LIST}add/"))


def test_adding_without_any_phonebook_says_what_to_do_first() -> None:
    assert "There is no phonebook yet" in text_of(client_of("Marketing").get(f"{LIST}add/"))


# The list


def test_deleted_contacts_are_shown_only_when_asked_for(book: Phonebook) -> None:
    present, gone = make_contact(book), make_contact(book, deleted_at=timezone.now())
    client = client_of("Marketing")
    assert listed(client.get(LIST)) == [present]
    assert listed(client.get(LIST, {"deleted": "yes"})) == [gone]


def test_a_deleted_contact_is_not_edited_any_more(book: Phonebook) -> None:
    gone = make_contact(book, deleted_at=timezone.now())
    client = client_of("Marketing lead")
    page = text_of(client.get(address(gone)))
    assert "Deleted here" in page
    assert "Delete here and at the provider" not in page
    assert client.post(address(gone), form(book)).status_code == 403


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"sync": "waiting"}, ["new", "changed"]),
        ({"sync": "trouble"}, ["failed", "unknown", "missing"]),
        ({"sync": "synced"}, ["synced"]),
        ({}, ["new", "changed", "synced", "failed", "unknown", "missing"]),
    ],
)
def test_filters_by_state(book: Phonebook, filters: dict[str, str], expected: list[str]) -> None:
    for state in Contact.SyncState.values:
        Contact.objects.filter(pk=make_contact(book).pk).update(sync_state=state)
    found = listed(client_of("Marketing").get(LIST, filters))
    assert {contact.sync_state for contact in found} == set(expected)


def test_filters_by_phonebook_and_account(book: Phonebook) -> None:
    mine, other = make_contact(book), make_contact(make_phonebook())
    client = client_of("Marketing")
    assert listed(client.get(LIST, {"phonebook__id__exact": book.pk})) == [mine]
    assert listed(client.get(LIST, {"phonebook__account__id__exact": other.phonebook.account_id})) == [other]


@pytest.mark.parametrize(
    "text",
    ["+989121234567", "0912 123 4567", "00989121234567", "۰۹۱۲۱۲۳۴۵۶۷", "912-123", "4567", "98912"],
)
def test_a_number_is_found_in_any_form(book: Phonebook, text: str) -> None:
    wanted = make_contact(book, "+989121234567")
    make_contact(book, "+989359998888")
    assert listed(client_of("Marketing").get(LIST, {"q": text})) == [wanted]


@pytest.mark.parametrize(
    "text", ["علي", "کاظمي", "علی کاظمی", "کاظمی علی", "تهران", "علی تهران", "1371/07/16", "1992-10-08", "۱۵"]
)
def test_people_are_found_by_name_and_option_in_any_spelling(book: Phonebook, text: str) -> None:
    city, score, born = keys(book)
    values = {city: "تهران", score: "15", born: "1992-10-08"}
    wanted = make_contact(book, "+989360002222", first_name="علی", last_name="کاظمی", options=values)
    make_contact(book, "+989360003333", first_name="سارا", last_name="رضایی", options={city: "شیراز"})
    assert listed(client_of("Marketing").get(LIST, {"q": text})) == [wanted]


@pytest.mark.parametrize(
    ("name", "text"), [("Müller", "MÜLLER"), ("Öztürk", "öztürk"), ("علی‌رضا", "علیرضا"), ("O'Neil", "o'ne")]
)
def test_names_are_found_whatever_the_case_and_joiners(book: Phonebook, name: str, text: str) -> None:
    wanted = make_contact(book, first_name=name)
    make_contact(book, first_name="Anna")
    assert listed(client_of("Marketing").get(LIST, {"q": text})) == [wanted]


def test_percent_signs_and_quotes_in_a_search_are_plain_text(book: Phonebook) -> None:
    make_contact(book, first_name="Anna")
    client = client_of("Marketing")
    for text in ("%", "_", "'", '"', "\\", "1' OR '1'='1"):
        assert listed(client.get(LIST, {"q": text})) == []


def test_the_list_takes_few_queries_whatever_its_length(book: Phonebook, django_assert_max_num_queries: Any) -> None:
    for _ in range(30):
        make_contact(book, sync_error=reason("Refused."))
    client = client_of(is_superuser=True)
    with django_assert_max_num_queries(12):
        client.get(LIST)


# The story of a contact


def test_the_page_tells_file_line_runs_and_campaigns(book: Phonebook, django_assert_max_num_queries: Any) -> None:
    contact = make_contact(book)
    job = ImportJob.objects.create(phonebook=book, file_name="people-of-may.csv", state="applied")
    ImportChange.objects.create(job=job, contact=contact, row=41, line=42, kind="created")
    run = Run.objects.create(kind="push", account=book.account, phonebook=book, state="finished")
    RunItem.objects.create(
        run=run,
        contact=contact,
        phone=contact.phone,
        operation="create",
        state="failed",
        error=reason("No such number."),
    )
    campaign = make_campaign(book.account, title="Nowruz")
    Recipient.objects.create(
        campaign=campaign, contact=contact, phone=contact.phone, state="accepted", delivery="delivered"
    )
    Suppression.objects.create(phone=contact.phone, reason="asked us")
    client = client_of("Marketing")
    page = text_of(client.get(address(contact)))
    for word in ("people-of-may.csv", "line 42", "No such number.", "Nowruz", "delivered", "asked us"):
        assert word in page
    with django_assert_max_num_queries(24):
        client.get(address(contact))


def test_the_delete_page_of_django_is_not_used(book: Phonebook) -> None:
    contact = make_contact(book)
    response = client_of("Marketing lead").post(address(contact, "delete"), {"post": "yes"})
    assert response.status_code == 302
    assert Contact.objects.filter(pk=contact.pk, deleted_at=None).exists()


def test_people_without_permission_see_nothing(book: Phonebook) -> None:
    contact = make_contact(book)
    client = client_of()
    assert client.get(LIST).status_code == 403
    assert client.get(address(contact)).status_code == 403
    assert client.get(add(book)).status_code == 403
    reader = client_of(may=("view_contact",))
    assert reader.get(address(contact)).status_code == 200
    assert reader.post(address(contact), form(book)).status_code == 403
    assert reader.post(address(contact, "remove")).status_code == 403
    assert reader.get(reverse("admin:contactsync_contact_history", args=[contact.pk])).status_code == 200
