"""Tables in zip and gzip files: the one table is taken, everything else is refused in words, and nothing unpacks without a limit."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from contactsync.imports import archive, sheets
from contactsync.imports.archive import unpacked
from contactsync.imports.errors import ImportRefused, UnreadableFile
from contactsync.models import ImportJob
from tests.imports.files import imported, make_book, outcomes, rezipped, upload, xlsx

PEOPLE = "phone,first name\n09121234567,Ali\n09121234568,Sara\n"


def zipped(members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return out.getvalue()


def taken(content: bytes, name: str = "people.zip") -> tuple[bytes, str]:
    with unpacked(io.BytesIO(content), name) as (table, found):
        return table.read(), found


def refusal(content: bytes, name: str = "people.zip") -> ImportRefused:
    with pytest.raises(UnreadableFile) as refused:
        taken(content, name)
    assert refused.value.describe()
    return refused.value


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_one_file_is_taken_with_both_names(method: int) -> None:
    assert taken(zipped({"people.csv": PEOPLE}, method)) == (PEOPLE.encode(), "people.zip/people.csv")


def test_folders_and_what_a_mac_adds_are_no_files() -> None:
    members = {"list/": "", "list/people.csv": PEOPLE, "__MACOSX/list/._people.csv": "x", "list/.DS_Store": "x"}
    members |= {"list/._people.csv": "x", "list/.~lock.people.csv#": "x", "list/~$people.xlsx": "x"}
    assert taken(zipped(members)) == (PEOPLE.encode(), "people.zip/people.csv")


def test_other_files_come_as_they_are() -> None:
    for content, name in ((PEOPLE.encode(), "people.csv"), (xlsx(["phone"], ["0912"]), "people.xlsx"), (b"", "x.zip")):
        with unpacked(io.BytesIO(content), name) as (table, found):
            table.seek(0)
            assert (table.read(), found) == (content, name)


def test_several_files_are_refused_with_their_names() -> None:
    said = refusal(zipped({f"{name}.csv": PEOPLE for name in "abcdefg"})).describe()
    assert "7 files (a.csv, b.csv, c.csv, d.csv, e.csv …)" in said


def test_a_zip_file_without_a_file_is_refused() -> None:
    assert refusal(zipped({})).message == archive.NOTHING_ZIPPED
    assert refusal(zipped({"folder/": ""})).message == archive.NOTHING_ZIPPED


def test_a_document_of_numbers_is_refused_as_such() -> None:
    document = zipped({"Index/Document.iwa": "x", "preview.jpg": "x"})
    assert refusal(document, "people.numbers").message == archive.NUMBERS


def test_a_zip_file_in_a_zip_file_is_refused_whatever_it_is_called() -> None:
    inner = zipped({"people.csv": PEOPLE})
    assert refusal(zipped({"people.csv": inner})).message == archive.ZIP_IN_ZIP
    assert refusal(zipped({"x.zip": zipped({})})).message == archive.ZIP_IN_ZIP


def test_a_file_behind_a_password_is_refused() -> None:
    content = zipped({"people.csv": PEOPLE})
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.index(signature) + flags
        content = content[:place] + b"\x01" + content[place + 1 :]
    assert refusal(content).message == archive.LOCKED_ZIP


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_ways_to_pack_are_refused(method: int) -> None:
    assert refusal(zipped({"people.csv": PEOPLE}, method)).message == archive.ODD_ZIP


def test_a_file_that_says_it_is_too_large_is_not_unpacked(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IMPORT_MAX_MB = 1
    bomb = zipped({"people.csv": b"0" * 5_000_000})
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *args, **more: pytest.fail("it was unpacked"))
    assert len(bomb) < 10_000
    assert "“people.csv” in the zip file unpacks to more than 1 MB" in refusal(bomb).describe()


def test_a_file_that_lies_about_its_size_yields_nothing_beyond_the_limit(settings: Any) -> None:
    settings.IMPORT_MAX_MB = 1
    size = 5_000_000
    bomb = zipped({"people.csv": b"0" * size}).replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert refusal(bomb).message in {archive.BROKEN_ZIP, archive.LARGE_ZIP}


def test_what_comes_out_is_measured_too(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IMPORT_MAX_MB = 1
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda self, size: b"0" * size)  # an endless stream
    assert refusal(zipped({"people.csv": PEOPLE})).message == archive.LARGE_ZIP


def test_a_list_of_a_great_many_files_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped({f"{number}.csv": "" for number in range(100)})
    monkeypatch.setattr(archive, "LONGEST_LIST", 1000)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *args: pytest.fail("it was read"))
    assert refusal(content).message == archive.ODD_ZIP


def test_a_damaged_zip_file_is_refused_and_a_damaged_workbook_left_to_its_reader() -> None:
    content = zipped({"people.csv": PEOPLE * 100})
    assert refusal(content[:-30]).message == archive.BROKEN_ZIP
    middle = bytearray(content)
    middle[60] ^= 0xFF
    assert refusal(bytes(middle)).message == archive.BROKEN_ZIP
    with unpacked(io.BytesIO(content[:-30]), "people.xlsx") as (_table, name):
        assert name == "people.xlsx"


def test_a_name_in_it_is_never_a_path() -> None:
    assert taken(zipped({"../../etc/passwd.csv": PEOPLE}))[1] == "people.zip/passwd.csv"
    assert taken(zipped({"C:\\x\\a\x07b.csv": PEOPLE}))[1] == "people.zip/ab.csv"


_GOOD = zipped({"people.csv": PEOPLE * 5})


@budget(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(_GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=9), st.booleans())
def test_a_zip_file_with_any_bytes_changed_is_unpacked_or_refused(changes: list[tuple[int, int]], cut: bool) -> None:
    content = bytearray(_GOOD)
    for place, byte in changes:
        content[place] = byte
    with contextlib.suppress(UnreadableFile):
        taken(bytes(content[: changes[0][0]] if cut else content))


# With an import


@pytest.mark.django_db
def test_a_zipped_table_is_imported_and_kept_unpacked() -> None:
    book, _ = make_book()
    job = imported(book, zipped({"Kunden.csv": PEOPLE}), name="people.zip")
    assert job.file_name == "people.zip/Kunden.csv"
    assert job.file.name.endswith(".csv")
    with job.file.open() as kept:
        assert kept.read() == PEOPLE.encode()
    assert outcomes(job.counts) == {"created": 2}


@pytest.mark.django_db
def test_a_zipped_workbook_is_imported() -> None:
    book, _ = make_book()
    content = zipped({"people.xlsx": xlsx(["phone"], ["09121234567"])}, zipfile.ZIP_STORED)
    assert outcomes(imported(book, content, name="people.zip").counts) == {"created": 1}


@pytest.mark.django_db
def test_a_bomb_in_a_zipped_workbook_is_refused_too(settings: Any) -> None:
    settings.IMPORT_MAX_MB = 1
    book, _ = make_book()
    bomb = rezipped(xlsx(["phone"]), "sheet1.xml", {b"<sheetData>": b"<sheetData>" + b" " * 11_000_000})
    with pytest.raises(UnreadableFile) as refused:
        upload(book, zipped({"people.xlsx": bomb}), name="people.zip")
    assert refused.value.message == sheets.INFLATED
    assert not ImportJob.objects.exists()


# gzip


@pytest.mark.parametrize("name", ["people.csv.gz", "PEOPLE.CSV.GZ"])
def test_a_table_in_a_gzip_file_is_taken_with_both_names(name: str) -> None:
    assert taken(gzip.compress(PEOPLE.encode()), name) == (PEOPLE.encode(), f"{name}/{name[:-3]}")


def test_a_gzip_file_is_known_by_what_it_holds_and_not_by_its_name() -> None:
    assert taken(gzip.compress(PEOPLE.encode()), "people.csv")[0] == PEOPLE.encode()
    with unpacked(io.BytesIO(PEOPLE.encode()), "people.csv.gz") as (table, found):
        table.seek(0)
        assert (table.read(), found) == (PEOPLE.encode(), "people.csv.gz")


def test_several_gzip_files_in_a_row_are_one_as_programs_make_them() -> None:
    halves = [gzip.compress(part.encode()) for part in (PEOPLE[:20], PEOPLE[20:])]
    assert taken(b"".join(halves) + b"\0" * 512, "people.csv.gz")[0] == PEOPLE.encode()


@pytest.mark.parametrize("cut", [1, 5, 9, 40])
def test_a_gzip_file_that_is_cut_off_or_damaged_is_refused_and_never_taken_in_part(cut: int) -> None:
    whole = gzip.compress(PEOPLE.encode() * 50)
    assert refusal(whole[:-cut], "people.csv.gz").message == archive.BROKEN_GZIP
    damaged = bytearray(whole)
    damaged[-cut] ^= 0xFF
    assert refusal(bytes(damaged), "people.csv.gz").message == archive.BROKEN_GZIP


def test_what_was_packed_twice_is_refused() -> None:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as made:
        made.addfile(tarfile.TarInfo("people.csv"), io.BytesIO())
    for inner in (gzip.compress(b"x"), zipped({"people.csv": PEOPLE}), tar.getvalue()):
        assert refusal(gzip.compress(inner), "people.csv.gz").message == archive.PACKED_IN_GZIP


def test_a_gzip_file_that_grows_beyond_the_limit_is_left_as_soon_as_it_does(settings: Any) -> None:
    settings.IMPORT_MAX_MB = 1
    assert refusal(gzip.compress(b"0" * 30_000_000), "zeros.csv.gz").message == archive.LARGE_GZIP


def test_a_gzip_file_of_empty_ones_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_MEMBERS", 50)
    assert refusal(gzip.compress(b"") * 60, "empty.csv.gz").message == archive.BROKEN_GZIP


@pytest.mark.django_db
def test_a_table_in_a_gzip_file_is_imported_like_any_other() -> None:
    book, _options = make_book()
    job = imported(book, gzip.compress(PEOPLE.encode()), name="people.csv.gz")
    assert (outcomes(job.counts), job.file_name) == ({"created": 2}, "people.csv.gz/people.csv")


@given(content=st.binary(max_size=400), place=st.integers(0, 60), change=st.integers(1, 255))
@budget(max_examples=60)
def test_whatever_is_done_to_a_gzip_file_it_is_taken_whole_or_refused(content: bytes, place: int, change: int) -> None:
    packed = bytearray(gzip.compress(content, mtime=0))
    packed[place % len(packed)] ^= change
    with contextlib.suppress(ImportRefused):
        found = taken(bytes(packed), "x.csv.gz")[0]
        assert found in (content, b"") or not packed.startswith(b"\x1f\x8b")
