"""Values that are the same for all rows, and options made while the columns are chosen."""

from __future__ import annotations

import pytest

from contactsync.imports import jobs
from contactsync.imports.errors import MappingError
from contactsync.imports.fixed import FixedRefused
from contactsync.imports.kinds import infer
from contactsync.imports.map import CONTENT, FIXED_TOO, NAME_TWICE, guess_mapping
from contactsync.imports.new_options import NewOption, OptionRefused, free_places, kept_here, kinds_for, unused_options
from contactsync.imports.plan import OPTIONS_GONE
from contactsync.models import Contact, CustomOption, PhonebookOption
from tests.factories import make_account, make_contact, make_option, make_phonebook
from tests.imports.files import apply, check, make_book, outcomes, upload

pytestmark = pytest.mark.django_db
FILE = "Mobile,Tag,City\n09121234561,a;b,Rasht\n09121234562,,\n"


def test_every_row_gets_what_is_the_same_for_all() -> None:
    book, options = make_book(Born="date", City="text")
    born, city = (f"option:{options[title].pk}" for title in ("Born", "City"))
    job = upload(book, FILE)
    texts = {"prefix": " Dr. ", born: "1371/07/16", "tags": "fair, b", "consented_at": "2025-03-01", "note": " "}
    jobs.set_columns(job, mapping={"0": "phone", "1": "tags", "2": city}, fixed=texts)
    assert "note" not in job.fixed_values
    check(job)
    apply(job)
    assert outcomes(job.counts) == {"created": 2}
    first, second = Contact.objects.order_by("phone")
    assert (first.prefix, first.tags, second.tags) == ("Dr.", ["a", "b", "fair"], ["fair", "b"])
    assert first.options == {str(options["Born"].pk): "1992-10-08", str(options["City"].pk): "Rasht"}
    assert second.options == {str(options["Born"].pk): "1992-10-08"}
    assert first.consented_at == second.consented_at is not None
    assert first.consented_at.date().isoformat() == "2025-03-01"


def test_a_tag_for_all_rows_is_added_to_those_a_contact_has_and_once_only() -> None:
    book, _ = make_book()
    make_contact(book, "+989121234561", tags=["old"])
    for expected in ({"created": 1, "updated": 1}, {"unchanged": 2}):
        job = upload(book, FILE)
        jobs.set_columns(job, mapping={"0": "phone"}, fixed={"tags": "fair"})
        check(job)
        apply(job)
        assert outcomes(job.counts) == expected
    assert list(Contact.objects.order_by("phone").values_list("tags", flat=True)) == [["old", "fair"], ["fair"]]


def test_a_plain_yes_to_consent_keeps_the_earlier_date() -> None:
    book, _ = make_book()
    job = upload(book, FILE)
    jobs.set_columns(job, mapping={"0": "phone"}, fixed={"consented_at": "2025-03-01"})
    check(job)
    apply(job)
    job = upload(book, FILE)
    jobs.set_columns(job, mapping={"0": "phone"}, fixed={"consented_at": "بله"})
    check(job)
    assert outcomes(job.checked_counts) == {"unchanged": 2}


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("prefix", "x" * 51, "at most 50"),
        ("assigned_user", "nobody", "not an e-mail"),
        ("consented_at", "perhaps", "neither a date"),
        ("phone", "09121234561", "cannot be the same"),
        ("full_name", "A B", "cannot be the same"),
        ("option:0", "x", "cannot be the same"),
        ("born", "31/31/2020", "no such day"),
    ],
)
def test_a_value_is_refused_as_a_cell_would_be(field: str, text: str, words: str) -> None:
    book, options = make_book(Born="date")
    field = f"option:{options['Born'].pk}" if field == "born" else field
    job = upload(book, FILE)
    with pytest.raises(FixedRefused, match=words) as refused:
        jobs.set_columns(job, mapping={"0": "phone"}, fixed={field: text})
    assert refused.value.fixed == field
    job.refresh_from_db()
    assert job.fixed_values == {}


def test_a_field_is_a_column_or_the_same_for_all_but_not_both() -> None:
    book, _ = make_book()
    job = upload(book, FILE)
    for mapping, message in (
        ({"0": "phone", "1": "company"}, FIXED_TOO),
        ({"0": "phone", "1": "full_name"}, NAME_TWICE),
    ):
        with pytest.raises(MappingError) as refused:
            jobs.set_columns(job, mapping=mapping, fixed={"company": "ACME", "first_name": "Ali"})
        assert refused.value.message == message


def test_an_option_that_was_deleted_meanwhile_stops_the_import() -> None:
    book, options = make_book(Born="date")
    job = upload(book, FILE)
    jobs.set_columns(job, mapping={"0": "phone"}, fixed={f"option:{options['Born'].pk}": "1371/07/16"})
    PhonebookOption.objects.all().delete()
    with pytest.raises(MappingError) as refused:
        jobs.begin_check(job, user=None)
    assert refused.value.message == OPTIONS_GONE


# Kinds by content


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1371/07/16", "1380-1-2", "۱۳۷۱/۰۷/۱۶"], "date"),
        (["03/04/2024", "05/06/2024"], "text"),
        (["13710716", "13800102"], "text"),
        (["12", "۳۴", "1 500"], "integer"),
        (["007", "12"], "text"),
        (["02112345678", "02187654321"], "text"),
        (["a@b.co", "x@example.com"], "email"),
        (["gold", "Silver", "gold", "gold", "silver", "gold", "silver", "gold", "bronze"], "choice"),
        (["gold", "silver"], "text"),
        (["1", "2", "1", "2", "1", "2", "1", "2", "1"], "integer"),
        ([], "text"),
    ],
)
def test_the_kind_of_an_option_is_read_off_the_cells(cells: list[str], kind: str) -> None:
    assert infer(cells).kind == kind


def test_choices_are_the_values_as_first_written_and_kinds_the_provider_lacks_are_not_offered() -> None:
    cells = ["gold", "Silver", "gold", "gold", "silver", "gold", "silver", "gold", "gold"]
    assert infer(cells).choices == ("Silver", "gold")
    assert infer(cells, kinds={"text"}).kind == "text"
    assert infer(["1371/07/16"], kinds={"text", "choice"}).kind == "text"


def test_a_date_or_choice_column_goes_to_the_only_option_that_takes_it() -> None:
    options = {
        "1": CustomOption(pk=1, title="Born", kind="date"),
        "2": CustomOption(pk=2, title="Level", kind="choice", choices=["gold", "silver"]),
    }
    rows = [["09121234561", "1371/07/16", "Gold"], ["09121234562", "1372/07/16", "silver"]]
    found = guess_mapping(["a", "b", "c"], rows, region="IR", options=options)
    assert [guess.field for guess in found.values()] == ["phone", "option:1", "option:2"]
    assert {guess.why for guess in found.values()} == {CONTENT}
    options["3"] = CustomOption(pk=3, title="Wed", kind="date")
    assert guess_mapping(["a", "b", "c"], rows, region="IR", options=options)["1"].field == ""


@pytest.mark.parametrize(
    ("title", "option"),
    [
        ("تاریخ عضویت", "تاریخ تولد"),
        ("تاريخ‌عضويت", "تاریخ تولد"),
        ("Member since", "Birthday"),
        ("Date of purchase", "Date of birth"),
        ("Kunde seit", "Geburtsdatum"),
    ],
)
def test_a_title_that_names_another_date_speaks_against_the_content(title: str, option: str) -> None:
    assert guess_of_dates(title, option) == ""


@pytest.mark.parametrize(
    ("title", "option"),
    [
        ("", "تاریخ تولد"),
        ("تاریخ", "تاریخ تولد"),
        ("Column 2", "Birthday"),
        ("DOB", "تاریخ تولد"),
        ("Geboren am", "Birthday"),
        ("Member since", "Member from"),
    ],
)
def test_a_title_that_names_the_same_date_or_none_does_not(title: str, option: str) -> None:
    assert guess_of_dates(title, option) == "option:1"


def guess_of_dates(title: str, option: str) -> str:
    options = {"1": CustomOption(pk=1, title=option, kind="date")}
    found = guess_mapping(["mobile", title], [["09121234561", "1371/07/16"]], region="IR", options=options)
    return found["1"].field


# New options


def test_options_are_made_with_the_choice_of_columns() -> None:
    book, _ = make_book()
    other = make_option(book.account, "Other")
    job = upload(book, FILE)
    added = jobs.set_columns(
        job, mapping={"0": "phone", "1": f"add:{other.pk}", "2": "new"}, new={"2": NewOption(" City ", "text")}
    )
    city = CustomOption.objects.get(title="City")
    assert added == [other, city]
    assert (city.account, city.kind, set(book.options.all())) == (book.account, "text", {other, city})
    assert job.mapping == {"0": "phone", "1": f"option:{other.pk}", "2": f"option:{city.pk}"}
    assert unused_options(book) == []


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (NewOption(" ", "text"), "give the new option a title"),
        (NewOption("x" * 101, "text"), "at most 100"),
        (NewOption("TAKEN", "text"), "has an option “Taken” already"),
        (NewOption("Level", "choice"), "no options of the kind"),
        (NewOption("Level", "nonsense"), "no options of the kind"),
        (None, "give the new option a title"),
    ],
)
def test_an_option_that_cannot_be_made_is_refused_with_the_column(wanted: NewOption | None, words: str) -> None:
    book, _ = make_book(Taken="text")
    job = upload(book, FILE)
    with pytest.raises(OptionRefused, match=words) as refused:
        jobs.set_columns(job, mapping={"0": "phone", "2": "new"}, new={"2": wanted} if wanted else None)
    assert refused.value.column == "2"
    assert "3" in str(refused.value)
    assert list(CustomOption.objects.values_list("title", flat=True)) == ["Taken"]


def test_choices_are_needed_where_the_kind_has_them() -> None:
    book = make_phonebook(make_account(provider="callbell", key="", default_region="IR"))
    assert {"choice", "email"} <= set(kinds_for(book))
    job = upload(book, FILE)
    with pytest.raises(OptionRefused, match="allowed values"):
        jobs.set_columns(job, mapping={"0": "phone", "2": "new"}, new={"2": NewOption("Level", "choice", (" ",))})
    jobs.set_columns(
        job, mapping={"0": "phone", "2": "new"}, new={"2": NewOption("Level", "choice", ("a", " b ", "a"))}
    )
    assert CustomOption.objects.get().choices == ["a", "b"]


def test_no_option_is_made_when_the_columns_cannot_be_used() -> None:
    book, _ = make_book()
    job = upload(book, FILE)
    with pytest.raises(MappingError):
        jobs.set_columns(job, mapping={"2": "new"}, new={"2": NewOption("City")})
    assert not CustomOption.objects.exists()


def test_an_option_of_another_account_cannot_be_taken() -> None:
    book, _ = make_book()
    foreign = make_option(make_account(), "Foreign")
    job = upload(book, FILE)
    with pytest.raises(OptionRefused):
        jobs.set_columns(job, mapping={"0": "phone", "1": f"add:{foreign.pk}"})


def test_what_finds_no_place_at_the_provider_stays_here_and_says_why() -> None:
    account = make_account(provider="atomtelecom", base_url="https://example.com", key="", default_region="IR")
    book = make_phonebook(account, options=tuple(make_option(account, f"o{n}") for n in range(5)))
    free = free_places(book)
    assert free == 0
    job = upload(book, FILE)
    added = jobs.set_columns(job, mapping={"0": "phone", "2": "new"}, new={"2": NewOption("City")})
    [(title, why)] = kept_here(book, added)
    assert title == "City"
    assert "places of the provider are taken" in why
    assert free_places(make_book()[0]) is None
