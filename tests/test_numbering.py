"""Numbers are read from compiled numbering plans exactly as the phone library reads them, in all regions and all forms."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from contactsync import numbering
from contactsync.phone import ask_library, parse_phone
from tests.long_way import the_library_alone

REGIONS = ["IR", "DE", "AU", "IT", "ES", "GB", "US", "FR", "AE", "TR"]
ALL_REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = [kind for kind in PhoneNumberType.values() if kind != PhoneNumberType.UNKNOWN]
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def models(region: str) -> list[tuple[str, str]]:
    """Country code and national digits of one number of each kind the region has."""
    numbers = [phonenumbers.example_number_for_type(region, kind) for kind in KINDS]
    found = {(str(n.country_code), phonenumbers.national_significant_number(n)) for n in numbers if n}
    return sorted(found)


def mutated(dice: random.Random, digits: str) -> str:
    """Some digits changed, and sometimes too few or too many of them."""
    changed = list(digits)
    for _ in range(dice.choice([0, 1, 2, 4, 8])):
        changed[dice.randrange(len(changed))] = dice.choice("0123456789")
    extra = "".join(dice.choices("0123456789", k=4))
    return "".join(changed)[: dice.choice([-3, -2, -1, 20, 20, 20, 20])] + extra[: dice.choice([0, 0, 0, 0, 1, 2, 3])]


def dialled_forms(dice: random.Random, region: str, count: int) -> Iterator[str]:
    """The ways people write a number of the region, valid or not: national, international, with and without zeros."""
    trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
    known = models(region)
    for _ in range(count):
        code, digits = dice.choice(known)
        prefixes = ["", "0", trunk, "+" + code, code, "00" + code, "0" + code, f"+{code}0", f"00{code}0", code + trunk]
        prefixes += ["011" + code, "0011" + code, "+", "00", "000", code + code, f"+{code}{code}", "1", "90"]
        yield dice.choice(prefixes) + mutated(dice, digits)


def spelled(dice: random.Random, dialled: str) -> str:
    """With what people put between digits, in their own digits."""
    for _ in range(dice.randrange(4)):
        place = dice.randint(0, len(dialled))
        dialled = (
            dialled[:place] + dice.choice([" ", "-", "(", ")", " - ", "/", ".", "\u200f", ",", "+"]) + dialled[place:]
        )
    return dialled.translate(dice.choice([{}, PERSIAN]))


@pytest.mark.parametrize("region", REGIONS)
def test_every_form_of_a_number_is_read_as_the_library_reads_it(region: str) -> None:
    dice = random.Random(region)
    asked = 0
    for dialled in dialled_forms(dice, region, 1500):
        home = dice.choice([region, region, region, *REGIONS])
        reading = numbering.read(dialled, home)
        asked += reading is None
        assert reading in {None, ask_library(dialled, home)}, (dialled, home)
    assert asked < 150  # else there is no sense in reading before the library does


@pytest.mark.parametrize("region", REGIONS)
def test_every_spelling_gets_the_verdict_it_gets_from_the_library(region: str) -> None:
    dice = random.Random(region)
    found = [(spelled(dice, dialled), dice.choice([region, *REGIONS])) for dialled in dialled_forms(dice, region, 800)]
    found += [
        (raw + dice.choice(["", " ", "/", ", "]) + other, home)
        for (raw, home), (other, _) in zip(found[:40], found[40:80], strict=True)
    ]
    verdicts = [parse_phone(raw, home) for raw, home in found]
    with the_library_alone():
        assert [parse_phone(raw, home) for raw, home in found] == verdicts


def test_the_numbers_of_all_regions_are_read_as_the_library_reads_them() -> None:
    dice = random.Random(1)
    for region in ALL_REGIONS:
        for code, digits in models(region):
            trunk = phonenumbers.ndd_prefix_for_region(region, True) or "0"
            for dialled in (f"+{code}{digits}", trunk + digits, digits, code + mutated(dice, digits)):
                assert numbering.read(dialled, region) in {None, ask_library(dialled, region)}, (dialled, region)
                usual = numbering.read_usual(dialled, region)
                if usual:
                    with the_library_alone():
                        verdict = parse_phone(dialled, region)
                    assert usual == (verdict.e164, verdict.code, verdict.line)


@given(st.text("0123456789", max_size=20), st.sampled_from(["", "+"]), st.sampled_from([*ALL_REGIONS, "", "XX", "001"]))
@example("0" * 17, "", "IT")
@example("00", "", "IR")
@example("0098", "", "IR")
@example("98", "", "IR")
@example("000000000", "+", "IR")
@example("80012345678", "+", "IR")
def test_any_digits_are_read_as_the_library_reads_them(digits: str, plus: str, region: str) -> None:
    assert numbering.read_usual(plus + digits, region) in {None, ask_library(plus + digits, region)}
    if digits:
        assert numbering.read(plus + digits, region) in {None, ask_library(plus + digits, region)}


@given(
    st.sampled_from(["0", "+98", "+49", "+33", "+971", "+90", "+212", "049", "098"]),
    st.from_regex(r"\A[0-9]{5,13}\Z"),
    st.sampled_from(["IR", "DE", "FR", "AE", "TR", "MA"]),
)
def test_a_usual_number_cannot_be_read_in_another_way(prefix: str, digits: str, region: str) -> None:
    if usual := numbering.read_usual(prefix + digits, region):
        with the_library_alone():
            verdict = parse_phone(prefix + digits, region)
        assert usual == (verdict.e164, verdict.code, verdict.line)


@pytest.mark.parametrize("region", ["IR", "DE", "FR", "AE", "TR"])
def test_a_mobile_in_its_usual_forms_needs_no_second_look(region: str) -> None:
    model = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    digits, e164 = phonenumbers.national_significant_number(model), phonenumbers.format_number(model, 0)
    for dialled in ("0" + digits, e164):
        usual = numbering.read_usual(dialled, region)
        assert usual
        assert (usual.e164, usual.line) == (e164, "mobile")


def test_the_metadata_are_as_the_plans_take_them_to_be() -> None:
    for region in ALL_REGIONS:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        general = metadata.general_desc
        assert not set(general.possible_length) & set(general.possible_length_local_only)
        assert max(general.possible_length) > max(general.possible_length_local_only, default=0)
        for name in ("general_desc", "fixed_line", "mobile", *numbering._OTHERS):
            desc = getattr(metadata, name)
            if desc and desc.national_number_pattern:
                assert set(desc.possible_length) <= set(general.possible_length)
                assert not re.search(
                    r"\((?!\?)|\\\d", desc.national_number_pattern
                )  # groups of its own, or what refers to one
