"""Encodings: found by themselves, confirmed to the last byte, refused with the line."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactsync.imports import charset
from contactsync.imports.detect import examine_again
from contactsync.imports.errors import UnreadableFile
from tests.imports.files import examined, rows_of

PERSIAN = "موبایل,نام\n09121234567,علی رضایی\n09121234568,زهرا کریمی\n"
# Windows-1256 knows پ چ ژ گ and the Persian ک, but of the ی only the Arabic one.
PERSIAN_1256 = PERSIAN.replace("ی", "ي")
WESTERN = "phone;name\n09121234567;Müller, Jörg\n09121234568;Señora Núñez\n"


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (PERSIAN, "utf-8", "utf-8"),
        (PERSIAN, "utf-8-sig", "utf-8"),
        (PERSIAN, "utf-16", "utf-16"),
        (PERSIAN, "utf-16-le", "utf-16-le"),
        (PERSIAN, "utf-16-be", "utf-16-be"),
        (PERSIAN, "utf-32", "utf-32"),
        ("موبایل\tنام\n۰۹۱۲۱۲۳۴۵۶۷\tعلی‌رضایی‌منش‌تهرانی\n", "utf-16-le", "utf-16-le"),
        ("موبایل\tنام\n۰۹۱۲۱۲۳۴۵۶۷\tعلی‌رضایی‌منش‌تهرانی\n", "utf-16-be", "utf-16-be"),
        ("phone;name\n09121234567;Иван Петров\n", "utf-16-le", "utf-16-le"),
        (PERSIAN_1256, "cp1256", "cp1256"),
        (WESTERN, "cp1252", "cp1252"),
        ("phone;name\n09121234567;Иван Петров\n09121234568;Ольга Смирнова\n", "cp1251", "cp1251"),
        ("phone;imię;nazwisko\n601234567;Łukasz;Żółć\n601234568;Zażółć;Gęślą\n", "cp1250", "cp1250"),
        ("phone;nombre\n612345678;«José» nº 1ª\n612345679;¿Núñez?\n", "cp1252", "cp1252"),
        ("phone;name\r01711234567;Jürgen\r01711234568;Böhm\r", "mac_roman", "mac_roman"),
        ("phone;name\r01711234567;Jürgen\r01711234568;Böhm\r", "cp1252", "cp1252"),
        ("phone,name\n09121234567,Ali\n", "ascii", "utf-8"),
    ],
)
def test_the_encoding_is_found_and_the_text_comes_out_whole(text: str, encoding: str, found: str) -> None:
    content = text.encode(encoding)
    assert examined(content).form.encoding == found
    delimiter = next(sign for sign in ";\t," if sign in text)
    assert [row.cells for row in rows_of(content)] == [line.split(delimiter) for line in text.splitlines()[1:]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_no_part_of_the_first_title(encoding: str) -> None:
    assert examined('"موبایل",نام\n09121234567,علی\n'.encode(encoding)).columns == ["موبایل", "نام"]


def test_a_mark_is_no_part_of_the_title_even_when_the_encoding_was_chosen_without_it() -> None:
    file = io.BytesIO(b"\xff\xfe" + '"phone",name\n09121234567,Ali\n'.encode("utf-16-le"))
    form = examined(file.getvalue()).form
    found = examine_again(file, form, {"encoding": "utf-16-le", "delimiter": ",", "has_header": True})
    assert found.columns == ["phone", "name"]


def test_a_byte_that_does_not_belong_to_utf_8_is_refused_with_its_line() -> None:
    rows = [f"0912123{n:04d},علی رضایی".encode() for n in range(50)]
    rows[30] = b"09121230030,\xe3\xe4"
    with pytest.raises(UnreadableFile) as refused:
        examined(b"phone,name\n" + b"\n".join(rows))
    assert refused.value.params["line"] == 32
    assert refused.value.params["encoding"] == "utf-8"
    assert "32" in refused.value.describe()
    assert "CSV UTF-8" in refused.value.describe()


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_the_line_of_a_bad_byte_is_right_far_into_the_file_and_with_every_line_end(end: str) -> None:
    good = f"09121234567,نام{end}".encode() * 5000
    with pytest.raises(UnreadableFile) as refused:
        examined(good + b"0912,\xff" + end.encode() + good)
    assert refused.value.params["line"] == 5001
    assert refused.value.params["byte"] == len(good) + 6


def test_a_file_that_was_cut_off_within_a_letter_is_refused_with_its_last_line() -> None:
    with pytest.raises(UnreadableFile) as refused:
        examined(PERSIAN.encode()[:-2] * 3)
    with pytest.raises(UnreadableFile) as cut:
        charset.count_lines(io.BytesIO("a\nb\nی".encode()[:-1]), "utf-8")
    assert refused.value.params["line"] == 3
    assert cut.value.params["line"] == 3


def test_a_chosen_encoding_that_does_not_fit_is_refused_with_the_line() -> None:
    with pytest.raises(UnreadableFile, match="Line 2") as refused:
        charset.count_lines(io.BytesIO(PERSIAN_1256.replace("موبايل,نام", "a,b").encode("cp1256")), "utf-8")
    assert "Choose another encoding" in refused.value.describe()


def test_utf_16_without_its_mark_is_refused_when_chosen_as_marked() -> None:
    with pytest.raises(UnreadableFile) as refused:
        charset.count_lines(io.BytesIO("ab\n".encode("utf-16-le")), "utf-16")
    assert refused.value.params["line"] == 1


def test_only_encodings_on_the_list_can_be_chosen() -> None:
    with pytest.raises(UnreadableFile, match="klingon"):
        charset.count_lines(io.BytesIO(b"a"), "klingon")


@pytest.mark.parametrize("text", ["", "a", "a\n", "a\r\nb", "a\rb\r", "\n\n", "a\r\n\r\nb\n\r"])
def test_lines_are_counted_as_an_editor_counts_them(text: str) -> None:
    expected = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    expected -= not text or text[-1] in "\r\n"
    assert charset.count_lines(io.BytesIO(text.encode()), "utf-8") == expected


@given(st.text(alphabet="a\r\n", max_size=40), st.integers(1, 8))
def test_a_line_end_cut_in_two_by_a_block_counts_once(text: str, block: int) -> None:
    whole = charset.count_lines(io.BytesIO(text.encode()), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charset, "BLOCK", block)
        assert charset.count_lines(io.BytesIO(text.encode()), "utf-8") == whole


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60), st.integers(1, 9))
def test_valid_utf_8_is_never_refused_wherever_a_block_ends(text: str, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(charset, "BLOCK", block)
        found = charset.scan(io.BytesIO(text.encode()))
        assert found.is_utf8
        assert found.size == len(text.encode())
        charset.count_lines(io.BytesIO(text.encode()), "utf-8")


def test_the_choices_have_labels_in_words() -> None:
    assert all(str(label) for label in charset.ENCODINGS.values())
    assert "1256" in str(charset.ENCODINGS["cp1256"])
