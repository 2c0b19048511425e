"""What happens with contacts that are there already: modes, tags, and the sign that empties a field."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contactsync.imports import jobs, report, stream
from contactsync.imports.agree import describe_kind, difference_of
from contactsync.imports.attempts import outcome_of, outcomes_of_rows
from contactsync.imports.correction_workbook import key_column
from contactsync.imports.errors import MappingError
from contactsync.imports.fixed import FixedRefused
from contactsync.imports.rules import Mode, Rules, TagsMode, clears
from contactsync.imports.saved import save_mapping
from contactsync.imports.stream import open_upload
from contactsync.models import Contact, ImportJob, ImportPreview, Phonebook, Suppression
from contactsync.text import fold
from tests.factories import make_contact
from tests.imports.files import apply, check, checked, codes, imported, make_book, outcomes, table, upload
from tests.imports.test_corrections import saved, workbook
from tests.imports.undoing import redone, rows_of, undone

pytestmark = pytest.mark.django_db
CLEAR = "<clear>"
NUMBERS = {
    "same": 1,
    "other": 2,
    "deleted": 3,
    "suppressed": 4,
    "suppressed new": 5,
    "new": 6,
}
FILE = (
    "phone,first name,last name\n"
    "09121234561,Ali,\n"  # same
    "09121234562,Ali,\n"  # other
    "09121234563,Ali,\n"  # deleted
    "09121234564,Ali,\n"  # suppressed, there
    "09121234565,Ali,\n"  # suppressed, new
    "09121234566,Ali,\n"  # new
    "09121234566,Reza,\n"  # again
    "0912,Ali,\n"
)


def phone(name: str) -> str:
    return f"+98912123456{NUMBERS[name]}"


@pytest.fixture
def book() -> Phonebook:
    made, _options = make_book()
    make_contact(made, phone("same"), first_name="Ali", last_name="Karimi")
    make_contact(made, phone("other"), first_name="Old")
    make_contact(made, phone("deleted"), first_name="Old", deleted_at=timezone.now())
    make_contact(made, phone("suppressed"), first_name="Old")
    for name in ("suppressed", "suppressed new"):
        Suppression.objects.create(phone=phone(name))
    return made


@pytest.mark.parametrize(
    ("mode", "expected", "suppressed"),
    [
        (Mode.ADD_AND_UPDATE, {"created": 2, "updated": 3, "unchanged": 1, "duplicate": 1, "rejected": 1}, 2),
        (Mode.ADD_ONLY, {"created": 2, "updated": 1, "skipped": 3, "duplicate": 1, "rejected": 1}, 1),
        (Mode.UPDATE_ONLY, {"updated": 2, "unchanged": 1, "skipped": 3, "duplicate": 1, "rejected": 1}, 1),
    ],
)
def test_each_mode_does_what_it_says_and_counts_what_it_leaves_out(
    book: Phonebook, mode: Mode, expected: dict[str, int], suppressed: int
) -> None:
    before = table(book)
    job = imported(book, FILE, mapping=_mapping(), rules=Rules(mode=mode))
    assert outcomes(job.checked_counts) == outcomes(job.counts) == expected
    assert job.counts["suppressed"] == suppressed
    assert (job.counts["balances"], job.counts["differs_from_check"]) == (True, False)
    equation = report.equation(job)
    assert (equation.balances, equation.total, sum(equation.parts.values())) == (True, 8, 8)
    after = table(book)
    if mode == Mode.ADD_ONLY:
        assert {number: row for number, row in after.items() if number in before and number != phone("deleted")} == {
            number: row for number, row in before.items() if number != phone("deleted")
        }
        assert Contact.objects.get(phone=phone("deleted")).deleted_at is None
    if mode == Mode.UPDATE_ONLY:
        assert after.keys() == before.keys()
        assert after[phone("deleted")] == before[phone("deleted")]


def test_every_skipped_row_says_why(book: Phonebook) -> None:
    job = imported(book, FILE, mapping=_mapping(), rules=Rules(mode=Mode.ADD_ONLY))
    assert [line for line, severity, code in codes(job) if (severity, code) == ("skipped", "skipped_there")] == [
        2,
        3,
        5,
    ]
    job = imported(book, FILE, mapping=_mapping(), rules=Rules(mode=Mode.UPDATE_ONLY))
    assert [line for line, severity, _code in codes(job) if severity == "skipped"] == []
    Contact.objects.filter(phone=phone("new")).delete()
    Contact.objects.filter(phone=phone("other")).update(deleted_at=timezone.now())
    job = imported(book, FILE, mapping=_mapping(), rules=Rules(mode=Mode.UPDATE_ONLY))
    assert [(line, code) for line, severity, code in codes(job) if severity == "skipped"] == [
        (3, "skipped_deleted"),
        (7, "skipped_missing"),
    ]


def _mapping() -> dict[str, str]:
    return {"0": "phone", "1": "first_name", "2": "last_name"}


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("mode", Mode)
def test_a_file_read_in_a_process_of_its_own_gives_the_same(
    book: Phonebook, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = FILE.replace("09121234562,Ali,", f"09121234562,{CLEAR},{CLEAR}")
    here = checked(book, content, mapping=_mapping(), rules=Rules(mode=mode))
    monkeypatch.setattr(stream, "WORTH_A_PROCESS", 0)
    there = imported(book, content, mapping=_mapping(), rules=Rules(mode=mode))
    assert outcomes(there.counts) == outcomes(here.checked_counts)


@pytest.mark.parametrize(
    ("mode", "kinds", "words"),
    [
        (Mode.ADD_ONLY, {"cs": 1, "sc": 1}, ["would be skipped now", "would not be skipped any more"]),
        (Mode.UPDATE_ONLY, {"us": 1, "su": 1}, ["would be skipped now", "would not be skipped any more"]),
    ],
)
def test_what_is_skipped_otherwise_than_in_the_check_stops_the_import(
    book: Phonebook, mode: Mode, kinds: dict[str, int], words: list[str]
) -> None:
    job = checked(book, FILE, mapping=_mapping(), rules=Rules(mode=mode))
    make_contact(book, phone("new"), first_name="Other")
    Contact.objects.get(phone=phone("other")).delete()
    before = table(book)
    apply(job)
    assert job.state == ImportJob.State.STOPPED
    assert difference_of(job)["kinds"] == kinds
    assert all(word in describe_kind(kind, 1) for kind, word in zip(kinds, words, strict=True))
    assert table(book) == before
    check(job)
    apply(job)
    assert (job.state, job.counts["balances"]) == (ImportJob.State.APPLIED, True)


# The sign that empties a field


def _cleared(cell: str = CLEAR, *, rules: Rules | None = None, **contact: Any) -> tuple[ImportJob, Contact]:
    """An import whose one row holds the sign in every column but the number."""
    book, options = make_book(City="text", Born="date")
    city, born = (str(options[title].pk) for title in ("City", "Born"))
    values = {
        "first_name": "Ali", "last_name": "Karimi", "company": "ACME", "email": "a@example.com", "tags": ["a", "b"],
        "consented_at": timezone.now(), "consent_source": "fair", "note": "x", "options": {city: "Rasht", born: "1992-10-08"},
    }  # fmt: skip
    if contact:
        make_contact(book, "+989121234561", **{**values, **contact})
    fields = ("full_name", "company", "email", "tags", "consented_at", "consent_source", "note", f"option:{city}")
    mapping = {"0": "phone"} | {str(place): name for place, name in enumerate(fields, start=1)}
    titles = ",".join(f"column {place}" for place in mapping)
    content = f"{titles}\n09121234561" + f',"{cell}"' * len(fields) + "\n"
    job = imported(book, content, mapping=mapping, rules=rules)
    return job, Contact.objects.get()


@pytest.mark.parametrize("cell", [CLEAR, " <Clear> ", "<پاک>", "<پاك>\u200f"])
def test_the_sign_empties_every_kind_of_field_and_touches_nothing_else(cell: str) -> None:
    job, contact = _cleared(cell, prefix="Dr.")
    assert outcomes(job.counts) == {"updated": 1}
    assert (contact.full_name, contact.company, contact.email, contact.tags, contact.note) == ("", "", "", [], "")
    assert (contact.consented_at, contact.consent_source, contact.prefix) == (None, "", "Dr.")
    assert list(contact.options.values()) == ["1992-10-08"]
    assert contact.payload_hash == contact.fingerprint()


def test_a_blank_cell_keeps_what_is_there() -> None:
    job, contact = _cleared("", prefix="Dr.")
    assert outcomes(job.counts) == {"unchanged": 1}
    assert (contact.company, contact.tags) == ("ACME", ["a", "b"])


def test_a_new_contact_and_one_that_is_empty_already_have_nothing_to_empty() -> None:
    job, contact = _cleared()
    assert outcomes(job.counts) == {"created": 1}
    assert (contact.company, contact.tags, contact.options, contact.consented_at) == ("", [], {}, None)
    assert contact.payload_hash == contact.fingerprint()
    with open_upload(job) as file:
        content = file.read()
    again = checked(job.phonebook, content, mapping=job.mapping)
    assert outcomes(again.checked_counts) == {"unchanged": 1}


def test_consent_alone_is_emptied_though_no_provider_is_told_of_it() -> None:
    book, _options = make_book()
    make_contact(book, "+989121234561", consented_at=timezone.now(), consent_source="fair")
    job = imported(book, f"phone,consent\n09121234561,{CLEAR}\n", mapping={"0": "phone", "1": "consented_at"})
    assert outcomes(job.counts) == {"updated": 1}
    contact = Contact.objects.get()
    assert (contact.consented_at, contact.consent_source) == (None, "fair")


def test_the_preview_shows_an_option_that_is_emptied() -> None:
    book, options = make_book(City="text")
    city = options["City"].pk
    make_contact(book, "+989121234561", options={str(city): "Rasht", "999": "of old"})
    job = checked(book, f"phone,City\n09121234561,{CLEAR}\n", mapping={"0": "phone", "1": f"option:{city}"})
    assert [one.changes for one in ImportPreview.objects.filter(job=job)] == [{f"option:{city}": ["Rasht", None]}]
    assert job.checked_counts["fields"] == {f"option:{city}": 1}


def test_the_phone_number_cannot_be_emptied() -> None:
    book, _options = make_book()
    job = checked(book, f"phone,name\n{CLEAR},Ali\n", mapping={"0": "phone", "1": "first_name"})
    assert codes(job) == [(2, "rejected", "phone_cleared")]


def test_another_sign_and_none() -> None:
    job, contact = _cleared("LEER", rules=Rules(clear_token=" leer "), prefix="Dr.")
    assert (job.clear_token, contact.company) == ("leer", "")
    job, contact = _cleared_text(Rules(clear_token="-"))
    assert (outcomes(job.counts), contact.company) == ({"updated": 1}, CLEAR)
    job, contact = _cleared_text(Rules(clear_token=""))
    assert (outcomes(job.counts), contact.company) == ({"updated": 1}, CLEAR)


def _cleared_text(rules: Rules) -> tuple[ImportJob, Contact]:
    book, _options = make_book()
    Contact.objects.all().delete()
    make_contact(book, "+989121234561", company="ACME")
    job = imported(book, f"phone,company\n09121234561,{CLEAR}\n", mapping={"0": "phone", "1": "company"}, rules=rules)
    return job, Contact.objects.get(phonebook=book)


def test_a_sign_that_is_too_long_or_the_same_for_all_rows_is_refused() -> None:
    book, _options = make_book()
    job = upload(book, FILE)
    with pytest.raises(MappingError, match="at most 50"):
        jobs.set_columns(job, mapping=_mapping(), rules=Rules(clear_token="x" * 51))
    with pytest.raises(FixedRefused, match="in the cells of the file only"):
        jobs.set_columns(job, mapping=_mapping(), fixed={"company": "<CLEAR>"})
    jobs.set_columns(job, mapping=_mapping(), fixed={"company": "<CLEAR>"}, rules=Rules(clear_token=""))
    assert job.fixed_values["company"]["value"] == "<CLEAR>"


@given(token=st.sampled_from([CLEAR, "-", "leer", "<پاک>", "∅", "9", "="]), cell=st.text(max_size=8))
def test_no_other_cell_is_taken_for_the_sign(token: str, cell: str) -> None:
    alike = {CLEAR, "<پاک>"} if token in {CLEAR, "<پاک>"} else {token}
    assert clears(token)(cell) == (fold(cell) in alike)
    assert clears(token)(f" {token.upper()}\t")


# Tags


@pytest.mark.parametrize(
    ("tags_mode", "cell", "fixed", "expected"),
    [
        (TagsMode.REPLACE, "b;c", "", ["b", "c"]),
        (TagsMode.REPLACE, "", "", ["a", "b"]),
        (TagsMode.REPLACE, "b;c", "f", ["b", "c", "f"]),
        (TagsMode.REPLACE, "", "f", ["a", "b", "f"]),
        (TagsMode.REPLACE, CLEAR, "", []),
        (TagsMode.REPLACE, CLEAR, "f", ["f"]),
        (TagsMode.ADD, "b;c", "", ["a", "b", "c"]),
        (TagsMode.ADD, "", "", ["a", "b"]),
        (TagsMode.ADD, "b;c", "f", ["a", "b", "c", "f"]),
        (TagsMode.ADD, "", "f", ["a", "b", "f"]),
        (TagsMode.ADD, CLEAR, "", []),
        (TagsMode.ADD, CLEAR, "f", ["f"]),
        (TagsMode.ADD, "b", "a", ["a", "b"]),
    ],
)
def test_tags_are_replaced_or_added(tags_mode: TagsMode, cell: str, fixed: str, expected: list[str]) -> None:
    book, _options = make_book()
    make_contact(book, "+989121234561", tags=["a", "b"])
    job = imported(
        book, f"phone,tags\n09121234561,{cell}\n09121234562,{cell}\n", mapping={"0": "phone", "1": "tags"},
        fixed={"tags": fixed} if fixed else {}, rules=Rules(tags_mode=tags_mode),
    )  # fmt: skip
    there, new = Contact.objects.order_by("phone")
    assert there.tags == expected
    assert new.tags == [tag for tag in (*cell.split(";"), fixed) if tag not in {"", CLEAR}]
    assert job.counts["updated"] == (expected != ["a", "b"])
    assert (there.payload_hash, new.payload_hash) == (there.fingerprint(), new.fingerprint())


@pytest.mark.parametrize("tags_mode", TagsMode)
def test_tags_of_a_provider_that_no_cell_can_say_stay_as_they_are(tags_mode: TagsMode) -> None:
    book, _options = make_book()
    make_contact(book, "+989121234561", tags=["gold, silver", "vip"])
    told = {"mapping": {"0": "phone", "1": "tags"}, "rules": Rules(tags_mode=tags_mode)}
    job = imported(book, 'phone,tags\n09121234561,"gold, silver, vip"\n', **told)
    assert outcomes(job.counts) == {"unchanged": 1}
    imported(book, 'phone,tags\n09121234561,"gold, silver, vip, new"\n', **told)
    replaced = ["gold", "silver", "vip", "new"]
    assert book.contacts.get().tags == (replaced if tags_mode == TagsMode.REPLACE else ["gold, silver", "vip", "new"])
    imported(book, f"phone,tags\n09121234561,{CLEAR}\n", **told)
    assert book.contacts.get().tags == []


# Where the choice goes


def test_a_saved_mapping_keeps_the_rules_and_an_old_one_means_the_usual(book: Phonebook) -> None:
    rules = Rules(Mode.UPDATE_ONLY, TagsMode.ADD, "-")
    job = upload(book, FILE, mapping=_mapping(), rules=rules)
    fair = save_mapping(job, "Fair", user=None)
    other = upload(book, FILE)
    jobs.use_mapping(other, fair)
    other.refresh_from_db()
    assert Rules.of(other) == rules
    fair.rules = {}
    jobs.use_mapping(other, fair)
    other.refresh_from_db()
    assert Rules.of(other) == Rules()
    assert Rules.read({"mode": "of a later version", "tags_mode": 7, "clear_token": ""}) == Rules(clear_token="")


def test_rules_stay_when_only_the_columns_are_chosen_again(book: Phonebook) -> None:
    job = upload(book, FILE, mapping=_mapping(), rules=Rules(Mode.ADD_ONLY))
    jobs.set_columns(job, mapping={"0": "phone"})
    job.refresh_from_db()
    assert job.mode == Mode.ADD_ONLY


@pytest.mark.parametrize("mode", Mode)
def test_a_correction_goes_by_the_rules_of_the_import_it_corrects(book: Phonebook, mode: Mode) -> None:
    job = imported(book, FILE, mapping=_mapping(), rules=Rules(mode, TagsMode.ADD, "-"))
    file = workbook(job)
    file.worksheets[0]["A2"] = "09121234561"
    file.worksheets[0]["B2"] = "Sara"
    again = upload(book, saved(file), name="corrected.xlsx")
    assert key_column(again.columns) is not None
    assert Rules.of(again) == Rules.of(job)
    check(again)
    apply(again)
    expected = "skipped" if mode == Mode.ADD_ONLY else "updated"
    assert outcomes(again.counts) == {expected: 1}
    parts = {name: count for name, count in outcome_of(again).parts.items() if count}
    assert parts == {"skipped" if mode == Mode.ADD_ONLY else "imported": 1}
    assert outcomes_of_rows(again, [1]) == {1: expected}


# All of it at once

CELLS = st.sampled_from(["", "", "Ali", "سارا", CLEAR, "<پاک>", "a;b"])
ROWS = st.lists(
    st.tuples(st.integers(0, 6), CELLS, CELLS, CELLS, st.sampled_from(["", "yes", "no", "2024-05-06", CLEAR])),
    min_size=1,
    max_size=10,
)
EXISTING = st.dictionaries(
    st.integers(0, 6),
    st.tuples(st.sampled_from(["", "Ali"]), st.sampled_from(["", "Ali"]), st.booleans(), st.booleans()),
    max_size=6,
)


def _expected(
    rules: Rules, there: dict[str, dict[str, Any]], row: tuple[str, ...], fixed: str, moment: dt.datetime
) -> str:
    """Do with one contact, written down plainly, what the row asks for; returns the outcome."""
    number, first, tags, city, consent = row
    old = there.get(number)
    is_there = old is not None and not old["deleted"]
    if rules.mode == Mode.ADD_ONLY and is_there:
        return "skipped"
    if rules.mode == Mode.UPDATE_ONLY and not is_there:
        return "skipped"
    blank = {"first": "", "tags": [], "city": "", "consent": None, "deleted": False}
    new = {**(old or blank), "deleted": False}
    cleared = {CLEAR, "<پاک>"}
    for name, cell in (("first", first), ("city", city)):
        if cell:
            new[name] = "" if cell in cleared else cell
    if tags in cleared:
        new["tags"] = []
    elif tags:
        kept = new["tags"] if rules.tags_mode == TagsMode.ADD else []
        new["tags"] = list(dict.fromkeys([*kept, *tags.split(";")]))
    if fixed:
        new["tags"] = list(dict.fromkeys([*new["tags"], fixed]))
    if consent in {"no", CLEAR}:
        new["consent"] = None
    elif consent == "yes":
        new["consent"] = new["consent"] or moment
    elif consent:
        new["consent"] = timezone.make_aware(dt.datetime.fromisoformat(consent))
    there[number] = new
    return "created" if old is None else "unchanged" if old == new else "updated"


def _plain(book: Phonebook, option: str) -> dict[str, dict[str, Any]]:
    return {
        one.phone: {
            "first": one.first_name, "tags": one.tags, "city": one.options.get(option, ""),
            "consent": one.consented_at, "deleted": one.deleted_at is not None,
        }
        for one in Contact.objects.filter(phonebook=book)
    }  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=ROWS, existing=EXISTING, mode=st.sampled_from(Mode), tags_mode=st.sampled_from(TagsMode),
    fixed=st.sampled_from(["", "fair"]),
)  # fmt: skip
def test_in_every_mode_the_dry_run_is_the_real_run_and_its_undo_is_nothing(
    rows: list[tuple[Any, ...]],
    existing: dict[int, tuple[str, str, bool, bool]],
    mode: Mode,
    tags_mode: TagsMode,
    fixed: str,
) -> None:
    book, options = make_book(City="text")
    option = str(options["City"].pk)
    for n, (first, city, is_rich, is_deleted) in existing.items():
        make_contact(
            book, f"+98912123456{n}", first_name=first, options={option: city} if city else {},
            tags=["a", "x"] if is_rich else [], deleted_at=timezone.now() if is_deleted else None,
            consented_at=dt.datetime(2020, 1, 2, tzinfo=dt.UTC) if is_rich else None,
        )  # fmt: skip
    rules = Rules(mode, tags_mode)
    lines = [f"+98912123456{n},{first},{tags},{city},{consent}" for n, first, tags, city, consent in rows]
    mapping = {"0": "phone", "1": "first_name", "2": "tags", "3": f"option:{option}", "4": "consented_at"}
    content = "\n".join(["phone,first,tags,city,consent", *lines, ""])
    job = checked(book, content, mapping=mapping, fixed={"tags": fixed} if fixed else {}, rules=rules)
    expected, found, before = _plain(book, option), [], rows_of(book)
    seen: set[int] = set()
    for n, *cells in rows:
        row = (f"+98912123456{n}", *cells)
        found.append("duplicate" if n in seen else _expected(rules, expected, row, fixed, job.created_at))
        seen.add(n)
    dry_codes = codes(job)
    apply(job)
    assert (
        outcomes(job.counts) == outcomes(job.checked_counts) == {name: found.count(name) for name in sorted(set(found))}
    )
    assert (job.counts["balances"], job.counts["differs_from_check"], codes(job)) == (True, False, dry_codes)
    assert _plain(book, option) == expected
    assert all(one.payload_hash == one.fingerprint() for one in Contact.objects.filter(phonebook=book))
    if job.counts["created"] + job.counts["updated"]:
        after = rows_of(book)
        undo = undone(job)
        assert rows_of(book) == before
        redone(undo)
        assert rows_of(book) == after
