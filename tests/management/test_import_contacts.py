"""`import_contacts`: the import of a file from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from contactsync.imports import jobs
from contactsync.models import Contact, ImportChange, ImportJob, Phonebook, SavedMapping
from tests.factories import make_account, make_contact, make_option, make_phonebook
from tests.imports.test_hidden import filtered

PEOPLE = "mobile,first name,town\n09121234561,Ali,Rasht\n09121234562,Sara,\n9.89E+11,Lost,\n09121234561,Again,\n"

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def book(transactional_db: None) -> Phonebook:
    account = make_account(name="IPPanel", default_region="IR")
    return make_phonebook(account, title="Customers", options=(make_option(account, "شهر"),))


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes, name: str = "people.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_it_imports_and_prints_the_equation(run: Run, book: Phonebook, file: Callable[..., Path]) -> None:
    make_contact(book, "+989121234562", first_name="Zahra")
    result = run("import_contacts", file(PEOPLE), "--phonebook", "Customers")
    job = ImportJob.objects.get()
    assert result == {
        "ok": True, "import": job.pk, "state": "applied", "rows": 4, "created": 1, "updated": 1, "unchanged": 0, "skipped": 0,
        "duplicate": 1, "rejected": 1, "balances": True, "exit": 0, "why": "",
    }  # fmt: skip
    assert job.file_name == "people.csv"
    assert dict(Contact.objects.values_list("phone", "first_name")) == {
        "+989121234561": "Ali", "+989121234562": "Sara",
    }  # fmt: skip


def test_what_nobody_sees_in_a_workbook_is_among_the_counts(
    run: Run, book: Phonebook, file: Callable[..., Path]
) -> None:
    result = run("import_contacts", file(filtered([3, 4]), "people.xlsx"), "--phonebook", "Customers")
    assert (result["created"], result["hidden_rows"], "cells_with_errors" in result) == (9, 2, False)


def test_a_dry_run_tells_the_same_and_writes_no_contact(run: Run, book: Phonebook, file: Callable[..., Path]) -> None:
    path = file(PEOPLE)
    dry = run("import_contacts", path, "--phonebook", "Customers", "--dry-run")
    assert (dry["exit"], dry["state"], dry["created"], dry["duplicate"], dry["rejected"]) == (0, "checked", 2, 1, 1)
    assert ImportJob.objects.get().state == ImportJob.State.DISCARDED, "what only the check needed is gone again"
    assert not Contact.objects.exists()
    assert not ImportChange.objects.exists()
    real = run("import_contacts", path, "--phonebook", "Customers")
    same = dry.keys() - {"import", "state"}
    assert {name: real[name] for name in same} == {name: dry[name] for name in same}


@pytest.mark.parametrize("pair", ["town=شهر", "TOWN = شهر", "Town=option:{id}"])
def test_a_column_can_be_used_for_an_option_by_its_title(
    pair: str, run: Run, book: Phonebook, file: Callable[..., Path]
) -> None:
    option = book.options.get()
    run("import_contacts", file(PEOPLE), "--phonebook", "Customers", "--map", pair.format(id=option.pk))
    assert Contact.objects.get(phone="+989121234561").options == {str(option.pk): "Rasht"}


def test_titles_typed_on_an_arabic_keyboard_are_the_same(run: Run, book: Phonebook, file: Callable[..., Path]) -> None:
    content = "شماره,مكان زندگي\n09121234561,Rasht\n"
    run("import_contacts", file(content), "--phonebook", "Customers", "--map", "مکان زندگی=شهر")
    assert list(Contact.objects.get().options.values()) == ["Rasht"]


def test_a_field_moves_from_the_guessed_column_to_the_named_one(
    run: Run, book: Phonebook, file: Callable[..., Path]
) -> None:
    content = "mobile,phone of the office,name\n09121234561,09121234569,Ali Rezaei\n"
    arguments = ("--map", "phone of the office=phone", "--map", "name=")
    run("import_contacts", file(content), "--phonebook", "Customers", *arguments)
    (contact,) = Contact.objects.all()
    assert (contact.phone, contact.full_name) == ("+989121234569", "")


def test_columns_without_titles_are_named_by_their_letters(
    run: Run, book: Phonebook, file: Callable[..., Path]
) -> None:
    content = "09121234561,Ali\n09121234562,Sara\n"
    result = run("import_contacts", file(content), "--phonebook", "Customers", "--map", "b=first_name")
    assert result["created"] == 2
    assert set(Contact.objects.values_list("first_name", flat=True)) == {"Ali", "Sara"}


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("city=شهر", ["“city”", "mobile, first name, town"]),
        ("town=shoe size", ["“shoe size”", "شهر"]),
        ("town", ["COLUMN=FIELD"]),
        ("mobile=", ["No column is chosen as the phone number"]),
    ],
)
def test_a_wrong_column_or_field_is_refused_with_what_there_is(
    pair: str, words: list[str], run: Run, book: Phonebook, file: Callable[..., Path]
) -> None:
    result = run("import_contacts", file(PEOPLE), "--phonebook", "Customers", "--map", pair)
    assert result["exit"] == 1
    assert all(word in result["why"] for word in words)
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<html></html>", "web page"),
        (b"%PDF-1.7", "neither a text file nor a spreadsheet"),
        (("mobile,نام\n" + "09121234561,علی\n" * 5).encode() + b"09121234561,\xff\n", "Line 7"),
        (b"town\nRasht\n", "No column is chosen as the phone number"),
        (b"mobile\n" + b"09121234561\n" * 300 + b'"0912"x\n', "line 302"),
    ],
)
def test_a_file_that_is_refused_gives_an_exit_code_and_a_sentence(
    content: bytes, words: str, run: Run, book: Phonebook, file: Callable[..., Path]
) -> None:
    result = run("import_contacts", file(content), "--phonebook", "Customers")
    assert result["exit"] == 1
    assert words in result["why"]
    assert not Contact.objects.exists()


def test_a_file_that_is_not_there_is_said_not_to_be(run: Run, book: Phonebook, tmp_path: Path) -> None:
    result = run("import_contacts", tmp_path / "none.csv", "--phonebook", "Customers")
    assert result["exit"] == 1
    assert "No such file" in result["why"]


def test_of_two_phonebooks_with_one_title_the_account_decides(
    run: Run, book: Phonebook, file: Callable[..., Path]
) -> None:
    other = make_phonebook(make_account(name="Other", default_region="IR"), title="Customers")
    path = file(PEOPLE)
    assert "--account" in run("import_contacts", path, "--phonebook", "Customers")["why"]
    assert run("import_contacts", path, "--phonebook", "Customers", "--account", "Other")["exit"] == 0
    assert (other.contacts.count(), book.contacts.count()) == (2, 0)


def test_without_json_the_counts_are_lines_to_read(
    book: Phonebook, file: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_contacts", str(file(PEOPLE)), "--phonebook", "Customers")
    assert "created: 2\n" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no phonebook"):
        call_command("import_contacts", str(file(PEOPLE)), "--phonebook", "Nobody")


def test_a_saved_mapping_and_values_for_all_rows_are_used(run: Run, book: Phonebook, file: Callable[..., Path]) -> None:
    option = book.options.get()
    SavedMapping.objects.create(
        account=book.account,
        name="Fair",
        columns=[["town", f"option:{option.pk}"], ["mobile", "phone"], ["gone", "note"]],
        fixed={"tags": "fair"},
    )
    result = run(
        "import_contacts", file(PEOPLE), "--phonebook", "Customers",
        "--mapping", "Fair", "--fixed", "company=ACME = Co", "--map", "first name=last name",
    )  # fmt: skip
    assert (result["exit"], result["created"]) == (0, 2)
    contact = Contact.objects.get(phone="+989121234561")
    assert (contact.last_name, contact.company, contact.tags) == ("Ali", "ACME = Co", ["fair"])
    assert contact.options == {str(option.pk): "Rasht"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--mapping", "Nope"), "no saved mapping of this name. Saved: none"),
        (("--fixed", "company"), "write it as FIELD=VALUE"),
        (("--fixed", "shoe=42"), "no field “shoe”"),
        (("--fixed", "assigned user=nobody"), "not an e-mail address"),
    ],
)
def test_a_mapping_or_value_that_cannot_be_used_is_refused(
    arguments: tuple[str, str], words: str, run: Run, book: Phonebook, file: Callable[..., Path]
) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("import_contacts", str(file(PEOPLE)), "--phonebook", "Customers", *arguments)
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "counts", "tags"),
    [
        ((), {"created": 1, "updated": 1, "skipped": 0}, ["fair"]),
        (("--mode", "add-only"), {"created": 1, "updated": 0, "skipped": 1}, ["old"]),
        (("--mode", "update-only", "--tags", "add"), {"created": 0, "updated": 1, "skipped": 1}, ["old", "fair"]),
    ],
)
def test_the_mode_is_chosen_on_the_command_line(
    arguments: tuple[str, ...],
    counts: dict[str, int],
    tags: list[str],
    run: Run,
    book: Phonebook,
    file: Callable[..., Path],
) -> None:
    make_contact(book, "+989121234562", first_name="Zahra", tags=["old"])
    content = "mobile,first name,tags\n09121234561,Ali,fair\n09121234562,-,fair\n"
    result = run("import_contacts", file(content), "--phonebook", "Customers", "--clear-token=-", *arguments)
    assert {name: result[name] for name in counts} == counts
    assert (result["exit"], result["balances"]) == (0, True)
    contact = Contact.objects.get(phone="+989121234562")
    assert (contact.tags, contact.first_name) == (tags, "Zahra" if counts["updated"] == 0 else "")


@pytest.mark.parametrize("go_on", [False, True])
def test_a_phonebook_that_changes_after_the_check_stops_the_import_unless_told_otherwise(
    run: Run, book: Phonebook, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, go_on: bool
) -> None:
    begin = jobs.begin_apply

    def somebody_is_faster(job: ImportJob, **more: Any) -> None:
        if not book.contacts.exists():
            make_contact(book, "+989121234562", first_name="Zahra")
        begin(job, **more)

    monkeypatch.setattr(jobs, "begin_apply", somebody_is_faster)
    result = run("import_contacts", file(PEOPLE), "--phonebook", "Customers", *(["--go-on"] if go_on else []))
    job = ImportJob.objects.get()
    if go_on:
        assert (result["exit"], result["state"], result["created"], result["updated"]) == (0, "applied", 1, 1)
        assert job.counts["differs_from_check"]
    else:
        assert (result["exit"], result["state"]) == (1, "stopped")
        assert "1 row that was new is there already now, and would be updated. Lines: 3." in result["why"]
        assert "--go-on" in result["why"]
        assert book.contacts.get().first_name == "Zahra"
