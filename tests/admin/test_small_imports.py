"""Suppression, options and phonebooks from files: shown first, then written."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from contactsync.models import CustomOption, Phonebook, Suppression
from tests.admin.flow_rows import client_of, text_of
from tests.factories import make_account, make_option, make_phonebook

pytestmark = pytest.mark.django_db


def upload(client: Client, model: str, content: str | bytes, form: str = "0") -> Any:
    data = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("list.csv" if form == "0" else "list.xlsx", data)
    return client.post(f"/admin/contactsync/{model}/import/", {"import_file": file, "format": form, "resource": "0"})


def exported(client: Client, model: str, form: str = "0") -> bytes:
    content: bytes = client.post(f"/admin/contactsync/{model}/export/", {"format": form, "resource": "0"}).content
    return content


def confirm(client: Client, model: str, page: Any) -> Any:
    return client.post(f"/admin/contactsync/{model}/process_import/", page.context["confirm_form"].initial)


def test_suppressed_numbers_are_normalised_and_nothing_is_written_before_the_word() -> None:
    make_account(default_region="IR")
    client = client_of("Marketing")
    page = upload(client, "suppression", "phone,reason\n۰۹۱۲ ۱۲۳ ۴۵۶۷,asked us\n+98 935 999 8888,\n")
    assert not Suppression.objects.exists()
    assert "Nothing has been written yet" in text_of(page)
    confirm(client, "suppression", page)
    assert set(Suppression.objects.values_list("phone", "reason", "source")) == {
        ("+989121234567", "asked us", "import"),
        ("+989359998888", "", "import"),
    }


def test_a_wrong_number_is_named_with_its_row_and_nothing_is_written() -> None:
    client = client_of("Marketing")
    page = upload(client, "suppression", "phone,reason\n09121234567,ok\n9.89E+11,bad\n")
    shown = text_of(page)
    assert "so nothing was written" in shown
    assert "last digits are lost" in shown
    assert "Traceback" not in shown
    assert "confirm_form" not in page.context
    assert not Suppression.objects.exists()


def test_a_number_that_is_there_already_is_updated_not_doubled() -> None:
    Suppression.objects.create(phone="+989121234567", reason="old", source="person")
    client = client_of("Marketing")
    confirm(client, "suppression", upload(client, "suppression", "phone;reason\n00989121234567;new\n"))
    suppression = Suppression.objects.get()
    assert (suppression.reason, suppression.source) == ("new", "person")


def test_an_excel_file_works_as_well() -> None:
    book = openpyxl.Workbook()
    book.active.append(["phone", "reason"])
    book.active.append(["09121234567", "x"])
    file = io.BytesIO()
    book.save(file)
    client = client_of("Marketing")
    confirm(client, "suppression", upload(client, "suppression", file.getvalue(), "1"))
    assert Suppression.objects.get().phone == "+989121234567"


def test_an_unreadable_file_is_a_message() -> None:
    page = upload(client_of("Marketing"), "suppression", b"\xff\xfe\x00\x01", "0")
    assert page.status_code == 200
    assert not Suppression.objects.exists()


def test_what_was_defused_on_the_way_out_comes_back_as_it_was() -> None:
    Suppression.objects.create(phone="+989121234567", reason="=1+1")
    client = client_of("Marketing")
    file = exported(client, "suppression")
    Suppression.objects.all().delete()
    confirm(client, "suppression", upload(client, "suppression", file))
    assert Suppression.objects.get().reason == "=1+1"


def test_options_and_phonebooks_make_the_round_trip() -> None:
    account = make_account(name="Main", provider="callbell")
    level = make_option(account, "level", kind="choice", choices=["gold", "silver"])
    make_phonebook(account, title="VIP", options=(level,))
    client = client_of("Marketing")
    files = {model: exported(client, model) for model in ("customoption", "phonebook")}
    Phonebook.objects.all().delete()
    CustomOption.objects.all().delete()
    for model, file in files.items():
        confirm(client, model, upload(client, model, file))
    book = Phonebook.objects.get()
    assert (book.title, book.account) == ("VIP", account)
    assert [(option.title, option.kind, option.choices) for option in book.options.all()] == [
        ("level", "choice", ["gold", "silver"])
    ]


def test_with_one_account_its_name_may_be_left_out() -> None:
    account = make_account()
    client = client_of("Marketing")
    confirm(client, "phonebook", upload(client, "phonebook", "title,account\nVIP,\n"))
    assert Phonebook.objects.get().account == account


def test_an_unknown_account_or_option_is_named() -> None:
    make_account()
    client = client_of("Marketing")
    assert "no account with the name “Nope”" in text_of(upload(client, "phonebook", "title,account\nVIP,Nope\n"))
    page = upload(client, "phonebook", "title,account,options\nVIP,,Nope\n")
    assert "no option “Nope”" in text_of(page)


def test_a_file_cannot_change_the_kind_of_an_option_that_exists_at_the_provider() -> None:
    account = make_account(name="Main")
    make_option(account, "born", kind="text", remote_key="12")
    page = upload(client_of("Marketing"), "customoption", "account,title,kind\nMain,born,date\n")
    assert "The kind is fixed" in text_of(page)


def test_the_preview_shows_old_and_new_without_inline_styles() -> None:
    Suppression.objects.create(phone="+989121234567", reason="<b>old</b>")
    page = upload(client_of("Marketing"), "suppression", "phone,reason\n09121234567,new\n").content.decode()
    assert "<del>&lt;b&gt;old&lt;/b&gt;</del> <ins>new</ins>" in page
    assert "style=" not in page


def test_import_needs_add_and_change() -> None:
    client = client_of(may=("view_suppression", "add_suppression"))
    assert upload(client, "suppression", "phone\n09121234567\n").status_code == 403
    page = client.get("/admin/contactsync/suppression/").content.decode()
    assert "/import/" not in page


def test_the_confirming_step_reads_only_its_own_uploads(tmp_path: Any) -> None:
    client = client_of("Marketing")
    data = {"import_file_name": "../../../../etc/hostname", "original_file_name": "x", "format": "0", "resource": "0"}
    with pytest.raises(FileNotFoundError):
        client.post("/admin/contactsync/suppression/process_import/", data)


@pytest.mark.parametrize(
    "headers",
    [
        "Mobile number,Reason",
        "شماره موبایل,علت",
        "Handynummer;Grund",
        "Name,Numero di cellulare,Nota",
        "customer mobile (main),why",
    ],
)
def test_the_columns_of_suppressed_numbers_are_known_by_what_people_call_them(headers: str) -> None:
    make_account(default_region="IR")
    sign = ";" if ";" in headers else ","
    row = sign.join(["Sara"] * headers.startswith("Name") + ["00 98 (912) 123-45-67", "asked us"])
    client = client_of("Marketing")
    confirm(client, "suppression", upload(client, "suppression", f"{headers}\n{row}\n"))
    suppression = Suppression.objects.get()
    assert (suppression.phone, suppression.reason) == ("+989121234567", "asked us")


def test_a_mobile_number_goes_before_another_one() -> None:
    make_account(default_region="IR")
    client = client_of("Marketing")
    confirm(client, "suppression", upload(client, "suppression", "Telephone,Mobile\n02112345678,09121234567\n"))
    assert Suppression.objects.get().phone == "+989121234567"


@pytest.mark.parametrize("form", ["0", "1"])
def test_the_suppression_list_comes_back_without_a_change(form: str) -> None:
    for number, source in enumerate(Suppression.Source.values):
        Suppression.objects.create(phone=f"+98912123456{number}", reason="'quoted", source=source)
    before = list(Suppression.objects.values())
    client = client_of("Marketing")
    confirm(client, "suppression", upload(client, "suppression", exported(client, "suppression", form), form))
    assert list(Suppression.objects.values()) == before


def test_short_and_blank_rows_of_an_excel_file_are_no_trouble() -> None:
    make_account(default_region="IR")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in (["phone", "reason"], ["09121234567"], [], ["09121234568", "x"]):
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    client = client_of("Marketing")
    confirm(client, "suppression", upload(client, "suppression", file.getvalue(), "1"))
    assert set(Suppression.objects.values_list("phone", "reason")) == {("+989121234567", ""), ("+989121234568", "x")}


def test_thousands_of_numbers_are_looked_up_and_written_together(django_assert_max_num_queries: Any) -> None:
    make_account(default_region="IR")
    Suppression.objects.create(phone="+989120000001", reason="old")
    Suppression.objects.create(phone="+989120000002", reason="asked", source="person")
    lines = [f"0912{number:07d},asked" for number in range(1, 2501)]
    client = client_of("Marketing")
    with django_assert_max_num_queries(40):
        page = upload(client, "suppression", "\n".join(["phone,reason", *lines, ""]))
    assert "2498 new, 1 to update, 1 unchanged. Only the first rows are shown" in text_of(page).replace(",498", "498")
    assert Suppression.objects.count() == 2
    with django_assert_max_num_queries(60):
        confirm(client, "suppression", page)
    assert Suppression.objects.filter(reason="asked").count() == Suppression.objects.count() == 2500
    assert dict(Suppression.objects.filter(phone__lt="+989120000004").values_list("phone", "source")) == {
        "+989120000001": "person", "+989120000002": "person", "+989120000003": "import",
    }  # fmt: skip


def test_of_a_number_that_stands_twice_the_first_row_counts() -> None:
    make_account(default_region="IR")
    Suppression.objects.create(phone="+989121234561", reason="old")
    client = client_of("Marketing")
    lines = ("09121234561,first", "09121234561,second", "09121234562,first", "+98 912 123 4562,second")
    confirm(client, "suppression", upload(client, "suppression", "\n".join(["phone,reason", *lines, ""])))
    assert set(Suppression.objects.values_list("phone", "reason")) == {
        ("+989121234561", "first"), ("+989121234562", "first"),
    }  # fmt: skip


def test_a_reason_that_is_too_long_is_named_with_its_row() -> None:
    make_account(default_region="IR")
    page = upload(client_of("Marketing"), "suppression", f"phone,reason\n09121234567,{'x' * 256}\n")
    assert "256 characters; at most 255" in text_of(page)
    assert not Suppression.objects.exists()
