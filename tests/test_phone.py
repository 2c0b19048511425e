"""Phone numbers: one number has one canonical form, whatever the spelling; what is damaged is refused with its reason."""

from __future__ import annotations

from unittest import mock

import phonenumbers
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from contactsync import spelling
from contactsync.phone import PHONE_MESSAGES, PhoneCode, country_of, parse_phone, search_digits
from tests.long_way import NEVER

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
FULL_WIDTH = str.maketrans("0123456789+", "０１２３４５６７８９＋")
SCRIPTS = [{}, PERSIAN, ARABIC, FULL_WIDTH]

iranian_mobiles = st.builds(
    "{}{:07d}".format,
    st.sampled_from(["912", "919", "935", "901", "990", "920", "933"]),
    st.integers(0, 9_999_999),
)
prefixes = st.sampled_from(["0", "", "+98", "0098", "98", "+980", "00980", "980", "098", "+0098"])
noise = st.sampled_from(["", " ", "-", "–", "‑", "\u00a0", "\u200c", "\u200f", "\u202a", "\u2009", "(", ")", "\u200d"])


@st.composite
def spelled(draw: st.DrawFn, number: str) -> str:
    """The number with marks between its digits that people and programs leave there, in one of the digit scripts."""
    marks = draw(st.lists(noise, min_size=len(number), max_size=len(number)))
    marks[0] = marks[0] if marks[0] not in {"-", "–", "‑"} else ""  # a minus is another matter
    written = "".join(mark + character for mark, character in zip(marks, number, strict=True))
    return draw(st.sampled_from(["", " ", "\u202b", "'", "\t"])) + written.translate(draw(st.sampled_from(SCRIPTS)))


@given(st.data(), iranian_mobiles, prefixes)
def test_every_spelling_of_an_iranian_mobile_is_the_same_number(data: st.DataObject, number: str, prefix: str) -> None:
    verdict = parse_phone(data.draw(spelled(prefix + number)), "IR")
    assert (verdict.e164, verdict.code, verdict.line) == (f"+98{number}", PhoneCode.OK, "mobile")


REGIONS = ["IR", "DE", "IT", "ES", "AU", "GB", "FR", "TR", "AE", "US"]


@st.composite
def valid_numbers(draw: st.DrawFn) -> tuple[phonenumbers.PhoneNumber, str]:
    region = draw(st.sampled_from(REGIONS))
    kinds = [phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE]
    model = phonenumbers.example_number_for_type(region, draw(st.sampled_from(kinds)))
    digits = phonenumbers.national_significant_number(model)
    tail = draw(st.integers(0, 9999))
    number = phonenumbers.parse(f"+{model.country_code}{digits[:-4]}{tail:04d}")
    assume(phonenumbers.is_valid_number(number))
    return number, region


@given(valid_numbers(), st.sampled_from(REGIONS))
def test_a_number_in_any_printed_form_is_itself(drawn: tuple[phonenumbers.PhoneNumber, str], elsewhere: str) -> None:
    number, home = drawn
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    international = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    dialled_abroad = phonenumbers.format_out_of_country_calling_number(number, elsewhere)
    assert parse_phone(international, elsewhere).e164 == e164
    assert parse_phone(f"00{e164[1:]}", elsewhere).e164 == e164
    assert parse_phone(national, home).e164 in {e164, ""}
    assert parse_phone(national, home).code in {PhoneCode.OK, PhoneCode.AMBIGUOUS}
    assert parse_phone(dialled_abroad, elsewhere).code in {PhoneCode.OK, PhoneCode.AMBIGUOUS}


@given(valid_numbers(), st.sampled_from(REGIONS))
def test_the_canonical_form_is_read_as_itself_and_unchanged(
    drawn: tuple[phonenumbers.PhoneNumber, str], region: str
) -> None:
    e164 = phonenumbers.format_number(drawn[0], phonenumbers.PhoneNumberFormat.E164)
    verdict = parse_phone(e164, region)
    assert verdict.e164 == e164
    assert not verdict.changed


@given(st.text(), st.sampled_from([*REGIONS, "", "XX", "ir", "001"]))
@example("²²²²²²²", "IR")
@example("+" * 50, "IR")
@example("\ud800" + "0912" * 100, "IR")
@example("0" * 200, "AU")
@example('="', "IR")
@example("((", "IR")
@example("+(", "IR")
@example("+((", "DE")
def test_any_text_gets_a_verdict(text: str, region: str) -> None:
    verdict = parse_phone(text, region)
    assert verdict.raw == text
    assert verdict.is_valid == bool(verdict.e164) == bool(verdict.line)
    if verdict.is_valid:
        assert parse_phone(verdict.e164, region).e164 == verdict.e164
        assert phonenumbers.is_valid_number(phonenumbers.parse(verdict.e164))


@given(st.text(alphabet="0123456789+ -.,/()eExو#\u200f۰۱۲", max_size=40), st.sampled_from(REGIONS))
def test_anything_like_a_number_gets_a_verdict(text: str, region: str) -> None:
    verdict = parse_phone(text, region)
    assert verdict.e164 == "" or parse_phone(verdict.e164, region).e164 == verdict.e164


@given(
    iranian_mobiles, iranian_mobiles, st.sampled_from([" / ", "/", " - ", "، ", ",", ";", "\n", " و ", " ", "", "|"])
)
def test_two_numbers_in_a_cell_are_refused(one: str, other: str, between: str) -> None:
    assert parse_phone(f"0{one}{between}0{other}", "IR").code is PhoneCode.SEVERAL_NUMBERS
    assert parse_phone(f"+98{one}{between}+98{other}", "IR").code is PhoneCode.SEVERAL_NUMBERS


@given(iranian_mobiles, st.integers(1, 10), st.sampled_from(["E+", "e+", "E"]), st.sampled_from([".", ",", "/"]))
def test_a_number_shortened_by_a_spreadsheet_is_refused(number: str, kept: int, power: str, point: str) -> None:
    assert parse_phone(f"9{point}8{number[: kept - 1]}{power}11", "IR").code is PhoneCode.SCIENTIFIC


@pytest.mark.parametrize(
    ("raw", "region", "code"),
    [
        ("", "IR", PhoneCode.EMPTY),
        (" \u200f ", "IR", PhoneCode.EMPTY),
        ("-", "IR", PhoneCode.EMPTY),
        ("…", "IR", PhoneCode.EMPTY),
        ("ندارد", "IR", PhoneCode.NOT_A_NUMBER),
        ("N/A", "IR", PhoneCode.NOT_A_NUMBER),
        ("0912***1234", "IR", PhoneCode.NOT_A_NUMBER),
        ("*140#", "IR", PhoneCode.NOT_A_NUMBER),
        ("Mobile: 09121234567", "IR", PhoneCode.NOT_A_NUMBER),
        ("tel:+982188776655;ext=12", "IR", PhoneCode.EXTENSION),
        ("tel:9.89E+11", "IR", PhoneCode.SCIENTIFIC),
        ("1-800-FLOWERS", "US", PhoneCode.NOT_A_NUMBER),
        ("علی 09120001234", "IR", PhoneCode.NOT_A_NUMBER),
        ("=9120001234-1", "IR", PhoneCode.NOT_A_NUMBER),
        ("0098+9120001234", "IR", PhoneCode.NOT_A_NUMBER),
        ("9.89E+11", "IR", PhoneCode.SCIENTIFIC),
        ("9.89121E+11", "IR", PhoneCode.SCIENTIFIC),
        ("۹٫۸۹E+۱۱", "IR", PhoneCode.SCIENTIFIC),
        ("98912123456.7", "IR", PhoneCode.DECIMAL_DAMAGED),
        ("9121234567,5", "IR", PhoneCode.DECIMAL_DAMAGED),
        ("-9121234567", "IR", PhoneCode.NEGATIVE),
        ("−9121234567", "IR", PhoneCode.NEGATIVE),
        ("02188776655 داخلی ۱۲", "IR", PhoneCode.EXTENSION),
        ("02188776655 داخلي 12", "IR", PhoneCode.EXTENSION),
        ("021-88776655 ext. 12", "IR", PhoneCode.EXTENSION),
        ("02188776655x12", "IR", PhoneCode.EXTENSION),
        ("02188776655#12", "IR", PhoneCode.EXTENSION),
        ("030 1234567 DW 12", "DE", PhoneCode.EXTENSION),
        ("0912000123", "IR", PhoneCode.TOO_SHORT),
        ("+98912000123", "IR", PhoneCode.TOO_SHORT),
        ("98912000123", "IR", PhoneCode.TOO_SHORT),
        ("88776655", "IR", PhoneCode.TOO_SHORT),
        ("0", "IR", PhoneCode.TOO_SHORT),
        ("091200012345", "IR", PhoneCode.TOO_LONG),
        ("9891200012345", "IR", PhoneCode.TOO_LONG),
        ("021-88776655/66", "IR", PhoneCode.TOO_LONG),
        ("+999123456789", "IR", PhoneCode.UNKNOWN_COUNTRY),
        ("09120001234", "", PhoneCode.UNKNOWN_COUNTRY),
        ("09820001234", "IR", PhoneCode.NOT_ASSIGNED),
        ("+989820001234", "IR", PhoneCode.NOT_ASSIGNED),
        ("0491711234567", "DE", PhoneCode.AMBIGUOUS),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason(raw: str, region: str, code: PhoneCode) -> None:
    verdict = parse_phone(raw, region)
    assert (verdict.e164, verdict.code, verdict.line) == ("", code, "")


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("989121234567.0", "IR", "+989121234567"),
        ("9121234567.00", "IR", "+989121234567"),
        ("۹۱۲۱۲۳۴۵۶۷٫۰", "IR", "+989121234567"),
        ("9,121,234,567", "IR", "+989121234567"),
        ('="09121234567"', "IR", "+989121234567"),
        ("'09121234567", "IR", "+989121234567"),
        ("“09121234567”", "IR", "+989121234567"),
        ("0912.123.4567", "IR", "+989121234567"),
        ("tel:+98-912-123-4567", "IR", "+989121234567"),
        ("Tel: 0912 123 4567", "IR", "+989121234567"),
        ("whatsapp:+989121234567", "DE", "+989121234567"),
        ("0912_123_4567", "IR", "+989121234567"),
        ("989’121’234’567", "IR", "+989121234567"),
        ("989121234567+", "IR", "+989121234567"),
        ("(+98) 912 123 4567", "IR", "+989121234567"),
        ("+98(0)9121234567", "IR", "+989121234567"),
        ("0912\n1234567", "IR", "+989121234567"),
        ("+98 0912 123 4567", "DE", "+989121234567"),
        ("0171/1234567", "DE", "+491711234567"),
        ("033203/12345", "DE", "+493320312345"),
        ("+49 (0)171 1234567", "DE", "+491711234567"),
        ("171 1234567", "DE", "+491711234567"),
        ("491711234567", "DE", "+491711234567"),
        ("4915112345678", "DE", "+4915112345678"),
        ("347 123 4567", "IT", "+393471234567"),
        ("393471234567", "IT", "+393471234567"),
        ("393 123 4567", "IT", "+393931234567"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("+39 06 1234 5678", "ES", "+390612345678"),
        ("612 34 56 78", "ES", "+34612345678"),
        ("34612345678", "ES", "+34612345678"),
        ("0412 345 678", "AU", "+61412345678"),
        ("412345678.0", "AU", "+61412345678"),
        ("0011 49 171 1234567", "AU", "+491711234567"),
        ("0049 171 1234567", "AU", "+491711234567"),
        ("09121234567", "ir", "+989121234567"),
    ],
)
def test_what_is_intact_is_read(raw: str, region: str, e164: str) -> None:
    assert parse_phone(raw, region).e164 == e164


@given(
    st.one_of(
        st.from_regex(r"[0-9][0-9()/ -]{6,20}", fullmatch=True),
        st.from_regex(r"\+?[0-9]{6,14}[.,][0-9]{1,3}", fullmatch=True),
    ),
    st.sampled_from(["IR", "DE"]),
)
@example("02188776655/66", "IR")
@example("0301234567/7654321", "DE")
def test_usual_marks_between_digits_are_no_reason_for_another_verdict(text: str, region: str) -> None:
    verdict = parse_phone(text, region)
    with mock.patch.object(spelling, "_FORMATTED", NEVER), mock.patch.object(spelling, "_WHOLE", NEVER):
        assert parse_phone(text, region) == verdict


def test_landlines_are_told_from_mobiles() -> None:
    assert parse_phone("021-88776655", "IR").line == "fixed"
    assert parse_phone("0912 000 1234", "IR").line == "mobile"
    assert parse_phone("(201) 555-0123", "US").line == "either"
    assert parse_phone("+800 1234 5678", "IR").line == "other"


def test_a_changed_spelling_is_told() -> None:
    assert parse_phone("0912 000 1234", "IR").changed
    assert not parse_phone("+989120001234", "IR").changed


def test_every_code_has_its_sentence() -> None:
    assert set(PHONE_MESSAGES) == set(PhoneCode)
    assert all(PHONE_MESSAGES.values())


@given(st.data(), iranian_mobiles)
def test_a_number_is_found_in_whatever_form_it_is_searched(data: st.DataObject, number: str) -> None:
    for prefix in ("0", "", "+98", "0098", "98", "+980"):
        assert search_digits(data.draw(spelled(prefix + number)).strip("'")) in f"+98{number}"


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("0912", "912"),
        ("۰۹۱۲ ۰۰۰", "912000"),
        ("+98912", "98912"),
        ("0098 912", "98912"),
        ("+98 0912", "98912"),
        ("1234", "1234"),
        ("+9", "9"),
        ("0", ""),
        ("", ""),
        ("علی", ""),
        ("علی 0912", ""),
    ],
)
def test_a_piece_of_a_number_can_be_searched(text: str, digits: str) -> None:
    assert search_digits(text) == digits


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    digits = search_digits(text)
    assert digits == "" or (digits.isascii() and digits.isdecimal())


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+989120000001", "IR"),
        ("+4915200000001", "DE"),
        ("+41790000001", "CH"),
        ("+61491570010", "AU"),
        ("+393511110010", "IT"),
        ("+447400123456", "GB"),
        ("+12015550123", "US"),
        ("+16135550123", "CA"),  # the same country code
        ("+77012345678", "KZ"),
        ("+79123456789", "RU"),
        ("+88213000000", "+882"),  # a network of no country
        ("+15550000000", "+1"),  # of none of its countries
        ("", ""),
    ],
)
def test_the_country_of_a_number(number: str, country: str) -> None:
    assert country_of(number) == country
