"""Phonebooks, custom options, suppression, people: what their screens take and refuse."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from contactsync.models import Contact, CustomOption, Phonebook, Suppression
from contactsync.models.reasons import reason
from tests.admin.flow_rows import address, client_of, make_job, text_of
from tests.factories import make_account, make_contact, make_option, make_phonebook, make_user

pytestmark = pytest.mark.django_db
OPTIONS = "/admin/contactsync/customoption/"
BOOKS = "/admin/contactsync/phonebook/"
SUPPRESSION = "/admin/contactsync/suppression/"


def errors(response: Any) -> Any:
    return response.context["adminform"].form.errors


# Custom options


def test_an_option_is_added_with_its_kind() -> None:
    account = make_account()
    client_of("Marketing").post(
        f"{OPTIONS}add/", {"account": account.pk, "title": " تولد ", "kind": "date", "choices": ""}
    )
    assert list(CustomOption.objects.values_list("title", "kind")) == [("تولد", "date")]


def test_a_kind_the_provider_does_not_have_is_refused() -> None:
    data = {"account": make_account().pk, "title": "level", "kind": "choice", "choices": "gold\nsilver"}
    assert "no options of the kind" in str(errors(client_of("Marketing").post(f"{OPTIONS}add/", data)))


def test_a_choice_without_values_is_refused() -> None:
    data = {"account": make_account().pk, "title": "level", "kind": "choice", "choices": " "}
    assert "choices" in errors(client_of("Marketing").post(f"{OPTIONS}add/", data))


def test_the_kind_is_fixed_once_the_option_exists_at_the_provider() -> None:
    option = make_option(make_account(), "born", kind="date", remote_key="12")
    client = client_of("Marketing")
    page = text_of(client.get(address(option)))
    assert "It cannot be changed" in page
    assert 'name="kind"' not in page
    client.post(address(option), {"title": "birthday", "kind": "text", "choices": ""})
    option.refresh_from_db()
    assert (option.title, option.kind) == ("birthday", "date")


def test_an_option_in_use_cannot_be_deleted() -> None:
    option = make_option(make_account())
    make_phonebook(option.account, options=(option,))
    lead = client_of("Marketing lead")
    assert lead.post(address(option, "delete"), {"post": "yes"}).status_code == 403
    lead.post(address(make_option(option.account), "delete"), {"post": "yes"})
    assert CustomOption.objects.get() == option


# Phonebooks


def test_a_phonebook_begins_with_its_account() -> None:
    client = client_of("Marketing")
    assert "There is no provider account yet" in text_of(client.get(f"{BOOKS}add/"))
    account = make_account()
    assert client.get(f"{BOOKS}add/").url.endswith(f"?account={account.pk}")
    make_account()
    assert "In which account?" in text_of(client.get(f"{BOOKS}add/"))
    client.post(f"{BOOKS}add/?account={account.pk}", {"title": "VIP", "description": ""})
    assert Phonebook.objects.get().account == account


def test_what_becomes_of_the_title_is_said_where_the_provider_keeps_it() -> None:
    callbell = make_account(provider="callbell")
    client = client_of("Marketing")
    add = text_of(client.get(f"/admin/contactsync/phonebook/add/?account={callbell.pk}"))
    assert "Write it exactly as it is there. Callbell has no phonebooks" in add
    linked = make_phonebook(callbell, remote_id="vip")
    assert "Another title stays here. Callbell has no phonebooks" in text_of(client.get(address(linked)))
    assert "keeps no descriptions" in text_of(client.get(address(make_phonebook())))
    option = make_option(callbell, "City")
    assert "Another title stays here. Custom fields are made" in text_of(client.get(address(option)))


def test_a_title_that_is_taken_is_a_message_not_a_crash() -> None:
    book = make_phonebook(title="VIP")
    response = client_of("Marketing").post(f"{BOOKS}add/?account={book.account_id}", {"title": "VIP"})
    assert response.status_code == 200
    assert Phonebook.objects.count() == 1


def test_options_of_other_accounts_are_not_offered() -> None:
    account = make_account()
    make_option(account, "mine")
    make_option(make_account(), "of somebody else")
    page = text_of(client_of("Marketing").get(address(make_phonebook(account))))
    assert "mine" in page
    assert "of somebody else" not in page


def test_options_are_put_into_a_phonebook() -> None:
    option = make_option(make_account())
    book = make_phonebook(option.account)
    data = {
        "title": book.title,
        "description": "",
        "option_places-TOTAL_FORMS": "1",
        "option_places-INITIAL_FORMS": "0",
    }
    client_of("Marketing").post(
        address(book), {**data, "option_places-0-option": option.pk, "option_places-0-phonebook": book.pk}
    )
    assert list(book.options.all()) == [option]


def test_the_page_counts_contacts_by_state_with_links() -> None:
    book = make_phonebook()
    for state in ("synced", "synced", "changed", "failed", "missing"):
        Contact.objects.filter(pk=make_contact(book).pk).update(sync_state=state)
    response = client_of("Marketing").get(address(book))
    assert response.context["counts"] == {"total": 5, "synced": 2, "waiting": 1, "cannot": 0, "failed": 2}
    assert f"phonebook__id__exact={book.pk}&amp;sync=trouble" in text_of(response)
    assert f"importjob/add/?phonebook={book.pk}" in text_of(response)


def test_the_list_counts_with_few_queries(django_assert_max_num_queries: Any) -> None:
    account = make_account()
    for _ in range(10):
        make_contact(make_phonebook(account))
    client = client_of(is_superuser=True)
    with django_assert_max_num_queries(10):
        response = client.get(BOOKS)
    assert all(book.counted["waiting"] == 1 for book in response.context["cl"].result_list)


def test_a_stopped_account_is_said_on_its_phonebooks() -> None:
    book = make_phonebook(make_account(state="refused", state_reason=reason("The key is wrong.")))
    page = text_of(client_of("Marketing").get(address(book)))
    assert "is stopped" in page
    assert "The key is wrong." in page


def test_a_phonebook_with_contacts_cannot_be_deleted_and_imports_go_with_it() -> None:
    lead = client_of("Marketing lead")
    full, imported, empty = make_phonebook(), make_phonebook(), make_phonebook()
    make_contact(full)
    make_job(imported)
    for book in (full, imported, empty):
        assert lead.post(address(book, "delete"), {"post": "yes"}).status_code == 302
    assert set(Phonebook.objects.all()) == {full}


def test_people_who_may_not_push_see_no_buttons() -> None:
    page = text_of(client_of(may=("view_phonebook",)).get(address(make_phonebook())))
    assert "Push to provider" not in page
    assert "Pull state" not in page
    assert "Import" not in page


# Suppression


def test_a_number_in_any_form_is_suppressed_in_one() -> None:
    make_account(default_region="IR")
    client_of("Marketing").post(f"{SUPPRESSION}add/", {"phone": "۰۹۱۲-۱۲۳ ۴۵۶۷", "reason": " asked us "})
    assert list(Suppression.objects.values_list("phone", "reason", "source")) == [
        ("+989121234567", "asked us", "person")
    ]


def test_a_number_twice_or_wrong_is_a_message() -> None:
    Suppression.objects.create(phone="+989121234567")
    client = client_of("Marketing")
    for wrong in ("09121234567", "abc", ""):
        assert "phone" in errors(client.post(f"{SUPPRESSION}add/", {"phone": wrong, "reason": ""}))


@pytest.mark.parametrize("text", ["0912 123 4567", "۱۲۳۴۵۶۷", "asked"])
def test_suppressed_numbers_are_found_in_any_form(text: str) -> None:
    wanted = Suppression.objects.create(phone="+989121234567", reason="asked us")
    Suppression.objects.create(phone="+989359998888")
    response = client_of("Marketing").get(SUPPRESSION, {"q": text})
    assert list(response.context["cl"].result_list) == [wanted]


# People


def test_marketing_may_not_send_or_delete_and_the_lead_may() -> None:
    marketing, lead = make_user(group="Marketing"), make_user(group="Marketing lead")
    for permission in ("push_phonebook", "export_contact", "export_campaign", "export_importjob", "add_importjob"):
        assert marketing.has_perm(f"contactsync.{permission}")
        assert lead.has_perm(f"contactsync.{permission}")
    for permission in ("send_campaign", "delete_contact", "delete_phonebook", "delete_campaign", "delete_suppression"):
        assert not marketing.has_perm(f"contactsync.{permission}")
        assert lead.has_perm(f"contactsync.{permission}")
    for user in (marketing, lead):
        assert not user.has_perm("contactsync.view_provideraccount")
        assert not user.has_perm("contactsync.change_run")
        assert not user.has_perm("auth.view_user")


def test_groups_offer_permissions_in_words_and_keep_what_was_ticked() -> None:
    group = Group.objects.get(name="Marketing")
    client = client_of(is_superuser=True)
    response = client.get(address_of(group))
    assert "Phonebooks: push to the provider" in text_of(response)
    before = set(group.permissions.values_list("codename", flat=True))
    data = {"name": "Marketing", "permissions": [permission.pk for permission in group.permissions.all()]}
    client.post(address_of(group), data)
    assert set(group.permissions.values_list("codename", flat=True)) == before


def address_of(row: Any) -> str:
    return f"/admin/auth/{row._meta.model_name}/{row.pk}/change/"


def test_only_superusers_make_superusers() -> None:
    keeper = make_user()
    client = client_of()
    user = User.objects.exclude(pk=keeper.pk).get()
    from django.contrib.auth.models import Permission

    user.user_permissions.add(*Permission.objects.filter(codename__in=("change_user", "view_user", "delete_user")))
    boss = make_user(is_superuser=True)
    lead = Group.objects.get(name="Marketing lead")
    client.post(
        address_of(keeper), {"username": keeper.username, "is_superuser": "on", "is_active": "on", "groups": [lead.pk]}
    )
    keeper.refresh_from_db()
    assert not keeper.is_superuser
    assert not keeper.groups.exists()
    assert client.post(address_of(boss), {"username": "mine"}).status_code == 403
    assert client.post(f"/admin/auth/user/{boss.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"/admin/auth/user/{boss.pk}/password/").status_code == 403


def test_a_user_is_put_into_groups() -> None:
    user, lead = make_user(), Group.objects.get(name="Marketing lead")
    data = {"username": user.username, "first_name": "Mina", "is_active": "on", "is_staff": "on", "groups": [lead.pk]}
    client_of(is_superuser=True).post(address_of(user), data)
    assert list(user.groups.all()) == [lead]
