"""Campaigns as files: what comes back unchanged changes nothing, what is new is a draft, and nothing is sent by it."""

from __future__ import annotations

import datetime as dt
import html
import io
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from contactsync.models import Call, Campaign, CampaignTarget, Phonebook, ProviderAccount, Recipient
from tests.admin.flow_rows import client_of, text_of
from tests.admin.test_small_imports import confirm, exported, upload
from tests.factories import make_account, make_campaign, make_contact, make_phonebook

pytestmark = pytest.mark.django_db
FORMS = ["0", "1"]  # CSV, Excel
MESSAGE = 'سلام {first_name}،\n«تخفیف» 50% – "today", only; 007\n\n\'=1+1'


@pytest.fixture
def account() -> ProviderAccount:
    return make_account(name="Main")


@pytest.fixture
def book(account: ProviderAccount) -> Phonebook:
    return make_phonebook(account, title="باشگاه | VIP")


@pytest.fixture
def client() -> Client:
    return client_of("Marketing")


def written(account: ProviderAccount, book: Phonebook) -> Campaign:
    """A draft that goes to a whole phonebook, to a part of another, and to chosen people."""
    moment = timezone.now().replace(microsecond=0) + dt.timedelta(days=3)
    campaign = make_campaign(account, title="=نوروز, 1404", message=MESSAGE, sender="+983000505", scheduled_for=moment)
    CampaignTarget.objects.create(campaign=campaign, phonebook=book)
    other = make_phonebook(account, title="Others")
    CampaignTarget.objects.create(campaign=campaign, phonebook=other, start=1, size=5)
    chosen = CampaignTarget.objects.create(campaign=campaign, phonebook=other, type=CampaignTarget.Type.DETAIL)
    chosen.contacts.add(make_contact(other))
    return campaign


def rows() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Campaign, CampaignTarget)]


@pytest.mark.parametrize("form", FORMS)
def test_what_comes_back_unchanged_changes_nothing(
    client: Client, account: ProviderAccount, book: Phonebook, form: str
) -> None:
    written(account, book)
    sent = make_campaign(account, state=Campaign.State.SENT, title="007", message="- 1,5", finished_at=timezone.now())
    CampaignTarget.objects.create(campaign=sent, phonebook=book)
    before = rows()
    page = upload(client, "campaign", exported(client, "campaign", form), form)
    assert page.context["result"].totals["skip"] == 2
    confirm(client, "campaign", page)
    assert rows() == before


@pytest.mark.parametrize("form", FORMS)
def test_what_was_lost_comes_back_as_a_draft(
    client: Client, account: ProviderAccount, book: Phonebook, form: str
) -> None:
    lost = written(account, book)
    lost.targets.exclude(phonebook=book).delete()
    values = {"1": '{first_name} – "گرامی"', "2": "a\nb = 'c'"}
    Campaign.objects.update(template="welcome", template_values=values, is_keyworded=True)
    file = exported(client, "campaign", form)
    Campaign.objects.all().delete()
    confirm(client, "campaign", upload(client, "campaign", file, form))
    campaign = Campaign.objects.get()
    told = ("title", "account", "sender", "message", "scheduled_for", "state")
    assert [getattr(campaign, name) for name in told] == [getattr(lost, name) for name in told]
    assert (campaign.template, campaign.template_values, campaign.is_keyworded) == ("welcome", values, True)
    assert campaign.pk != lost.pk
    assert campaign.created_by is not None
    assert list(campaign.targets.values_list("phonebook", "type", "start", "size")) == [(book.pk, "all", None, None)]
    assert not Recipient.objects.exists()
    assert not Call.objects.exists()


def test_a_new_campaign_is_refused_while_the_file_names_targets_that_it_cannot_bring(
    client: Client, account: ProviderAccount, book: Phonebook
) -> None:
    written(account, book)
    file = exported(client, "campaign").decode()
    Campaign.objects.all().delete()
    page = upload(client, "campaign", file)
    assert "cannot come from a file: Others [1–5] | Others [chosen]." in text_of(page)
    assert "confirm_form" not in page.context
    confirm(client, "campaign", upload(client, "campaign", file.replace("Others [1–5] | Others [chosen]", "")))
    assert [target.phonebook for target in Campaign.objects.get().targets.all()] == [book]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"phonebooks": "A"}, "Remove “B” on the campaign's page."),
        ({"phonebooks": ""}, "Remove “A” on the campaign's page."),
        ({"phonebooks": "A | B | C"}, ""),
        ({"phonebooks": "B | A", "other targets": "C [3–]"}, ""),
        ({"phonebooks": "A | B", "other targets": ""}, "are changed on the campaign's page only"),
        ({"other targets": "C [4–]"}, "are changed on the campaign's page only"),
    ],
)
def test_a_target_that_is_taken_out_of_the_file_is_not_passed_over(
    client: Client, account: ProviderAccount, columns: dict[str, str], said: str
) -> None:
    campaign = make_campaign(account, title="Spring")
    books = [make_phonebook(account, title=title) for title in "ABC"]
    for target, start in zip(books, (None, None, 3), strict=True):
        CampaignTarget.objects.create(campaign=campaign, phonebook=target, start=start)
    names, cells = ",".join(columns), ",".join(columns.values())
    page = upload(client, "campaign", f"id,account,title,{names}\n{campaign.pk},Main,Spring,{cells}\n")
    assert said in html.unescape(text_of(page))
    assert ("confirm_form" not in page.context) == bool(said)


def test_an_unclear_switch_and_unclear_values_are_refused(client: Client, account: ProviderAccount) -> None:
    for name, cell, said in [
        ("is_keyworded", "yes", "not “yes”"),
        ("template_values", "1=Ali", "Write the values of a template as"),
        ("template_values", "[1]", "Write the values of a template as"),
    ]:
        page = upload(client, "campaign", f"account,title,{name}\nMain,Spring,{cell}\n")
        assert said in text_of(page)
        assert "confirm_form" not in page.context


def test_a_file_written_by_hand_needs_no_ids(client: Client, account: ProviderAccount, book: Phonebook) -> None:
    file = f"account,title,message,phonebooks\n,Spring,Hello,{book.title.replace('|', '||')}\n"
    page = upload(client, "campaign", file)
    assert not Campaign.objects.exists()
    confirm(client, "campaign", page)
    campaign = Campaign.objects.get()
    assert (campaign.account, campaign.message, campaign.state) == (account, "Hello", Campaign.State.DRAFT)
    assert [target.phonebook for target in campaign.targets.all()] == [book]


def test_line_ends_of_excel_are_those_of_the_form(client: Client, account: ProviderAccount) -> None:
    book = openpyxl.Workbook()
    book.active.append(["account", "title", "message"])
    book.active.append(["Main", "Spring", "Hi_x000D_\n there_x000D_you"])
    file = io.BytesIO()
    book.save(file)
    confirm(client, "campaign", upload(client, "campaign", file.getvalue(), "1"))
    assert Campaign.objects.get().message == "Hi\n there\nyou"


def test_a_time_may_be_jalali_and_what_is_none_is_named(client: Client, account: ProviderAccount) -> None:
    confirm(
        client, "campaign", upload(client, "campaign", "account,title,scheduled_for\nMain,Spring,۱۴۰۵/۰۱/۱۵ 09:30\n")
    )
    local = timezone.localtime(Campaign.objects.get().scheduled_for)
    assert f"{local:%Y-%m-%d %H:%M}" == "2026-04-04 09:30"
    page = upload(client, "campaign", "account,title,scheduled_for\nMain,Summer,soon\n")
    assert "This is not a date." in text_of(page)
    assert "confirm_form" not in page.context


def test_a_draft_is_changed_and_keeps_whom_it_goes_to(
    client: Client, account: ProviderAccount, book: Phonebook
) -> None:
    campaign = written(account, book)
    targets = list(campaign.targets.values())
    page = upload(client, "campaign", f"id,account,title,message\n{campaign.pk},Main,Spring,Hello\n")
    assert "<ins>Spring</ins>" in page.content.decode()
    confirm(client, "campaign", page)
    campaign.refresh_from_db()
    assert (campaign.title, campaign.message, campaign.sender) == ("Spring", "Hello", "+983000505")
    assert list(campaign.targets.values()) == targets


def test_a_campaign_that_is_no_longer_a_draft_is_not_changed(client: Client, account: ProviderAccount) -> None:
    campaign = make_campaign(account, title="Spring", message="Hello")
    file = f"id,account,title,message\n{campaign.pk},Main,Spring,Bye\n"
    page = upload(client, "campaign", file)
    Campaign.objects.update(state=Campaign.State.PREPARED)
    confirm(client, "campaign", page)
    assert Campaign.objects.get().message == "Hello"
    page = upload(client, "campaign", file)
    assert "no longer a draft (prepared, waiting for approval)" in text_of(page)
    assert "confirm_form" not in page.context


def test_an_unknown_phonebook_is_named(client: Client, account: ProviderAccount) -> None:
    make_phonebook(make_account(name="Other"), title="Theirs")
    page = upload(client, "campaign", "account,title,message,phonebooks\nMain,Spring,Hello,Theirs\n")
    assert "The account has no phonebook “Theirs”." in text_of(page)
    assert not Campaign.objects.exists()


def test_only_who_may_write_campaigns_may_import_them(account: ProviderAccount) -> None:
    client = client_of(may=("view_campaign", "export_campaign"))
    assert upload(client, "campaign", "account,title\nMain,Spring\n").status_code == 403
    assert exported(client, "campaign")
