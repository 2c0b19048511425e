"""Options and phonebooks from files: shown first, then written."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from contactsync.admin.files import exports
from contactsync.models import CustomOption, Phonebook
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


def test_nothing_is_written_before_the_word_and_an_excel_file_works_as_well() -> None:
    account = make_account(name="Main")
    book = openpyxl.Workbook()
    for row in (["title", "account"], ["VIP", "Main"], [], ["Others", None]):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    client = client_of("Marketing")
    page = upload(client, "phonebook", file.getvalue(), "1")
    assert not Phonebook.objects.exists()
    assert "Nothing has been written yet" in text_of(page)
    confirm(client, "phonebook", page)
    assert set(Phonebook.objects.values_list("title", "account")) == {("VIP", account.pk), ("Others", account.pk)}


def test_an_unreadable_file_is_a_message() -> None:
    page = upload(client_of("Marketing"), "phonebook", b"\xff\xfe\x00\x01", "0")
    assert page.status_code == 200
    assert not Phonebook.objects.exists()


def test_what_was_defused_on_the_way_out_comes_back_as_it_was() -> None:
    make_phonebook(make_account(), title="=1+1")
    client = client_of("Marketing")
    file = exported(client, "phonebook")
    Phonebook.objects.all().delete()
    confirm(client, "phonebook", upload(client, "phonebook", file))
    assert Phonebook.objects.get().title == "=1+1"


def test_the_preview_shows_old_and_new_without_inline_styles() -> None:
    make_phonebook(make_account(name="Main"), title="VIP", description="<b>old</b>")
    page = upload(client_of("Marketing"), "phonebook", "title,account,description\nVIP,Main,new\n").content.decode()
    assert "<del>&lt;b&gt;old&lt;/b&gt;</del> <ins>new</ins>" in page
    assert "style=" not in page


def test_import_needs_add_and_change() -> None:
    client = client_of(may=("view_phonebook", "add_phonebook"))
    assert upload(client, "phonebook", "title\nVIP\n").status_code == 403
    page = client.get("/admin/contactsync/phonebook/").content.decode()
    assert "phonebook/import/" not in page


def test_the_confirming_step_reads_only_its_own_uploads(tmp_path: Any) -> None:
    client = client_of("Marketing")
    data = {"import_file_name": "../../../../etc/hostname", "original_file_name": "x", "format": "0", "resource": "0"}
    with pytest.raises(FileNotFoundError):
        client.post("/admin/contactsync/phonebook/process_import/", data)


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


@pytest.mark.parametrize("form", ["0", "1"])
def test_a_file_that_is_too_large_is_refused_also_when_it_is_only_so_once_unpacked(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(exports, "MOST_MB", 1)
    content: bytes = b"title\n" + b"x" * 2**20
    if form == "1":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/worksheets/sheet1.xml", b" " * 2**21)
        content = packed.getvalue()
        assert len(content) < 10_000
    answer = upload(client_of(is_superuser=True), "phonebook", content, form)
    assert "The file is larger than 1 MB." in answer.content.decode()
