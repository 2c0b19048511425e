"""Upload, columns, begin, stop: what people do with an import, and when they may not."""

from __future__ import annotations

import hashlib
from pathlib import PurePath

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile

from contactsync.imports import jobs
from contactsync.imports.sample import sample_of
from contactsync.models import Contact, ImportJob
from contactsync.models.transitions import TransitionRefused
from tests.factories import make_user
from tests.imports.files import HEADER, apply, check, checked, imported, make_book, outcomes, upload, xlsx

pytestmark = pytest.mark.django_db
State = ImportJob.State
PEOPLE = "موبایل,نام,نام خانوادگی\n09121234567,علی,رضایی\n"


def test_an_upload_is_kept_privately_under_a_name_nobody_can_guess() -> None:
    book, _ = make_book()
    user = make_user()
    job = upload(book, PEOPLE, name="../مشتریان.csv", user=user)
    assert (job.state, job.file_name, job.created_by) == (State.UPLOADED, "مشتریان.csv", user)
    assert (job.size, job.sha256) == (len(PEOPLE.encode()), hashlib.sha256(PEOPLE.encode()).hexdigest())
    name = PurePath(job.file.name)
    assert "مشتریان" not in job.file.name
    assert (len(name.stem), name.suffix) == (32, ".csv")
    assert job.file.path.startswith(str(django_settings.STORAGES["private"]["OPTIONS"]["location"]))
    assert not hasattr(django_settings, "MEDIA_ROOT") or django_settings.MEDIA_ROOT == ""
    with job.file.open("rb") as kept:
        assert kept.read() == PEOPLE.encode()
    assert upload(book, PEOPLE).file.name != job.file.name


def test_columns_are_guessed_at_the_upload() -> None:
    book, options = make_book(شهر="text")
    job = upload(book, "موبایل,نام,نام خانوادگی,شهر,چیز دیگر\n09121234567,علی,رضایی,رشت,x\n")
    wanted = ["phone", "first_name", "last_name", f"option:{options['شهر'].pk}", ""]
    assert job.mapping == {str(index): field for index, field in enumerate(wanted)}
    assert [field for field in wanted if field and field not in dict(jobs.field_choices(book))] == []


def test_a_file_that_is_too_large_is_refused_before_it_is_read(settings: object, tmp_path: object) -> None:
    settings.IMPORT_MAX_MB = 1  # type: ignore[attr-defined]
    book, _ = make_book()
    with pytest.raises(jobs.UnreadableFile) as refused:
        upload(book, b"x" * (1024 * 1024 + 1))
    assert "1 MB" in refused.value.describe()


def test_of_a_file_that_is_refused_nothing_is_kept() -> None:
    book, _ = make_book()
    storage = ImportJob._meta.get_field("file").storage  # type: ignore[union-attr]
    before = _kept(storage)
    for content in (b"", b"%PDF-1.7 ...", b"phone\n", ("phone\n0912ى\n" * 9).encode() + b"\xff\n"):
        with pytest.raises(jobs.UnreadableFile):
            upload(book, content)
    assert _kept(storage) == before
    assert not ImportJob.objects.exists()


def _kept(storage: object, folder: str = "") -> list[str]:
    if not storage.exists(folder or "."):  # type: ignore[attr-defined]
        return []
    folders, files = storage.listdir(folder)  # type: ignore[attr-defined]
    return sorted([*files, *(name for inner in folders for name in _kept(storage, f"{folder}/{inner}".lstrip("/")))])


def test_when_the_row_cannot_be_written_the_stored_file_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    book, _ = make_book()
    storage = ImportJob._meta.get_field("file").storage  # type: ignore[union-attr]
    before = _kept(storage)

    def fail(self: ImportJob) -> None:
        raise OSError("no room")

    monkeypatch.setattr(ImportJob, "save", fail)
    with pytest.raises(OSError, match="no room"):
        jobs.create_job(phonebook=book, upload=ContentFile(PEOPLE.encode(), name="x.csv"))
    assert _kept(storage) == before


def test_the_sample_shows_how_the_file_is_read_with_a_name_for_every_column() -> None:
    book, _ = make_book()
    job = upload(book, "phone;;phone\n09121234561;a\n09121234562;b;c\n" + "\n09121234563;d;e" * 20)
    sample = sample_of(job, rows=2)
    assert sample.columns == ["phone (A)", "B", "phone (C)"]
    assert sample.rows == [["09121234561", "a", ""], ["09121234562", "b", "c"]]
    assert (sample.form.encoding, sample.form.delimiter, sample.form.has_header) == ("utf-8", ";", True)


def test_an_encoding_chosen_by_a_person_is_used() -> None:
    book, _ = make_book()
    content = "phone,first name\n09121234567,Müller\n".encode("cp1252")
    job = upload(book, content)
    assert sample_of(job).rows[0][1] == "Müller"
    jobs.set_columns(job, mapping=job.mapping, encoding="cp1250")
    job.refresh_from_db()
    assert (job.encoding, sample_of(job).form.encoding) == ("cp1250", "cp1250")
    with pytest.raises(jobs.UnreadableFile) as refused:
        jobs.set_columns(job, mapping=job.mapping, encoding="utf-8")
    assert "Line 2" in refused.value.describe()
    job.refresh_from_db()
    assert job.encoding == "cp1250"


def test_another_delimiter_means_other_columns_which_must_be_looked_at() -> None:
    book, _ = make_book()
    job = upload(book, "phone;name\n09121234567;Ali, Reza\n09121234568;Sara, Zahra\n")
    assert job.dialect["delimiter"] == ";"
    with pytest.raises(jobs.MappingError) as refused:
        jobs.set_columns(job, mapping={"0": "phone"}, delimiter=",")
    assert "other columns" in refused.value.describe()
    job.refresh_from_db()
    assert job.columns == ["phone;name"]
    jobs.read_again(job, delimiter=";")
    job.refresh_from_db()
    assert job.mapping == {"0": "phone", "1": "full_name"}


def test_a_first_row_taken_for_a_header_can_be_made_a_row() -> None:
    book, _ = make_book()
    job = upload(book, "Ali,09\nSara,09121234567\n", mapping={"0": "first_name", "1": "phone"})
    jobs.read_again(job, has_header=False)
    jobs.set_columns(job, mapping={"0": "first_name", "1": "phone"})
    check(job)
    assert outcomes(job.checked_counts) == {"created": 1, "rejected": 1}


@pytest.mark.parametrize("mapping", [{"0": ""}, {"0": "phone", "1": "phone"}, {"0": "phone", "7": "email"}])
def test_columns_that_cannot_be_used_are_refused_and_not_kept(mapping: dict[str, str]) -> None:
    book, _ = make_book()
    job = upload(book, PEOPLE)
    kept = job.mapping
    with pytest.raises(jobs.MappingError) as refused:
        jobs.set_columns(job, mapping=mapping)
    assert refused.value.describe()
    job.refresh_from_db()
    assert job.mapping == kept


def test_without_a_phone_column_no_check_begins() -> None:
    book, _ = make_book()
    job = upload(book, "city,name\nRasht,Ali\n")
    with pytest.raises(jobs.MappingError):
        jobs.begin_check(job, user=None)
    job.refresh_from_db()
    assert job.state == State.UPLOADED


def test_nothing_is_imported_that_was_not_checked_to_its_end() -> None:
    book, _ = make_book()
    job = upload(book, PEOPLE)
    with pytest.raises(TransitionRefused):
        jobs.begin_apply(job, user=None)
    jobs.begin_check(job, user=None)
    jobs.stop(job)
    with pytest.raises(TransitionRefused):
        jobs.begin_apply(job, user=None)


def test_other_columns_make_a_new_check_necessary() -> None:
    book, _ = make_book()
    job = checked(book, PEOPLE)
    jobs.set_columns(job, mapping={"0": "phone"})
    with pytest.raises(TransitionRefused):
        jobs.begin_apply(job, user=None)
    check(job)
    apply(job)
    assert Contact.objects.get().first_name == ""


def test_of_two_clicks_only_one_begins() -> None:
    book, _ = make_book()
    job = checked(book, PEOPLE)
    other = ImportJob.objects.get(pk=job.pk)
    jobs.begin_apply(job, user=None)
    with pytest.raises(TransitionRefused):
        jobs.begin_apply(other, user=None)
    with pytest.raises(TransitionRefused):
        jobs.begin_check(other, user=None)


def test_an_import_that_is_over_cannot_begin_again_nor_be_stopped_nor_changed() -> None:
    book, _ = make_book()
    job = imported(book, PEOPLE)
    for forbidden in (
        lambda: jobs.begin_check(job, user=None),
        lambda: jobs.begin_apply(job, user=None),
        lambda: jobs.stop(job),
        lambda: jobs.set_columns(job, mapping={"0": "phone"}),
        lambda: jobs.read_again(job, has_header=False),
    ):
        with pytest.raises(TransitionRefused):
            forbidden()
    job.refresh_from_db()
    assert job.state == State.APPLIED


def test_a_file_that_failed_its_check_can_be_read_in_another_way() -> None:
    book, _ = make_book()
    content = HEADER.replace(",", "|") + "09121234567|Ali||\n" * 300 + '09121234568|"Sa" ra||\n'
    job = checked(book, content)
    assert job.state == State.FAILED
    jobs.set_columns(job, mapping={"0": "phone"})
    assert (job.state, job.error) == (State.UPLOADED, {})


def test_a_spreadsheet_goes_the_same_way() -> None:
    book, options = make_book(تولد="date")
    content = xlsx(["موبایل", "نام", "تولد"], [9121234567, "علی", "1371/07/16"], [], ["+98 912 123 4568", "سارا", None])
    job = imported(book, content, name="people.xlsx")
    assert outcomes(job.counts) == {"created": 2}
    contact = Contact.objects.get(phone="+989121234567")
    assert (contact.first_name, contact.options) == ("علی", {str(options["تولد"].pk): "1992-10-08"})
    assert sample_of(job).form.delimiter == ""
