"""A file that goes onto the suppression list: every row has its verdict, and the real run does what the check said."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from contactsync.imports import jobs
from contactsync.imports.agree import describe_kind, difference_of
from contactsync.imports.errors import MappingError, UnreadableFile
from contactsync.imports.run import run_apply
from contactsync.models import ImportJob, Recipient, Suppression
from tests.admin.flow_rows import client_of
from tests.factories import make_campaign, make_contact
from tests.imports.conftest import At
from tests.imports.files import apply, checked, codes, imported, make_book, outcomes, upload
from tests.imports.files import check as check_again

pytestmark = pytest.mark.django_db
State = ImportJob.State
HEADER = "phone,reason\n"


def listed() -> set[tuple[str, str, str]]:
    return set(Suppression.objects.values_list("phone", "reason", "source"))


def test_every_row_gets_its_verdict_and_the_list_stays_untouched_until_the_word() -> None:
    Suppression.objects.create(phone="+989121234560", reason="old", source="person")
    content = HEADER + "09121234560,new\n۰۹۱۲ ۱۲۳ ۴۵۶۱,asked us\n+98 912 123 4561,again\n9.89E+11,x\n02188776655,\n"
    job = checked(None, content)
    assert outcomes(job.checked_counts) == {"created": 2, "unchanged": 1, "duplicate": 1, "rejected": 1}
    assert codes(job) == [(4, "duplicate", "duplicate_in_file"), (5, "rejected", "phone_scientific")]
    assert job.issues.get(severity="duplicate").params == {"line": 3}
    assert listed() == {("+989121234560", "old", "person")}
    apply(job)
    assert (job.state, job.counts["balances"], job.counts["differs_from_check"]) == (State.APPLIED, True, False)
    assert listed() == {
        ("+989121234560", "old", "person"),
        ("+989121234561", "asked us", "import"),
        ("+982188776655", "", "import"),
    }


def test_an_import_goes_into_a_phonebook_or_onto_the_list_and_never_to_both_or_none() -> None:
    book, _options = make_book()
    for wrong in (
        {"kind": "contacts"},
        {"kind": "suppression", "phonebook": book, "region": "IR", "mode": "add_only"},
        {"kind": "suppression", "region": "", "mode": "add_only"},
        {"kind": "suppression", "region": "IR"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ImportJob.objects.create(file_name="x.csv", **wrong)


@pytest.mark.parametrize(
    ("titles", "fields"),
    [
        ("phone,reason,source,since", ["phone", "reason", "", "since"]),
        ("Name,Mobile number,Why,Opt-out date", ["", "phone", "reason", "since"]),
        ("شماره موبایل,نام,علت,تاریخ انصراف", ["phone", "", "reason", "since"]),
        ("Rufnummer;Vorname;Grund;gesperrt seit", ["phone", "", "reason", "since"]),
        ("Numero di cellulare;Cognome;Motivo;Data di cancellazione", ["phone", "", "reason", "since"]),
        ("Teléfono móvil;Nombre;Motivo de baja;Fecha de baja", ["phone", "", "reason", "since"]),
        ("Blocked number,E-mail,Notes", ["phone", "", "reason"]),
        ("Telephone,Mobile", ["", "phone"]),
        ("customer mobile (main),why,Geburtsdatum", ["phone", "reason", ""]),
    ],
)
def test_columns_are_known_by_what_people_call_them(titles: str, fields: list[str]) -> None:
    sign = ";" if ";" in titles else ","
    cells = {"phone": "+98 912 123 45 67", "reason": "asked us", "since": "2024-05-06", "": "Sara"}
    job = upload(None, f"{titles}\n{sign.join(cells[name] for name in fields)}\n")
    assert [job.mapping[str(index)] for index in range(len(fields))] == fields


def test_numbers_without_a_title_are_found_by_their_looks() -> None:
    job = imported(None, "0151 23456789\n0151 23456780\n", region="DE")
    assert listed() == {("+4915123456789", "", "import"), ("+4915123456780", "", "import")}
    assert job.total_rows == 2


def test_the_country_chosen_with_the_file_is_that_of_its_numbers_and_can_still_be_changed() -> None:
    make_book()  # an account in Iran, which is not asked
    job = checked(None, "phone\n0151 23456789\n", region="DE")
    assert outcomes(job.checked_counts) == {"created": 1}
    jobs.set_columns(job, mapping=job.mapping, region="IR")
    check_again(job)
    assert outcomes(job.checked_counts) == {"rejected": 1}


def test_since_is_read_from_the_file_in_any_calendar_and_else_is_the_moment_of_the_import() -> None:
    before = timezone.now()
    imported(None, "phone,since\n09121234561,1403/02/17\n09121234562,2024-05-06 10:11:12\n09121234563,\n")
    since = dict(Suppression.objects.values_list("phone", "since"))
    assert timezone.localtime(since["+989121234561"]).date() == dt.date(2024, 5, 6)
    assert timezone.localtime(since["+989121234562"]).strftime("%Y-%m-%d %H:%M:%S") == "2024-05-06 10:11:12"
    assert before <= since["+989121234563"] <= timezone.now()


def test_a_date_that_is_none_or_is_still_to_come_is_named_with_its_line() -> None:
    job = checked(None, "phone,since\n09121234561,soon\n09121234562,2099-01-01\n")
    assert codes(job) == [(2, "rejected", "option_not_a_date"), (3, "rejected", "since_in_future")]


def test_a_reason_that_is_the_same_for_all_rows_is_entered_once() -> None:
    job = upload(
        None, "phone\n09121234561\n", mapping={"0": "phone"}, fixed={"reason": "letter of May", "since": "2024-05-06"}
    )
    check_again(job)
    apply(job)
    row = Suppression.objects.get()
    assert (row.reason, timezone.localtime(row.since).date()) == ("letter of May", dt.date(2024, 5, 6))
    with pytest.raises(MappingError):
        upload(None, "phone\n1\n", mapping={"0": "phone"}, fixed={"tags": "vip"})


def test_a_reason_that_is_too_long_is_named_and_what_no_database_keeps_is_no_trouble() -> None:
    job = imported(None, HEADER + f"09121234561,{'x' * 256}\n09121234562,a\x00b\n")
    assert codes(job) == [(2, "rejected", "text_too_long")]
    assert Suppression.objects.get().phone == "+989121234562"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "fa"])
def test_what_was_exported_comes_back_without_a_change(form: str, language: str) -> None:
    for number, source in enumerate(Suppression.Source.values):
        Suppression.objects.create(phone=f"+98912123456{number}", reason="'=1+1", source=source)
    before = list(Suppression.objects.order_by("pk").values())
    path = f"/admin/contactsync/suppression/download/{form}/"
    content = client_of("Marketing").get(path, headers={"accept-language": language}).getvalue()
    job = imported(None, content, name=f"list.{form}")
    assert outcomes(job.counts) == {"unchanged": 4}
    assert list(Suppression.objects.order_by("pk").values()) == before
    Suppression.objects.all().delete()
    imported(None, content, name=f"list.{form}")
    back = Suppression.objects.order_by("phone").values_list("phone", "reason")
    assert list(back) == [(row["phone"], row["reason"]) for row in before]


def test_the_same_file_again_adds_nothing() -> None:
    content = HEADER + "".join(f"0912{n:07d},x\n" for n in range(50))
    imported(None, content)
    before = list(Suppression.objects.order_by("pk").values())
    job = imported(None, content)
    assert outcomes(job.counts) == {"unchanged": 50}
    assert list(Suppression.objects.order_by("pk").values()) == before


def test_columns_are_chosen_as_last_time_and_never_as_for_contacts() -> None:
    book, _options = make_book()
    imported(book, "A,B\n09121234561,x\n", mapping={"0": "phone", "1": "note"})
    first = upload(None, "A,B\n09121234561,x\n")
    assert first.mapping == {"0": "phone", "1": ""}
    check_again(first := upload(None, "A,B\n09121234561,x\n", mapping={"0": "phone", "1": "reason"}))
    later = upload(None, "B,A\nx,09121234561\n")
    assert (later.mapping, later.guess["origin"]) == ({"0": "reason", "1": "phone"}, "list")
    assert upload(book, "A,B\n09121234561,x\n").mapping == {"0": "phone", "1": "note"}


# Held to the check


def test_who_comes_onto_the_list_in_between_does_not_stop_the_others_from_being_protected() -> None:
    job = checked(None, HEADER + "09121234561,file\n09121234562,file\n")
    Suppression.objects.create(phone="+989121234561", reason="STOP", source="reply")
    apply(job)
    assert (job.state, outcomes(job.counts)) == (State.APPLIED, {"created": 1, "unchanged": 1})
    assert job.counts["balances"]
    assert job.counts["differs_from_check"]
    assert listed() == {("+989121234561", "STOP", "reply"), ("+989121234562", "file", "import")}


def test_who_is_taken_off_the_list_in_between_is_not_put_back_without_a_word() -> None:
    Suppression.objects.create(phone="+989121234561")
    job = checked(None, HEADER + "09121234561,file\n09121234562,file\n")
    Suppression.objects.all().delete()
    apply(job)
    assert (job.state, job.position) == (State.STOPPED, 0)
    assert difference_of(job) == {"kinds": {"taken_off": 1}, "lines": [[2, "taken_off"]]}
    assert "taken off" in describe_kind("taken_off", 1)
    assert "suppression list" in job.error_text
    assert not Suppression.objects.exists()
    jobs.begin_apply(job, user=None, go_on=True)
    run_apply(job.pk)
    job.refresh_from_db()
    assert (job.state, Suppression.objects.count()) == (State.APPLIED, 2)


# What it means for others


def test_the_check_counts_the_contacts_and_the_planned_recipients_whom_it_concerns() -> None:
    book, _options = make_book()
    other, _options = make_book()
    make_contact(book, "+989121234561")
    make_contact(other, "+989121234561")
    make_contact(other, "+989121234562")
    make_contact(other, "+989121234563", deleted_at=timezone.now())
    make_contact(book, "+989121234564")  # not in the file
    Suppression.objects.create(phone="+989121234562")  # gets nothing as it is
    campaigns = {state: make_campaign(book.account, state=state) for state in ("prepared", "sent", "paused")}
    for campaign in campaigns.values():
        Recipient.objects.create(campaign=campaign, phone="+989121234561", state="planned")
        Recipient.objects.create(campaign=campaign, phone="+989121234563", state="accepted")
    job = checked(None, "phone\n09121234561\n09121234562\n09121234563\n09121234565\n")
    assert job.checked_counts["reach"] == {
        "books": {str(book.pk): 1, str(other.pk): 1},
        "campaigns": {str(campaigns["prepared"].pk): 1, str(campaigns["paused"].pk): 1},
    }


def test_no_row_costs_a_query(django_assert_max_num_queries: Any) -> None:
    Suppression.objects.bulk_create(Suppression(phone=f"+98912{n:07d}") for n in range(500))
    job = upload(None, HEADER + "".join(f"0912{n:07d},x\n" for n in range(2500)))
    with django_assert_max_num_queries(40):
        check_again(job)
    with django_assert_max_num_queries(40):
        apply(job)
    assert outcomes(job.counts) == {"created": 2000, "unchanged": 500}


def test_a_contacts_import_and_a_file_for_the_list_side_by_side_do_not_disturb_each_other(
    small_chunks: None, at: At
) -> None:
    book, _options = make_book()
    numbers = [f"0912123{n:04d}" for n in range(40)]
    random.Random(3).shuffle(numbers)
    people = checked(book, "phone\n" + "\n".join(numbers[:30]) + "\n")
    stops = checked(None, "phone\n" + "\n".join(numbers[10:]) + "\n")
    jobs.begin_apply(people, user=None)
    at("write_issues", 2, lambda: apply(stops))
    run_apply(people.pk)
    people.refresh_from_db()
    assert (stops.state, outcomes(stops.counts), stops.counts["balances"]) == (State.APPLIED, {"created": 30}, True)
    # The check of the contacts had said that nobody of them is on the list.
    assert (people.state, difference_of(people)["kinds"]) == (State.STOPPED, {"suppressed": 10})
    jobs.begin_apply(people, user=None, go_on=True)
    run_apply(people.pk)
    people.refresh_from_db()
    assert (people.state, people.counts["created"], people.counts["balances"]) == (State.APPLIED, 30, True)
    assert book.contacts.count() == Suppression.objects.count() == 30


# Attempts


def test_a_corrected_workbook_joins_the_import_with_its_country_and_columns() -> None:
    first = imported(
        None, "Nr,Grund\n0151 2345,x\n0151 23456789,y\n", region="DE", mapping={"0": "phone", "1": "reason"}
    )
    assert outcomes(first.counts) == {"created": 1, "rejected": 1}
    content = _workbook(first, **{"0151 2345": "0151 23456780"})
    book, _options = make_book()
    with pytest.raises(UnreadableFile) as refused:
        upload(book, content, name="corrections.xlsx")
    assert "suppression list" in refused.value.describe()
    second = imported(None, content, name="corrections.xlsx", region="IR")
    assert (second.corrects, second.attempt, second.region) == (first, 2, "DE")
    assert outcomes(second.counts) == {"created": 1}
    assert ("+4915123456780", "x", "import") in listed()


def _workbook(job: ImportJob, **changed: str) -> bytes:
    import io

    import openpyxl

    from contactsync.imports.correction_workbook import write_workbook

    out = io.BytesIO()
    write_workbook(job, out)
    book = openpyxl.load_workbook(out)
    for row in book.worksheets[0].iter_rows():
        for cell in row:
            cell.value = changed.get(str(cell.value), cell.value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
