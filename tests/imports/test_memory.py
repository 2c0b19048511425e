"""What was chosen last time for the same titles, or kept under a name, put onto the next file."""

from __future__ import annotations

import pytest

from contactsync.imports import jobs
from contactsync.imports.discard import discard
from contactsync.imports.memory import Remembered, fingerprint, keys_of, recall
from contactsync.imports.saved import NAME_TAKEN, NO_NAME, NameRefused, save_mapping
from contactsync.models import ImportJob, PhonebookOption, SavedMapping
from tests.factories import make_option, make_phonebook, make_user
from tests.imports.files import checked, imported, make_book, outcomes, upload

pytestmark = pytest.mark.django_db
FIELDS = {"phone", "first_name", "company", "note"}
ROWS = "09121234561,x,y\n"


def fields(job: ImportJob) -> list[str]:
    return [job.mapping[str(index)] for index in range(len(job.columns))]


def before(*columns: tuple[str, str]) -> Remembered:
    return Remembered("phonebook", "people.csv", "2026-01-01", columns)


def test_titles_are_the_same_in_any_order_and_spelling_and_not_when_one_is_missing() -> None:
    book, _ = make_book()
    prints = [
        upload(book, f"{titles}\n{ROWS}").header_fingerprint
        for titles in ("Mobile,Name,شهر", "شهر, NAME,mobile", "Mobile,Name,Name")
    ]
    assert prints[0] == prints[1] != prints[2]
    assert len(prints[0]) == 64


def test_a_file_without_titles_has_no_fingerprint() -> None:
    book, _ = make_book()
    job = upload(book, "09121234561,09121234562\n")
    assert job.dialect["has_header"] is False
    assert (job.header_fingerprint, fingerprint(job)) == ("", "")


def test_repeated_titles_are_told_apart_by_their_order() -> None:
    assert keys_of(["Phone", " phone ", "", "#", ""]) == [("phone", 1), ("phone", 2), ("", 1), ("#", 1), ("", 2)]
    found = recall(
        before(("Phone", "phone"), ("Phone", "note"), ("x", "")), ["x", "Phone", "Phone", "Phone"], usable=FIELDS
    )
    assert found.mapping == {"0": "", "1": "phone", "2": "note"}
    assert found.moved == {"0": 3, "1": 1, "2": 2}
    assert found.new == ["3"]


def test_what_moved_came_or_went_is_known() -> None:
    old = before(("Mobile", "phone"), ("Firm", "company"), ("Old", "note"), ("Dull", ""), ("City", "option:9"))
    found = recall(old, ["City", "Firm", "New", "Mobile"], usable=FIELDS)
    assert found.mapping == {"1": "company", "3": "phone"}
    assert found.moved == {"0": 5, "3": 1}
    assert (found.new, found.gone, found.unusable) == (["2"], ["Old"], ["City"])


def test_last_time_wins_over_titles_and_also_leaves_out() -> None:
    book, _ = make_book()
    imported(book, f"Mobile,Company,Note\n{ROWS}", mapping={"0": "phone", "1": "note"}, name="first.csv")
    job = upload(book, "Note,Mobile,Company\nx,09121234562,y\n")
    assert fields(job) == ["", "phone", "note"]
    assert job.guess["why"] == {"0": "last", "1": "last", "2": "last"}
    assert job.guess["moved"] == {"0": 3, "1": 1, "2": 2}
    assert (job.guess["origin"], job.guess["name"], job.guess["new"]) == ("phonebook", "first.csv", [])


def test_this_phonebook_goes_before_another_of_the_account_and_none_of_another_account_counts() -> None:
    book, _ = make_book()
    sister, (stranger, _) = make_phonebook(book.account), make_book()
    content = f"Mobile,A,B\n{ROWS}"
    imported(stranger, content, mapping={"0": "phone", "1": "company"})
    assert fields(upload(book, content)) == ["phone", "", ""]
    imported(sister, content, mapping={"0": "phone", "1": "note"})
    job = upload(book, content)
    assert (fields(job), job.guess["origin"]) == (["phone", "note", ""], "account")
    imported(book, content, mapping={"0": "phone", "2": "note"})
    imported(sister, content, mapping={"0": "phone", "1": "note"})
    job = upload(book, content)
    assert (fields(job), job.guess["origin"]) == (["phone", "", "note"], "phonebook")


def test_the_newest_choice_counts_and_one_of_a_discarded_or_unconfirmed_upload_does_not() -> None:
    book, _ = make_book()
    content = f"Mobile,A,B\n{ROWS}"
    checked(book, content, mapping={"0": "phone", "1": "company"})
    upload(book, content, mapping={"0": "phone", "1": "prefix"})
    discard(checked(book, content, mapping={"0": "phone", "1": "last_name"}))
    assert fields(upload(book, content)) == ["phone", "company", ""]


def test_nearly_the_same_titles_are_recognised_and_the_rest_is_guessed() -> None:
    book, options = make_book(City="text")
    city = f"option:{options['City'].pk}"
    imported(
        book,
        "Mobile,Dull,X,Town\n09121234561,a,b,c\n",
        mapping={"0": "phone", "2": "company", "3": city},
        name="old.csv",
    )
    job = upload(book, "Mobile,X,First name,Town\n09121234561,b,Sara,c\n")
    assert fields(job) == ["phone", "company", "first_name", city]
    assert job.guess["why"] == {"0": "last", "1": "last", "2": "title", "3": "last"}
    assert (job.guess["new"], job.guess["gone"], job.guess["moved"]) == (["2"], [], {"1": 3})
    assert "origin" not in upload(book, "Mobile,First name,Else\n09121234561,b,Sara\n").guess


def test_an_option_that_the_phonebook_does_not_have_is_said_and_guessed_anew() -> None:
    book, options = make_book(City="text")
    content = f"Mobile,Email,B\n{ROWS}"
    imported(book, content, mapping={"0": "phone", "1": f"option:{options['City'].pk}"})
    PhonebookOption.objects.all().delete()
    job = upload(book, content)
    assert fields(job) == ["phone", "email", ""]
    assert job.guess["unusable"] == ["Email"]
    assert job.guess["why"]["1"] == "title"


def test_once_a_person_has_chosen_nothing_is_a_guess_any_more() -> None:
    book, _ = make_book()
    job = upload(book, f"Mobile,A,B\n{ROWS}")
    assert job.guess == {"why": {"0": "title"}}
    jobs.set_columns(job, mapping={"0": "phone", "1": "note"})
    job.refresh_from_db()
    assert job.guess == {}


# Under a name


def test_a_saved_mapping_is_put_onto_another_file_by_its_titles() -> None:
    book, options = make_book(City="text")
    city = f"option:{options['City'].pk}"
    job = upload(book, f"Mobile,A,B\n{ROWS}")
    jobs.set_columns(job, mapping={"0": "phone", "1": city}, fixed={"tags": "fair", "prefix": "Dr."})
    user = make_user()
    saved = save_mapping(job, "  Fair ", user=user)
    assert (saved.name, saved.account, saved.created_by) == ("Fair", book.account, user)
    assert saved.columns == [["Mobile", "phone"], ["A", city], ["B", ""]]
    assert saved.fixed == {"tags": "fair", "prefix": "Dr."}

    sister = make_phonebook(book.account, options=(options["City"],))
    imported(sister, "B,A,Mobile\nx,y,09121234561\n", mapping={"2": "phone", "0": "note"})
    job = upload(sister, "B,A,Mobile\nx,y,09121234561\n")
    assert fields(job) == ["note", "", "phone"]
    assert jobs.use_mapping(job, saved) == []
    job.refresh_from_db()
    assert fields(job) == ["", city, "phone"]
    assert set(job.guess["why"].values()) == {"saved"}
    assert (job.guess["origin"], job.guess["moved"]) == ("saved", {"0": 3, "2": 1})
    assert {name: kept["text"] for name, kept in job.fixed_values.items()} == saved.fixed


def test_a_saved_mapping_of_a_file_without_titles_goes_by_letters() -> None:
    book, _ = make_book()
    job = upload(book, "09121234561,09121234562\n")
    jobs.set_columns(job, mapping={"1": "phone", "0": "note"})
    saved = save_mapping(job, "Plain", user=None)
    assert saved.columns == [["A", "note"], ["B", "phone"]]
    job = upload(book, "09121234561,09121234562,09121234563\n")
    jobs.use_mapping(job, saved)
    assert fields(job) == ["note", "phone", ""]
    assert job.guess["new"] == ["2"]


def test_a_fixed_value_that_is_not_allowed_any_more_is_said_and_left_out() -> None:
    book, options = make_book(Size="choice")
    size = f"option:{options['Size'].pk}"
    saved = SavedMapping.objects.create(
        account=book.account, name="x", columns=[["Mobile", "phone"]], fixed={size: "XXL", "note": "hi"}
    )
    job = upload(book, f"Mobile,A,B\n{ROWS}")
    said = jobs.use_mapping(job, saved)
    assert len(said) == 1
    assert "XXL" in said[0]
    assert list(job.fixed_values) == ["note"]


def test_a_name_is_there_once_per_account_unless_replaced() -> None:
    book, _ = make_book()
    job = upload(book, f"Mobile,A,B\n{ROWS}", mapping={"0": "phone", "1": "note"})
    other = upload(make_book()[0], f"Mobile,A,B\n{ROWS}", mapping={"0": "phone"})
    save_mapping(job, "Fair", user=None)
    save_mapping(other, "Fair", user=None)
    with pytest.raises(NameRefused) as refused:
        save_mapping(job, "Fair", user=None)
    assert refused.value.message == NAME_TAKEN
    jobs.set_columns(job, mapping={"0": "phone", "2": "note"})
    save_mapping(job, "Fair", user=None, replace=True)
    assert SavedMapping.objects.get(account=book.account).columns[2] == ["B", "note"]
    with pytest.raises(NameRefused) as refused:
        save_mapping(job, " ", user=None)
    assert refused.value.message == NO_NAME


def test_a_remembered_file_imports_as_the_first_one_did() -> None:
    book, _ = make_book()
    first = imported(book, "Nr,A,B\n09121234561,x,y\n", mapping={"0": "phone", "1": "last_name"})
    again = imported(book, "B,Nr,A\ny,09121234561,x\n")
    assert (outcomes(first.counts), outcomes(again.counts)) == ({"created": 1}, {"unchanged": 1})


def test_an_option_of_the_account_outside_the_phonebook_is_not_taken_over() -> None:
    book, _ = make_book()
    strange = make_option(book.account, "Elsewhere")
    saved = SavedMapping.objects.create(
        account=book.account, name="x", columns=[["Mobile", "phone"], ["A", f"option:{strange.pk}"]]
    )
    job = upload(book, f"Mobile,A,B\n{ROWS}")
    jobs.use_mapping(job, saved)
    assert (fields(job), job.guess["unusable"]) == (["phone", "", ""], ["A"])
